"""Formats that are read on top of COCO, VOC, YOLO and CSV, and not written. No torch here.

records        records as objects or faults, and the boxes around shapes
labelme        LabelMe, X-AnyLabeling
via            VGG Image Annotator 1 and 2, JSON and CSV
cvat           CVAT for images, XML
createml       CreateML, and bounding_boxes.labels of Edge Impulse
label_studio   Label Studio's own JSON
hugging_face   metadata.jsonl and metadata.csv
open_images    the tables of Open Images
makesense      the CSV of makesense.ai, which has no header
masks          label images beside the images
text_lines     a text file an image: DOTA, KITTI, the Open Images toolkit, YOLO with names of classes
"""

from . import createml, cvat, hugging_face, label_studio, labelme, makesense, masks, open_images, text_lines, via

READERS = {
    "labelme": labelme.FORMAT,
    "via": via.FORMAT,
    "cvat": cvat.FORMAT,
    "label-studio": label_studio.FORMAT,
    "createml": createml.FORMAT,
    "edge-impulse": createml.EDGE_IMPULSE,
    "hugging-face": hugging_face.FORMAT,
    "open-images": open_images.FORMAT,
    "makesense": makesense.FORMAT,
    "dota": text_lines.DOTA,
    "kitti": text_lines.KITTI,
    "yolo-names": text_lines.YOLO,
    "open-images-toolkit": text_lines.TOOLKIT,
    "masks": masks.FORMAT,
}
RULES = tuple(rule for form in READERS.values() for rule in form.rules)
