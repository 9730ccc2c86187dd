"""The detector that a command is given by its path, with torch or without. No torch when this is imported."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import UserError
from ..terminal import say

if TYPE_CHECKING:
    from .predict import Predictor


def load_detector(path: Path, device: str, seconds: float, threads: int | None = None) -> Predictor:
    """The detector of an exported file, without torch, or of a run: on a processor the exported file of these weights
    if it lies in the run, else torch. An exported file gets so many seconds for a batch, and threads."""
    if path.suffix.lower() == ".onnx":
        from .onnx.runtime import Detector as Exported

        if device == "cuda":
            raise UserError(f"--device cuda: {path} runs on the processor; leave it out, or name the folder of the run")
        return Exported.load(path, threads or 0, seconds)
    from ..training.device import choose_device, keep_memory
    from .detector import Detector
    from .onnx.run_file import exported
    from .run_set import best_run

    best = best_run(path, say)
    on_processor = device == "auto" and choose_device(device).type == "cpu"
    if on_processor and (quicker := exported(best, seconds, threads or 0)):
        return quicker
    keep_memory()
    return Detector.load(best, device)
