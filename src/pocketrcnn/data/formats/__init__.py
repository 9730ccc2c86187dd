"""People's own data sets in the formats that they have: COCO, Pascal VOC, YOLO and CSV, told apart by content.

Readers hand on what the files say, faulty boxes too: `pocketrcnn.data.check` judges. What cannot be understood at all
becomes a fault, and the rest is read. No torch here.
"""

from __future__ import annotations

import difflib
from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from ...errors import UserError
from ..annotations import Annotations, Fault
from ..files import new_folder
from ..overview import counted
from . import coco, tables, voc, yolo
from .finding import files
from .writing import write_text

FORMATS = {"coco": coco, "voc": voc, "yolo": yolo, "csv": tables}
WRITERS = {"coco": coco.write, "voc": voc.write, "yolo": yolo.write}
LOOKED_FOR = "COCO JSON, Pascal VOC XML, YOLO labels, CSV with a header"


def read(path: Path, voc_origin: int = 0) -> Annotations:
    """The data set in a folder, or that a file (JSON, data.yaml, CSV, XML) describes.

    `voc_origin`: 1 where VOC boxes count pixels from 1. Where several formats lie in one folder, the first of
    COCO, VOC, YOLO, CSV is read, and a note says so. Images without split among others with one are for training.
    Folders in it that `predict` wrote are left alone, with a note.
    Raises UserError when there is no such path, nothing in it, or no annotations that are known here.
    """
    if not path.exists():
        raise UserError(f"{path} does not exist{nearby(path)}: name a folder with images and their annotations")
    try:
        known = [name for name, module in FORMATS.items() if module.found(path)]
        if not known:
            raise UserError(unknown(path))
        found = voc.read(path, voc_origin) if known[0] == "voc" else FORMATS[known[0]].read(path)
        notes = (*others(path, known), *predictions(path))
    except OSError as error:
        raise UserError(f"{error.filename or path} cannot be read ({error.strerror}): mend or remove it") from error
    return with_all_splits(replace(found, faults=found.faults + notes))


def write(annotations: Annotations, out: Path, kind: str, notes: Mapping[str, str] | None = None) -> None:
    """A data set that `check` calls clean as `coco`, `voc` or `yolo` in a new folder, images byte by byte.

    `notes`: further text files, by name. Raises UserError when there is nothing to write, or when `out` is not empty,
    lies inside the data, or cannot be written.
    """
    if not annotations.examples:
        raise UserError(f"{annotations.root} has no sound image: there is nothing to write to {out}")
    with new_folder(out, annotations.root) as folder:
        WRITERS[kind](annotations, folder)
        for name, text in (notes or {}).items():
            write_text(folder / name, text)


def nearby(path: Path) -> str:
    """` (did you mean `x`?)` with the name beside it that is nearest, if any is near."""
    names = [file.name for file in path.parent.iterdir()] if path.parent.is_dir() else []
    found = difflib.get_close_matches(path.name, names, n=1, cutoff=0.5)
    return f" (did you mean `{path.parent / found[0]}`?)" if found else ""


def unknown(path: Path) -> str:
    """What to say about a path in which no format was recognised."""
    left: list[Path] = []
    kinds = Counter(file.suffix.lower() or file.name for file in (files(path, left) if path.is_dir() else [path]))
    if not kinds:
        what = "holds predictions alone" if left else "is empty"
        return f"{path} {what}: name a folder with images and their annotations"
    inside = ", ".join(f"{count} {kind}" for kind, count in kinds.most_common(4))
    return f"{path} holds no annotations (looked for {LOOKED_FOR}; found {inside}): name the folder that holds them"


def others(path: Path, known: list[str]) -> tuple[Fault, ...]:
    """A note about formats that are there and not read."""
    reason = f"holds annotations as {' and as '.join(known)}; those as {known[0]} are read"
    return (Fault("several-formats", path, "", reason, drops=False),) if len(known) > 1 else ()


def predictions(path: Path) -> tuple[Fault, ...]:
    """A note about folders of predictions that are there and not read."""
    left: list[Path] = []
    deque(files(path if path.is_dir() else path.parent, left), maxlen=0)
    if not left:
        return ()
    reason = f"{counted(len(left), 'folder')} of predictions left alone (the first: {left[0]})"
    return (Fault("predictions", path, "", reason, drops=False),)


def with_all_splits(found: Annotations) -> Annotations:
    """Either all examples have a split or none has: where only some have, the others are for training."""
    bare = found.split("")
    if not bare or len(bare) == len(found.examples):
        return found
    examples = tuple(replace(example, split=example.split or "train") for example in found.examples)
    reason = f"{len(bare)} images are in no split (the first: {bare[0].path.name}): they are used for training"
    fault = Fault("no-split", found.root, "", reason, drops=False)
    return replace(found, examples=examples, faults=(*found.faults, fault))
