"""Pictures in data URIs, and boxes over them: the picture is kept, every mark is there, names are escaped."""

from __future__ import annotations

import base64
import io
from urllib.parse import unquote
from xml.etree import ElementTree

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from pocketrcnn.report.marks import LABELLED, Mark, marked, png_size, png_uri

SVG = "{http://www.w3.org/2000/svg}"


def noise(height: int, width: int) -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)


def read_uri(uri: str) -> NDArray[np.uint8]:
    with Image.open(io.BytesIO(base64.b64decode(uri.partition(",")[2]))) as image:
        return np.array(image.convert("RGB"))


def drawing(*marks: Mark, size: tuple[int, int] = (32, 48)) -> ElementTree.Element:
    uri = marked(png_uri(noise(size[1], size[0])), size, marks, 0.06)
    return ElementTree.fromstring(unquote(uri.partition(",")[2]))


def test_a_picture_comes_back_from_its_data_uri() -> None:
    image = noise(48, 32)
    assert (read_uri(png_uri(image)) == image).all()
    assert png_uri(image) == png_uri(image.copy())
    assert png_size(png_uri(image)) == (32, 48)


@pytest.mark.parametrize(
    "uri", ["", "https://example.org/cat.png", "data:image/png;base64,!!", "data:image/png;base64,AAAA"]
)
def test_anything_but_a_png_in_a_data_uri_is_refused(uri: str) -> None:
    with pytest.raises(ValueError, match="a picture"):
        png_size(uri)


def test_the_picture_under_the_boxes_is_the_stored_one() -> None:
    svg = drawing(Mark((0, 0, 1, 1), "#009e73"))
    image = svg.find(f"{SVG}image")
    assert image is not None
    assert (read_uri(image.attrib["href"]) == noise(48, 32)).all()
    assert "pixelated" in image.attrib["style"], "tiny images show their pixels"
    large = drawing(size=(200, 100)).find(f"{SVG}image")
    assert large is not None
    assert "style" not in large.attrib


def test_boxes_lie_where_the_fractions_say() -> None:
    shade, line = drawing(Mark((0.25, 0.5, 0.75, 1), "#009e73", dashed=True)).findall(f"{SVG}rect")
    for rect in (shade, line):
        assert [float(rect.attrib[name]) for name in ("x", "y", "width", "height")] == [8, 24, 16, 24]
    assert line.attrib["stroke"] == "#009e73"
    assert "stroke-dasharray" in line.attrib


def test_errors_are_filled() -> None:
    rects = drawing(Mark((0, 0, 1, 1), "#009e73", filled=True), Mark((0, 0, 1, 1), "#e69f00")).findall(f"{SVG}rect")
    assert [rect.attrib["fill"] for rect in rects[1::2]] == ["#009e73", "none"]


@pytest.mark.parametrize(("count", "shown"), [(LABELLED, True), (LABELLED + 1, False)])
def test_many_boxes_have_no_labels(count: int, shown: bool) -> None:
    svg = drawing(*[Mark((0, 0, 0.5, 0.5), "#009e73", label="<cat> & 'dog' #1 100%")] * count)
    texts = [text.text for text in svg.findall(f"{SVG}text")]
    assert texts == ["<cat> & 'dog' #1 100%"] * count * shown
