"""How good a detector is: metrics on arrays, and a network on a data set. No files, no run.

coco               the one file that speaks to hotcoco: detections matched with the ground truth
average_precision  average precision, and what explains it
form               the form of an evaluation in a file
outcomes           each detection and object: right, which error, missed; exact at any threshold
thresholds         curves over scores, and the threshold of the best F1
tables             an evaluation as tables, for the terminal and the page
measures           sums over batches: losses, accuracy, overlap
network            a network on a data set, to metrics
"""
