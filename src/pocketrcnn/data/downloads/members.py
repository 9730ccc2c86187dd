"""Files of known names in a folder or an archive that somebody has. No torch here."""

import lzma
import tarfile
import zlib
from collections.abc import Collection, Sequence
from pathlib import Path, PurePosixPath

from ...errors import UserError

Files = dict[str, bytes]  # contents by file name, without folders

LARGEST = 64 << 20  # bytes; no file that is wanted is larger, so an archive cannot fill the memory


def read_members(source: Path, wanted: Collection[str], nested: Sequence[str] = ("",)) -> Files:
    """The files of these names that a folder or a tar archive has, for a folder also in those of its folders `nested`.

    Raises UserError when it cannot be read.
    """
    try:
        return _of_folder(source, wanted, nested) if source.is_dir() else _of_archive(source, wanted)
    except (OSError, EOFError, zlib.error, lzma.LZMAError, tarfile.TarError) as error:
        reason = getattr(error, "strerror", None) or str(error).splitlines()[0].rstrip(":")
        raise UserError(f"{source} cannot be read ({reason}): name a folder or a whole archive") from error


def _of_folder(folder: Path, wanted: Collection[str], nested: Sequence[str]) -> Files:
    paths = (folder / inner / name for inner in nested for name in sorted(wanted))
    return {path.name: path.read_bytes() for path in paths if path.is_file()}


def _of_archive(path: Path, wanted: Collection[str]) -> Files:
    """Members by their last name: nothing is ever extracted, so no member's path can lead anywhere."""
    files: Files = {}
    with tarfile.open(path) as archive:
        for member in archive:
            name = PurePosixPath(member.name).name
            if name in wanted and (content := archive.extractfile(member) if member.isreg() else None):
                files[name] = content.read(LARGEST)
    return files
