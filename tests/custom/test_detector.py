"""The Python interface: every kind of image, boxes in pixels of the image, thresholds, other programs' formats.

Covers `model/interchange.py`.
"""

from __future__ import annotations

import io
import json
import shutil
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from runs_in_seconds import small
from safetensors.torch import save_file
from tiny_detectors import Bright, bright_detector, saved, scene, tiny_run

from pocketrcnn.custom.detector import Detector
from pocketrcnn.errors import UserError
from pocketrcnn.evaluation.thresholds import DEFAULT_THRESHOLD
from pocketrcnn.model.faster_rcnn import FasterRCNN
from pocketrcnn.model.structures import Detections
from pocketrcnn.training.checkpoint import load_tensors, save_tensors
from pocketrcnn.training.run import Run

NOISE = np.random.default_rng(0).integers(0, 256, (48, 64, 3), np.uint8)
LOW = 0.0  # a threshold that lets the guesses of an untrained network pass


@pytest.fixture
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_run(tmp_path_factory)


@pytest.fixture
def detector(run: Path) -> Detector:
    return Detector.load(run, "cpu")


def assert_same(a: Detections, b: Detections) -> None:
    assert all(torch.equal(getattr(a, name), getattr(b, name)) for name in ("boxes", "scores", "labels"))


def test_a_run_and_its_weights_are_one_detector(run: Path, detector: Detector) -> None:
    assert (detector.classes, detector.side) == (("cat", "dog"), 64)
    assert_same(detector(NOISE, LOW), Detector.load(str(run / "weights.safetensors"))(NOISE, LOW))


def test_the_threshold_is_that_of_the_evaluation(run: Path, tmp_path: Path) -> None:
    tensors, metadata = load_tensors(run / "weights.safetensors")
    for stored, wanted in ((0.25, 0.25), (0.0, 0.0), (None, DEFAULT_THRESHOLD)):
        save_tensors(tmp_path / "w.safetensors", tensors, metadata | {"threshold": stored})
        assert Detector.load(tmp_path / "w.safetensors").threshold == wanted


def test_number_formats(run: Path, detector: Detector) -> None:
    exact, short = detector(NOISE, LOW), Detector.load(run, "cpu", "bfloat16")(NOISE, LOW)
    assert short.boxes.dtype == short.scores.dtype == torch.float32
    assert float(short.scores[0, 0]) == pytest.approx(float(exact.scores[0, 0]), abs=0.02)
    with pytest.raises(UserError, match="the precision `int8` is unknown: use auto, float32, bfloat16"):
        Detector.load(run, precision="int8")


def test_every_kind_of_image_gives_the_same(detector: Detector, tmp_path: Path) -> None:
    path = saved(tmp_path / "a.png", NOISE)
    tensor = torch.from_numpy(NOISE).permute(2, 0, 1)
    wanted = detector(NOISE, LOW)
    assert len(wanted) == 1
    assert (wanted.labels >= 0).any()
    kinds = (
        path,
        str(path),
        path.read_bytes(),
        io.BytesIO(path.read_bytes()),
        NOISE.astype("float32"),
        Image.fromarray(NOISE),
        tensor,
        tensor.to(torch.float64),
        (tensor / 255).requires_grad_(),
        tensor[None],
        NOISE[None],
        [NOISE],
        iter([NOISE]),
    )
    for one in kinds:
        assert_same(detector(one, LOW), wanted)


def test_many_at_once_are_one_after_the_other() -> None:
    sizes, detector = [(64, 48), (30, 30), (90, 200), (1, 48), (64, 64), (300, 40)], bright_detector()
    images = [scene(size, (0, size[1] // 2, size[0], size[1])) for size in sizes]
    together, apart = detector(images, batch=4), [detector(image) for image in images]
    assert len(together) == 6
    for i, one in enumerate(apart):
        assert len(one[0]) == 1
        assert_same(together[i], one[0])


@pytest.mark.parametrize("size", [(128, 128), (256, 64), (60, 180), (64, 64), (40, 20)])
def test_boxes_are_in_pixels_of_the_image(size: tuple[int, int]) -> None:
    box = size[0] // 4, size[1] // 4, size[0] // 2, size[1] // 2
    detections = bright_detector(64)(scene(size, box))[0]
    assert detections.labels.tolist() == [1]
    assert detections.boxes[0].tolist() == pytest.approx(box, abs=max(size) / 64)  # the network sees no finer


@settings(deadline=None)
@given(st.integers(1, 300), st.integers(1, 300))
def test_boxes_never_leave_the_image(width: int, height: int) -> None:
    x1, y1, x2, y2 = bright_detector(32)(scene((width, height), (0, 0, width, height)))[0].boxes[0].tolist()
    assert (x1, y1) == (0, 0)
    assert (x2, y2) == pytest.approx((width, height), rel=1e-5)
    assert x2 <= width
    assert y2 <= height


def test_what_lies_beside_an_image_is_dropped() -> None:
    class Corner(Bright):
        def detect(self, images: torch.Tensor) -> Detections:
            boxes = torch.tensor([[40.0, 40, 64, 64], [10, 10, 60, 60]]).expand(len(images), 2, 4)
            return Detections(boxes, torch.tensor([[0.9, 0.8]]), torch.tensor([[0, 1]]))

    detections = replace(bright_detector(), model=Corner(64, 1))(np.zeros((20, 30, 3), np.uint8))  # type: ignore[arg-type]
    assert detections.boxes.tolist() == [[[10, 10, 30, 20]]]
    assert detections.scores.tolist() == [[pytest.approx(0.8)]]


def test_small_images_stay_as_they_are() -> None:
    detector = bright_detector()
    detector(NOISE)
    seen = detector.model.seen
    assert torch.equal(seen[0, :, :48, :64], torch.from_numpy(NOISE).permute(2, 0, 1))


def test_thresholds() -> None:
    detector, image = bright_detector(score=0.75), scene((64, 64), (1, 2, 3, 4))
    counts = [len(detector(image, threshold)[0]) for threshold in (None, 0, 0.75, 0.76, 1)]
    assert counts == [1, 1, 1, 0, 0]
    assert len(replace(detector, threshold=0.8)(image)[0]) == 0
    for wrong in (-0.1, 1.1, float("nan")):
        with pytest.raises(UserError, match="from 0 to 1"):
            detector(image, wrong)
    with pytest.raises(UserError, match="use 1 or more"):
        detector(image, batch=0)


def test_nothing_found_and_no_images() -> None:
    dark = bright_detector()([np.zeros((9, 9, 3), np.uint8)] * 5)
    assert dark.boxes.shape == (5, 0, 4)
    assert dark.to_coco(range(5)) == []
    assert len(bright_detector()([])) == 0


def test_some_images_of_several() -> None:
    """A slice once was one image with the detections of all."""
    box = (8, 4, 24, 20)
    detections = bright_detector()([scene((64, 48), box), np.zeros((8, 8, 3), np.uint8), scene((32, 32), box)])
    for some, kept in ((detections[:2], [0, 1]), (detections[[0, 2]], [0, 2]), (detections[1:], [1, 2])):
        assert len(some) == 2
        for i, index in enumerate(kept):
            assert torch.equal(some[i].boxes, detections[index].boxes)
    assert [record["image_id"] for record in detections[::2].to_coco()] == [1, 2]


def test_images_with_more_and_fewer_detections_are_padded() -> None:
    images = [scene((64, 64), (1, 2, 3, 4)), np.zeros((64, 64, 3), np.uint8), scene((64, 64), (5, 6, 9, 9))]
    detections = bright_detector()(images, batch=1)
    assert detections.labels.tolist() == [[1], [-1], [1]]
    assert detections.boxes[1].tolist() == [[0, 0, 0, 0]]


@pytest.mark.parametrize(
    ("image", "words"),
    [
        (torch.zeros(3, 8, 8, dtype=torch.int64), "an array of int64 is not an image: use uint8, uint16 or floating"),
        (
            torch.zeros(8, 8, 3),
            r"a tensor of float32 \[8, 8, 3\] is not an image: use \[H,W\] or \[C,H,W\] of 1, 3 or 4",
        ),
        (np.zeros((3, 8, 8), np.uint8), r"use \[H,W\], .* here `array.transpose\(1, 2, 0\)`"),
        (np.zeros((8, 8, 5), np.uint8), r"use \[H,W\], .* here three of its channels, as in `array\[\.\.\., :3\]`"),
        ("nowhere.png", "nowhere.png is not there"),
        (None, "an object of type `NoneType` is not an image"),
        ([None], "an object of type `NoneType` is not an image"),
        (io.BytesIO(b"text"), "the image is not an image that can be read"),
        (b"text", "the image is not an image that can be read"),
        ({"image": "a.png"}, "an object of type `dict` is not an image"),
        ("https://example.com/a.jpg", "https://example.com/a.jpg is an address: download it first"),
        (".", r"\. is a folder: name an image file, or each of the images in it"),
    ],
)
def test_what_is_no_image(image: object, words: str) -> None:
    with pytest.raises(UserError, match=words):
        bright_detector()(image)  # type: ignore[arg-type]


def test_a_run_that_is_not_finished(run: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(run, tmp_path / "half")
    (folder / "metrics.json").unlink()
    with pytest.raises(UserError, match=r"half is not finished: `pocketrcnn resume "):
        Detector.load(folder)


def test_a_run_of_a_newer_version(run: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(run, tmp_path / "newer")
    text = (folder / "config.yaml").read_text()
    (folder / "config.yaml").write_text(text.replace("schema: 2", "schema: 99"))
    with pytest.raises(UserError, match="another version"):
        Detector.load(folder)


def other_weights(folder: Path) -> Path:
    """A file of another program."""
    save_file({"weight": torch.zeros(2)}, folder / "foreign.safetensors")
    return folder / "foreign.safetensors"


def test_what_is_no_run(run: Path, tmp_path: Path) -> None:
    for path, words in (
        (tmp_path, "is not the folder of a run"),
        (tmp_path / "nowhere", "is not the folder of a run"),
        (run / "config.yaml", "is not a run: name the folder of a run, then the images"),
        (shutil.copy(run / "weights.safetensors", tmp_path / "a.onnx"), "is not a run: load it with .*runtime"),
        (other_weights(tmp_path), "is damaged or not one of pocketrcnn's files"),
    ):
        with pytest.raises(UserError, match=words):
            Detector.load(path)
    save_tensors(tmp_path / "other.safetensors", {}, {"epoch": 1})
    with pytest.raises(UserError, match="holds no network to predict with"):
        Detector.load(tmp_path / "other.safetensors")


@pytest.mark.parametrize(("experiment", "classes", "side"), [("B2", 10, 32), ("F2", 10, 48), ("R1", 1, 48)])
def test_networks_of_the_course_predict_too(experiment: str, classes: int, side: int, tmp_path: Path) -> None:
    config = small(experiment)
    with Run(tmp_path / "run", config, torch.device("cpu")) as run:
        run.save_model("weights.safetensors", FasterRCNN(config.model))
    (tmp_path / "run" / "metrics.json").write_text(json.dumps({"metrics": {}, "seconds": 1, "iterations": 1}))
    detector = Detector.load(tmp_path / "run", "cpu")
    assert (len(detector.classes), detector.side, detector.threshold) == (classes, side, DEFAULT_THRESHOLD)
    detections = detector(NOISE, 0)
    assert detections.labels.shape == (1, 1)
    assert 0 <= detections.labels[0, 0] < classes


def test_a_network_can_be_trained_on_after_it_has_predicted() -> None:
    model = FasterRCNN(small("B2").model)
    Detector(model.eval(), ("object",) * 10)(NOISE)
    prediction = model.train()(torch.zeros(2, 3, 32, 32, dtype=torch.uint8))
    assert prediction.logits is not None
    prediction.logits.sum().backward()
    assert model.backbone.blocks[-1].conv.weight.grad is not None


def test_coco_results() -> None:
    boxes = torch.tensor([[[1.0, 2, 4, 8], [0, 0, 1, 1]], [[0, 0, 0, 0], [0, 0, 0, 0]]])
    detections = Detections(boxes, torch.tensor([[0.5, 0.25], [0, 0]]), torch.tensor([[1, 0], [-1, -1]]))
    first = {"image_id": 7, "category_id": 2, "bbox": [1.0, 2.0, 3.0, 6.0], "score": 0.5}
    records = detections.to_coco([7, 9])
    assert records == [first, {"image_id": 7, "category_id": 1, "bbox": [0.0, 0.0, 1.0, 1.0], "score": 0.25}]
    assert json.loads(json.dumps(records)) == records
    assert detections.to_coco([7, 9], category_ids=[30, 40])[0] == first | {"category_id": 40}
    for wrong in (
        lambda: detections.to_coco([7]),
        lambda: detections[0].to_coco([7, 9]),
        lambda: detections[0].to_coco([]),
    ):
        with pytest.raises(
            UserError, match=r"to_coco: \d image ids, images: \d; give one id an image, or leave them out"
        ):
            wrong()


def test_coco_results_without_ids_count_from_one() -> None:
    images = [scene((64, 64), (1, 2, 4, 8)), scene((64, 64), (0, 0, 1, 1))]
    detections = bright_detector()(images)
    assert detections.to_coco() == detections.to_coco([1, 2])
    assert [record["image_id"] for record in detections.to_coco()] == [1, 2]
    assert detections[1].to_coco() == detections[1].to_coco([1]) == bright_detector()(images[1]).to_coco()
    assert detections[1].to_coco([2], [30, 40]) == detections.to_coco(category_ids=[30, 40])[1:]
    assert bright_detector()([]).to_coco() == []


def test_supervision(monkeypatch: pytest.MonkeyPatch) -> None:
    detections = bright_detector()([scene((64, 64), (1, 2, 3, 4))] * 2)
    monkeypatch.setitem(sys.modules, "supervision", None)
    with pytest.raises(UserError, match="pip install supervision"):
        detections[0].to_supervision()
    monkeypatch.setitem(sys.modules, "supervision", SimpleNamespace(Detections=lambda **given: given))
    with pytest.raises(UserError, match=r"not 2: use detections\[i\]"):
        detections.to_supervision()
    arrays = detections[0].to_supervision()
    assert arrays["xyxy"].tolist() == [[1, 2, 3, 4]]
    assert (arrays["confidence"].tolist(), arrays["class_id"].tolist()) == ([0.75], [1])
    single = Detections(detections.boxes[:1], detections.scores[:1], detections.labels[:1])
    assert single.to_supervision()["xyxy"].tolist() == arrays["xyxy"].tolist()
    assert detections[1].to_supervision()["xyxy"].shape == (1, 4)


def test_supervision_gets_the_names_of_classes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its labels showed numbers."""
    monkeypatch.setitem(sys.modules, "supervision", SimpleNamespace(Detections=lambda **given: given))
    detections = bright_detector()([scene((64, 64), (1, 2, 3, 4)), np.zeros((9, 9, 3), np.uint8)])
    assert detections.classes == detections[0].classes == detections[:1].classes == ("cat", "dog")
    assert detections[0].to_supervision()["data"]["class_name"].tolist() == ["dog"]
    assert detections[0].to_supervision(["Katze", "Hund"])["data"]["class_name"].tolist() == ["Hund"]
    assert detections[1].to_supervision()["data"]["class_name"].shape == (0,)
    nameless = replace(detections, classes=())
    assert nameless[0].to_supervision()["data"] == {}


@pytest.mark.parametrize("default", [torch.float64, torch.bfloat16])
def test_another_default_number_format_of_torch_changes_nothing(
    default: torch.dtype, run: Path, detector: Detector
) -> None:
    """Another library may have set it: detection ended in a traceback."""
    wanted = detector(NOISE, LOW)
    torch.set_default_dtype(default)
    try:
        assert_same(detector(NOISE, LOW), wanted)
        loaded = Detector.load(run, "cpu")
        assert_same(loaded(NOISE, LOW), wanted)
        assert {parameter.dtype for parameter in loaded.model.parameters()} == {torch.float32}
    finally:
        torch.set_default_dtype(torch.float32)
