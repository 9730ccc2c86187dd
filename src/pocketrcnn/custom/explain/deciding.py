"""Stages 8 and 9: how boxes are corrected, and the detections that are left.

Legend: K boxes, M detections.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from ...data.boxes import Boxes
from ...evaluation.outcomes import RIGHT, outcomes
from ...model import boxes
from ...report.blocks import Block, Key, Section
from ...report.colours import DETECTION
from ...report.marks import outlines
from ...report.overlays import Overlay, Slider
from ...report.prose import Prose
from .naming import apart, scores_of
from .overlays import BEST, Filtered, Shown, overlay, top
from .trace import Trace

MOST = 60  # corrections to choose among
FIRST = 8  # that are drawn at first
HEAD = 0.012, 0.4  # length of an arrow's head, at most, as a fraction of the width and of the arrow
OVERLAPS = 0.3  # IoU from which on a box is said to be about an object
BEFORE = "#56b4e9"
KEYS = (Key("before", BEFORE, "dashed"), Key("after", DETECTION), Key("from corner to corner", "#f0e442"))
prose = Prose(__name__, "deciding.md")


def corrections_section(traced: Trace) -> Section:
    """From anchor to proposal, and from region to detection: those that the network has."""
    drawn: list[Block] = []
    if traced.candidates is not None and traced.prediction.deltas is not None:
        drawn.append(of_anchors(traced))
    if traced.corrected is not None:
        drawn.append(of_regions(traced))
    return Section("corrections", "8 Corrections of boxes", drawn, short="8 Corrections")


class Change(NamedTuple):
    """Boxes [K,4] before and after a correction, best first, with the scores by which they are ranked."""

    before: Tensor
    after: Tensor
    scores: Tensor
    measure: str


def of_anchors(traced: Trace) -> Overlay:
    """Anchors and the proposals that they become."""
    found, rpn = traced.candidates, traced.rpn
    assert found is not None, "proposals come from anchors"
    chosen = found.left[: min(MOST, rpn.config.proposals)]
    scores = found.logits[chosen].sigmoid()
    change = Change(rpn.anchors[found.anchors[chosen]], found.boxes[chosen], scores, "objectness")
    return corrected(traced, "deltas", "From anchor to proposal", change)


def of_regions(traced: Trace) -> Overlay:
    """Regions and the boxes that the head makes of them."""
    assert traced.corrected is not None, "the head corrects boxes"
    chosen = torch.tensor(apart(traced)[:MOST])
    regions = traced.prediction.regions[0, chosen]
    change = Change(regions, traced.corrected[chosen], scores_of(traced)[chosen], "score")
    return corrected(traced, "refined", "From region to detection", change)


def corrected(traced: Trace, name: str, heading: str, change: Change) -> Overlay:
    """Boxes before and after a correction, with arrows."""
    gain, first, head = overlaps(traced, change), min(FIRST, len(change.before)), HEAD[0] * traced.shown[0]
    pairs = list(zip(change.before.tolist(), change.after.tolist(), strict=True))
    shown = Shown(
        "box",
        change.after,
        change.scores,
        ("after",),
        notes=notes_of(change, gain),
        more={
            "before": [outlines([before]) for before, _ in pairs],
            "arrow": [arrow(a[:2], b[:2], head) + arrow(a[2:], b[2:], head) for a, b in pairs],
        },
        values={"top": first},
        chosen=0,
    )
    sliders = [top(len(pairs), first, "boxes drawn, best first", f"first: {first}")] if len(pairs) > 1 else []
    caption = prose(name, **numbers(change, gain))
    return overlay(traced, name, (heading, caption), shown, BEST, sliders=sliders, keys=KEYS)


def notes_of(change: Change, gain: Tensor | None) -> list[str]:
    """What is said of each box. gain: see `overlaps`."""
    notes = [
        f"{change.measure} {score:.3f}, {moved(before, after)}"
        for before, after, score in zip(*(values.tolist() for values in change[:3]), strict=True)
    ]
    if gain is None:
        return notes
    pairs = zip(notes, gain.T.tolist(), strict=True)
    return [f"{note}; IoU with its object {before:.2f} → {after:.2f}" for note, (before, after) in pairs]


def overlaps(traced: Trace, change: Change) -> Tensor | None:
    """IoU of each box with the object that it is nearest to after the correction, before and after it: [2,K]."""
    objects = traced.objects
    if not len(objects):
        return None
    nearest = boxes.iou(change.after, objects).argmax(1)
    both = [boxes.iou(one, objects) for one in change[:2]]
    return torch.stack([overlap.gather(1, nearest[:, None])[:, 0] for overlap in both])


def moved(before: list[float], after: list[float]) -> str:
    """What a correction does to a box, in words."""
    deltas = boxes.encode(torch.tensor(after), torch.tensor(before))
    *_, width, height = boxes.center_size(torch.tensor(before))
    right, down = float(deltas[0] * width), float(deltas[1] * height)
    wide, high = deltas[2:].exp().tolist()
    sideways, along = "right" if right >= 0 else "left", "down" if down >= 0 else "up"
    way = f"{abs(right):.1f} px {sideways}, {abs(down):.1f} px {along}"
    return f"moved {way}, {wide:.2f} times as wide, {high:.2f} times as high"


def numbers(change: Change, gain: Tensor | None) -> dict[str, Any]:
    """The numbers of a caption."""
    ends, starts = (torch.stack(boxes.center_size(one)) for one in (change.after, change.before))
    about = gain[:, gain.amax(0) >= OVERLAPS] if gain is not None else torch.zeros(2, 0)
    return {
        "count": len(change.before),
        "moved": float((ends - starts)[:2].norm(dim=0).median()),
        "about": about.shape[1],
        "old": float(about[0].mean()) if about.numel() else 0.0,
        "new": float(about[1].mean()) if about.numel() else 0.0,
    }


def arrow(start: list[float], end: list[float], head: float) -> str:
    """The path of an arrow between two points; nothing where these are one. head: its length at most, in pixels."""
    (x1, y1), (x2, y2) = start, end
    line, length = f"M{x1:.2f} {y1:.2f}L{x2:.2f} {y2:.2f}", math.hypot(x2 - x1, y2 - y1)
    if length < 0.01:
        return ""
    head, angle = min(head, HEAD[1] * length), math.atan2(y1 - y2, x1 - x2)
    tips = [(x2 + head * math.cos(angle + turn), y2 + head * math.sin(angle + turn)) for turn in (0.5, -0.5)]
    return f"{line}M{tips[0][0]:.2f} {tips[0][1]:.2f}L{x2:.2f} {y2:.2f}L{tips[1][0]:.2f} {tips[1][1]:.2f}"


def detections_section(traced: Trace) -> Section:
    """The detections, from a threshold on that a slider moves."""
    found, threshold = traced.detections, traced.threshold
    names = [traced.names[label] for label in found.labels.tolist()]
    named = names if len(traced.names) > 1 else [""] * len(names)  # one class need not be read at every box
    scores = torch.from_numpy(found.scores)
    shown = Shown(
        "detection",
        torch.from_numpy(found.boxes),
        scores,
        ("detection",),
        notes=[f"{name}, {made_of(traced, i)}" for i, name in enumerate(names)],
        labels=[f"{name} {score:.2f}".strip() for name, score in zip(named, scores.tolist(), strict=True)],
        values={"score": threshold},
    )
    slider = Slider("score", "lowest score", 0.0, 1.0, 0.001, threshold, f"as the detector: {threshold:.3f}")
    words = "Detections", prose("detections", **verdict(traced))
    views = [Filtered("From the threshold on", "detections: {n}", ("score",))]
    block = overlay(traced, "detections", words, shown, views, sliders=[slider], keys=[Key("detection", DETECTION)])
    return Section("detections", "9 Detections", [block])


def made_of(traced: Trace, i: int) -> str:
    """The score of a detection and the numbers that it is the product of."""
    found, prediction = traced.detections, traced.prediction
    score = f"score {float(found.scores[i]):.3f}"
    if prediction.logits is None or traced.model.rpn is None:
        return score
    corners = prediction.regions[0] if traced.corrected is None else traced.corrected
    label = int(found.labels[i])
    probabilities = prediction.logits[0].softmax(-1)[:, label]
    apart = (corners - torch.from_numpy(found.boxes[i])).abs().amax(-1) + (
        prediction.scores[0] * probabilities - float(found.scores[i])
    ).abs()
    region = int(apart.argmin())
    objectness, probability = float(prediction.scores[0, region]), float(probabilities[region])
    return f"{score} = objectness {objectness:.3f} × probability {probability:.3f}"


def verdict(traced: Trace) -> dict[str, Any]:
    """The numbers of the caption: how many detections there are, and how many are right."""
    found, truth, classes = traced.detections, traced.looked.truth, traced.names
    shown = Boxes(found.boxes, found.labels, found.scores)[traced.counted]
    values: dict[str, Any] = {
        "all": len(found),
        "shown": len(shown),
        "threshold": traced.threshold,
        "limit": traced.model.config.detections,
        "iou": traced.model.config.nms_iou,
        "truth": truth is not None,
        "classes": len(classes) if traced.model.head else 0,
        "proposals": traced.model.rpn is not None,
        "tiles": len(traced.looked.views.origins),
    }
    if truth is None:
        return values
    labels = truth.labels if traced.model.head else np.zeros_like(truth.labels)
    known = Boxes(truth.boxes, labels)
    (one,) = outcomes([known], [shown], len(classes), max(1, len(shown)))
    right = int((one.kinds == RIGHT).sum())
    return values | {"right": right, "wrong": len(shown) - right, "missed": len(truth) - right, "objects": len(truth)}
