"""Finding what annotations speak of: image files by any of their names, splits by any of their words. No torch here."""

import os
import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from ..annotations import Example
from ..images.pixels import ENDINGS
from ..listing import holds_predictions, is_image_name
from .boundary import Boundary

WORDS = {
    "train": ("train", "training"),
    "val": ("val", "valid", "validation", "dev"),
    "test": ("test", "testing"),
}
OTHERS = ".json .jsonl .xml .csv .tsv .txt .yaml .yml .names .labels"
READ = (*ENDINGS, *OTHERS.split())  # endings, by readers
SYSTEM = ("__MACOSX", "lost+found", "$RECYCLE.BIN", "System Volume Information")  # folders that nobody put there


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


def key(name: str) -> str:
    """A name as file systems compare it: macOS takes accents apart, Windows ignores capitals."""
    return unicodedata.normalize("NFC", name).casefold()


def used_classes(examples: Sequence[Example]) -> tuple[str, ...]:
    """The names of all objects, in order; the background is no class."""
    used = {obj.name for example in examples for obj in example.objects}
    return tuple(sorted(name for name in used if name and not is_background(name)))


def size_from(width: object, height: object) -> tuple[int, int] | None:
    """A size as annotations write it; None where it is missing, zero or no number."""
    try:
        size = int(float(str(width))), int(float(str(height)))
    except (ValueError, OverflowError):
        return None
    return size if min(size) >= 1 else None


def is_background(name: str) -> bool:
    """Whether a class is the absence of one: some programs list it."""
    return name.strip("_ ").lower() == "background"


def plain(name: str) -> str:
    """A path as annotations write it, as this system has it. What no file has in its name, NUL and half characters of
    UTF-16, is replaced by what can be shown."""
    return os.fsdecode(name.strip().replace("\\", "/").replace("\0", "\ufffd").encode("utf-8", "replace"))


@dataclass(frozen=True)
class Wanted:
    """An image as annotations call it.

    names: what its file may be called (a path, a file name, or one without suffix), the most likely first.
    folders: where it is expected, the most likely first. split: its split, if it has one.
    """

    names: tuple[str, ...]
    folders: tuple[Path, ...]
    split: str = ""

    def paths(self) -> Iterator[Path]:
        """Every name in every folder."""
        yield from (folder / name for name in self.names for folder in self.folders)


def beside(one: Example) -> Wanted:
    """The image that a file names: beside the file, or in `images` there; of files in `annotations`, beside these."""
    assert one.source
    folder = one.source.parent
    above = [folder.parent / "images", folder.parent] if folder.name.lower() == "annotations" else []
    return Wanted((one.path.as_posix(),), (*above, folder, folder / "images"), one.split)


class Images:
    """The image files among the files of a folder, by what annotations call them. named: those of a record so far."""

    def __init__(self, root: Path, inside: Sequence[Path], boundary: Boundary) -> None:
        self.root, self.files, self.boundary = root, inside, boundary
        self.paths = list(filter(is_image_name, inside))
        parents = {path.parent for path in self.paths}
        self.folders = parents | {folder for parent in parents for folder in parent.parents}
        self.named: set[Path] = set()
        self.known: defaultdict[str, list[Path]] = defaultdict(list)
        for path in self.paths:
            for name in {key(path.name), key(path.stem)}:
                self.known[name].append(path)

    def placed(self, examples: Sequence[Example], wanted: Callable[[Example], Wanted]) -> list[Example]:
        """Examples whose paths are what annotations call their images, with the paths of the files."""
        paths = self.find([wanted(one) for one in examples])
        return [replace(one, path=path) for one, path in zip(examples, paths, strict=True)]

    def find(self, wanted: Sequence[Wanted]) -> list[Path]:
        """The file of each; where it is not clear which one it is, its first path, where nothing is: it is missing.

        First one of its exact paths, then these with other capitals, accents or suffix, then anywhere else. A file that
        is the image of one is never taken for that of another.
        """
        paths = [self.exact(one) for one in wanted]
        for search in (self.here, self.elsewhere):
            if None in paths:
                taken = {os.path.realpath(path) for path in paths if path}
                paths = [path or search(one, taken) for path, one in zip(paths, wanted, strict=True)]
        self.named.update(filter(None, paths))
        return [path or next(one.paths()) for path, one in zip(paths, wanted, strict=True)]

    def exact(self, one: Wanted) -> Path | None:
        """The file at the first of its paths that is in the folder; where none is, at the first that is elsewhere."""
        elsewhere = None
        for path in filter(os.path.isfile, one.paths()):
            if self.boundary.holds(path):
                return path
            elsewhere = elsewhere or path
        return elsewhere

    def free(self, name: str, taken: set[str]) -> list[Path]:
        """The files of a name, with or without suffix, that are nobody's."""
        return [path for path in self.known.get(key(name), ()) if os.path.realpath(path) not in taken]

    def here(self, one: Wanted, taken: set[str]) -> Path | None:
        """A file in one of the folders, by its name in other letters or by its name without suffix."""
        tried = ((path, name) for path in one.paths() for name in (path.name, path.stem))
        files = (file for path, name in tried for file in self.free(name, taken) if file.parent == path.parent)
        return next(files, None)

    def elsewhere(self, one: Wanted, taken: set[str]) -> Path | None:
        """A file in any folder; None, which makes it a missing image, where these rules leave none or several:

        1. It has the whole name; where no file has, the name without suffix. Images of other records do not count.
        2. It is below the folders of the record, if one is. If these have images of other names, a file outside of
           them needs the whole name and has to be the only one.
        3. Of several, it is the one of the best rank: see `best`.
        """
        home = not self.folders.isdisjoint(one.folders)
        for short in map(PurePosixPath, one.names):
            whole = key(short.name) in self.known
            free = self.free(short.name if whole else short.stem, taken)
            near = [path for path in free if any(folder in path.parents for folder in one.folders)]
            likely = self.best(near or free, short, one.split)
            if len(likely) == 1 and (near or not home or (whole and len(free) == 1)):
                return likely[0]
        return None

    def best(self, paths: list[Path], name: PurePosixPath, split: str) -> list[Path]:
        """Those whose folders agree best with a name; of these those of the split; of these those in `images`."""
        ranks = {
            path: (agreement(path, name), split_below(self.root, path) == split, "images" in map(key, path.parts[:-1]))
            for path in paths
        }
        top = max(ranks.values(), default=None)
        return [path for path in paths if ranks[path] == top]

    def unnamed(self) -> tuple[Path, ...]:
        """The images that no record names."""
        left = [path for path in self.paths if path not in self.named]
        named = set(map(os.path.realpath, self.named)) if left else set()
        return tuple(path for path in left if os.path.realpath(path) not in named)


def agreement(path: Path, name: PurePosixPath) -> int:
    """How many folders two paths share, counted from the file upwards."""
    pairs = zip(reversed(path.parts[:-1]), reversed(name.parts[:-1]), strict=False)
    return next((i for i, (ours, theirs) in enumerate(pairs) if key(ours) != key(theirs)), len(name.parts) - 1)
