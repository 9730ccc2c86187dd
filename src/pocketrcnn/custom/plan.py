"""What suits a data set: input size, stride, anchors, network and schedule. No torch here.

Three pure steps: `plan_data` (what the data decide), `with_preset` (size of the network) and `plan_length` (what the
number of iterations decides). Each adds a sentence per decision to the reasons.
"""

import dataclasses
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
from .anchors import Floats, choose_anchors, describe_anchors, sides_and_boxes
from .options import STEP, Anchors

LARGEST_SIDE = 512  # pixels: larger images are downscaled, and the reasons say so
SMALLEST_SIDE = 64
SMALL_OBJECT = 40.0  # pixels: the input shrinks until the small objects (the 10th percentile) are that large
FINE_BELOW = 40.0  # pixels, median side of the objects: below that the features have stride 4, else 8
MAX_DETECTIONS = 1000
MIN_BATCH, MAX_BATCH = 16, 64  # images
BATCH_PIXELS = 16 * 256**2
PRESETS = {"small": 0.5, "medium": 0.75, "large": 1.0}
EVALUATIONS_PER_MINUTE, MIN_EVALUATIONS, MAX_EVALUATIONS = 0.8, 3, 12  # of validation images, while training
EVALUATED, MIN_EVALUATED = 0.05, 50  # images of all evaluations, as a fraction of those trained on; and of each one
FEW_EPOCHS = 15  # with fewer, augmentation costs more than it gains (docs/log.md)
SEVERAL, WIDER = 5, 1.5  # from so many classes on every network is so much wider: it has more to tell (docs/log.md)
AUGMENTATION = AugmentConfig(
    "random", aspect=0.15, translate=0.1, brightness=0.15, contrast=0.3, gamma=0.2, saturation=0.3
)
# For few epochs.
MILD = {"zoom": (1.0, 1.0), "aspect": 0.0, "brightness": 0.1, "contrast": 0.15, "gamma": 0.0, "saturation": 0.15}
# The pocket recipe's, with the momentum of its classifiers, the decay of its detectors and averaged weights.
OPTIMISER = OptimConfig(
    "muon", warmup=0.05, filter_lr=0.1, lr=5e-3, momentum=0.85, weight_decay=0.05, betas=(0.9, 0.98), average=0.05
)


@dataclass(frozen=True)
class Plan:
    """A configuration, and a sentence for each decision in it."""

    config: Config
    reasons: tuple[str, ...]


def choose_side(examples: Sequence[Example]) -> int:
    """Input size in pixels: that of the images, or smaller where even small objects stay large enough."""
    longest = np.array([max(example.size or (1, 1)) for example in examples])
    native = min(LARGEST_SIDE, float(np.quantile(longest, 0.95)))
    shares = np.concatenate(
        [np.sqrt(np.prod(sides_and_boxes([e], 10**9), axis=1)) / max(e.size or (1, 1)) for e in examples]
    )
    enough = SMALL_OBJECT / float(np.quantile(shares, 0.1)) if len(shares) else native
    return max(STEP, math.ceil(min(native, max(enough, SMALLEST_SIDE)) / STEP) * STEP)


def plan_data(
    annotations: Annotations,
    anchors: Anchors | None = None,
    input_size: int | None = None,
    rotate: bool = False,
    batch: int | None = None,
) -> Plan:
    """What follows from a data set with splits: the large network, without the length of its training.

    anchors, input_size, batch: None for values that fit the data. rotate: images have no up and down.
    Raises UserError where there are no training images.
    """
    examples = annotations.split("train")
    if not examples:
        raise UserError(f"{annotations.root} has no training images: add some, or a split named `train`")
    side = input_size or choose_side(examples)
    boxes = sides_and_boxes(examples, side)
    fitted, words = choose_anchors(boxes, side)
    if anchors:
        fitted, words = anchors, describe_anchors(anchors, boxes) if len(boxes) else "anchors as given"
    median = median_side(boxes, side)
    stride: Literal[4, 8] = 4 if median < FINE_BELOW else 8
    model = network(annotations, side, stride, fitted)
    reasons = [size_reason(examples, side), f"stride {stride}: the median object is {median:.0f} px", words]
    if median < 2 * stride:
        remedy = small_remedy(examples, side, 2 * stride / median)
        reasons.append(f"warning: the median object is smaller than two cells of {stride} px; {remedy}")
    reasons += lost_objects(examples, boxes, side, model.detections)
    config = Config(
        data=DataConfig(source=str(annotations.root), kind="folder", classes=annotations.classes),
        augment=augmentation(boxes, side, rotate),
        model=model,
        loss=LossConfig(classification=2.0),
        optim=OPTIMISER,
        train=TrainConfig(batch=batch or choose_batch(side, len(examples)), monitor="AP", evaluation_images=500),
    )
    return Plan(config, tuple(reasons))


def with_preset(plan: Plan, preset: str) -> Plan:
    """The plan with a network of another size, one of PRESETS."""
    model = plan.config.model
    width = widths(model.classes)[preset]
    wider = f", {WIDER:g} times as wide for {model.classes} classes" if width > PRESETS[preset] else ""
    reason = f"{preset} network{wider}, up to {model.detections} detections per image"
    config = replace(plan.config, model__backbone__width=width, model__rpn__channels=scaled(MERGED, width))
    return Plan(config, (*plan.reasons, reason))


def plan_length(plan: Plan, images: int, iterations: int, minutes: float = 0.0) -> Plan:
    """The plan for so many iterations on so many training images: evaluations, their images, and augmentation.

    minutes: the time that the iterations follow from; 0 where they were given. In few epochs nothing is overfitted:
    images then keep their size and shape, and so their sharpness, and nearly their colours.
    """
    train = plan.config.train
    evaluations = round(minutes * EVALUATIONS_PER_MINUTE) if minutes else MAX_EVALUATIONS
    evaluations = min(MAX_EVALUATIONS, max(MIN_EVALUATIONS, evaluations))
    share = round(EVALUATED * iterations * train.batch / evaluations)
    config = replace(
        plan.config,
        train__iterations=iterations,
        train__minutes=minutes,
        train__evaluations=evaluations,
        train__evaluation_images=min(train.evaluation_images, max(MIN_EVALUATED, share)),
    )
    epochs = iterations * train.batch / images
    if epochs >= FEW_EPOCHS:
        changes = "position, size, shape and colour"
    else:
        changes, config = (
            "position, and slightly the colour",
            replace(config, **{f"augment__{name}": value for name, value in MILD.items()}),
        )
    return Plan(config, (*plan.reasons, f"{epochs:.3g} epochs; augmentation changes {changes}"))


def widths(classes: int) -> dict[str, float]:
    """PRESETS for so many classes, as factors on the channels of Table 3."""
    return {name: width * (WIDER if classes >= SEVERAL else 1.0) for name, width in PRESETS.items()}


def choose_batch(side: int, images: int) -> int:
    """Images per iteration: more of small images, but at least 2, and several iterations per epoch."""
    return max(2, min(MAX_BATCH, max(MIN_BATCH, BATCH_PIXELS // side**2), images // 4))


def size_reason(examples: Sequence[Example], side: int) -> str:
    """The input size and the sizes of the images."""
    longest = [max(example.size or (1, 1)) for example in examples]
    larger = sum(one > side for one in longest)
    resized = f"{larger} of {len(longest)} are downscaled" if larger else "none is resized"
    return f"input {side}x{side} px; the longer sides of the images are {min(longest)} to {max(longest)} px, {resized}"


def small_remedy(examples: Sequence[Example], side: int, factor: float) -> str:
    """What makes objects `factor` times as large: a larger input, where the images were downscaled."""
    longest = max(max(example.size or (1, 1)) for example in examples)
    if longest <= side:
        return "enlarge the images if you can"
    larger = math.ceil(min(side * factor, longest) / STEP) * STEP
    return f"`--input-size {larger}` downscales the images less, and makes training slower"


def lost_objects(examples: Sequence[Example], boxes: Floats, side: int, detections: int) -> list[str]:
    """Warnings of objects that are too small to be learned, or too many in an image to be detected."""
    warnings = []
    if tiny := int((boxes.min(1) < MIN_SIDE).sum()):
        remedy = small_remedy(examples, side, MIN_SIDE / float(boxes.min()))
        words = f"{tiny:,} of {len(boxes):,} objects are less than {MIN_SIDE:g} px wide or high in the input"
        warnings.append(f"warning: {words} and cannot be learned; {remedy}")
    if (most := max_objects(examples)) > detections:
        words = f"at most {detections:,} of the {most:,} objects in an image can be detected"
        warnings.append(f"warning: {words}; cut the images into smaller ones")
    return warnings


def max_objects(examples: Sequence[Example]) -> int:
    """Objects, without crowds, in the image that has most of them."""
    return max(sum(not obj.crowd for obj in example.objects) for example in examples)


def network(annotations: Annotations, side: int, stride: Literal[4, 8], anchors: Anchors) -> ModelConfig:
    """Faster R-CNN on Table 3, merged to the stride.

    Twice as many detections as the fullest image has objects, from twice as many proposals, and enough of these before
    NMS for a dozen anchors around each object: with fewer, the anchors of clear objects leave no room for faint and
    small ones (docs/log.md).
    """
    detections = min(MAX_DETECTIONS, max(20, 2 * max_objects(annotations.split("train"))))
    proposals = max(100, 2 * detections)
    rpn = RPNConfig(
        anchors=anchors,
        channels=scaled(MERGED, 1.0),  # as many as the merged map has
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
        pool="transformer", channels=256, train_box="sampled", background=True, refine=True, positive_fraction=0.25
    )
    backbone = BackboneConfig("residual", table=3, merge=stride, whiten=True, identity=True)
    return ModelConfig(backbone, rpn, roi, side, len(annotations.classes), detections, nms_iou=0.6, min_score=0.01)


def median_side(boxes: Floats, side: int) -> float:
    """Side of the median object in pixels; without objects, a quarter of the input size."""
    return float(np.median(np.sqrt(boxes.prod(-1)))) if len(boxes) else side / 4


def augmentation(boxes: Floats, side: int, rotate: bool) -> AugmentConfig:
    """Random changes for photographs and microscopes alike; large objects shrink more than they grow.

    boxes: width and height [n,2] in an input of `side` pixels. rotate: by multiples of 90 degrees, and upside down.
    """
    zoom = (0.6, 1.4) if median_side(boxes, side) < 0.3 * side else (0.5, 1.2)
    return dataclasses.replace(AUGMENTATION, flip_vertical=rotate, rotate=rotate, zoom=zoom)
