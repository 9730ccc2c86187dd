"""The exported file in the folder of a run: `predict RUN` runs it in place of torch if it is of the run's weights."""

from __future__ import annotations

import hashlib
import shlex
from importlib.util import find_spec
from pathlib import Path

from ...errors import UserError
from ...terminal import say, warn
from ...training.run import WEIGHTS
from .runtime import NAME, Detector


def exported(run: Path, seconds: float, threads: int = 0) -> Detector | None:
    """The exported file of a run, with so many seconds for a batch, and threads; None where it is not there, cannot be
    used or is of other weights, and where onnxruntime is not installed. A line says what is used, and why not."""
    path = run / NAME
    if not path.is_file() or find_spec("onnxruntime") is None:
        return None
    again = f"`pocketrcnn export {shlex.quote(str(run))}` makes it new; until then torch predicts"
    try:
        file = Detector.load(path, threads, seconds)
    except UserError as error:
        warn(f"{error}; {again}")
        return None
    if not file.made_of or file.made_of != hash_of(run / WEIGHTS):
        say(f"{path} is not of the present weights of the run: {again}")
        return None
    say(f"{path} predicts, faster than torch and the same up to rounding (with --device cpu: torch)")
    return file


def hash_of(file: Path) -> str:
    """SHA-256 of a file of weights, in hexadecimal digits; empty for weights that are in no file. Raises OSError."""
    if not file.is_file():
        return ""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
