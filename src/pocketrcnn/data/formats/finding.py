"""Finding what annotations speak of: image files by any of their names. No torch here."""

from __future__ import annotations

import os
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path, PurePosixPath

from ...errors import shown
from ..annotations import Example
from ..images.page_names import page_path, split_name
from ..listing import is_image_name
from .boundary import Boundary
from .spelling import decoded, original
from .split_words import split_below


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
    folders: where it is expected, the most likely first. split: its split, if it has one. strict: whether a folder that
    has images has this one, too: it is then neither below it nor elsewhere.
    """

    names: tuple[str, ...]
    folders: tuple[Path, ...]
    split: str = ""
    strict: bool = False

    def paths(self) -> Iterator[Path]:
        """Every name in every folder."""
        yield from (folder / name for name in self.names for folder in self.folders)

    def of_file(self) -> Wanted:
        """The file of the page that this names."""
        pages = ((name, split_name(name)) for name in self.names)
        return replace(self, names=tuple(found[0] if found else name for name, found in pages))


def beside(one: Example) -> Wanted:
    """The image that a file names: beside the file, or in `images` there; of files in `annotations`, beside these."""
    assert one.source
    folder = one.source.parent
    above = [folder.parent / "images", folder.parent] if folder.name.lower() == "annotations" else []
    return Wanted((one.path.as_posix(),), (*above, folder, folder / "images"), one.split)


class Images:
    """The image files among the files of a folder, by what annotations call them.

    named: those of a record so far. missing: what was looked for where a path is none. renamed: the files that
    annotations call otherwise, with the name that they have there.
    """

    def __init__(self, root: Path, inside: Sequence[Path], boundary: Boundary) -> None:
        self.root, self.files, self.boundary = root, inside, boundary
        self.paths = list(filter(is_image_name, inside))
        self.parents = {path.parent for path in self.paths}
        self.folders = self.parents | {folder for parent in self.parents for folder in parent.parents}
        self.named: set[Path] = set()
        self.missing: dict[Path, str] = {}
        self.renamed: dict[Path, str] = {}
        self.known: defaultdict[str, list[Path]] = defaultdict(list)
        for path in self.paths:
            for name in {key(path.name), key(path.stem)}:
                self.known[name].append(path)

    def placed(self, examples: Sequence[Example], wanted: Callable[[Example], Wanted]) -> list[Example]:
        """Examples whose paths are what annotations call their images, with the paths of the files."""
        paths = self.find([wanted(one) for one in examples])
        return [replace(one, path=path) for one, path in zip(examples, paths, strict=True)]

    def find(self, wanted: Sequence[Wanted]) -> list[Path]:
        """The file of each; where it is not clear which one it is, its first path, where nothing is: it is missing."""
        paths = self.search(wanted)
        self.missing.update(
            (next(one.paths()), self.why_not(one)) for one, path in zip(wanted, paths, strict=True) if not path
        )
        return [path or next(one.paths()) for path, one in zip(paths, wanted, strict=True)]

    def search(self, wanted: Sequence[Wanted], taken: Collection[Path] = ()) -> list[Path | None]:
        """The file of each; None where it is not clear which one it is. taken: files that are the images of others.

        First one of its exact paths, then these with other capitals, accents or suffix, then anywhere else, in the end
        by what servers and programs make of a name. A file that is the image of one is never taken for that of another,
        but that several may name pages of it.
        """
        numbers = [self.page(one) for one in wanted]
        wanted = [one.of_file() if number else one for one, number in zip(wanted, numbers, strict=True)]
        paths = [None if one.strict else self.exact(one) for one in wanted]
        for search in (self.here, self.elsewhere, self.by_address, self.by_original):
            if None in paths:
                used = {os.path.realpath(path) for path in (*paths, *taken) if path}
                found = [None if path else search(one, used) for path, one in zip(paths, wanted, strict=True)]
                if search == self.by_original:  # a guess: several records have different images of one name
                    counts = Counter(found)
                    found = [path if counts[path] == 1 else None for path in found]
                other = search in (self.by_address, self.by_original)
                new = [(path, one) for path, one in zip(found, wanted, strict=True) if path]
                self.renamed |= {path: one.names[0] for path, one in new if other or other_folders(path, one)}
                paths = [path or more for path, more in zip(paths, found, strict=True)]
        self.named.update(filter(None, paths))
        return [
            path and page_path(path, number) if number else path for path, number in zip(paths, numbers, strict=True)
        ]

    def page(self, one: Wanted) -> int | None:
        """The number of the page that a record names, unless a file is called so."""
        found = split_name(PurePosixPath(one.names[0]).name)
        return found[1] if found and key(PurePosixPath(one.names[0]).name) not in self.known else None

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
        for short in map(PurePosixPath, one.names):
            whole = key(short.name) in self.known
            if path := self.likely(self.free(short.name if whole else short.stem, taken), short, one, whole):
                return path
        return None

    def likely(self, free: list[Path], name: PurePosixPath, one: Wanted, whole: bool) -> Path | None:
        """The one of several files that a name means: see `elsewhere`. whole: whether they have the whole name."""
        if one.strict:
            home, near = not self.parents.isdisjoint(one.folders), [path for path in free if path.parent in one.folders]
        else:
            home = not self.folders.isdisjoint(one.folders)
            near = [path for path in free if any(folder in path.parents for folder in one.folders)]
        likely = self.best(near or free, name, one.split)
        return likely[0] if len(likely) == 1 and (near or not home or (whole and len(free) == 1)) else None

    def by_address(self, one: Wanted, taken: set[str]) -> Path | None:
        """A file by the path that an address or an escaped name stands for: see `decoded`."""
        other = replace(one, names=tuple(map(decoded, one.names)))
        return None if other == one else self.here(other, taken) or self.elsewhere(other, taken)

    def by_original(self, one: Wanted, taken: set[str]) -> Path | None:
        """A file whose name became the one that annotations have: see `original`."""
        for short in (PurePosixPath(decoded(name)) for name in one.names):
            free = [
                path
                for path in self.originals.get(key(original(short.stem)), ())
                if os.path.realpath(path) not in taken
            ]
            same = [path for path in free if key(path.suffix) == key(short.suffix)]
            if path := self.likely(same or free, short, one, whole=False):
                return path
        return None

    @cached_property
    def originals(self) -> dict[str, list[Path]]:
        """The files by what names become: see `original`."""
        made: defaultdict[str, list[Path]] = defaultdict(list)
        for path in self.paths:
            made[key(original(path.stem))].append(path)
        return made

    def why_not(self, one: Wanted) -> str:
        """What was looked for in vain, in words."""
        names = list(dict.fromkeys(PurePosixPath(name).name for name in (*one.names, *map(decoded, one.names))))
        files = list(dict.fromkeys(path for name in names for path in self.known.get(key(name), ())))
        if len(files) > 1:
            return f"{len(files)} files have its name, and it could be each of them: {files[0]}, {files[1]}"
        if files:
            return f"{files[0]} has its name, and is the image of something else"
        return f"no file of the data is called {' or '.join(f'`{shown(name)}`' for name in names)}"

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
    """How many folders two paths share, counted from the file upwards; ours may be relative to where we are."""
    ours, theirs = Path(os.path.abspath(path)).parts[:-1], name.parts[:-1]
    pairs = enumerate(zip(reversed(ours), reversed(theirs), strict=False))
    return next((i for i, (one, other) in pairs if key(one) != key(other)), min(len(ours), len(theirs)))


def other_folders(path: Path, one: Wanted) -> bool:
    """Whether a file is in other folders than its name says; a name without folders says nothing."""
    if one.strict:
        return path.parent not in one.folders
    name = PurePosixPath(one.names[0])
    return agreement(path, name) < len(name.parts) - 1


def by_last_parts(name: str, paths: Iterable[Path]) -> list[Path]:
    """The paths whose last parts agree best with a name; it means one where there is exactly one."""
    wanted, ranks = PurePosixPath(name, "_"), Counter[Path]()
    for path in paths:
        ranks[path] = agreement(path / "_", wanted)
    best = max(ranks.values(), default=0)
    return [path for path, rank in ranks.items() if rank == best > 0]
