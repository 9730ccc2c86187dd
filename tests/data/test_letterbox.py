"""Frames: where the pixels are, and that boxes follow them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pocketrcnn.data.boxes import Boxes
from pocketrcnn.data.images.letterbox import FILL, letterbox, scale_of, scaled_size, to_image

lengths = st.integers(1, 300)


def noise(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)


@pytest.mark.parametrize("side", [1, 16, 48, 256])
def test_an_image_of_the_frames_size_is_unchanged(side: int) -> None:
    image = noise(side, side)
    frame, scales = letterbox(image, side)
    assert np.array_equal(frame, image)
    assert scales == (1.0, 1.0)


def test_a_small_image_lies_in_the_upper_left_corner_on_grey() -> None:
    image = noise(20, 30)
    frame, scales = letterbox(image, 48)
    assert np.array_equal(frame[:20, :30], image)
    assert (frame[20:] == FILL).all()
    assert (frame[:, 30:] == FILL).all()
    assert scales == (1.0, 1.0)


@settings(max_examples=60, deadline=None)
@given(lengths, lengths, st.integers(1, 128))
def test_any_size_fits_with_its_shape_kept(width: int, height: int, side: int) -> None:
    new_width, new_height = scaled_size(width, height, side)
    frame, scales = letterbox(np.zeros((height, width, 3), np.uint8), side)
    assert frame.shape == (side, side, 3)
    assert 1 <= new_width <= side
    assert 1 <= new_height <= side
    assert scales == scale_of(width, height, side)
    assert (frame[:new_height, :new_width] == 0).all()
    assert (frame == 0).sum() == new_height * new_width * 3
    assert abs(new_width * height - new_height * width) <= max(width, height)  # within a pixel
    if max(width, height) >= side:
        assert max(new_width, new_height) == side


@settings(max_examples=60, deadline=None)
@given(lengths, lengths, st.integers(1, 128), st.lists(st.floats(0, 1), min_size=4, max_size=4))
def test_boxes_come_back(width: int, height: int, side: int, parts: list[float]) -> None:
    scales = np.array(scale_of(width, height, side) * 2)
    box = np.array(parts) * (width, height, width, height)
    assert box * scales / scales == pytest.approx(box, rel=1e-12, abs=1e-9)
    assert (np.array([0, 0, width, height]) * scales)[2:] == pytest.approx(scaled_size(width, height, side), rel=1e-12)


def test_boxes_follow_the_pixels() -> None:
    image = np.zeros((300, 400, 3), np.uint8)
    image[60:180, 100:200] = 255
    frame, (right, down) = letterbox(image, 100)
    rows, columns = np.nonzero(frame[:75, :, 0] > 127)
    assert (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1) == (
        100 * right,
        60 * down,
        200 * right,
        180 * down,
    )


def test_thin_images_keep_a_pixel() -> None:
    frame, (right, down) = letterbox(np.zeros((3, 1024, 3), np.uint8), 64)
    assert (right, down) == (1 / 16, 1 / 3)
    assert (frame[0] == 0).all()
    assert (frame[1:] == FILL).all()


def test_making_smaller_averages() -> None:
    """A board of single black and white pixels becomes grey, not stripes."""
    board = np.indices((256, 256)).sum(0) % 2 * 255
    frame, _ = letterbox(np.repeat(board[..., None], 3, 2).astype(np.uint8), 40)
    assert np.abs(frame.astype(int) - 127).max() <= 8


@settings(max_examples=60, deadline=None)
@given(lengths, lengths, st.integers(1, 128), st.lists(st.floats(-0.5, 1.5), min_size=4, max_size=4))
def test_boxes_are_cut_at_the_image_and_dropped_without_area(
    width: int, height: int, side: int, parts: list[float]
) -> None:
    scales = scale_of(width, height, side)
    box = np.array(parts) * (width, height, width, height)
    back = to_image(Boxes([box * np.tile(scales, 2)], [3], [0.5]), scales, (width, height))
    cut = box.clip(0, (width, height, width, height))
    if len(back):
        assert back.boxes[0] == pytest.approx(cut, rel=1e-6, abs=1e-6 * max(width, height))
        assert (back.boxes[0, 2:] > back.boxes[0, :2]).all()
        assert (back.boxes[0, 2:] <= (width, height)).all()
        assert (back.labels.tolist(), back.scores.tolist()) == ([3], [0.5])
        assert np.array_equal(back.boxes, back.boxes.astype(np.float32)), "the precision of what is written"
    else:
        assert (cut[2:] - cut[:2]).min() <= 1e-6 * max(width, height)
