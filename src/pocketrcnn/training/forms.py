"""What the files of a run hold: a form for each, checked when a file is read. Keys that are not named are free.

A file may have been written by another version, or changed by hand: what is missing or of another type is named here,
and not by whatever uses it.
"""

from pathlib import Path
from typing import Any, NotRequired, TypedDict

import msgspec

from ..errors import UserError


class Metrics(TypedDict):
    """metrics.json. requested: the length that they are of, where the run is trained for longer since."""

    metrics: dict[str, float | None]
    seconds: float
    iterations: int
    elapsed: NotRequired[float]
    evaluation_seconds: NotRequired[float]
    peak_memory_gb: NotRequired[float | None]
    requested: NotRequired[tuple[float, int]]


class Hardware(TypedDict):
    """Where a run was trained."""

    processor: str
    cores: int
    threads: int
    precision: str
    device: NotRequired[str]
    memory_gb: NotRequired[float | None]
    processes: NotRequired[int]


class Environment(TypedDict):
    """env.json."""

    versions: dict[str, str]
    hardware: Hardware
    command: NotRequired[str]


class Entry(TypedDict):
    """A line of log.jsonl."""

    iteration: int
    train: dict[str, float]
    test: dict[str, float | None]


class Numbers(TypedDict):
    """What a checkpoint holds besides tensors."""

    iteration: int
    seconds: float
    log: list[Entry]
    means: dict[str, tuple[float, float]]
    planned: int
    elapsed: float
    evaluation_seconds: float
    requested: tuple[float, int]
    earlier: int
    phase: int
    phase_began: int
    processes: int


def require_form(content: Any, form: Any, path: Path, remedy: str) -> None:
    """Raises UserError where the content of a file is not of its form, with the first place that is not."""
    try:
        msgspec.convert(content, form)
    except msgspec.ValidationError as error:
        reason = str(error).replace("`", "").replace(" - at $.", ", at ")
        raise UserError(f"{path} is damaged ({reason[0].lower()}{reason[1:]}): {remedy}") from error
