"""Boxes over the input that a reader filters and chooses one by one: what the page shows at first, and what its script
needs to show more. `overlays.js` draws the same.

Legend: K boxes, best first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ...report.blocks import Key, Label
from ...report.colours import GROUND_TRUTH
from ...report.marks import LETTER, label, outlines
from ...report.overlays import Overlay, Slider, View
from ..report.pictures import DIGITS
from .trace import Trace

IMAGE = "explained"  # the id of the input in the page
LABELLED, LETTERS = 24, 0.028  # labels of a view; their height, as a fraction of the width
SIDES = 40  # cells a side: of finer maps, centres are not drawn
TRUTH = Key("ground truth", GROUND_TRUTH, "dashed")


@dataclass(frozen=True)
class Shown:
    """Boxes of an overlay, [K,4] in pixels of the input, best first.

    name, measure: what one is called, and what `scores` [K] is. kinds: what boxes are drawn as; kind [K]: which of them
    each is. notes [K]: what is said of each, in place of its score. labels [K]: beside each. more: further paths [K] by
    what they are. values: of the sliders. chosen: the box that is chosen at first. suppressed [K]: what goes at the
    value of `iou`; of what stays the network keeps `keep`.
    """

    name: str
    boxes: Tensor
    scores: Tensor
    kinds: Sequence[str]
    measure: str = "score"
    kind: Sequence[int] = ()
    notes: Sequence[str] = ()
    labels: Sequence[str] = ()
    more: Mapping[str, Sequence[str]] = field(default_factory=dict)
    values: Mapping[str, float] = field(default_factory=dict)
    chosen: int = -1
    keep: int = 0
    suppressed: Tensor | None = None

    def data(self, views: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """What the script reads. Numbers are those of float32, all of them."""
        found = {
            "image": IMAGE,
            "name": self.name,
            "measure": self.measure,
            "boxes": [exact(box) for box in self.boxes.tolist()],
            "scores": exact(self.scores.tolist()),
            "kinds": [*self.kinds],
            "values": dict(self.values),
            "chosen": self.chosen,
            "keep": self.keep,
            "more": {kind: [*paths] for kind, paths in self.more.items()},
            "views": [*views],
        }
        lists = {name: [*getattr(self, name)] for name in ("kind", "notes", "labels") if getattr(self, name)}
        return found | lists

    def stays(self, filters: Sequence[str]) -> NDArray[np.int64]:
        """The boxes that a view with these filters shows at first."""
        kept = torch.ones(len(self.boxes), dtype=torch.bool)
        if "iou" in filters and self.suppressed is not None:
            kept &= ~self.suppressed
        if "top" in filters:
            kept[int(self.values["top"]) :] = False
        if "score" in filters:
            kept &= self.scores.double() >= self.values["score"]
        return kept.nonzero()[:, 0].numpy()


def exact(values: Sequence[float]) -> list[float]:
    """float32 numbers with as many digits as tell them apart."""
    return [float(f"{value:.{DIGITS}g}") for value in values]


class Filtered(NamedTuple):
    """A view of an overlay: its heading, the line of counts, in which `{n}` is the number of boxes, and its filters."""

    heading: str = ""
    counts: str = ""
    filters: Sequence[str] = ()


ALL = (Filtered(),)
BEST = (Filtered(filters=("top",)),)


def overlay(
    traced: Trace,
    name: str,
    words: tuple[str, str],
    shown: Shown,
    views: Sequence[Filtered] = ALL,
    *,
    sliders: Sequence[Slider] = (),
    keys: Sequence[Key] = (),
    fixed: Mapping[str, str] | None = None,
    uri: str = "",
    whole: bool = False,
) -> Overlay:
    """An overlay on the input. words: heading and caption. The ground truth is drawn wherever it is known.

    fixed: paths that stay. uri: of the input, where the page has not shown it yet. whole: with the part of the input in
    which there is nothing of the image.
    """
    lines = {"truth": outlines(traced.objects.tolist())} if len(traced.objects) else {}
    size = (traced.side, traced.side) if whole else traced.shown
    drawn = [view(size[0], shown, one, dict(fixed or {}) | lines) for one in views]
    data = shown.data([{"filters": [*one.filters], "counts": one.counts} for one in views])
    keys = [*keys, *([TRUTH] if lines else [])]
    return Overlay(name, *words, IMAGE, uri, size, [traced.side] * 2, drawn, data, sliders, keys)


def view(width: float, shown: Shown, one: Filtered, fixed: Mapping[str, str]) -> View:
    """A view as it is at first, so many pixels wide."""
    chosen = shown.stays(one.filters)
    labels: list[Label] = []
    if shown.labels and len(chosen) <= LABELLED:
        labels = apart([label(shown.boxes[i].tolist(), shown.labels[i], width, LETTERS * width) for i in chosen])
    counts = one.counts.replace("{n}", f"{len(chosen):,}")
    return View(one.heading, paths(shown, chosen, "iou" in one.filters), fixed, counts, labels)


def paths(shown: Shown, chosen: NDArray[np.int64], limited: bool) -> dict[str, str]:
    """The paths of some boxes, by what they are; those beyond what the network keeps are apart."""
    found = dict.fromkeys(shown.kinds, "")
    for place, i in enumerate(chosen.tolist()):
        kind = "beyond" if limited and place >= shown.keep else shown.kinds[shown.kind[i] if shown.kind else 0]
        found[kind] = found.get(kind, "") + outlines([shown.boxes[i].tolist()])
        for extra, lines in shown.more.items():
            found[extra] = found.get(extra, "") + lines[i]
    return found


def apart(labels: Sequence[Label]) -> list[Label]:
    """Labels of which none is over one before it: they move down."""
    placed: list[Label] = []
    for one in labels:
        y = one.y
        while any(abs(y - other.y) < one.height and meet(one, other) for other in placed):
            y += one.height
        placed.append(replace(one, y=round(y, 2)))
    return placed


def meet(one: Label, other: Label) -> bool:
    """Whether two labels on a line would be over each other."""
    wide, other_wide = (LETTER * label.height * len(label.text) for label in (one, other))
    return one.x < other.x + other_wide and other.x < one.x + wide


def top(count: int, value: int, label: str, stored: str) -> Slider:
    """How many of the best boxes are shown."""
    return Slider("top", label, 1, max(count, 1), 1, value, stored)
