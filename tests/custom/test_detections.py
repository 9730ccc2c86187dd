"""What a call returns: names, counts, pictures, plain numbers; and what is said of a detector in one line."""

from __future__ import annotations

import base64
import copy
import io
import json
import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from exported_runs import made_by_hand
from PIL import Image
from tiny_detectors import bright_detector, saved, scene

from pocketrcnn.custom.detections import Detections
from pocketrcnn.custom.onnx.runtime import Detector
from pocketrcnn.errors import UserError

BOX = (8, 4, 24, 20)
IMAGE = scene((64, 48), BOX)
TWO = Detections(
    np.array([[[1, 2, 4, 8], [0, 0, 2, 2]], [[1, 1, 3, 3], [0, 0, 0, 0]]], np.float32),
    np.array([[0.75, 0.5], [0.25, 0]], np.float32),
    np.array([[1, 0], [1, -1]]),
    ("cat", "<dog>"),
)


def test_names_and_counts_are_those_of_one_image() -> None:
    assert TWO[0].names == ["<dog>", "cat"]
    assert [one.names for one in TWO] == [["<dog>", "cat"], ["<dog>"]]
    counts = TWO[0].counts()
    assert (counts.by_class, counts.objects, counts.covered) == ({"cat": 1, "<dog>": 1}, 2, 22)
    assert TWO[1:].counts().by_class == {"cat": 0, "<dog>": 1}
    nameless = replace(TWO, classes=())
    assert nameless[0].names == ["1", "0"]
    assert nameless[0].counts().by_class == {"0": 1, "1": 1}
    for what in ("names", "counts()", "draw(image)"):
        with pytest.raises(UserError, match="is for one image, not 2: use detections"):
            eval(f"TWO.{what}", {"TWO": TWO, "image": IMAGE})


def test_plain_numbers() -> None:
    records = TWO.to_dicts()
    assert records[0] == {"image": 0, "class": "<dog>", "label": 1, "score": 0.75, "box": [1, 2, 4, 8]}
    assert [record["image"] for record in records] == [0, 0, 1]
    assert json.loads(json.dumps(records)) == records
    assert TWO[1].to_dicts() == [records[2] | {"image": 0}]


def test_a_picture_is_of_the_image_that_was_called_with_or_is_given(tmp_path: Path) -> None:
    detector = bright_detector()
    for image in (IMAGE, saved(tmp_path / "a.png", IMAGE), Image.fromarray(IMAGE)):
        detections = detector(image)
        drawn = detections.draw()
        assert drawn.size == (512, 384)
        assert drawn.tobytes() == detections[0].draw().tobytes() == detections[0].draw(image).tobytes()
        enlarged = np.asarray(Image.fromarray(IMAGE).resize((512, 384), Image.Resampling.NEAREST))
        assert (np.asarray(drawn) != enlarged).any()
    several = detector([IMAGE, IMAGE])
    assert several[0].draw(IMAGE[..., ::-1], order="bgr").tobytes() == drawn.tobytes()
    with pytest.raises(UserError, match=r"draw needs the image: detections\[i\]\.draw\(image\)"):
        several[0].draw()


def test_a_notebook_shows_a_picture() -> None:
    html = bright_detector()(IMAGE)._repr_html_()
    source = html.partition("base64,")[2].partition('"')[0]
    assert Image.open(io.BytesIO(base64.b64decode(source))).size == (512, 384)
    assert "<figcaption>1 object: 1 dog</figcaption>" in html
    large = bright_detector()(np.zeros((30, 5000, 3), np.uint8))._repr_html_()
    assert Image.open(io.BytesIO(base64.b64decode(large.partition("base64,")[2].partition('"')[0]))).width == 1024
    assert TWO[0]._repr_html_() == "<p>2 objects: 1 cat, 1 &lt;dog&gt;</p>"
    table = TWO._repr_html_()
    assert "<tr><td>1</td><td>1 object: 1 &lt;dog&gt;</td></tr>" in table
    assert "and 3 more images" in bright_detector()([IMAGE] * 23)._repr_html_()


def test_the_line_of_a_detector(tmp_path: Path) -> None:
    path = made_by_hand(tmp_path / "made.onnx")
    assert repr(Detector.load(path)) == f"<Detector of cat, dog: input 8x8 px, threshold 0.1, {path}>"
    many = replace(bright_detector(), classes=tuple(map(str, range(80))), where="runs/many")
    assert repr(many) == "<Detector of 0, 1, 2, 3 and 76 more: input 64x64 px, threshold 0.5, runs/many>"


def test_an_exported_detector_can_be_copied_and_sent_to_other_processes(tmp_path: Path) -> None:
    detector = replace(Detector.load(made_by_hand(tmp_path / "made.onnx"), threads=1, seconds=9), threshold=0.25)
    (tmp_path / "made.onnx").unlink()
    image = np.zeros((8, 8, 3), np.uint8)
    for again in (pickle.loads(pickle.dumps(detector)), copy.deepcopy(detector)):
        assert again.session is not detector.session
        assert (again.facts, again.threads) == (detector.facts, 1)
        assert again(image).to_dicts() == detector(image).to_dicts()
