"""Stages 6 and 7: the regions that are cut out of the features, and the class scores of each.

Legend: R regions, K' classes with the background, S cells of a crop.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from ...model import boxes
from ...model.roi import POOLS
from ...report.blocks import Bar, Block, Key, Panel, Section, Strips
from ...report.charts import heat
from ...report.colours import DETECTION
from ...report.crops import crops
from ...report.marks import marked, png_uri
from ...report.overlays import Card, Cards
from ...report.prose import Prose
from .overlays import Shown, overlay
from .seeing import order
from .trace import Trace

REGIONS = 8  # that are shown one by one
APART = 0.5  # IoU: of two regions that overlap more, the better one is shown
PIXELS = 32  # a side of a crop of the image
CLASSES = 5  # bars of a region
LAYERS = {"transformer": "transformer", "max": "max pooling"}
prose = Prose(__name__, "naming.md")


def scores_of(traced: Trace) -> Tensor:
    """The score of each region, that of its best class: objectness times probability, [R]."""
    scores = traced.prediction.scores[0]
    if traced.prediction.logits is not None:
        classes = len(traced.names)
        scores = scores * traced.prediction.logits[0].softmax(-1)[:, :classes].amax(-1)
    return scores.where(shown(traced), 0.0)


def shown(traced: Trace) -> Tensor:
    """Which regions survived suppression, bool [R]; all, where the network believes in none at all."""
    found = traced.prediction.shown[0]
    return found if found.any() else torch.ones_like(found)


def ranked(traced: Trace) -> Tensor:
    """The regions that survived suppression, best first: indices."""
    order_of = scores_of(traced).argsort(descending=True, stable=True)
    return order_of[shown(traced)[order_of]]


def apart(traced: Trace) -> list[int]:
    """The regions that overlap no better one by half, best first: indices."""
    best = ranked(traced)
    kept = boxes.nms(traced.prediction.regions[0, best][None], torch.ones(1, len(best), dtype=torch.bool), APART)[0]
    found: list[int] = best[kept].tolist()
    return found


def best_regions(traced: Trace) -> list[int]:
    """Regions that are shown one by one: the best ones that lie apart, and, where the head refused what the proposals
    were surest of, that one at the end."""
    refused = [index for index in surest_first(traced) if is_background(traced, index)][:1]
    kept = apart(traced)[: REGIONS - len(refused)]
    return [*(one for one in kept if one not in refused), *refused]


def surest_first(traced: Trace) -> list[int]:
    """The regions by their objectness."""
    found: list[int] = traced.prediction.scores[0].argsort(descending=True, stable=True).tolist()
    return [index for index in found if shown(traced)[index]]


def is_background(traced: Trace, index: int) -> bool:
    """Whether the head takes a region for background."""
    logits, classes = traced.prediction.logits, len(traced.names)
    return logits is not None and int(logits[0, index].argmax()) == classes


def regions_section(traced: Trace) -> Section:
    """Where the regions are, and what is cut out of image and features for each."""
    roi, chosen = traced.model.config.roi, best_regions(traced)
    assert roi is not None, "only a network with classes cuts out regions"
    regions = traced.prediction.regions[0, chosen]
    chosen_ones = Shown(
        "region",
        regions,
        traced.prediction.scores[0, chosen],
        ("region",),
        measure="objectness",
        labels=[str(number) for number in range(1, len(chosen) + 1)],
    )
    values: dict[str, Any] = {
        "all": int(shown(traced).sum()),
        "shown": len(chosen),
        "size": roi.size,
        "pool": roi.pool,
        "channel": int(order(traced, traced.features)[0]),
        "pixels": PIXELS,
        "refused": is_background(traced, chosen[-1]),
        "channels": len(traced.features),
    }
    heading = "Regions shown below" if values["all"] > len(chosen) else "Regions"
    blocks: list[Block] = [
        overlay(traced, "regions", (heading, prose("regions", **values)), chosen_ones, keys=[Key("region", DETECTION)]),
        Strips("What is cut out", prose("crops", **values), strips(traced, regions, roi.size), ()),
    ]
    return Section("regions", "6 Regions", blocks)


def strips(traced: Trace, regions: Tensor, size: int) -> list[tuple[str, Sequence[Panel]]]:
    """For each region the crops of pixels and of the strongest channel, by both layers."""
    channel = traced.features[order(traced, traced.features)[:1]]  # [1,h,w]
    highest = channel.max().clamp(min=1e-9)
    rows: list[tuple[str, Sequence[Panel]]] = []
    for pool, name in LAYERS.items():
        pixels = crops(traced.looked.images, regions[None], traced.side, PIXELS, pool)
        rows.append((f"pixels, {name}", panels(pixels, PIXELS, f"pixels, {name}")))
    for pool, name in LAYERS.items():
        pooled = POOLS[pool](channel[None], regions[None], traced.side, size)[:, 0] / highest  # [R,S,S]
        cells = [png_uri(heat(one.numpy())) for one in pooled]
        rows.append((f"channel, {name}", panels(cells, size, f"cells, {name}")))
    return rows


def panels(uris: Sequence[str], size: int, what: str) -> list[Panel]:
    """Small pictures whose pixels are seen as squares."""
    shown = [marked(uri, (size, size), [], 0.05) for uri in uris]
    return [Panel(uri, f"Region {number} as {size} × {size} {what}") for number, uri in enumerate(shown, 1)]


def classes_section(traced: Trace) -> Section:
    """The class scores of the regions as bars."""
    logits, chosen = traced.prediction.logits, best_regions(traced)
    assert logits is not None, "only a network with classes has scores of them"
    probabilities = logits[0, chosen].softmax(-1)  # [R,K']
    regions = traced.prediction.regions[0, chosen]
    pictures = panels(crops(traced.looked.images, regions[None], traced.side, PIXELS), PIXELS, "pixels")
    cards = [
        card(traced, number, index, picture, row)
        for number, (index, picture, row) in enumerate(zip(chosen, pictures, probabilities, strict=True), 1)
    ]
    best = probabilities.max(-1)
    heading = "What the head says of each region" if traced.model.rpn else "What the network says of the image"
    values = {
        "classes": len(traced.names),
        "bars": min(CLASSES, len(traced.classes)),
        "background": len(traced.classes) > len(traced.names),
        "refused": is_background(traced, chosen[-1]),
        "count": len(chosen),
        "sure": int((best.values >= 0.9).sum()),
        "doubtful": int(best.values.argmin()) + 1,
        "least": float(best.values.min()),
        "objectness": traced.model.rpn is not None,
    }
    return Section("classes", "7 Classes", [Cards(heading, prose("classes", **values), cards)])


def card(traced: Trace, number: int, index: int, picture: Panel, probabilities: Tensor) -> Card:
    """One region with its likeliest classes."""
    values, labels = probabilities.sort(descending=True, stable=True)
    bars = [
        Bar(traced.classes[label], value, f"{value:.3f}", ())
        for value, label in list(zip(values.tolist(), labels.tolist(), strict=True))[:CLASSES]
    ]
    objectness = float(traced.prediction.scores[0, index])
    words = f"objectness {objectness:.3f}, score {float(scores_of(traced)[index]):.3f}"
    if traced.model.rpn is None:
        return Card(picture.uri, "The image", f"The image: {bars[0].name}", "", bars)
    return Card(picture.uri, picture.alt, f"Region {number}: {bars[0].name}", words, bars)
