"""Who hears of a run while it is trained: of every evaluation a program's callback and TensorBoard, of every iteration
whoever waits for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from ..errors import UserError

Entry = dict[str, Any]
"""A line of log.jsonl: the iteration, the training metrics before it, and the metrics of images held out."""
Callback = Callable[[int, dict[str, float]], object]
"""Is given the iteration and the metrics of an evaluation: those of validation images by their names, as `AP50`, and
the training metrics before it as `train/loss_total`."""
Watcher = Callable[[Path, Sequence[Entry]], object]
"""Is given the folder of a run and its log, of which the last entry is new."""

Listener = Callable[[int, int], object]
"""Hears of every iteration of a run: how many are done, and how many are planned."""

EVENTS = "events.out.tfevents.*"  # what TensorBoard calls its files
_watchers: ContextVar[tuple[Watcher, ...]] = ContextVar("watchers", default=())
_listener: ContextVar[Listener] = ContextVar("listener", default=lambda done, planned: None)


@contextmanager
def heard_by(listener: Listener) -> Iterator[None]:
    """Whoever waits for the run that is trained in this block."""
    token = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(token)


def tell_iteration(done: int, planned: int) -> None:
    """Tell whoever waits how many iterations are done, and how many are planned."""
    _listener.get()(done, planned)


@contextmanager
def watched_by(*watchers: Watcher) -> Iterator[None]:
    """These hear of the runs that are trained in this block, besides those who do already."""
    token = _watchers.set((*_watchers.get(), *watchers))
    try:
        yield
    finally:
        _watchers.reset(token)


def tell(folder: Path, log: Sequence[Entry]) -> None:
    """Tell all watchers of a new entry."""
    for watcher in _watchers.get():
        watcher(folder, log)


def calling(callback: Callback) -> Watcher:
    """A watcher that calls a function of a program."""

    def watch(_: Path, log: Sequence[Entry]) -> None:
        entry = log[-1]
        training = {f"train/{name}": value for name, value in entry["train"].items()}
        callback(entry["iteration"], entry["test"] | training)

    return watch


def require_tensorboard() -> None:
    """Raises UserError where the package that writes for TensorBoard is not installed."""
    try:
        import tensorboardX  # noqa: F401
    except ImportError as error:
        remedy = "`pip install '.[tensorboard]'` in a clone of the project, or leave out --tensorboard"
        raise UserError(f"tensorboardX is not installed: {remedy}") from error


class TensorBoard:
    """A watcher that writes the figures of log.jsonl to an event file in the folder of the run, at the same time.

    Where there is none yet, it begins with the entries before.
    """

    def __init__(self) -> None:
        require_tensorboard()
        self.writers: dict[Path, Any] = {}

    def __call__(self, folder: Path, log: Sequence[Entry]) -> None:
        from tensorboardX import SummaryWriter

        entries = log[-1:] if has_events(folder) else log
        if folder not in self.writers:
            first = entries[0]["iteration"]  # in the name, which has only seconds besides: a file is never written over
            self.writers[folder] = SummaryWriter(str(folder), filename_suffix=f".from-{first}")
        for entry in entries:
            for part in ("train", "test"):
                for name, value in entry[part].items():
                    self.writers[folder].add_scalar(f"{part}/{name}", value, entry["iteration"])
        self.writers[folder].flush()

    def close(self) -> None:
        """Close the files."""
        for writer in self.writers.values():
            writer.close()


def has_events(folder: Path) -> bool:
    """Whether a run has been written for TensorBoard."""
    return any(folder.glob(EVENTS))


@contextmanager
def for_tensorboard(wanted: bool) -> Iterator[None]:
    """Runs that are trained in this block are written for TensorBoard, where that is wanted."""
    if not wanted:
        yield
        return
    with closing(TensorBoard()) as board, watched_by(board):
        yield
