"""What it is: the detector, and nothing else. No files, no data sets.

To read in an afternoon, in this order, with `docs/components.md` beside it (lines of each file):

    config.py                        294  every setting of a run; those of the model are its middle
    model/architectures.py            58  tables of channels and kernels
    model/layers.py                   65  convolution, normalisation, pooling
    model/backbones.py               178  base networks of three kinds of blocks; deep maps merged
    model/structures.py               80  what goes in and what comes out: Batch, Detections
    model/boxes.py                   270  all arithmetic on boxes: IoU, anchors, matching, deltas, suppression
    model/rpn.py                     110  the region proposal network and its losses
    model/roi.py                     119  regions cut out of the feature map, and the head that names them
    model/faster_rcnn.py             221  the whole: regions, targets, losses, detections

How it learns:

    data/augment/augment.py           84  random changes of training images
    training/optim.py                138  Muon, schedules, averaged weights
    training/loop.py                 109  the training loop

How good it is:

    evaluation/coco.py                85  detections matched with the ground truth
    evaluation/average_precision.py  217  average precision, and what explains it

Not needed to understand it:

    model/kernels.py                 128  fast equivalents of plain operations
    model/costs.py                    98  multiplications and parameters
    model/interchange.py              84  detections for other programs
"""
