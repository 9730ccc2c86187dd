"""A piece of work in a forked child: what it may take of the processor and of memory, what it printed, how it ended.

The package is loaded once, in the parent, so that a trial takes milliseconds. Needs `os.fork`: no Windows.
"""

from __future__ import annotations

import ctypes
import gc
import io
import json
import os
import pkgutil
import resource
import select
import signal
import sys
import time
import traceback
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any

import torch
from PIL import Image

import pocketrcnn
from pocketrcnn.cli.main import main
from pocketrcnn.errors import UserError

from .campaign import Broken

SECONDS = 5.0  # of the processor
MEMORY = 1_000_000_000  # bytes beyond those of the loaded package
SLACK = 2_000_000_000  # bytes of address space beyond MEMORY: threads reserve some that they never use
LATER = (  # what the package imports when it is first needed, in parts of libraries that take long to load
    *("torch._dynamo", "matplotlib.figure", "matplotlib.backends.backend_svg", "jinja2", "hotcoco", "onnxruntime"),
    *("xml.etree.ElementTree", "csv", "tarfile"),
)
PATIENCE = 300.0  # seconds on the clock; the machine may be busy


@dataclass(frozen=True)
class Ended:
    """How a child ended.

    value: what the work returned, plain types. refused: the message of its UserError. out, err: what it printed.
    seconds: of the processor. grown: bytes at the highest point, beyond those at its start.
    """

    value: Any
    refused: str
    out: str
    err: str
    seconds: float
    grown: int


def limited(
    work: Callable[[], Any],
    folder: Path,
    *,
    seconds: float = SECONDS,
    memory: int = MEMORY,
    interrupt_after: float | None = None,
) -> Ended:
    """Do a piece of work in a child that stands in `folder`, with the cache of images in `cache` there.

    interrupt_after: seconds after which the child gets Ctrl-C. Raises Broken where the work ends in an error that is no
    UserError, is killed, or takes more than it may.
    """
    load()
    give_back()
    reader, writer = os.pipe()
    with TemporaryFile() as out, TemporaryFile() as err:
        started, pid = time.perf_counter(), forked()
        if pid == 0:
            os.close(reader)
            in_child(work, folder, writer, (out, err), (seconds, memory))
        os.close(writer)
        answer, late = received(reader, pid, started, interrupt_after)
        _, status, usage = os.wait4(pid, 0)
        texts = [printed(file) for file in (out, err)]
    taken = usage.ru_utime + usage.ru_stime
    if late or taken > seconds:
        raise Broken(f"hangs: {taken:.1f} s of the processor, of {seconds:g} allowed{' (and still waits)' * late}")
    if not answer:
        raise Broken(f"ended by signal {os.WTERMSIG(status)}, without an answer; it printed {texts[1][-500:]!r}")
    told = json.loads(answer)
    if told["traceback"]:
        raise Broken(told["traceback"].rstrip())
    grown = 1024 * usage.ru_maxrss - told["before"]
    if grown > memory:
        raise Broken(f"took {grown / 1e6:,.0f} MB more than the loaded package, of {memory / 1e6:,.0f} allowed")
    return Ended(told["value"], told["refused"], *texts, taken, grown)


@cache
def load() -> None:
    """Import all that a child may need, once, in the parent."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for module in pkgutil.walk_packages(pocketrcnn.__path__, "pocketrcnn."):
            if not module.name.endswith("__main__"):
                import_module(module.name)
        for name in LATER:
            import_module(name)
    Image.init()
    gc.freeze()  # pages that no child touches are not copied


def give_back() -> None:
    """Freed memory goes back to the system, so that a child that takes as much again is seen to grow: `keep_memory`,
    which commands call, keeps it. glibc only; elsewhere nothing happens."""
    try:
        ctypes.CDLL(None).malloc_trim(0)
    except (OSError, AttributeError, TypeError):
        return


def forked() -> int:
    """`os.fork`, of which later Pythons warn where there are threads: the child computes in one thread.

    Ctrl-C waits in the child until `prepare` has decided what becomes of it.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        if pid := os.fork():
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
        return pid


def in_child(
    work: Callable[[], Any], folder: Path, writer: int, files: tuple[IO[bytes], IO[bytes]], most: tuple[float, int]
) -> None:
    """Do the work, tell the parent how it ended, and end. Never returns."""
    told: dict[str, Any] = {"value": None, "refused": "", "traceback": "", "before": resident()}
    try:
        os.setpgid(0, 0)
        prepare(folder, files, *most)
        told["value"] = work()
    except UserError as error:
        told["refused"] = str(error)
    except BaseException:
        told["traceback"] = traceback.format_exc()
    try:
        rest = json.dumps(told, default=str).encode()
        while rest:
            rest = rest[os.write(writer, rest) :]
    finally:
        os._exit(0)


def prepare(folder: Path, files: tuple[IO[bytes], IO[bytes]], seconds: float, memory: int) -> None:
    """Streams, folder and limits of the child. One thread: those of the parent are not there after a fork."""
    for number, file in enumerate(files, 1):
        os.dup2(file.fileno(), number)
    sys.stdout, sys.stderr = (
        io.TextIOWrapper(io.FileIO(number, "w", closefd=False), "utf-8", "backslashreplace", write_through=True)
        for number in (1, 2)
    )
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    torch.set_num_threads(1)
    os.chdir(folder)
    os.environ |= {"POCKETRCNN_DATA": str(folder / "cache"), "COLUMNS": "100", "OMP_NUM_THREADS": "1"}
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CPU, (int(seconds) + 2, int(seconds) + 2))
    if reserved := pages(0):
        resource.setrlimit(resource.RLIMIT_AS, (reserved + memory + SLACK, reserved + memory + SLACK))


def pages(which: int) -> int:
    """Bytes of address space (0) or in memory (1) of this process; 0 where the system does not say so."""
    try:
        text = Path("/proc/self/statm").read_text(encoding="ascii")
    except OSError:
        return 0
    return int(text.split()[which]) * resource.getpagesize()


def resident() -> int:
    """Bytes in memory of this process."""
    return pages(1) or 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def received(reader: int, pid: int, started: float, interrupt_after: float | None) -> tuple[bytes, bool]:
    """What the child tells, and whether it had to be killed because it did not end."""
    parts, late = [], False
    with os.fdopen(reader, "rb", buffering=0) as stream:
        while True:
            end = PATIENCE if interrupt_after is None else interrupt_after
            ready, _, _ = select.select([stream], [], [], max(0.0, started + end - time.perf_counter()))
            if ready:
                part = stream.read(1 << 16)
                if not part:
                    return b"".join(parts), late
                parts.append(part)
            elif interrupt_after is not None:
                interrupt_after = None
                os.kill(pid, signal.SIGINT)
            else:
                late = True
                os.killpg(pid, signal.SIGKILL)


def printed(file: IO[bytes]) -> str:
    """What was written to a file by the child."""
    file.seek(0)
    return file.read().decode("utf-8", "replace")


@dataclass(frozen=True)
class Answer:
    """What a command gave back: its exit code, and how its process ended."""

    code: int
    ended: Ended


def command(words: Sequence[object], folder: Path, **limits: Any) -> Answer:
    """`pocketrcnn WORDS` as a user types it in `folder`, in a child with limits.

    Raises Broken for a traceback, another exit code than 0, 1, 2 or that of Ctrl-C, and for an error that is not one
    line.
    """
    ended = limited(lambda: exit_code(list(map(str, words))), folder, **limits)
    code, lines = ended.value, ended.err.strip().splitlines()
    interrupted = code == 130 and limits.get("interrupt_after") is not None
    if code not in (0, 1, 2) and not interrupted:
        raise Broken(f"exit code {code} of {words}: {ended.err[-500:]}")
    if "Traceback" in ended.err + ended.out:
        raise Broken(f"a traceback is printed: {ended.err[-1500:]}")
    if code == 2 and words and (len(lines) != 1 or not lines[0].startswith("pocketrcnn: ")):  # without words: the help
        raise Broken(f"exit code 2 with {len(lines)} lines on standard error: {ended.err[-1500:]}")
    return Answer(code, ended)


def exit_code(words: list[str]) -> int:
    """The exit code of a command line, which alone gets Ctrl-C."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        return main(words)
    except SystemExit as end:  # argparse ends so after --help and --version
        return int(end.code or 0)
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
