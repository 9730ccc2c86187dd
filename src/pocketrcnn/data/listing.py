"""From what is written on a command line to image files. No torch here."""

import codecs
import glob
import os
import shlex
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from ..errors import UserError, shown
from .images.foreign import BY_ENDING, address, passed_over
from .images.page_names import file_of
from .images.pixels import ENDINGS

RESULTS, TABLE, COUNTS = "predictions.json", "predictions.csv", "counts.csv"  # what `predict` writes into its folder
PLAN = "plan.json"  # and, where it works in parts, from the beginning on
LIST = ".txt"  # the ending of a list of image files
STANDARD_INPUT = "-"  # in place of a list


def is_image_name(path: Path) -> bool:
    """Whether a file's name is that of an image: a known ending, in whatever letters, and not hidden."""
    return path.suffix.lower() in ENDINGS and not path.name.startswith(".")


def holds_predictions(folder: Path) -> bool:
    """Whether `predict` wrote a folder: its results are in it, as JSON and as a table, or the plan of its parts."""
    return (folder / PLAN).is_file() or all((folder / name).is_file() for name in (RESULTS, TABLE))


def expand(
    patterns: Sequence[str], unwanted: Callable[[Path], bool] = lambda _: False, foreign: list[str] | None = None
) -> list[str]:
    """The image files of the patterns, each once, in this order. As text, of which a million take little memory.

    - A file is taken whatever its ending, and so is a page of one (a.tif[2]); one that ends in .txt is a list of image
      files: see `listed`.
    - Of a folder, the images directly in it (not those in folders of it), by name.
    - Everything else is a pattern with `*`, `?`, `[...]`, and `**` for folders at any depth: its images, by path,
      but for those that are `unwanted`.

    foreign: to which files of folders and patterns are added that people take for images and that are not read.
    Raises UserError when a pattern finds nothing, or cannot be followed.
    """
    names: dict[str, None] = {}
    for pattern in patterns:
        left: list[str] = []
        try:
            names |= dict.fromkeys(_matches(pattern, unwanted, left))
        except OSError as error:
            raise UserError(f"{pattern} cannot be read ({error.strerror}): check its name and permissions") from error
        if foreign is not None:
            foreign += left
    return list(names)


def _matches(pattern: str, unwanted: Callable[[Path], bool], foreign: list[str]) -> list[str]:
    path = Path(pattern if os.path.exists(pattern) else os.path.expanduser(pattern))
    if path.is_dir():
        return images_in(path, foreign)
    if path.exists() or file_of(path).is_file():
        return listed(path) if path.suffix.lower() == LIST else [str(path)]
    if link := address(pattern):
        raise UserError(f"{shown(link)} is an address: download it first, and name the file")
    names = [*map(plain, glob.glob(str(path), recursive=True))]
    names.sort(key=by_folder)
    images = [name for name in names if is_image_name(child := Path(name)) and not unwanted(child)]
    foreign += filter(is_foreign_name, names)
    if not images and glob.has_magic(pattern):
        remedy = "check the pattern; quoted, it is not changed by the shell"
        raise UserError(no_images(pattern, foreign, remedy, "matches"))
    if not images:
        raise UserError(f"{pattern} is not there: name image files, a folder or a pattern such as FOLDER/*.png")
    return images


def images_in(folder: Path, foreign: list[str]) -> list[str]:
    """The images directly in a folder, by name. Raises UserError where there are none."""
    within = "" if str(folder) == os.curdir else os.path.join(folder, "")
    names = sorted(os.listdir(folder), key=os.path.normcase)
    images = [within + name for name in names if is_image_name(Path(name))]
    foreign += (within + name for name in names if is_foreign_name(name))
    if not images:
        everything = shlex.quote(os.path.join(glob.escape(str(folder)), "**", "*"))
        raise UserError(no_images(folder, foreign, f"name another folder, or {everything} with its subfolders"))
    return images


def plain(name: str) -> str:
    """A path as `Path` writes it: without what leads nowhere, as in `./a//b`."""
    return str(Path(name))


def by_folder(name: str) -> str:
    """The key by which paths are in the order of `Path`: what is in a folder stays together, `a/b` before `a-b`."""
    return os.path.normcase(name).replace(os.sep, "\0")


def is_foreign_name(name: str) -> bool:
    """Whether a file's name is that of what people take for an image and that is not read."""
    path = Path(name)
    return path.suffix.lower() in BY_ENDING and not path.name.startswith(".")


def no_images(where: object, foreign: Sequence[str], remedy: str, verb: str = "holds") -> str:
    """What to say where no image was found; of files that are not read it is what to do about the first."""
    first = next(passed_over(map(Path, foreign)), None)
    return f"{where} {verb} no images: {f'{first[0].name} {first[1].reason}' if first else remedy}"


def listed(path: Path) -> list[str]:
    """The files that a text file names, one a line, in its folder or, where they are not there, in this one.

    path: `-` for standard input, whose names are from this folder on. Files that are nowhere stay in the list. Raises
    UserError where all of them are nowhere, and where it names none.
    """
    piped = str(path) == STANDARD_INPUT
    data, where = (sys.stdin.buffer.read(), "standard input") if piped else (path.read_bytes(), str(path))
    encoding = "utf-16" if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8-sig"
    lines = data.decode(encoding, "surrogateescape").replace("\0", "").splitlines()
    names = [name for name in (line.strip().strip("\"'") for line in lines) if name]
    if not names:
        raise UserError(f"{where} lists no images: write the path of one in each line")
    files = [placed(name, path.parent) for name in names]
    if not any(map(is_there, files)):
        problem = "is an address: download it first" if address(names[0]) else f"is not there, nor in {path.parent}"
        raise UserError(f"{where} lists {len(names)} files, and none is there: {shown(names[0])} {problem}")
    return files


def is_there(path: str) -> bool:
    """Whether an image is in a file. What cannot be the name of one is not there."""
    return os.path.isfile(file_of(Path(path)))


def placed(name: str, folder: Path) -> str:
    """Where the file of a line is: below the folder of its list, else below this one; else it is missing below the
    first. Only where there is a choice is it looked for: that takes a second for a thousand names on a slow disk."""
    spellings = dict.fromkeys((name, name.replace("\\", "/")))
    paths = list(dict.fromkeys(str(Path(base, spelling)) for spelling in spellings for base in (folder, "")))
    if len(paths) == 1:
        return paths[0]
    return next(filter(is_there, paths), plain(name) if address(name) else paths[0])
