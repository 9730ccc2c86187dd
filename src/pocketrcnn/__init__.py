"""Object detectors for small images, trained from scratch on a CPU: the public names.

Each is imported when it is first used, so that the command line answers before torch is loaded.
"""

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

from .version import __version__

# Torch's threads (of GNU OpenMP) that wait for each other spin for so many rounds, about 20 microseconds, and then
# sleep; its default of 3 milliseconds takes the processor from its own other threads where another program is busy
# (docs/log.md). It is read once, when torch is imported: a program that imports torch first keeps what it has.
if "OMP_WAIT_POLICY" not in os.environ:
    os.environ.setdefault("GOMP_SPINCOUNT", "1000")

if TYPE_CHECKING:  # what editors and mypy see
    from .config import Config as Config
    from .course.data.datasets import open_dataset as open_dataset
    from .custom.builtin import examples_of as examples_of
    from .custom.commands.data import Checked as Checked
    from .custom.commands.data import check as check
    from .custom.commands.data import convert as convert
    from .custom.commands.detecting import export as export
    from .custom.commands.detecting import predict as predict
    from .custom.commands.explaining import explain as explain
    from .custom.commands.in_parts import merge as merge
    from .custom.commands.predicted import Predicted as Predicted
    from .custom.commands.sweeping import Swept as Swept
    from .custom.commands.sweeping import SweptTrial as SweptTrial
    from .custom.commands.sweeping import sweep as sweep
    from .custom.commands.training import TrainedRun as TrainedRun
    from .custom.commands.training import evaluate as evaluate
    from .custom.commands.training import resume as resume
    from .custom.commands.training import train as train
    from .custom.commands.training import write_report as write_report
    from .custom.detector import Detections as Detections
    from .custom.detector import Detector as Detector
    from .data.dataset import Dataset as Dataset
    from .errors import UserError as UserError
    from .model.faster_rcnn import FasterRCNN as FasterRCNN
    from .model.structures import Batch as Batch
    from .training.fit import fit as fit
    from .training.run import Run as Run

_HOME = {
    "Batch": "model.structures",
    "Config": "config",
    "Dataset": "data.dataset",
    "Detections": "custom.detector",
    "Detector": "custom.detector",
    "FasterRCNN": "model.faster_rcnn",
    "Run": "training.run",
    "Swept": "custom.commands.sweeping",
    "SweptTrial": "custom.commands.sweeping",
    "TrainedRun": "custom.commands.training",
    "Predicted": "custom.commands.predicted",
    "Checked": "custom.commands.data",
    "UserError": "errors",
    "check": "custom.commands.data",
    "convert": "custom.commands.data",
    "export": "custom.commands.detecting",
    "explain": "custom.commands.explaining",
    "merge": "custom.commands.in_parts",
    "predict": "custom.commands.detecting",
    "evaluate": "custom.commands.training",
    "examples_of": "custom.builtin",
    "fit": "training.fit",
    "open_dataset": "course.data.datasets",
    "resume": "custom.commands.training",
    "sweep": "custom.commands.sweeping",
    "train": "custom.commands.training",
    "write_report": "custom.commands.training",
}

__all__ = ["__version__", *_HOME]  # noqa: PLE0604 - the keys are strings


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_HOME[name]}", __name__), name)


def __dir__() -> list[str]:
    return sorted(__all__)
