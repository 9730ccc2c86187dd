"""Tiny data sets in the formats that are read and not written, as the programs of each write them."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import datasets_on_disk as disk
from datasets_on_disk import SCENES, Scenes

Record = dict[str, Any]
OPEN_IMAGES = ["ImageID", "Source", "LabelName", "Confidence", "XMin", "XMax", "YMin", "YMax"]
FLAGS = ["IsOccluded", "IsTruncated", "IsGroupOf", "IsDepiction", "IsInside"]
CODES = {"cat": "/m/01yrx", "dog": "/m/0bt9lr"}


def pictures(root: Path, scenes: Scenes) -> Path:
    """The images of scenes in one folder."""
    for file, (size, _) in scenes.items():
        disk.picture(root / file, size)
    return root


def written(path: Path, text: str) -> Path:
    """A text file, in a folder that is made if need be."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def table(path: Path, rows: Iterable[Iterable[object]]) -> Path:
    """A CSV file with Windows line ends, as Python's writer has them."""
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)
    return path


def labelme(root: Path, scenes: Scenes = SCENES) -> Path:
    """A JSON beside each image; rectangles from any corner to the opposite one."""
    for file, (size, objects) in scenes.items():
        disk.picture(root / file, size)
        shapes = [
            {"label": label, "points": [[x2, y1], [x1, y2]], "group_id": None, "shape_type": "rectangle", "flags": {}}
            for label, (x1, y1, x2, y2) in objects
        ]
        content = {"version": "5.4.1", "flags": {}, "shapes": shapes, "imagePath": file, "imageData": None}
        disk.write_json((root / file).with_suffix(".json"), content | {"imageHeight": size[1], "imageWidth": size[0]})
    return root


def via(root: Path, scenes: Scenes = SCENES) -> Path:
    """A project of VIA 2."""
    files = {}
    for file, (_, objects) in scenes.items():
        regions = [
            {
                "shape_attributes": {"name": "rect", "x": x1, "y": y1, "width": x2 - x1, "height": y2 - y1},
                "region_attributes": {"kind of animal": label},
            }
            for label, (x1, y1, x2, y2) in objects
        ]
        files[f"{file}1234"] = {"filename": file, "size": 1234, "regions": regions, "file_attributes": {}}
    project = {"_via_settings": {}, "_via_img_metadata": files, "_via_attributes": {}}
    disk.write_json(pictures(root, scenes) / "via_project.json", project)
    return root


def cvat(root: Path, scenes: Scenes = SCENES) -> Path:
    """One XML file."""
    images = [
        f'<image id="{i}" name="{file}" width="{width}" height="{height}">'
        + "".join(
            f'<box label="{label}" source="manual" occluded="0" xtl="{x1}" ytl="{y1}" xbr="{x2}" ybr="{y2}"></box>'
            for label, (x1, y1, x2, y2) in objects
        )
        + "</image>"
        for i, (file, ((width, height), objects)) in enumerate(scenes.items())
    ]
    head = '<?xml version="1.0" encoding="utf-8"?>\n<annotations>\n<version>1.1</version>\n'
    written(pictures(root, scenes) / "annotations.xml", "\n".join([head, *images, "</annotations>"]))
    return root


def createml(root: Path, scenes: Scenes = SCENES) -> Path:
    """One list, boxes by their centre."""
    content = [
        {
            "image": file,
            "annotations": [
                {
                    "label": label,
                    "coordinates": {"x": (x1 + x2) / 2, "y": (y1 + y2) / 2, "width": x2 - x1, "height": y2 - y1},
                }
                for label, (x1, y1, x2, y2) in objects
            ],
        }
        for file, (_, objects) in scenes.items()
    ]
    disk.write_json(pictures(root, scenes) / "_annotations.createml.json", content)
    return root


def edge_impulse(root: Path, scenes: Scenes = SCENES) -> Path:
    """Boxes by the names of images."""
    boxes = {
        file: [
            {"label": label, "x": x1, "y": y1, "width": x2 - x1, "height": y2 - y1}
            for label, (x1, y1, x2, y2) in objects
        ]
        for file, (_, objects) in scenes.items()
    }
    content = {"version": 1, "type": "bounding-box-labels", "boundingBoxes": boxes}
    disk.write_json(pictures(root, scenes) / "bounding_boxes.labels", content)
    return root


def label_studio_region(label: str, box: tuple[float, ...], size: tuple[int, int], **value: object) -> Record:
    """A rectangle, in percent of the image's sides."""
    (x1, y1, x2, y2), (width, height) = box, size
    sides = {"x": x1 * 100 / width, "y": y1 * 100 / height}
    sides |= {"width": (x2 - x1) * 100 / width, "height": (y2 - y1) * 100 / height, "rotation": 0}
    return {
        "id": f"{label}{box}",
        "type": "rectanglelabels",
        "from_name": "label",
        "to_name": "image",
        "original_width": width,
        "original_height": height,
        "image_rotation": 0,
        "value": {**sides, "rectanglelabels": [label], **value},
    }


def label_studio(root: Path, scenes: Scenes = SCENES) -> Path:
    """A task an image, each annotated once."""
    tasks = [
        {
            "id": i,
            "data": {"image": file},
            "annotations": [
                {
                    "id": 10 + i,
                    "was_cancelled": False,
                    "ground_truth": False,
                    "result": [label_studio_region(label, box, size) for label, box in objects],
                }
            ],
            "predictions": [],
        }
        for i, (file, (size, objects)) in enumerate(scenes.items(), 1)
    ]
    disk.write_json(pictures(root, scenes) / "project-1-at-2024-05-01.json", tasks)
    return root


def hugging_face(root: Path, scenes: Scenes = SCENES) -> Path:
    """`metadata.jsonl`, and class numbers whose names are in the head of the README."""
    lines = []
    for file, (_, objects) in scenes.items():
        boxes = [[x1, y1, x2 - x1, y2 - y1] for _, (x1, y1, x2, y2) in objects]
        classes = [disk.CLASSES.index(label) for label, _ in objects]
        lines.append(json.dumps({"file_name": file, "objects": {"bbox": boxes, "categories": classes}}))
    written(pictures(root, scenes) / "metadata.jsonl", "\n".join([*lines, ""]))
    names = "names:\n                '0': cat\n                '1': dog\n"
    head = "dataset_info:\n  features:\n    - name: objects\n      sequence:\n        - name: categories\n"
    written(
        root / "README.md", f"---\n{head}          dtype:\n            class_label:\n              {names}---\n# Pets\n"
    )
    return root


def open_images(root: Path, scenes: Scenes = SCENES) -> Path:
    """One table of boxes as fractions, one of the names of classes. Images without objects have a row in neither."""
    rows: list[list[object]] = [[*OPEN_IMAGES, *FLAGS]]
    for file, ((width, height), objects) in scenes.items():
        for label, (x1, y1, x2, y2) in objects:
            box = (x1 / width, x2 / width, y1 / height, y2 / height)
            rows.append([Path(file).stem, "xclick", CODES[label], 1, *box, 0, 0, 0, 0, 0])
    table(pictures(root, scenes) / "annotations-bbox.csv", rows)
    table(root / "class-descriptions-boxable.csv", [[code, name] for name, code in CODES.items()])
    return root


def makesense(root: Path, scenes: Scenes = SCENES) -> Path:
    """Rows without a header. Images without objects have none."""
    rows = [
        [label, x1, y1, x2 - x1, y2 - y1, file, *size]
        for file, (size, objects) in scenes.items()
        for label, (x1, y1, x2, y2) in objects
    ]
    table(pictures(root, scenes) / "labels_my-project-name_2024-05-01-10-11-12.csv", rows)
    return root


def dota(root: Path, scenes: Scenes = SCENES) -> Path:
    """`images` and `labelTxt`; corners of boxes that are not turned."""
    pictures(root / "images", scenes)
    for file, (_, objects) in scenes.items():
        lines = [f"{x1} {y1} {x2} {y1} {x2} {y2} {x1} {y2} {label} 0" for label, (x1, y1, x2, y2) in objects]
        head = ["imagesource:GoogleEarth", "gsd:0.146343"]
        written(root / "labelTxt" / f"{Path(file).stem}.txt", "\n".join([*head, *lines, ""]))
    return root


def kitti(root: Path, scenes: Scenes = SCENES) -> Path:
    """`image_2` and `label_2`."""
    pictures(root / "image_2", scenes)
    for file, (_, objects) in scenes.items():
        lines = [
            f"{label} 0.00 0 -1.57 {' '.join(map(str, box))} 1.5 1.6 3.8 1.0 1.5 20.0 -1.5" for label, box in objects
        ]
        written(root / "label_2" / f"{Path(file).stem}.txt", "\n".join([*lines, ""]))
    return root


def yolo_names(root: Path, scenes: Scenes = SCENES) -> Path:
    """`images` and `labels`, where each class is a name."""
    pictures(root / "images", scenes)
    for file, ((width, height), objects) in scenes.items():
        lines = [
            f"{label} {(x1 + x2) / 2 / width} {(y1 + y2) / 2 / height} {(x2 - x1) / width} {(y2 - y1) / height}"
            for label, (x1, y1, x2, y2) in objects
        ]
        written(root / "labels" / f"{Path(file).stem}.txt", "\n".join([*lines, ""]))
    return root


def toolkit(root: Path, scenes: Scenes = SCENES) -> Path:
    """As the Open Images toolkit downloads: `Label` below the images."""
    pictures(root, scenes)
    for file, (_, objects) in scenes.items():
        lines = [f"{label} {' '.join(map(str, box))}" for label, box in objects]
        written(root / "Label" / f"{Path(file).stem}.txt", "\n".join([*lines, ""]))
    return root


WRITERS: dict[str, Callable[[Path, Scenes], Path]] = {
    "labelme": labelme,
    "via": via,
    "cvat": cvat,
    "label-studio": label_studio,
    "createml": createml,
    "edge-impulse": edge_impulse,
    "hugging-face": hugging_face,
    "open-images": open_images,
    "makesense": makesense,
    "dota": dota,
    "kitti": kitti,
    "yolo-names": yolo_names,
    "open-images-toolkit": toolkit,
}
OBJECTS_ALONE = ("open-images", "makesense")  # formats that cannot say of an image that it has no objects
