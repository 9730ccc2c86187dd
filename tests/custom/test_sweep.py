"""`pocketrcnn sweep`: its folder, that it goes on and fails as it should, its page, and what takes it.

Covers `custom/sweep/record.py`, `custom/sweep/working.py`, `custom/report/sweep.py`, `custom/commands/sweeping.py`.
That several processes work on one sweep, and are killed, is in tests/scale/scale_sweep.py.
"""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import chromium
import painted
import pytest
from pages import Page, section
from runs_in_seconds import interrupt_after
from shell import Shell

import pocketrcnn
from pocketrcnn.custom.report.sweep import SHOWN, render_sweep
from pocketrcnn.custom.run_set import best_run, runs_of
from pocketrcnn.custom.seeds import train as train_one
from pocketrcnn.custom.sweep import working
from pocketrcnn.custom.sweep.options import SweepOptions
from pocketrcnn.custom.sweep.record import METRICS, Trial, best_of, columns_of, content_of, row_of
from pocketrcnn.custom.sweep.working import is_its_own, sweep
from pocketrcnn.data.custom_data import CustomData
from pocketrcnn.errors import Unavailable, UserError
from pocketrcnn.training.finite import NotFinite
from pocketrcnn.training.signals import Interrupted

SETS = ("optim.filter_lr=0.05,0.2", "optim.final_lr=0.001")
TINY: dict[str, Any] = {"preset": "small", "batch": 2, "input_size": 32, "device": "cpu", "iterations": 2}
WORDS = f"--preset small --batch 2 --input-size 32 --device cpu --iterations 2 --set {SETS[0]} --set {SETS[1]}"


def options(data: Path, out: Path, *sets: str, **changes: Any) -> SweepOptions:
    """Runs of two iterations of a small network on small images."""
    return SweepOptions(data, out=out, settings=sets or SETS, **TINY | changes)


@pytest.fixture(scope="module")
def swept(shapes: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished sweep of two trials. It is read, never changed: copy it before."""
    opened: list[str] = []
    folder = CustomData.folder

    def noting(self: CustomData, split: str, *view: Any) -> Any:
        opened.append(split)
        return folder(self, split, *view)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(CustomData, "folder", noting)
        made = sweep(options(shapes, tmp_path_factory.mktemp("sweep") / "sweep"))
    assert set(opened) == {"train", "val"}, "test images take no part in a sweep"
    return made


@pytest.fixture
def copied(swept: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(swept, tmp_path / "sweep"))


@pytest.fixture
def no_training(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, float], None]:
    """Trials that do not train: each has the score that is said for it, or raises."""
    scores: dict[str, float] = {}

    def train(given: Any, _: Any, trial: Trial) -> None:
        (given.folder / trial.name).mkdir(exist_ok=True)

    monkeypatch.setattr(working, "train", train)

    def finished(trial: Trial, _: Path) -> Trial:
        return replace(trial, state="finished", runs={"run": dict.fromkeys(METRICS, scores[trial.name])})

    monkeypatch.setattr(working, "finished", finished)
    monkeypatch.setattr(working, "write_sweep", lambda folder, path: path)
    return scores.__setitem__


def test_each_trial_is_a_run_that_train_would_have_made(swept: Path, shapes: Path, tmp_path: Path) -> None:
    names = {".lock", "report.html", "results", "sweep.json", "trial-000", "trial-001", "trials.csv", "trials.json"}
    assert {path.name for path in swept.iterdir()} == names
    assert sorted(path.name for path in (swept / "results").iterdir()) == ["trial-000.json", "trial-001.json"]
    known = json.loads((swept / "sweep.json").read_text())
    assert known["trials"] == [{"optim.filter_lr": 0.05}, {"optim.filter_lr": 0.2}]
    same = options(shapes, swept).trial((SETS[1], "optim.filter_lr=0.2"), out=tmp_path / "run")
    run = train_one(same)
    for name in ("weights.safetensors", "log.jsonl", "evaluation-val.json"):
        assert (run / name).read_bytes() == (swept / "trial-001" / name).read_bytes()
    assert {"report.html", "report.json", "env.json"} <= {path.name for path in (swept / "trial-001").iterdir()}


def test_the_tables_for_other_programs(swept: Path) -> None:
    content = json.loads((swept / "trials.json").read_text())
    runs = [json.loads((swept / name / "metrics.json").read_text())["metrics"] for name in ("trial-000", "trial-001")]
    assert [row["mean"]["AP"] for row in content["trials"]] == [run["AP"] for run in runs]
    assert [row["deviation"]["AP"] for row in content["trials"]] == [None, None]
    assert content["planned"] == 2
    assert content["best"] == max(content["trials"], key=lambda row: row["mean"]["AP"])["name"]
    with (swept / "trials.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["optim.filter_lr"] for row in rows] == ["0.05", "0.2"]
    assert [float(row["AP50"]) for row in rows] == [run["AP50"] for run in runs]
    assert [row["state"] for row in rows] == ["finished", "finished"]


def test_the_same_command_finds_everything_done_and_proposes_what_is_next(
    copied: Path, shapes: Path, shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(working, "train", lambda *_: pytest.fail("there is nothing to train"))
    code, out, err = shell(f"sweep {WORDS} --out", copied, shapes)
    assert (code, err) == (0, "")
    assert "2 trials of 2 iterations, 0 of them to do\n" in out
    best = content_of(copied)["best"]
    proposed = next(line for line in out.splitlines() if line.startswith("  pocketrcnn train"))
    assert f"--iterations 8 --preset small --out {copied}-best" in proposed
    assert "--set optim.final_lr=0.001 --set optim.filter_lr=" in proposed
    assert f"best by validation images: {best} (" in out
    assert shell(proposed.strip().removeprefix("pocketrcnn ") + " --help").code == 0


def test_every_command_takes_the_folder(copied: Path, shapes: Path, tmp_path: Path, shell: Shell) -> None:
    result = copied / "results" / "trial-001.json"
    content = json.loads(result.read_text())
    content["runs"]["trial-001"]["AP"] = 0.75
    result.write_text(json.dumps(content))
    which = f"trial-001 (optim.filter_lr 0.2) of {copied}, the best of 2 trials on validation images: AP 0.750"
    image = next((shapes / "test").glob("*.png"))
    assert which in shell("predict", copied, image, "--out", tmp_path / "found").out
    assert which in shell("eval", copied).out
    assert (copied / "trial-001" / "evaluation-test.json").is_file()
    assert best_run(copied) == copied / "trial-001"
    assert runs_of(copied) == [copied / "trial-000", copied / "trial-001"]
    (copied / "report.html").unlink()
    assert shell("report", copied).code == 0
    assert "Sweep sweep" in (copied / "report.html").read_text()
    assert "evaluation-test" not in (copied / "report.html").read_text()
    assert shell("report", copied, "--out", tmp_path / "page.html").code == 0
    assert 'href="trial-' not in (tmp_path / "page.html").read_text()
    assert "is a sweep: the same `pocketrcnn sweep` goes on with it" in shell.refused("resume", copied)
    found = pocketrcnn.Swept(copied, "cpu")
    assert found.best.path == copied / "trial-001"
    assert [trial.settings for trial in found.trials] == [{"optim.filter_lr": 0.05}, {"optim.filter_lr": 0.2}]


def test_another_sweep_in_the_folder_is_refused_and_both_are_named(
    copied: Path, shapes: Path, tmp_path: Path, shell: Shell
) -> None:
    before = {path: path.read_bytes() for path in copied.glob("*.json")}
    refused = shell.refused(f"sweep {WORDS} --seed 1 --out", copied, shapes)
    assert "sweep was started as pocketrcnn.sweep(" in refused
    assert ", now it is pocketrcnn.sweep(" in refused
    assert "seed=1" in refused
    with pytest.raises(UserError, match="holds something else than a sweep"):
        sweep(options(shapes, copied / "trial-000"))
    with pytest.raises(UserError, match="holds something else than a run"):
        train_one(options(shapes, copied).trial((), out=copied))
    data = Path(shutil.copytree(shapes, tmp_path / "data"))
    plan = json.loads((copied / "sweep.json").read_text())
    plan["options"]["data"] = str(data)
    (copied / "sweep.json").write_text(json.dumps(plan))
    next((data / "train").glob("*.png")).unlink()
    with pytest.raises(UserError, match=r"lacks 1 of the 24 training images of .*: restore them; other images"):
        sweep(options(data, copied))
    (copied / "sweep.json").write_bytes(before[copied / "sweep.json"])
    assert {path: path.read_bytes() for path in copied.glob("*.json")} == before
    (copied / "sweep.json").write_text('{"trials": 3}')
    with pytest.raises(UserError, match=r"sweep.json cannot be read \(.*\): restore it, or sweep again"):
        sweep(options(shapes, copied))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--set optim.lr=0.2..0.05 --trials 3", "the smaller number comes first"),
        ("--set optim.lrr=0.1,0.2", "(did you mean `optim.lr`?)"),
        ("--set optim.lr=0.1,-0.2", "optim.lr is -0.2: use a learning rate above 0"),
        ("--set optim.lr=0.1", "nothing varies"),
        ("", "nothing varies"),
        ("--set optim.lr=0.1..0.2", "a range has no end of values"),
        ("--set optim.lr=0.1,0.2 --minutes 1 --workers 2", "--workers 2: leave it out, runs of minutes"),
        ("--set optim.lr=0.1,0.2 --trials 0", "--trials 0: use 1 or more"),
        ("--set optim.lr=0.1,0.2 --seeds 4000000000 --iterations 2", "2 trials: the runs take about"),
    ],
)
def test_nothing_is_written_for_what_cannot_be_tried(
    shapes: Path, tmp_path: Path, shell: Shell, words: str, message: str
) -> None:
    refused = shell.refused(f"sweep --preset small --device cpu --input-size 32 {words} --out", tmp_path / "s", shapes)
    assert message in refused
    assert list(tmp_path.iterdir()) == []


def test_data_without_validation_images_are_refused(tmp_path: Path) -> None:
    data = painted.write(tmp_path / "data", train=8, val=4, test=4)
    for file in (data / "val").glob("*.json"):
        file.write_text(json.dumps(json.loads(file.read_text()) | {"annotations": []}))
    alone = painted.write(tmp_path / "alone", train=1, val=0, test=0)
    for one in (data, alone):
        with pytest.raises(UserError, match="has no validation image with an object, and a sweep chooses by them"):
            sweep(options(one, tmp_path / "sweep"))
    assert not (tmp_path / "sweep").exists()


def test_a_trial_that_fails_is_named_and_the_sweep_goes_on(
    shapes: Path,
    tmp_path: Path,
    shell: Shell,
    no_training: Callable[[str, float], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    train, tried = working.train, list[str]()

    def failing(given: Any, plan: Any, trial: Trial) -> None:
        tried.append(trial.name)
        train(given, plan, trial)
        if trial.number == 0:
            raise NotFinite("the loss is not finite in 10 batches in a row: train at a lower rate")
        if trial.number == 1:
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory")

    monkeypatch.setattr(working, "train", failing)
    no_training("trial-002", 0.5)
    words = WORDS.replace("0.05,0.2", "0.05,0.1,0.2")
    code, out, err = shell(f"sweep {words} --out", tmp_path / "s", shapes)
    assert code == 1
    assert "trial-000 (optim.filter_lr 0.05) failed: the loss is not finite in 10 batches in a row" in err
    assert "trial-001 (optim.filter_lr 0.1) failed: DefaultCPUAllocator" in err
    assert "best by validation images: trial-002 (optim.filter_lr 0.2), AP 0.500" in out
    assert shell(f"sweep {words} --out", tmp_path / "s", shapes).code == 1
    assert tried == ["trial-000", "trial-001", "trial-002"], "none is tried again"
    assert [trial.state for trial in pocketrcnn.Swept(tmp_path / "s").trials] == ["failed", "failed", "finished"]


@pytest.mark.parametrize("error", [Unavailable("s/trial-001 cannot be written (disk full)"), OSError(28, "disk full")])
def test_a_full_disk_is_no_fault_of_a_trial_and_nothing_is_lost(
    shapes: Path,
    tmp_path: Path,
    no_training: Callable[[str, float], None],
    error: Exception,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    train = working.train

    def full(given: Any, plan: Any, trial: Trial) -> None:
        train(given, plan, trial)
        if trial.number == 1:
            raise error

    for name in ("trial-000", "trial-001"):
        no_training(name, 0.5)
    with monkeypatch.context() as patch:
        patch.setattr(working, "train", full)
        with pytest.raises(type(error)):
            sweep(options(shapes, tmp_path / "s"))
    assert [trial.state for trial in pocketrcnn.Swept(tmp_path / "s").trials] == ["finished", "begun"]
    sweep(options(shapes, tmp_path / "s"))
    assert [trial.state for trial in pocketrcnn.Swept(tmp_path / "s").trials] == ["finished", "finished"]


def test_whose_fault_an_error_is() -> None:
    wrapped = UserError("a batch cannot be read; state saved")
    wrapped.__cause__ = OSError(5, "input/output error")
    assert not is_its_own(wrapped)
    assert not is_its_own(Unavailable("in use"))
    assert not is_its_own(RuntimeError("a bug"))
    assert is_its_own(MemoryError())
    assert is_its_own(UserError("rpn.candidates is 100"))


def test_an_interrupted_trial_goes_on_from_its_checkpoint(
    swept: Path, shapes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "s"
    with monkeypatch.context() as patch:
        interrupt_after(patch, 1)
        with pytest.raises(Interrupted, match="iteration 1 of trial-000, state saved; the same command goes on"):
            sweep(options(shapes, folder, trials=1))
    begun = (folder / "trial-000" / "env.json").stat().st_mtime_ns
    assert [trial.state for trial in pocketrcnn.Swept(folder).trials] == ["begun"]
    with pytest.raises(UserError, match=r"no trial of .* is finished: the same `pocketrcnn sweep` goes on"):
        best_run(folder)
    sweep(options(shapes, folder, trials=1))
    assert (folder / "trial-000" / "env.json").stat().st_mtime_ns == begun, "it was not begun again"
    drawn = content_of(folder)["trials"][0]["settings"]
    same = next(row["name"] for row in content_of(swept)["trials"] if row["settings"] == drawn)
    for name in ("weights.safetensors", "log.jsonl"):
        assert (folder / "trial-000" / name).read_bytes() == (swept / same / name).read_bytes()


def test_trials_of_several_seeds_have_mean_and_spread(shapes: Path, tmp_path: Path, shell: Shell) -> None:
    given = {**TINY, "iterations": 1}
    done = pocketrcnn.sweep(shapes, settings=SETS, trials=1, seeds=2, out=tmp_path / "s", quiet=True, **given)
    (trial,) = done.trials
    assert sorted(path.name for path in trial.path.iterdir()) == ["report.html", "seed-0", "seed-1", "set.json"]
    assert trial.state == "finished"
    assert trial.deviation["AP"] is not None
    assert done.best.path == trial.path
    assert best_run(done.path).parent == trial.path
    assert "± " in (done.path / "report.html").read_text().replace("\N{NO-BREAK SPACE}", " ")


def test_the_best_is_the_first_of_equals_and_one_without_a_metric_is_none() -> None:
    scores = [(0.5,), (0.7, 0.5), (0.6, 0.6), (0.9, None)]
    rows = [
        Trial(i, {}, "finished", runs={str(j): {"AP": s} for j, s in enumerate(row)}) for i, row in enumerate(scores)
    ]
    best = best_of([*rows, Trial(4, {}, "failed"), Trial(5, {})])
    assert best is not None
    assert best.number == 1
    assert best.in_words() == "0.600 ± 0.141"
    assert best_of([]) is None


def about(trials: int, failed: int = 0, **changes: Any) -> dict[str, Any]:
    """A sweep that never was: of two settings, each trial of three runs."""
    rows = []
    for number in range(trials):
        settings = {"optim.filter_lr": 0.05 + number / 100, "optim.name": ("muon", "<b>adam</b>")[number % 2]}
        runs = {
            f"seed-{seed}": dict.fromkeys(("AP", "AP50", "AP75"), 0.3 + number / 100 + seed / 50) for seed in range(3)
        }
        rows.append(row_of(Trial(number, settings, "finished", runs=runs, seconds=61.0)))
    rows += [
        row_of(Trial(trials + i, {"optim.filter_lr": 9.0, "optim.name": "muon"}, "failed", "`x` is not finite"))
        for i in range(failed)
    ]
    varied = {
        "optim.filter_lr": {"low": 0.05, "high": 0.2, "log": True},
        "optim.name": {"values": ["muon", "<b>adam</b>"]},
    }
    known = {"version": "0.0.0", "name": "my sweep", "command": "pocketrcnn sweep data", "planned": trials + failed}
    known |= {"seeds": 3, "minutes": None, "iterations": 500, "metric": "AP", "fixed": [], "varied": varied}
    return known | {"best": f"trial-{trials - 1:03d}", "longer": "pocketrcnn train data", "trials": rows} | changes


def test_the_page_names_the_best_and_how_clear_that_is() -> None:
    html = render_sweep(about(3, failed=1), [])
    text = Page(html).text
    assert "3 trials of 3 runs of 500 iterations" in text
    assert "3 trials of 500 iterations" in Page(render_sweep(about(3, seeds=1), [])).text
    assert "The best is trial-002 (optim.filter_lr 0.07, optim.name muon)" in text
    assert "The best of 3 looks better on the images that chose it than it is" in text
    assert "overlap, and their order may be chance" in text
    rows = section(html, "trials")
    assert rows.index("trial-002") < rows.index("trial-001") < rows.index("trial-000")
    assert "`x` is not finite".replace("`", "") in section(html, "failed")
    assert Page(html).attributes("a", "href")[-3:] == [f"trial-00{n}/report.html" for n in (2, 1, 0)]
    assert "pocketrcnn eval my sweep" in section(html, "next")
    assert "pocketrcnn train data" in section(html, "next")
    assert len(Page(html).figures) == 1
    assert "<b>adam" not in html
    assert render_sweep(about(3, failed=1), []) == html
    assert "trial-000/report.html" not in render_sweep(about(3), [], linked=False)


def test_a_page_of_many_trials_and_of_none() -> None:
    html = render_sweep(about(SHOWN + 4), [])
    assert "4 further trials" in Page(html).text
    nothing = Page(render_sweep(about(0, planned=12, best=None, longer=None), [])).text
    assert "No trial is finished yet" in nothing
    assert "0 of 12" in nothing
    some = Page(render_sweep(about(2, planned=3), [])).text
    assert "1 trial is not finished" in some


def test_a_row_of_the_table_has_a_cell_for_every_value() -> None:
    row = row_of(Trial(0, {"augment.zoom": [0.8, 1.6], "augment.rotate": True}, "failed", "why"))
    cells = columns_of(row, ["augment.zoom", "augment.rotate"])
    assert (cells["augment.zoom"], cells["augment.rotate"], cells["AP"], cells["reason"]) == (
        "[0.8, 1.6]",
        "true",
        None,
        "why",
    )


@pytest.mark.slow
@pytest.mark.loopback
@chromium.NEEDED
@pytest.mark.parametrize("width", [1280, 390])
def test_the_page_in_a_browser(browser: Any, swept: Path, tmp_path: Path, width: int) -> None:
    pages = [swept / "report.html", tmp_path / "many.html"]
    pages[1].write_text(render_sweep(about(30, failed=2), [], linked=False), encoding="utf-8")
    for page in pages:
        chromium.open_page(browser, page, width)
        assert not chromium.scrolls_sideways(browser)
        chromium.assert_quiet(browser, page)
