"""The report of runs: the summary of a run that was trained, and pages from summaries of any shape.

Covers `custom/report/charts.py`, `custom/report/data.py`, `custom/report/summary.py`, `custom/report/gallery.py`,
`custom/report/page.py`, `custom/report/pictures.py`, `custom/report/quality.py`, `custom/report/training.py`.

Covers `custom/report/summary.py`.
"""

from __future__ import annotations

import copy
import json
import re
import shutil
import subprocess
import sys
from base64 import b64decode
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import unquote
from xml.etree import ElementTree

import fake_runs
import numpy as np
import pytest
from pages import Page, section
from PIL import Image
from shell import Shell

from pocketrcnn.custom.detector import Detector
from pocketrcnn.custom.evaluate import evaluate_run
from pocketrcnn.custom.options import TrainOptions
from pocketrcnn.custom.report import charts, gallery, quality, training
from pocketrcnn.custom.report.page import render_runs
from pocketrcnn.custom.report.pictures import errors, picture_uri
from pocketrcnn.custom.report.quality import CELLS, CURVES, gathered
from pocketrcnn.custom.report.summary import evaluation, histogram, run_summary, write_comparison, write_run_report
from pocketrcnn.custom.train import train
from pocketrcnn.data.boxes import Boxes
from pocketrcnn.data.custom_data import open_custom_data
from pocketrcnn.errors import UserError
from pocketrcnn.report.html import write
from pocketrcnn.training.run import open_run

ALL = ["data", "anchors", "training", "quality", "errors", "pictures", "worst", "speed", "repeat"]


def squares(root: Path) -> Path:
    """Eight images with a bright square or two, as COCO with splits: the third class is nowhere."""
    random = np.random.default_rng(0)
    for split, count in {"train": 4, "val": 2, "test": 2}.items():
        images, objects = [], []
        for i in range(count):
            pixels = np.full((40, 48, 3), 30, np.uint8)
            for label in range(1 + i % 2):
                x, y = random.integers(0, 24, 2).tolist()
                pixels[y : y + 14, x : x + 16] = (250, 60 + 150 * label, 60)
                objects.append({"id": len(objects), "image_id": i, "category_id": label, "bbox": [x, y, 16, 14]})
            (root / split).mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels).save(root / split / f"ё {split} {i}.png")
            images.append({"id": i, "file_name": f"ё {split} {i}.png", "width": 48, "height": 40})
        names = [{"id": i, "name": name} for i, name in enumerate(("cat", "dog & <b>", "nowhere"))]
        content = {"images": images, "annotations": objects, "categories": names}
        (root / split / "_annotations.coco.json").write_text(json.dumps(content))
    return root


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run of three iterations, evaluated on validation and on test images."""
    root = tmp_path_factory.mktemp("run report")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("POCKETRCNN_DATA", str(root / "cache"))
        data = squares(root / "my data")
        train(TrainOptions(data, iterations=3, preset="small", out=root / "run", batch=2, input_size=48, device="cpu"))
        evaluate_run(root / "run", None, "test", "cpu")
    return root / "run"


@pytest.fixture(scope="module")
def summary(trained: Path) -> dict[str, Any]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("POCKETRCNN_DATA", str(trained.parent / "cache"))
        return run_summary(open_run(trained, "cpu"))


def test_summaries_are_plain_json(summary: dict[str, Any]) -> None:
    assert json.loads(json.dumps(summary, allow_nan=False)) == summary


def test_summaries_say_what_was_learned_from(summary: dict[str, Any]) -> None:
    assert summary["missing"] == ""
    data = summary["data"]
    assert data["splits"]["train"] == {"images": 4, "objects": 6}
    assert [row["objects"]["train"] for row in data["classes"]] == [4, 2], "no class that nothing is of"
    assert sum(data["per_image"]["counts"]) == 8
    assert data["per_image"]["max"] == 2
    shapes = data["shapes"]
    assert shapes["boxes"] == [[16, 14]] * 6
    assert sum(shapes["sides"]["counts"]) == sum(shapes["overlaps"]["counts"]) == 6
    assert shapes["recall"] == {"0.5": 1.0, "0.7": 1.0}, "the anchors were fitted to these boxes"


def test_pictures_are_those_of_the_test_images(summary: dict[str, Any]) -> None:
    pictures = summary["pictures"]
    assert pictures["split"] == "test"
    assert [picture["name"] for picture in pictures["some"]] == ["ё test 0.png", "ё test 1.png"]
    assert [len(picture["objects"]) for picture in pictures["some"]] == [1, 2]
    assert all(picture["size"] == [48, 40] for picture in pictures["some"])
    for picture in (*pictures["some"], *pictures["worst"]):
        assert all(0 <= part <= 1 for one in picture["objects"] for part in one["box"])


def test_errors_in_the_pictures_are_those_of_the_evaluation(summary: dict[str, Any]) -> None:
    counted = {Path(row["name"]).name: row for row in summary["evaluations"]["test"]["images"]}
    if summary["evaluations"]["test"]["best"] is None:
        counted = {name: row | {"fp": 0, "fn": row["tp"] + row["fn"]} for name, row in counted.items()}
    for picture in summary["pictures"]["worst"]:
        assert sum(one["missed"] for one in picture["objects"]) == counted[picture["name"]]["fn"]


def test_the_worst_images_are_the_worst_of_the_evaluation(summary: dict[str, Any]) -> None:
    wrong = [Path(row["name"]).name for row in summary["evaluations"]["test"]["images"] if row["fp"] + row["fn"]]
    assert [picture["name"] for picture in summary["pictures"]["worst"]] == wrong


def test_pictures_show_what_predict_gives(learned_in_both: Path, shapes: Path) -> None:
    """Whatever the number format of training. Coordinates on the page are rounded, to 0.0005 px here."""
    run, detector = open_run(learned_in_both, "cpu"), Detector.load(learned_in_both, "cpu")
    shown = [picture for picture in run_summary(run)["pictures"]["some"] if picture["detections"]]
    assert len(shown) > 3
    for picture in shown:
        scores, corners = ([mark[name] for mark in picture["detections"]] for name in ("score", "box"))
        detections = detector(shapes / "val" / picture["name"], 0.0)[0]
        np.testing.assert_allclose(scores, detections.scores[: len(scores)], atol=6e-4)
        np.testing.assert_allclose(np.array(corners) * 48, detections.boxes[: len(scores)], atol=1e-3)


def test_the_command_makes_the_same_settings(trained: Path, summary: dict[str, Any]) -> None:
    """Here the call of a program: the options that it gave, and no others."""
    data, out = (str(trained.parent / name) for name in ("my data", "run"))
    given = f"iterations=3, preset='small', out={out!r}, input_size=48, batch=2, device='cpu'"
    assert summary["command"] == f"pocketrcnn.train({data!r}, {given})"


def test_a_run_from_before_says_no_command(trained: Path, tmp_path: Path) -> None:
    """Its env.json has none, and none is made up."""
    shutil.copytree(trained, tmp_path / "run")
    path = tmp_path / "run" / "env.json"
    environment = json.loads(path.read_text())
    del environment["command"]
    path.write_text(json.dumps(environment))
    summary = run_summary(open_run(tmp_path / "run", "cpu"))
    assert summary["command"] == ""
    assert "does not say which command started it" in section(render_runs([summary]), "repeat")


def test_the_whole_page_of_a_trained_run(summary: dict[str, Any]) -> None:
    html = render_runs([summary])
    page = Page(html)
    assert page.attributes("section", "id") == ALL
    assert "On 2 test images with 3 objects" in page.text
    assert "dog & <b>" in page.text
    assert "(maxDets 100)" in page.text
    for row in ("test", "validation"):
        assert row in page.text
    pairs = 2 * (len(summary["pictures"]["some"]) + len(summary["pictures"]["worst"]))
    shown = section(html, "pictures") + section(html, "worst")
    assert shown.count("Detected") == pairs / 2


def test_a_report_is_written_beside_its_facts(trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POCKETRCNN_DATA", str(trained.parent / "cache"))
    shutil.copytree(trained, tmp_path / "run")
    run = open_run(tmp_path / "run", "cpu")
    made = write_run_report(run, open_custom_data(run.config.data))
    assert made == tmp_path / "run" / "report.html"
    summary = json.loads((tmp_path / "run" / "report.json").read_text())
    assert made.read_text() == render_runs([summary]), "the page is a function of the summary"


def test_without_the_data_there_is_a_report_that_says_so(trained: Path, tmp_path: Path) -> None:
    shutil.copytree(trained, tmp_path / "run")
    path = tmp_path / "run" / "config.yaml"
    path.write_text(re.sub(r"source: .*", "source: gone", path.read_text()))
    html = write_run_report(open_run(tmp_path / "run", "cpu")).read_text()
    text = Page(html).text
    assert "gone does not exist" in section(html, "data")
    assert "There are no pictures: gone does not exist" in text
    assert "On 2 test images" in text, "the evaluation is still there"


def test_an_unfinished_run_has_curves_and_no_evaluation(trained: Path, tmp_path: Path) -> None:
    shutil.copytree(trained, tmp_path / "run")
    (tmp_path / "run" / "metrics.json").unlink()
    run = open_run(tmp_path / "run", "cpu")
    summary = run_summary(run, open_custom_data(run.config.data))
    text = Page(render_runs([summary])).text
    assert "This run is not finished" in text
    assert summary["evaluations"] == {}
    assert "Total loss" in text


def test_an_evaluation_of_another_version_is_named(trained: Path, tmp_path: Path) -> None:
    shutil.copytree(trained, tmp_path / "run")
    (tmp_path / "run" / "evaluation-test.json").write_text('{"split": "test"}')
    with pytest.raises(UserError, match=r"evaluation-test.json is of another version: run `pocketrcnn eval"):
        run_summary(open_run(tmp_path / "run", "cpu"))


def test_an_evaluation_from_before_is_read_as_it_is(tmp_path: Path) -> None:
    """Version 0.1 wrote it, when an evaluation was a dict."""
    old = Path(shutil.copy(Path(__file__).with_name("evaluation-0.1.json"), tmp_path / "evaluation-test.json"))
    read = evaluation(tmp_path, "test")
    assert json.loads(json.dumps(vars(read))) == json.loads(old.read_text())
    assert "On 6 test images" in Page(render_runs([fake_runs.run() | {"evaluations": {"test": vars(read)}}])).text


@pytest.mark.parametrize(("name", "content"), [("env.json", "{}"), ("log.jsonl", "{}\n")])
def test_files_that_lack_what_is_shown_are_named(trained: Path, tmp_path: Path, name: str, content: str) -> None:
    shutil.copytree(trained, tmp_path / "run")
    (tmp_path / "run" / name).write_text(content)
    with pytest.raises(UserError, match=rf"{name} is damaged \(object missing .*\): restore it, or delete the folder"):
        run_summary(open_run(tmp_path / "run", "cpu"))


def test_a_page_takes_the_place_of_pages_alone(
    trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was written over whatever was called report.html, or what --out named."""
    shell = Shell(capsys)
    monkeypatch.chdir(tmp_path)
    run = shutil.copytree(trained, tmp_path / "run")
    (tmp_path / "report.html").write_text("mine")
    assert "report.html is not a page of pocket-rcnn: name another file" in shell.refused("report", run, trained)
    assert "is not a page of pocket-rcnn" in shell.refused("report", run, "--out", run / "weights.safetensors")
    assert "is a folder: name a file in it" in shell.refused("report", run, "--out", ".")
    assert (tmp_path / "report.html").read_text() == "mine"
    (tmp_path / "report.html").unlink()
    assert shell("report", run, trained).code == shell("report", run, trained).code == 0, "the page of the run again"


def test_runs_are_told_apart_by_their_folders(
    trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    shell = Shell(capsys)
    monkeypatch.chdir(tmp_path)
    shutil.copytree(trained, tmp_path / "other")
    code, out, _ = shell("report", trained, tmp_path / "other")
    assert (code, out) == (0, "report: report.html\n")
    assert "2 runs compared" in (tmp_path / "report.html").read_text()
    (tmp_path / "empty").mkdir()
    assert "results.json does not exist" in shell.refused("report", trained, tmp_path / "empty")
    (tmp_path / "empty" / "results.json").write_text("{}")
    assert "name it alone" in shell.refused("report", trained, tmp_path / "empty")


def test_a_comparison_says_what_differs(trained: Path, tmp_path: Path) -> None:
    shutil.copytree(trained, tmp_path / "other")
    path = tmp_path / "other" / "config.yaml"
    path.write_text(path.read_text().replace("seed: 0", "seed: 7"))
    runs = [open_run(folder, "cpu") for folder in (trained, tmp_path / "other")]
    html = write_comparison(runs, tmp_path / "page.html").read_text()
    assert "train.seed" in section(html, "settings")
    assert "train.iterations" not in section(html, "settings")
    text = Page(html).text
    assert "cannot be compared" not in text


def test_runs_that_differ_in_the_seed_alone_have_a_mean() -> None:
    runs = [fake_runs.run(name="a"), fake_runs.run(name="b", seed=1)]
    runs[1]["evaluations"] = copy.deepcopy(runs[0]["evaluations"])
    runs[0]["evaluations"]["val"]["overall"] |= {"AP50": 0.5, "AP": 0.25}
    runs[1]["evaluations"]["val"]["overall"] |= {"AP50": 0.7, "AP": 0.35}
    assert "AP50 is 0.600 ± 0.141 and AP 0.300 ± 0.071" in Page(render_runs(runs)).text
    assert "seed alone:" in Page(render_runs(runs)).text
    for run in runs:
        run["settings"]["train.minutes"] = 5.0
    runs[1]["settings"] |= {"data.seed": 1, "train.iterations": 90, "train.evaluation_images": 50}
    assert "seed alone, and in the iterations that their minutes allowed: AP50 is 0.600" in Page(render_runs(runs)).text
    runs[1]["settings"]["model.input_size"] = 64
    assert "seed alone" not in Page(render_runs(runs)).text


def test_a_page_begins_with_four_images_with_ground_truth_and_detections() -> None:
    run = fake_runs.run(classes=2, images=6, objects=3)
    page = render_runs([run])
    top = page.partition("<nav")[0]
    assert top.index("<figure>") < top.index("trained from scratch")
    assert top.count("<img") == 4
    svgs = [unquote(uri.partition(",")[2]) for uri in Page(page).attributes("img", "src")[:4]]
    for svg, image in zip(svgs, run["pictures"]["some"], strict=False):
        assert svg.count("<rect") == 2 * (len(image["objects"]) + len(image["detections"]))
        assert image["image"] in svg, "the stored picture"
    assert "<img" not in render_runs([run | {"pictures": None}]).partition("<nav")[0]
    assert "<img" not in render_runs([run, fake_runs.run(name="b")]).partition("<nav")[0]


def test_metrics_on_other_images_are_not_passed_off_as_comparable() -> None:
    runs = [fake_runs.run(name="a"), fake_runs.run(name="b", images=5)]
    assert "cannot be compared" in Page(render_runs(runs)).text


def test_other_images_in_equal_numbers_are_other_images() -> None:
    """Runs with other seeds on data without splits have other test images, and once had a mean."""
    runs = [fake_runs.run(name="a"), fake_runs.run(name="b", seed=1)]
    runs[1]["evaluations"] = copy.deepcopy(runs[0]["evaluations"])
    for row in runs[1]["evaluations"]["val"]["images"]:
        row["name"] = f"other {row['name']}"
    text = Page(render_runs(runs)).text
    assert "cannot be compared" in text
    assert "seed alone" not in text


def test_a_file_whose_name_is_no_text_does_not_cost_the_page(tmp_path: Path) -> None:
    run = fake_runs.run(name="caf\udce9")
    run["pictures"]["worst"][0]["name"] = "caf\udce9.png"
    write(render_runs([run]), tmp_path / "report.html")
    assert "caf\\udce9.png" in (tmp_path / "report.html").read_text()


def test_runs_of_one_name_are_numbered() -> None:
    text = Page(render_runs([fake_runs.run(name="same"), fake_runs.run(name="same")])).text
    assert "same (1)" in text
    assert "same (2)" in text


@pytest.mark.parametrize(("classes", "images", "objects"), [(1, 4, 3), (2, 3, 0), (10, 1, 1), (40, 2, 100)])
def test_pages_of_any_shape(classes: int, images: int, objects: int) -> None:
    run = fake_runs.run(classes, images, objects)
    kept = copy.deepcopy(run)
    html = render_runs([run])
    page = Page(html)
    assert run == kept
    assert "<script" not in html
    ids = page.attributes("section", "id")
    assert ids == [id for id in ALL if objects or id != "anchors"]
    assert {link[1:] for link in page.attributes("a", "href")} <= set(ids)
    assert all(link.startswith("data:") for link in page.attributes("img", "src"))
    assert all(len(alt) > 10 for alt in page.attributes("img", "alt"))
    for figure in page.figures:
        assert len(figure["figcaption"].strip()) > 30
        assert figure["h4"]
    assert "nan" not in page.text.lower().replace("nano", "")
    assert ("n/a" in page.text) or objects


def test_one_point_and_zero_losses_can_be_drawn() -> None:
    run = fake_runs.run(points=1)
    run["points"][0]["train"] |= {"loss_box": 0.0}
    run["points"][0]["test"] |= {"loss_box": 0.0, "AP": 0.0, "AP50": 0.0, "AP75": 0.0}
    assert "Losses" in render_runs([run])
    run["points"] = []
    assert "The log has no entries yet" in render_runs([run])


def test_a_run_without_evaluation_names_the_command() -> None:
    run = fake_runs.run() | {"evaluations": {}, "pictures": None}
    text = Page(render_runs([run])).text
    assert "This run has no evaluation: pocketrcnn eval makes one" in text
    assert "Without an evaluation: my run" in Page(render_runs([run, fake_runs.run(name="b")])).text


def test_a_colour_stands_for_the_same_run_everywhere() -> None:
    runs = [fake_runs.run() | {"evaluations": {}}, fake_runs.run(name="b")]
    figure = quality.overlaid([("b", training.colour_of(1), runs[1]["evaluations"]["val"])])
    assert figure
    section = quality.comparison(["my run", "b"], {"b": runs[1]["evaluations"]["val"]})
    assert section.blocks[0] == figure


def test_captions_follow_the_numbers() -> None:
    assert training.prose("precision", iterations=[50, 100], values=[0.1, 0.4]).endswith(
        "AP is highest, 0.400, at iteration 100, the last log entry: longer training may help."
    )
    assert training.prose("precision", iterations=[50, 100], values=[0.9, 0.4]).endswith(
        "AP is highest, 0.900, at iteration 50 of 100."
    )
    run = fake_runs.run()
    assert "is lowest at the end" in training.overfitting(run)
    run["points"][-1]["test"]["loss_box"] = 9.0
    assert "is lowest at iteration 75 of 100; it is 3.9 times as high at the end" in training.overfitting(run)


def test_labels_are_absent_where_they_would_hide_the_image() -> None:
    for objects, shown in ((3, True), (30, False)):
        figure = gallery.gallery("", "", fake_runs.run(objects=objects)["pictures"]["some"], named=True)
        svgs = [unquote(panel.uri.partition(",")[2]) for panel in figure.panels]
        assert len(svgs) == 8
        assert all(("<text" in svg) == shown for svg in svgs)
        assert all(ElementTree.fromstring(svg).tag.endswith("svg") for svg in svgs), "names are escaped"


def test_errors_are_those_of_the_evaluation() -> None:
    boxes = np.array([[0, 0, 10, 10], [20, 20, 30, 30], [50, 50, 90, 90]], float)
    truth = [Boxes(boxes[:0], []), Boxes(boxes, [0, 1, 0], crowd=[False, False, True])]
    inside = np.array([[0, 0, 10, 9], [0, 0, 9, 10], [20, 20, 30, 30], [60, 60, 70, 70]], float)
    detections = [Boxes(boxes[:1], [0], [0.5]), Boxes(inside, [0, 0, 0, 0], [0.9, 0.8, 0.7, 0.6])]
    false, missed = zip(*(errors(one, other, 2) for one, other in zip(truth, detections, strict=True)), strict=True)
    assert false == ({0}, {1, 2}), "the second on one object, and one of the wrong class; not that in a crowd"
    assert missed == (set(), {1})


def test_large_pictures_are_downscaled_and_tiny_ones_stay_exact() -> None:
    assert picture_uri(np.zeros((8, 8, 3), np.uint8)).startswith("data:image/png")
    noise = np.random.default_rng(0).integers(0, 255, (900, 1300, 3), np.uint8)
    uri = picture_uri(noise)
    assert uri.startswith("data:image/jpeg")
    assert len(uri) < 640 * 640 * 3


def test_classes_beyond_the_matrix_are_put_together() -> None:
    n = CELLS + 10
    counts = np.random.default_rng(0).integers(0, 9, (n + 1, n + 1)).tolist()
    names, matrix = gathered([*map(str, range(n)), "background"], counts)
    assert len(names) == len(matrix) == CELLS + 1
    assert sum(map(sum, matrix)) == sum(map(sum, counts))
    assert names[-2:] == ["other classes", "background"]


def test_the_page_needs_no_torch() -> None:
    words = "import sys; sys.modules['torch'] = None; import pocketrcnn.custom.report.page"
    subprocess.run([sys.executable, "-c", words], check=True)


def ticks(chart: str) -> list[str]:
    """The texts in a chart."""
    return re.findall(r"<text[^>]*>([^<]*)</text>", b64decode(chart.split(",")[1]).decode())


@pytest.mark.parametrize(
    ("values", "first", "last", "bars"),
    [(range(24, 41), 24, 41, 17), ([5], 5, 6, 1), ([3, 200], 2.97, 202, 24), ([20.5, 22.25], 20.295, 22.4725, 24)],
)
def test_sizes_of_whole_pixels_get_bins_of_whole_pixels(
    values: Sequence[float], first: float, last: float, bars: int
) -> None:
    """Bins of equal ratio between 24 and 40 left every other one empty: a comb."""
    bins = histogram(np.array(values, np.float64), by_ratio=True)
    assert (bins["edges"][0], bins["edges"][-1]) == pytest.approx((first, last))
    assert len(bins["counts"]) == len(bins["edges"]) - 1 == bars
    assert sum(bins["counts"]) == len(values)


def test_a_short_axis_of_sizes_has_several_numbers() -> None:
    """Between 24 and 40 pixels there is one power of 2."""
    short = ticks(charts.shape_chart([(24, 24), (40, 40)], [(32, 32)]))
    assert sum(text.isdigit() for text in short) >= 8, "four an axis"
    assert {"4", "16", "64"} <= set(ticks(charts.shape_chart([(3, 3), (200, 200)], [(32, 32)])))


@pytest.mark.parametrize(("classes", "named"), [(CURVES, False), (CURVES + 1, True)])
def test_the_page_says_which_classes_have_a_curve(classes: int, named: bool) -> None:
    run = fake_runs.run(classes, objects=40)
    evaluated = run["evaluations"]["val"]
    there = sum(map(bool, evaluated["precision_recall"]["classes"]))
    assert there == classes, "every class was seen"
    assert (f"the {CURVES} with most objects have a curve" in render_runs([run])) == named
