"""The page of a run, and of several runs side by side.

summary   what is known about a run, as JSON
pictures  images with ground truth and detections, as data
portable  summaries without the folders of the machine
page      the page: its sections in order
data      section: the data and the anchors
training  section: losses and metrics over time
quality   section: average precision, curves, confusions, errors
gallery   section: the images, worst, most crowded, best and all
sweep     the page of a sweep
compare   which evaluations can be compared, mean and spread over seeds
charts    charts of these sections
text/     the sentences of the page
"""
