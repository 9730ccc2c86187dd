"""Runs whose data are elsewhere now: `resume RUN --data FOLDER`, `eval RUN FOLDER`, as typed."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import datasets_on_disk as disk
import painted
import pytest
from runs_in_seconds import interrupt_after, metrics, quick
from shell import Shell

from pocketrcnn.custom.options import TrainOptions
from pocketrcnn.custom.run_set import load, runs_of
from pocketrcnn.custom.seeds import train as train_set
from pocketrcnn.training.run import open_run
from pocketrcnn.training.signals import Interrupted

pytestmark = pytest.mark.slow

SAME = ("weights.safetensors", "last.safetensors", "log.jsonl")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with data and a finished run of four iterations. It is read, never changed: copy it before."""
    root = tmp_path_factory.mktemp("moved")
    quick(painted.write(root / "data", train=8, val=3, test=2), root / "run", 4)
    return root


@pytest.fixture
def begun(whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The same run, interrupted in its second iteration; then its data went from `data` to `now`."""
    shutil.copytree(whole / "data", tmp_path / "data")
    with monkeypatch.context() as patch:
        interrupt_after(patch, 2)
        with pytest.raises(Interrupted):
            quick(tmp_path / "data", tmp_path / "run", 4)
    (tmp_path / "data").rename(tmp_path / "now")
    return tmp_path


def test_a_run_goes_on_where_its_data_are_now(begun: Path, whole: Path, shell: Shell) -> None:
    """The message named no command, and config.yaml had to be edited by hand."""
    run, now = begun / "run", begun / "now"
    line = shell.refused("resume", run)
    assert f"{begun / 'data'} does not exist any more: if the data are elsewhere now, `pocketrcnn resume " in line
    assert line.endswith(f"{run} --data FOLDER`")
    code, out, err = shell("resume", run, "--data", now, "--device", "cpu")
    assert (code, err) == (0, "")
    assert f"data: {now} (before: {begun / 'data'})" in " ".join(out.split())
    assert open_run(run).config.data.source == str(now)
    assert (run / "log.jsonl").read_bytes() == (whole / "run" / "log.jsonl").read_bytes()
    assert metrics(run)["metrics"] == metrics(whole / "run")["metrics"]
    assert shell("resume", run, "--device", "cpu").code == 0, "it is there from now on"


def test_a_finished_run_learns_where_its_data_are(whole: Path, tmp_path: Path, shell: Shell) -> None:
    run, now = (
        Path(shutil.copytree(whole / "run", tmp_path / "my run")),
        shutil.copytree(whole / "data", tmp_path / "n"),
    )
    before = {name: (run / name).read_bytes() for name in (*SAME, "metrics.json", "splits.json")}
    config = (run / "config.yaml").read_text()
    (run / "config.yaml").write_text(config.replace(str(whole / "data"), str(tmp_path / "gone")))
    assert f"`pocketrcnn resume '{run}' --data FOLDER`" in shell.refused("resume", run)
    assert f"`pocketrcnn eval '{run}' FOLDER`" in shell.refused("eval", run)
    assert shell("report", run).code == 0
    assert "resume" in json.loads((run / "report.json").read_text())["missing"]
    assert shell("resume", run, "--data", now, "--device", "cpu").code == 0
    assert {name: (run / name).read_bytes() for name in before} == before, "trained, and as it was"
    assert json.loads((run / "report.json").read_text())["missing"] == ""
    assert shell("eval", run, "--device", "cpu").code == 0


def test_data_that_moved_are_evaluated_as_those_of_the_run(whole: Path, tmp_path: Path, shell: Shell) -> None:
    run, now = Path(shutil.copytree(whole / "run", tmp_path / "run")), shutil.copytree(whole / "data", tmp_path / "now")
    (run / "report.html").unlink()
    assert f"report: {run / 'report.html'}" in shell("eval", run, now, "--device", "cpu").out
    evaluated = sorted(path.name for path in run.glob("evaluation-*.json"))
    assert evaluated == ["evaluation-test.json", "evaluation-val.json"], "none of other data"


@pytest.mark.parametrize(
    ("split", "count"), [("train", "1 of the 8 training images"), ("val", "1 of the 3 validation")]
)
def test_images_that_changed_are_counted_and_refused(begun: Path, shell: Shell, split: str, count: str) -> None:
    image = next((begun / "now" / split).glob("*.png"))
    image.write_bytes(image.read_bytes() + b"0")
    before = (begun / "run" / "config.yaml").read_bytes()
    line = shell.refused("resume", begun / "run", "--data", begun / "now")
    assert f"{begun / 'now'} lacks {count}" in line
    assert "or they were changed: restore them, or name the folder that has them" in line
    assert (begun / "run" / "config.yaml").read_bytes() == before


def test_images_that_came_in_training_are_refused(begun: Path, shell: Shell) -> None:
    disk.picture(begun / "now" / "train" / "later.png")
    disk.change_coco(begun / "now" / "train", images=[{"id": 999, "file_name": "later.png"}])
    assert "has 1 image among its training images" in shell.refused("resume", begun / "run", "--data", begun / "now")


def test_where_they_were_the_same_holds(begun: Path, shell: Shell) -> None:
    """Without the option, too: a run that lost training images went on with the others in silence."""
    (begun / "now").rename(begun / "data")
    next((begun / "data" / "train").glob("*.png")).unlink()
    assert "lacks 1 of the 8 training images" in shell.refused("resume", begun / "run")


def test_test_images_that_are_missing_are_said(begun: Path, shell: Shell) -> None:
    for image in (begun / "now" / "test").glob("*.png"):
        image.unlink()
    code, _, err = shell("resume", begun / "run", "--data", begun / "now", "--device", "cpu")
    assert code == 0
    assert "2 of 2 test images are missing or changed: training goes on without" in " ".join(err.split())


def test_a_set_goes_on_where_its_data_are_now(whole: Path, tmp_path: Path, shell: Shell) -> None:
    data = Path(shutil.copytree(whole / "data", tmp_path / "data"))
    options = TrainOptions(
        data, iterations=2, preset="small", batch=2, input_size=32, device="cpu", out=tmp_path / "set", seeds=2
    )
    with pytest.MonkeyPatch.context() as patch:
        interrupt_after(patch, 1)
        with pytest.raises(Interrupted):
            train_set(options)
    data.rename(tmp_path / "now")
    assert "set --data FOLDER`" in shell.refused("resume", tmp_path / "set")
    assert shell("resume", tmp_path / "set", "--data", tmp_path / "now", "--device", "cpu").code == 0
    sources = {open_run(run).config.data.source for run in runs_of(tmp_path / "set")}
    assert sources == {str(tmp_path / "now")} == {load(tmp_path / "set").config["data"]["source"]}
    assert [metrics(run)["iterations"] for run in runs_of(tmp_path / "set")] == [2, 2]


def test_a_folder_that_is_not_there_is_named(begun: Path, shell: Shell) -> None:
    assert f"{begun / 'nowhere'} does not exist" in shell.refused("resume", begun / "run", "--data", begun / "nowhere")
