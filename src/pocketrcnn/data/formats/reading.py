"""A data set while it is read: the files that are there, and what is wrong with them. No torch here."""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from ..annotations import Annotations, Example, Fault
from .finding import Images, files


class Reading:
    """The files at a path, listed once, and what a reader notes on the way.

    root: the folder; files: those in it; candidates: those that may be annotations. predicted: folders in it that
    `predict` wrote, which are skipped. unread: fields that are not read, with what they belong to.
    Raises OSError where a folder cannot be read.
    """

    def __init__(self, path: Path, voc_origin: int = 0) -> None:
        self.path, self.voc_origin = path, voc_origin
        self.root = path if path.is_dir() else path.parent
        self.predicted: list[Path] = []
        self.files = list(files(self.root, self.predicted))
        self.candidates = self.files if path.is_dir() else [path]
        self.faults: list[Fault] = []
        self.unread: Counter[tuple[str, str]] = Counter()

    def images(self) -> Images:
        """The images in the folder; for a folder `annotations`, those beside it."""
        if self.root.name.lower() == "annotations":
            return Images(self.root.parent, list(files(self.root.parent)))
        return Images(self.root, self.files)

    def fault(self, kind: str, file: Path, where: str, reason: str, drops: bool = True) -> None:
        """Note something that is skipped or, where `drops` is false, that the user should know."""
        self.faults.append(Fault(kind, file, where, reason, drops))

    def annotations(
        self, kind: str, classes: Iterable[str], examples: Iterable[Example], images: Images
    ) -> Annotations:
        """All that was read."""
        unread = tuple((field, what, count) for (field, what), count in self.unread.most_common())
        return Annotations(
            kind, self.root, tuple(classes), tuple(examples), tuple(self.faults), images.unnamed(), unread
        )
