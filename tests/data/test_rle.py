"""Run lengths of masks, compressed or not, and the boxes around them, against pycocotools."""

from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pycocotools import mask as coco_mask

from pocketrcnn.data.formats.rle import DIGITS, box_around, decompressed


@given(st.integers(0, 2**32 - 1), st.integers(1, 40), st.integers(1, 40), st.sampled_from([0.0, 0.02, 0.5, 0.98, 1.0]))
def test_masks_of_any_kind(seed: int, height: int, width: int, share: float) -> None:
    mask = np.random.default_rng(seed).random((height, width)) < share
    compressed = coco_mask.encode(np.asfortranarray(mask.astype(np.uint8)))["counts"]
    counts = decompressed(compressed.decode())
    assert sum(counts) == height * width
    again = coco_mask.frPyObjects({"size": [height, width], "counts": counts}, height, width)
    assert again["counts"] == compressed
    rows, columns = np.nonzero(mask)
    if len(rows):
        box = box_around(counts, height, width)
        assert box == (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
        x, y, w, h = coco_mask.toBbox(again)
        assert box == (x, y, x + w, y + h)
    else:
        with pytest.raises(ValueError, match="its mask is empty"):
            box_around(counts, height, width)


def test_large_masks_take_no_memory() -> None:
    """A mask of 10 gigapixels with one pixel in the last row and column."""
    assert box_around([10**10 - 1, 1], 10**5, 10**5) == (99_999, 99_999, 100_000, 100_000)


@given(st.text(max_size=60))
def test_any_text_is_counts_or_refused(text: str) -> None:
    with suppress(ValueError):
        assert all(isinstance(count, int) for count in decompressed(text))


@pytest.mark.parametrize("text", ["o" * (DIGITS + 1) + "0", "o", "0 0", "\u00e9"])
def test_texts_that_are_no_counts(text: str) -> None:
    with pytest.raises(ValueError, match=r"its compressed mask (is not run lengths|ends amid a number)"):
        decompressed(text)


@pytest.mark.parametrize("counts", [[10, 7], [3, -1, 5], [0, 17], [8, 9]])
def test_counts_of_another_size(counts: list[int]) -> None:
    with pytest.raises(ValueError, match="not those of 4x4 pixels"):
        box_around(counts, 4, 4)
