"""The detector that a command is given by its path, with torch or without. No torch when this is imported."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import UserError
from ..terminal import say

if TYPE_CHECKING:
    from .predict import Predictor


def load_detector(path: Path, device: str, seconds: float) -> Predictor:
    """The detector of a run or, without torch, of an exported file, which gets so many seconds for a batch."""
    if path.suffix.lower() == ".onnx":
        from .onnx.runtime import Detector as Exported

        if device == "cuda":
            raise UserError(f"--device cuda: {path} runs on the processor; leave it out, or name the folder of the run")
        return Exported.load(path, threads_asked(), seconds)
    from ..training.device import keep_memory
    from .detector import Detector
    from .run_set import best_run

    keep_memory()
    return Detector.load(best_run(path, say), device)


def threads_asked() -> int:
    """Threads of an exported file: OMP_NUM_THREADS, which torch follows by itself; 0, one a core, without it."""
    number = os.environ.get("OMP_NUM_THREADS", "").split(",")[0]
    return int(number) if number.isdecimal() else 0
