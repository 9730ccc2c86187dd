"""Files and folders that are there whole or not at all, and one program at a time. No torch here.

Only this file locks, renames and makes temporary files. What is not finished is called `.NAME.NUMBER.part`, beside
NAME: the number of the process, and of its machine.
`another`: what to do where nothing can be written, in the words of whoever chose the folder.
"""

import os
import platform
import re
import shutil
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from itertools import count
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any, Literal

from ..errors import Unavailable, UserError

LOCK = ".lock"
OUT = "choose another --out"


def write_atomically(path: Path, data: bytes, another: str = OUT) -> None:
    """The whole file or none of it, whenever the process or the machine stops."""
    with open_atomically(path, "wb", another) as file:
        file.write(data)


def remove(path: Path) -> None:
    """Remove a file, if it is there, so that it does not come back after a power cut."""
    path.unlink(missing_ok=True)
    sync_folder(path.parent)


@contextmanager
def open_atomically(path: Path, mode: Literal["w", "wb"], another: str = OUT) -> Iterator[IO[Any]]:
    """A file to write bit by bit, which is there when the block ends without an error: temporary file, fsync, rename.

    Text is UTF-8, its line ends are left alone. Raises UserError where nothing can be written.
    """
    temporary = unfinished(path)
    text = {"encoding": "utf-8", "errors": "surrogateescape", "newline": ""} if mode == "w" else {}
    with write_errors(path, another):
        try:
            temporary.unlink(missing_ok=True)  # of a killed program that had this number
            with open(temporary, mode, opener=exclusively, **text) as file:  # type: ignore[call-overload]
                yield file
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        finally:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)
        sync_folder(path.parent)


def exclusively(path: str, flags: int) -> int:
    """For `open`: a new file, never one that is there, and never what a link leads to that others have laid there."""
    return os.open(path, flags | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0), 0o666)


@contextmanager
def temporary_folder(path: Path) -> Iterator[Path]:
    """An empty folder beside `path` that is gone in the end. Raises OSError where it cannot be made."""
    folder = unfinished(path)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def new_folder(out: Path, data: Path) -> Iterator[Path]:
    """A folder to write into that becomes `out` when all is written; nothing is left behind after an error.

    Where `out` is the current folder, in which the user stands, it stays, and what was written is moved into it.
    Raises UserError when `out` holds something, is a file, lies inside the data that are copied, or cannot be written.
    """
    if data.resolve() in (out.resolve(), *out.resolve().parents):
        raise UserError(f"{out} is inside the data ({data}): name a folder elsewhere")
    if out.is_file():
        raise UserError(f"{out} is a file: name a new folder")
    require_empty(out)
    with write_errors(out, "choose another folder"), temporary_folder(out.resolve()) as made:
        yield made
        if out.is_dir() and out.samefile(os.curdir):
            with locked(out / LOCK, another="choose another folder"):
                require_empty(out, LOCK)
                move_files(made, out)
        else:
            try:
                with suppress(FileNotFoundError):
                    out.resolve().rmdir()
                made.replace(out.resolve())
            except OSError:
                require_empty(out)  # another program may have been faster
                raise


def require_empty(out: Path, *ours: str) -> None:
    """Raises UserError where a folder holds something besides `ours`."""
    if out.is_dir() and any(path.name not in ours for path in out.iterdir()):
        raise UserError(f"{out} is not empty: name an empty or a new folder, nothing is overwritten")


def make_once(folder: Path, fill: Callable[[Path], None], another: str) -> None:
    """A folder that stays as it is once it is there, made by one program while others wait for it: `fill` gets an empty
    one, which becomes `folder` when it is done. Raises UserError where nothing can be written."""
    with locked(folder.parent / LOCK, wait=-1, another=another, keep=True):
        if not folder.is_dir():
            with write_errors(folder, another), temporary_folder(folder) as made:
                fill(made)
                made.replace(folder)


def move_files(source: Path, target: Path) -> None:
    """Put everything that a folder holds into another one, in place of what has the same name there."""
    target.mkdir(exist_ok=True)
    for path in sorted(source.iterdir()):
        path.replace(target / path.name)


@contextmanager
def locked(
    path: Path,
    wait: float = 0,
    another: str = OUT,
    report: Callable[[str], object] = lambda _: None,
    *,
    keep: bool = False,
) -> Iterator[None]:
    """The folder of the lock file `path` for this program alone; what killed ones left unfinished in it is removed.

    wait: seconds to wait for another program, of which `report` gets one line; -1: for ever. keep: whether the
    lock file stays, as in a cache, where many wait for each other. The folder is made if need be. The lock ends with
    its process. Raises UserError when it is taken, or when the folder cannot be written. Where filelock is not
    installed, beside exported detectors alone, nothing is locked and nothing removed.
    """
    folder = path.parent
    with write_errors(path, another):
        folder.mkdir(parents=True, exist_ok=True)
    try:
        import filelock
    except ModuleNotFoundError:
        yield
        return
    lock = filelock.FileLock(path)
    with write_errors(path, another):
        with suppress(filelock.Timeout):
            lock.acquire(timeout=0)
        if not lock.is_locked and wait:
            report(f"another program is using {folder}; waiting for it")
            with suppress(filelock.Timeout):
                lock.acquire(timeout=wait)
    if not lock.is_locked:
        waited = f" after {wait:g} s" if wait else ""
        raise Unavailable(f"{folder} is in use by another program{waited}: wait for it, or {another}")
    try:
        remove_unfinished(folder)
        yield
    finally:
        lock.release()
        if not keep:  # those who wait for it may have the file open already
            with suppress(OSError):
                path.unlink()


@contextmanager
def being_made(path: Path) -> Iterator[bool]:
    """Whether a file is this program's to make in this block; false where it is there, or another program makes it.

    For files of one folder that many programs make, also on several machines. A killed one stops nobody. Where nothing
    can be locked, two programs may make the same file: it is whole in any case.
    """
    try:
        import filelock
    except ModuleNotFoundError:
        yield not path.exists()
        return
    lock = filelock.FileLock(unfinished(path, 0))  # where its process is killed, it goes with what else that left
    with write_errors(path), suppress(filelock.Timeout):
        lock.acquire(timeout=0)
    try:
        yield lock.is_locked and not path.exists()
    finally:
        if lock.is_locked:
            with suppress(OSError):  # before it is released: who comes then makes another file
                os.unlink(lock.lock_file)
            lock.release()


def unfinished(path: Path, number: int | None = None) -> Path:
    """What a file or folder is called until it is whole. number: by default that of the process and its machine."""
    ours = os.getpid() * 2**32 + machine() if number is None else number
    return path.with_name(f".{path.name}.{ours}.part")


@cache
def machine() -> int:
    """A number of this machine: on a folder that several share, processes may have the same number."""
    return zlib.crc32(platform.node().encode())


def is_unfinished(name: str) -> bool:
    """Whether a name is one of `unfinished`."""
    return re.fullmatch(r"\..+\.\d+\.part", name) is not None


def remove_unfinished(folder: Path) -> None:
    """Give back the space of what killed programs never finished. Only for who holds the folder's lock."""
    for path in filter(lambda path: is_unfinished(path.name), folder.iterdir()):
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


@contextmanager
def write_errors(path: Path, another: str = OUT) -> Iterator[None]:
    """What to say when the system refuses to write: an OSError becomes a UserError."""
    try:
        yield
    except BrokenPipeError:  # a pipe is no file
        raise
    except OSError as error:
        remedy = f"free some space, allow writing there, or {another}"
        raise Unavailable(f"{path} cannot be written ({error.strerror or error}): {remedy}") from error


def require_writable(folder: Path, remedy: str = "choose another folder with --out") -> None:
    """Raises UserError where a folder cannot be made, or nothing can be written to it. It leaves no trace."""
    made: list[Path] = []
    try:
        made += [path for path in (folder, *folder.parents) if not path.exists()]
        folder.mkdir(parents=True, exist_ok=True)
        TemporaryFile(dir=folder).close()
    except OSError as error:
        raise Unavailable(f"{folder} cannot be written to ({error.strerror}): {remedy}") from error
    finally:
        for path in made:  # the innermost first
            with suppress(OSError):
                path.rmdir()


def require_room(folder: Path, needed: float, what: str, remedy: str = f"make room, or {OUT}") -> None:
    """Raises UserError where the disk of a folder, which need not be there, has fewer bytes free than needed.

    what: `the run takes`, in words.
    """
    place = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    if (free := shutil.disk_usage(place).free) < needed:
        raise Unavailable(f"{what} {needed / 1e6:,.0f} MB, and {place} has {free / 1e6:,.0f} MB free: {remedy}")


def first_free(folder: Path) -> Path:
    """The first of FOLDER, FOLDER-2, FOLDER-3, .. that does not exist, made: no other program gets the same one."""
    names = (folder if i == 1 else folder.with_name(f"{folder.name}-{i}") for i in count(1))
    with write_errors(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
        return next(filter(is_made, names))


def is_made(folder: Path) -> bool:
    """Make a folder; false where something of its name is there."""
    try:
        folder.mkdir()
    except FileExistsError:
        return False
    return True


@contextmanager
def claimed(folder: Path) -> Iterator[Path]:
    """`first_free`, and in the end no trace of it where nothing was put into it."""
    missing = [path for path in folder.parents if not path.exists()]
    path = first_free(folder)
    try:
        yield path
    finally:
        for empty in (path, *missing):  # the innermost first
            with suppress(OSError):
                empty.rmdir()


def sync_folder(folder: Path) -> None:
    """Make a rename in a folder survive a power cut. Windows opens no folders and needs none of it."""
    if os.name != "nt":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
