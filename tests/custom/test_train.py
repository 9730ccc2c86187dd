"""`train`, `resume` and `eval` on custom images: from a folder to a finished run, and what can go wrong.

Covers `data/custom_data.py`, `custom/options.py`.
"""

import json
import shlex
import shutil
import signal
from collections import Counter
from dataclasses import replace
from pathlib import Path
from unittest import mock

import datasets_on_disk
import painted
import pytest
import torch
from datasets_on_disk import SCENES, Scenes
from PIL import Image
from runs_in_seconds import FORMATS, auto_becomes, evaluated, evaluation, interrupt_after, metrics, quick
from shell import Shell

from pocketrcnn.cli.main import main
from pocketrcnn.config import DataConfig
from pocketrcnn.custom import evaluate
from pocketrcnn.custom.evaluate import evaluate_run
from pocketrcnn.custom.options import TrainOptions
from pocketrcnn.custom.report.summary import run_summary
from pocketrcnn.custom.train import folder_of, resume, train
from pocketrcnn.data.custom_data import open_custom_data
from pocketrcnn.errors import UserError
from pocketrcnn.training import config_file
from pocketrcnn.training.checkpoint import load_tensors
from pocketrcnn.training.loop import Trainer
from pocketrcnn.training.run import Run, open_run, saved_splits
from pocketrcnn.training.signals import Interrupted

pytestmark = pytest.mark.slow

FILES = [
    "checkpoint.safetensors",
    "config.yaml",
    "env.json",
    "evaluation-val.json",
    "last.safetensors",
    "log.jsonl",
    "metrics.json",
    "splits.json",
    "weights.safetensors",
]
REPORT = ["report.html", "report.json"]


def test_a_few_images_are_learned_in_seconds(learned: Path) -> None:
    saved = metrics(learned)
    assert saved["iterations"] == 40
    assert saved["metrics"]["AP50"] > 0.9
    assert sorted(path.name for path in learned.iterdir()) == sorted([*FILES, *REPORT])
    points = open_run(learned).log_entries()
    assert points[-1]["train"]["loss_total"] < points[0]["train"]["loss_total"] / 2
    assert {"loss_objectness", "loss_box", "loss_classification", "loss_box_regression"} <= set(points[-1]["test"])


def test_the_best_point_is_kept(learned: Path) -> None:
    points = open_run(learned).log_entries()
    assert metrics(learned)["metrics"]["AP"] == max(point["test"]["AP"] for point in points)


def test_evaluating_again_gives_the_metrics_of_training_to_the_bit(learned_in_both: Path, tmp_path: Path) -> None:
    run = Path(shutil.copytree(learned_in_both, tmp_path / "run"))
    measured = evaluated(run, None, "val", "cpu")
    trained = metrics(run)["metrics"]
    assert measured["overall"] == {name: trained[name] for name in ("AP", "AP50", "AP75", "AR")}
    assert (run / "evaluation-val.json").read_bytes() == (learned_in_both / "evaluation-val.json").read_bytes()


def test_the_test_images_are_evaluated_where_there_are_some(learned: Path, shapes: Path, tmp_path: Path) -> None:
    run = Path(shutil.copytree(learned, tmp_path / "run"))
    measured = evaluated(run, None, None, "cpu")
    assert (measured["split"], measured["counts"]["images"]) == ("test", 6)
    assert measured["overall"]["AP50"] > 0.8
    assert measured == evaluation(run, "test")
    assert evaluated(run, shapes, "test", "cpu") == measured, "the same data, named by the reader"


def test_the_threshold_of_best_f1_is_stored_with_the_model(learned: Path) -> None:
    _, metadata = load_tensors(learned / "weights.safetensors")
    assert metadata["threshold"] == evaluation(learned, "val")["best"]["threshold"]
    assert metadata["config"]["data"]["classes"] == ["cat", "dog"]


def test_other_data_without_splits_are_evaluated_whole_and_the_metrics_of_the_run_stay(
    learned: Path, tmp_path: Path
) -> None:
    """No seventh of them is held back for a training that does not happen."""
    run = Path(shutil.copytree(learned, tmp_path / "run"))
    before = evaluated(run, None, None, "cpu")
    measured = evaluated(run, painted.write(tmp_path / "other", seed=5, train=7) / "train", None, "cpu")
    assert (measured["split"], measured["counts"]["images"]) == ("test", 7)
    assert evaluation(run, "test") == before
    assert evaluation(run, "train-test") == measured, "a file named after the data"


def test_the_data_of_the_run_are_never_evaluated_whole(learned: Path, tmp_path: Path) -> None:
    """Named or not, data without splits are divided as in training: no training image counts as a test image."""
    run = quick(painted.write(tmp_path / "data", train=12) / "train", tmp_path / "run")
    measured = evaluated(run, None, None, "cpu")
    assert measured["counts"]["images"] < 12
    assert evaluated(run, tmp_path / "data" / "train", None, "cpu") == measured


def placed(run: Path, data: Path | None = None) -> dict[str, int]:
    """How many images of each split of the run are now in the test split."""
    known = saved_splits(run)
    assert known is not None
    source = DataConfig(str(data or open_run(run).config.data.source), "folder")
    return dict(
        Counter(known.get(one.digest, "new") for one in open_custom_data(source, known).annotations.split("test"))
    )


def test_images_keep_their_split_when_others_come_and_the_folder_moves(tmp_path: Path) -> None:
    """Shuffled again, a changed folder once had nine training images in ten among its test images."""
    data = painted.write(tmp_path / "data", train=20) / "train"
    run = quick(data, tmp_path / "run")
    before = evaluated(run, None, None, "cpu")
    assert placed(run) == {"test": before["counts"]["images"]}
    moved = Path(shutil.copytree(data, tmp_path / "elsewhere"))
    assert evaluated(run, moved, None, "cpu")["overall"] == before["overall"]
    assert evaluation(run, "test")["data"] == str(moved), "the same data, and no others"
    Image.new("RGB", (32, 32), (9, 90, 200)).save(data / "later.png")
    listing = next(data.glob("*.json"))
    content = json.loads(listing.read_text())
    content["images"].append({"id": 999, "file_name": "later.png", "width": 32, "height": 32})
    listing.write_text(json.dumps(content))
    assert placed(run) == {"test": before["counts"]["images"], "new": 1}


def test_copies_in_the_training_images_are_where_a_run_had_them(tmp_path: Path) -> None:
    """One of two equal files was learned from, the other was a validation image, and a second look moved one."""
    data = painted.write(tmp_path / "data", train=20, test=2)
    file = data / "train" / "_annotations.coco.json"
    content = json.loads(file.read_text())
    ids = {one["file_name"]: one["id"] for one in content["images"]}
    first = {ids[f"train {i}.png"]: ids[f"train {10 + i}.png"] for i in range(10)}
    shown = [one for one in content["annotations"] if one["image_id"] in first]
    content["annotations"] = shown + [one | {"image_id": first[one["image_id"]]} for one in shown]
    file.write_text(json.dumps(content))
    for i in range(10):
        shutil.copyfile(data / "train" / f"train {i}.png", data / "train" / f"train {10 + i}.png")
    source = DataConfig(str(data), "folder")
    custom = open_custom_data(source)
    assert custom.splits == {"train": 16, "val": 4, "test": 2}, "two of ten images"
    assert open_custom_data(source, custom.split_of).annotations == custom.annotations


def test_training_images_in_other_data_are_named(
    learned: Path, shapes: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = Path(shutil.copytree(learned, tmp_path / "run"))
    shutil.copytree(shapes / "train", tmp_path / "mixed" / "test")
    for split in ("train", "test"):  # the only images that there are, and then the test images beside others
        measured = evaluated(run, tmp_path / "mixed", None, "cpu")
        count = measured["counts"]["images"]
        assert f"{count} images of {split} took part in training: metrics are optimistic" in capsys.readouterr().err
        shutil.copytree(shapes / "val", tmp_path / "mixed" / "train", dirs_exist_ok=True)


def test_test_images_are_evaluated_at_the_threshold_of_the_validation_images(learned: Path, tmp_path: Path) -> None:
    run = Path(shutil.copytree(learned, tmp_path / "run"))
    measured, chosen = evaluated(run, None, "test", "cpu"), evaluation(learned, "val")
    assert measured["used"]["threshold"] == chosen["best"]["threshold"] == chosen["used"]["threshold"]
    assert measured["confusion"]["threshold"] == measured["used"]["threshold"]
    for name in ("tp", "fp", "fn"):
        assert sum(row[name] for row in measured["images"]) == measured["used"][name]


def test_a_run_that_is_killed_before_its_evaluation_is_written_is_not_finished(
    shapes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(evaluate, "write_atomically", mock.Mock(side_effect=MemoryError("killed")))
        with pytest.raises(MemoryError):
            quick(shapes, tmp_path / "run")
    assert open_run(tmp_path / "run").metrics() is None
    resume(tmp_path / "run", None, None, "cpu")
    _, metadata = load_tensors(tmp_path / "run" / "weights.safetensors")
    assert "threshold" in metadata
    assert (tmp_path / "run" / "evaluation-val.json").is_file()


def test_an_interrupted_run_says_how_it_goes_on(
    shapes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The same command would begin another run. The run of a link is called as the link is."""
    monkeypatch.chdir(tmp_path)
    Path("my images").symlink_to(shapes)
    with monkeypatch.context() as patch:
        interrupt_after(patch, 2)
        words = ["train", "my images", "--iterations", "4", "--preset", "small", "--batch", "2", "--input-size", "32"]
        assert main([*words, "--device", "cpu"]) == 130
    remedy = "`pocketrcnn resume runs/my-images` goes on from here"
    assert capsys.readouterr().err.strip().endswith(f"state saved; {remedy}")
    assert main(remedy.split("`")[1].split()[1:]) == 0
    assert metrics(tmp_path / "runs" / "my-images")["iterations"] == 4


def test_what_cannot_be_evaluated_is_said(learned: Path, tmp_path: Path) -> None:
    scenes: Scenes = {f"{i}.png": ((32, 32), [("class 3", (1, 2, 11, 22))]) for i in range(4)}
    strange = datasets_on_disk.coco(tmp_path / "strange", scenes)
    with pytest.raises(
        UserError, match=r"strange has the class `class 3`, which the detector does not know \(cat, dog\)"
    ):
        evaluate_run(learned, strange, None, "cpu")
    only = painted.write(tmp_path / "only", train=4, val=2)
    with pytest.raises(UserError, match=r"--split test: .*only has only train, val"):
        evaluate_run(learned, only, "test", "cpu")
    with pytest.raises(UserError, match=r"is not the folder of a run \(it has no config.yaml\)"):
        evaluate_run(tmp_path, None, None, "cpu")


@pytest.fixture(scope="module")
def wholes(shapes: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A run of six iterations that nobody interrupted, in each number format."""
    runs = {}
    for name in FORMATS:
        with auto_becomes(name):
            runs[name] = quick(shapes, tmp_path_factory.mktemp("whole") / "whole", 6, input_size=48)
    return runs


@pytest.mark.parametrize("stop", [1, 4, 6])
def test_an_interrupted_run_ends_in_the_same_bytes(
    shapes: Path, wholes: dict[str, Path], precision: str, tmp_path: Path, stop: int
) -> None:
    whole = wholes[precision]
    parts, number = tmp_path / "parts", signal.SIGTERM if stop == 4 else signal.SIGINT
    with pytest.MonkeyPatch.context() as patch:
        interrupt_after(patch, stop, number)
        with pytest.raises(Interrupted, match=f"interrupted at iteration {stop} of parts") as caught:
            quick(shapes, parts, 6, input_size=48)
    assert caught.value.code == 128 + number
    with pytest.raises(UserError, match=r"parts is not finished: `pocketrcnn resume .*parts` goes on with it"):
        evaluate_run(parts, None, None, "cpu")
    assert resume(parts, None, None, "cpu") == parts
    for name in ("weights.safetensors", "last.safetensors", "log.jsonl", "evaluation-val.json"):
        assert (parts / name).read_bytes() == (whole / name).read_bytes(), name
    assert metrics(parts)["metrics"] == metrics(whole)["metrics"]


def test_a_finished_run_goes_on_where_it_is_given_more_iterations(shapes: Path, tmp_path: Path) -> None:
    run = quick(shapes, tmp_path / "run", 4)
    first, seen = open_run(run).log_entries(), []
    with pytest.MonkeyPatch.context() as patch:
        batch = Trainer.batch
        patch.setattr(Trainer, "batch", lambda self, iteration: seen.append(iteration) or batch(self, iteration))
        resume(run, None, 7, "cpu")
    assert seen == [4, 5, 6]
    assert metrics(run)["iterations"] == 7
    assert open_run(run).config.train.iterations == 7
    assert open_run(run).log_entries()[: len(first)] == first
    assert open_run(run).log_entries()[-1]["iteration"] == 7


def test_a_longer_time_is_taken_over(shapes: Path, tmp_path: Path) -> None:
    run = quick(shapes, tmp_path / "run", 4)
    minutes = 2 * metrics(run)["elapsed"] / 60  # twice the time, whatever else the machine does
    resume(run, minutes, None, "cpu")
    assert open_run(run).config.train.minutes == minutes
    assert metrics(run)["iterations"] > 4


def test_a_finished_run_without_other_wishes_is_left_as_it_is(
    learned: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = Path(shutil.copytree(learned, tmp_path / "run"))
    monkeypatch.setattr(Trainer, "__init__", lambda *_: pytest.fail("trained again"))
    resume(run, None, None, "cpu")
    for name in FILES:
        assert (run / name).read_bytes() == (learned / name).read_bytes(), name


def test_a_run_without_improvement_ends_early(shapes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from pocketrcnn.evaluation import average_precision

    values = iter([0.1, 0.3, 0.2, 0.3, 0.3, 0.25, 0.2, 0.1, *[0.0] * 20])
    monkeypatch.setattr(
        average_precision, "average_precision", lambda *_: dict.fromkeys(("AP", "AP50", "AP75", "AR"), next(values))
    )
    run = quick(shapes, tmp_path / "run", 12, patience=2)
    points = [point["test"]["AP"] for point in open_run(run).log_entries()]
    assert points == [0.1, 0.3, 0.2, 0.3, 0.3, 0.25, 0.2], "two points after the last best one"
    assert metrics(run)["iterations"] == 7


def test_other_lengths_are_taken_over_and_other_settings_are_not(tmp_path: Path, shapes: Path) -> None:
    config = open_run(quick(shapes, tmp_path / "run")).config
    longer = replace(config, train=replace(config.train, iterations=9))
    with pytest.raises(UserError, match=r"was started with train.iterations = 2, now it is 9"):
        Run(tmp_path / "run", longer, torch.device("cpu"))
    run = open_run(tmp_path / "run")
    run.extend()
    assert run.metrics() is not None, "nothing new was requested"
    run.config = longer
    run.extend()
    assert run.metrics() is None
    assert config_file.load((run.folder / "config.yaml").read_text(), "") == longer


def test_an_unknown_preset_is_refused_in_python_too(shapes: Path) -> None:
    with pytest.raises(UserError, match="--preset huge: use auto, small, medium, large"):
        TrainOptions(shapes, preset="huge")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--minutes 1 --iterations 2", "--minutes and --iterations both say how long to train: use only one of them"),
        ("--minutes 0", "--minutes 0: use a time above 0"),
        ("--minutes -1", "--minutes -1: use a time above 0"),
        ("--minutes inf", "--minutes inf: use a time above 0"),
        ("--minutes nan", "--minutes nan: use a time above 0"),
        ("--iterations 0", "--iterations 0: use 1 or more"),
        ("--input-size 40", "--input-size 40: use a multiple of 16 pixels"),
        ("--input-size 16384", "--input-size 16384: use a multiple of 16 pixels, at most 8192"),
        ("--input-size 0", "--input-size 0: use a multiple of 16 pixels"),
        ("--batch 1", "--batch 1: use 2 or more images, BatchNorm needs them"),
        ("--patience -1", "--patience -1: use 0 (never stop early) or more evaluations"),
        ("--iterations 2 --set model.input_size=90", "--set model.input_size=90: model.input_size is not set by name"),
        ("--iterations 2 --set model.classes=2", "--set model.classes=2: model.classes is not set by name"),
        ("--anchors 12", "--anchors 12: write widths and heights above 0, as in 12x12,24x16"),
        ("--anchors 12x0", "--anchors 12x0: write widths and heights above 0, as in 12x12,24x16"),
        ("--anchors 12x12x3,4x4", "--anchors 12x12x3,4x4: write widths and heights above 0, as in 12x12,24x16"),
        ("--device tpu", "--device tpu is unknown: use auto, cpu or cuda"),
        ("--preset huge", "--preset: unknown word `huge`; there are auto, small, medium, large"),
    ],
)
def test_impossible_options_are_refused_in_one_line(
    shapes: Path, tmp_path: Path, words: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["train", str(shapes), "--out", str(tmp_path / "run"), *words.split()]) == 2
    error = capsys.readouterr().err.strip()
    assert error.startswith("pocketrcnn: ")
    assert message in error
    assert "\n" not in error
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--minutes 1 --iterations 2", "both say how long to train"),
        ("--minutes 0", "--minutes 0: use a time above 0"),
        ("--iterations 0", "--iterations 0: use 1 or more"),
    ],
)
def test_a_run_is_not_resumed_for_an_impossible_time(
    learned: Path, words: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = (learned / "config.yaml").read_bytes()
    assert main(["resume", str(learned), *words.split()]) == 2
    assert message in capsys.readouterr().err
    assert (learned / "config.yaml").read_bytes() == before


def test_a_folder_with_something_else_is_left_alone(shapes: Path, tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("precious")
    with pytest.raises(UserError, match="holds something else than a run: choose another folder with --out"):
        quick(shapes / "not-even-read", tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


@pytest.mark.parametrize("name", ["env.json", ".movie.mp4.part"])
def test_a_folder_with_what_only_looks_like_ours_is_left_alone(shapes: Path, tmp_path: Path, name: str) -> None:
    """The first was overwritten, the second removed."""
    (tmp_path / name).write_text('{"MY": "own"}')
    with pytest.raises(UserError, match="holds something else than a run"):
        quick(shapes / "not-even-read", tmp_path)
    assert (tmp_path / name).read_text() == '{"MY": "own"}'


def test_runs_that_start_together_get_folders_of_their_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each had the same one, and all but the first were refused when they locked it."""
    monkeypatch.chdir(tmp_path)
    options = TrainOptions(tmp_path / "my cats")
    with folder_of(options) as first, folder_of(options) as second:
        assert (first, second) == (Path("runs/my-cats"), Path("runs/my-cats-2"))
        (second / "config.yaml").touch()
    assert [path.name for path in (tmp_path / "runs").iterdir()] == ["my-cats-2"]


def test_a_run_that_does_not_begin_leaves_no_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match="does not exist"):
        train(TrainOptions(tmp_path / "cats"))
    assert list(tmp_path.iterdir()) == []


MANY: Scenes = {**SCENES, "fourth.png": ((32, 32), [("cat", (4, 4, 20, 20))])}


@pytest.mark.parametrize("kind", ["coco", "voc", "yolo", "csv"])
def test_every_format_is_trained_on(tmp_path: Path, kind: str) -> None:
    root = tmp_path / "çä data"
    if kind == "yolo":
        datasets_on_disk.yolo_names(root)
    {
        "coco": datasets_on_disk.coco,
        "voc": datasets_on_disk.voc,
        "yolo": datasets_on_disk.yolo,
        "csv": datasets_on_disk.table,
    }[kind](root, MANY)
    run = quick(root, tmp_path / "run")
    assert metrics(run)["iterations"] == 2
    assert open_run(run).config.data.classes == ("cat", "dog")
    assert evaluated(run, None, None, "cpu")["split"] == "test"


def test_images_elsewhere_are_learned_and_shown_only_where_that_is_allowed(tmp_path: Path) -> None:
    datasets_on_disk.coco(tmp_path / "elsewhere", MANY)
    content = json.loads((tmp_path / "elsewhere" / "_annotations.coco.json").read_text())
    for image in content["images"]:
        image["file_name"] = str(tmp_path / "elsewhere" / image["file_name"])
    datasets_on_disk.write_json(tmp_path / "data" / "_annotations.coco.json", content)
    with pytest.raises(UserError, match=r"4 paths lead out of this folder .*use --follow-outside"):
        quick(tmp_path / "data", tmp_path / "run")
    assert not (tmp_path / "run").exists()
    run = quick(tmp_path / "data", tmp_path / "run", follow_outside=True)
    assert resume(run, None, 3, "cpu") == run
    assert evaluated(run, None, None, "cpu")["split"] == "test"
    assert run_summary(open_run(run))["missing"] == ""
    config = (run / "config.yaml").read_text()
    (run / "config.yaml").write_text(config.replace("follow_outside: true", "follow_outside: false"))
    assert "4 paths lead out of this folder" in run_summary(open_run(run))["missing"]
    with pytest.raises(UserError, match="4 paths lead out of this folder"):
        evaluated(run, None, None, "cpu")


def test_the_command_of_a_run_plans_the_same_run(shapes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    settings = ("augment.paste=2", "augment.zoom=[0.9, 1.3]")
    words = ["train", str(shapes), "--iterations", "2", "--preset", "small", "--batch", "2", "--input-size", "32"]
    words += [
        "--rotate",
        "--patience",
        "3",
        "--anchors",
        "9x9,16.5x12",
        "--seed",
        "5",
        "--out",
        "run",
        "--device",
        "cpu",
    ]
    assert main([*words, *(word for setting in settings for word in ("--set", setting))]) == 0
    before = open_run(Path("run"))
    assert (before.config.augment.rotate, before.config.augment.flip_vertical) == (True, True)
    Path("run").rename("first")
    command = shlex.split(open_run(Path("first")).environment()["command"])
    assert command == ["pocketrcnn", *words, "--set", settings[0], "--set", settings[1]]
    assert main(command[1:]) == 0
    assert open_run(Path("run")).config == before.config


def test_the_call_of_a_program_plans_the_same_run(
    shapes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    given = {"rotate": True, "patience": 3, "anchors": ((9.0, 9.0), (16.5, 12.0)), "settings": ("augment.paste=2",)}
    before = open_run(quick(shapes, Path("run"), **given))
    Path("run").rename("first")
    call = open_run(Path("first")).environment()["command"]
    assert call.startswith(f"pocketrcnn.train({str(shapes)!r}, iterations=2, ")
    exec(f"import pocketrcnn\n{call}", {})
    assert open_run(Path("run")).config == before.config
    assert open_run(Path("run")).environment()["command"] == call


def test_training_ends_with_what_to_do_next(
    shapes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Not with tables of sixty lines: these are for `eval` and the page."""
    monkeypatch.chdir(tmp_path)
    run = quick(shapes, Path("my run"))
    overall = evaluation(run, "val")["overall"]
    lines = capsys.readouterr().out.splitlines()[-9:]
    assert lines[0] == f"val images (8): AP50 {overall['AP50']:.3f}, AP {overall['AP']:.3f}"
    assert lines[1].startswith("threshold ")
    assert lines[2:5] == ["report: my run/report.html", "run: my run", "next:"]
    commands = [shlex.split(line) for line in lines[5:]]
    assert commands == [
        ["pocketrcnn", "eval", "my run"],
        ["pocketrcnn", "predict", "my run", "IMAGES"],
        ["pocketrcnn", "export", "my run"],
        ["pocketrcnn", "export", "my run", "--page"],
    ]


def test_few_epochs_change_images_less_and_a_setting_by_name_wins(
    shapes: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = quick(shapes, tmp_path / "run", settings=("augment.zoom=[0.9, 1.3]",))
    augment = open_run(run).config.augment
    assert (augment.zoom, augment.aspect) == ((0.9, 1.3), 0.0)
    printed = capsys.readouterr().out
    assert "2 iterations of 2 images\n" in printed
    assert "epochs; augmentation changes position and size, and slightly the colour" in printed


def test_one_image_is_training_and_validation_at_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    scenes: Scenes = {"only.png": ((40, 30), [("cat", (1, 2, 11, 22))])}
    run = quick(datasets_on_disk.coco(tmp_path / "data", scenes), tmp_path / "run")
    assert metrics(run)["iterations"] == 2
    assert "metrics are optimistic, they are measured on the training images" in capsys.readouterr().out
    assert (run / "evaluation-train.json").is_file()


def one_class(count: int, label: str) -> Scenes:
    return {f"{label} {i}.png": ((32, 32), [(label, (2.0 + i, 3, 15.0 + i, 20))]) for i in range(count)}


def test_one_class_is_enough(tmp_path: Path) -> None:
    root = datasets_on_disk.yolo_names(tmp_path / "data", "names: [cat]\n")
    run = quick(datasets_on_disk.yolo(root, one_class(6, "cat")), tmp_path / "run")
    assert open_run(run).config.model.classes == 1
    assert evaluation(run, "val")["confusion"]["names"] == ["cat", "background"]


def test_a_class_without_training_images_is_warned_of_and_costs_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    datasets_on_disk.coco(tmp_path / "data" / "train", one_class(2, "cat"))
    datasets_on_disk.coco(tmp_path / "data" / "val", one_class(2, "dog"))
    run = quick(tmp_path / "data", tmp_path / "run")
    words = " ".join(capsys.readouterr().out.split())
    assert "dog" in words
    assert "training" in words
    assert open_run(run).config.data.classes == ("cat", "dog")
    assert metrics(run)["iterations"] == 2


def test_validation_images_without_any_object_are_no_obstacle(tmp_path: Path) -> None:
    datasets_on_disk.coco(tmp_path / "data" / "train", one_class(3, "cat"))
    datasets_on_disk.coco(tmp_path / "data" / "val", {f"bare {i}.png": ((32, 32), []) for i in range(3)})
    run = quick(tmp_path / "data", tmp_path / "run")
    measured = evaluation(run, "val")
    assert measured["overall"]["AP"] is None, "n/a without objects"
    _, metadata = load_tensors(run / "weights.safetensors")
    assert metadata["threshold"] is None
    assert measured["best"] is None
    kept, last = (load_tensors(run / f"{name}.safetensors")[0] for name in ("weights", "last"))
    assert all(torch.equal(kept[name], last[name]) for name in last), "the last weights, and not the first"


def test_the_time_decides_the_iterations_and_the_network(
    shapes: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = train(TrainOptions(shapes, minutes=0.03, out=tmp_path / "run", device="cpu", input_size=32))
    out = capsys.readouterr().out
    assert "small network" in out, "too little time for the others"
    assert "in 0.03 min" in out
    assert metrics(run)["iterations"] >= 1
    assert metrics(run)["seconds"] < 3 * 0.03 * 60


def test_what_the_user_says_about_boxes_is_kept(shapes: Path, tmp_path: Path, shell: Shell) -> None:
    """`train` refuses corners in COCO's bbox without `--bbox xyxy`; the run reads its data so, and others as they are
    meant."""
    data = Path(shutil.copytree(shapes, tmp_path / "corners"))
    for file in data.rglob("*.json"):
        content = json.loads(file.read_text())
        for record in content["annotations"]:
            x, y, width, height = record["bbox"]
            record["bbox"] = [x, y, x + width, y + height]
        file.write_text(json.dumps(content))
    assert "use --bbox xyxy, or --bbox xywh if they are right" in shell.refused("train --iterations 1", data)
    run = quick(data, tmp_path / "run", bbox="xyxy")
    assert open_run(run).config.data.bbox == "xyxy"
    boxes = [obj.box for one in open_custom_data(open_run(run).config.data).annotations.examples for obj in one.objects]
    right = open_custom_data(DataConfig(str(shapes), "folder")).annotations.examples
    assert boxes == [pytest.approx(obj.box) for one in right for obj in one.objects]
    resume(run, None, 3, "cpu")
    assert evaluated(run, None, "val", "cpu")["overall"] == evaluated(run, shapes, "val", "cpu")["overall"]
