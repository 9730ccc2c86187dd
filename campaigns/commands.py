"""Commands of the command line, each in a process of its own: started, looked at, killed, waited for.

A server that has loaded torch (`warm`) forks each of them, so that a process is there in a tenth of a second and is as
real as any: it has a number, it can be killed, and its locks end with it. Linux.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from multiprocessing import forkserver
from pathlib import Path
from typing import NamedTuple

from .campaign import Broken

SERVER = multiprocessing.get_context("forkserver")
SERVER.set_forkserver_preload(["campaigns.warm"])
TICKS = os.sysconf("SC_CLK_TCK")  # a second, in /proc
POLL = 0.004  # seconds between two looks at a process
LIMIT = 1200.0  # seconds: what takes longer hangs, also on a machine with much else to do
QUIET = {"OMP_WAIT_POLICY": "PASSIVE", "GOMP_SPINCOUNT": "0", "OMP_NUM_THREADS": "1", "NO_COLOR": "1"}

Before = Callable[[], object]
"""What happens in the process of a command before it begins: must be picklable."""


class Order(NamedTuple):
    """What the process of a command is told. said: where its output goes, without the endings."""

    words: list[str]
    folder: Path
    cache: Path
    threads: int
    said: Path
    before: tuple[Before, ...]


class Answer(NamedTuple):
    """What a command gave back. code: negative where a signal ended it. seconds: of a processor; 0 if it was killed."""

    code: int
    out: str
    err: str
    seconds: float

    def require(self, *codes: int) -> Answer:
        """Raises Broken for another exit code, and where there is more than one line for an error."""
        if self.code not in codes or "Traceback" in self.err:
            raise Broken(f"exit code {self.code}, {codes} expected: {' | '.join(self.err.split(chr(10))[-12:])}")
        complaints = [line for line in self.err.splitlines() if line.startswith("pocketrcnn: ")]
        if self.code == 2 and len(complaints) != 1:
            raise Broken(f"{len(complaints)} lines say why in place of one: {self.err}")
        return self


@dataclass
class Desk:
    """Where a user stands: the current folder, which is made, and the cache. What commands say lies beside the folder.

    threads: of each command.
    """

    folder: Path
    cache: Path
    threads: int = 1
    started: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)

    def start(self, *words: object, before: Sequence[Before] = ()) -> Running:
        """`pocketrcnn WORDS`, begun."""
        self.started += 1
        said = self.folder.with_name(f"{self.folder.name}-said-{self.started}")
        serve()
        order = Order(list(map(str, words)), self.folder, self.cache, self.threads, said, tuple(before))
        process = SERVER.Process(target=work, args=(order,))
        process.start()
        return Running(process, said)

    def run(self, *words: object, before: Sequence[Before] = ()) -> Answer:
        """`pocketrcnn WORDS`, to the end."""
        return self.start(*words, before=before).wait()

    def done(self, *words: object, before: Sequence[Before] = (), codes: tuple[int, ...] = (0,)) -> Answer:
        """`pocketrcnn WORDS`, which has to end well."""
        return self.run(*words, before=before).require(*codes)


@dataclass
class Running:
    """A command that was started."""

    process: multiprocessing.process.BaseProcess
    said: Path

    @property
    def pid(self) -> int:
        """The number of its process."""
        assert self.process.pid
        return self.process.pid

    def runs(self) -> bool:
        """Whether it has not ended yet."""
        return self.process.is_alive()

    def seconds(self) -> float:
        """Seconds of a processor that it has used so far, from those of the server on; 0 where it has ended."""
        try:
            fields = Path(f"/proc/{self.pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        except OSError:
            return 0.0
        return (int(fields[11]) + int(fields[12])) / TICKS

    def wait_until(self, true: Callable[[], bool]) -> bool:
        """Wait for something; false where the command ended before."""
        begun = time.perf_counter()
        while self.runs() and not true():
            time.sleep(POLL)
            if time.perf_counter() - begun > LIMIT:
                self.kill()
                raise Broken(f"nothing happened for {LIMIT:g} s")
        return self.runs()

    def kill(self, number: int = signal.SIGKILL) -> None:
        """Send it a signal, if it is there."""
        if self.runs():
            os.kill(self.pid, number)

    def wait(self) -> Answer:
        """Its end. Raises Broken where there is none."""
        self.process.join(LIMIT)
        if self.runs():
            self.kill()
            raise Broken(f"no end after {LIMIT:g} s")
        code = self.process.exitcode
        assert code is not None
        out, err, seconds = map(self.noted, ("out", "err", "seconds"))
        return Answer(code, out, err, float(seconds or 0))

    def noted(self, name: str) -> str:
        """What was written beside the folder; empty where nothing was."""
        path = Path(f"{self.said}.{name}")
        return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""


@cache
def serve() -> None:
    """Start the server, once, with one thread and an output without colours; the environment here stays as it is."""
    before = dict(os.environ)
    os.environ.update(QUIET)
    try:
        forkserver.ensure_running()
    finally:
        os.environ.clear()
        os.environ.update(before)


def work(order: Order) -> None:
    """The process of a command."""
    import torch

    from pocketrcnn.cli.main import main

    for number, name in ((1, "out"), (2, "err")):
        os.dup2(os.open(f"{order.said}.{name}", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666), number)
    os.chdir(order.folder)
    os.environ["POCKETRCNN_DATA"] = str(order.cache)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # as in a terminal, wherever the campaign was started
    torch.set_num_threads(order.threads)
    for act in order.before:
        act()
    try:
        sys.exit(main(order.words))
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # what comes now is not for the command
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        Path(f"{order.said}.seconds").write_text(str(time.process_time()), encoding="utf-8")
