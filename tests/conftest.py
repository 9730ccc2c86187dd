"""What all tests share: no network, two threads in all, and small runs on the sample inside the package."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

# Before torch is loaded: threads that wait sleep, else a busy neighbour makes every test take several times as long.
os.environ |= {"OMP_WAIT_POLICY": "PASSIVE", "GOMP_SPINCOUNT": "0"}

import chromium
import painted
import pytest
import torch
from runs_in_seconds import FORMATS, auto_becomes, learn
from shell import Shell

TRAINED = {"learned", "learned_bfloat16", "learned_in_both"}  # fixtures
LOOPBACK = ("127.0.0.1", "localhost", "::1")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "loopback: talks to a server that the test itself starts on this machine")
    config.addinivalue_line("markers", "slow: trains, or starts a process or a browser; `-m 'not slow'` leaves it out")
    torch.set_num_threads(1 if "PYTEST_XDIST_WORKER" in os.environ else 2)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A test is slow, too, if it needs a run that was trained."""
    for item in items:
        if TRAINED & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.slow)


@pytest.fixture(autouse=True)
def no_network(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every connection fails, except those of tests marked `loopback` to this machine."""
    allowed = request.node.get_closest_marker("loopback") is not None
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: object) -> None:
        if isinstance(address, str | bytes):  # a path: another process of this machine
            connect(self, address)
            return
        host = address[0] if isinstance(address, tuple) else ""
        assert allowed, f"a test opened a socket to {address}"
        assert host in LOOPBACK, f"a test opened a socket to {address}"
        connect(self, address)  # type: ignore[arg-type]

    monkeypatch.setattr(socket.socket, "connect", guarded)


@pytest.fixture(autouse=True)
def empty_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The cache of the person who runs the tests is neither used nor touched."""
    cache = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("POCKETRCNN_DATA", str(cache))
    return cache


@pytest.fixture(autouse=True, scope="session")
def float32_unless_asked() -> Iterator[None]:
    """No test depends on the processor. Those that ask for `precision` run in each format."""
    with auto_becomes("float32"):
        yield


@pytest.fixture(params=FORMATS)
def precision(request: pytest.FixtureRequest) -> Iterator[str]:
    """The number format of training: a test that asks for it runs in each."""
    with auto_becomes(request.param):
        yield request.param


@pytest.fixture(scope="session")
def shapes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Annotated images that are learned in seconds: see `painted`. They are read, never changed."""
    return painted.write(tmp_path_factory.mktemp("data") / "shapes", train=24, val=8, test=6)


@pytest.fixture(scope="session")
def learned(shapes: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run of `train` on them, 40 iterations long. It is read, never changed: copy it before."""
    return learn(shapes, tmp_path_factory.mktemp("learned"))


@pytest.fixture(scope="session")
def learned_bfloat16(shapes: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same, trained in bfloat16."""
    with auto_becomes("bfloat16"):
        return learn(shapes, tmp_path_factory.mktemp("learned"))


@pytest.fixture
def learned_in_both(precision: str, request: pytest.FixtureRequest) -> Path:
    """`learned` in each number format of training: a test that asks for it runs twice."""
    names = {"float32": "learned", "bfloat16": "learned_bfloat16"}
    return Path(request.getfixturevalue(names[precision]))


@pytest.fixture
def shell(capsys: pytest.CaptureFixture[str]) -> Shell:
    """The command line, in this process."""
    return Shell(capsys)


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Chromium, for test files with `pytestmark = chromium.MARKS`."""
    with chromium.started() as started:
        yield started
