"""Tiny data sets written as other programs write them: COCO, VOC, YOLO and CSV, without the project's own writers."""

from __future__ import annotations

import json
from pathlib import Path

from PIL import Image

Boxes = list[tuple[str, tuple[float, float, float, float]]]
Scenes = dict[str, tuple[tuple[int, int], Boxes]]

SCENES: Scenes = {  # by file name: size, objects
    "a b.png": ((40, 30), [("cat", (1, 2, 11, 22)), ("dog", (5.5, 6.25, 20, 25))]),
    "ёжик-日本.PNG": ((64, 48), [("dog", (0, 0, 64, 48))]),
    "empty.png": ((32, 32), []),
}
CLASSES = ["cat", "dog"]


def picture(path: Path, size: tuple[int, int] = (32, 24)) -> Path:
    """An image whose content follows from its name and size."""
    path.parent.mkdir(parents=True, exist_ok=True)
    shade = sum(map(ord, path.name)) % 251
    Image.new("RGB", size, (shade, len(path.name) % 256, sum(size) % 256)).save(path, "PNG")
    return path


def coco(root: Path, scenes: Scenes = SCENES, images: str = "", name: str = "_annotations.coco.json") -> Path:
    """One JSON with ids that have gaps, and images in the folder `images` beside it."""
    ids = {"cat": 3, "dog": 17, **{f"class {i}": 100 + i for i in range(10)}}
    records, annotations = [], []
    for file, (size, objects) in scenes.items():
        picture(root / images / file, size)
        records.append({"id": 10 * len(records), "file_name": file, "width": size[0], "height": size[1]})
        for label, (x1, y1, x2, y2) in objects:
            annotation = {"id": len(annotations) + 1, "image_id": records[-1]["id"], "category_id": ids[label]}
            annotations.append(annotation | {"bbox": [x1, y1, x2 - x1, y2 - y1], "iscrowd": 0})
    used = {label for _, objects in scenes.values() for label, _ in objects} | set(CLASSES)
    categories = [{"id": ids[label], "name": label} for label in sorted(used)]
    write_json(root / name, {"images": records, "annotations": annotations, "categories": categories})
    return root


def write_json(path: Path, content: object) -> Path:
    """As a program that knows nothing of UTF-8 would write it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))
    return path


def change_coco(root: Path, name: str = "_annotations.coco.json", **lists: object) -> None:
    """Add records to the lists of a COCO file."""
    content = json.loads((root / name).read_text())
    for key, records in lists.items():
        content[key] += records
    write_json(root / name, content)


def voc(root: Path, scenes: Scenes = SCENES, folders: bool = True) -> Path:
    """One XML an image, with paths of another machine in it; in folders, or beside the images."""
    for file, (size, objects) in scenes.items():
        picture(root / ("JPEGImages" if folders else "") / file, size)
        inner = "".join(
            f"<object><name>{label}</name><difficult>0</difficult><bndbox><xmin>{x1}</xmin><ymin>{y1}</ymin>"
            f"<xmax>{x2}</xmax><ymax>{y2}</ymax></bndbox></object>"
            for label, (x1, y1, x2, y2) in objects
        )
        head = f"<folder>elsewhere</folder><filename>{file}</filename><path>C:\\pictures\\{file}</path>"
        size_text = f"<size><width>{size[0]}</width><height>{size[1]}</height><depth>3</depth></size>"
        xml = root / ("Annotations" if folders else "") / f"{Path(file).stem}.xml"
        xml.parent.mkdir(parents=True, exist_ok=True)
        xml.write_text(f"<annotation>{head}{size_text}{inner}</annotation>", encoding="utf-8")
    return root


def voc_lists(root: Path, **splits: list[str]) -> Path:
    """ImageSets/Main with Windows line ends."""
    folder = root / "ImageSets" / "Main"
    folder.mkdir(parents=True, exist_ok=True)
    for split, names in splits.items():
        (folder / f"{split}.txt").write_bytes("\r\n".join([*names, ""]).encode())
    return root


def yolo(root: Path, scenes: Scenes = SCENES, images: str = "images", labels: str = "labels") -> Path:
    """Images and labels in folders, empty files where there are no objects. Byte order mark and Windows line ends."""
    for file, (size, objects) in scenes.items():
        picture(root / images / file, size)
        lines = [
            f"{CLASSES.index(label)} {(x1 + x2) / 2 / size[0]} {(y1 + y2) / 2 / size[1]} "
            f"{(x2 - x1) / size[0]} {(y2 - y1) / size[1]}"
            for label, (x1, y1, x2, y2) in objects
        ]
        label_file = root / labels / f"{Path(file).stem}.txt"
        label_file.parent.mkdir(parents=True, exist_ok=True)
        label_file.write_bytes("\r\n".join([*lines, ""]).encode("utf-8-sig") if lines else b"")
    return root


def yolo_names(root: Path, text: str = "names: [cat, dog]\n") -> Path:
    """data.yaml"""
    root.mkdir(parents=True, exist_ok=True)
    (root / "data.yaml").write_text(text)
    return root


def table(root: Path, scenes: Scenes = SCENES, header: str = "filename,width,height,class,xmin,ymin,xmax,ymax") -> Path:
    """One CSV; a row with empty cells for an image without objects."""
    rows = [header]
    for file, (size, objects) in scenes.items():
        picture(root / file, size)
        for label, box in objects or [("", ("", "", "", ""))]:
            rows.append(",".join(map(str, (file, *size, label, *box))))
    (root / "boxes.csv").write_text("\n".join(rows), encoding="utf-8")
    return root
