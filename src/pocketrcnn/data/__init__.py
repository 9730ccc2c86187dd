"""What a detector is fed: annotated images of anybody, read, checked, split, and handed out as batches.

annotations   images, objects, classes, splits, faults
boxes         the boxes of one image, as arrays
formats/      COCO, Pascal VOC, YOLO and CSV, read and written
check         every fault, with its file, object and reason
conventions   what the numbers of boxes are, found out on the whole set
meanings      what four numbers may be, and which of it fits
resized       images that were made smaller or larger after annotation
copies        what is there twice: images, annotations, boxes
class_names   classes that nearly are one, or that nothing is of
kinds         the kinds of faults, as data
repair        a copy without the faults
overview      what is in a data set, as numbers and tables
splits        training, validation and test images
custom_data   from the path of a data set to its splits
cells         names in CSV files, which spreadsheets do not compute
listing       the words of a command line to image files
json_text     JSON of anybody, read or refused
yaml_reading  YAML without aliases, any error as one line
files         files and folders that are there whole or not at all, and their locks
images/       files to pixels, pixels to the network's input, decoded images in the cache
downloads/    what others publish, fetched once into the cache
augment/      random changes of whole batches
dataset       the contract of a data set
folders       annotated images as batches
crops         random crops of images larger than the input, for training
"""
