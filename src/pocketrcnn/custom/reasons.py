"""What a configuration decides for a data set, and why, in sentences. No torch here.

They are written from the configuration that is trained, so that `--set` and options count in them.
"""

import math
from collections.abc import Sequence

from ..config import AugmentConfig, Config
from ..data.annotations import MIN_SIDE, Annotations, Example
from ..model.architectures import TABLES
from ..report.phrases import listed
from .anchors import Floats, describe_anchors, groups_of, names_of, sides_and_boxes
from .options import STEP
from .plan import MILD, PRESETS, WIDER, learned_classes, max_objects, median_side, widths
from .tiling import LARGEST_SIDE, choose_side, longest_object, small_object, tiles_remedy, too_small

COLOUR = ("brightness", "contrast", "gamma", "saturation", "hue", "noise", "invert", "grey")  # settings of augmentation


def reasons(config: Config, annotations: Annotations, images: int, pace: str = "") -> list[str]:
    """A sentence a decision: input, stride, anchors, warnings, network, length, augmentation.

    annotations: with splits. images: those of training that can be read. pace: the time of the iterations, in words.
    """
    examples, model, train = annotations.split("train"), config.model, config.train
    side, overlap = model.input_size, config.data.tile_overlap
    boxes = sides_and_boxes(examples, None if overlap else side)
    said = [size_reason(examples, side, overlap), stride_reason(config, boxes)]
    if model.rpn is not None:
        groups = groups_of(boxes, names_of(examples))
        said.append(describe_anchors(model.rpn.anchors, boxes, groups) if len(boxes) else "anchors as given")
    said += [*small_objects(config, examples, boxes), *lost_objects(config, examples, boxes)]
    said.append(network_reason(config, learned_classes(annotations)))
    said.append(f"{train.iterations} iterations of {train.batch} images{pace}")
    return [*said, length_reason(config, images)]


def size_reason(examples: Sequence[Example], side: int, overlap: int) -> str:
    """The input size and the sizes of the images; why these are cut into tiles, or are not."""
    longest = [max(example.size or (1, 1)) for example in examples]
    larger = sum(one > side for one in longest)
    low, high = min(longest), max(longest)
    images = f"the longer sides of the images are {f'{low} to {high}' if low < high else low} px"
    if overlap:
        long = f"the longest object is {longest_object(examples):.0f} px long"
        tiles = f"tiles of {side}x{side} px that overlap by {overlap}, {long}"
        return f"{tiles}; {images}, {larger} of {len(longest)} are larger than a tile; {downscaled(examples)}"
    resized = f"{larger} of {len(longest)} are downscaled" if larger else "none is resized"
    return f"input {side}x{side} px; {images}, {resized}{instead(examples, side)}"


def downscaled(examples: Sequence[Example]) -> str:
    """What `--tiles off` would do."""
    side = choose_side(examples)
    there, left = small_object(examples, None), small_object(examples, side)
    return f"with `--tiles off`, in an input of {side} px, small objects have {left:.3g} px ({there:.3g} in the images)"


def instead(examples: Sequence[Example], side: int) -> str:
    """The option for tiles, where small objects are lost without; why there are none, where no tile is large enough."""
    if not too_small(examples, side):
        return ""
    there, left = small_object(examples, None), small_object(examples, side)
    small = f"small objects have {left:.3g} px ({there:.3g} in the images)"
    if remedy := tiles_remedy(examples):
        return f": {small}; {remedy} keeps their resolution"
    if (longest := longest_object(examples)) > LARGEST_SIDE:
        small += f"; no tiles, the longest object, {longest:.0f} px, does not fit into {LARGEST_SIDE} px"
    return f": {small}"


def stride_of(config: Config) -> int:
    """Pixels of the input for a cell of the features."""
    backbone = config.model.backbone
    return backbone.merge or math.prod(row.halves for row in TABLES[backbone.table])


def stride_reason(config: Config, boxes: Floats) -> str:
    """The stride, and the size of the objects."""
    return f"stride {stride_of(config)}: the median object is {median_side(boxes, config.model.input_size):.0f} px"


def small_objects(config: Config, examples: Sequence[Example], boxes: Floats) -> list[str]:
    """A warning where objects are small for the stride."""
    stride, side, overlap = stride_of(config), config.model.input_size, config.data.tile_overlap
    median = median_side(boxes, side)
    if median >= 2 * stride:
        return []
    remedy = small_remedy(examples, side, overlap, 2 * stride / median)
    return [f"warning: the median object is smaller than two cells of {stride} px; {remedy}"]


def small_remedy(examples: Sequence[Example], side: int, overlap: int, factor: float) -> str:
    """What makes objects `factor` times as large: a larger input, or tiles, where the images were downscaled."""
    longest = max(max(example.size or (1, 1)) for example in examples)
    if overlap or longest <= side:
        return "enlarge the images if you can"
    larger = math.ceil(min(side * factor, longest) / STEP) * STEP
    tiles = f", {remedy} keeps their resolution" if (remedy := tiles_remedy(examples)) else ""
    return f"`--input-size {larger}` downscales the images less, and makes training slower{tiles}"


def lost_objects(config: Config, examples: Sequence[Example], boxes: Floats) -> list[str]:
    """Warnings of objects that are too small to be learned, or too many in an input to be detected."""
    side, overlap, detections = config.model.input_size, config.data.tile_overlap, config.model.detections
    warnings = []
    if tiny := int((boxes.min(1) < MIN_SIDE).sum()):
        remedy = small_remedy(examples, side, overlap, MIN_SIDE / float(boxes.min()))
        words = f"{tiny:,} of {len(boxes):,} objects are less than {MIN_SIDE:g} px wide or high in the input"
        warnings.append(f"warning: {words} and cannot be learned; {remedy}")
    if (most := max_objects(examples, side if overlap else None)) > detections:
        where = "a tile" if overlap else "an image"
        words = f"at most {detections:,} of the {most:,} objects in {where} can be detected"
        warnings.append(f"warning: {words}; {fewer_objects(examples, side, overlap)}")
    return warnings


def fewer_objects(examples: Sequence[Example], side: int, overlap: int) -> str:
    """What makes the objects in an input fewer."""
    smaller = side // 2 // STEP * STEP
    if overlap and smaller >= max(STEP, longest_object(examples)):
        return f"`--tiles {smaller}` makes the tiles smaller"
    remedy = "" if overlap else tiles_remedy(examples)
    return f"{remedy} looks at a part at a time" if remedy else "cut the images into smaller ones"


def network_reason(config: Config, classes: int) -> str:
    """The size of the network, as a preset where it is one, and the number of detections."""
    width = config.model.backbone.width
    preset = next((name for name, one in widths(classes).items() if one == width), "")
    wider = f", {WIDER:g} times as wide for {classes} classes" if preset and width > PRESETS[preset] else ""
    named = f"{preset} network{wider}" if preset else f"network of {width:g} times the channels of Table 3"
    return f"{named}, up to {config.model.detections} detections per {'tile' if config.data.tile_overlap else 'image'}"


def length_reason(config: Config, images: int) -> str:
    """How often training sees each of so many images, and what augmentation changes in them."""
    epochs = config.train.iterations * config.train.batch / images
    return f"{epochs:.3g} epochs; augmentation changes {changes(config.augment)}"


def changes(augment: AugmentConfig) -> str:
    """What augmentation changes: `position, size, shape and colour`, or `position, and slightly the colour`, or
    `position and colour, and size and shape in 50 % of the images`.
    """
    zoomed = [name for name, changed in (("size", augment.zoom != (1.0, 1.0)), ("shape", augment.aspect)) if changed]
    amounts = {name: amount for name in COLOUR if (amount := getattr(augment, name))}
    slight = all(amount <= MILD.get(name, 0.0) for name, amount in amounts.items())
    names = ["position"] if augment.translate or augment.shift else []
    names += zoomed if augment.zoomed == 1 else []
    names += ["colour"] if not slight else []
    parts = [listed(names)] if names else []
    if amounts and slight:
        parts.append("slightly the colour")
    if zoomed and 0 < augment.zoomed < 1:
        parts.append(f"{listed(zoomed)} in {100 * augment.zoomed:.0f} % of the images")
    return ", and ".join(filter(None, [", ".join(parts[:-1]), *parts[-1:]])) or "nothing"
