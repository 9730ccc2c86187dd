"""COCO's masks as run lengths, and the boxes around them, without a single pixel. No torch here.

The counts are lengths of runs of 0 and 1 in turns, the first of 0, down the columns of the mask, one column after the
other. Compressed, each is a text of digits of 5 bits, the lowest first, from character 48 on; 32 says that more follow,
16 in the last digit that the number is negative. From the fourth on, a count is given as its difference to the one
before the last. This is the format of the COCO API (`maskApi.c`, Dollár and Lin, 2014): https://cocodataset.org/#format-data
"""

from collections.abc import Sequence

from ..annotations import Box

DIGITS = 12  # of a compressed count: 60 bits


def decompressed(text: str) -> list[int]:
    """The counts in a compressed text. Raises ValueError where it is none."""
    counts: list[int] = []
    value, place = 0, 0
    for character in text:
        digit = ord(character) - 48
        if not 0 <= digit < 64 or place >= DIGITS:
            raise ValueError("its compressed mask is not run lengths")
        value |= (digit & 31) << 5 * place
        place += 1
        if digit < 32:
            value -= (digit & 16) << 5 * place - 4
            counts.append(value + (counts[-2] if len(counts) > 2 else 0))
            value, place = 0, 0
    if place:
        raise ValueError("its compressed mask ends amid a number")
    return counts


def box_around(counts: Sequence[int], height: int, width: int) -> Box:
    """The box around a mask, from the outer sides of its outer pixels. Raises ValueError where the mask is empty, or of
    another size."""
    columns: list[int] = []
    rows: list[int] = []
    start = 0
    for i, count in enumerate(counts):
        end = start + count
        if count < 0 or end > height * width:
            raise ValueError(f"the run lengths of its mask are not those of {width}x{height} pixels")
        if i % 2 and count:
            (left, top), (right, bottom) = divmod(start, height), divmod(end - 1, height)
            columns += [left, right]
            rows += [top, bottom] if left == right else [0, height - 1]
        start = end
    if not columns:
        raise ValueError("its mask is empty")
    return float(min(columns)), float(min(rows)), float(max(columns) + 1), float(max(rows) + 1)
