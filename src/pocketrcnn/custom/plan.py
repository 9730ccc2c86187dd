"""What suits a data set: the input's size, the stride, the anchors, the network and the schedule. No torch here.

Every decision is a function of the boxes and of the time that is given, and is said in a line of words.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from ..config import (
    AugmentConfig,
    BackboneConfig,
    Config,
    DataConfig,
    LossConfig,
    ModelConfig,
    OptimConfig,
    ROIConfig,
    RPNConfig,
    TrainConfig,
    replace,
)
from ..data.annotations import MIN_SIDE, Annotations, Example
from ..errors import UserError
from ..model.architectures import MERGED, scaled
from .anchors import Anchors, Floats, choose_anchors, describe_anchors, sides_and_boxes

STEP = 16  # pixels: the input's side is a multiple of it, the largest stride of Table 3
LARGEST_SIDE = 512  # pixels: larger images are made smaller, which is said
SMALLEST_SIDE = 64
SMALL_OBJECT = 40.0  # pixels: an input may be made smaller until the small objects (the 10th percentile) are so large
FINE_BELOW = 40.0  # pixels, median side of the objects: below that the features have stride 4, else 8
MOST_DETECTIONS = 1000
LEAST_BATCH, MOST_BATCH = 16, 64  # images
BATCH_PIXELS = 16 * 256**2
PRESETS = {"small": 0.5, "medium": 0.75, "large": 1.0}
FEW_PASSES = 15  # over the training images: with fewer, augmentation costs more than it gains (docs/log.md)
SEVERAL, WIDER = 5, 1.5  # from so many classes on every network is so much wider: it has more to tell (docs/log.md)


@dataclass(frozen=True)
class Plan:
    """A configuration, and the reasons for it, in words."""

    config: Config
    reasons: tuple[str, ...]


def choose_side(examples: Sequence[Example]) -> int:
    """Side of the input: that of the images, or smaller where even small objects stay large enough to be found."""
    longest = np.array([max(example.size or (1, 1)) for example in examples])
    native = min(LARGEST_SIDE, float(np.quantile(longest, 0.95)))
    shares = np.concatenate(
        [np.sqrt(np.prod(sides_and_boxes([e], 10**9), axis=1)) / max(e.size or (1, 1)) for e in examples]
    )
    enough = SMALL_OBJECT / float(np.quantile(shares, 0.1)) if len(shares) else native
    return max(STEP, math.ceil(min(native, max(enough, SMALLEST_SIDE)) / STEP) * STEP)


def plan(
    annotations: Annotations,
    preset: str,
    anchors: Anchors | None = None,
    side: int | None = None,
    turn: bool = False,
) -> Plan:
    """The detector for a data set with splits. Raises UserError where there is nothing to learn from.

    `preset`: one of PRESETS. `anchors`, `side`: these in place of fitted ones. `turn`: images have no up and down.
    """
    examples = annotations.split("train")
    if not examples:
        raise UserError(f"{annotations.root} has no training images: add some, or a split named `train`")
    chosen = side or choose_side(examples)
    boxes = sides_and_boxes(examples, chosen)
    fitted, words = choose_anchors(boxes, chosen)
    if anchors:
        fitted, words = anchors, describe_anchors(anchors, boxes) if len(boxes) else "anchors as given"
    median = median_side(boxes, chosen)
    stride: Literal[4, 8] = 4 if median < FINE_BELOW else 8
    width = widths(len(annotations.classes))[preset]
    model = network(annotations, chosen, stride, fitted, width)
    reasons = [size_reason(examples, chosen), f"stride {stride}: the median object is {median:.0f} px", words]
    if median < 2 * stride:
        remedy = small_remedy(examples, chosen, 2 * stride / median)
        reasons.append(f"warning: the median object is under two cells of {stride} px; {remedy}")
    reasons += lost_objects(examples, boxes, chosen, model.detections)
    wider = f", {WIDER:g} times as wide for {len(annotations.classes)} classes" if width > PRESETS[preset] else ""
    reasons.append(f"{preset} network{wider}, up to {model.detections} detections an image")
    config = Config(
        data=DataConfig(source=str(annotations.root), kind="folder", classes=annotations.classes),
        augment=augmentation(boxes, chosen, turn),
        model=model,
        loss=LossConfig(classification=2.0),
        optim=optimiser(),
        train=TrainConfig(batch=choose_batch(chosen, len(examples)), monitor="AP", evaluation_images=500),
    )
    return Plan(config, tuple(reasons))


def widths(classes: int) -> dict[str, float]:
    """What each of PRESETS means for so many classes, as a factor on the channels of Table 3."""
    return {name: width * (WIDER if classes >= SEVERAL else 1.0) for name, width in PRESETS.items()}


def choose_batch(side: int, images: int) -> int:
    """Images in an iteration: more of small ones, but several iterations an epoch, and two at least."""
    wanted = min(MOST_BATCH, max(LEAST_BATCH, BATCH_PIXELS // side**2))
    return max(2, min(wanted, images // 4))


def size_reason(examples: Sequence[Example], side: int) -> str:
    """The input's size beside that of the images."""
    longest = [max(example.size or (1, 1)) for example in examples]
    smaller = sum(one > side for one in longest)
    words = f"input {side}x{side} px; images are {min(longest)} to {max(longest)} px at their longer side"
    return f"{words}, {smaller} of {len(longest)} are made smaller" if smaller else f"{words}, none is resized"


def small_remedy(examples: Sequence[Example], side: int, factor: float) -> str:
    """What to do where objects should be `factor` times as large: a larger input, where it made the images smaller."""
    longest = max(max(example.size or (1, 1)) for example in examples)
    if longest <= side:
        return "enlarge the images if you can"
    larger = math.ceil(min(side * factor, longest) / STEP) * STEP
    return f"`--size {larger}` makes the images less small, and an iteration longer"


def lost_objects(examples: Sequence[Example], boxes: Floats, side: int, detections: int) -> list[str]:
    """Warnings of objects that are too small to be learned, or too many in an image to be found."""
    found = []
    if tiny := int((boxes.min(1) < MIN_SIDE).sum()):
        remedy = small_remedy(examples, side, MIN_SIDE / float(boxes.min()))
        words = f"{tiny:,} of {len(boxes):,} objects are under {MIN_SIDE:g} px wide or high in the input"
        found.append(f"warning: {words}, and are not learned; {remedy}")
    if (most := most_objects(examples)) > detections:
        words = f"of the {most:,} objects in an image {detections:,} can be found"
        found.append(f"warning: {words}; cut the images into smaller ones")
    return found


def most_objects(examples: Sequence[Example]) -> int:
    """Objects, crowds left out, in the fullest image."""
    return max(sum(not thing.crowd for thing in example.objects) for example in examples)


def network(annotations: Annotations, side: int, stride: Literal[4, 8], anchors: Anchors, width: float) -> ModelConfig:
    """Faster R-CNN on Table 3, merged to the stride.

    Twice as many detections as the fullest image has objects, from twice as many proposals, from as many candidates
    that a dozen anchors around each object find a place: with fewer, the many anchors of plain objects leave none to
    faint and small ones (docs/log.md).
    """
    detections = min(MOST_DETECTIONS, max(20, 2 * most_objects(annotations.split("train"))))
    proposals = max(100, 2 * detections)
    rpn = RPNConfig(
        anchors=anchors,
        channels=scaled(MERGED, width),  # as many as the merged map has
        box_dims=4,
        prior=0.05,
        positive_iou=0.5,
        negative_iou=0.4,
        sample=256,
        candidates=round(2.5 * proposals),
        proposals=proposals,
        training_fraction=0.4,
    )
    roi = ROIConfig(
        pool="transformer",
        size=4,
        channels=256,
        train_box="sampled",
        background=True,
        refine=True,
        sample=64,
        positive_fraction=0.25,
    )
    backbone = BackboneConfig("residual", table=3, width=width, merge=stride, whiten=True, identity=True)
    classes = len(annotations.classes)
    return ModelConfig(
        backbone=backbone,
        rpn=rpn,
        roi=roi,
        input_size=side,
        classes=classes,
        detections=detections,
        nms_iou=0.6,
        min_score=0.01,
    )


def median_side(boxes: Floats, side: int) -> float:
    """Side of the median object, pixels; where there are no objects, a quarter of the input's."""
    return float(np.median(np.sqrt(boxes.prod(-1)))) if len(boxes) else side / 4


def augmentation(boxes: Floats, side: int, turn: bool) -> AugmentConfig:
    """Random changes that suit photographs and microscopes alike; large objects are made smaller more than larger.

    `boxes`: width and height [n,2] in an input of `side` pixels. `turn`: quarter turns and upside down, too.
    """
    zoom = (0.6, 1.4) if median_side(boxes, side) < 0.3 * side else (0.5, 1.2)
    return AugmentConfig(
        flip="random",
        flip_vertical=turn,
        rotate=turn,
        zoom=zoom,
        aspect=0.15,
        translate=0.1,
        brightness=0.15,
        contrast=0.3,
        gamma=0.2,
        saturation=0.3,
    )


def for_passes(found: Plan, passes: float) -> Plan:
    """The plan for so many passes over the training images. Few ones learn nothing by heart: images then keep their
    size and shape, and so their sharpness, and nearly their colours."""
    words = f"{passes:.3g} passes over the training images: they change in"
    if passes >= FEW_PASSES:
        return Plan(found.config, (*found.reasons, f"{words} place, size, shape and colour"))
    mild = replace(
        found.config,
        augment__zoom=(1.0, 1.0),
        augment__aspect=0.0,
        augment__brightness=0.1,
        augment__contrast=0.15,
        augment__gamma=0.0,
        augment__saturation=0.15,
    )
    return Plan(mild, (*found.reasons, f"{words} place, and a little in colour"))


def optimiser() -> OptimConfig:
    """The pocket recipe's, with the momentum of its classifiers, the decay of its detectors and averaged weights."""
    return OptimConfig(
        name="muon",
        warmup=0.05,
        filter_lr=0.1,
        lr=5e-3,
        momentum=0.85,
        weight_decay=0.05,
        betas=(0.9, 0.98),
        average=0.05,
    )
