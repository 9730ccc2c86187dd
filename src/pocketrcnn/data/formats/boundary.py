"""The folder of a data set is all that it may read: who annotated it may be a stranger, and images elsewhere on the
disk are the user's own. Absolute paths, `..` and links that lead out of it are followed only where the user says so.
No torch here.

Paths of another machine, where nothing is, lead nowhere: images are then looked for in the folder.
"""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from ...errors import UserError
from ..annotations import Annotations, Fault
from ..images.page_names import file_of
from ..kinds import OUTSIDE
from ..overview import counted


class Boundary:
    """The folder of a data set, what leads out of it, and whether that is read all the same (`follow`).

    outside: files and folders elsewhere that the data name, links: links to such that are in the folder. Both: by path,
    where they really are.
    """

    def __init__(self, root: Path, follow: bool = False) -> None:
        self.root, self.follow = Path(os.path.realpath(root)), follow
        self.outside: dict[Path, str] = {}
        self.links: dict[Path, str] = {}
        self.folders: dict[str, bool] = {}

    def holds(self, path: Path) -> bool:
        """Whether a path, or the file that it names a page of, is in the folder, wherever links and `..` lead."""
        path = file_of(path)
        folder = os.path.dirname(path)
        if folder not in self.folders:  # images of one folder are thousands
            self.folders[folder] = self.is_inside(folder)
        ordinary = path.name != ".." and not os.path.islink(path)
        return (ordinary and self.folders[folder]) or self.is_inside(path)

    def is_inside(self, path: str | Path) -> bool:
        """Whether a path is in the folder: the slow way."""
        return Path(os.path.realpath(path)).is_relative_to(self.root)

    def allows(self, path: Path) -> bool:
        """Whether what the data name may be read. Something elsewhere is noted."""
        return self.noted(path, self.outside)

    def allows_link(self, path: Path) -> bool:
        """Whether a link in the folder may be followed. One that leads out is noted."""
        return self.noted(path, self.links)

    def noted(self, path: Path, notes: dict[Path, str]) -> bool:
        """Whether a path may be read, noted in `notes` where it leads out of the folder and something is there."""
        file = file_of(path)
        if self.holds(file) or not os.path.exists(file):
            return True
        notes[path] = os.path.realpath(file)
        return self.follow

    def faults(self, root: Path) -> Iterator[Fault]:
        """What leads out, one by one where it is not read, else a warning with the number. root: for messages."""
        if self.follow and self.outside:
            reason = f"{leading(self.outside)}, and {'is' if len(self.outside) == 1 else 'are'} followed"
            yield Fault(OUTSIDE, root, "", reason, drops=False)
        elif not self.follow:
            for path, real in self.outside.items():
                yield Fault(OUTSIDE, path, "", f"leads out of {root}, to {real}", drops=True)


def leading(outside: Mapping[Path, str]) -> str:
    """`3 paths lead out of this folder (the first: a.png, to /b.png)`."""
    path, real = next(iter(outside.items()))
    verb = "leads" if len(outside) == 1 else "lead"
    return f"{counted(len(outside), 'path')} {verb} out of this folder (the first: {path}, to {real})"


def require_inside(annotations: Annotations) -> None:
    """Raises UserError for data that lead out of their folder, unless the user has allowed it."""
    if annotations.outside:
        there = leading({path: os.path.realpath(path) for path in annotations.outside})
        remedy = "correct or remove that or, if you trust whoever made the data, use --follow-outside"
        raise UserError(f"{annotations.root}: {there}: {remedy} (of check, convert and train)")
