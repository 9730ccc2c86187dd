"""Images that were made smaller or larger after they had been annotated. No torch here.

Annotations state the size of their image. Where nearly all images have another one, by one factor each, all of them
were resized, and boxes count the pixels of the stated size; `conventions` looks whether they do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from .annotations import Box, Example
from .overview import counted

Size = tuple[int, int]
NEARLY_ALL = 0.9  # of the images
ROUNDING = 1.0  # pixels of a side, after resizing


def pairs(examples: Sequence[Example], real: Mapping[Path, Size]) -> list[tuple[Size, Size]]:
    """The stated and the real size of the images that have both."""
    return [(one.size, real[one.path]) for one in examples if one.size and one.path in real]


def was_resized(examples: Sequence[Example], real: Mapping[Path, Size]) -> bool:
    """Whether nearly all images have another size than stated: by a factor, or all the same one.

    Exchanged sides are an orientation, not another size.
    """
    known = pairs(examples, real)
    changed = [(stated, size) for stated, size in known if stated not in (size, size[::-1])]
    if not changed or len(changed) < NEARLY_ALL * len(known):
        return False
    alike = sum(keeps_shape(stated, size) for stated, size in changed)
    one_size = len({size for _, size in changed}) == 1 and len({stated for stated, _ in changed}) > 1
    return alike >= NEARLY_ALL * len(changed) or one_size


def keeps_shape(stated: Size, size: Size) -> bool:
    """Whether one factor leads from one size to the other."""
    factor = max(size) / max(stated)
    return all(abs(side * factor - now) <= ROUNDING for side, now in zip(stated, size, strict=True))


def resized_in_words(examples: Sequence[Example], real: Mapping[Path, Size]) -> str:
    """What is said of the images of a set that were resized."""
    known = pairs(examples, real)
    changed = [(stated, size) for stated, size in known if stated != size]
    factors = {round(size[0] / stated[0], 2) for stated, size in changed}
    by = f"{factors.pop():g} times as large as" if len(factors) == 1 else "of another size than"
    (width, height), (now, high) = changed[0]
    example = f"the first: {now}x{high}, stated {width}x{height}"
    images = f"{counted(len(changed), 'image')} of {len(known):,}"
    return f"{images} {by} their annotations say ({example}): boxes are scaled"


def scaled(box: Box, stated: Size, real: Size) -> Box:
    """A box in pixels of an image of the stated size, in pixels of the real one."""
    across, down = real[0] / stated[0], real[1] / stated[1]
    x1, y1, x2, y2 = box
    return x1 * across, y1 * down, x2 * across, y2 * down
