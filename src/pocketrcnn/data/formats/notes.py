"""What is understood in another way than it stands there, or is doubtful: counted, and said once. No torch here."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..annotations import Fault
from ..overview import counted

CROWD = "read as crowds (background in training, not counted in evaluation)"
SENTENCES = {  # by kind: what is counted, and what is said of it; {}: the details, see `worded`
    "ignored": ("object", f"marked `ignore` or `IsGroupOf`: {CROWD}"),
    "difficult": ("object", f"marked `difficult`: {CROWD}"),
    "rotated": ("object", "with a rotation: the upright box around the rotated one is used"),
    "outlined": ("object", "with an outline and no box: the box around the outline is used"),
    "scored": ("object", "with a score, as predictions have one (the smallest: {}): they are read as true objects"),
    "empty-row": ("image", "whose rows have no box (0, 0, 0, 0 or empty): read as images without objects"),
    "no-class": ("table", "without a column for the class (columns: {}): all objects are called `object`"),
    "no-header": ("table", "without header: the columns are taken for {}"),
    "decimal-comma": ("object", "with decimal commas: 23,5 is read as 23.5"),
    "other-path": ("image", "with another name or path in the annotations than on this disk"),
    "other-folder": ("path", "of settings whose last parts alone are in the data"),
    "mask": ("image", "with the name of another and few colours, as a mask has: not used"),
    "other-format": ("image", "with the name and the picture of another: not used"),
    "spare-labels": ("label file", "in a folder of copies, for images that have another one: not read"),
    "encoding": ("file", "not in UTF-8: read as {}, and names may be wrong; save it as UTF-8"),
}
MOST = 5  # details that are named


class Notes:
    """What was noted so far, by kind: how often, where first, and with which details."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.first: dict[str, tuple[Path, str]] = {}
        self.details: defaultdict[str, dict[Any, None]] = defaultdict(dict)

    def add(self, kind: str, file: Path, where: str = "", detail: float | str | None = None) -> None:
        """Note one of what SENTENCES counts under a kind. detail: a number, of which the smallest is told, or words."""
        self.counts[kind] += 1
        self.first.setdefault(kind, (file, where))
        if isinstance(detail, float):
            self.details[kind] = {min([detail, *self.details[kind]]): None}
        elif detail is not None:
            self.details[kind][detail] = None

    def faults(self, root: Path) -> Iterator[Fault]:
        """A warning for each kind. root: for messages."""
        for kind, count in self.counts.items():
            unit, sentence = SENTENCES[kind]
            what = f"{counted(count, unit)} {sentence.format(worded(list(self.details[kind])))}"
            file, where = self.first[kind]
            first = file.relative_to(root) if file.is_relative_to(root) else file
            yield Fault(kind, root, "", f"{what} (the first: {first}{f', {where}' if where else ''})", drops=False)


def worded(details: list[float | str]) -> str:
    """A number, or the first of the words."""
    words = [f"{one:.6g}" if isinstance(one, float) else one for one in details[:MOST]]
    return ", ".join(words) + (f" and {len(details) - MOST} more" if len(details) > MOST else "")
