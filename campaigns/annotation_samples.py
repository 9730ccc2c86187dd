"""A valid data set in every format of annotations that is read, as small texts: a new format is one more entry.

The same three images everywhere: a.png with a cat and a dog, b.png with a dog, c.png with nothing. Formats that
`pocketrcnn.data.formats.FORMATS` does not have take no part.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from PIL import Image

from pocketrcnn.data.formats import FORMATS

SIZES = {"a.png": (40, 30), "b.png": (64, 48), "c.png": (32, 32)}
OBJECTS = 3
Claims = Callable[[str], int]
"""How many objects a text names, counted in the simplest way. It may raise anything where the text is damaged."""


@dataclass(frozen=True)
class Sample:
    """A valid data set.

    format: as in FORMATS. texts: by path. images: folder of the images. claims: for the files that name objects.
    """

    format: str
    texts: dict[str, str]
    claims: Claims
    images: str = ""

    def write(self, root: Path) -> None:
        """All files."""
        for number, (name, size) in enumerate(SIZES.items()):
            path = root / self.images / name
            path.parent.mkdir(parents=True, exist_ok=True)
            image = Image.new("RGB", size, (40 * number, 90, 200))
            image.putpixel((3, 3), (255, 255, number))
            image.save(path)
        for name, text in self.texts.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text, encoding="utf-8")


def entries(*path: str) -> Claims:
    """The items of the lists at a path of keys, in JSON; `*` stands for every item or value."""

    def count(text: str) -> int:
        nodes: list[Any] = [json.loads(text)]
        for key in path:
            nodes = [inner for node in nodes for inner in (values(node) if key == "*" else [node[key]])]
        return sum(len(node) for node in nodes if isinstance(node, list | dict))

    return count


def values(node: Any) -> list[Any]:
    """The items of a list, or the values of an object."""
    return list(node.values()) if isinstance(node, dict) else list(node)


def json_lines(count: Claims) -> Claims:
    """The same of a file with one JSON text a line."""
    return lambda text: sum(count(line) for line in text.splitlines() if line.strip())


def elements(text: str) -> int:
    """Elements `object` of XML."""
    return sum(1 for _ in ElementTree.fromstring(text).iter("object"))


def lines(text: str) -> int:
    """Lines with something on them, without the notes of DOTA."""
    return sum(bool(line.strip()) and ":" not in line for line in text.removeprefix("\ufeff").split("\n"))


def rows(text: str) -> int:
    """Rows of a table that name an image and more, without the header."""
    table = csv.reader(text.splitlines()[1:], delimiter=max(",;\t", key=text.partition("\n")[0].count))
    return sum(sum(map(bool, cells)) > 3 for cells in table)


def rows_without_header(text: str) -> int:
    """The same of a table that has no header."""
    return rows(f"a,b\n{text}")


def voc(name: str, *objects: tuple[str, int, int, int, int]) -> str:
    """An XML file."""
    width, height = SIZES[name]
    inner = "".join(
        f"  <object>\n    <name>{label}</name>\n    <pose>Unspecified</pose>\n    <difficult>0</difficult>\n"
        f"    <bndbox><xmin>{a}</xmin><ymin>{b}</ymin><xmax>{c}</xmax><ymax>{d}</ymax></bndbox>\n  </object>\n"
        for label, a, b, c, d in objects
    )
    size = f"  <size><width>{width}</width><height>{height}</height><depth>3</depth></size>\n"
    return f"<annotation>\n  <filename>{name}</filename>\n{size}{inner}</annotation>\n"


def labelme(name: str, *objects: tuple[str, int, int, int, int]) -> str:
    """A JSON file of LabelMe."""
    shapes = [
        {"label": label, "points": [[a, b], [c, d]], "group_id": None, "shape_type": "rectangle", "flags": {}}
        for label, a, b, c, d in objects
    ]
    top = {"version": "5.4.1", "flags": {}, "shapes": shapes, "imagePath": name, "imageData": None}
    return json.dumps(top | dict(zip(("imageWidth", "imageHeight"), SIZES[name], strict=True)), indent=1)


def label_studio(name: str, *objects: tuple[str, int, int, int, int]) -> dict[str, Any]:
    """A task of Label Studio."""
    width, height = SIZES[name]
    results = [
        {
            "id": f"r{i}",
            "type": "rectanglelabels",
            "from_name": "label",
            "to_name": "image",
            "original_width": width,
            "original_height": height,
            "value": {
                "x": 100 * a / width,
                "y": 100 * b / height,
                "width": 100 * (c - a) / width,
                "height": 100 * (d - b) / height,
                "rotation": 0,
                "rectanglelabels": [label],
            },
        }
        for i, (label, a, b, c, d) in enumerate(objects)
    ]
    return {"id": 1, "data": {"image": f"/data/upload/1/{name}"}, "annotations": [{"id": 1, "result": results}]}


def boxes(name: str, *objects: tuple[str, int, int, int, int]) -> list[dict[str, Any]]:
    """Boxes with label, corner and sides."""
    return [{"label": label, "x": a, "y": b, "width": c - a, "height": d - b} for label, a, b, c, d in objects]


A = ("cat", 1, 2, 11, 22), ("dog", 5, 6, 20, 25)
B = (("dog", 2, 3, 50, 40),)
SCENES = {"a": A, "b": B, "c": ()}
FLAT = [(f"{stem}.png", *one) for stem, objects in SCENES.items() for one in objects]


def table(header: str, row: str) -> str:
    """A line for each object.

    The words of `row` are n (file), s (its name without ending), l (label), the corners a, b, c, d, the sides w, h,
    those of the image W, H, and the corners as fractions of these A, B, C, D.
    """
    made = []
    for n, label, a, b, c, d in FLAT:
        (W, H), corners = SIZES[n], {"a": a, "b": b, "c": c, "d": d}
        fractions = {"A": a / W, "B": b / H, "C": c / W, "D": d / H}
        made.append(row.format(n=n, s=n[:-4], l=label, w=c - a, h=d - b, W=W, H=H, **corners, **fractions))
    return "\n".join([header, *made] if header else made) + "\n"


def texts(folder: str, ending: str, row: str) -> dict[str, str]:
    """A text file for each image with objects."""
    whole = table("", "{s}|" + row).splitlines()
    return {
        f"{folder}{stem}{ending}": "".join(f"{one[2:]}\n" for one in whole if one.startswith(f"{stem}|"))
        for stem in ("a", "b")
    }


def yolo_row(n: str, one: tuple[str, int, int, int, int]) -> str:
    """A line of a label file."""
    label, a, b, c, d = one
    (width, height), number = SIZES[n], ("cat", "dog").index(label)
    return f"{number} {(a + c) / 2 / width} {(b + d) / 2 / height} {(c - a) / width} {(d - b) / height}\n"


YOLO = {f"{stem}.txt": "".join(yolo_row(f"{stem}.png", one) for one in objects) for stem, objects in SCENES.items()}
COCO = {
    "info": {"description": "three images"},
    "images": [{"id": 7 + i, "file_name": n, "width": w, "height": h} for i, (n, (w, h)) in enumerate(SIZES.items())],
    "categories": [{"id": 3, "name": "cat", "supercategory": "animal"}, {"id": 5, "name": "dog"}],
    "annotations": [
        {
            "id": i,
            "image_id": 7 + "abc".index(n[0]),
            "category_id": {"cat": 3, "dog": 5}[label],
            "bbox": [a, b, c - a, d - b],
            "area": (c - a) * (d - b),
            "iscrowd": 0,
        }
        for i, (n, label, a, b, c, d) in enumerate(FLAT, 1)
    ],
}
REGION = {"name": "rect"}
VIA = {
    f"{stem}.png5000": {
        "filename": f"{stem}.png",
        "size": 5000,
        "regions": [
            {
                "shape_attributes": REGION | {key: box[key] for key in ("x", "y", "width", "height")},
                "region_attributes": {"type": box["label"]},
            }
            for box in boxes(f"{stem}.png", *objects)
        ],
        "file_attributes": {},
    }
    for stem, objects in SCENES.items()
}
CREATEML = [
    {
        "image": f"{stem}.png",
        "annotations": [
            {"label": x, "coordinates": {"x": (a + c) / 2, "y": (b + d) / 2, "width": c - a, "height": d - b}}
            for x, a, b, c, d in objects
        ],
    }
    for stem, objects in SCENES.items()
]
EDGE = {
    "version": 1,
    "type": "bounding-box-labels",
    "boundingBoxes": {f"{stem}.png": boxes(f"{stem}.png", *objects) for stem, objects in SCENES.items()},
}
HUGGING_FACE = "".join(
    json.dumps(
        {
            "file_name": f"{stem}.png",
            "objects": {
                "bbox": [[a, b, c - a, d - b] for _, a, b, c, d in objects],
                "categories": [one[0] for one in objects],
            },
        }
    )
    + "\n"
    for stem, objects in SCENES.items()
)
CORNERS = "filename,width,height,class,xmin,ymin,xmax,ymax"
DATA_YAML = "path: .\ntrain: images\nnc: 2\nnames: [cat, dog]\n"
OPEN_IMAGES = "ImageID,Source,LabelName,Confidence,XMin,XMax,YMin,YMax"
KITTI = "{l} 0.00 0 -1.57 {a}.00 {b}.00 {c}.00 {d}.00 1.5 1.6 3.8 1.0 1.5 20.0 -1.5"

SAMPLES = (
    Sample("coco", {"_annotations.coco.json": json.dumps(COCO, indent=1)}, entries("annotations")),
    Sample("coco", {"annotations/instances_train.json": json.dumps(COCO)}, entries("annotations"), "images"),
    Sample("voc", {f"Annotations/{s}.xml": voc(f"{s}.png", *o) for s, o in SCENES.items()}, elements, "JPEGImages"),
    Sample("voc", {f"{s}.xml": voc(f"{s}.png", *o) for s, o in SCENES.items()}, elements),
    Sample("yolo", {"data.yaml": DATA_YAML} | {f"labels/{n}": t for n, t in YOLO.items()}, lines, "images"),
    Sample("yolo", {"classes.txt": "cat\ndog\n"} | {n: t for n, t in YOLO.items() if t}, lines),
    Sample("csv", {"boxes.csv": table(CORNERS, "{n},{W},{H},{l},{a},{b},{c},{d}")}, rows),
    Sample("csv", {"boxes.csv": table("image;label;x;y;w;h", "{n};{l};{a};{b};{w};{h}")}, rows),
    Sample("labelme", {f"{s}.json": labelme(f"{s}.png", *o) for s, o in SCENES.items()}, entries("shapes")),
    Sample("via", {"via_region_data.json": json.dumps(VIA)}, entries("*", "regions")),
    Sample("createml", {"_annotations.createml.json": json.dumps(CREATEML)}, entries("*", "annotations")),
    Sample("edge-impulse", {"bounding_boxes.labels": json.dumps(EDGE)}, entries("boundingBoxes", "*")),
    Sample("hugging-face", {"train/metadata.jsonl": HUGGING_FACE}, json_lines(entries("objects", "bbox")), "train"),
    Sample(
        "label-studio",
        {"project.json": json.dumps([label_studio(f"{s}.png", *o) for s, o in SCENES.items()])},
        entries("*", "annotations", "*", "result"),
    ),
    Sample(
        "makesense",
        {"labels_x_2024-05-01-10-11-12.csv": table("", "{l},{a},{b},{w},{h},{n},{W},{H}")},
        rows_without_header,
    ),
    Sample(
        "dota", texts("labelTxt/", ".txt", "{a}.0 {b}.0 {c}.0 {b}.0 {c}.0 {d}.0 {a}.0 {d}.0 {l} 0"), lines, "images"
    ),
    Sample("open-images", {"train-annotations-bbox.csv": table(OPEN_IMAGES, "{s},xclick,{l},1,{A},{C},{B},{D}")}, rows),
    Sample(
        "open-images-toolkit",
        texts("train/Cat/Label/", ".txt", "{l} {a}.0 {b}.0 {c}.0 {d}.0"),
        lines,
        "train/Cat",
    ),
    Sample("kitti", texts("label_2/", ".txt", KITTI), lines, "image_2"),
)


def samples() -> Iterator[Sample]:
    """Those of the formats that are read."""
    yield from (sample for sample in SAMPLES if sample.format in FORMATS)
