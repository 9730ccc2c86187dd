"""Whether the numbers of boxes mean what their format says: found out on the whole set, not box by box. No torch here.

A program that writes corners where width and height belong does so in every box. So each meaning that four numbers may
have is tried on all boxes: where many leave their images as the format means them, and hardly any does in another
meaning, the set is of that one. Other units, and the pixels of images that were resized later, are read as what they
are, with a note; another shape is refused, with the option that reads it, as a few boxes may fit two of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import Literal, get_args

import numpy as np

from .annotations import Annotations, Example, Fault, Shape, Units
from .kinds import UNCLEAR
from .meanings import (
    AROUND,
    UNITS,
    Boxes,
    Floats,
    Meaning,
    Sizes,
    collected,
    corners,
    declared_of,
    in_words,
    pixels,
    shapes_of,
    written,
)
from .resized import resized_in_words, scaled, was_resized

FITS = 0.95  # of the boxes fit their images in a meaning that is taken for theirs, and
RATIO = 5  # times fewer leave them than in that of the format
MISFITS, FEW = 0.05, 3  # boxes that leave their images, as a fraction and in number, from which on others are tried
MANY, CENTRES = 10, 5  # the number that is enough, whatever the fraction; and from which on a centre is believed
REACH = 0.5  # of an image that some box goes beyond: of pixels that are all in a corner it is not certain
ENLARGED = 3, 5  # images and objects from which on boxes that also fit the smaller stated size are certainly of that
BEGIN = 3  # boxes that begin at pixel 1, where none begins before, from which on a set seems to count from 1


@dataclass(frozen=True)
class Asked:
    """What the user says about the numbers, with `--bbox` and `--units`; `auto`: what fits them."""

    bbox: Shape | Literal["auto"] = "auto"
    units: Units | Literal["auto"] = "auto"

    def applied(self, declared: Meaning) -> Meaning:
        """A meaning of a format as the user corrects it."""
        shape: Shape = declared.shape if self.bbox == "auto" or declared.shape == AROUND else self.bbox
        return Meaning(shape, declared.units if self.units == "auto" else self.units)


def settled(annotations: Annotations, real: Sizes, asked: Asked) -> tuple[Annotations, list[Fault]]:
    """The annotations with all boxes in pixels of their images, and what is to be said about the whole set.

    real: width and height of each image that can be read. Where another shape fits than that of the format, the boxes
    stay as the format has them, and a fault of the kind UNCLEAR names the option that reads them.
    """
    groups = collected(annotations, real)
    meant = {declared: asked.applied(declared) for declared in groups}
    resized = was_resized(annotations.examples, real) and in_stated_pixels(groups, meant, annotations, real)
    root, faults, meanings = annotations.root, list[Fault](), dict[Meaning, Meaning]()
    if resized:
        faults.append(Fault("resized", root, "", resized_in_words(annotations.examples, real), drops=False))
    for declared, boxes in groups.items():
        sizes = np.where(np.isnan(boxes.stated), boxes.real, boxes.stated) if resized else boxes.real
        found = meaning_of(boxes, sizes, declared, meant[declared], asked)
        if found.shape == meant[declared].shape:
            meanings[declared] = found
            faults += units_note(boxes, declared, found, root) if found != meant[declared] else ()
        else:
            meanings[declared] = declared
            faults.append(refusal(boxes, sizes, meant[declared], found, root))
    faults += [*small_note(groups, meanings, root), *origin_note(annotations, groups)]
    examples = (reread(one, real.get(one.path), meanings, resized) for one in annotations.examples)
    return replace(annotations, examples=tuple(examples)), faults


def in_stated_pixels(
    groups: Mapping[Meaning, Boxes], meant: Mapping[Meaning, Meaning], annotations: Annotations, real: Sizes
) -> bool:
    """Whether the boxes of resized images count the pixels of the stated size: they fit it, and not the real one.

    What fits both is of the stated size where that is the smaller one: else all objects would be in one corner.
    """
    stated, beyond, total = 0, 0, 0
    for declared, boxes in groups.items():
        known = ~np.asarray(np.isnan(boxes.stated).any(axis=1))
        if meant[declared].units != "pixels" or not known.any():
            continue
        sizes = np.where(known[:, None], boxes.stated, 1.0)
        best = max(
            (boxes.fitting(Meaning(shape, "pixels"), sizes) & known for shape in shapes_of(meant[declared])), key=np.sum
        )
        total, stated = total + int(known.sum()), stated + int(best.sum())
        beyond += int((known & ~boxes.inside(meant[declared], boxes.real)).sum())
    if not total or stated < FITS * total:
        return False
    pairs = [(one.size, real[one.path]) for one in annotations.examples if one.size and one.path in real]
    enlarged = all(shown[0] >= size[0] for size, shown in pairs) and len(pairs) >= ENLARGED[0] and total >= ENLARGED[1]
    return beyond >= max(FEW, MISFITS * total) or enlarged


def meaning_of(boxes: Boxes, sizes: Floats, declared: Meaning, meant: Meaning, asked: Asked) -> Meaning:
    """What the numbers mean: what the format and the user say, unless many boxes leave their images then, and hardly
    any does in another meaning. sizes: float64 [N,2], in pixels."""
    insisted = asked.units if asked.units != "auto" else None
    if not insisted and meant.units == "pixels" and boxes.fractional():
        meant, insisted = Meaning(meant.shape, "fractions"), "fractions"
    outside = int((~boxes.inside(meant, sizes)).sum())
    if outside < min(max(FEW, MISFITS * len(sizes)), MANY):
        return meant
    others = [Meaning(*one) for one in product(shapes_of(meant), get_args(Units))]
    others = others if asked.bbox == "auto" else [declared]
    others = [one for one in others if one != meant and insisted in (None, one.units)]
    others = [one for one in others if believable(one, meant, outside, boxes) and far_enough(boxes, one, sizes)]
    others.sort(key=lambda one: (one.shape != meant.shape) + (one.units != meant.units))
    fits = {one: int(boxes.fitting(one, sizes).sum()) for one in others}
    best = max(fits, key=lambda one: fits[one], default=meant)
    left = len(sizes) - fits.get(best, 0)
    return best if left <= min((1 - FITS) * len(sizes), outside / RATIO) else meant


def believable(other: Meaning, meant: Meaning, outside: int, boxes: Boxes) -> bool:
    """Whether numbers can be of another shape at all: a few boxes at the right border do not make a centre, and where
    images lie on their side for their annotations, these were turned, and x and y are no other way round."""
    if other.shape == "cxcywh" != meant.shape:
        return outside >= CENTRES
    turned = (boxes.stated == boxes.real[:, ::-1]).all(axis=1) & (boxes.real[:, 0] != boxes.real[:, 1])
    return other.shape[0] != "y" or 2 * int(np.sum(turned)) < len(turned)


def far_enough(boxes: Boxes, meaning: Meaning, sizes: Floats) -> bool:
    """Whether some box goes beyond the corner of its image."""
    high = corners(boxes.numbers, meaning.shape)[2:].T / (sizes if meaning.units == "pixels" else 1.0)
    return float(high.max()) > REACH


def refusal(boxes: Boxes, sizes: Floats, meant: Meaning, found: Meaning, root: Path) -> Fault:
    """The fault of a set whose numbers have another shape than their format says."""
    bad, left = ~boxes.inside(meant, sizes), int((~boxes.fitting(found, sizes)).sum())
    units = f" --units {found.units}" if found.units != meant.units else ""
    reason = (
        f"{bad.sum():,} of {len(sizes):,} boxes leave their image as {in_words(meant)}, "
        f"and {left or 'none'} as {in_words(found)} ({boxes.example(bad)}): "
        f"use --bbox {found.shape}{units}, or --bbox {meant.shape} if they are right"
    )
    return Fault(UNCLEAR, root, "", reason, drops=True)


def units_note(boxes: Boxes, declared: Meaning, found: Meaning, root: Path) -> Iterator[Fault]:
    """What is said where the numbers of a set are in other units than their format says, and are read so."""
    bad = ~boxes.inside(declared, boxes.real)
    reason = (
        f"the boxes are in {UNITS[found.units]}, not in {UNITS[declared.units]} ({boxes.example(bad)}): "
        f"they are read so (--units {declared.units} if they are not)"
    )
    yield Fault("units", root, "", reason, drops=False)


def small_note(groups: Mapping[Meaning, Boxes], meanings: Mapping[Meaning, Meaning], root: Path) -> Iterator[Fault]:
    """A note where no box in pixels goes beyond the first pixel: 0 and 1 may be pixels, or fractions."""
    pixels = [boxes for declared, boxes in groups.items() if meanings[declared].units == "pixels"]
    numbers = np.concatenate([boxes.numbers for boxes in pixels]) if pixels else np.ones((1, 4)) * 2
    larger = any(boxes.real.max() > 1 for boxes in pixels)
    if larger and (numbers >= 0).all() and (numbers <= 1).all():
        reason = "all boxes are between 0 and 1: if these are fractions of the image, use --units fractions"
        yield Fault("fractions", root, "", reason, drops=False)


def origin_note(annotations: Annotations, groups: Mapping[Meaning, Boxes]) -> Iterator[Fault]:
    """A note where boxes of VOC begin at pixel 1 and end at the last one, and none begins at 0."""
    boxes = groups.get(Meaning("xyxy", "pixels"))
    if annotations.format != "voc" or boxes is None:
        return
    begin, end = boxes.numbers[:, :2], boxes.numbers[:, 2:]
    first, last = int((begin == 1).any(1).sum()), int((end == boxes.real).any(1).sum())
    if first >= BEGIN and last and (begin >= 1).all() and (end <= boxes.real).all():
        reason = (
            f"{first:,} boxes begin at pixel 1, {last:,} end at the last one, none begins at 0: "
            "if they count from 1, as VOC does, use --voc-origin 1"
        )
        yield Fault("voc-origin", annotations.root, "", reason, drops=False)


def reread(one: Example, real: tuple[int, int] | None, meanings: Mapping[Meaning, Meaning], resized: bool) -> Example:
    """An example with its boxes in pixels of the image. What is as its format says keeps every digit."""
    stated = one.size if resized else None
    if real is None or not one.objects:
        return replace(one, size=real or one.size) if stated else one
    objects = []
    for obj in one.objects:
        declared = declared_of(obj)
        found = meanings.get(declared, declared)
        box = obj.box if found == declared else pixels(written(obj).numbers, found, stated or real)
        if stated and found.units == "pixels" and stated != real:
            box = scaled(box, stated, real)
        objects.append(replace(obj, box=box))
    return replace(one, objects=tuple(objects), size=real if stated else one.size)
