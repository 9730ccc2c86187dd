"""Which label file is that of which image of YOLO. No torch here.

A file is that of one image: of a photograph and its mask, which have one name, it is that of the photograph.
"""

import os
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np

from ...errors import UserError
from ..images.pixels import Pixels, read_image
from ..overview import counted
from .finding import Images, Wanted, key
from .reading import Reading
from .split_words import split_below
from .text import read_start
from .yolo_settings import NAMES, is_list_of_names

NOT_LABELS = (*NAMES, *(f"{name}.txt" for name in ("train", "val", "valid", "trainval", "test", "readme")))
COPIES = re.compile(r"(?:^|[^a-z])(?:backups?|bak|old|cop(?:y|ies)|orig|original)(?:[^a-z]|$)")  # in names of folders
LOOKED_AT = 5  # pairs of images of one name that are compared
FEW = 256  # colours of a mask
MANY = 1_000_000  # pixels whose colours are counted
CLOSE = 12.0  # mean difference, of 255, between an image and itself in another format


def is_label(file: Path) -> bool:
    """Whether a text file is in a folder of labels, or begins like a label file."""
    if file.suffix.lower() != ".txt" or file.name.lower() in NOT_LABELS or is_list_of_names(file):
        return False
    words = read_start(file).partition("\n")[0].split()
    return "labels" in map(str.lower, file.parts[-4:-1]) or (len(words) >= 5 and words[0].isdecimal())


def labels_of(paths: Iterable[Path], reading: Reading, images: Images) -> tuple[dict[Path, Path], set[Path]]:
    """The label file of each image that has one, and images that are none: others have their label files.

    First by the paths that YOLO expects, then by other letters, by the whole name of the image (`0.png.txt`), by what
    programs make of names. What is no image's is a fault.
    """
    known = {os.path.realpath(image): image for image in reversed(list(paths))}  # by the first of its paths
    claims: defaultdict[Path, list[Path]] = defaultdict(list)
    for image in reversed(known.values()):
        if (label := label_of(image)) and reading.boundary.allows(label):
            claims[label].append(image)
    labels, rivals = settled(claims, reading)
    used = set(map(os.path.realpath, claims))
    left = [file for file in filter(is_label, reading.files) if os.path.realpath(file) not in used]
    found = images.search([wanted(file, images, reading) for file in left], taken=[*labels, *rivals])
    for file, path in zip(left, found, strict=True):
        free = known.get(os.path.realpath(path), path) if path else None
        if free and free not in labels:
            labels[free] = file
        else:
            note_orphan(file, images, labels, reading)
    return labels, rivals


def label_of(image: Path) -> Path | None:
    """The label file of an image: in `labels` in place of the last `images`, else beside it, else in `labels` there."""
    folders = [*mirrored(image), image.parent, image.parent / "labels"]
    return next(filter(os.path.isfile, (folder / f"{image.stem}.txt" for folder in folders)), None)


def mirrored(image: Path) -> list[Path]:
    """The folders of labels that stand beside the last `images` above an image."""
    parts = image.parent.parts
    last = next((i for i in reversed(range(len(parts))) if parts[i].lower() == "images"), None)
    return (
        [folder.joinpath(*parts[last + 1 :]) for folder in labels_in(Path(*parts[:last]))] if last is not None else []
    )


def labels_in(folder: Path) -> list[Path]:
    """`labels` in a folder; where that is none, all that are called so in other letters."""
    labels = folder / "labels"
    if not labels.is_dir():
        with suppress(OSError):  # it may be far above the data
            return sorted(inner for inner in folder.iterdir() if inner.name.lower() == "labels")
    return [labels]


def wanted(label: Path, images: Images, reading: Reading) -> Wanted:
    """The image of a label file that lies where no image expects it."""
    parts = label.parent.parts
    last = next((i for i in reversed(range(len(parts))) if parts[i].lower() == "labels"), None)
    beside = Path(*parts[:last], "images", *parts[last + 1 :]) if last is not None else label.parent
    folders = [folder for folder in images.parents if key(str(folder)) == key(str(beside))]
    return Wanted((label.name,), (*folders, label.parent), split_below(reading.root, label), strict=True)


def note_orphan(label: Path, images: Images, labels: dict[Path, Path], reading: Reading) -> None:
    """A fault about a label file that is no image's; a note where it is a copy of one that is."""
    stem = re.sub(r"\.txt$", "", label.name, flags=re.IGNORECASE)
    same = [image for image in images.known.get(key(stem), ()) if image in labels]
    if same and any(map(COPIES.search, map(str.lower, label.parent.relative_to(reading.root).parts))):
        reading.notes.add("spare-labels", label, f"of {same[0]}")
    else:
        why = images.why_not(replace(wanted(label, images, reading), names=(stem,)))
        count = counted(sum(bool(line.strip()) for line in reading.text(label).splitlines()), "object")
        reading.fault("no-image", label, "", f"is the label file of no image ({why}): {count} skipped")


def settled(claims: dict[Path, list[Path]], reading: Reading) -> tuple[dict[Path, Path], set[Path]]:
    """The label file of each image, where several images of one name have one: that of the photograph, and the others.

    Which it is, their endings tell, as far as a look at some of them tells these apart; else there is a fault.
    """
    labels, rivals = {}, set[Path]()
    pairs: defaultdict[tuple[str, ...], list[tuple[Path, list[Path]]]] = defaultdict(list)
    for label, claimed in claims.items():
        nearest = min(rank(image, label) for image in claimed) if len(claimed) > 1 else 0
        near = [image for image in claimed if rank(image, label) == nearest] if len(claimed) > 1 else claimed
        if len(near) == 1:
            labels[near[0]] = label
        else:
            pairs[tuple(image.suffix for image in near)].append((label, near))
    for group in pairs.values():
        meant, kind = photograph([near for _, near in group])
        for label, near in group:
            labels[near[meant]] = label
            others = [image for image in near if image != near[meant]]
            rivals.update(others)
            for other in others if kind else ():
                reading.notes.add(kind, other, f"not {near[meant].name}")
            if not kind:
                both = " and of ".join(map(str, near))
                reason = f"is the label file of {both}: {near[meant].name} alone is used; rename or remove the other"
                reading.fault("one-label", label, "", reason)
    return labels, rivals


def rank(image: Path, label: Path) -> int:
    """How far a label file is from where it is expected: see `label_of`."""
    return 0 if label.parent in mirrored(image) else 1 if label.parent == image.parent else 2


def photograph(pairs: Sequence[Sequence[Path]]) -> tuple[int, str]:
    """Which of images of one name is the photograph, and what the others are: masks of few colours, or the same
    picture; empty where that is not clear. pairs: images of one name, with the same endings in each."""
    step = max(len(pairs) // LOOKED_AT, 1)
    looks = [look(pair) for pair in pairs[::step][:LOOKED_AT]]
    return looks[0] if len(set(looks)) == 1 else (looks[0][0], "")


def look(pair: Sequence[Path]) -> tuple[int, str]:
    """What `photograph` says of images of one name."""
    pixels = [pixels_of(path) for path in pair]
    colours = [colours_in(one) if one is not None else 0 for one in pixels]
    most = colours.index(max(colours))
    others = [i for i in range(len(pair)) if i != most]
    if all(colours[i] <= FEW and 2 * colours[i] <= colours[most] for i in others):
        return most, "mask"
    return (0, "other-format") if all(alike(pixels[0], one) for one in pixels[1:]) else (most, "")


def colours_in(pixels: Pixels) -> int:
    """How many colours an image has, among every so many of its pixels where it is large."""
    step = max(pixels.shape[0] * pixels.shape[1] // MANY, 1)
    return len(np.unique(pixels.reshape(-1, 3)[::step].astype(np.int32) @ (1, 1 << 8, 1 << 16)))


def pixels_of(path: Path) -> Pixels | None:
    """An image; None where it cannot be read."""
    with suppress(UserError):
        return read_image(path)
    return None


def alike(one: Pixels | None, other: Pixels | None) -> bool:
    """Whether two images show the same."""
    if one is None or other is None or one.shape != other.shape:
        return False
    return float(np.abs(one.astype(np.int16) - other).mean()) < CLOSE
