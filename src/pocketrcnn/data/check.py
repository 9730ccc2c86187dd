"""Every fault of a user's data, with its file, object and reason; what is valid goes on. No torch here."""

from __future__ import annotations

import math
import os
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from ..config import Pages
from ..errors import UserError, shown
from .annotations import Annotations, Example, Fault, Object, Report, content_hash
from .class_names import Classes, class_notes, stripped
from .conventions import Asked, settled
from .copies import doubled, each_once, without_repetitions
from .images.notes import Counted, Note
from .images.opening import PageNotNamed
from .images.page_names import file_of, named_page
from .images.pixels import read_picture
from .kinds import GEOMETRY, UNCLEAR
from .meanings import listed
from .overview import summary

THREADS = 2  # that decode; Pillow computes outside of Python's lock
TOLERANCE = 1.0  # pixels that a box may extend beyond its image without a warning: rounding, or counting from 1
NEGATIVE_SIZE = "negative-size", "box has a negative width or height; its corners are exchanged"
INVERTED = "inverted", "box has its corners in the wrong order; they are exchanged"


@dataclass(frozen=True)
class Decoded:
    """Width and height, channels and bits of each, the file's hash, and notes; or the reason why the
    image cannot be used."""

    size: tuple[int, int] = (0, 0)
    kind: tuple[str, int] = ("", 0)
    digest: str = ""
    reason: str = ""
    notes: tuple[Note, ...] = ()


def inspect(annotations: Annotations, asked: Asked | None = None) -> Report:
    """Decode every image and check every object. Memory: two images at a time.

    asked: what the user says about the numbers of boxes, see `conventions`. Raises UserError where each page is an
    image of its own, and a file of several is named without one.
    """
    annotations = stripped(annotations)
    groups = list(by_file(annotations.examples).values())
    with ThreadPoolExecutor(THREADS) as pool:
        images = list(pool.map(partial(decode, pages=annotations.pages), (group[0].path for group in groups)))
    sizes = {one.path: image.size for group, image in zip(groups, images, strict=True) for one in group if image.digest}
    annotations, said = settled(annotations, sizes, asked or Asked())
    faults, unclear = [*annotations.faults, *said], any(fault.kind == UNCLEAR for fault in said)
    kept: list[Example] = []
    classes = Classes(annotations.classes)
    for group, image in zip(by_file(annotations.examples).values(), images, strict=True):
        distinct, repeated = without_repetitions(group)
        faults += [*repeated, *image_faults(distinct, image)]
        if not image.reason:
            objects, object_faults = valid_objects(distinct, image.size, classes, annotations.format)
            faults += [fault for fault in object_faults if not unclear or fault.kind not in GEOMETRY]
            kept.append(replace(distinct[0], objects=objects, size=image.size, digest=image.digest))
    once, copies = each_once(kept)
    clean = replace(annotations, examples=once, faults=())
    faults += [*copies, *image_notes(groups, images), *doubled(clean), *class_notes(clean)]
    kinds = {group[0].path: image.kind for group, image in zip(groups, images, strict=True)}
    return Report(clean, tuple(faults), summary(annotations, clean, faults, kinds))


def require_clear(report: Report) -> None:
    """Raises UserError where it is not clear what the numbers of boxes are, and so all boxes may be wrong."""
    for fault in report.faults:
        if fault.kind == UNCLEAR:
            raise UserError(str(fault))


def decode(path: Path, pages: Pages = "first") -> Decoded:
    """Decode one image and forget its pixels."""
    try:
        head, pixels, notes = read_picture(path, pages)
        height, width, _ = pixels.shape
        digest = content_hash(path)
        return Decoded((width, height), (head.colours, head.depth), digest, notes=notes)
    except PageNotNamed:
        raise
    except UserError as error:
        return Decoded(reason=str(error).removeprefix(f"{path} "))


def by_file(examples: Iterable[Example]) -> dict[tuple[str, str], list[Example]]:
    """Examples by image file and split."""
    groups: defaultdict[tuple[str, str], list[Example]] = defaultdict(list)
    for example in examples:
        file, number = named_page(example.path)
        groups[f"{os.path.realpath(file)}{number or ''}", example.split].append(example)
    return groups


def image_faults(group: Sequence[Example], image: Decoded) -> Iterator[Fault]:
    """What is wrong with the image itself. group: its annotations."""
    example, count = group[0], sum(len(one.objects) for one in group)
    if len(group) > 1:
        reason = f"is listed {len(group)} times; all its objects are kept"
        yield Fault("listed-twice", example.source or example.path, example.path.name, reason, drops=False)
    if image.reason:
        kind = "broken" if os.path.exists(file_of(example.path)) else "missing"
        lost = f"; its {count} objects are skipped" if count else ""
        tried = f" ({example.tried})" if example.tried else ""
        yield Fault(kind, example.path, "", image.reason + tried + lost, drops=True)
    elif example.size and example.size != image.size:
        (width, height), (real_width, real_height) = example.size, image.size
        rotated = " (rotated by its EXIF orientation?)" if (height, width) == image.size else ""
        reason = f"is {real_width}x{real_height}, its annotation says {width}x{height}{rotated}; its boxes are kept"
        yield Fault("size", example.path, "", reason, drops=False)


def image_notes(groups: Sequence[Sequence[Example]], images: Sequence[Decoded]) -> Iterator[Fault]:
    """The notes of all images, each kind once, with the number of images and the first of them."""
    counted = Counted()
    for group, image in zip(groups, images, strict=True):
        counted.add(group[0].path, image.notes)
    for path, note in counted.of("image"):
        yield Fault(note.kind, path, "", note.reason, drops=False)


def valid_objects(
    group: Sequence[Example], size: tuple[int, int], classes: Classes, form: str
) -> tuple[tuple[Object, ...], list[Fault]]:
    """The objects of one image that can be used, fixed where need be, and all faults.

    group: its annotations. classes, form: of the data."""
    valid: dict[tuple[object, str], Object] = {}
    faults = []
    for example, obj in ((one, obj) for one in group for obj in one.objects):
        fixed, problems = checked(obj, size, classes, form)
        if fixed and (fixed.box, fixed.name) in valid:
            fixed, problems = None, [*problems, ("duplicate", "has the same class and box as another object")]
        if fixed:
            valid[fixed.box, fixed.name] = fixed
        file, box = example.source or example.path, listed(obj)
        where = obj.where if file.stem == example.path.stem else f"{example.path.name}, {obj.where}"
        faults += [
            Fault(kind, file, where, f"{reason} ({shown(obj.name)} {box})", fixed is None) for kind, reason in problems
        ]
    return tuple(valid.values()), faults


def checked(
    obj: Object, size: tuple[int, int], classes: Classes, form: str
) -> tuple[Object | None, list[tuple[str, str]]]:
    """An object as it can be used, None where it cannot, and the kinds and reasons of what is wrong with it.

    size: width and height of the image. classes, form: of the data. Exchanged corners are put in order. What extends
    beyond the image is cut off, without a fault up to TOLERANCE.
    """
    if not all(map(math.isfinite, obj.box)):
        return None, [("not-finite", "box has a coordinate that is not finite")]
    if obj.name not in classes.known:
        return None, [("unknown-class", f"class `{shown(obj.name)}`{classes.meant(obj.name)} is not one of {classes}")]
    (x1, x2), (y1, y2), (width, height) = sorted(obj.box[::2]), sorted(obj.box[1::2]), size
    if x1 == x2 or y1 == y2:
        return None, [("zero-size", "box has no area")]
    if x2 <= 0 or y2 <= 0 or x1 >= width or y1 >= height:
        return None, [("outside", f"box is outside the image of {width}x{height}")]
    problems = []
    if obj.box != (x1, y1, x2, y2):
        sides = form in ("coco", "yolo")  # width and height in the file, in place of a second corner
        problems.append(NEGATIVE_SIZE if sides else INVERTED)
    beyond = max(-x1, -y1, x2 - width, y2 - height)
    if beyond > TOLERANCE:
        reason = f"box extends {beyond:.4g} pixels beyond the image of {width}x{height}; it is cut"
        problems.append(("clipped", reason))
    return replace(obj, box=(max(x1, 0.0), max(y1, 0.0), min(x2, float(width)), min(y2, float(height)))), problems
