"""Object detectors for small images, trained from scratch on a CPU: the public names.

Each is imported when it is first used, so that the command line answers before torch is loaded.
"""

from importlib import import_module
from typing import Any

from .version import __version__

_HOME = {
    "Batch": "model.structures",
    "Config": "config",
    "Dataset": "data.dataset",
    "Detections": "custom.detector",
    "Detector": "custom.detector",
    "FasterRCNN": "model.faster_rcnn",
    "Run": "training.run",
    "UserError": "errors",
    "evaluate": "evaluation.network",
    "fit": "training.fit",
    "open_dataset": "course.data.datasets",
    "train": "custom.detector",
}

__all__ = ["__version__", *_HOME]  # noqa: PLE0604 - the keys are strings


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_HOME[name]}", __name__), name)


def __dir__() -> list[str]:
    return sorted(__all__)
