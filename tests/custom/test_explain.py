"""One image explained: what each stage shows is what the network computes, for every kind of network.

Covers `custom/explain/asked.py`, `custom/explain/trace.py`, `custom/explain/overlays.py`, `custom/explain/seeing.py`,
`custom/explain/proposing.py`, `custom/explain/naming.py`, `custom/explain/deciding.py`, `custom/explain/page.py`,
`custom/commands/explaining.py`, `report/crops.py` and `report/overlays.py`.
"""

from __future__ import annotations

import json
import math
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from pages import Page, section
from PIL import Image
from runs_in_seconds import small
from shell import Shell
from tiny_detectors import scene

import pocketrcnn
from pocketrcnn.config import BackboneConfig, ModelConfig, ROIConfig, RPNConfig
from pocketrcnn.course.experiments import NETWORKS
from pocketrcnn.custom.detector import Detector
from pocketrcnn.custom.explain import deciding, naming, overlays, page, proposing
from pocketrcnn.custom.explain.asked import Subject, is_number
from pocketrcnn.custom.explain.trace import Trace, trace
from pocketrcnn.data.boxes import Boxes
from pocketrcnn.errors import UserError
from pocketrcnn.model import boxes
from pocketrcnn.model.faster_rcnn import FasterRCNN
from pocketrcnn.report.blocks import Label
from pocketrcnn.report.charts import heat
from pocketrcnn.training.run import Run

LIMIT = 4_000_000  # bytes of a page
STAGES = ("input", "features", "anchors", "objectness", "proposals", "regions", "classes", "corrections", "detections")
ROI = ROIConfig("transformer", size=4, channels=32, background=True, refine=True, train_box="sampled")
BACKBONE = BackboneConfig(table=3, width=0.5, merge=4)
SHAPES = ((12.0, 12.0), (20.0, 30.0), (40.0, 24.0))


def custom_network(side: int = 64, proposals: int = 40, detections: int = 20) -> ModelConfig:
    """A detector of two classes, as `train` makes them."""
    rpn = RPNConfig(SHAPES, 32, 4, "deltas", positive_iou=0.5, candidates=5 * proposals // 2, proposals=proposals)
    return ModelConfig(BACKBONE, rpn, ROI, side, classes=2, detections=detections)


def detector(config: ModelConfig, names: tuple[str, ...] = ("cat", "dog"), **more: Any) -> Detector:
    """A detector with weights of chance, and some spread in what it says."""
    torch.manual_seed(0)
    model = FasterRCNN(config).eval()
    for part in (model.rpn and model.rpn.objectness, model.rpn and model.rpn.box, model.head and model.head.classify):
        if part is not None:
            torch.nn.init.normal_(part.weight, std=0.05 if isinstance(part, torch.nn.Conv2d) else 0.5)
    return Detector(model, names, **more)


def noise(width: int, height: int, seed: int = 0) -> Any:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


def subject(width: int, height: int, truth: bool = True) -> Subject:
    """An image of noise with two objects."""
    if not truth:
        return Subject("noise.png", "", noise(width, height))
    known = Boxes([[4, 6, 0.5 * width, 0.6 * height], [0.3 * width, 8, width, height]], [0, 1])
    return Subject("noise.png", "", noise(width, height), known, ("cat", "dog"))


@pytest.fixture(scope="module")
def traced() -> Trace:
    return trace(detector(custom_network()), subject(64, 64))


def data_of(html: str) -> Any:
    """What the script of a page reads."""
    start = html.index('id="page-data">') + len('id="page-data">')
    return json.loads(html[start : html.index("</script>", start)])["overlays"]


def written(traced: Trace) -> str:
    """The page, as a reader may get it: its tags are closed."""
    html = page.render(traced, "run")
    assert Page(html).text
    return html


def test_what_stays_is_what_the_network_proposes(traced: Trace) -> None:
    found, rpn = traced.candidates, traced.rpn
    assert found is not None
    shown = traced.prediction.shown[0]
    expected = found.boxes[found.left][: rpn.config.proposals]
    assert torch.equal(expected, traced.prediction.proposals[0][shown][: len(expected)])
    assert 1 < len(expected) < found.used


def test_boxes_for_the_script_are_float32_to_the_bit(traced: Trace) -> None:
    data = data_of(written(traced))
    found = traced.candidates
    assert found is not None
    assert np.array_equal(np.float32(data["proposals"]["boxes"]), found.boxes.numpy())
    assert np.array_equal(np.float32(data["proposals"]["scores"]), found.logits.sigmoid().numpy())
    assert np.array_equal(np.float32(data["detections"]["boxes"]), traced.detections.boxes)
    assert data["detections"]["values"]["score"] == traced.detector.threshold


def test_detections_are_those_of_the_detector(traced: Trace) -> None:
    found = traced.detector(traced.subject.pixels, threshold=0.0)[0]
    assert np.allclose(found.boxes.numpy(), traced.detections.boxes, atol=1e-4)
    assert found.labels.tolist() == traced.detections.labels.tolist()


def test_the_score_of_a_detection_is_the_product_that_is_said(traced: Trace) -> None:
    for i in range(len(traced.detections)):
        words = deciding.made_of(traced, i).split()
        score, objectness, probability = (float(words[place]) for place in (1, 4, 7))
        assert score == pytest.approx(objectness * probability, abs=2e-3)


def test_a_custom_detector_has_all_stages(traced: Trace) -> None:
    html = written(traced)
    assert [id for id in STAGES if f'<section id="{id}"' in html] == list(STAGES)
    assert 'id="missing"' not in html
    assert set(data_of(html)) == {
        "input", "anchors", "matching", "proposals", "regions", "deltas", "refined", "detections",
    }  # fmt: skip
    assert "3 anchors (12 × 12, 20 × 30, 40 × 24 pixels)" in section(html, "anchors")


@pytest.mark.parametrize(
    ("network", "absent", "reason"),
    [
        ("convnet", ("anchors", "objectness", "proposals", "regions", "corrections"), "This network is a classifier"),
        ("rpn-classifier", ("regions", "classes", "corrections"), "This is a proposal network alone"),
        ("rpn", ("regions", "classes"), "This is a proposal network alone"),
        ("detector", (), ""),
        ("detector-max", (), ""),
    ],
)
def test_networks_of_the_course_say_which_stages_are_missing(
    network: str, absent: tuple[str, ...], reason: str
) -> None:
    config = NETWORKS[network]
    names = tuple(map(str, range(10))) if config.roi else ("object",)
    html = written(trace(detector(config, names), subject(config.input_size, config.input_size)))
    assert [id for id in STAGES if f'<section id="{id}"' not in html] == list(absent)
    assert (reason in section(html, "missing")) if reason else 'id="missing"' not in html
    assert len(html) < LIMIT
    if absent:
        assert Page(html).text.count("does not have the stages") == 1


def test_without_the_truth_the_page_says_so() -> None:
    html = written(trace(detector(custom_network()), subject(64, 64, truth=False)))
    assert "What is in the image is not known here" in section(html, "input")
    assert "known only with the ground truth" in section(html, "anchors")
    assert "ground truth" not in section(html, "proposals")
    empty = Subject("a.png", "", noise(64, 64), Boxes(np.zeros((0, 4)), np.zeros(0, int)))
    assert "there is no object in it" in section(written(trace(detector(custom_network()), empty)), "input")


def test_an_image_of_another_size_is_the_part_that_is_shown() -> None:
    smaller = trace(detector(custom_network()), subject(40, 22))
    assert (smaller.looked.filled, smaller.shown) == ((40, 22), (40, 24)), "whole cells of 4 pixels"
    assert "It is not enlarged" in section(written(smaller), "input")
    larger = trace(detector(custom_network()), subject(128, 96))
    assert larger.looked.filled == (64, 48)
    assert larger.looked.truth is not None
    assert larger.looked.truth.boxes[0].tolist() == pytest.approx([2, 3, 32, 28.8])
    assert "downscaled from 128 × 96 to 64 × 48 pixels" in section(written(larger), "input")


@pytest.mark.parametrize(("width", "height"), [(1, 1), (3, 200), (700, 20)])
def test_images_of_odd_shapes(width: int, height: int) -> None:
    html = written(trace(detector(custom_network()), Subject("a <b>.png", "", noise(width, height))))
    assert "How run sees a <b>.png" in Page(html).text


def test_a_network_that_sees_nothing() -> None:
    sure = replace(custom_network(), min_score=1.0)
    assert "detections: 0" in section(written(trace(detector(sure), subject(64, 64))), "detections")
    never = detector(custom_network())
    assert never.model.rpn is not None
    torch.nn.init.constant_(never.model.rpn.objectness.bias, -1e4)  # type: ignore[arg-type]
    assert "0 of 256 cells reach 0.5" in section(written(trace(never, subject(64, 64))), "objectness")


def test_names_are_text() -> None:
    name = "<script>alert(1)</script>"
    image = Subject(name, "", noise(64, 64), Boxes([[1, 1, 60, 60]], [0]), (name,))
    html = written(trace(detector(custom_network(), (name, "x" * 300)), image))
    assert html.count("<script") == 2, "its data and its own"
    assert data_of(html)["input"]["notes"] == [f"{name}, 59 × 59 pixels"]


def test_a_network_of_one_detection_shows_it_whatever_its_score() -> None:
    data = data_of(written(trace(detector(NETWORKS["detector"], tuple("abcdefghij")), subject(48, 48))))
    assert data["detections"]["values"] == {"score": 0.0}
    assert data["proposals"]["values"]["top"] == 1
    assert len(data["proposals"]["boxes"]) == 36, "all anchors, though it takes one"


def test_the_best_anchor_of_each_object_comes_first(traced: Trace) -> None:
    overlap, nearest = torch.tensor([0.9, 0.5, 0.8, 0.6, 0.7]), torch.tensor([0, 0, 0, 1, 1])
    order, leading = proposing.best_of_each_first(torch.tensor([0, 2, 3, 4]), overlap, nearest)
    assert (order.tolist(), leading) == ([0, 4, 2, 3], 2)
    data = data_of(written(traced))["matching"]
    assert data["values"]["top"] == 2
    assert len({note.split(",")[0].split(" with ")[1] for note in data["notes"][:2]}) == 2


def test_of_tiles_the_one_with_most_detections_is_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    tiled = detector(custom_network(), overlap=16, threshold=0.0)
    image = Subject("a.png", "", noise(100, 64), Boxes([[50, 10, 90, 50], [0, 0, 30, 20]], [0, 1]), ("cat", "dog"))
    network = Detector.network

    def more_on_the_right(self: Detector, inputs: Any) -> Any:
        found = network(self, inputs)
        return found if np.array_equal(inputs[0], image.pixels[:, 36:]) else found[:, :1]

    monkeypatch.setattr(Detector, "network", more_on_the_right)
    traced = trace(tiled, image)
    assert traced.looked.number == 1
    assert np.array_equal(traced.looked.pixels, image.pixels[:, 36:])
    assert traced.looked.truth is not None
    assert traced.looked.truth.boxes.tolist() == [[14, 10, 54, 50]]
    assert traced.looked.named == ("cat",)
    assert "2 tiles" in section(written(traced), "input")


def test_the_largest_page_is_small_enough() -> None:
    """An input of 512 pixels of noise, with as many candidates, proposals and detections as `train` may choose."""
    config = custom_network(512, proposals=2000, detections=1000)
    html = page.render(trace(detector(config), subject(640, 512)), "run")
    assert len(html.encode()) < LIMIT
    assert len(data_of(html)["proposals"]["boxes"]) == 5000


def test_regions_shown_one_by_one_lie_apart_and_the_refused_one_is_last(traced: Trace) -> None:
    chosen = naming.best_regions(traced)
    refused = [naming.is_background(traced, index) for index in chosen]
    lying = traced.prediction.regions[0, [index for index, no in zip(chosen, refused, strict=True) if not no]]
    overlap = boxes.iou(lying, lying) - torch.eye(len(lying))
    assert len(chosen) <= naming.REGIONS
    assert len(set(chosen)) == len(chosen)
    assert float(overlap.max()) <= naming.APART
    surest = [index for index in naming.surest_first(traced) if naming.is_background(traced, index)]
    assert not surest or chosen[-1] == surest[0]


def test_the_anchors_of_a_cell_are_those_of_the_largest_object(traced: Trace) -> None:
    row, column = proposing.cell_of(traced, traced.rpn.cells)
    assert (row, column) == (9, 10), "the middle (41.6, 36) of the dog, in cells of 4 pixels"


def test_an_arrow_leads_from_point_to_point() -> None:
    assert deciding.arrow([0, 0], [10, 0], 1) == "M0.00 0.00L10.00 0.00M9.12 -0.48L10.00 0.00L9.12 0.48"
    assert deciding.arrow([3, 3], [3, 3], 1) == ""
    tip = deciding.arrow([0, 0], [0, 1], 5).split("M")[2].split("L")[0].split()
    assert math.dist((0, 1), tuple(map(float, tip))) == pytest.approx(0.4, abs=0.01)


def test_a_correction_in_words() -> None:
    words = deciding.moved([10, 10, 20, 30], [8, 12, 22, 22])
    assert words == "moved 0.0 px right, 3.0 px up, 1.40 times as wide, 0.50 times as high"


def test_labels_are_not_over_each_other() -> None:
    placed = overlays.apart([Label(0, 10, 4, "cat 0.9"), Label(1, 11, 4, "dog 0.8"), Label(50, 10, 4, "dog 0.7")])
    assert [one.y for one in placed] == [10, 15, 10]


def test_heat_is_dark_at_0_and_bright_at_1() -> None:
    dark, middle, bright = heat(np.array([[-1.0, 0.5, 2.0]]))[0].astype(int).sum(-1)
    assert dark < 20 < middle < bright
    assert bright > 500


@pytest.mark.parametrize(
    ("word", "number"), [("12", True), ("0", True), ("a.png", False), ("-1", False), ("1.5", False)]
)
def test_a_number_names_a_test_image(word: str, number: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert is_number(word) == number
    Path(word).touch()
    assert not is_number(word), "a file of that name comes first"


# The command


@pytest.fixture
def empty_desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, which is empty."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def course_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run of F2 on the sample, as `reproduce` leaves them, of a network that has not learned."""
    folder, config = tmp_path_factory.mktemp("course") / "F2", small("F2")
    torch.manual_seed(0)
    model = FasterRCNN(config.model)
    with Run(folder, config, torch.device("cpu")) as run:
        run.finish(model, model, {"metrics": {}, "seconds": 1.0, "elapsed": 1.0, "iterations": 6}, {})
    return folder


def test_a_test_image_of_the_course(
    course_run: Path, shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    code, out, _ = shell("explain", course_run, 12)
    assert code == 0
    assert "explained: test-image-12-explained.html" in out
    html = Path("test-image-12-explained.html").read_text(encoding="utf-8")
    assert "Dashed: the ground truth, 1 object" in section(html, "input")
    assert str(tmp_path) not in html
    assert str(course_run.parent) not in html
    python = pocketrcnn.explain(course_run, 12, out="a.html", quiet=True, dataset=pocketrcnn.open_dataset)
    assert data_of(python.read_text(encoding="utf-8")) == data_of(html)


def test_the_detector_inside_the_package(shell: Shell, tmp_path: Path) -> None:
    code, _, _ = shell("explain", "nuclei", "--out", tmp_path / "a.html")
    html = (tmp_path / "a.html").read_text(encoding="utf-8")
    assert code == 0
    assert "How nuclei sees nuclei-1.png" in Page(html).text
    assert len(html) < LIMIT


@pytest.mark.slow
def test_the_truth_of_a_file_is_found_by_its_content(
    learned: Path, shapes: Path, shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    image = sorted((shapes / "test").glob("*.png"))[1]
    shutil.copy(image, "elsewhere.png")
    assert shell("explain", learned, "elsewhere.png", "--truth").code == 0
    known = data_of(Path("elsewhere-explained.html").read_text(encoding="utf-8"))
    assert shell("explain", learned, 1, "--out", "number.html").code == 0
    numbered = data_of(Path("number.html").read_text(encoding="utf-8"))
    assert known["input"]["boxes"] == numbered["input"]["boxes"] != []
    assert shell("explain", learned, "elsewhere.png", "--data", shapes, "--out", "data.html").code == 0
    assert data_of(Path("data.html").read_text(encoding="utf-8")) == known
    assert shell("explain", learned, "elsewhere.png", "--out", "data.html").code == 0
    assert data_of(Path("data.html").read_text(encoding="utf-8"))["input"]["boxes"] == []


@pytest.mark.slow
def test_a_page_of_a_file(learned: Path, shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    pages = [Image.fromarray(scene((48, 40), (4, 4, 20, 20 + 4 * i))) for i in range(3)]
    pages[0].save("stack.tif", save_all=True, append_images=pages[1:])
    assert shell("explain", learned, "stack.tif[3]").code == 0
    assert Path("stack[3]-explained.html").is_file()


@pytest.mark.slow
def test_what_is_not_there_is_said_in_one_line(
    learned: Path, course_run: Path, shapes: Path, shell: Shell, empty_desk: Path
) -> None:
    Image.fromarray(noise(20, 20)).save("a.png")
    Path("mine.html").write_text("<p>mine</p>", encoding="utf-8")
    for words, message in (
        ([learned, "b.png"], "b.png"),
        ([learned, "a.png", "--truth"], f"a.png is none of the 38 images of {shapes}: leave out --truth"),
        ([learned, "99"], "there is no image 99 among the 6 test images of shapes: use 0 to 5"),
        ([course_run, "40000"], "there is no image 40000 among the 500 images"),
        ([course_run, "a.png", "--truth"], f"the images of {course_run} are made and have no files"),
        (["nuclei", "7"], "there is no image 7 among the 2 examples of nuclei: use 0 to 1"),
        (["nuclei", "a.png", "--truth"], "nuclei has no data here: name those that a.png is of with --data"),
        (["nuclei", "a.png", "--out", "mine.html"], "mine.html is not a page of pocket-rcnn"),
        (["there", "a.png"], "there is not the folder of a run"),
        (["nuclei", ""], ". is a folder: name an image file"),
        (["nuclei", "a.png", "--data", "gone"], "gone, the data of nuclei, is not there: name the data"),
        (["there.onnx", "a.png"], "there.onnx has final boxes alone, and no stages"),
    ):
        assert message in shell.refused("explain", *words)
    assert sorted(path.name for path in empty_desk.iterdir()) == ["a.png", "mine.html"]
    with pytest.raises(UserError, match="their number needs `dataset`"):
        pocketrcnn.explain(course_run, 3)
