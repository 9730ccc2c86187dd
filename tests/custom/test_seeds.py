"""`train --seeds`: runs that differ in the seed alone, in one folder that every command takes.

Covers `custom/run_set.py`.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from runs_in_seconds import interrupt_after, metrics
from shell import Shell

import pocketrcnn
from pocketrcnn.config import Config
from pocketrcnn.custom import run_set
from pocketrcnn.custom.options import TrainOptions
from pocketrcnn.custom.run_set import best_run, is_set, runs_of
from pocketrcnn.custom.seeds import resume, spread, train
from pocketrcnn.errors import UserError
from pocketrcnn.training.fit import fit
from pocketrcnn.training.run import open_run
from pocketrcnn.training.signals import Interrupted

pytestmark = pytest.mark.slow


def options(data: Path, out: Path | None = None, **changes: Any) -> TrainOptions:
    """Two runs of two iterations of a small network on small images."""
    tiny = {"preset": "small", "batch": 2, "input_size": 32, "device": "cpu", "iterations": 2, "seeds": 2}
    return TrainOptions(data, out=out, **tiny | changes)


def config_of(run: Path) -> Config:
    return open_run(run, "cpu").config


@pytest.fixture(scope="module")
def pair(shapes: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished set, whose runs were trained side by side. It is read, never changed: copy it before."""
    return train(options(shapes, tmp_path_factory.mktemp("pair") / "set", seed=5, workers=2))


@pytest.fixture
def copied(pair: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(pair, tmp_path / "set"))


def test_the_runs_differ_in_the_seed_alone(pair: Path, shapes: Path) -> None:
    assert sorted(path.name for path in pair.iterdir()) == ["report.html", "seed-5", "seed-6", "set.json"]
    first, second = map(config_of, runs_of(pair))
    assert (first.train.seed, second.train.seed) == (5, 6)
    assert replace(second, train=first.train) == first
    assert replace(second.train, seed=5) == first.train
    assert first.data.seed == 5
    splits = [(run / "splits.json").read_bytes() for run in runs_of(pair)]
    assert splits[0] == splits[1]
    weights = [(run / "weights.safetensors").read_bytes() for run in runs_of(pair)]
    assert weights[0] != weights[1]
    for run in runs_of(pair):
        assert {"report.html", "report.json", "metrics.json", "evaluation-val.json"} <= {p.name for p in run.iterdir()}


def test_the_first_run_is_the_one_that_there_is_without_seeds(pair: Path, shapes: Path, tmp_path: Path) -> None:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        alone = train(options(shapes, tmp_path / "run", seed=5, seeds=None))
    finally:
        torch.set_num_threads(threads)
    assert not is_set(alone)
    for name in ("weights.safetensors", "log.jsonl", "config.yaml"):
        assert (alone / name).read_bytes() == (pair / "seed-5" / name).read_bytes()


def test_the_page_gives_mean_and_spread_of_a_set_and_of_its_runs_named_by_hand(
    pair: Path, tmp_path: Path, shell: Shell, copied: Path
) -> None:
    words = "(mean and standard deviation of 2 runs)"
    assert words in (pair / "report.html").read_text()
    (copied / "report.html").unlink()
    assert shell("report", copied) == (0, f"report: {copied / 'report.html'}\n", "")
    assert words in (copied / "report.html").read_text()
    page = tmp_path / "page.html"
    assert shell("report", copied / "seed-6", copied / "seed-5", "--out", page).code == 0
    assert words in page.read_text()


def test_what_train_says_at_the_end(copied: Path, shell: Shell) -> None:
    for seed, score in ((5, 0.25), (6, 0.75)):
        score_of(copied, seed, score)
    code, out, _ = shell("resume", copied, "--device", "cpu")
    assert code == 0
    assert out.splitlines() == [
        "seed-5: AP50 0.250, AP 0.250",
        "seed-6: AP50 0.750, AP 0.750",
        "mean ± standard deviation on val images: AP50 0.500 ± 0.354, AP 0.500 ± 0.354 (n=2)",
        f"report: {copied / 'report.html'}",
        f"runs: {copied}",
        "next, with the best run, seed-6:",
        f"  pocketrcnn eval {copied}",
        f"  pocketrcnn predict {copied} IMAGES",
        f"  pocketrcnn export {copied}",
        f"  pocketrcnn export {copied} --page",
    ]


def test_every_command_takes_the_folder_of_the_set(copied: Path, shapes: Path, tmp_path: Path, shell: Shell) -> None:
    score_of(copied, 6, 1.0)
    which = f"seed-6 of {copied}, the best of 2 runs on validation images: AP 1.000"
    image = next((shapes / "test").glob("*.png"))
    assert which in shell("predict", copied, image, "--out", tmp_path / "found").out
    assert which in shell("eval", copied).out
    assert (copied / "seed-6" / "evaluation-test.json").is_file()
    assert json.loads(shell("eval", copied, "--json").out)["split"] == "test"
    assert which in shell("export", copied).out
    assert (copied / "seed-6" / "model.onnx").is_file()
    assert pocketrcnn.Detector.load(best_run(copied), "cpu").side == 32


def test_of_equals_the_first_is_the_best_and_no_score_is_the_worst(copied: Path) -> None:
    score_of(copied, 5, 0.5)
    score_of(copied, 6, 0.5)
    assert best_run(copied).name == "seed-5"
    score_of(copied, 5, None)
    assert best_run(copied).name == "seed-6"
    (copied / "seed-6" / "metrics.json").unlink()
    assert best_run(copied).name == "seed-5"
    (copied / "seed-5" / "metrics.json").unlink()
    with pytest.raises(UserError, match=r"no run of .* is finished: `pocketrcnn resume"):
        best_run(copied)
    assert best_run(copied / "seed-5") == copied / "seed-5"


def test_more_seeds_go_on_and_fewer_use_those(copied: Path, shapes: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = [(run / "weights.safetensors").stat() for run in runs_of(copied)]
    train(options(shapes, copied, seed=5, seeds=3))
    assert [run.name for run in runs_of(copied)] == ["seed-5", "seed-6", "seed-7"]
    assert [(run / "weights.safetensors").stat() for run in runs_of(copied)][:2] == before
    assert "(n=3)" in capsys.readouterr().out
    train(options(shapes, copied, seed=5, seeds=1))
    out = capsys.readouterr().out
    assert "seed-5: AP50" in out
    assert "seed-6: AP50" not in out
    assert [run.name for run in runs_of(copied)] == ["seed-5"]
    train(options(shapes, copied, seed=5, seeds=3))
    assert "(n=3)" in capsys.readouterr().out


def test_an_interrupted_set_goes_on(pair: Path, shapes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "set"
    with monkeypatch.context() as patch:
        interrupt_after(patch, 1)
        with pytest.raises(Interrupted, match=r"iteration 1 of seed-5, state saved; `pocketrcnn resume .*set` goes on"):
            train(options(shapes, folder, seed=5))
    assert [run.name for run in runs_of(folder)] == ["seed-5"]
    resume(folder, None, None, "cpu")
    assert [metrics(run)["iterations"] for run in runs_of(folder)] == [2, 2]
    assert "mean and standard deviation of 2 runs" in (folder / "report.html").read_text()


def test_a_set_is_trained_for_longer(copied: Path) -> None:
    resume(copied, None, 3, "cpu", workers=1)
    assert [metrics(run)["iterations"] for run in runs_of(copied)] == [3, 3]
    first, second = map(config_of, runs_of(copied))
    assert replace(second, train=first.train) == first
    assert replace(second.train, seed=5) == first.train


def test_a_longer_set_that_is_interrupted_goes_on_with_every_run(
    copied: Path, shapes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        interrupt_after(patch, 3)
        with pytest.raises(Interrupted, match="iteration 3 of seed-5"):
            resume(copied, None, 4, "cpu")
    train(options(shapes, copied, seed=5))
    assert [metrics(run)["iterations"] for run in runs_of(copied)] == [4, 4]


def test_each_run_of_minutes_has_them_for_itself(
    shapes: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    spent: list[float] = []
    monkeypatch.setattr("pocketrcnn.custom.seeds.fit", lambda *given: spent.append(given[3]) or fit(*given))
    folder = train(options(shapes, tmp_path / "set", iterations=None, minutes=0.02))
    assert (
        "2 runs of 0.02 min one after the other: each has the whole machine for its time\n" in capsys.readouterr().out
    )
    assert [config_of(run).train.minutes for run in runs_of(folder)] == [0.02, 0.02]
    assert spent[0] == spent[1] > 0
    assert "in the iterations that their minutes allowed" in (folder / "report.html").read_text()


def test_python_gets_the_best_detector(shapes: Path, tmp_path: Path) -> None:
    tiny = {"preset": "small", "batch": 2, "input_size": 32, "device": "cpu"}
    run = pocketrcnn.train(shapes, iterations=1, out=tmp_path / "set", seeds=2, **tiny)
    assert run.detector.classes == ("cat", "dog")
    assert set(run.metrics) >= {"AP50", "AP"}
    with pytest.raises(UserError, match="callback is for one run"):
        pocketrcnn.train(shapes, seeds=2, callback=print)
    with pytest.raises(UserError, match="callback is for one run: name one of those in"):
        pocketrcnn.resume(run, callback=print)
    assert len(runs_of(tmp_path / "set")) == 2


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--seeds 0", "--seeds 0: use 1 or more"),
        ("--seeds -3", "--seeds -3: use 1 or more"),
        ("--seeds 2 --seed 4294967295", "--seeds 2: there is no seed above 4294967295, use fewer"),
        ("--seeds 2 --set train.seed=4", "--set train.seed=4 and --seeds contradict each other"),
        ("--seeds 2 --iterations 2 --workers 0", "--workers 0: use 1 or more"),
        ("--seeds 2 --workers 2", "--workers 2: leave it out, only runs of --seeds with --iterations"),
        ("--iterations 2 --workers 2", "--workers 2: leave it out, only runs of --seeds with --iterations"),
        ("--seeds 4000000000 --iterations 2 --preset small", "--seeds 4000000000: the runs take "),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_written(
    shapes: Path, tmp_path: Path, shell: Shell, words: str, message: str
) -> None:
    assert message in shell.refused(f"train {words} --device cpu --input-size 32 --out", tmp_path / "set", shapes)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_of_something_else_is_refused(copied: Path, pair: Path, shapes: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="seed-5 holds something else than a set of runs"):
        train(options(shapes, copied / "seed-5", seed=5))
    with pytest.raises(UserError, match="holds something else than a run"):
        train(options(shapes, copied, seed=5, seeds=None))
    with pytest.raises(UserError, match=r"set was started as .*seed=5.*, now it is .*seed=6.*: use the same, or"):
        train(options(shapes, copied, seed=6))
    with pytest.raises(UserError, match=r"--workers 2: leave it out, .*seed-5 is not the folder of a set"):
        resume(copied / "seed-5", None, None, "cpu", workers=2)
    with pytest.raises(UserError, match="--workers 2: leave it out, runs of minutes"):
        resume(copied, 1.0, None, "cpu", workers=2)
    (copied / "set.json").write_text('{"seeds": "two"}')
    with pytest.raises(UserError, match=r"set\.json is damaged"):
        runs_of(copied)


def test_the_room_on_the_disk_is_that_of_the_runs_that_have_not_begun(copied: Path, pair: Path) -> None:
    plan = run_set.load(copied)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run_set.files.shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(2, 1, 1))  # type: ignore[attr-defined]
        run_set.require_room(copied, plan)
        with pytest.raises(UserError, match="--seeds 3: the runs take "):
            run_set.require_room(copied, replace(plan, seeds=3))
    weights = sum(path.stat().st_size for path in (pair / "seed-5").glob("*.safetensors"))
    model = config_of(pair / "seed-5").model
    assert weights < run_set.parameters(model) * run_set.BYTES * run_set.COPIES * 1.1


def test_mean_and_spread_in_words() -> None:
    assert spread([0.5, 0.7, 0.6]) == "0.600 ± 0.100"
    assert spread([0.5, None]) == "n/a"


def score_of(folder: Path, seed: int, score: float | None) -> None:
    """Another AP on validation images."""
    path = folder / f"seed-{seed}" / "metrics.json"
    content = json.loads(path.read_text())
    content["metrics"] |= {"AP": score, "AP50": score}
    path.write_text(json.dumps(content))
