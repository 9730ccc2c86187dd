"""What is known of an image, as it stands in a part, which other programs read, too: JSON lines, or rows of Parquet.

    {"image": "a.png", "width": 64, "height": 48, "boxes": [[8.0, 4.0, 24.0, 20.0]], "scores": [0.75], "classes": ["x"]}
    {"image": "b.png", "skipped": "b.png is empty: replace or remove it"}

Numbers are written so that they come back exactly. No torch here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import IO, Any, Literal, NamedTuple

import numpy as np

from ...data.images.notes import Note
from ...errors import UserError
from ...model.interchange import Detections
from . import json_lines, parquet
from .plan import Plan

AGAIN = "remove it, and the same `predict` makes it again"


class Form(NamedTuple):
    """How parts of a format are opened, written and read, and what an image of them is called."""

    mode: Literal["w", "wb"]
    writing: Callable[[IO[Any], Plan], AbstractContextManager[Callable[[dict[str, Any]], None]]]
    reading: Callable[[Path], Iterator[Any]]
    unit: str


FORMS = {
    "jsonl": Form("w", json_lines.writing, json_lines.reading, "line"),
    "parquet": Form("wb", parquet.writing, parquet.reading, "row"),
}


class Record(NamedTuple):
    """An image by its name, its width and height, and the detections in its pixels.

    notes: what was read otherwise than its owner may think. skipped: why it has no results; empty where it has.
    """

    name: str
    size: tuple[int, int] = (0, 0)
    detections: Detections | None = None
    notes: tuple[Note, ...] = ()
    skipped: str = ""

    def content(self, classes: Sequence[str]) -> dict[str, Any]:
        """As plain values."""
        if self.detections is None:
            return {"image": self.name, "skipped": self.skipped}
        width, height = self.size
        rows = self.detections.rows()
        content: dict[str, Any] = {
            "image": self.name,
            "width": width,
            "height": height,
            "boxes": [box for box, _, _ in rows],
            "scores": [score for _, score, _ in rows],
            "classes": [classes[label] for _, _, label in rows],
        }
        return content | ({"notes": self.notes} if self.notes else {})


def records_of(part: Path, plan: Plan) -> Iterator[Record]:
    """The images of a part, one after the other. Raises UserError where the file is damaged."""
    labels = {name: label for label, name in enumerate(plan.classes)}
    form, done = FORMS[plan.part_format], 0
    try:
        for content in form.reading(part):
            yield record_of(content, labels)
            done += 1
    except (OSError, ValueError, KeyError, TypeError) as error:
        reason = f"no {error}" if isinstance(error, KeyError) else error
        raise UserError(f"{part} is damaged ({form.unit} {done + 1}: {reason}): {AGAIN}") from error


def record_of(content: Any, labels: dict[str, int]) -> Record:
    """The image of plain values. Raises ValueError, KeyError or TypeError where these are none."""
    if "skipped" in content:
        return Record(str(content["image"]), skipped=str(content["skipped"]))
    width, height = content["width"], content["height"]
    scores = np.array(content["scores"], np.float64)
    boxes = np.array(content["boxes"], np.float64).reshape(len(scores), 4)
    found = np.array([labels[name] for name in content["classes"]], np.int64)
    if not (found.shape == scores.shape and width > 0 and height > 0 and np.isfinite(boxes).all()):
        raise ValueError("boxes, scores, classes or sizes that cannot be")
    notes = tuple(Note(kind, reason) for kind, reason in content.get("notes", ()))
    return Record(str(content["image"]), (int(width), int(height)), Detections(boxes, scores, found), notes)
