"""Images by their path below the folder that they have in common: whatever that is called on a machine. No torch here.

Text alone: a million names take 0.1 GB, and a million `Path` five times that.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple


class Images(NamedTuple):
    """Images in a fixed order, each once.

    folder: the deepest one that holds all of them, with its separator behind it; empty where there is none (drives).
    names: paths from there on, with `/`.
    """

    folder: str
    names: list[str]

    @classmethod
    def of(cls, paths: Sequence[str]) -> Images:
        """From paths as they were named, which may begin in the current folder."""
        places = list(dict.fromkeys(absolute(paths)))
        folder = common_folder(places)
        return cls(folder, [place[len(folder) :].replace(os.sep, "/") for place in places])

    @property
    def sha256(self) -> str:
        """A hash of the names in their order."""
        digest = hashlib.sha256()
        for name in self.names:
            add_name(digest, name)
        return digest.hexdigest()


def add_name(digest: hashlib._Hash, name: str) -> None:
    """The next name goes into a hash of names in their order."""
    digest.update(os.fsencode(name) + b"\0")


def absolute(paths: Iterable[str]) -> Iterator[str]:
    """Paths from the root on. What `..` leads to is looked up: a folder may be a link."""
    here = os.path.join(os.getcwd(), "")
    for path in paths:
        if os.pardir in path.split(os.sep):
            folder, name = os.path.split(path)
            yield os.path.join(os.path.realpath(folder), name)
        else:
            yield os.path.join(here, path)


def common_folder(places: Iterable[str]) -> str:
    """The deepest folder that holds all files, with a separator behind it. Empty where there is none."""
    common = before = None
    for place in places:
        folder = os.path.dirname(place)
        if folder != before:
            try:
                common = folder if common is None else os.path.commonpath((common, folder))
            except ValueError:  # of several drives
                return ""
            before = folder
    return os.path.join(common or "", "")
