"""Formats that are read on top of COCO, VOC, YOLO and CSV, and not written. No torch here.

records   records as objects or faults, and the boxes around shapes
labelme   LabelMe, X-AnyLabeling
"""

from . import labelme

READERS = {"labelme": labelme}
RULES = tuple(rule for module in READERS.values() for rule in module.RULES)
