"""What the network sees of images: the side of its input, and whether larger images are cut into tiles. No torch here.

The rule of `--tiles auto`: images are looked at in tiles where most of the largest ones would be downscaled by more
than SHRUNK, and the small objects would then be under SMALL pixels, and the longest object fits into a tile. Where
`--input-size` is given, images are downscaled to it.
"""

import math
from collections.abc import Sequence

import numpy as np

from ..data.annotations import Example
from ..data.images.tiles import EDGE
from ..errors import require
from .anchors import sides_and_boxes
from .options import LARGEST_INPUT, STEP, Tiles

LARGEST_SIDE = 512  # pixels: larger images are downscaled or cut into tiles, and the reasons say so
SMALLEST_SIDE = 64
SMALL_OBJECT = 40.0  # pixels: the input shrinks until the small objects (the 10th percentile) are that large
SMALLEST_TILE = 256  # pixels, of those that are planned
TILE_OBJECTS = 4  # a tile is so many times as long as the longest object, within these limits: less is computed twice
SHRUNK, SMALL = 1.5, 16.0  # factor, and pixels of the input: see above
CELL = 8  # pixels: overlaps are a multiple of it, and so of every stride


def choose_side(examples: Sequence[Example]) -> int:
    """Input size in pixels: that of the images, or smaller where even small objects stay large enough."""
    native = min(LARGEST_SIDE, usual_length(examples))
    shares = np.concatenate(
        [np.sqrt(np.prod(sides_and_boxes([e], None), axis=1)) / max(e.size or (1, 1)) for e in examples]
    )
    enough = SMALL_OBJECT / float(np.quantile(shares, 0.1)) if len(shares) else native
    return max(STEP, math.ceil(min(native, max(enough, SMALLEST_SIDE)) / STEP) * STEP)


def choose_view(examples: Sequence[Example], asked: Tiles = "auto", input_size: int | None = None) -> tuple[int, int]:
    """Side of the input and overlap of the tiles, in pixels; 0: no tiles.

    asked: `--tiles`. Raises UserError for tiles that cannot hold the largest object, or are not of the given side.
    """
    if isinstance(asked, int):
        same = input_size in (None, asked)
        require(same, f"--tiles {asked} and --input-size {input_size} are two sides of the input: leave one out")
        require_room(examples, asked)
        return asked, overlap_of(examples, asked)
    side = input_size or choose_side(examples)
    if asked == "off" or input_size or not too_small(examples, side) or longest_object(examples) > LARGEST_SIDE:
        return side, 0
    side = tile_side(examples)
    return side, overlap_of(examples, side)


def require_room(examples: Sequence[Example], side: int) -> None:
    """Raises UserError where the largest object is longer than a tile."""
    longest = longest_object(examples)
    if longest > side:
        most = math.ceil(longest / STEP) * STEP
        larger = f"use --tiles {most} or more, or " if most <= LARGEST_INPUT else "use "
        name = next(one.path for one in examples if longest_object([one]) == longest)
        require(False, f"--tiles {side}: an object in {name} is {longest:.0f} px long: {larger}--tiles off")


def overlap_of(examples: Sequence[Example], side: int) -> int:
    """Pixels by which tiles overlap: a little more than the longest object, at most half of a tile."""
    return min(side // 2, math.ceil((longest_object(examples) + 2 * EDGE) / CELL) * CELL)


def tile_side(examples: Sequence[Example]) -> int:
    """The side of tiles that suits the objects."""
    wanted = math.ceil(TILE_OBJECTS * longest_object(examples) / STEP) * STEP
    return min(LARGEST_SIDE, max(SMALLEST_TILE, wanted))


def too_small(examples: Sequence[Example], side: int) -> bool:
    """Whether images are downscaled so much to an input of `side` pixels that small objects are lost."""
    return usual_length(examples) > SHRUNK * side and 0 < small_object(examples, side) < SMALL


def usual_length(examples: Sequence[Example]) -> float:
    """The longer side of images, in pixels: 19 of 20 are no longer."""
    return float(np.quantile([max(example.size or (1, 1)) for example in examples], 0.95))


def small_object(examples: Sequence[Example], side: int | None) -> float:
    """The side of small objects in pixels, as square root of the area: a tenth is smaller; 0 without any.

    side: of the input to which images are downscaled; None: in the images.
    """
    sides = np.sqrt(sides_and_boxes(examples, side).prod(1))
    return float(np.quantile(sides, 0.1)) if len(sides) else 0.0


def longest_object(examples: Sequence[Example]) -> float:
    """The longer side of the longest object in pixels of the images; 0 without any."""
    return float(sides_and_boxes(examples, None).max(initial=0))


def tiles_remedy(examples: Sequence[Example]) -> str:
    """The option that looks at large images in tiles; empty where none is larger than a tile, or no object fits."""
    side = tile_side(examples)
    larger = max(max(example.size or (1, 1)) for example in examples) > side
    return f"`--tiles {side}`" if larger and longest_object(examples) <= side else ""


def crops_of(examples: Sequence[Example], side: int) -> int:
    """Crops of `side` pixels that cover these images once."""
    return sum(math.prod(math.ceil(length / side) for length in example.size or (1, 1)) for example in examples)
