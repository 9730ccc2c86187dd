"""Boxes drawn on pictures: what is drawn where, and that nothing else changes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import ImageColor

from pocketrcnn.custom import draw
from pocketrcnn.custom.draw import LabelledBox, draw_boxes, enlarge, picture, reduced
from pocketrcnn.report.colours import BOXES, DETECTION, GROUND_TRUTH

GREY = np.full((48, 48, 3), 128, np.uint8)


def drawn(*marks: LabelledBox, scale: int = 4, width: int = 2) -> NDArray[np.bool_]:
    """Which pixels differ from the picture without marks."""
    return (draw_boxes(GREY, marks, scale, width) != enlarge(GREY, scale)).any(-1)


def test_enlarging_repeats_every_pixel() -> None:
    image = np.arange(2 * 3 * 3, dtype=np.uint8).reshape(2, 3, 3)
    large = enlarge(image, 5)
    assert large.shape == (10, 15, 3)
    assert (large[::5, ::5] == image).all()
    assert (large[4::5, 4::5] == image).all()


@pytest.mark.parametrize("image", [GREY[..., 0], GREY.astype(float), GREY[..., :2]])
def test_only_colour_pictures_of_bytes_are_drawn_on(image: NDArray[np.uint8]) -> None:
    with pytest.raises(ValueError, match=r"uint8 \[H,W,3\]"):
        draw_boxes(image, [])


def test_without_marks_the_picture_is_only_enlarged() -> None:
    assert not drawn().any()


def test_an_outline_lies_inside_of_its_box() -> None:
    changed = drawn(LabelledBox((10, 12, 30, 40)))
    rows, columns = np.nonzero(changed)
    assert (rows.min(), rows.max() + 1) == (4 * 12, 4 * 40)
    assert (columns.min(), columns.max() + 1) == (4 * 10, 4 * 30)
    assert not changed[4 * 12 + 2 : 4 * 40 - 2, 4 * 10 + 2 : 4 * 30 - 2].any()
    assert changed.sum() == 2 * 2 * (80 + 112) - 4 * 4  # four sides of width 2, corners counted once


def test_the_last_mark_lies_on_top() -> None:
    image = draw_boxes(
        GREY, [LabelledBox((10, 10, 30, 30), colour=GROUND_TRUTH), LabelledBox((10, 10, 30, 30), colour=DETECTION)]
    )
    assert tuple(image[40, 40]) == ImageColor.getrgb(DETECTION)


@pytest.mark.parametrize("box", [(10, 2, 40, 20), (10, 25, 40, 44), (40, 20, 48, 30), (-5, -5, 60, 60)])
def test_labels_stay_in_the_picture_and_near_their_box(box: tuple[float, ...]) -> None:
    changed = drawn(LabelledBox(box, "automobile", 0.97)) & ~drawn(LabelledBox(box))
    rows = np.nonzero(changed)[0]
    assert len(rows) > 200
    assert abs(np.median(rows) - 4 * max(box[1], 0)) < 24


def test_text_has_the_score_with_two_decimals() -> None:
    assert LabelledBox((0, 0, 1, 1), "cat", 0.934).text == "cat 0.93"
    assert LabelledBox((0, 0, 1, 1), score=1.0).text == "1.00"
    assert LabelledBox((0, 0, 1, 1), "cat").text == "cat"
    assert LabelledBox((0, 0, 1, 1)).text == ""


@pytest.mark.parametrize(("one", "other"), [("ä", "ö"), ("ñ", "ç"), ("ядро", "мышь"), ("λ", "μ")])
def test_letters_beyond_english_can_be_told_apart(one: str, other: str) -> None:
    first, second = (draw_boxes(GREY, [LabelledBox((10, 30, 40, 44), label)], 8) for label in (one, other))
    assert (first != second).any()


def test_a_box_has_four_numbers() -> None:
    with pytest.raises(ValueError, match="four numbers"):
        LabelledBox((1, 2, 3))


@settings(max_examples=30, deadline=None)
@given(st.tuples(*[st.floats(-100, 150)] * 4), st.sampled_from(BOXES), st.integers(1, 5))
def test_any_box_can_be_drawn(box: tuple[float, ...], colour: str, scale: int) -> None:
    image = draw_boxes(GREY, [LabelledBox(box, "frog", 0.5, colour), LabelledBox(box)], scale)
    assert image.shape == (48 * scale, 48 * scale, 3)
    assert image.dtype == np.uint8


def test_the_picture_itself_is_left_alone() -> None:
    before = GREY.copy()
    draw_boxes(GREY, [LabelledBox((1, 2, 30, 40), "cat")], scale=1)
    assert (before == GREY).all()


def test_large_images_have_pictures_that_are_bounded_and_show_their_small_objects() -> None:
    image = np.full((300, 9000, 3), 90, np.uint8)
    image[120:150, 3000:3030] = 200
    drawn = picture(image, [([3000.0, 120.0, 3030.0, 150.0], 0.9, 0)] * 13, ["cat"])
    assert drawn.shape == (100, 3000, 3), "a third, since 4,096 pixels are the most"
    assert (drawn[42:48, 1002:1008] == 200).all(), "the line hides little of the object"
    assert (drawn[40, 1000:1010] != 200).any()
    assert drawn[0, 0].tolist() == [90, 90, 90]


@given(factor=st.integers(1, 7), width=st.integers(1, 40), height=st.integers(1, 40))
def test_a_smaller_picture_has_the_means_of_squares(factor: int, width: int, height: int) -> None:
    image = np.random.default_rng(0).integers(0, 256, (height * factor, width * factor, 3), np.uint8)
    means = image.reshape(height, factor, width, factor, 3).mean((1, 3))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(draw, "BAND", 100)
        assert np.abs(reduced(image, factor) - means).max() < 0.6
