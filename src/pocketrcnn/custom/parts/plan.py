"""What all parts of a prediction have in common: plan.json of its folder, written once. No torch here.

Whoever goes on there, now or later, on this machine or another, compares what it would do with what is written.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args, get_type_hints

from ...data.files import LOCK, locked, write_atomically
from ...data.json_text import decoded
from ...data.listing import PLAN
from ...errors import UserError, shown
from ...version import __version__
from ..options import PartFormat
from ..predict import names_in

PARTS = "parts"  # the folder
PART_SIZE, FEWEST = 2000, 32  # images of a part; parts, where there are images enough


@dataclass(frozen=True)
class Plan:
    """What decides the content of the parts, and how they are cut.

    detector: its file. fingerprint: of all that decides what it detects. side, overlap: of its input. images:
    their number. names: the hash of their names in order. part_size: images of each part but the last. part_format:
    `jsonl` or `parquet`.
    """

    version: str
    detector: str
    fingerprint: str
    classes: list[str]
    side: int
    overlap: int
    threshold: float
    pages: str
    batch: int
    pixel_size: float | None
    pictures: bool
    save_crops: bool
    images: int
    names: str
    part_size: int
    part_format: str

    @property
    def parts(self) -> int:
        """How many there are."""
        return -(-self.images // self.part_size)

    def images_of(self, part: int) -> slice:
        """Which images are in a part."""
        return slice(part * self.part_size, min((part + 1) * self.part_size, self.images))


def usual_part_size(images: int, batch: int) -> int:
    """Images of a part: a multiple of the batch, so that batches are those of a call without parts."""
    return -(-min(PART_SIZE, max(1, images // FEWEST)) // batch) * batch


def part_file(folder: Path, plan: Plan, part: int) -> Path:
    """Where a part is, counted from 0."""
    return folder / PARTS / f"part-{part:06d}.{plan.part_format}"


def agreed(folder: Path, plan: Plan, sized: bool) -> Plan:
    """The plan of a folder, which is written where there is none. sized: whether the size of parts was asked for, or is
    that of the plan that is there.

    Raises UserError where another one is there, and says what differs; where there is something else; where nothing can
    be written.
    """
    if not (folder / PLAN).is_file():
        if folder.is_file():
            raise UserError(f"{folder} is a file: name a new folder with --out")
        require_new(folder)
        with locked(folder / LOCK, wait=-1):
            if not (folder / PLAN).is_file():  # another program may have been faster
                require_new(folder)
                write_atomically(folder / PLAN, (json.dumps(dataclasses.asdict(plan), indent=1) + "\n").encode())
    there = read_plan(folder)
    require_same(folder, there, plan if sized else dataclasses.replace(plan, part_size=there.part_size))
    return there


def require_new(folder: Path) -> None:
    """Raises UserError where a folder without a plan holds something besides its lock and what is not finished."""
    names = names_in(folder)
    if names and PLAN not in names:
        raise UserError(f"{folder} is not empty, and holds no parts: name an empty or a new folder with --out")


def read_plan(folder: Path) -> Plan:
    """The plan of a folder. Raises UserError where there is none, or it is damaged."""
    path = folder / PLAN
    try:
        content = decoded(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        raise UserError(f"{folder} holds no parts: name the --out of `predict` with --part-size, or another") from None
    except (OSError, ValueError) as error:
        raise UserError(f"{path} cannot be read ({error}): restore it, or predict into another folder") from error
    if not is_plan(content):
        raise UserError(f"{path} is damaged, or of another version: restore it, or predict into another folder")
    return Plan(**content)


def is_plan(content: Any) -> bool:
    """Whether a JSON value has the fields of a plan, of their types, and none is impossible."""
    kinds = get_type_hints(Plan) | {"classes": list, "threshold": float | int, "pixel_size": float | int | None}
    return (
        isinstance(content, dict)
        and content.keys() == kinds.keys()
        and all(isinstance(content[name], kind) for name, kind in kinds.items())
        and all(isinstance(name, str) for name in content["classes"])
        and content["part_size"] > 0 <= content["images"]
        and content["part_format"] in get_args(PartFormat)
    )


def require_same(folder: Path, there: Plan, here: Plan) -> None:
    """Raises UserError where two plans differ, with the first difference."""
    for was, now in differences(there, here):
        remedy = "repeat what made them, or name another folder with --out"
        raise UserError(f"{folder} holds parts {was}, and this would be {now}: {remedy}")


def differences(there: Plan, here: Plan) -> Iterator[tuple[str, str]]:
    """What differs between two plans, in words: of the one that is there, and of this one."""
    if there.version != here.version:
        yield f"made by pocketrcnn {there.version}", here.version
    if there.fingerprint != here.fingerprint:
        was, now = (f"{shown(plan.detector)} ({plan.fingerprint[:8]})" for plan in (there, here))
        yield f"made by the detector {was}", now
    for name in ("threshold", "pages", "batch", "pixel_size", "pictures", "save_crops", "part_format"):
        was, now = getattr(there, name), getattr(here, name)
        if was != now:
            option = f"--{name.replace('_', '-')}"
            yield f"made with {option} {in_words(was)}", f"with {option} {in_words(now)}"
    if there.images != here.images:
        yield f"of {there.images:,} images", f"of {here.images:,}"
    if there.names != here.names:
        yield f"of images with other names (hash {there.names[:8]})", f"of those with hash {here.names[:8]}"
    if there.part_size != here.part_size:
        yield f"of {there.part_size:,} images each", f"of {here.part_size:,} (--part-size)"


def in_words(value: object) -> str:
    """The value of an option."""
    return "off" if value in (None, False) else "on" if value is True else str(value)


def planned(**decided: Any) -> Plan:
    """A plan of this version."""
    return Plan(version=__version__, **decided)
