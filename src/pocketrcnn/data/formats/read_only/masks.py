"""Instance masks: label images beside the images, in which each object has a number. No torch here.

Masks are in a folder that is called so (`WORDS`), under the names of their images, or are called as their images with
an ending (`ENDINGS`), as Cellpose writes them. Where a folder of one image has masks of other names, each is an object
(the layout of the Data Science Bowl of 2018). A folder below the one of masks names a class, else it is `object`.

Mostly a value is an object, and the box is around all of it. Where values are used again, as colours are (BBBC039), or
there is only one, each connected region is an object.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ....errors import UserError
from ...annotations import Annotations, Example, Object
from ...images.label_images import Regions, read_values, regions
from ...overview import counted
from ..finding import Images, key, used_classes
from ..reading import Reading
from ..split_words import split_of
from .records import UNNAMED, Format

WORDS = (
    "masks",
    "mask",
    "labels",
    "label",
    "gt",
    "ground_truth",
    "groundtruth",
    "instances",
    "annotations",
    "segmentations",
)
ENDINGS = ("_cp_masks", "_masks", "_mask", "_labels", "_label", "_instances", "_instance", "_gt")
PICTURES = ("_img", "_image", "")  # endings of the images beside them
THREADS = 2  # that decode
PIECE = 0.1  # of the largest region of a value, at least, that another one has to be to count
AGAIN = 0.25  # of the values, at least, that have several pieces where values are used again


@dataclass(frozen=True)
class Pair:
    """A mask and its image. name: the class of its objects; alone: whether it is one object of several masks."""

    mask: Path
    image: Path
    name: str = UNNAMED
    alone: bool = False


def look(reading: Reading) -> list[Path]:
    """The masks of a folder, if the first is one."""
    if not reading.path.is_dir():
        return []
    pairs = pairs_in(reading.images())
    try:
        return [pair.mask for pair in pairs] if pairs and read_values(pairs[0].mask).size else []
    except UserError:
        return []


def pairs_in(images: Images) -> list[Pair]:
    """The masks among images, with their images."""
    masks = {path: place for path in images.paths if (place := mask_folder(path, images.root)) is not None}
    pictures: defaultdict[str, list[Path]] = defaultdict(list)
    for path in images.paths:
        if path not in masks:
            pictures[key(path.stem)].append(path)
    below: defaultdict[Path, list[Path]] = defaultdict(list)
    for path in (path for group in pictures.values() for path in group):
        for folder in path.parents:
            below[folder].append(path)
    found = (
        pair_of(mask, place, pictures, images.root) or part_of(mask, place, below, images.root)
        for mask, place in masks.items()
    )
    return [pair for pair in found if pair]


def mask_folder(path: Path, root: Path) -> int | None:
    """How many folders below the root the one is that holds masks; -1 where the name of the file says it, else None."""
    parts = [key(part) for part in path.relative_to(root).parts[:-1]]
    place = next((i for i, part in enumerate(parts) if part in WORDS), None)
    return -1 if place is None and key(path.stem).endswith(ENDINGS) else place


def pair_of(mask: Path, place: int, pictures: dict[str, list[Path]], root: Path) -> Pair | None:
    """A mask with its image; None where there is none, or more than one."""
    parts = mask.relative_to(root).parts[:-1]
    home = mask.parent if place < 0 else root.joinpath(*parts[:place])
    stem = key(mask.stem)
    bare = next((stem.removesuffix(ending) for ending in ENDINGS if stem.endswith(ending)), stem)
    named = [path for name in (stem, *(bare + end for end in PICTURES)) for path in pictures.get(name, ())]
    near = [path for path in dict.fromkeys(named) if home in path.parents]
    inner = parts[place + 1 :] if place >= 0 else ()
    best = [path for path in near if path.parent.parts[-len(inner) :] == inner] if inner else near
    if len(best or near) != 1:
        return None
    (image,) = best or near
    return Pair(mask, image, inner[-1] if inner and not best and not split_of(inner[-1]) else UNNAMED)


def part_of(mask: Path, place: int, below: dict[Path, list[Path]], root: Path) -> Pair | None:
    """A mask with the only image of the folder that holds the folder of masks; None where there is none, or more."""
    beside = below.get(root.joinpath(*mask.relative_to(root).parts[:place]), ()) if place > 0 else ()
    return Pair(mask, beside[0], alone=True) if len(beside) == 1 else None


def read(reading: Reading, sources: list[Path]) -> Annotations:
    """The images with masks, and a box for each object. Masks that cannot be read are faults."""
    images, wanted = reading.images(), set(sources)
    pairs = [pair for pair in pairs_in(images) if pair.mask in wanted]
    masks = [path for path in images.paths if mask_folder(path, images.root) is not None]
    with ThreadPoolExecutor(THREADS) as pool:
        found = list(pool.map(regions_of, (pair.mask for pair in pairs)))
    sound = [(pair, each) for pair, each in zip(pairs, found, strict=True) if isinstance(each, Regions)]
    for pair, each in zip(pairs, found, strict=True):
        if isinstance(each, str):
            reading.fault("unreadable", pair.mask, "", each.removeprefix(f"{pair.mask} "))
    for mask in sorted({*masks} - {pair.mask for pair in pairs}):
        reading.fault("no-image", mask, "", "is the mask of no image")
    again = used_again([each for pair, each in sound if not pair.alone])
    note(sound, again, reading)
    examples = examples_of(sound, again, reading)
    images.named.update({*masks, *(one.path for one in examples)})
    return reading.annotations("masks", used_classes(examples), examples, images)


def regions_of(mask: Path) -> Regions | str:
    """The regions of a mask, or why there are none."""
    try:
        return regions(read_values(mask))
    except UserError as error:
        return str(error)


def used_again(masks: Iterable[Regions]) -> bool:
    """Whether values do not stand for objects: there is one for all, or many of them have several pieces."""
    split = several = values = 0
    for one in masks:
        largest = defaultdict(list)
        for value, area in zip(one.values.tolist(), one.areas.tolist(), strict=True):
            largest[value].append(area)
        values, several = values + len(largest), several + (len(largest) > 1)
        split += sum(sum(area >= PIECE * max(areas) for area in areas) > 1 for areas in largest.values())
    return not several or split > AGAIN * values


def note(sound: Sequence[tuple[Pair, Regions]], again: bool, reading: Reading) -> None:
    """Say what is taken for an object."""
    if not sound:
        return
    if all(pair.alone for pair, _ in sound):
        meaning = "each mask is an object, and the box is around all of it"
    elif again:
        meaning = "values are used again, so that each connected region is an object; those that touch are one"
    else:
        meaning = "each value but 0 is an object, not a class"
    reason = f"has {counted(len(sound), 'mask')}: {meaning}"
    reading.fault("masks", reading.root, "", reason, drops=False)


def examples_of(sound: Sequence[tuple[Pair, Regions]], again: bool, reading: Reading) -> list[Example]:
    """An example for each image, with the objects of all its masks."""
    groups: defaultdict[Path, list[tuple[Pair, Regions]]] = defaultdict(list)
    for pair, each in sound:
        groups[pair.image].append((pair, each))
    examples = []
    for image, members in groups.items():
        objects = [obj for pair, each in members for obj in objects_of(pair, each, again)]
        pair, each = members[0]
        examples.append(Example(image, tuple(objects), "", each.size, pair.mask))
    return reading.in_splits(examples)


def objects_of(pair: Pair, found: Regions, again: bool) -> list[Object]:
    """The objects of a mask: its regions, or its values, or, where it is one of several, all of it."""
    groups = np.zeros_like(found.values) if pair.alone else np.arange(len(found.values)) if again else found.values
    objects = []
    for group in dict.fromkeys(groups.tolist()):
        members = groups == group
        x1, y1 = found.boxes[members, :2].min(0).tolist()
        x2, y2 = found.boxes[members, 2:].max(0).tolist()
        where = f"{pair.mask.name}, value {found.values[members][0]} at {x1}, {y1}"
        objects.append(Object((float(x1), float(y1), float(x2), float(y2)), pair.name, where))
    return objects


FORMAT = Format("instance masks", (), read, look)
