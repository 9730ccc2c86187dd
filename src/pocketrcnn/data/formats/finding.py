"""Finding what annotations speak of: image files by any of their names, splits by any of their words. No torch here."""

from __future__ import annotations

import os
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from ..listing import is_image_name

WORDS = {
    "train": ("train", "training"),
    "val": ("val", "valid", "validation", "dev"),
    "test": ("test", "testing"),
}


def split_of(*names: str) -> str:
    """The split that a word of these names stands for, as `train` in instances_train2017; empty where none does."""
    for name in names:
        words = re.split(r"[^a-z]+", name.lower())
        for split, known in WORDS.items():
            if set(words) & set(known):
                return split
    return ""


def split_below(root: Path, path: Path) -> str:
    """The split that the folders between `root` and a file stand for. What is above `root` says nothing."""
    return split_of(*reversed(path.relative_to(root).parts[:-1]))


def read_text(path: Path) -> str:
    """A text file in UTF-8, with or without byte order mark, or in what old Windows programs wrote."""
    data = path.read_bytes()
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "latin-1", errors="replace")


def files(root: Path) -> Iterator[Path]:
    """All files under a folder, links followed, by name; nothing hidden, and no folder twice."""
    seen = set()
    for folder, inner, names in os.walk(root, followlinks=True):
        seen.add(os.path.realpath(folder))
        kept = [name for name in inner if not name.startswith((".", "__MACOSX"))]
        inner[:] = sorted(name for name in kept if os.path.realpath(os.path.join(folder, name)) not in seen)
        yield from (Path(folder, name) for name in sorted(names) if not name.startswith("."))


def key(name: str) -> str:
    """A name as file systems compare it: macOS takes accents apart, Windows ignores capitals."""
    return unicodedata.normalize("NFC", name).casefold()


def is_background(name: str) -> bool:
    """Whether a class is the absence of one: some programs list it."""
    return name.strip("_ ").lower() == "background"


class Images:
    """The image files under a folder, found by what annotations call them."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.paths = [path for path in files(root) if is_image_name(path)]
        self.known: defaultdict[str, list[Path]] = defaultdict(list)
        for path in self.paths:
            for name in {key(path.name), key(path.stem)}:
                self.known[name].append(path)

    def find(self, name: str, *folders: Path, split: str = "") -> Path:
        """The file called `name` (a path, a file name, or one without suffix), in one of `folders` or anywhere else.

        Where several have the name: the one whose folders agree best with `name`, then one in a folder of the split.
        A name that no file has gives the place where it was to be expected: the first folder.
        """
        name = name.strip().replace("\\", "/")
        for folder in folders:
            if name and (folder / name).is_file():
                return folder / name
        short = PurePosixPath(name)
        found = self.known.get(key(short.name)) or self.known.get(key(short.stem)) or []
        near = [path for path in found if any(folder in path.parents for folder in folders)] or found
        if not near:
            return folders[0] / name
        return max(near, key=lambda path: (agreement(path, short), split_of(*reversed(path.parts[:-1])) == split))


def agreement(path: Path, name: PurePosixPath) -> int:
    """How many folders two paths share, counted from the file upwards."""
    pairs = zip(reversed(path.parts[:-1]), reversed(name.parts[:-1]), strict=False)
    return next((i for i, (ours, theirs) in enumerate(pairs) if key(ours) != key(theirs)), len(name.parts) - 1)
