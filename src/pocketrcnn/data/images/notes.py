"""What was read of an image otherwise than its owner may think: noted, and counted over many images. No torch here."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple


class Note(NamedTuple):
    """Something to know about an image that was read.

    kind: a short fixed word for programs (`pages`, `channels`, `dark`, `blank`, `end-marker`, `checksum`, `not-read`).
    reason: what goes on after the name of its file, as `holds 3 pages: the first is read`.
    """

    kind: str
    reason: str


class Counted:
    """The notes of many images, one a kind: the first image that has it, and how many others do."""

    def __init__(self) -> None:
        self.first: dict[str, tuple[Path, Note]] = {}
        self.others: dict[str, int] = {}

    def add(self, path: Path, notes: Iterable[Note]) -> None:
        """The notes of one image."""
        for note in notes:
            if note.kind in self.first:
                self.others[note.kind] = self.others.get(note.kind, 0) + 1
            else:
                self.first[note.kind] = path, note

    def of(self, what: str) -> Iterator[tuple[Path, Note]]:
        """One note a kind, whose reason says how many others of `what` (`image`, `file`) have one of that kind."""
        for kind, (path, note) in self.first.items():
            more = self.others.get(kind, 0)
            others = f" (and so {more:,} other {what}{'' if more == 1 else 's'})" if more else ""
            yield path, Note(kind, note.reason + others)
