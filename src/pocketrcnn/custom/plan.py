"""What suits a data set: input size, stride, anchors, network and schedule. No torch here.

Three pure steps, from configuration to configuration: `plan_data` (what the data decide), `with_preset` (size of the
network) and `plan_length` (what the number of iterations decides). `reasons.py` says what the last one decided.
"""

import dataclasses
import math
from collections.abc import Sequence
from typing import Any, Literal

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
from ..data.annotations import Annotations, Example
from ..data.images.tiles import origins_of
from ..data.overview import objects_of
from ..errors import UserError
from ..model.architectures import MERGED, scaled
from .anchors import Floats, choose_anchors, names_of, sides_and_boxes
from .options import Anchors, Tiles
from .tiling import choose_view, crops_of

FINE_BELOW = 40.0  # pixels, median side of the objects: below that the features have stride 4, else 8
MAX_DETECTIONS = 1000
MIN_BATCH, MAX_BATCH = 16, 64  # images
BATCH_PIXELS = 16 * 256**2
PRESETS = {"small": 0.5, "medium": 0.75, "large": 1.0}
EVALUATIONS_PER_MINUTE, MIN_EVALUATIONS, MAX_EVALUATIONS = 0.8, 3, 12  # of validation images, while training
EVALUATED, MIN_EVALUATED = 0.05, 50  # images of all evaluations, as a fraction of those trained on; and of each one
FEW_EPOCHS = 15  # with fewer, augmentation costs more than it gains (docs/log.md)
SEVERAL, WIDER = 5, 1.5  # from so many classes on every network is so much wider: it has more to tell (docs/log.md)
AUGMENTATION = AugmentConfig(  # half of the images keep their size, shape and sharpness (docs/log.md)
    "random", aspect=0.15, zoomed=0.5, translate=0.1, brightness=0.15, contrast=0.3, gamma=0.2, saturation=0.3
)
# For few epochs.
MILD: dict[str, Any] = {
    "zoom": (1.0, 1.0),
    "aspect": 0.0,
    "zoomed": 1.0,
    "brightness": 0.1,
    "contrast": 0.15,
    "gamma": 0.0,
    "saturation": 0.15,
}
# The pocket recipe's, with the momentum of its classifiers, the decay of its detectors and averaged weights.
OPTIMISER = OptimConfig(
    "muon", warmup=0.05, filter_lr=0.1, lr=5e-3, momentum=0.85, weight_decay=0.05, betas=(0.9, 0.98), average=0.05
)


def plan_data(
    annotations: Annotations,
    anchors: Anchors | None = None,
    input_size: int | None = None,
    rotate: bool = False,
    batch: int | None = None,
    *,
    tiles: Tiles = "auto",
) -> Config:
    """What follows from a data set with splits: the large network, without the length of its training.

    anchors, input_size, batch: None for values that fit the data. rotate: images have no up and down. tiles: whether
    large images are looked at in tiles, or in tiles of this side.
    Raises UserError where there are no training images, and for tiles that cannot be.
    """
    examples = training_images(annotations)
    side, overlap = choose_view(examples, tiles, input_size)
    boxes = sides_and_boxes(examples, None if overlap else side)
    images = crops_of(examples, side) if overlap else len(examples)
    stride: Literal[4, 8] = 4 if median_side(boxes, side) < FINE_BELOW else 8
    anchors = anchors or choose_anchors(boxes, names_of(examples), side, stride)
    return Config(
        data=DataConfig(str(annotations.root), "folder", annotations.classes, tile_overlap=overlap),
        augment=augmentation(boxes, side, rotate),
        model=network(annotations, side, stride, anchors, max_objects(examples, side if overlap else None)),
        loss=LossConfig(classification=2.0),
        optim=OPTIMISER,
        train=TrainConfig(batch=batch or choose_batch(side, images), monitor="AP", evaluation_images=500),
    )


def training_images(annotations: Annotations) -> tuple[Example, ...]:
    """The images to learn from. Raises UserError where there are none."""
    examples = annotations.split("train")
    if not examples:
        raise UserError(f"{annotations.root} has no training images: add some, or a split named `train`")
    return examples


def with_preset(config: Config, preset: str, classes: int) -> Config:
    """The configuration with a network of another size, one of PRESETS. classes: those that training has objects of."""
    width = widths(classes)[preset]
    return replace(config, model__backbone__width=width, model__rpn__channels=scaled(MERGED, width))


def plan_length(config: Config, images: int, iterations: int, minutes: float = 0.0, views: float = 1.0) -> Config:
    """The configuration for so many iterations on so many training images: evaluations, their images, augmentation.

    minutes: the time that the iterations follow from; 0 where they were given. views: tiles of an image that is
    evaluated, on average. In few epochs nothing is overfitted:
    images then keep their size and shape, and so their sharpness, and nearly their colours.
    """
    train = config.train
    evaluations = round(minutes * EVALUATIONS_PER_MINUTE) if minutes else MAX_EVALUATIONS
    evaluations = min(MAX_EVALUATIONS, max(MIN_EVALUATIONS, evaluations))
    share = round(EVALUATED * iterations * train.batch / evaluations)
    mild = MILD if iterations * train.batch / images < FEW_EPOCHS else {}
    return replace(
        config,
        train__iterations=iterations,
        train__minutes=minutes,
        train__evaluations=evaluations,
        train__evaluation_images=math.ceil(min(train.evaluation_images, max(MIN_EVALUATED, share)) / views),
        **{f"augment__{name}": value for name, value in mild.items()},
    )


def learned_classes(annotations: Annotations) -> int:
    """Classes that training has objects of: what other names a list has does not make a network wider."""
    return len({obj.name for example in annotations.split("train") for obj in objects_of(example)})


def widths(classes: int) -> dict[str, float]:
    """PRESETS for so many classes, as factors on the channels of Table 3."""
    return {name: width * (WIDER if classes >= SEVERAL else 1.0) for name, width in PRESETS.items()}


def choose_batch(side: int, images: int) -> int:
    """Images per iteration: more of small images, but at least 2, and several iterations per epoch."""
    return max(2, min(MAX_BATCH, max(MIN_BATCH, BATCH_PIXELS // side**2), images // 4))


def max_objects(examples: Sequence[Example], tile: int | None = None) -> int:
    """Objects, without crowds, in the image that has most of them, or in the square of `tile` pixels that has."""
    if tile is None:
        return max(sum(not obj.crowd for obj in example.objects) for example in examples)
    return max(max_in_a_tile(example, tile) for example in examples)


def max_in_a_tile(example: Example, side: int) -> int:
    """Objects in the fullest of the tiles of an image that overlap by half."""
    assert example.size is not None, "`check` returns real sizes"
    boxes = np.array([obj.box for obj in objects_of(example)], np.float64).reshape(-1, 4)
    tiles = np.array(origins_of(example.size, side, side // 2), np.float64)
    return max(int(((boxes[:, 2:] > tile) & (boxes[:, :2] < tile + side)).all(1).sum()) for tile in tiles)


def network(annotations: Annotations, side: int, stride: Literal[4, 8], anchors: Anchors, most: int) -> ModelConfig:
    """Faster R-CNN on Table 3, merged to the stride. most: objects in an input.

    Twice as many detections as the fullest input has objects, from twice as many proposals, and enough of these before
    NMS for a dozen anchors around each object: with fewer, the anchors of clear objects leave no room for faint and
    small ones (docs/log.md).
    """
    detections = min(MAX_DETECTIONS, max(20, 2 * most))
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
