"""Judging people's own data before anything is trusted: every fault with its file, object and reason. No torch here.

Whatever is sound goes on, with real image sizes; whatever is not is reported, and mended where what was meant is plain.
"""

from __future__ import annotations

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
TOLERANCE = 1.0  # pixels that a box may stand out of its image without a word: rounding, or counting from 1
KEEPERS = ("test", "train", "val", "")  # of an image in two splits, the first of these keeps it: tests stay honest


@dataclass(frozen=True)
class Look:
    """An image that was decoded: width and height, channels and bits of each, a hash of the file, or why it cannot be
    used."""

    size: tuple[int, int] = (0, 0)
    kind: tuple[str, int] = ("", 0)
    digest: str = ""
    reason: str = ""


def inspect(annotations: Annotations) -> Report:
    """Decode every image and judge every object. Memory: two images at a time."""
    groups = list(by_file(annotations.examples).values())
    examples = [merged(group) for group in groups]
    with ThreadPoolExecutor(THREADS) as pool:
        looks = list(pool.map(look, (example.path for example in examples)))
    faults = [*annotations.faults, *listed_twice(groups)]
    kept: list[Example] = []
    for example, group, seen in zip(examples, groups, looks, strict=True):
        faults += image_faults(example, seen)
        if not seen.reason:
            objects = tuple(sound_objects(group, seen.size, annotations, faults))
            kept.append(replace(example, objects=objects, size=seen.size, digest=seen.digest))
    clean = replace(annotations, examples=tuple(each_once(kept, faults)), faults=())
    faults += [*fractions(annotations, clean), *class_notes(clean)]
    kinds = {example.path: seen.kind for example, seen in zip(examples, looks, strict=True)}
    return Report(clean, tuple(faults), summary(annotations, clean, faults, kinds))


def look(path: Path) -> Look:
    """Decode one image and forget its pixels."""
    try:
        head, pixels = read_both(path)
        height, width, _ = pixels.shape
        kind = head.colours, head.depth
        return Look((width, height), kind, hashlib.blake2b(path.read_bytes(), digest_size=16).hexdigest())
    except UserError as error:
        return Look(reason=str(error).removeprefix(f"{path} "))


def merged(group: Sequence[Example]) -> Example:
    """The examples of one file and split put together."""
    return replace(group[0], objects=tuple(thing for one in group for thing in one.objects))


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
            reason = f"is listed {len(group)} times; the objects are put together"
            yield Fault("listed-twice", group[0].source or group[0].path, group[0].path.name, reason, drops=False)


def image_faults(example: Example, seen: Look) -> Iterator[Fault]:
    """What is wrong with the image itself."""
    if seen.reason:
        kind = "broken" if os.path.exists(example.path) else "missing"
        lost = f"; {len(example.objects)} objects are lost with it" if example.objects else ""
        yield Fault(kind, example.path, "", seen.reason + lost, drops=True)
    elif example.size and example.size != seen.size:
        (width, height), (real_width, real_height) = example.size, seen.size
        turned = " (turned by its EXIF orientation?)" if (height, width) == seen.size else ""
        reason = f"is {real_width}x{real_height}, its annotation says {width}x{height}{turned}; its boxes are kept"
        yield Fault("size", example.path, "", reason, drops=False)


def sound_objects(
    group: Sequence[Example], size: tuple[int, int], annotations: Annotations, faults: list[Fault]
) -> Iterator[Object]:
    """The objects of one image that can be used, mended where need be; what was wrong is added to `faults`."""
    seen = set()
    for example, thing in ((one, thing) for one in group for thing in one.objects):
        file = example.source or example.path
        mended, problems = judged(thing, size, annotations)
        if mended and (mended.box, mended.name) in seen:
            mended, problems = None, [*problems, ("duplicate", f"is there twice ({shown(thing)})")]
        where = thing.where if file.stem == example.path.stem else f"{example.path.name}, {thing.where}"
        for kind, reason in problems:
            faults.append(Fault(kind, file, where, reason, drops=mended is None))
        if mended:
            seen.add((mended.box, mended.name))
            yield mended


Problems = list[tuple[str, str]]  # kind and reason


def judged(thing: Object, size: tuple[int, int], annotations: Annotations) -> tuple[Object | None, Problems]:
    """An object as it can be used, or None, and what is wrong with it."""
    x1, y1, x2, y2 = thing.box
    width, height = size
    if not all(map(math.isfinite, thing.box)):
        return None, [("not-finite", f"its box has a number that is none ({shown(thing)})")]
    if thing.name not in annotations.classes:
        known = ", ".join(annotations.classes[:10])
        return None, [
            ("unknown-class", f"class `{thing.name}`{nearest(thing.name, annotations.classes)}: not of {known}")
        ]
    if x1 == x2 or y1 == y2:
        return None, [("zero-size", f"has no area ({shown(thing)})")]
    problems: Problems = []
    if x2 < x1 or y2 < y1:
        kind, what = (
            ("negative-size", "negative") if annotations.format in ("coco", "yolo") else ("inverted", "inverted")
        )
        problems.append((kind, f"its sides are {what} ({shown(thing)}): its corners are exchanged"))
        x1, x2, y1, y2 = min(x1, x2), max(x1, x2), min(y1, y2), max(y1, y2)
    if x2 <= 0 or y2 <= 0 or x1 >= width or y1 >= height:
        return None, [("outside", f"lies outside its image of {width}x{height} ({shown(thing)})")]
    over = max(-x1, -y1, x2 - width, y2 - height)
    if over > TOLERANCE:
        reason = f"stands {over:.4g} pixels out of its image of {width}x{height} ({shown(thing)}): it is cut"
        problems.append(("clipped", reason))
    box = (max(x1, 0.0), max(y1, 0.0), min(x2, float(width)), min(y2, float(height)))
    return replace(thing, box=box), problems


def shown(thing: Object) -> str:
    """Class and box of an object, for messages."""
    return f"{thing.name} {', '.join(f'{value:.6g}' for value in thing.box)}"


def each_once(kept: Sequence[Example], faults: list[Fault]) -> list[Example]:
    """Every image in one split only. Copies within training, validation or test images stay, with a note;
    where there are no splits yet they go, as two splits might get them."""
    groups: defaultdict[str, list[Example]] = defaultdict(list)
    for example in kept:
        groups[example.digest].append(example)
    lost = set()
    for group in groups.values():
        keeper = min(group, key=lambda example: KEEPERS.index(example.split))
        for other in (example for example in group if example is not keeper):
            if other.split != keeper.split:
                reason = (
                    f"is in {other.split} and in {keeper.split} (as {keeper.path}): it is left out of {other.split}"
                )
            elif keeper.split:
                reason = f"has the same content as {keeper.path}; both are kept"
            else:
                reason = f"has the same content as {keeper.path}: it is left out"
            drops = other.split != keeper.split or not keeper.split
            kind = "two-splits" if other.split != keeper.split else "copy"
            faults.append(Fault(kind, other.path, "", reason, drops))
            if drops:
                lost.add(id(other))
    return [example for example in kept if id(example) not in lost]


def fractions(annotations: Annotations, clean: Annotations) -> Iterator[Fault]:
    """A note where no box reaches beyond the first pixel of its image: the numbers are not pixels. YOLO's never are."""
    sides = (value for example in annotations.examples for thing in example.objects for value in thing.box)
    larger = any(max(example.size or (0, 0)) > 1 for example in clean.examples if example.objects)
    if annotations.format != "yolo" and larger and all(0 <= value <= 1 for value in sides):
        reason = "all boxes lie within 0 and 1, as fractions of images: they must be pixels; multiply them by the sides"
        yield Fault("fractions", annotations.root, "", reason, drops=False)


def class_notes(clean: Annotations) -> Iterator[Fault]:
    """Classes that cannot be learned, and splits that are missing."""
    has_splits = any(example.split for example in clean.examples)
    learned_from = clean.split("train") if has_splits else clean.examples
    if has_splits and not learned_from:
        there = ", ".join(split for split in SPLITS if clean.split(split))
        yield Fault("no-training-images", clean.root, "", f"has images for {there}, none for training", drops=False)
        return
    used = {thing.name for example in learned_from for thing in objects_of(example)}
    for name in clean.classes:
        if name not in used:
            reason = f"class `{name}` has no example{' in training' if has_splits else ''}: it cannot be learned"
            yield Fault("class-without-examples", clean.root, "", reason, drops=False)
