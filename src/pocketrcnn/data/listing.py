"""From what is written on a command line to image files. No torch here."""

import glob
import os
import shlex
from collections.abc import Callable, Sequence
from pathlib import Path

from ..errors import UserError
from .images.pixels import ENDINGS

RESULTS, TABLE = "predictions.json", "predictions.csv"  # what `predict` writes into its folder


def is_image_name(path: Path) -> bool:
    """Whether a file's name is that of an image: a known ending, in whatever letters, and not hidden."""
    return path.suffix.lower() in ENDINGS and not path.name.startswith(".")


def holds_predictions(folder: Path) -> bool:
    """Whether `predict` wrote a folder: its files of results are both in it."""
    return all((folder / name).is_file() for name in (RESULTS, TABLE))


def expand(patterns: Sequence[str], unwanted: Callable[[Path], bool] = lambda _: False) -> list[Path]:
    """The image files of the patterns, each once, in this order.

    - A file is taken whatever its ending.
    - Of a folder, the images directly in it (not those in folders of it), by name.
    - Everything else is a pattern with `*`, `?`, `[...]`, and `**` for folders at any depth: its images, by path,
      but for those that are `unwanted`.

    Raises UserError when a pattern finds nothing, or cannot be followed.
    """
    paths: dict[Path, None] = {}
    for pattern in patterns:
        try:
            paths |= dict.fromkeys(_matches(pattern, unwanted))
        except OSError as error:
            raise UserError(f"{pattern} cannot be read ({error.strerror}): check its name and permissions") from error
    return list(paths)


def _matches(pattern: str, unwanted: Callable[[Path], bool]) -> list[Path]:
    path = Path(pattern if os.path.exists(pattern) else os.path.expanduser(pattern))
    if path.is_dir():
        images = sorted(child for child in path.iterdir() if is_image_name(child))
        if not images:
            everything = shlex.quote(os.path.join(glob.escape(str(path)), "**", "*"))
            raise UserError(f"{path} holds no images: name another folder, or {everything} with its subfolders")
        return images
    if path.exists():
        return [path]
    paths = map(Path, glob.glob(str(path), recursive=True))
    images = sorted(child for child in paths if is_image_name(child) and not unwanted(child))
    if not images and glob.has_magic(pattern):
        raise UserError(f"{pattern} matches no images: check the pattern; quoted, it is not changed by the shell")
    if not images:
        raise UserError(f"{pattern} is not there: name image files, a folder or a pattern such as FOLDER/*.png")
    return images
