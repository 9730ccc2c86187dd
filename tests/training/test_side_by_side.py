"""A set of runs ends the same, one by one or side by side, and whatever becomes of one of them.

Covers `training/processes.py`, too.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from runs_in_seconds import CPU, interrupt_after
from sets_of_runs import about, one_of_each, prepared, sample_run

from pocketrcnn.errors import UserError
from pocketrcnn.training import side_by_side
from pocketrcnn.training.measured import remember
from pocketrcnn.training.side_by_side import Job, Steps, choose_workers, train_all
from pocketrcnn.training.signals import Interrupted

pytestmark = pytest.mark.slow
GONE = 60  # seconds in which processes that were told to must have ended

SCRIPT = """
import sys
from pathlib import Path
from sets_of_runs import until_stopped
from pocketrcnn.training.side_by_side import Job, train_all
from pocketrcnn.training.signals import Interrupted
folders = [Path(sys.argv[1]) / name for name in "ab"]
for folder in folders:
    folder.mkdir()
try:
    train_all(until_stopped, [Job(folder.name, "", 1, folder) for folder in folders], 2)
except Interrupted as error:
    print(error)
    sys.exit(error.code)
"""


@pytest.fixture
def two_threads() -> Iterator[None]:
    """As on a machine of two cores; tests in several processes have one each."""
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


def jobs(*given: object) -> list[Job]:
    return [Job(str(one), "", 1, one) for one in given]


def wait_for(*paths: Path) -> None:
    end = time.monotonic() + GONE
    while not all(path.exists() and path.read_text() for path in paths):
        assert time.monotonic() < end, paths
        time.sleep(0.05)


def ended(process: int) -> bool:
    """Whether a process is gone, or waits only to be counted."""
    path = Path(f"/proc/{process}/stat")
    return not path.exists() or path.read_text().rsplit(")")[-1].split()[0] == "Z"


def test_side_by_side_each_has_a_process_and_one_thread(capfd: pytest.CaptureFixture[str]) -> None:
    before = sys.modules["__main__"], os.environ.get("OMP_NUM_THREADS"), signal.getsignal(signal.SIGINT)
    results = train_all(about, jobs(*range(5)), 2)
    assert [number for number, *_ in results] == [0, 1, 2, 3, 4]
    assert {threads for _, _, threads, _ in results} == {1}
    processes = {process for _, process, *_ in results}
    assert len(processes) in (1, 2)
    assert os.getpid() not in processes
    assert {script for *_, script in results} == {None}
    assert before == (sys.modules["__main__"], os.environ.get("OMP_NUM_THREADS"), signal.getsignal(signal.SIGINT))
    assert capfd.readouterr().out == "".join(f"{n} of 5 runs\n" for n in range(1, 6))


def test_one_by_one_all_are_in_this_process(capsys: pytest.CaptureFixture[str]) -> None:
    results = train_all(about, jobs(0, 1), 1)
    assert {(process, threads) for _, process, threads, _ in results} == {(os.getpid(), torch.get_num_threads())}
    assert [line for line in capsys.readouterr().out.splitlines() if line.startswith("run")] == [
        "run 1 of 2",
        "run 2 of 2",
    ]
    train_all(about, jobs(0), 1)
    assert "run 1" not in capsys.readouterr().out


def test_a_run_ends_in_the_same_bytes_beside_others_as_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert train_all(sample_run, jobs(tmp_path / "a", tmp_path / "b"), 2) == [6, 6]
    assert capsys.readouterr().out.splitlines()[-1] == "2 of 2 runs"
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        assert train_all(sample_run, jobs(tmp_path / "alone"), 1) == [6]
    finally:
        torch.set_num_threads(threads)
    for name in ("weights.safetensors", "log.jsonl"):
        assert len({(tmp_path / run / name).read_bytes() for run in ("a", "b", "alone")}) == 1


def test_an_interrupted_run_says_how_the_set_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    interrupt_after(monkeypatch, 2)
    with pytest.raises(Interrupted, match="interrupted at iteration 2 of a, state saved; do this") as caught:
        train_all(sample_run, jobs(tmp_path / "a", tmp_path / "b"), 1, "do this")
    assert caught.value.code == 130
    assert not (tmp_path / "b").exists()


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("refused", "^the images are gone: bring them back$"),
        ("killed", r"killed: its process ended \(killed by signal 9\), the other runs are saved; the same .*memory"),
    ],
)
def test_one_that_fails_stops_the_others_which_are_saved(tmp_path: Path, name: str, message: str) -> None:
    for folder in ("long", name):
        (tmp_path / folder).mkdir()
    with pytest.raises(UserError, match=message):
        train_all(one_of_each, jobs(tmp_path / "long", tmp_path / name), 2)
    assert (tmp_path / "long" / "saved").exists()
    assert ended(int((tmp_path / "long" / "begun").read_text()))


@pytest.mark.parametrize(("number", "group"), [(signal.SIGINT, True), (signal.SIGTERM, False), (signal.SIGKILL, False)])
def test_whoever_is_stopped_all_are_saved_and_end(tmp_path: Path, number: int, group: bool) -> None:
    """The script comes from standard input, and has no `if __name__ == "__main__"`."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    parent = subprocess.Popen(
        [sys.executable, "-", str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
        start_new_session=True,
    )
    assert parent.stdin is not None
    parent.stdin.write(SCRIPT)
    parent.stdin.close()
    parent.stdin = None
    wait_for(*(tmp_path / name / "begun" for name in "ab"))
    os.killpg(parent.pid, number) if group else os.kill(parent.pid, number)
    out, err = parent.communicate(timeout=GONE)
    wait_for(*(tmp_path / name / "saved" for name in "ab"))
    if number == signal.SIGKILL:
        processes = [int((tmp_path / name / "begun").read_text()) for name in "ab"]
        end = time.monotonic() + GONE
        while not all(map(ended, processes)):
            assert time.monotonic() < end
            time.sleep(0.05)
    else:
        assert parent.returncode == 128 + number
        assert out == "interrupted after 0 of 2 runs, state saved; the same command goes on from here\n"
        assert err == ""


@pytest.mark.usefixtures("two_threads")
def test_the_faster_way_is_taken_and_kept(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(side_by_side, "ROUNDS", 1)
    steps = Steps(prepared, {1: 0.0, torch.get_num_threads(): 0.2})
    assert choose_workers(None, 4, CPU, "an iteration", steps) == 2
    first = capsys.readouterr().out
    assert first.startswith("2 runs side by side, one thread each: ")
    assert choose_workers(None, 4, CPU, "an iteration", Steps(prepared, {})) == 2
    assert capsys.readouterr().out == first


@pytest.mark.usefixtures("two_threads")
def test_the_last_run_may_have_nobody_beside_it() -> None:
    remember("seconds of an iteration: it, 2 side by side", [0.5, 0.7])
    assert [choose_workers(None, count, CPU, "it", Steps(prepared, {})) for count in (1, 2, 3, 4)] == [1, 2, 2, 2]
    remember("seconds of an iteration: it, 2 side by side", [0.5, 0.9])
    assert [choose_workers(None, count, CPU, "it", Steps(prepared, {})) for count in (1, 2, 3, 4)] == [1, 2, 1, 2]


def test_who_says_how_many_is_asked_nothing() -> None:
    steps = Steps(prepared, {})
    assert [choose_workers(asked, 3, CPU, "it", steps) for asked in (1, 2, 3, 9)] == [1, 2, 3, 3]
    assert choose_workers(None, 3, torch.device("cuda"), "it", steps) == 1
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(side_by_side, "memory_gb", lambda: 2.0)
        assert choose_workers(None, 3, CPU, "it", steps) == 1
