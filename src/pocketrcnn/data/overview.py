"""What is in a data set, in numbers: as a dict for programs, as tables for people. No torch here."""

import math
import os
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean, median
from typing import Any

from ..errors import shown
from .annotations import SPLITS, Annotations, Example, Fault, Object, Report, printable
from .kinds import FIXED, IMAGES, NOTHING_LOST, OBJECTS, OUTSIDE, REMEDIES, SET, UNCLEAR

Numbers = dict[str, Any]
SEVERAL = 5  # faults of a kind: more of them are one line, with examples of what is skipped
EXAMPLES = 3
SIZES = 5  # image sizes that are named
FOLDERS = 3  # of images that are not used, that are named
FIELDS = 8  # fields that are not read, by name


def summary(
    read: Annotations, clean: Annotations, faults: Sequence[Fault], kinds: Mapping[Path, tuple[str, int]]
) -> Numbers:
    """What is in the clean data, how much was read, and how many faults there are of each kind.

    `kinds`: channels and bits of each image. Sides of boxes are square roots of areas, in pixels of the image. Crowds
    are counted apart from objects.
    """
    counts = [len(objects_of(example)) for example in clean.examples]
    sizes = Counter(example.size for example in clean.examples if example.size)
    pixels = Counter(kinds[example.path] for example in clean.examples).most_common()
    return {
        "format": clean.format,
        "data": str(clean.root),
        "found": {"images": len(read.examples), "objects": sum(len(example.objects) for example in read.examples)},
        "images": len(clean.examples),
        "objects": sum(counts),
        "crowds": sum(len(example.objects) for example in clean.examples) - sum(counts),
        "images_without_objects": sum(not example.objects for example in clean.examples),
        "objects_per_image": {"mean": fmean(counts or [0]), "max": max(counts, default=0)},
        "splits": {split: split_counts(clean.split(split)) for split in ("", *SPLITS) if clean.split(split)},
        "classes": class_counts(clean),
        "image_sizes": [{"width": w, "height": h, "images": count} for (w, h), count in sizes.most_common(SIZES)],
        "different_sizes": len(sizes),
        "pixels": [{"colours": colours, "bits": bits, "images": count} for (colours, bits), count in pixels],
        "unnamed": {
            "images": len(read.unnamed),
            "first": next(map(str, read.unnamed), None),
            "folders": folders_of(read.unnamed, read.root),
        },
        "not_carried_over": [{"field": field, "of": of, "count": count} for field, of, count in read.unread],
        "faults": dict(Counter(fault.kind for fault in faults)),
        "dropped": sum(fault.drops for fault in faults),
        "left_out": left_out(read, clean, faults),
    }


def folders_of(paths: Sequence[Path], root: Path) -> list[str]:
    """The folders below that of the data with most of these files, at most FOLDERS."""
    counts = Counter(os.path.relpath(path.parent, root) for path in paths)
    return [shown(Path(folder).as_posix()) for folder, _ in counts.most_common(FOLDERS) if folder != os.curdir]


def left_out(read: Annotations, clean: Annotations, faults: Sequence[Fault]) -> Numbers:
    """How many objects of the files are left out, of how many, and the kind of fault that costs most of them.

    What is there once more is not lost. What a reader could not understand counts as one object for each fault.
    """
    of_image: Counter[Path] = Counter()
    for example in read.examples:
        of_image[example.path] += len(example.objects)
    kinds: Counter[str] = Counter()
    for fault in faults:
        if fault.drops and fault.kind not in NOTHING_LOST:
            kinds[fault.kind] += of_image[fault.file] if fault.kind in ("missing", "broken") else 1
    lost, kept = kinds.total(), sum(len(example.objects) for example in clean.examples)
    return {"objects": lost, "of": lost + kept, "kind": kinds.most_common(1)[0][0] if lost else ""}


def objects_of(example: Example) -> list[Object]:
    """The objects of an image that are learned: all but crowds."""
    return [obj for obj in example.objects if not obj.crowd]


def split_counts(examples: Sequence[Example]) -> Numbers:
    """Images and objects of a split."""
    return {"images": len(examples), "objects": sum(len(objects_of(example)) for example in examples)}


def class_counts(clean: Annotations) -> list[Numbers]:
    """Objects, images and sizes by class, in the order of the classes; no size without objects."""
    sides: defaultdict[str, list[float]] = defaultdict(list)
    images: Counter[str] = Counter()
    for example in clean.examples:
        for obj in objects_of(example):
            x1, y1, x2, y2 = obj.box
            sides[obj.name].append(math.sqrt((x2 - x1) * (y2 - y1)))
        images.update({obj.name for obj in objects_of(example)})
    extents = {name: {"min": min(of), "median": median(of), "max": max(of)} for name, of in sides.items()}
    return [
        {"name": name, "objects": len(sides[name]), "images": images[name], "side": extents.get(name)}
        for name in clean.classes
    ]


def render(report: Report) -> None:
    """Print what is wrong with the whole set, what is in it, and every kind of other fault."""
    from ..screen import print_table
    from ..terminal import say

    numbers = report.summary
    images, objects = counted(numbers["images"], "image"), counted(numbers["objects"], "object")
    say(printable(f"{numbers['data']}: {numbers['format']}, {images}, {objects}"))
    say_kinds([fault for fault in report.faults if fault.kind in SET])
    say(f"  splits: {splits_in_words(numbers['splits'])}")
    say(f"  images: {sizes_in_words(numbers)}; {numbers['images_without_objects']:,} without objects")
    kinds = [f"{kind['colours']} {kind['bits']}-bit ({kind['images']:,})" for kind in numbers["pixels"]]
    say(f"  pixels: {', '.join(kinds) or 'none'}")
    if unnamed := numbers["unnamed"]["images"]:
        first = printable(numbers["unnamed"]["first"])
        folders = printable(", ".join(numbers["unnamed"]["folders"]))
        there = f", in {folders}" if folders else ""
        say(f"  not used: {counted(unnamed, 'image')} that no annotation names{there} (the first: {first})")
    if fields := fields_in_words(numbers["not_carried_over"], FIELDS):
        say(f"  not read: {fields}")
    per_image = numbers["objects_per_image"]
    meaning = "background in training, not counted in evaluation"
    crowds = f"; {numbers['crowds']:,} crowds ({meaning})" if numbers["crowds"] else ""
    say(f"  objects in an image: {per_image['mean']:.1f} on average, at most {per_image['max']:,}{crowds}")
    print_table(class_table(numbers["classes"]))
    say_kinds([fault for fault in report.faults if fault.kind not in SET])
    conclude(report.faults)


def counted(count: int, what: str) -> str:
    """`1 image`, `2,000 images`."""
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def splits_in_words(splits: Numbers) -> str:
    """Images by split, or what training does without."""
    if not set(splits) - {""}:
        return "none (`train` splits the images, always in the same way)"
    return ", ".join(f"{name} {counted(numbers['images'], 'image')}" for name, numbers in splits.items())


def sizes_in_words(numbers: Numbers) -> str:
    """The most common image sizes."""
    named = [f"{size['width']}x{size['height']} ({size['images']:,})" for size in numbers["image_sizes"]]
    more = numbers["different_sizes"] - len(named)
    return (", ".join(named) or "none") + (f" and {counted(more, 'other size')}" if more > 0 else "")


def not_carried_over(numbers: Numbers) -> str:
    """What a copy lacks: `not carried over: segmentation of 12 objects`; empty where it has everything."""
    fields = fields_in_words(numbers["not_carried_over"])
    return f"not carried over: {fields}" if fields else ""


def fields_in_words(unread: Sequence[Numbers], most: int | None = None) -> str:
    """`segmentation of 12 objects`, and so on: what the annotations have and nothing here reads; the `most` first."""
    named = [f"{shown(one['field'])} of {counted(one['count'], one['of'])}" for one in unread[:most]]
    more = len(unread) - len(named)
    return ", ".join(named) + (f" and {counted(more, 'other field')}" if more else "")


def class_table(classes: Sequence[Numbers]) -> Any:
    """A rich table with a row a class."""
    from ..screen import table_of

    rows = []
    for numbers in classes:
        side = numbers["side"]
        sides = [f"{side[name]:.1f}" for name in ("median", "min", "max")] if side else ["n/a"] * 3
        rows.append((numbers["name"], f"{numbers['objects']:,}", f"{numbers['images']:,}", *sides))
    return table_of(("class", "#objects", "#images", "#median side", "#smallest", "#largest"), rows)


def render_faults(faults: Sequence[Fault]) -> None:
    """Print faults by kind, those of the whole set first, and what they cost."""
    say_kinds([fault for fault in faults if fault.kind in SET])
    say_kinds([fault for fault in faults if fault.kind not in SET])
    conclude(faults)


def say_kinds(faults: Sequence[Fault]) -> None:
    """Print faults by kind, those first that cost something."""
    from ..terminal import say

    kinds: defaultdict[tuple[bool, str], list[Fault]] = defaultdict(list)
    for fault in faults:
        kinds[not fault.drops, fault.kind].append(fault)
    for _, group in sorted(kinds.items()):
        for line in lines_of(group):
            say(line)


def conclude(faults: Sequence[Fault]) -> None:
    """Print what all faults together cost."""
    from ..terminal import say

    skipped = sum(fault.drops for fault in faults if fault.kind != UNCLEAR)
    say(f"{counted(skipped, 'fault')} with skipped images or objects" if skipped else "no image or object is skipped")


def lines_of(group: Sequence[Fault]) -> list[str]:
    """Faults of a kind: all, where they are few, else their number with the remedy, and examples of what is skipped."""
    first, count = group[0], len(group)
    kind, action = first.kind, verb(first)
    unit = "object" if kind in OBJECTS else "image" if kind in IMAGES else "path" if kind == OUTSIDE else "record"
    title = counted(count, action) if action == "warning" else f"{counted(count, unit)} {action}"
    title = action if kind in SET else title
    if count <= SEVERAL:
        return [f"{title} ({kind}):", *(f"  {fault}" for fault in group)]
    remedy = f", {REMEDIES[kind]}" if kind in REMEDIES else ""
    if not first.drops:
        return [f"{title} ({kind}){remedy}; the first: {first} (--json lists all)"]
    examples = [f"  {fault}" for fault in group[:EXAMPLES]]
    return [f"{title} ({kind}){remedy}:", *examples, f"  and {count - EXAMPLES:,} more (--json lists all)"]


def verb(fault: Fault) -> str:
    """What becomes of what a fault is about."""
    if fault.kind == UNCLEAR:
        return "refusal"
    return "skipped" if fault.drops else "fixed" if fault.kind in FIXED else "warning"
