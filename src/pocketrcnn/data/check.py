"""What is wrong with a user's data: every fault with its file, object and reason.

Valid images and objects go on, with real image sizes. Faults are reported, and fixed where the meaning is plain. No
torch here.
"""

import hashlib
import math
import os
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from ..errors import UserError, nearest
from .annotations import SPLITS, Annotations, Example, Fault, Object, Report
from .images.pixels import read_both
from .overview import objects_of, summary

THREADS = 2  # that decode; Pillow computes outside of Python's lock
TOLERANCE = 1.0  # pixels that a box may extend beyond its image without a warning: rounding, or counting from 1
KEEPERS = ("test", "train", "val", "")  # of an image in two splits, the first of these keeps it: tests stay honest


@dataclass(frozen=True)
class Decoded:
    """An image that was decoded: width and height, channels and bits of each, a hash of the file, or why it cannot be
    used."""

    size: tuple[int, int] = (0, 0)
    kind: tuple[str, int] = ("", 0)
    digest: str = ""
    reason: str = ""


def inspect(annotations: Annotations) -> Report:
    """Decode every image and check every object. Memory: two images at a time."""
    groups = list(by_file(annotations.examples).values())
    examples = [merged(group) for group in groups]
    with ThreadPoolExecutor(THREADS) as pool:
        images = list(pool.map(decode, (example.path for example in examples)))
    faults = [*annotations.faults, *listed_twice(groups)]
    kept: list[Example] = []
    for example, group, image in zip(examples, groups, images, strict=True):
        faults += image_faults(example, image)
        if not image.reason:
            objects, object_faults = valid_objects(group, image.size, annotations)
            faults += object_faults
            kept.append(replace(example, objects=objects, size=image.size, digest=image.digest))
    distinct, copies = each_once(kept)
    clean = replace(annotations, examples=distinct, faults=())
    faults += [*copies, *fractions(annotations, clean), *class_notes(clean)]
    kinds = {example.path: image.kind for example, image in zip(examples, images, strict=True)}
    return Report(clean, tuple(faults), summary(annotations, clean, faults, kinds))


def decode(path: Path) -> Decoded:
    """Decode one image and forget its pixels."""
    try:
        head, pixels = read_both(path)
        height, width, _ = pixels.shape
        kind = head.colours, head.depth
        return Decoded((width, height), kind, hashlib.blake2b(path.read_bytes(), digest_size=16).hexdigest())
    except UserError as error:
        return Decoded(reason=str(error).removeprefix(f"{path} "))


def merged(group: Sequence[Example]) -> Example:
    """The examples of one file and split put together."""
    return replace(group[0], objects=tuple(obj for example in group for obj in example.objects))


def by_file(examples: Iterable[Example]) -> dict[tuple[str, str], list[Example]]:
    """Examples by image file and split."""
    groups: defaultdict[tuple[str, str], list[Example]] = defaultdict(list)
    for example in examples:
        groups[os.path.realpath(example.path), example.split].append(example)
    return groups


def listed_twice(groups: Iterable[Sequence[Example]]) -> Iterator[Fault]:
    """Images that are named more than once. groups: the examples of each file and split."""
    for group in groups:
        if len(group) > 1:
            reason = f"is listed {len(group)} times; all its objects are kept"
            yield Fault("listed-twice", group[0].source or group[0].path, group[0].path.name, reason, drops=False)


def image_faults(example: Example, image: Decoded) -> Iterator[Fault]:
    """What is wrong with the image itself."""
    if image.reason:
        kind = "broken" if os.path.exists(example.path) else "missing"
        lost = f"; its {len(example.objects)} objects are skipped" if example.objects else ""
        yield Fault(kind, example.path, "", image.reason + lost, drops=True)
    elif example.size and example.size != image.size:
        (width, height), (real_width, real_height) = example.size, image.size
        rotated = " (rotated by its EXIF orientation?)" if (height, width) == image.size else ""
        reason = f"is {real_width}x{real_height}, its annotation says {width}x{height}{rotated}; its boxes are kept"
        yield Fault("size", example.path, "", reason, drops=False)


def valid_objects(
    group: Sequence[Example], size: tuple[int, int], annotations: Annotations
) -> tuple[tuple[Object, ...], list[Fault]]:
    """The objects of one image that can be used, fixed where need be, and what is wrong with the others.

    group: what the annotations say of this image.
    """
    valid: dict[tuple[object, str], Object] = {}
    faults = []
    for example, obj in ((one, obj) for one in group for obj in one.objects):
        fixed, problems = checked(obj, size, annotations)
        if fixed and (fixed.box, fixed.name) in valid:
            fixed, problems = None, [*problems, ("duplicate", "has the same class and box as another object")]
        if fixed:
            valid[fixed.box, fixed.name] = fixed
        file = example.source or example.path
        where = obj.where if file.stem == example.path.stem else f"{example.path.name}, {obj.where}"
        faults += [Fault(kind, file, where, f"{reason} ({shown(obj)})", fixed is None) for kind, reason in problems]
    return tuple(valid.values()), faults


Size = tuple[int, int]
Problem = tuple[str, str]  # kind and reason
Outcome = tuple[Object | None, str, str] | None
"""What a rule says: nothing, or the object as it can be used (None: not at all), the kind of fault and its reason."""


def checked(obj: Object, size: Size, annotations: Annotations) -> tuple[Object | None, list[Problem]]:
    """An object as it can be used, or None, and what is wrong with it, by the RULES one after the other.

    size: width and height of the image.
    """
    problems: list[Problem] = []
    for rule in RULES:
        if outcome := rule(obj, size, annotations):
            fixed, kind, reason = outcome
            if fixed is None:
                return None, [(kind, reason)]
            obj, problems = fixed, problems + [(kind, reason)] * bool(kind)
    return obj, problems


def finite(obj: Object, size: Size, annotations: Annotations) -> Outcome:
    """Coordinates are numbers."""
    return None if all(map(math.isfinite, obj.box)) else (None, "not-finite", "box has a coordinate that is not finite")


def known_class(obj: Object, size: Size, annotations: Annotations) -> Outcome:
    """Classes are those of the data set."""
    if obj.name in annotations.classes:
        return None
    meant, known = nearest(obj.name, annotations.classes), ", ".join(annotations.classes[:10])
    return None, "unknown-class", f"class `{obj.name}`{meant} is not one of {known}"


def with_area(obj: Object, size: Size, annotations: Annotations) -> Outcome:
    """Boxes have an area."""
    x1, y1, x2, y2 = obj.box
    return (None, "zero-size", "box has no area") if x1 == x2 or y1 == y2 else None


def in_order(obj: Object, size: Size, annotations: Annotations) -> Outcome:
    """The first corner is the upper left one; otherwise corners are exchanged."""
    x1, y1, x2, y2 = obj.box
    if x1 < x2 and y1 < y2:
        return None
    fixed = replace(obj, box=(min(x1, x2), min(y1, y2), max(x1, x2), max(y1, y2)))
    if annotations.format in ("coco", "yolo"):
        return fixed, "negative-size", "box has a negative width or height; its corners are exchanged"
    return fixed, "inverted", "box has its corners in the wrong order; they are exchanged"


def inside(obj: Object, size: Size, annotations: Annotations) -> Outcome:
    """Boxes are in their image. What extends beyond it is cut off, without a word up to TOLERANCE."""
    (x1, y1, x2, y2), (width, height) = obj.box, size
    if x2 <= 0 or y2 <= 0 or x1 >= width or y1 >= height:
        return None, "outside", f"box is outside the image of {width}x{height}"
    beyond = max(-x1, -y1, x2 - width, y2 - height)
    fixed = replace(obj, box=(max(x1, 0.0), max(y1, 0.0), min(x2, float(width)), min(y2, float(height))))
    if beyond <= TOLERANCE:
        return fixed, "", ""
    return fixed, "clipped", f"box extends {beyond:.4g} pixels beyond the image of {width}x{height}; it is cut"


RULES = (finite, known_class, with_area, in_order, inside)


def shown(obj: Object) -> str:
    """Class and box of an object, for messages."""
    return f"{obj.name} {', '.join(f'{value:.6g}' for value in obj.box)}"


def each_once(examples: Sequence[Example]) -> tuple[tuple[Example, ...], list[Fault]]:
    """Every image in one split only, and what is wrong with the others.

    Copies within training, validation or test images stay, with a warning; where there are no splits yet they are
    skipped, as two splits might get them.
    """
    groups: defaultdict[str, list[Example]] = defaultdict(list)
    for example in examples:
        groups[example.digest].append(example)
    faults, skipped = [], set()
    for group in groups.values():
        keeper = min(group, key=lambda example: KEEPERS.index(example.split))
        for other in (example for example in group if example is not keeper):
            fault = copy_fault(other, keeper)
            faults.append(fault)
            if fault.drops:
                skipped.add(id(other))
    return tuple(example for example in examples if id(example) not in skipped), faults


def copy_fault(other: Example, keeper: Example) -> Fault:
    """What is wrong with an image whose content another one has that is kept."""
    if other.split != keeper.split:
        reason = f"is in {other.split} and in {keeper.split} (as {keeper.path}); it is skipped in {other.split}"
        return Fault("two-splits", other.path, "", reason, drops=True)
    kept = "both are kept" if keeper.split else "it is skipped"
    return Fault("copy", other.path, "", f"has the same content as {keeper.path}; {kept}", drops=not keeper.split)


def fractions(annotations: Annotations, clean: Annotations) -> Iterator[Fault]:
    """A warning where no box extends beyond the first pixel of its image: these are no pixels. YOLO's never are."""
    sides = (value for example in annotations.examples for obj in example.objects for value in obj.box)
    larger = any(max(example.size or (0, 0)) > 1 for example in clean.examples if example.objects)
    if annotations.format != "yolo" and larger and all(0 <= value <= 1 for value in sides):
        reason = "all boxes are between 0 and 1, as fractions of the image: multiply them by its sides"
        yield Fault("fractions", annotations.root, "", reason, drops=False)


def class_notes(clean: Annotations) -> Iterator[Fault]:
    """Classes that cannot be learned, and splits that are missing."""
    has_splits = any(example.split for example in clean.examples)
    training = clean.split("train") if has_splits else clean.examples
    if has_splits and not training:
        there = ", ".join(split for split in SPLITS if clean.split(split))
        reason = f"has images for {there}, but none for training"
        yield Fault("no-training-images", clean.root, "", reason, drops=False)
        return
    used = {obj.name for example in training for obj in objects_of(example)}
    for name in clean.classes:
        if name not in used:
            reason = f"class `{name}` has no objects{' in training' if has_splits else ''}: it cannot be learned"
            yield Fault("class-without-examples", clean.root, "", reason, drops=False)
