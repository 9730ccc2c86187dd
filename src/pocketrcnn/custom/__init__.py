"""Story 1: custom detectors.

commands/  the commands as functions: `pocketrcnn.train` and its like
plan       input size, anchors, network and schedule that suit a data set
tiling     the side of the input, and tiles of large images
anchors    anchors that fit its boxes
reasons    what was decided for it, in sentences
learnable  whether there is enough to learn from
train      `pocketrcnn train` and `resume`: a run
together   several processes that train one detector: the same data in all
moved      the data of a run that goes on, wherever they are now
seeds      `train --seeds`: runs that differ in the seed alone
run_set    the folder of such a set; its best run
sweep/     `pocketrcnn sweep`: several values of settings, by any number of processes
evaluate   `pocketrcnn eval`
predict    `pocketrcnn predict`: images to JSON, CSV, pictures and crops
parts/     the same part by part, by any number of processes, and `pocketrcnn merge`
scale/     the same on Ray: `pocketrcnn.scale`
result_files  its JSON and CSV
picture_files  its pictures and crops
counts     how many objects an image has, how large, covering how much
builtin    detectors inside the package, by their names
detectors/  weights, figures and example images of these
loading    a detector by its path, with torch or without
detector   the public `Detector`: images of any kind to boxes
folded     its network for detection alone: faster
detection  what surrounds a network, with torch or without
detections  what it returns: class names, pictures, counts
inputs     images of all kinds, checked before they are read
draw       boxes and labels on images
coco_ids   the ids of images and classes in a COCO file
page/      `pocketrcnn export --page`: one HTML file, which needs a browser and nothing else
onnx/      `pocketrcnn export`: one ONNX file, compared with torch, run without torch
report/    the page of a run, or of several
explain/   `pocketrcnn explain`: one image on its way through a network
options    what the command line can set
bench      speed and memory of training a custom detector
growth     how these grow with images, their side and their objects
growth_chart  the plot of that
"""
