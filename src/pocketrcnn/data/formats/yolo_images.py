"""Which images YOLO's settings and lists name, and which are data where nothing names them. No torch here."""

import os
import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path, PurePosixPath

from ...errors import shown
from ..annotations import Example
from ..listing import is_image_name
from .finding import Images, Wanted, by_last_parts, key, plain
from .reading import Reading
from .split_words import WORDS, split_below, split_of
from .walking import files
from .yolo_labels import is_label
from .yolo_settings import Settings, located

Listed = list[tuple[Path, str]]  # images with their splits
MADE_OF_IMAGES = (  # words in names of folders and at the end of those of files
    *("mask", "masks", "segmentation", "segmentations", "seg", "preview", "previews", "overlay", "overlays", "vis"),
    *("visualization", "boxes", "bbox", "bboxes", "thumb", "thumbs", "thumbnail", "thumbnails", "heatmap", "depth"),
    *("backup", "backups", "bak", "old", "copy", "copies", "pred", "preds", "prediction", "predictions", "debug"),
)
WITHOUT_OBJECTS = {"background", "backgrounds", "negative", "negatives"}  # words in names of folders: meant to be empty


def of_settings(settings: Settings, file: Path, reading: Reading, images: Images) -> Listed:
    """The images that settings name, with their splits: those of folders, and of lists.

    A `val` that is the path of another split says that there are no validation images: programs want the line.
    """
    base = str(settings.get("path") or "")
    named = [(word, split, name) for split, words in WORDS.items() for word in words for name in texts(settings, word)]
    paths = [located(name, base, file.parent, reading) for _, _, name in named]
    made: Listed = []
    again = list[str]()
    for i, (word, split, name) in enumerate(named):
        likely = [] if paths[i] else elsewhere(name, split, reading, images, list(filter(None, paths)))
        if len(likely) == 1:
            paths[i] = likely[0]
            reading.notes.add("other-folder", likely[0], f"`{shown(name)}` there")
        path = paths[i]
        if path is None:
            which = (
                f"it could be each of {', '.join(sorted(map(str, likely))[:3])}"
                if likely
                else "nothing in the data ends so"
            )
            reason = f"{word}: {shown(name)} does not exist, and {which}; its images are skipped"
            reading.fault("no-folder", file, "", reason)
        elif split == "val" and any(
            path == other for other, (_, of, _) in zip(paths, named, strict=True) if of != "val"
        ):
            again.append(f"{word}: {shown(name)}")
        elif reading.boundary.allows(path):
            made += [(image, split) for image in images_in(path, split, reading, images)]
    if again:
        reason = f"{again[0]} is the path of another split, too: there are no validation images"
        reading.fault("same-split", file, "", reason, drops=False)
    if again and all(split == "train" for _, split in made):  # nothing is divided, unless the names of folders say so
        return [(one.path, one.split) for one in reading.in_splits([Example(image) for image, _ in made])]
    return made


def texts(settings: Settings, word: str) -> list[str]:
    """What settings say under a word, as a list. A pattern (`images/*.jpg`) stands for its folder."""
    given = settings.get(word) or []
    names = given if isinstance(given, list) else [given]
    return [re.sub(r"[^/\\]*\*.*", "", str(name)) or "." for name in names]


def elsewhere(name: str, split: str, reading: Reading, images: Images, taken: Collection[Path]) -> list[Path]:
    """The folders and lists that a path of another machine may mean: those whose last parts agree best.

    None of them is one that another name means, nor one of another split.
    """
    wanted = split_of(*reversed(PurePosixPath(plain(name)).parts)) or split
    folders = [folder for folder in images.folders if folder.is_relative_to(reading.root)]
    lists = [file for file in reading.files if file.suffix.lower() == ".txt"]
    able = [path for path in (*folders, *lists) if split_below(reading.root, path / "_") in ("", wanted)]
    return by_last_parts(plain(name), (path for path in able if path not in taken))


def images_in(path: Path, split: str, reading: Reading, images: Images) -> list[Path]:
    """The images of a folder, or of a text file with one path a line, as far as they may be read."""
    if path.is_dir():
        found = list(filter(is_image_name, files(path, reading.boundary.allows)))
    else:
        found = images.find([wanted(line, path, split, reading) for line in lines_of(path, reading)])
    return list(filter(reading.boundary.allows, found))


def lines_of(path: Path, reading: Reading) -> list[str]:
    """The lines of a list, each once."""
    return list(dict.fromkeys(filter(None, map(str.strip, reading.text(path).splitlines()))))


def wanted(line: str, path: Path, split: str, reading: Reading) -> Wanted:
    """The image of a line of a list: from the folder of the list, or from that of the data; `../` may be too many."""
    name = below = plain(line)
    while below.startswith("../"):
        below = below[3:]
    return Wanted(tuple(dict.fromkeys((name, below))), tuple(dict.fromkeys((path.parent, reading.root))), split)


def of_lists(reading: Reading, images: Images) -> Listed:
    """The images that `train.txt`, `val.txt` and the like name, with their splits, where nothing else says which these
    are; nothing where there are no such files, or where they do not tell different splits apart."""
    lists = [(file, lines) for file in reading.files if (lines := list_in(file, reading, images))]
    if len({split_of(file.stem) for file, _ in lists} | {"train"}) < 2:
        return []
    made: Listed = []
    for file, lines in lists:
        split = split_of(file.stem)
        found = images.find([wanted(line, file, split, reading) for line in lines])
        made += [(image, split) for image in found if reading.boundary.allows(image)]
    return list(dict.fromkeys(made))


def list_in(file: Path, reading: Reading, images: Images) -> list[str]:
    """The lines of a file that is called as a split and names images, most of which are there; else nothing."""
    if file.suffix.lower() != ".txt" or not split_of(file.stem) or is_label(file):
        return []
    lines = lines_of(file, reading)
    names = [key(PurePosixPath(plain(line)).name) for line in lines]
    return lines if 2 * sum(name in images.known for name in names) >= len(names) else []


def annotated(paths: Sequence[Path], labels: Mapping[Path, Path], root: Path) -> list[Path]:
    """Those of the images of a folder that are data, where nothing names them.

    Where some have label files, these are the ones in folders with label files, or below a folder `images` with some;
    pictures made of others (masks, previews, copies) are not, without a label file of their own. A folder that says so
    in its name (`backgrounds`) holds images without objects.
    """
    home = {group(image) for image in labels}
    with_labels = {image.parent for image in labels}
    stems = {(image.parent, key(image.stem)) for image in labels}

    def is_data(image: Path) -> bool:
        folder = group(image)
        if words(*image.parent.relative_to(root).parts) & WITHOUT_OBJECTS:
            return True
        below = words(*image.parent.relative_to(folder).parts) if image.parent not in with_labels else set()
        return folder in home and not below & {*MADE_OF_IMAGES} and not made_of(image, stems)

    return [image for image in paths if not home or image in labels or is_data(image)]


def group(image: Path) -> Path:
    """The folder `images` that an image is below, else its own folder."""
    return next((folder for folder in image.parents if folder.name.lower() == "images"), image.parent)


def made_of(image: Path, stems: Collection[tuple[Path, str]]) -> bool:
    """Whether the name of an image is that of one beside it with a word such as `_mask` behind it."""
    parts = re.split(r"([ _.()-]+)", key(image.stem))
    heads = ("".join(parts[:i]) for i in range(1, len(parts), 2) if words(*parts[i:]) & {*MADE_OF_IMAGES})
    return any((image.parent, head) in stems for head in heads)


def words(*names: str) -> set[str]:
    """The words of names, in small letters."""
    return {word for name in names for word in re.split(r"[^a-z]+", name.lower())}


def note_without_labels(images: Sequence[Path], labels: Mapping[Path, Path], reading: Reading) -> None:
    """A note about images without label file, apart from those with an empty one, where they are a tenth or more."""
    bare = [image for image in images if image not in labels]
    empty = sum(not reading.text(labels[image]).strip() for image in images if image in labels)
    if bare and 10 * len(bare) >= len(images):
        count = f"{len(bare)} of {len(images)} images have no label file (the first: {bare[0]}), {empty} an empty one"
        reason = f"{count}: all are images without objects for training; annotate those that show some, or remove them"
        reading.fault("no-label-file", reading.root, "", reason, drops=False)


def with_unlisted(listed: Listed, labels: Mapping[Path, Path], stated: bool, reading: Reading) -> Listed:
    """The images of settings or lists, and those with label files beside lists that name none for training.

    Other images with label files are a fault, or a note where settings, and not lists alone, say what is data (stated).
    """
    named = {os.path.realpath(image) for image, _ in listed}
    left = [image for image in labels if os.path.realpath(image) not in named]
    if not stated and not any(split == "train" for _, split in listed):
        return [*listed, *((image, "") for image in left)]
    if left:
        splits = ", ".join(f"{count} for {split}" for split, count in Counter(split for _, split in listed).items())
        reason = (
            f"lists name {splits or 'no image'}; {len(left)} others with label files are skipped (the first: {left[0]})"
        )
        reading.fault("unlisted", reading.root, "", reason, drops=not stated)
    return listed
