"""Metrics belong to the weights, the images and the run that they are of, whatever is done to these afterwards."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from importlib import import_module
from pathlib import Path
from typing import Any
from unittest import mock

import datasets_on_disk
import numpy as np
import painted
import pytest
import torch
from PIL import Image
from runs_in_seconds import evaluated, evaluation, interrupt_after, metrics, quick

from pocketrcnn.cli.main import main
from pocketrcnn.config import TrainConfig
from pocketrcnn.custom import evaluate as evaluate_module
from pocketrcnn.custom.evaluate import evaluate_run
from pocketrcnn.custom.train import resume
from pocketrcnn.data.boxes import Boxes
from pocketrcnn.data.custom_data import open_custom_data
from pocketrcnn.data.files import LOCK, locked
from pocketrcnn.errors import UserError
from pocketrcnn.evaluation.average_precision import evaluate
from pocketrcnn.evaluation.thresholds import DEFAULT_THRESHOLD
from pocketrcnn.training.checkpoint import load_tensors
from pocketrcnn.training.clock import Clock
from pocketrcnn.training.run import open_run, saved_splits
from pocketrcnn.training.signals import Interrupted
from pocketrcnn.training.state import State

pytestmark = pytest.mark.slow


@pytest.fixture
def copied(learned: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(learned, tmp_path / "run"))


def test_a_run_that_is_trained_on_forgets_the_metrics_of_the_weights_before(shapes: Path, tmp_path: Path) -> None:
    """Its page showed them beside those of the new ones."""
    run = quick(shapes, tmp_path / "run")
    evaluate_run(run, None, "test", "cpu")
    assert set(json.loads((run / "report.json").read_text())["evaluations"]) == {"val"}
    resume(run, None, 3, "cpu")
    assert not (run / "evaluation-test.json").exists()
    assert set(json.loads((run / "report.json").read_text())["evaluations"]) == {"val"}


def test_a_run_that_is_trained_on_meanwhile_gets_no_evaluation_of_its_old_weights(
    copied: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    detect = evaluate_module.detect

    def meanwhile(*given: Any) -> Any:
        resume(copied, None, 41, "cpu")
        return detect(*given)

    with monkeypatch.context() as patch:
        patch.setattr(evaluate_module, "detect", meanwhile)
        with pytest.raises(UserError, match="run was trained for longer meanwhile: run the same command again"):
            evaluate_run(copied, None, "test", "cpu")
    assert not (copied / "evaluation-test.json").exists()
    monkeypatch.setattr(evaluate_module, "WAIT", 0.01)
    with locked(copied / LOCK), pytest.raises(UserError, match="run is in use by another program"):
        evaluate_run(copied, None, "test", "cpu")
    assert not (copied / "evaluation-test.json").exists()


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often the slow parts of an evaluation are called."""
    counts: Counter[str] = Counter()
    for module, name in (
        ("data.images.pixels", "with_opened"),
        ("data.custom_data", "inspect"),
        ("data.custom_data", "read"),
        ("training.run", "load_tensors"),
        ("evaluation.average_precision", "matched"),
    ):
        whole = getattr(import_module(f"pocketrcnn.{module}"), name)

        def counted(*given: Any, whole: Any = whole, name: str = name, **named: Any) -> Any:
            counts[name] += 1
            return whole(*given, **named)

        monkeypatch.setattr(f"pocketrcnn.{module}.{name}", counted)
    return counts


def test_eval_reads_everything_once(copied: Path, calls: Counter[str], capsys: pytest.CaptureFixture[str]) -> None:
    """The data were read and checked twice, and the weights read three times."""
    for inputs in (6, 0):  # those of the test images, which stay in the cache
        calls.clear()
        assert main(["eval", str(copied), "--device", "cpu"]) == 0
        assert "report.html" in capsys.readouterr().out
        assert (calls["read"], calls["inspect"], calls["load_tensors"]) == (1, 1, 1)
        assert calls["with_opened"] == 38 + inputs + 6, "all images are checked, and six are shown"
        assert calls["matched"] == 2, "at ten IoUs, and at one to know which detections are right"


def test_train_matches_once_more_at_the_end(shapes: Path, tmp_path: Path, calls: Counter[str]) -> None:
    """All detections were matched three times for one evaluation."""
    run = quick(shapes, tmp_path / "run")
    points = len(open_run(run).log_entries())
    with mock.patch("pocketrcnn.evaluation.average_precision.average_precision") as on_the_way:
        on_the_way.return_value = dict.fromkeys(("AP", "AP50", "AP75", "AR"), 0.5)
        calls.clear()
        quick(shapes, tmp_path / "again")
    assert on_the_way.call_count == points, "none for the last evaluation"
    assert calls["matched"] == 2
    assert (calls["read"], calls["inspect"]) == (1, 1)


@pytest.mark.parametrize("content", ["{}", '{"0a": "Test"}', '{"0a": 1}', '{"0a": ["test"]}', "broken"])
def test_splits_that_cannot_be_trusted_are_named(copied: Path, content: str) -> None:
    """Without them every image counted as a test image, those of training too."""
    (copied / "splits.json").write_text(content)
    with pytest.raises(UserError, match=r"splits\.json is damaged .* or delete the folder .* and train again"):
        evaluate_run(copied, None, None, "cpu")


def test_a_missing_evaluation_names_the_command_that_makes_it(copied: Path) -> None:
    (copied / "evaluation-val.json").unlink()
    with pytest.raises(UserError, match=r"cannot be read .* run `pocketrcnn eval .* --split val` again"):
        resume(copied, None, None, "cpu")
    evaluate_run(copied, None, "val", "cpu")
    assert resume(copied, None, None, "cpu") == copied


def test_a_run_on_one_annotation_file_stays_with_that_file(tmp_path: Path) -> None:
    """It once went on with all files of the folder: test images of one were training images of the other."""
    data = painted.write(tmp_path / "data", train=20, other=20)
    file = next((data / "train").glob("*.json"))
    shutil.copy(next((data / "other").glob("*.json")), data / "train" / "more.json")
    for image in (data / "other").glob("*.png"):
        shutil.copy(image, data / "train" / image.name)
    run = quick(file, tmp_path / "run")
    config = open_run(run).config.data
    assert config.source == str(file)
    assert (
        open_custom_data(config, saved_splits(run)).splits
        == open_custom_data(config).splits
        == {"train": 14, "val": 3, "test": 3}
    )
    assert evaluated(run, None, None, "cpu")["counts"]["images"] == 3


def test_a_run_killed_before_its_splits_were_noted_notes_them_later(
    shapes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("pocketrcnn.training.run.Run.keep_splits", mock.Mock(side_effect=MemoryError("killed")))
        with pytest.raises(MemoryError):
            quick(shapes, tmp_path / "run")
    resume(tmp_path / "run", None, None, "cpu")
    assert sorted(set((saved_splits(tmp_path / "run") or {}).values())) == ["test", "train", "val"]


def test_a_run_that_is_to_end_before_it_was_evaluated_is_evaluated(shapes: Path, tmp_path: Path) -> None:
    """It once ended in the network that it began with."""
    with pytest.MonkeyPatch.context() as patch:
        interrupt_after(patch, 3)
        with pytest.raises(Interrupted):
            quick(shapes, tmp_path / "run", 2000)
    resume(tmp_path / "run", None, 2, "cpu")
    assert [point["iteration"] for point in open_run(tmp_path / "run").log_entries()] == [3]
    assert metrics(tmp_path / "run")["iterations"] == 3
    best, last = (load_tensors(tmp_path / "run" / f"{name}.safetensors")[0] for name in ("weights", "last"))
    assert all(torch.equal(best[name], last[name]) for name in last)


def test_a_part_of_the_test_images_is_not_all_of_them(copied: Path, shapes: Path, tmp_path: Path) -> None:
    """One of them in another folder once replaced the metrics of the run itself."""
    before = evaluated(copied, None, None, "cpu")
    hard = {"test 0.png": ((48, 48), [("cat", (1.0, 2.0, 12.0, 14.0))])}
    datasets_on_disk.coco(tmp_path / "hard" / "test", hard)  # type: ignore[arg-type]
    shutil.copy(shapes / "test" / "test 0.png", tmp_path / "hard" / "test")
    assert evaluated(copied, tmp_path / "hard", None, "cpu")["counts"]["images"] == 1
    assert evaluation(copied, "test") == before
    whole = shutil.copytree(shapes, tmp_path / "moved")
    assert evaluated(copied, whole, None, "cpu")["data"] == str(whole)
    assert evaluation(copied, "test")["data"] == str(whole), "the same images, and all of them"


def test_other_data_of_one_name_have_figures_of_their_own(copied: Path, tmp_path: Path) -> None:
    """Every export of some programs is called `test/_annotations.coco.json`: the last one replaced the others."""
    for where in ("a", "b"):
        hard = {"one.png": ((48, 48), [("cat", (1.0, 2.0, 12.0, 14.0))])}
        datasets_on_disk.coco(tmp_path / where / "plate.1", hard)  # type: ignore[arg-type]
    for where in ("a", "b", "a"):
        evaluate_run(copied, tmp_path / where / "plate.1", None, "cpu")
    made = sorted(path.name for path in copied.glob("evaluation-plate*"))
    assert made == ["evaluation-plate.1-2-test.json", "evaluation-plate.1-test.json"]
    sources = {json.loads((copied / name).read_text())["data"] for name in made}
    assert sources == {str(tmp_path / where / "plate.1") for where in ("a", "b")}


def test_a_score_counts_from_the_threshold_on_where_there_is_no_object() -> None:
    nothing = Boxes(np.zeros((0, 4)), [])
    detections = Boxes([[0.0, 0, 9, 9]], [0], [0.6])
    for threshold, shown in ((0.9, 0.9), (0.2, 0.2), (None, DEFAULT_THRESHOLD)):
        evaluated_at = evaluate([nothing], [detections], ["cat"], threshold=threshold)
        assert evaluated_at.confusion["threshold"] == shown
        assert evaluated_at.images[0]["fp"] == (shown <= 0.6)


def test_what_cannot_be_evaluated_is_one_line(copied: Path, tmp_path: Path) -> None:
    broken = datasets_on_disk.coco(tmp_path / "broken", {"a.png": ((32, 32), [("cat", (1.0, 2.0, 9.0, 9.0))])})
    (broken / "a.png").write_bytes(b"no image")
    with pytest.raises(UserError, match="broken has no image that can be evaluated: `pocketrcnn check` says why"):
        evaluate_run(copied, broken, None, "cpu")


def test_figures_as_json_are_nothing_but_json(
    copied: Path, shapes: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(shapes / "train", tmp_path / "mixed" / "test")
    shutil.copytree(shapes / "val", tmp_path / "mixed" / "train")  # a folder `test` alone is no split
    assert main(["eval", str(copied), str(tmp_path / "mixed"), "--json", "--device", "cpu"]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["counts"]["images"] == 24
    assert "24 images of test took part in training" in err


@pytest.mark.parametrize("damage", [Path.unlink, lambda path: path.write_bytes(b"damaged")])
def test_a_finished_run_without_its_checkpoint_stays_as_it_is(copied: Path, damage: Any) -> None:
    """It once began anew and replaced its weights, or was finished no longer."""
    before = (copied / "weights.safetensors").read_bytes()
    damage(copied / "checkpoint.safetensors")
    with pytest.raises(UserError, match=r"checkpoint\.safetensors is (not there|damaged)"):
        resume(copied, None, 50, "cpu")
    assert (copied / "weights.safetensors").read_bytes() == before
    assert evaluated(copied, None, "val", "cpu")["counts"]["images"] == 8


def test_a_run_that_goes_on_keeps_time_for_its_last_evaluation() -> None:
    state = State(None, [], None, evaluation_seconds=12.0, log=[{}, {}, {}])  # type: ignore[arg-type]
    assert Clock(state, TrainConfig(minutes=5)).cost == 4.0


@pytest.mark.parametrize("seed", [-1, 2**40])
def test_seeds_that_are_none(shapes: Path, seed: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", str(shapes), "--seed", str(seed)]) == 2
    assert f"--seed {seed}: use a number from 0 to 4294967295" in capsys.readouterr().err


@pytest.mark.usefixtures("precision")
def test_images_that_fill_no_square_have_the_same_metrics_everywhere(tmp_path: Path) -> None:
    """`predict` cut boxes at the image's border and `eval` did not: two metrics for one network."""
    from pocketrcnn.custom.detector import Detector

    data = painted.write(tmp_path / "data", train=12, val=4, test=4)
    for split in ("train", "val", "test"):
        listing = next((data / split).glob("*.json"))
        content = json.loads(listing.read_text())
        for image in content["images"]:
            image["height"] = 32
            with Image.open(data / split / image["file_name"]) as picture:
                picture.crop((0, 0, 48, 32)).save(data / split / image["file_name"])
        content["annotations"] = [one for one in content["annotations"] if one["bbox"][1] + one["bbox"][3] <= 32]
        listing.write_text(json.dumps(content))
    run = quick(data, tmp_path / "run", 30, input_size=48)
    with mock.patch("pocketrcnn.custom.evaluate.evaluate_detections", wraps=evaluate) as evaluating:
        evaluate_run(run, None, "test", "cpu")
    seen: list[Boxes] = evaluating.call_args.args[1]
    predicted = Detector.load(run, "cpu")([data / "test" / f"test {i}.png" for i in range(4)], 0.0)
    assert sum(len(one.labels) for one in seen) == int((predicted.labels >= 0).sum()) > 0
    for i, one in enumerate(seen):
        assert np.abs(one.boxes - predicted[i].boxes.numpy()).max(initial=0) < 1e-3
