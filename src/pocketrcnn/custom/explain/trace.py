"""One image on its way through a network: what each stage makes of it, from `FasterRCNN` by its own functions.

Legend: S the side of the input, C channels, h and w the sides of the feature map, N anchors, K candidates, P proposals,
R regions, K' classes with the background, M detections, G objects.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ...data.annotations import MIN_SIDE
from ...data.augment.geometry import VISIBLE
from ...data.boxes import Boxes
from ...data.images.pixels import Pixels
from ...data.images.views import Views
from ...model import boxes
from ...model.faster_rcnn import FasterRCNN, Prediction
from ...model.interchange import Detections
from ...model.rpn import RPN
from ...training.device import autocast
from ..detection import seen
from ..detector import Detector
from .asked import Subject

FEWEST = 60  # candidates that are looked at, also where the network takes fewer: to see what suppression does


class Candidates(NamedTuple):
    """What enters suppression, best first: boxes [K,4], logits [K], the anchor of each [K], and whether it stays [K].
    `used`: the network takes so many of them; what stays among these is the same with more."""

    boxes: Tensor
    logits: Tensor
    anchors: Tensor
    stays: Tensor
    used: int

    @property
    def left(self) -> Tensor:
        """Those that stay of what the network takes, best first: indices."""
        return self.stays[: self.used].nonzero()[:, 0]


@dataclass(frozen=True)
class Looked:
    """The view of an image that is explained: its pixels uint8 [S,S,3], the number of the view among all of them, and
    the objects in it, in its pixels, with the class of each."""

    views: Views
    number: int
    pixels: Pixels
    truth: Boxes | None
    named: tuple[str, ...]

    @property
    def images(self) -> Tensor:
        """The view as networks and pooling layers take it: uint8 [1,3,S,S]."""
        return torch.from_numpy(self.pixels).permute(2, 0, 1)[None]

    @property
    def filled(self) -> tuple[int, int]:
        """Width and height of the part that the image fills, in pixels of the view."""
        views = self.views
        sides = zip(views.size, views.scales, views.origins[self.number], strict=True)
        width, height = (min(views.side, round((side - first) * scale)) for side, scale, first in sides)
        return width, height


@dataclass(frozen=True)
class Trace:
    """What the network says of a view.

    maps: by name, [C,h,w] each; the last one is the features. candidates, corrected: None where the network has no
    proposals, or does not correct them; `corrected`, [R,4], are the regions as the head corrects them. detections: of
    the view, in its pixels, best first.
    """

    detector: Detector
    subject: Subject
    looked: Looked
    maps: dict[str, Tensor]
    prediction: Prediction
    candidates: Candidates | None
    corrected: Tensor | None
    detections: Detections

    @property
    def model(self) -> FasterRCNN:
        """The network."""
        return self.detector.model

    @property
    def side(self) -> int:
        """Pixels of the square input."""
        return self.detector.side

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the labels of detections."""
        return self.detector.classes

    @property
    def threshold(self) -> float:
        """The score from which on detections count; a network of one detection gives that whatever its score."""
        return self.detector.threshold if self.model.config.detections > 1 else 0.0

    @property
    def counted(self) -> NDArray[np.bool_]:
        """Which detections are from the threshold on, [M]."""
        return np.asarray(self.detections.scores.astype(np.float64) >= self.threshold)

    @property
    def objects(self) -> Tensor:
        """Boxes of the objects in the view, float32 [G,4] in its pixels; none where they are not known."""
        truth = self.looked.truth
        return torch.zeros(0, 4) if truth is None else torch.from_numpy(truth.boxes).float()

    @property
    def rpn(self) -> RPN:
        """The proposal network, in stages that are about it."""
        assert self.model.rpn is not None, "only a network with proposals has these stages"
        return self.model.rpn

    @property
    def features(self) -> Tensor:
        """The map that proposals and regions come from, [C,h,w]."""
        return list(self.maps.values())[-1]

    @property
    def stride(self) -> int:
        """Pixels of the input for a cell of the features."""
        return self.model.backbone.stride

    @property
    def shown(self) -> tuple[int, int]:
        """Width and height of what pictures show of the input, in pixels: the cells in which there is some image."""
        width, height = (min(-(-side // self.stride) * self.stride, self.side) for side in self.looked.filled)
        return width, height

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of what the head tells apart, the background last where it has one."""
        roi = self.model.config.roi
        return self.names + (("background",) if roi and roi.background else ())


@torch.no_grad()
def trace(detector: Detector, subject: Subject) -> Trace:
    """Everything that a network says of an image, or of the tile of it with most detections."""
    looked = chosen_view(detector, subject)
    model = detector.model
    with autocast(detector.precision, model.mean.device), noted(model) as maps:
        prediction = model(looked.images)
    corrected = None
    if prediction.refined is not None:
        side = float(detector.side)
        corrected = boxes.clip(boxes.decode(prediction.refined, prediction.regions), side, side)[0]
    detections = model.decode(prediction).numpy()[0]
    return Trace(detector, subject, looked, maps, prediction, candidates(model, prediction), corrected, detections)


@contextmanager
def noted(model: FasterRCNN) -> Iterator[dict[str, Tensor]]:
    """The maps [C,h,w] that the blocks of the backbone make of one image in this block, by name."""
    maps: dict[str, Tensor] = {}

    def note(name: str) -> Callable[[nn.Module, Any, Tensor], None]:
        def hook(module: nn.Module, inputs: Any, output: Tensor) -> None:
            maps[name] = output[0].float()

        return hook

    modules = dict(model.backbone.blocks.named_children())
    modules |= {"merged": model.backbone.merge} if model.backbone.merge else {}
    hooks = [module.register_forward_hook(note(name)) for name, module in modules.items()]
    try:
        yield maps
    finally:
        for hook in hooks:
            hook.remove()


def candidates(model: FasterRCNN, prediction: Prediction) -> Candidates | None:
    """What enters suppression among the proposals; FEWEST at least, where there are so many anchors."""
    if model.rpn is None or prediction.objectness is None:
        return None
    count = len(model.rpn.anchors)
    used = min(model.rpn.config.candidates, count)
    proposed, *more = model.rpn.candidates(prediction.objectness, prediction.deltas, min(max(used, FEWEST), count))
    stays = boxes.nms(proposed, torch.ones(proposed.shape[:2], dtype=torch.bool), model.rpn.config.nms_iou)
    logits, anchors = (values[0] for values in more)
    return Candidates(proposed[0], logits, anchors, stays[0], used)


def chosen_view(detector: Detector, subject: Subject) -> Looked:
    """The image as one input, or the tile with most detections from the threshold on, the first of equals."""
    both = list(seen(subject.pixels, detector.side, detector.overlap))
    views, number = both[0][0], 0
    if len(both) > 1:
        found = [detector.network(pixels[None])[0] for _, pixels in both]
        limit = detector.threshold
        number = int(np.argmax([(one.scores >= limit).sum() for one in found]))
    return Looked(views, number, both[number][1], *in_view(subject, views, number))


def in_view(subject: Subject, views: Views, number: int) -> tuple[Boxes | None, tuple[str, ...]]:
    """The objects in a view, in its pixels; those that a tile cuts as in training."""
    if subject.truth is None:
        return None, ()
    placed = subject.truth.boxes * np.tile(views.scales, 2) - np.tile(views.origins[number], 2)
    whole = torch.from_numpy(placed).float()
    if len(views.origins) == 1:
        return Boxes(whole.numpy(), subject.truth.labels), subject.named
    cut = boxes.clip(whole, views.side, views.side)
    kept = boxes.visible(whole, cut, VISIBLE, MIN_SIDE).numpy()
    named = tuple(name for name, stays in zip(subject.named, kept, strict=True) if stays)
    return Boxes(cut.numpy()[kept], subject.truth.labels[kept]), named
