"""What is there twice: images under two names, annotations of one image in two files, boxes drawn twice. No torch here.

Of copies of an image one is kept, the annotated one; the others cost nothing. In splits that the data give, copies that
show the same objects stay as they are.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..errors import shown
from .annotations import Annotations, Box, Example, Fault, Object
from .overview import counted

KEEPERS = ("test", "train", "val", "")  # of an image in two splits, the first of these keeps it: tests stay honest
SAME_OBJECT = 0.5  # overlap from which on two boxes are about one object
SAME_BOX = 0.95  # overlap from which on two boxes of a class were drawn, or imported, twice
NEIGHBOURS = 200  # boxes that one is compared with at most, those whose left sides are nearest
MOST = 0.5  # of the images with objects: from that on, doubled boxes are a fault of the set
BACKUP = re.compile(
    r"[\W_]*(?:backups?|bak|old|cop(?:y|ies|ie|ia)|kopien?)(?:[\W_]*(?:of|von|de|di))?[\W_]*(?:\(?\d+\)?)?[\W_]*"
)


def each_once(examples: Sequence[Example]) -> tuple[tuple[Example, ...], list[Fault]]:
    """Every image in one split only, once where its copies contradict each other, and what is to be said of copies."""
    keepers: dict[str, Example] = {}
    for example in sorted(examples, key=lambda example: KEEPERS.index(example.split)):
        keepers.setdefault(example.digest, example)
    groups: defaultdict[str, list[Example]] = defaultdict(list)
    for example in examples:
        if example.split == keepers[example.digest].split:
            groups[example.digest].append(example)
    kept: dict[int, Example] = {}
    said: dict[int, Fault] = {}
    for group in groups.values():
        one_image(group, kept, said)
    for example in examples:
        keeper = keepers[example.digest]
        if example.split != keeper.split:
            reason = f"is in {example.split} and in {keeper.split} (as {keeper.path}); it is skipped in {example.split}"
            said[id(example)] = Fault("two-splits", example.path, "", reason, drops=True)
    order = [id(example) for example in examples]
    return tuple(kept[i] for i in order if i in kept), [said[i] for i in order if i in said]


def one_image(group: Sequence[Example], kept: dict[int, Example], said: dict[int, Fault]) -> None:
    """Decide about copies of an image in one split: which are `kept`, and what is `said`, by the id of the example."""
    first = group[0]
    if first.split and all(agree(first, other) for other in group[1:]):
        kept |= {id(one): one for one in group}
        for other in group[1:]:
            reason = f"has the same content as {first.path}; both are kept"
            said[id(other)] = Fault("copy", other.path, "", reason, drops=False)
        return
    most = max(group, key=lambda one: len(one.objects))
    merged = best = next((other for other in group if is_backup(most, other)), most)
    for other in (one for one in group if one is not best):
        before, merged = len(merged.objects), with_objects_of(merged, other)
        added = len(merged.objects) - before
        reason = f"has the same content as {best.path}{difference(best, other, added)}; it is left out"
        said[id(other)] = Fault("copy", other.path, "", reason, drops=False)
    kept[id(best)] = merged


def agree(one: Example, other: Example) -> bool:
    """Whether two copies show the same objects: each of one has its counterpart of the same class in the other."""
    if len(one.objects) != len(other.objects):
        return False
    return len(matched(one.objects, other.objects)) == len(one.objects)


def matched(ours: Sequence[Object], theirs: Sequence[Object]) -> dict[int, int]:
    """Which of our objects is which of theirs: of one class, best overlap first, each once."""
    if not ours or not theirs:
        return {}
    overlaps = overlap([obj.box for obj in ours], [obj.box for obj in theirs])
    same = np.array([[one.name == other.name for other in theirs] for one in ours])
    ranked = np.argwhere((overlaps >= SAME_OBJECT) & same)
    ranked = ranked[np.argsort(-overlaps[tuple(ranked.T)], kind="stable")]
    pairs: dict[int, int] = {}
    for i, j in ranked.tolist():
        if i not in pairs and j not in pairs.values():
            pairs[i] = j
    return pairs


def with_objects_of(one: Example, other: Example) -> Example:
    """A copy with the objects that only the other one has. Where both have a box, theirs says nothing new."""
    if is_backup(other, one) or not other.objects:
        return one
    ours = [obj.box for obj in one.objects]
    overlaps = overlap([obj.box for obj in other.objects], ours)
    new = [obj for obj, row in zip(other.objects, overlaps, strict=True) if not (row >= SAME_OBJECT).any()]
    return replace(one, objects=(*one.objects, *new))


def difference(best: Example, other: Example, added: int) -> str:
    """How the objects of a copy differ from those of the one that is kept, in words."""
    if not other.objects or len(matched(other.objects, best.objects)) == len(other.objects):
        missing = len(best.objects) - len(other.objects)
        return f", without {counted(missing, 'object')} of it" if missing > 0 else ""
    mine, theirs = len(best.objects), len(other.objects)
    both = len(matched(other.objects, best.objects))
    words = f", but other boxes ({theirs:,}, there {mine:,}, {both:,} of them the same objects)"
    return f"{words}; {added:,} of these are added there" if added else words


def is_backup(one: Example, other: Example) -> bool:
    """Whether an example is called as a copy of another one, by its annotations or its image."""
    paths = [(one.path, other.path)]
    if one.source and other.source:
        paths.append((one.source, other.source))
    return any(called_a_copy(ours, theirs) for ours, theirs in paths)


def called_a_copy(path: Path, other: Path) -> bool:
    """Whether two paths differ in words such as `backup`, `old` and `copy` alone, which the first one has."""
    if len(path.parts) != len(other.parts) or path.suffix != other.suffix:
        return False
    pairs = zip(path.with_suffix("").parts, other.with_suffix("").parts, strict=True)
    parts = [(ours.casefold(), theirs.casefold()) for ours, theirs in pairs]
    different = [(ours, theirs) for ours, theirs in parts if ours != theirs]
    return bool(different) and all(BACKUP.sub("", ours) == theirs for ours, theirs in different)


def without_repetitions(group: Sequence[Example]) -> tuple[list[Example], list[Fault]]:
    """The annotations of one image file, without what says the same again and without backups, and what is said.

    group: all records of an image, in one split."""
    kept: dict[object, Example] = {}
    faults = []
    sources = {one.source: one for one in group}
    current = {
        file: next((other for other in sources.values() if is_backup(one, other)), None)
        for file, one in sources.items()
    }
    for one in group:
        name, file, newer = one.path.name, one.source or one.path, current[one.source]
        said = said_by(one) or len(kept)
        if newer and newer.source:
            reason = f"annotates {name}, as {newer.source} does, of which it seems to be an old copy: it is not used"
            faults.append(Fault("backup", file, "", reason, drops=False))
        elif said in kept:
            reason = f"says of {name} what {place(kept[said], one)} says; it is read once"
            faults.append(Fault("same-annotations", file, "", reason, drops=False))
        else:
            kept[said] = one
    return list(kept.values()), faults


def said_by(one: Example) -> frozenset[tuple[Box, str, bool]]:
    """The objects of an example, in no order."""
    return frozenset((obj.box, obj.name, obj.crowd) for obj in one.objects)


def place(one: Example, other: Example) -> str:
    """The file of an example, as another one calls it."""
    return "another record" if one.source == other.source else str(one.source)


def doubled(clean: Annotations) -> Iterator[Fault]:
    """One note where most images have boxes that lie on another one of their class: drawn, or imported, twice."""
    counts = {example.path: doubles(example.objects) for example in clean.examples if example.objects}
    having = [path for path, count in counts.items() if count]
    if having and len(having) >= MOST * len(counts):
        reason = (
            f"{sum(counts.values()):,} boxes in {len(having):,} of {len(counts):,} images lie on another box of their "
            f"class (the first: {shown(having[0].name)}): imported twice? Remove the second ones"
        )
        yield Fault("doubled", clean.root, "", reason, drops=False)


def doubles(objects: Sequence[Object]) -> int:
    """How many boxes overlap an earlier one of their class by SAME_BOX or more."""
    by_class: defaultdict[str, list[Box]] = defaultdict(list)
    for obj in objects:
        if not obj.crowd:
            by_class[obj.name].append(obj.box)
    return sum(count_doubles(np.array(boxes)) for boxes in by_class.values() if len(boxes) > 1)


def count_doubles(boxes: NDArray[np.float64]) -> int:
    """The same for boxes [N,4] of one class, sorted by their left sides: only near neighbours are compared."""
    boxes = boxes[np.argsort(boxes[:, 0], kind="stable")]
    room = (1 - SAME_BOX) * (boxes[:, 2] - boxes[:, 0])  # to the left side of a box that overlaps so much
    double = np.zeros(len(boxes), bool)
    for step in range(1, min(len(boxes), NEIGHBOURS)):
        near = boxes[step:, 0] - boxes[:-step, 0] <= np.maximum(room[step:], room[:-step])
        if not near.any():
            break
        double[step:][near] |= pairwise(boxes[step:][near], boxes[:-step][near]) >= SAME_BOX
    return int(double.sum())


def pairwise(ours: NDArray[np.float64], theirs: NDArray[np.float64]) -> NDArray[np.float64]:
    """Intersection over union of boxes [..,4] with boxes [..,4]."""
    low, high = np.maximum(ours[..., :2], theirs[..., :2]), np.minimum(ours[..., 2:], theirs[..., 2:])
    shared = np.clip(high - low, 0, None).prod(-1)
    areas = [(boxes[..., 2:] - boxes[..., :2]).prod(-1) for boxes in (ours, theirs)]
    return np.asarray(shared / np.maximum(areas[0] + areas[1] - shared, 1e-12))


def overlap(ours: Sequence[Box], theirs: Sequence[Box]) -> NDArray[np.float64]:
    """Intersection over union of each of ours with each of theirs, [N,M]."""
    first, second = (np.array(boxes, np.float64).reshape(-1, 4) for boxes in (ours, theirs))
    return pairwise(first[:, None], second[None])
