"""Data sets in zip files, unpacked once into the cache. No torch here.

`unpacked/` of the cache holds nothing else: a folder for each archive, called by a hash of its content. It may be
deleted whenever no run is using it. Zip files are of anybody: names that lead out of their folder are refused, and so
is what is a hundred times as large as its archive.
"""

import hashlib
import shutil
import stat
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from lzma import LZMAError
from pathlib import Path, PurePosixPath

from ...errors import UserError, shown
from ..files import make_once, require_room
from ..images.cache import OTHER_CACHE, cache_root
from ..listing import is_image_name
from .reading import Reading
from .walking import SYSTEM, is_read

ENDING = ".zip"
UNPACKED = "unpacked"  # a folder of the cache
MOST_FILES = 1_000_000  # of an archive
MOST_TIMES = 100  # its own size that its files may have together: annotations have 20, label images 50
SMALL = 1_000_000_000  # bytes that may be more than that
UTF_8 = 0x800  # the flag of names in UTF-8; archives of macOS lack it


def zips_in(reading: Reading) -> list[Path]:
    """The zip files among the candidates, but for those that came out of one."""
    if reading.root.is_relative_to(cache_root() / UNPACKED):
        return []
    zips = [file for file in reading.candidates if file.suffix.lower() == ENDING and zipfile.is_zipfile(file)]
    return [file for file in zips if file == reading.path or reading.boundary.holds(file)]


def unpacked(path: Path, zips: Sequence[Path], beside: Sequence[Path]) -> Path:
    """The folder with what is in the zip files, unpacked if need be: each in a folder of its name.

    path: what the user named. beside: the other files there. Raises UserError for what is no sound archive, for paths
    that lead out, for bombs, where there is no room, and where the images are not in it.
    """
    digest = hashlib.sha256("".join(map(digest_of, zips)).encode()).hexdigest()[:16]
    folder = cache_root() / UNPACKED / digest / (zips[0].name if len(zips) == 1 else path.name)
    if not folder.is_dir():
        inside = [entry for zip_file in zips for entry in entries(zip_file)]
        names = [Path(name_of(entry)) for entry in inside]
        if any(map(is_read, names)) and not any(map(is_image_name, names)) and any(map(is_image_name, beside)):
            raise UserError(f"{zips[0]} has annotations of images that are beside it: unpack it there")
        needed = sum(entry.file_size for entry in inside)
        require_room(cache_root(), needed, f"{path}, unpacked into the cache, takes", OTHER_CACHE)
        places = {zip_file: Path(zip_file.name if len(zips) > 1 else "") for zip_file in zips}
        make_once(folder, lambda made: unpack(places, made), OTHER_CACHE)
    return folder


def digest_of(file: Path) -> str:
    """A hash of a file's content, and its name."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest() + file.name


@contextmanager
def opened(path: Path) -> Iterator[zipfile.ZipFile]:
    """A zip file; whatever is wrong with it is one line."""
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except (
        zipfile.BadZipFile,
        zlib.error,
        LZMAError,
        EOFError,
        NotImplementedError,
        RuntimeError,
        ValueError,
    ) as error:
        raise UserError(f"{path} cannot be unpacked ({error}): unpack it yourself, or download it again") from error


def entries(path: Path) -> list[zipfile.ZipInfo]:
    """The files in a zip file that are wanted. Raises UserError where it could do harm, or is encrypted."""
    with opened(path) as archive:
        every = [entry for entry in archive.infolist() if not entry.filename.endswith("/")]
    for entry in every:
        if not entry.filename:
            raise UserError(f"{path} is damaged (it has a file without a name): download it again")
        if stat.S_ISLNK(entry.external_attr >> 16) or leads_out(name_of(entry)):
            raise UserError(
                f"{path} has the path {shown(name_of(entry))}, which leads out of its folder: do not use it"
            )
        if entry.flag_bits & 1:
            raise UserError(f"{path} is encrypted: unpack it yourself, and name the folder")
    size, total = path.stat().st_size, sum(entry.file_size for entry in every)
    if total > max(SMALL, MOST_TIMES * size) or len(every) > MOST_FILES:
        there = f"{len(every):,} files with {total / 1e6:,.0f} MB in {size / 1e6:,.1f} MB"
        raise UserError(f"{path} holds {there}, as no data set does: unpack it yourself, if you trust it")
    return [entry for entry in every if not name_of(entry).startswith(SYSTEM)]


def name_of(entry: zipfile.ZipInfo) -> str:
    """The path of a file in an archive: UTF-8, also where the archive does not say so."""
    name = entry.filename
    if not entry.flag_bits & UTF_8:
        with suppress(UnicodeError):
            name = name.encode("cp437").decode("utf-8")
    return name.replace("\\", "/")


def leads_out(name: str) -> bool:
    """Whether a path does not stay in the folder where it is unpacked."""
    parts = PurePosixPath(name).parts
    return name.startswith("/") or ".." in parts or not parts or ":" in parts[0]


def unpack(places: dict[Path, Path], folder: Path) -> None:
    """Write the files of zip files into their places in a folder."""
    for path, place in places.items():
        wanted = entries(path)
        with opened(path) as archive:
            for entry in wanted:
                target = folder / place / name_of(entry)
                target.parent.mkdir(parents=True, exist_ok=True)
                with archive.open(entry) as source, target.open("wb") as file:
                    shutil.copyfileobj(source, file)
