"""A data set while it is read: the files that are there, and what is wrong with them. No torch here."""

import os
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from ...errors import shown
from ..annotations import Annotations, Example, Fault
from .boundary import Boundary
from .finding import Images
from .notes import Notes
from .split_words import splits_by_name
from .text import NAMES, decoded, decodes, evident, is_likely, legacy, may_be_legacy
from .walking import files


class Reading:
    """The files at a path, listed once, and what a reader notes on the way.

    root: the folder; files: those in it; candidates: those that may be annotations. predicted: folders in it that
    `predict` wrote, which are skipped. unread: fields that are not read, with what they belong to. boundary: what may
    be read. whole: whether all that is in the folder belongs to the data. notes: what was understood in another way
    than it stands there.
    Raises OSError where a folder cannot be read.
    """

    def __init__(self, path: Path, voc_origin: int = 0, follow_outside: bool = False) -> None:
        self.path, self.voc_origin, self.whole = path, voc_origin, path.is_dir()
        self.root = path if path.is_dir() else path.parent
        self.home = self.root.parent if self.root.name.lower() == "annotations" else self.root
        self.boundary = Boundary(self.home, follow_outside)
        self.predicted: list[Path] = []
        self.files = list(files(self.root, self.boundary.allows_link, self.predicted))
        self.boundary.links.pop(path, None)  # the user named it
        self.candidates = self.files if path.is_dir() else [path]
        self.faults: list[Fault] = []
        self.unread: Counter[tuple[str, str]] = Counter()
        self.notes = Notes()
        self.guesses: dict[str, str] = {}
        self.odd_texts: dict[Path, str] = {}  # files that are not in UTF-8, and what they are taken for

    def images(self) -> Images:
        """The images in the folder; for a folder `annotations`, those beside it."""
        there = self.files if self.home == self.root else list(files(self.home, self.boundary.allows_link))
        return Images(self.home, there, self.boundary)

    def fault(self, kind: str, file: Path, where: str, reason: str, drops: bool = True) -> None:
        """Note something that is skipped or, where `drops` is false, that the user should know."""
        self.faults.append(Fault(kind, file, where, reason, drops))

    def in_splits(self, examples: Sequence[Example], stems: bool = False) -> list[Example]:
        """Examples whose annotations state no split with the one that the names of their files stand for.

        Of each, the file is that of its annotations, else the image. stems: see `splits_by_name`.
        """
        files = list(dict.fromkeys(one.source or one.path for one in examples if not one.split))
        root = self.root if all(file.is_relative_to(self.root) for file in files) else self.home
        splits, reason = splits_by_name(root, files, stems, {one.split for one in examples} - {""})
        if reason:
            self.fault("split-words", self.root, "", reason, drops=False)
        by_name = dict(zip(files, splits, strict=True))
        return [one if one.split else replace(one, split=by_name[one.source or one.path]) for one in examples]

    def text(self, file: Path) -> str:
        """A text file; that it is not in UTF-8, or broken, is noted. Raises OSError where it cannot be read."""
        data = file.read_bytes()
        encoding = evident(data)
        doubtful = not encoding or (may_be_legacy(data) and is_likely(data, self.guess(file)))
        encoding = self.guess(file) if doubtful else encoding
        text = decoded(data, encoding)
        if doubtful:
            self.odd_texts[file] = NAMES[encoding]
        elif "\ufffd" in text and not decodes(data, encoding):
            self.odd_texts[file] = f"{encoding} with broken characters"
        return text

    def guess(self, file: Path) -> str:
        """What all files with the ending of one are in that do not say it, guessed together, so that a name is one;
        empty where all say it."""
        if file.suffix not in self.guesses:
            there = {file, *(other for other in self.candidates if other.suffix == file.suffix)}
            data = (other.read_bytes() for other in sorted(there))
            silent = b"\n".join(one for one in data if not evident(one))
            self.guesses[file.suffix] = legacy(silent) if silent else ""
        return self.guesses[file.suffix]

    def annotations(
        self, kind: str, classes: Iterable[str], examples: Iterable[Example], images: Images
    ) -> Annotations:
        """All that was read, without what leads out of the folder, unless that is allowed."""
        kept = tuple(
            replace(one, tried=images.missing[one.path]) if one.path in images.missing else one
            for one in examples
            if self.boundary.allows(one.path)
        )
        for path, name in images.renamed.items():
            self.notes.add("other-path", path, f"`{shown(name)}` there")
        if self.boundary.links and (self.whole or not all(os.path.exists(one.path) for one in kept)):
            self.boundary.outside |= self.boundary.links  # what they lead to may be some of the data
        for file, encoding in self.odd_texts.items():
            self.notes.add("encoding", file, detail=encoding)
        self.faults += [*self.boundary.faults(self.home), *self.notes.faults(self.root)]
        outside = () if self.boundary.follow else tuple(self.boundary.outside)
        unread = tuple((field, what, count) for (field, what), count in self.unread.most_common())
        return Annotations(kind, self.root, tuple(classes), kept, tuple(self.faults), images.unnamed(), unread, outside)
