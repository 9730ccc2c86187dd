"""All files below the folder of a data set. No torch here."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

from ..images.pixels import ENDINGS
from ..listing import holds_predictions

OTHERS = ".json .jsonl .xml .csv .tsv .txt .yaml .yml .data .names .labels"
READ = (*ENDINGS, *OTHERS.split())  # endings, by readers
SYSTEM = ("__MACOSX", "lost+found", "$RECYCLE.BIN", "System Volume Information")  # folders that nobody put there


def files(root: Path, allows: Callable[[Path], bool], predicted: list[Path] | None = None) -> Iterator[Path]:
    """All files under a folder, links followed where `allows` says so, by name; nothing hidden, and no folder twice.

    Folders below it that `predict` wrote are skipped, with all that is in them, and added to `predicted`.
    Raises OSError where a folder cannot be read.
    """
    seen: set[str] = set()
    for folder, inner, names in os.walk(root, onerror=refuse, followlinks=True):
        if seen and holds_predictions(Path(folder)):
            inner.clear()
            if predicted is not None:
                predicted.append(Path(folder))
            continue
        seen.add(os.path.realpath(folder))
        kept = [name for name in inner if not name.startswith((".", *SYSTEM))]
        paths = [
            Path(folder, name) for name in sorted(kept) if os.path.realpath(os.path.join(folder, name)) not in seen
        ]
        inner[:] = [path.name for path in paths if not os.path.islink(path) or allows(path)]
        visible = (Path(folder, name) for name in sorted(names) if not name.startswith("."))
        yield from (path for path in visible if not os.path.islink(path) or not is_read(path) or allows(path))


def is_read(path: Path) -> bool:
    """Whether a reader may open a file of this name."""
    return path.suffix.lower() in READ


def refuse(error: OSError) -> None:
    """For `os.walk`, which passes over folders that it cannot read."""
    raise error
