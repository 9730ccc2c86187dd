"""Training on several processes and machines: real ones, which are really killed."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import ranked

WORDS = "train shapes --preset small --batch 8 --input-size 48 --precision float32 --device cpu --iterations"
SAVED = "train.checkpoint_seconds=0.01"  # in every iteration
PHASES = """train.phases=[{fraction: 0.5, trained: [backbone, rpn], restart: true},
{fraction: 0.5, trained: [head], proposals: frozen, restart: true}]"""


@pytest.fixture
def place(shapes: Path, tmp_path: Path) -> Path:
    """A folder with data, in which to train."""
    shutil.copytree(shapes, tmp_path / "shapes")
    return tmp_path


def start(
    place: Path, *words: object, processes: int = 2, iterations: int = 8, **told: object
) -> subprocess.Popen[str]:
    """torchrun in a folder, with words behind WORDS."""
    command = ranked.torchrun(processes, *WORDS.split(), iterations, *words, POCKETRCNN_DATA=place / "cache", **told)
    return subprocess.Popen(command, cwd=place, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def trained(place: Path, *words: object, processes: int = 2, **told: object) -> str:
    """The output of torchrun, whose processes end well in the same state."""
    states = place / f"states{len(list(place.glob('states*')))}"
    states.mkdir()
    out, err = (process := start(place, *words, processes=processes, STATES=states, **told)).communicate(timeout=240)
    assert process.returncode == 0, err
    assert len({path.read_text() for path in states.iterdir()}) == 1, "the same state in all, to the bit"
    assert len(list(states.iterdir())) == processes
    return out


def weights(run: Path) -> bytes:
    """The last weights, and the best: of a run that was stopped the same, to the byte."""
    return (run / "last.safetensors").read_bytes() + (run / "weights.safetensors").read_bytes()


def settings(*names: str) -> list[str]:
    return [word for name in names for word in ("--set", name)]


def descendants(process: int) -> list[int]:
    """The processes that a process has started, and those that these have."""
    children = [int(word) for word in Path(f"/proc/{process}/task/{process}/children").read_text().split()]
    return [one for child in children for one in (child, *descendants(child))]


def wait_for(path: Path) -> None:
    """Until a file is there."""
    end = time.monotonic() + 120
    while not path.exists():
        assert time.monotonic() < end, f"no {path.name}"
        time.sleep(0.1)


def all_gone(processes: list[int], seconds: float = 15) -> bool:
    """Whether processes end within so many seconds."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and any(Path(f"/proc/{one}").exists() for one in processes):
        time.sleep(0.1)
    return not any(Path(f"/proc/{one}").exists() for one in processes)


def test_one_process_loads_nothing_that_several_need(place: Path) -> None:
    code = """import sys, pocketrcnn
from pocketrcnn.cli.main import main
assert set(sys.modules).isdisjoint({"torch", "numpy", "PIL"}), "after `import pocketrcnn`, and its command line"
assert main(sys.argv[1:]) == 0
named = {"ray", "optuna", "dask", "pandas", "pyarrow", "onnx", "tensorboardX", "pocketrcnn.training.ranks"}
print("loaded:", sorted(named & set(sys.modules)))"""
    environment = os.environ | {"POCKETRCNN_DATA": str(place / "cache"), "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", code, *WORDS.split(), "2"]
    ended = subprocess.run(command, cwd=place, env=environment, capture_output=True, text=True, check=True)
    assert ended.stdout.splitlines()[-1] == "loaded: []"


def test_four_processes_have_the_losses_of_one(place: Path) -> None:
    plain = settings(*ranked.PLAIN)
    runs = [place / "one", place / "four"]
    trained(place, *plain, "--out", runs[0], processes=1, FIXED=1)
    trained(place, *plain, "--out", runs[1], processes=4, FIXED=1)
    logs = [[json.loads(line)["train"] for line in (run / "log.jsonl").read_text().splitlines()] for run in runs]
    for one, four in zip(*logs, strict=True):
        assert one == pytest.approx(four, rel=2e-3, abs=1e-4)


def test_a_killed_process_takes_the_others_along_and_all_go_on(place: Path) -> None:
    """With three, where the order of a sum matters; the run finds its folder, which nobody named."""
    trained(place, *settings(SAVED), processes=3)
    process = start(place, *settings(SAVED), processes=3, DIES="1:5")
    wait_for(place / "runs" / "shapes-2" / "checkpoint.safetensors")
    started = descendants(process.pid)
    _, err = process.communicate(timeout=120)
    assert process.returncode
    assert all_gone(started)
    assert "another process of this training has ended" in err
    assert err.count("pocketrcnn: ") == 1, "the first one says it"
    command = ranked.torchrun(3, "resume", "runs/shapes-2", "--device", "cpu", POCKETRCNN_DATA=place / "cache")
    code, out, err = ranked.finish(command, place)
    assert code == 0, err
    assert "shapes-2: going on at iteration " in out
    assert weights(place / "runs" / "shapes") == weights(place / "runs" / "shapes-2")


def test_torchrun_starts_them_again_where_they_were(place: Path) -> None:
    trained(place, *settings(SAVED, PHASES))
    command = ranked.torchrun(
        *(2, *WORDS.split(), 8, *settings(SAVED, PHASES)),
        options=("--standalone", "--max-restarts=1"),
        **{"DIES": "0:6", "POCKETRCNN_DATA": place / "cache"},
    )
    code, out, err = ranked.finish(command, place)
    assert code == 0, err
    assert "shapes-2: going on at iteration " in out
    assert sorted(path.name for path in (place / "runs").iterdir()) == ["shapes", "shapes-2"]
    assert weights(place / "runs" / "shapes") == weights(place / "runs" / "shapes-2")


def test_all_leave_out_the_batch_that_one_cannot_learn_from(place: Path) -> None:
    out = trained(place, POISONED="1:4")
    (line,) = (line for line in out.splitlines() if "is not finite" in line)
    assert line.startswith("iteration 4: the loss is not finite; its batch is left out (images ")
    assert line.endswith(", 1 so far")
    assert line.count(".png") == 8, "the images of both"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL], ids=["ctrl-c", "kill-9"])
def test_nothing_is_left_of_a_torchrun_that_ends(place: Path, number: int) -> None:
    process = start(place, *settings(SAVED), iterations=100_000)
    folder = place / "runs" / "shapes"
    wait_for(folder / "checkpoint.safetensors")
    started = descendants(process.pid)
    assert len(started) == 2
    process.send_signal(number)
    assert all_gone(started)
    _, err = process.communicate(timeout=60)
    assert "state saved; `pocketrcnn resume runs/shapes` goes on from here" in err
    assert sorted(path.name for path in folder.iterdir() if path.suffix == ".part") == []
    command = ranked.torchrun(1, "resume", folder, "--iterations", 2, POCKETRCNN_DATA=place / "cache")
    code, out, err = ranked.finish(command, place)
    assert code == 0, err
    assert "going on with 1 process, before it was 2" in out


def on_two_hosts(places: tuple[Path, Path], address: str, within: tuple[str, ...] = ("", "")) -> list[str]:
    """What two torchruns say on standard error, which find each other at an address; the exit codes in front."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    started = []
    for rank, (place, before) in enumerate(zip(places, within, strict=True)):
        options = ("--nnodes=2", f"--node-rank={rank}", f"--master-addr={address}", f"--master-port={port}")
        told = {"POCKETRCNN_DATA": place / "cache", "STATES": place}
        command = [*before.split(), *ranked.torchrun(1, *WORDS.split(), 6, options=options, **told)]
        started.append(subprocess.Popen(command, cwd=place, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True))
    said = [process.communicate(timeout=240)[1] for process in started]
    return [f"{process.returncode} {text}" for process, text in zip(started, said, strict=True)]


def test_machines_with_other_data_are_refused(place: Path) -> None:
    other = place / "other"
    shutil.copytree(place / "shapes", other / "shapes")
    (other / "shapes" / "train" / "train 3.png").unlink()
    first, second = on_two_hosts((place, other), "127.0.0.1")
    lines = [line for line in (first + second).splitlines() if "pocketrcnn: " in line]
    assert len(lines) == 1, first + second
    assert "pocketrcnn: rank 1 (" in lines[0]
    assert "sees other data" in lines[0]
    assert not (place / "runs").exists()


@pytest.fixture
def hosts() -> Iterator[tuple[str, str]]:
    """Two network namespaces with a cable between them: the commands that start something there, 10.77.20.1 and .2."""
    names = [f"pocketrcnn{os.getpid()}{side}" for side in "ab"]
    if shutil.which("ip") is None:
        pytest.skip("`ip` is not installed")
    made = [subprocess.run(["ip", "netns", "add", name], capture_output=True, text=True, check=False) for name in names]
    if any(one.returncode for one in made):
        pytest.skip(f"no network namespaces here: {made[0].stderr.strip()}")
    try:
        ends = [f"pr{os.getpid() % 100000}{side}" for side in "ab"]
        commands = [f"ip link add {ends[0]} type veth peer name {ends[1]}"]
        for i, (name, end) in enumerate(zip(names, ends, strict=True)):
            commands += [
                f"ip link set {end} netns {name} name eth0",
                f"ip -n {name} addr add 10.77.20.{i + 1}/24 dev eth0",
            ]
            commands += [f"ip -n {name} link set {device} up" for device in ("lo", "eth0")]
        for command in commands:
            done = subprocess.run(command.split(), capture_output=True, text=True, check=False)
            if done.returncode:
                pytest.skip(f"`{command}` is not allowed here: {done.stderr.strip()}")
        yield (f"ip netns exec {names[0]}", f"ip netns exec {names[1]}")
    finally:
        for name in names:
            subprocess.run(["ip", "netns", "del", name], capture_output=True, check=False)


def test_two_hosts_train_together(place: Path, hosts: tuple[str, str]) -> None:
    """Each with a folder of its own: the first one alone writes, and tells the other what it needs."""
    other = place / "other"
    shutil.copytree(place / "shapes", other / "shapes")
    within = tuple(f"{one} env GLOO_SOCKET_IFNAME=eth0" for one in hosts)
    for answer in on_two_hosts((place, other), "10.77.20.1", within):
        assert answer.startswith("0 "), answer
    assert (place / "runs" / "shapes" / "metrics.json").is_file()
    assert not (other / "runs").exists()
    assert (place / "0").read_text() == (other / "1").read_text()
