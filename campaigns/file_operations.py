"""The operations by which a process changes files: noted, counted, stopped, refused.

Python announces them before they happen (`sys.addaudithook`), whichever module asks for them, and an error that the
listener raises takes their place. What it does not announce is `fsync`, which is replaced. Operations that are asked
for twice in a row, as `open` does with an opener, count once. What changes nothing does not count: reading, removing
what is not there, making a folder that is there.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

CHANGES = ("os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.link", "os.symlink", "os.truncate")
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
STOPPED = 77  # exit code of a process that was stopped


class Operation(NamedTuple):
    """One operation: `open` (for writing), `fsync`, or the name of its function in `os` without that of the module."""

    name: str
    path: str

    def __str__(self) -> str:
        return f"{self.name} {Path(self.path).name}"


Act = Callable[[int, Operation], None]
"""What is done before the n-th operation, counted from 0."""


def watch(roots: tuple[Path, ...], act: Act) -> None:
    """From now on call `act` before each operation of this process on something below these folders."""
    inside = tuple(f"{os.path.realpath(root)}{os.sep}" for root in roots)
    state: dict[str, Any] = {"count": 0, "last": None, "busy": False}

    def seen(name: str, path: str) -> None:
        operation = Operation(name, path)
        if state["busy"] or operation == state["last"] or not path.startswith(inside) or is_idle(operation):
            return
        state["busy"] = True
        try:
            number, state["count"], state["last"] = state["count"], state["count"] + 1, operation
            act(number, operation)
        finally:
            state["busy"] = False

    def heard(event: str, given: tuple[Any, ...]) -> None:
        if event == "open" and isinstance(given[0], str | bytes | os.PathLike) and given[2] & WRITING:
            seen("open", located(given[0]))
        elif event in CHANGES:
            seen(event.removeprefix("os."), located(given[0], given[-1] if event in RELATIVE else -1))

    sys.addaudithook(heard)
    fsync = os.fsync

    def announced(handle: Any) -> None:
        seen("fsync", os.readlink(f"/proc/self/fd/{handle if isinstance(handle, int) else handle.fileno()}"))
        fsync(handle)

    os.fsync = announced


def is_idle(operation: Operation) -> bool:
    """Whether an operation changes nothing, as what it removes is not there, or what it makes is."""
    return {"remove": False, "rmdir": False, "mkdir": True}.get(operation.name) is os.path.lexists(operation.path)


RELATIVE = ("os.remove", "os.rmdir", "os.mkdir")  # whose last argument is the folder that the path is relative to


def located(path: Any, folder: int = -1) -> str:
    """The whole path of a file, whose folder is an open one or the current one."""
    base = os.getcwd() if folder < 0 else os.readlink(f"/proc/self/fd/{folder}")
    return os.path.join(os.path.realpath(base), os.fsdecode(path))


def noted(roots: tuple[Path, ...], where: Path) -> Callable[[], None]:
    """All operations, one a line, into a file outside of the folders."""
    return partial(watch, roots, partial(note, where))


def note(where: Path, number: int, operation: Operation) -> None:
    """Add a line; the file is opened each time, since the process may be killed at any time."""
    with where.open("a", encoding="utf-8") as file:
        file.write(f"{operation.name} {operation.path}\n")


def stopped(roots: tuple[Path, ...], number: int) -> Callable[[], None]:
    """The process ends before its operation `number`, as if the machine had lost its power."""
    return partial(watch, roots, partial(stop, number))


def stop(last: int, number: int, _: Operation) -> None:
    """End the process at once, without any of what it would do at its end."""
    if number == last:
        os._exit(STOPPED)


def killed(roots: tuple[Path, ...], name: str, of: str, count: int) -> Callable[[], None]:
    """The process is killed before the operation `name` on the `count`-th file whose name has `of` in it."""
    return partial(watch, roots, partial(kill, name, of, [count]))


def kill(name: str, of: str, left: list[int], _: int, operation: Operation) -> None:
    """Kill this process with signal 9."""
    if operation.name == name and of in Path(operation.path).name:
        left[0] -= 1
        if left[0] < 0:
            os.kill(os.getpid(), signal.SIGKILL)


def refused(roots: tuple[Path, ...], error: int, name: str, first: int, times: int = 1) -> Callable[[], None]:
    """Operations of a name (or all, where it is empty) fail with an error number, from the one counted `first` on."""
    return partial(watch, roots, partial(refuse, error, name, [first, times]))


def refuse(error: int, name: str, left: list[int], _: int, operation: Operation) -> None:
    """Raise what the system would."""
    if not name or operation.name == name:
        left[0] -= 1
        if left[0] < 0 and left[1] > 0:
            left[1] -= 1
            raise OSError(error, os.strerror(error), operation.path)
