"""Tiny data sets in the formats that are read and not written, as the programs of each write them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import datasets_on_disk as disk
from datasets_on_disk import SCENES, Scenes

BLANK = "background.png"


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


WRITERS: dict[str, Callable[[Path, Scenes], Path]] = {"labelme": labelme}
