"""Images as programs hold them: one or several, in either order of channels, checked before any is read."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from tiny_detectors import bright_detector, saved, scene

from pocketrcnn.custom.inputs import holds_several, pixels_of
from pocketrcnn.errors import UserError

COLOURS = np.random.default_rng(0).integers(0, 256, (5, 7, 3), np.uint8)


def only(images: object, **options: str) -> NDArray[np.uint8]:
    (image,) = pixels_of(images, **options)  # type: ignore[arg-type]
    return image


def test_one_image_or_several() -> None:
    image = Image.fromarray(COLOURS)
    for one in (COLOURS, COLOURS[..., 0], image, "a.png", Path("a.png"), b"a", io.BytesIO(b"a"), {"image": "a.png"}, 7):
        assert not holds_several(one)
    for several in (["a.png"], iter([b"a"]), np.array(["a.png"]), [COLOURS], np.stack([COLOURS]), {"a.png"}):
        assert holds_several(several)


def test_the_order_of_opencv_is_that_of_arrays_alone(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.png", COLOURS)
    for image in (COLOURS[..., ::-1], COLOURS[..., ::-1] / 255, COLOURS[None, ..., ::-1], [COLOURS[..., ::-1]]):
        assert np.array_equal(only(image, order="bgr"), COLOURS)
    opaque = np.dstack([COLOURS[..., ::-1], np.full((5, 7), 255, np.uint8)])
    assert np.array_equal(only(opaque, order="bgr"), COLOURS)
    for image in (path, path.read_bytes(), Image.open(path)):
        assert np.array_equal(only(image, order="bgr"), COLOURS), "files say themselves what they hold"
    assert np.array_equal(only(COLOURS[..., 0], order="bgr")[..., 1], COLOURS[..., 0])
    with pytest.raises(UserError, match=r"the order `brg` of channels is unknown \(did you mean `\w+`\?\): use rgb or"):
        only(COLOURS, order="brg")


@pytest.mark.parametrize(
    ("item", "words"),
    [
        (
            7,
            r"images\[2\]: an object of type `int` is not an image: use a path, bytes, a binary file, a Pillow",
        ),
        ([COLOURS], r"images\[2\]: an object of type `list` is not an image"),
        (None, r"images\[2\]: an object of type `NoneType` is not an image"),
    ],
)
def test_a_wrong_item_is_named_before_anything_is_read(item: object, words: str) -> None:
    with pytest.raises(UserError, match=words):
        pixels_of(["nowhere.png", COLOURS, item])
    with pytest.raises(UserError, match=words):
        list(pixels_of(iter([COLOURS, COLOURS, item])))


@pytest.mark.parametrize(
    ("item", "words"),
    [
        (b"text", r"images\[1\]: the image is not an image that can be read"),
        (io.BytesIO(b"\0\0\0\x20ftypisom" + bytes(200)), r"images\[1\]: the image is a video"),
        (COLOURS.astype(np.int64), r"images\[1\]: an array of int64 is not an image"),
        ("nowhere.png", r"^nowhere\.png is not there"),
    ],
)
def test_what_cannot_be_read_is_named_by_its_place_or_its_file(item: object, words: str) -> None:
    read = pixels_of([COLOURS, item])
    assert np.array_equal(next(read), COLOURS)
    with pytest.raises(UserError, match=words):
        next(read)


def test_a_stream_holds_no_more_than_a_batch() -> None:
    asked = 0

    def camera() -> Iterator[NDArray[np.uint8]]:
        nonlocal asked
        while True:  # it never ends
            asked += 1
            yield scene((64, 64), (8, 8, 8 + asked, 24))

    detector = bright_detector()
    for number, one in zip(range(1, 8), detector.stream(camera(), batch=3), strict=False):
        assert one.boxes.tolist() == [[8, 8, 8 + number, 24]]
        assert asked <= number + 2
        assert one.image is None
    images = [scene((64, 64), (8, 8, 20, 24)), np.zeros((9, 9, 3), np.uint8)]
    together = detector(images)
    for apart, one in zip(detector.stream(iter(images)), together, strict=True):
        assert apart.to_dicts() == one.to_dicts()
    assert list(detector.stream([])) == []


def test_a_stream_refuses_at_once() -> None:
    for images, options, words in (([3], {}, "images"), ([], {"threshold": 2.0}, "score"), ([], {"batch": 0}, "batch")):
        with pytest.raises(UserError, match=words):
            bright_detector().stream(images, **options)  # type: ignore[arg-type]
