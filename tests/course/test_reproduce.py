"""`pocketrcnn reproduce`: what it trains, what it writes, and what it does not do twice.

Covers `course/options.py`, `course/results.py`.
"""

import json
import re
import shlex
import shutil
import statistics
from pathlib import Path
from typing import Any

import fake_cifar
import filelock
import pytest
import torch
from shell import Shell, few_evaluations, reproduced

from pocketrcnn.cli.main import parser
from pocketrcnn.cli.options import call
from pocketrcnn.config import DataConfig, replace
from pocketrcnn.course import reproduce
from pocketrcnn.course.data import cifar
from pocketrcnn.course.data.course_layout import write_course_layout
from pocketrcnn.course.data.datasets import Images, open_dataset
from pocketrcnn.course.experiments import EXPERIMENTS
from pocketrcnn.course.only import chosen
from pocketrcnn.course.plan import runs_of_lines
from pocketrcnn.course.report.metrics import spread
from pocketrcnn.course.reproduce import Options, workplace
from pocketrcnn.errors import UserError
from pocketrcnn.model import costs
from pocketrcnn.report.phrases import Stat
from pocketrcnn.training.checkpoint import load_tensors
from pocketrcnn.training.config_file import load
from pocketrcnn.training.device import choose_precision
from pocketrcnn.training.loop import Trainer

pytestmark = pytest.mark.slow

WORDS = "reproduce --data sample --only B2,R2,F3 --iterations 2 --batch 8 --out"
RUNS = ["B2-pocket-2-sample-seed0", "F3-pocket-2-sample-seed0", "R2-pocket-2-sample-seed0"]


@pytest.fixture
def shell(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Shell:
    few_evaluations(monkeypatch)
    return Shell(capsys)


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The output of one call, for all tests that only look at it."""
    return reproduced(WORDS, tmp_path_factory.mktemp("reproduce") / "out")


@pytest.fixture
def results(out: Path) -> dict[str, Any]:
    return json.loads((out / "results.json").read_text())


@pytest.fixture
def copy(out: Path, tmp_path: Path) -> Path:
    """The same output, to work on."""
    return Path(shutil.copytree(out, tmp_path / "copy"))


def read(out: Path) -> dict[str, Any]:
    return json.loads((out / "results.json").read_text())


def no_training(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Trainer, "__init__", lambda *_: pytest.fail("trained again"))


def write_few_scenes(folder: Path, count: int = 12) -> Path:
    """A dozen scenes, or fewer, in the course's layout."""
    scenes = open_dataset(DataConfig("sample", "scenes", fresh=False), "test")
    batch = scenes.batch(torch.arange(count))
    few = Images("few", batch.images, batch.boxes, batch.labels)
    write_course_layout(folder, few, few)
    return folder


def options(words: str, **changes: Any) -> Options:
    """What the command line makes of words."""
    return replace(call(Options, parser().parse_args(shlex.split(words))), **changes)


def test_the_folder_holds_results_report_and_runs(out: Path) -> None:
    assert sorted(path.name for path in out.iterdir()) == ["report.html", "results.json", "runs"]
    assert sorted(path.name for path in (out / "runs").iterdir()) == RUNS
    for run in (out / "runs").iterdir():
        names = ["config.yaml", "env.json", "log.jsonl", "metrics.json", "weights.safetensors"]
        assert sorted(path.name for path in run.iterdir()) == names


def test_results_say_what_was_done_with_what(results: dict[str, Any], out: Path) -> None:
    assert (results["schema"], results["data"], results["schedule"]) == (1, "sample", "custom")
    assert results["command"] == f"pocketrcnn {WORDS} {out}"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", results["created"])
    assert results["seconds_total"] > 0
    assert 0.1 < results["peak_memory_gb"] < 2.5
    assert results["versions"]["torch"] == torch.__version__
    assert {"processor", "cores", "threads", "device", "precision", "memory_gb", "system"} <= set(results["hardware"])


def test_results_have_one_record_an_experiment(results: dict[str, Any]) -> None:
    records = results["experiments"]
    assert [record["id"] for record in records] == ["B2", "R2", "F3"]
    for record in records:
        experiment = EXPERIMENTS[record["id"]]
        assert (record["recipe"], record["iterations"], record["batch"], record["seeds"]) == ("pocket", 2, 8, [0])
        assert (record["title"], record["network"]) == (experiment.title, experiment.network)
        assert record["headline"] == experiment.published.metric
        assert record["headline"] in record["metrics"]
        assert record["report"] is None, "the sample is never compared with the report"
        assert record["seconds"]["n"] == 1
        assert record["seconds"]["mean"] > 0
        assert record["versions"] == results["versions"]
        assert record["hardware"]["precision"] == choose_precision("auto", torch.device("cpu"))


def test_metrics_carry_n_mean_and_deviation(results: dict[str, Any]) -> None:
    for record in results["experiments"]:
        for name, stat in record["metrics"].items():
            assert (stat["n"], stat["std"]) == (1, 0), name
            assert stat["values"] == [stat["mean"]]
    metrics = {record["id"]: set(record["metrics"]) for record in results["experiments"]}
    assert {"accuracy", "loss_classification"} <= metrics["B2"]
    assert {"objectness_accuracy", "box_loss", "pixel_error", "mean_iou", "loss_objectness"} <= metrics["R2"]
    assert {"accuracy", "objectness_accuracy", "box_loss", "mean_iou", "loss_classification"} <= metrics["F3"]


def test_curves_have_a_value_of_each_seed_at_every_point(results: dict[str, Any]) -> None:
    for record in results["experiments"]:
        assert {"loss_total_train"} <= set(record["curves"])
        assert all(curve["x"] == [2] for curve in record["curves"].values())
        assert all([len(y) for y in curve["y"]] == [1] for curve in record["curves"].values())
    names = {record["id"]: set(record["curves"]) for record in results["experiments"]}
    assert {"accuracy_train", "accuracy_test", "loss_classification_train"} <= names["B2"]
    assert {"objectness_accuracy_test", "loss_box_train", "loss_objectness_train"} <= names["R2"] & names["F3"]


def test_costs_are_those_of_the_network(results: dict[str, Any]) -> None:
    for record in results["experiments"]:
        config = EXPERIMENTS[record["id"]].config("pocket", 2, "sample", 0)
        wanted = costs.summary(record["network"], config.model)
        assert record["parameters"] == wanted["parameters"]
        assert record["multiplications"] == wanted["multiplications"]
        assert [layer["name"] for layer in record["layers"]] == [layer["name"] for layer in wanted["layers"]]


def test_pictures_are_what_the_report_shows(results: dict[str, Any]) -> None:
    pictures = {record["id"]: record["pictures"] for record in results["experiments"]}
    assert pictures["B2"] == {}
    for split in ("train", "test"):
        rows = pictures["R2"]["rois"][split]
        assert {len(row) for row in rows.values()} == {8}
        assert all(image.startswith("data:image/png;base64,") for image in rows["predicted_crops"])
    for shown in pictures["F3"]["detections"]:
        assert shown["right"] == (shown["predicted"] == shown["label"])
        assert 0 <= shown["score"] <= 1
        assert 0 <= shown["iou"] <= 1


def test_the_command_of_a_record_repeats_it(
    results: dict[str, Any], out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    few_evaluations(monkeypatch)
    for record in results["experiments"]:
        program, *words = shlex.split(record["command"])
        parsed = options(shlex.join(words))
        (config,) = (run.config for run in runs_of_lines(parsed, [(parsed.recipe, EXPERIMENTS[record["id"]])]))
        path = out / "runs" / f"{record['id']}-pocket-2-sample-seed0" / "config.yaml"
        assert program == "pocketrcnn"
        assert [e.id for e in chosen(parsed.only)[0]] == [record["id"]]
        assert replace(config, train__precision=record["hardware"]["precision"]) == load(path.read_text(), str(path))


def test_the_page_says_that_it_is_a_sample(out: Path) -> None:
    page = (out / "report.html").read_text()
    assert "on the small sample of CIFAR-10" in page
    assert all(record.title in page for record in chosen("B2,R2,F3")[0])
    assert not re.search(r"""(?:src|href)=["']?https?:""", page), "nothing is loaded from elsewhere"


def test_what_is_done_is_not_done_again(
    shell: Shell, out: Path, results: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    no_training(monkeypatch)
    code, text, _ = shell(WORDS, out)
    assert code == 0
    assert f"report: {out / 'report.html'}" in " ".join(text.split())
    assert read(out)["experiments"] == results["experiments"]


def test_another_call_adds_to_the_report(shell: Shell, copy: Path, results: dict[str, Any]) -> None:
    """First what the call names, then what is there."""
    assert shell("reproduce --data sample --only R1 --iterations 2 --batch 8 --out", copy).code == 0
    records = read(copy)["experiments"]
    assert [record["id"] for record in records] == ["R1", "B2", "R2", "F3"]
    assert records[1:] == results["experiments"]
    page = (copy / "report.html").read_text()
    assert all(f"{id} is not among these results" not in page for id in ("R1", "B2", "R2", "F3"))


def test_another_schedule_has_another_report(
    shell: Shell, copy: Path, results: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first one comes back without training."""
    assert shell("reproduce --data sample --only B2 --iterations 1 --batch 8 --out", copy).code == 0
    assert [(record["id"], record["iterations"]) for record in read(copy)["experiments"]] == [("B2", 1)]
    no_training(monkeypatch)
    assert shell("reproduce --data sample --only F3 --iterations 2 --batch 8 --out", copy).code == 0
    assert [record["id"] for record in read(copy)["experiments"]] == ["F3", "B2", "R2"]


def test_time_and_memory_are_those_of_the_runs(shell: Shell, copy: Path) -> None:
    """A call that only writes down what an earlier one did says how long that took."""
    for number, path in enumerate(sorted(copy.glob("runs/*/metrics.json")), 1):
        given = {"elapsed": 100.0 * number, "peak_memory_gb": 9.5 - number}
        path.write_text(json.dumps(json.loads(path.read_text()) | given))
    assert shell(WORDS, copy).code == 0
    assert (read(copy)["seconds_total"], read(copy)["peak_memory_gb"]) == (600, 8.5)
    assert "took 10 min 0 s in all" in (copy / "report.html").read_text()


def test_the_machine_is_that_of_the_runs(shell: Shell, copy: Path) -> None:
    """Runs side by side have a thread each, the call that starts them has all."""
    for path in copy.glob("runs/*/env.json"):
        content = json.loads(path.read_text())
        content["hardware"] |= {"threads": 7}
        path.write_text(json.dumps(content))
    assert shell(WORDS, copy).code == 0
    assert read(copy)["hardware"]["threads"] == 7
    page = (copy / "report.html").read_text()
    assert "(7 threads used)" in page
    assert " elsewhere" not in page


def test_memory_counts_the_pictures_of_the_report(shell: Shell, copy: Path) -> None:
    """They come after the last run."""
    for path in copy.glob("runs/*/metrics.json"):
        path.write_text(json.dumps(json.loads(path.read_text()) | {"peak_memory_gb": 0.001}))
    assert shell(WORDS, copy).code == 0
    assert read(copy)["peak_memory_gb"] > 0.1


def test_runs_that_do_not_say_their_memory(shell: Shell, copy: Path) -> None:
    for path in copy.glob("runs/*/metrics.json"):
        old = {name: value for name, value in json.loads(path.read_text()).items() if name != "peak_memory_gb"}
        path.write_text(json.dumps(old))
    assert shell(WORDS, copy).code == 0
    assert read(copy)["peak_memory_gb"] is None
    assert "Peak memory was" not in (copy / "report.html").read_text()


def test_records_say_whether_scenes_are_fresh_or_fixed(results: dict[str, Any]) -> None:
    train, test = "sample of CIFAR-10, 1,000 training images", "sample of CIFAR-10, 500 test images"
    data = {record["id"]: record["data"] for record in results["experiments"]}
    assert data["B2"] == {"train": train, "test": test}
    assert data["F3"] == {"train": f"{train}, fresh scenes", "test": f"{test}, fixed scenes"}


def test_a_report_is_of_one_folder_of_scenes(shell: Shell, tmp_path: Path) -> None:
    mine, out = write_few_scenes(tmp_path / "my scenes"), tmp_path / "out"
    words = "reproduce --only R1 --iterations 1 --batch 4 --data"
    assert shell(words, mine, "--out", out).code == 0
    (record,) = read(out)["experiments"]
    assert shlex.split(record["command"])[-2:] == ["--data", str(mine)], "a name with a space is one word"
    assert "These are results on scenes from a folder" in (out / "report.html").read_text()
    remedy = "choose another folder with --out"
    line = shell.refused(words, "sample", "--out", out)
    before = shlex.quote(str(mine))
    assert line == f"pocketrcnn: {out / 'results.json'} is of --data {before}, now it is sample: {remedy}"
    (out / "results.json").unlink()
    line = shell.refused(words, tmp_path, "--out", out)
    run = out / "runs" / "R1-pocket-1-seed0"
    assert line == f"pocketrcnn: {run} is of --data {before}, now it is {tmp_path}: {remedy}"


def test_scenes_that_are_fewer_than_pictures(shell: Shell, tmp_path: Path) -> None:
    """Pictures of eight scenes were wanted of five, when all was trained."""
    mine, out = write_few_scenes(tmp_path / "five", 5), tmp_path / "out"
    assert shell("reproduce --only R2 --iterations 1 --batch 4 --data", mine, "--out", out).code == 0
    (record,) = read(out)["experiments"]
    assert len(record["pictures"]["rois"]["test"]["originals"]) == 5


def test_a_single_training_scene(shell: Shell, tmp_path: Path) -> None:
    one = write_few_scenes(tmp_path / "one", 1)
    line = shell.refused("reproduce --only F2 --iterations 1 --data", one, "--out", tmp_path / "out")
    assert line == f"pocketrcnn: {one} has 1 training images: use 2 or more, BatchNorm needs them"


def test_a_folder_is_the_same_under_any_name(shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_few_scenes(tmp_path / "few")
    words = "reproduce --only R1 --iterations 1 --batch 4 --out out --data"
    assert shell(words, "few").code == 0
    assert shell(words, "./few").code == 0
    assert read(tmp_path / "out")["data"] == str(tmp_path / "few")
    (tmp_path / "deeper").mkdir()
    monkeypatch.chdir(tmp_path / "deeper")
    assert "no such folder" in shell.refused(words, "few"), "another folder"


def test_more_experiments_are_added_to_those_that_are_done(
    shell: Shell, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained = []
    monkeypatch.setattr(reproduce, "fit", lambda train, test, run: trained.append(run.name))
    monkeypatch.setattr(reproduce, "results", lambda *_: {})
    monkeypatch.setattr(reproduce, "parse", lambda _: {})
    monkeypatch.setattr(reproduce, "write_report", lambda *_: None)
    monkeypatch.setattr(reproduce, "write_atomically", lambda *_: None)
    monkeypatch.setattr(reproduce, "show", lambda _: None)
    assert shell(WORDS.replace("B2,", "B1,B2,"), out).code == 0
    assert trained == ["B1-pocket-2-sample-seed0"]


def test_seeds_give_a_mean_and_a_spread(shell: Shell, tmp_path: Path) -> None:
    code, text, _ = shell(
        "reproduce --data sample --only B2 --iterations 1 --batch 8 --seeds 2 --workers 1 --out", tmp_path / "o"
    )
    assert code == 0
    assert "(n=2)" in text
    (record,) = json.loads((tmp_path / "o" / "results.json").read_text())["experiments"]
    loss = record["metrics"]["loss_classification"]
    first, second = loss["values"]
    assert record["seeds"] == [0, 1]
    assert first != second
    assert loss["n"] == 2
    assert loss["mean"] == pytest.approx((first + second) / 2)
    assert loss["std"] == pytest.approx(abs(first - second) / 2**0.5)
    assert len(record["curves"]["accuracy_test"]["y"]) == 2
    assert "--seeds 2" in record["command"]
    assert shell("reproduce --data sample --only B2 --iterations 1 --batch 8 --out", tmp_path / "o").code == 0
    assert read(tmp_path / "o")["experiments"] == [record], "what is finished stays in"


def test_another_seed_gives_other_numbers(shell: Shell, tmp_path: Path) -> None:
    words = "reproduce --data sample --only B2 --iterations 1 --batch 8 --workers 1"
    assert shell(f"{words} --seed 7 --seeds 2 --out", tmp_path / "o").code == 0
    assert sorted(path.name[-5:] for path in (tmp_path / "o" / "runs").iterdir()) == ["seed7", "seed8"]
    (record,) = read(tmp_path / "o")["experiments"]
    assert record["seeds"] == [7, 8]
    assert "--seed 7 --seeds 2" in record["command"]
    assert shell(f"{words} --seed 8 --out", tmp_path / "o").code == 0, "nothing is trained: it is there"
    (again,) = read(tmp_path / "o")["experiments"]
    assert (again["seeds"], again["metrics"]["accuracy"]["mean"]) == ([8], record["metrics"]["accuracy"]["values"][1])
    assert "--seed -1: use a number from 0" in shell.refused(f"{words} --seed=-1")


def test_spread_is_that_of_a_sample() -> None:
    assert spread([1.0, 2.0, 6.0]) == Stat(3, 3.0, statistics.stdev([1, 2, 6]), [1.0, 2.0, 6.0])
    assert spread([5]).std == 0


def test_both_recipes_stand_side_by_side(shell: Shell, tmp_path: Path) -> None:
    words = "reproduce --data sample --only B2 --iterations 1 --batch 8 --recipe both --out"
    assert shell(words, tmp_path / "o").code == 0
    records = json.loads((tmp_path / "o" / "results.json").read_text())["experiments"]
    assert [(record["id"], record["recipe"]) for record in records] == [("B2", "pocket"), ("B2", "course")]
    config = (tmp_path / "o" / "runs" / "B2-course-1-sample-seed0" / "config.yaml").read_text()
    assert load(config, "config.yaml").optim.weight_decay == 0.05
    assert "--recipe course" in records[1]["command"]


def test_real_data_are_compared_with_the_report(shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A CIFAR-10 of a few records, in the cache and with its checksums, stands for the real one."""
    contents = fake_cifar.install(monkeypatch, tmp_path / "cache", records=24)
    fake_cifar.write(cifar.cifar10_folder(), contents)
    code, _, err = shell("reproduce --only B2 --iterations 1 --batch 8 --out", tmp_path / "o")
    assert (code, err) == (0, "")
    results = json.loads((tmp_path / "o" / "results.json").read_text())
    (record,) = results["experiments"]
    assert results["data"] == "cifar10"
    assert record["report"] == {
        "value": 0.516,
        "better": "higher",
        "beaten": record["metrics"]["accuracy"]["mean"] > 0.516,
    }
    assert "--data" not in record["command"]
    assert "small sample" not in (tmp_path / "o" / "report.html").read_text()


def test_scenes_on_backgrounds_of_cifar100(shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    contents = fake_cifar.install(monkeypatch, tmp_path / "cache", records=24)
    fake_cifar.write(cifar.cifar10_folder(), contents)
    folder = fake_cifar.install_cifar100(monkeypatch, tmp_path / "cifar 100")
    words = f"reproduce --only B2,R1 --iterations 1 --batch 8 --out {tmp_path / 'o'}"
    given = f"--backgrounds '{folder}'"
    assert shell(f"{words} {given}").code == 0
    results = json.loads((tmp_path / "o" / "results.json").read_text())
    assert given in results["command"]
    for record, backgrounds in zip(results["experiments"], ("", str(folder)), strict=True):
        path = tmp_path / "o" / "runs" / f"{record['id']}-pocket-1-seed0" / "config.yaml"
        config = load(path.read_text(), str(path))
        assert config.data.parts[1] == backgrounds, "plain images have no background"
        assert options(record["command"].removeprefix("pocketrcnn ")).backgrounds == backgrounds
    run = tmp_path / "o" / "runs" / "R1-pocket-1-seed0"
    other = f"{run} is of --data cifar10 {given}, now it is cifar10: choose another folder with --out"
    assert shell.refused(words) == f"pocketrcnn: {other}"


def test_schedules() -> None:
    short, full, custom = (options(f"reproduce {words}") for words in ("", "--full", "--iterations 7"))
    assert (short.schedule, full.schedule, custom.schedule) == ("short", "full", "custom")
    b1 = EXPERIMENTS["B1"]
    assert (short.iterations_of(b1), full.iterations_of(b1), custom.iterations_of(b1)) == (b1.short, 2000, 7)


def test_options_of_the_command_line_are_those_of_the_function() -> None:
    assert options("reproduce") == Options()


def test_a_folder_of_scenes_serves_what_works_on_scenes(tmp_path: Path) -> None:
    parsed = options(f"reproduce --data {tmp_path}")
    assert parsed.source_of(EXPERIMENTS["B1"]) == "cifar10"
    assert parsed.source_of(EXPERIMENTS["F2"]) == str(tmp_path)


def test_the_lock_is_gone_afterwards_and_leftovers_too(tmp_path: Path) -> None:
    (tmp_path / ".results.json.123.part").write_text("half")
    with workplace(tmp_path):
        assert [path.name for path in tmp_path.iterdir()] == [".lock"]
    assert list(tmp_path.iterdir()) == []


def test_two_calls_do_not_share_a_folder(tmp_path: Path) -> None:
    with (
        filelock.FileLock(tmp_path / ".lock"),
        pytest.raises(UserError, match="is in use by another program"),
        workplace(tmp_path),
    ):
        pass


def test_weights_say_what_they_are_of(out: Path) -> None:
    _, metadata = load_tensors(out / "runs" / RUNS[0] / "weights.safetensors")
    assert metadata["config"]["model"]["backbone"]["block"] == "separable"
