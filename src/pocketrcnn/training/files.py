"""Files that are there whole or not at all. No torch here."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any, Literal

from ..errors import UserError


def write_atomically(path: Path, data: bytes) -> None:
    """The whole file or none of it, whenever the process or the machine stops."""
    with open_atomically(path, "wb") as file:
        file.write(data)


@contextmanager
def open_atomically(path: Path, mode: Literal["w", "wb"]) -> Iterator[IO[Any]]:
    """A file to write bit by bit, which is there when the block ends without an error: temporary file, fsync, rename.

    Text is UTF-8, its line ends are left alone. Raises UserError where nothing can be written.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    text = {"encoding": "utf-8", "errors": "surrogateescape", "newline": ""} if mode == "w" else {}
    try:
        with temporary.open(mode, **text) as file:  # type: ignore[call-overload]
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException as error:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        if isinstance(error, OSError) and not isinstance(error, BrokenPipeError):  # a pipe is no file
            raise cannot_write(path, error) from error
        raise
    sync_folder(path.parent)


def leftover(name: str) -> bool:
    """Whether a file is the beginning of one, left by a program that was killed: see `write_atomically`."""
    return re.fullmatch(r"\..+\.\d+\.part", name) is not None


def remove_leftovers(folder: Path) -> None:
    """Give back the space of files that were never finished. Only for who holds the folder's lock."""
    for path in folder.iterdir():
        if leftover(path.name):
            path.unlink(missing_ok=True)


def cannot_write(path: Path, error: OSError) -> UserError:
    """What to say when the system refuses to write a file."""
    remedy = "free some space, allow writing there, or choose another --out"
    return UserError(f"{path} cannot be written ({error.strerror}): {remedy}")


def require_writable(folder: Path, remedy: str = "choose another folder with --out") -> None:
    """Raises UserError where a folder cannot be made, or nothing can be written to it. It leaves no trace."""
    made: list[Path] = []
    try:
        made += [path for path in (folder, *folder.parents) if not path.exists()]
        folder.mkdir(parents=True, exist_ok=True)
        TemporaryFile(dir=folder).close()
    except OSError as error:
        raise UserError(f"{folder} cannot be written to ({error.strerror}): {remedy}") from error
    finally:
        for path in made:  # the innermost first
            with suppress(OSError):
                path.rmdir()


def first_free(folder: Path) -> Path:
    """The first of FOLDER, FOLDER-2, FOLDER-3, .. that does not exist."""
    names = (folder if i == 1 else folder.with_name(f"{folder.name}-{i}") for i in count(1))
    return next(path for path in names if not path.exists())


def sync_folder(folder: Path) -> None:
    """Make a rename in a folder survive a power cut. Windows opens no folders and needs none of it."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
