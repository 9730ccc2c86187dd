"""The report of runs: the summary of a run that was trained, and pages from summaries of any shape.

Covers `custom/report/charts.py`, `custom/report/data.py`, `custom/report/summary.py`, `custom/report/gallery.py`,
`custom/report/page.py`, `custom/report/pictures.py`, `custom/report/quality.py`, `custom/report/training.py`.
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
from io import BytesIO
from pathlib import Path
from typing import Any

import fake_runs
import numpy as np
import pytest
from pages import Page, section
from PIL import Image
from shell import Shell

from pocketrcnn.custom.detector import Detector
from pocketrcnn.custom.evaluate import evaluate_run
from pocketrcnn.custom.options import TrainOptions
from pocketrcnn.custom.report import charts, gallery, pictures, quality, training
from pocketrcnn.custom.report.page import render_runs
from pocketrcnn.custom.report.pictures import LARGEST, SMALLEST, fitting, lowest_score, picture_uri, shown
from pocketrcnn.custom.report.quality import CELLS, CURVES, gathered
from pocketrcnn.custom.report.summary import evaluation, histogram, run_summary, write_comparison, write_run_report
from pocketrcnn.custom.train import train
from pocketrcnn.data.custom_data import open_custom_data
from pocketrcnn.errors import UserError
from pocketrcnn.evaluation.outcomes import outcomes
from pocketrcnn.report.html import write
from pocketrcnn.training.run import open_run

ALL = ["data", "anchors", "training", "quality", "errors", "speed", "repeat", "images"]


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
    known = summary["pictures"]
    assert (known["split"], known["of"], known["lowest"]) == ("test", 2, 0)
    images = {image["name"]: image for image in known["images"]}
    assert sorted(images) == ["test/ё test 0.png", "test/ё test 1.png"], "from the folder of the data on"
    assert [len(images[name]["objects"]["boxes"]) for name in sorted(images)] == [1, 2]
    for image in images.values():
        assert image["size"] == [48, 40]
        assert all(0 <= value <= 48 for box in image["objects"]["boxes"] for value in box)


def test_counts_in_the_pictures_are_those_of_the_evaluation(summary: dict[str, Any]) -> None:
    evaluated, known = summary["evaluations"]["test"], summary["pictures"]
    assert known["threshold"] == evaluated["confusion"]["threshold"]
    assert [image["name"] for image in known["images"]] == [row["name"] for row in evaluated["images"]]
    for image, row in zip(known["images"], evaluated["images"], strict=True):
        counts = gallery.counted(image, known["threshold"])
        assert counts == {"right": row["tp"], "false": row["fp"], "missed": row["fn"]}


def test_what_was_evaluated_is_not_detected_again(
    trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The report after `train` and `eval` shows their detections; `report` finds the same ones."""
    run, model, data, _ = evaluate_run(shutil.copytree(trained, tmp_path / "run"), None, "test", "cpu")
    found = run_summary(open_run(tmp_path / "run", "cpu"))["pictures"]["images"]
    monkeypatch.setattr(pictures, "detect", None)
    known = run_summary(run, data, model)["pictures"]["images"]
    for one, other in zip(known, found, strict=True):
        assert one["name"] == other["name"]
        assert one["detections"]["kinds"] == other["detections"]["kinds"]
        np.testing.assert_allclose(one["detections"]["scores"], other["detections"]["scores"], rtol=1e-4)


def test_pictures_show_what_predict_gives(learned_in_both: Path, shapes: Path) -> None:
    """Whatever the number format of training. Coordinates on the page are rounded to 0.01 px."""
    run, detector = open_run(learned_in_both, "cpu"), Detector.load(learned_in_both, "cpu")
    seen = [image for image in run_summary(run)["pictures"]["images"] if image["detections"]["boxes"]]
    assert len(seen) > 3
    for image in seen:
        detections = detector(shapes / image["name"], 0.0)[0]
        np.testing.assert_allclose(image["detections"]["scores"], detections.scores, rtol=1e-5)
        np.testing.assert_allclose(image["detections"]["boxes"], detections.boxes, atol=6e-3)


def test_the_command_makes_the_same_settings(trained: Path, summary: dict[str, Any]) -> None:
    """Here the call of a program: the options that it gave, and no others; of paths the last part."""
    given = "iterations=3, preset='small', out='run', input_size=48, batch=2, device='cpu'"
    assert summary["command"] == f"pocketrcnn.train('my data', {given})"


def test_no_folder_of_the_machine_is_in_a_report(trained: Path, summary: dict[str, Any], tmp_path: Path) -> None:
    """Reports are mailed around: not in the page, not where the data are gone, not beside others."""
    other = shutil.copytree(trained, tmp_path / "other")
    html = write_comparison([open_run(trained, "cpu"), open_run(other, "cpu")], tmp_path / "page.html").read_text()
    gone = tmp_path / "gone"
    shutil.copytree(trained, gone)
    path = gone / "config.yaml"
    path.write_text(re.sub(r"source: .*", f"source: {tmp_path / 'data of mine'}", path.read_text()))
    missing = write_run_report(open_run(gone, "cpu")).read_text()
    assert "data of mine does not exist" in missing
    for text in (json.dumps(summary), render_runs([summary]), html, missing, (gone / "report.json").read_text()):
        assert str(trained.parent) not in text
        assert str(tmp_path) not in text
        assert str(Path.home()) not in text
        assert "run report" not in text, "nor a part of a path"


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
    assert "All 2 test images" in section(html, "images")


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


def test_a_page_begins_with_the_worst_the_most_crowded_and_the_best_images() -> None:
    run = fake_runs.run(classes=2, images=20, objects=3)
    page = render_runs([run])
    top, rest = page.split("<nav", maxsplit=1)
    assert top.index("AP50") < top.index("<svg") < top.index("trained from scratch"), "figures, pictures, words"
    groups = gallery.groups(run["pictures"])
    assert list(groups) == ["worst", "most crowded", "best"]
    shown = [image for group in groups.values() for image in group]
    assert len(shown) == len(set(shown)) == 12
    assert top.count("<image") == 12
    assert rest.count("<use") == 12, "no picture is there twice"
    assert rest.count("<image id") == 8
    for picture in run["pictures"]["images"]:
        assert page.count(picture["image"]) == 1
    worst = [gallery.counted(run["pictures"]["images"][number], run["pictures"]["threshold"]) for number in shown[:4]]
    assert all(counts["false"] + counts["missed"] for counts in worst)
    assert "<image" not in render_runs([run | {"pictures": None}])
    assert "<image" not in render_runs([run, fake_runs.run(name="b")])


def test_no_image_is_among_the_worst_that_has_no_error() -> None:
    run = fake_runs.run(images=6, objects=0)
    assert gallery.groups(run["pictures"]) == {}
    assert "All 6 validation images" in render_runs([run])


def test_few_images_are_all_at_the_top() -> None:
    """Three groups of one each were mostly empty page."""
    run = fake_runs.run(images=3)
    assert gallery.groups(run["pictures"]) == {"all": gallery.ranked(run["pictures"])}
    assert "All validation images" in render_runs([run]).partition("<nav")[0]


def test_errors_at_the_threshold_are_those_of_the_evaluation() -> None:
    run = fake_runs.run(classes=3, images=8, objects=6)
    evaluated, counts = run["evaluations"]["val"], gallery.shown_errors(run["pictures"])
    assert (
        counts["FP"] == evaluated["used"]["fp"] == sum(counts[kind] for kind in ("Cls", "Loc", "Both", "Dupe", "Bkg"))
    )
    assert counts["FN"] == evaluated["used"]["fn"] >= counts["Miss"]
    everything = gallery.shown_errors({**run["pictures"], "threshold": 0.0})
    assert {kind: everything[kind] for kind in evaluated["tide"]["errors"]} == evaluated["tide"]["errors"]


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
    run["pictures"]["images"][0]["name"] = "caf\udce9.png"
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
    assert html.count("<script") == html.count("</script>") == 2, "the data and the script of the page"
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
    for objects, few in ((3, True), (30, False)):
        known = fake_runs.run(objects=objects)["pictures"]
        drawn = [gallery.picture(known, number) for number in range(4)]
        assert all(bool(picture.labels) == few for picture in drawn)
        assert all(picture.outlines["missed"] for picture in drawn)


def noise(width: int, height: int) -> Any:
    return np.random.default_rng(0).integers(0, 255, (height, width, 3), np.uint8)


def decoded(uri: str) -> Image.Image:
    with Image.open(BytesIO(b64decode(uri.partition(",")[2]))) as image:
        return image.copy()


def test_tiny_pictures_stay_exact_and_large_ones_are_downscaled() -> None:
    assert picture_uri(noise(48, 32)).startswith("data:image/png")
    assert (np.array(decoded(picture_uri(noise(48, 32)))) == noise(48, 32)).all()
    assert decoded(picture_uri(noise(1300, 900))).size == (LARGEST, 709)
    for room in (10_000, 100_000):
        uri = picture_uri(noise(1300, 900), room)
        assert len(uri) <= room or max(decoded(uri).size) == SMALLEST
        assert len(uri) > 0.1 * room, "not much smaller than it has to be, though noise gives way when it is downscaled"


def test_pictures_share_the_room_of_a_page(tmp_path: Path) -> None:
    """200 of the hardest images: noise. With boxes they have 11 of the 12 million characters that a page may have."""
    sizes = [(640, 480), (90, 90), (64, 300)]
    paths = [tmp_path / f"{number}.png" for number in range(len(sizes))]
    for path, size in zip(paths, sizes, strict=True):
        Image.fromarray(noise(*size)).save(path)
    room = 3 * 11_000_000 // 200
    rows = list(shown(paths, room))
    assert [row["size"] for row in rows] == [list(size) for size in sizes]
    assert sum(len(row["image"]) for row in rows) <= room
    assert len(rows[2]["image"]) > room / 20, "small pictures leave their room to those behind them"


def test_a_page_is_as_large_as_its_pictures_and_boxes_are_counted() -> None:
    """What `pictures.album` gives a page, PAGE characters, is all but a million of the 12 that a page may have."""
    run = fake_runs.run(classes=4, images=30, objects=60)
    known = run["pictures"]["images"]
    html = render_runs([run])
    images = sum(len(image["image"]) for image in known)
    boxes = len(json.dumps([{name: image[name] for name in ("objects", "detections")} for image in known]))
    outlines = pictures.OUTLINE * sum(len(image["objects"]["boxes"]) for image in known)
    assert 0.8 * (images + boxes) < len(html) < images + boxes + outlines + 1_000_000
    assert pictures.PAGE == 11_000_000


def test_more_boxes_than_a_page_has_room_for_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Images beyond the room go, the last ones first; then detections of low scores, but none that is shown."""
    truth, detected = fake_runs.boxes(np.random.default_rng(0), 1, 10, 20)
    known = outcomes(truth, detected, 1, 100)
    assert fitting(known, 0.5) == 10
    assert lowest_score(known, 0.5) == 0
    monkeypatch.setattr(pictures, "BOXES", 80 * 70)  # of the 20 objects and the 7 detections above 0.5 in two images
    assert 1 < fitting(known, 0.5) < 4
    monkeypatch.setattr(pictures, "BOXES", 100 * 50)
    lowest = lowest_score(known, 0.9)
    assert sum((one.detections.scores >= lowest).sum() for one in known) == 50
    assert lowest_score(known, 0.1) == 0.1


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
