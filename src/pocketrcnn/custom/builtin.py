"""Detectors inside the package, to try at once: a name in place of a run. No torch here.

`detectors/NAME.safetensors` has the weights, `NAME.json` how they were made and how good they are, `NAME/` images to
try them on that they were not trained on. `scripts/builtin_detector.py` makes the first two of a run.
"""

from os import PathLike, fspath
from pathlib import Path

FOLDER = Path(__file__).parent / "detectors"
NAMES = ("nuclei",)
OF_RUNS = ("config.yaml", "set.json")  # by which a folder is a run, or a set of them


def is_builtin(path: str | PathLike[str]) -> bool:
    """Whether a path is the name of a detector inside the package.

    A file, or the folder of a run, that has this name here is what is meant; any other folder, as one of data, is not.
    """
    here = Path(path)
    return fspath(path) in NAMES and not here.is_file() and not any((here / name).is_file() for name in OF_RUNS)


def weights_of(name: str | PathLike[str]) -> Path:
    """The file of a detector's weights."""
    return FOLDER / f"{fspath(name)}.safetensors"


def examples_of(name: str | Path) -> list[Path]:
    """Images to try the detector `name` on, which it was not trained on: paths of PNG files inside the package."""
    return sorted((FOLDER / name).glob("*.png"))
