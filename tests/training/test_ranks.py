"""Several processes train one network: they learn what one learns, and none is left behind.

Covers `training/ranks.py`, `training/group.py`, `training/joining.py`, `training/launch.py` and `custom/together.py`.
What takes longer, as deaths of processes, is in tests/scale.
"""

from __future__ import annotations

import dataclasses
import itertools
import json
from pathlib import Path
from typing import Any

import pytest
import ranked
import torch
from runs_in_seconds import quick, small
from shell import Shell
from torch import distributed

from pocketrcnn.config import Config
from pocketrcnn.course.data.datasets import open_dataset
from pocketrcnn.custom import train as custom_train
from pocketrcnn.custom.options import PredictOptions, TrainOptions
from pocketrcnn.custom.parts.ranks import shared_by_rank
from pocketrcnn.custom.together import Face, difference
from pocketrcnn.errors import UserError
from pocketrcnn.model.faster_rcnn import FasterRCNN, Prediction, Targets
from pocketrcnn.training import joining
from pocketrcnn.training import launch as launching
from pocketrcnn.training.finite import NotFinite
from pocketrcnn.training.group import ALONE, Group, current, member_of
from pocketrcnn.training.joining import ended_by, joined
from pocketrcnn.training.launch import Launch, keep_folder, kept_folder, launch
from pocketrcnn.training.loop import step_seed
from pocketrcnn.training.ranks import Ranks, counted
from pocketrcnn.training.signals import Interrupted

TWO = {"RANK": "1", "WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "2"}


@pytest.fixture
def second_of_two(monkeypatch: pytest.MonkeyPatch) -> None:
    """What torchrun tells the second of two processes."""
    for name, value in TWO.items():
        monkeypatch.setenv(name, value)


@pytest.fixture(autouse=True)
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Seconds for which a process lets the first one speak, without the time."""
    seconds: list[float] = []
    monkeypatch.setattr(launching.time, "sleep", seconds.append)
    return seconds


def member(rank: int, count: int) -> Ranks:
    """One of several, which cannot speak with the others."""
    group = object.__new__(Ranks)
    group.rank, group.count, group.waiting, group.signals = rank, count, True, []
    return group


@pytest.mark.slow
def test_two_processes_have_the_losses_of_one(shapes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Batches of 7 images are cut into 4 and 3; each loss is a mean over all regions or anchors of both."""
    monkeypatch.setattr(FasterRCNN, "train_only", ranked.with_fixed_statistics)
    options: dict[str, Any] = {"batch": 7, "input_size": 48, "precision": "float32", "settings": ranked.PLAIN}
    one = quick(shapes, tmp_path / "one", 6, **options)
    words = f"train {shapes} --iterations 6 --preset small --batch 7 --input-size 48 --precision float32 --device cpu"
    more = [word for setting in ranked.PLAIN for word in ("--set", setting)]
    command = ranked.torchrun(2, *words.split(), *more, FIXED=1, STATES=tmp_path, POCKETRCNN_DATA=tmp_path / "cache")
    code, out, err = ranked.finish(command, tmp_path)
    assert code == 0, err
    two = tmp_path / "runs" / "shapes"
    assert (tmp_path / "0").read_text() == (tmp_path / "1").read_text(), "the same weights, to the bit"
    assert out.count("report: ") == out.count("6 iterations of 7 images") == 1, "the first one speaks"
    assert out.count("2 processes, each with 3.5 of the 7 images") == 1
    assert "Warning" not in err
    entries = [[json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()] for run in (one, two)]
    assert len(entries[0]) == len(entries[1]) >= 3
    for first, second in zip(*entries, strict=True):
        assert first["train"] == pytest.approx(second["train"], rel=2e-3, abs=1e-4)
    assert json.loads((two / "env.json").read_text())["hardware"]["processes"] == 2
    assert "processes" not in json.loads((one / "env.json").read_text())["hardware"]


def pieces(values: Any, at: slice) -> Any:
    """The rows of all tensors of a prediction or targets."""
    return type(values)(*(None if value is None else value[at] for value in values))


@torch.no_grad()
def test_losses_of_parts_are_means_over_what_the_network_counts() -> None:
    config: Config = small("F3", model__roi__background=True, model__roi__refine=True)
    torch.manual_seed(0)
    model, data = FasterRCNN(config.model), open_dataset(config.data, "train")
    batch = data.batch(torch.arange(7))
    prediction: Prediction = model(batch.images, batch)
    targets: Targets = model.targets(prediction, batch)
    whole = model.losses(prediction, targets, config.loss)
    assert set(whole) == {"objectness", "box", "classification", "box_regression"}
    cut = [(pieces(prediction, at), pieces(targets, at)) for at in (slice(0, 2), slice(2, 7))]
    counts = [counted(part, config.model.classes) for _, part in cut]
    losses = [model.losses(*part, config.loss) for part in cut]
    for name, loss in whole.items():
        together = sum(part[name] * count[name] for part, count in zip(losses, counts, strict=True))
        assert float(together / sum(count[name] for count in counts)) == pytest.approx(float(loss), rel=1e-5)


def test_the_parts_of_a_batch_are_the_batch_in_its_order() -> None:
    batch = torch.randperm(23)
    parts = [member(rank, 4).part(batch) for rank in range(4)]
    assert torch.equal(torch.cat(parts), batch)
    assert {len(part) for part in parts} == {5, 6}
    with pytest.raises(UserError, match=r"7 images an iteration are too few for 4 .* use --batch 8 or more"):
        member(0, 4).require_possible(small("B1", train__batch=7), 100, torch.device("cpu"))
    with pytest.raises(UserError, match=r"7 images an iteration are too few for 4"):
        member(0, 4).require_possible(small("B1", train__batch=64), 7, torch.device("cpu"))


def test_no_two_processes_and_iterations_draw_the_same_numbers() -> None:
    """Of a seed, torch's generator takes 32 bits."""
    seeds = [member(rank, 64).seed(step_seed(3, i)) % 2**32 for rank in range(64) for i in (0, 1, 99, 2**24 - 1)]
    assert len(set(seeds)) == len(seeds)
    assert member(0, 64).seed(7) == ALONE.seed(7) == 7
    first = sorted(member(rank, 64).seed(0) % 2**32 for rank in range(64))
    assert min(b - a for a, b in itertools.pairwise(first)) > 2**24, "iterations of two ranks never meet"


def test_a_process_by_itself_is_a_group_of_one(monkeypatch: pytest.MonkeyPatch) -> None:
    with joined("cpu") as group:
        assert (group, group.count, current()) == (ALONE, 1, ALONE)
    assert launch() == Launch()
    monkeypatch.setenv("RANK", "0")  # as other programs set it
    monkeypatch.setenv("WORLD_SIZE", "8")
    assert launch().count == 1


def test_what_torchrun_tells(second_of_two: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORCHELASTIC_RESTART_COUNT", "3")
    assert launch() == Launch(rank=1, count=2, here=2, local=0, restarts=3)
    assert shared_by_rank(PredictOptions(out=Path("out"))).shard == (1, 2)


@pytest.mark.loopback
def test_the_folder_of_a_run_outlives_its_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    assert kept_folder() is None
    keep_folder(Path("nowhere"))  # without torchrun
    store = distributed.TCPStore("127.0.0.1", 0, is_master=True, wait_for_workers=False)  # type: ignore[attr-defined]
    told = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(store.port), "TORCHELASTIC_USE_AGENT_STORE": "True"}
    for name, value in (TWO | told | {"TORCHELASTIC_RESTART_COUNT": "1"}).items():
        monkeypatch.setenv(name, value)
    assert kept_folder() is None, "it died before it had one"
    keep_folder(Path("runs/shapes-2"))
    assert kept_folder() == Path("runs/shapes-2")
    options = TrainOptions(Path("shapes"))
    with custom_train.folder_of(options) as folder:
        assert folder == Path("runs/shapes-2")
    monkeypatch.setenv("TORCHELASTIC_RESTART_COUNT", "0")
    assert kept_folder() is None, "another call has a folder of its own"


@pytest.mark.parametrize("words", ["check nowhere", "eval nowhere", "train nowhere --seeds 2", "reproduce"])
def test_what_several_processes_do_not_do_together(
    words: str, shell: Shell, second_of_two: None, monkeypatch: pytest.MonkeyPatch, waits: list[float]
) -> None:
    assert shell(words) == (2, "", ""), "the first one says it"
    assert waits == [launching.GRACE], "else torchrun may end the first one before it has"
    monkeypatch.setenv("RANK", "0")
    assert "not for several processes, and torchrun has started 2: start it by itself" in shell.refused(words)


def test_a_wrong_option_is_said_once_on_a_machine(
    shell: Shell, second_of_two: None, monkeypatch: pytest.MonkeyPatch, waits: list[float]
) -> None:
    assert "unknown option --iteration" in shell.refused("train shapes --iteration 5"), "the first one of its machine"
    monkeypatch.setenv("LOCAL_RANK", "1")
    assert shell("train shapes --iteration 5") == (2, "", "")
    assert waits == [launching.GRACE]


def test_a_set_of_runs_does_not_go_on_in_several_processes(
    shell: Shell, second_of_two: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("RANK", "0")
    monkeypatch.setattr("pocketrcnn.custom.seeds.is_set", lambda _: True)
    assert "a set of --seeds, is not for several processes" in shell.refused("resume", tmp_path)


FACE = Face("alpha", {"torch": "2.13.0", "pocketrcnn": "0.1.0"}, "train(DATA)", "", "data", 24, "ab12")
OTHERS = {
    "rank 1 (beta) sees other data, other (25 images, hash cd34), than rank 0 (alpha), data (24 images, hash ab12)": (
        {"source": "other", "images": 25, "hash": "cd34"}
    ),
    "rank 1 (beta) has torch 2.4.0, rank 0 (alpha) 2.13.0: install the same": {
        "versions": FACE.versions | {"torch": "2.4.0"}
    },
    "rank 1 (beta) was started as train(DATA, batch=4), rank 0 as train(DATA)": {"asked": "train(DATA, batch=4)"},
    "rank 1 (beta): data does not exist": {"problem": "data does not exist", "hash": ""},
}


@pytest.mark.parametrize("words", OTHERS)
def test_a_process_that_is_unlike_the_first_one_is_named(words: str) -> None:
    assert difference(FACE, FACE._replace(host="beta"), 1) == ""
    assert difference(FACE, FACE._replace(host="beta", **OTHERS[words]), 1).startswith(words)
    alike = FACE._replace(problem="no such folder")
    assert difference(alike, alike, 0) == "no such folder", "said once"


class Told(Group):
    """Remembers the exit codes with which the others were released."""

    def __init__(self, rank: int) -> None:
        super().__init__()
        self.rank, self.codes = rank, list[int]()

    def release(self, code: int = 0, folder: Path | None = None) -> None:
        self.codes.append(code)


ENDS = [
    (UserError("wrong"), 2, UserError, "rank 1 .*: wrong"),
    (NotFinite("the loss"), 2, SystemExit, "2"),
    (Interrupted("here", 15), 143, SystemExit, "143"),
    (KeyboardInterrupt(), 130, SystemExit, "130"),
    (RuntimeError("a bug"), 1, RuntimeError, "a bug"),
]


@pytest.mark.parametrize(("error", "code", "other", "words"), ENDS, ids=lambda end: type(end).__name__)
def test_all_end_with_the_exit_code_of_the_first(
    error: BaseException, code: int, other: type[BaseException], words: str
) -> None:
    first, second = Told(0), Told(1)
    with pytest.raises(type(error)), ended_by(first):
        raise error
    assert first.codes == [code]
    with pytest.raises(other, match=words), ended_by(second):
        raise error


def test_a_lost_process_is_said_once(second_of_two: None, monkeypatch: pytest.MonkeyPatch) -> None:
    def lost(*_: object, **__: object) -> None:
        raise RuntimeError("[gloo/transport/tcp/pair.cc:534] Connection closed by peer [127.0.0.1]:34102")

    monkeypatch.setattr(distributed, "init_process_group", lost)
    monkeypatch.setattr(joining, "end_with_parent", lambda _: None)
    with pytest.raises(SystemExit), joined("cpu"):
        raise AssertionError
    monkeypatch.setenv("RANK", "0")
    with pytest.raises(UserError, match=r"another process of this training has ended, .*resume`"), joined("cpu"):
        raise AssertionError


def test_statistics_of_the_whole_batch_need_gpus() -> None:
    config = small("B1", train__sync_batchnorm=True)
    with pytest.raises(UserError, match="sync_batchnorm needs GPUs"):
        member(0, 2).require_possible(config, 100, torch.device("cpu"))
    member(0, 2).require_possible(config, 100, torch.device("cuda"))
    ALONE.require_possible(config, 100, torch.device("cpu"))  # it has the whole batch


class Refusing(Group):
    """Cannot train."""

    def require_possible(self, *_: object) -> None:
        raise UserError("too few")


def test_nothing_is_left_of_a_run_that_several_processes_cannot_begin(shapes: Path, tmp_path: Path) -> None:
    """The same folder is free for a larger batch."""
    options = TrainOptions(shapes, out=tmp_path / "run", iterations=2, preset="small", device="cpu")
    with member_of(Refusing()), pytest.raises(UserError, match="too few"):
        custom_train.begin(options, 0.0)
    assert not (tmp_path / "run").exists()


def test_more_processes_than_gpus_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    here = Launch(rank=0, count=4, here=4)
    with pytest.raises(UserError, match=r"4 processes on .*, which has 2 GPUs"):
        joining.backend_for("auto", here)
    chosen: list[int] = []
    monkeypatch.setattr(torch.cuda, "set_device", chosen.append)
    assert joining.backend_for("auto", dataclasses.replace(here, here=2, local=1)) == "cpu:gloo,cuda:nccl"
    assert chosen == [1]
    assert joining.backend_for("cpu", here) == "gloo"
