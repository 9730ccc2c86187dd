"""What is in a data set, in numbers: as a dict for programs, as tables for people. No torch here."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from statistics import fmean, median
from typing import TYPE_CHECKING, Any

from .annotations import SPLITS, Annotations, Example, Fault, Object, printable

if TYPE_CHECKING:
    from .annotations import Report

Facts = dict[str, Any]
LIMIT = 20  # faults of a kind that a terminal shows
SIZES = 5  # image sizes that are named


def summary(
    found: Annotations, clean: Annotations, faults: Sequence[Fault], kinds: Mapping[Path, tuple[str, int]]
) -> Facts:
    """Facts about what is clean, how much was there, and how many faults of each kind.

    `kinds`: channels and bits of each image. Sides of boxes are square roots of areas, in pixels of the image. Crowds
    are counted apart from objects.
    """
    counts = [len(objects_of(example)) for example in clean.examples]
    sizes = Counter(example.size for example in clean.examples if example.size)
    return {
        "format": clean.format,
        "data": str(clean.root),
        "found": {"images": len(found.examples), "objects": sum(len(example.objects) for example in found.examples)},
        "images": len(clean.examples),
        "objects": sum(counts),
        "crowds": sum(len(example.objects) for example in clean.examples) - sum(counts),
        "images_without_objects": sum(not example.objects for example in clean.examples),
        "objects_per_image": {"mean": fmean(counts or [0]), "max": max(counts, default=0)},
        "splits": {split: facts_of(clean.split(split)) for split in ("", *SPLITS) if clean.split(split)},
        "classes": class_facts(clean),
        "image_sizes": [{"width": w, "height": h, "images": count} for (w, h), count in sizes.most_common(SIZES)],
        "different_sizes": len(sizes),
        "pixels": pixel_facts(kinds[example.path] for example in clean.examples),
        "unnamed": {"images": len(found.unnamed), "first": next(map(str, found.unnamed), None)},
        "not_carried_over": [{"field": field, "of": of, "count": count} for field, of, count in found.unread],
        "faults": dict(Counter(fault.kind for fault in faults)),
        "dropped": sum(fault.drops for fault in faults),
    }


def objects_of(example: Example) -> list[Object]:
    """The objects of an image that are learned: all but crowds."""
    return [thing for thing in example.objects if not thing.crowd]


def facts_of(examples: Sequence[Example]) -> Facts:
    """Images and objects of a split."""
    return {"images": len(examples), "objects": sum(len(objects_of(example)) for example in examples)}


def pixel_facts(kinds: Iterable[tuple[str, int]]) -> list[Facts]:
    """Channels, bits of each, and images that have these; the most common first."""
    counts = Counter(kinds).most_common()
    return [{"colours": colours, "bits": bits, "images": count} for (colours, bits), count in counts]


def class_facts(clean: Annotations) -> list[Facts]:
    """Objects, images and sizes by class, in the order of the classes."""
    sides: defaultdict[str, list[float]] = defaultdict(list)
    images: Counter[str] = Counter()
    for example in clean.examples:
        for thing in objects_of(example):
            x1, y1, x2, y2 = thing.box
            sides[thing.name].append(math.sqrt((x2 - x1) * (y2 - y1)))
        images.update({thing.name for thing in objects_of(example)})
    return [
        {"name": name, "objects": len(sides[name]), "images": images[name], "side": extent(sides[name])}
        for name in clean.classes
    ]


def extent(sides: Sequence[float]) -> Facts | None:
    """Smallest, median and largest; None of nothing."""
    return {"min": min(sides), "median": median(sides), "max": max(sides)} if sides else None


def render(report: Report) -> None:
    """Print what was found and every kind of fault, at most LIMIT of each."""
    from ..terminal import print_table, say

    facts = report.summary
    images, objects = counted(facts["images"], "image"), counted(facts["objects"], "object")
    say(printable(f"{facts['data']}: {facts['format']}, {images}, {objects}"))
    say(f"  splits: {splits_in_words(facts['splits'])}")
    say(f"  images: {sizes_in_words(facts)}; {facts['images_without_objects']:,} without objects")
    say(f"  pixels: {pixels_in_words(facts['pixels'])}")
    if unnamed := facts["unnamed"]["images"]:
        first = printable(facts["unnamed"]["first"])
        say(f"  besides: {counted(unnamed, 'image')} that no annotation names (the first: {first})")
    per_image = facts["objects_per_image"]
    told = "background in training, not counted in evaluation"
    crowds = f"; {facts['crowds']:,} crowds ({told})" if facts["crowds"] else ""
    say(f"  objects in an image: {per_image['mean']:.1f} on average, at most {per_image['max']:,}{crowds}")
    print_table(class_table(facts["classes"]))
    render_faults(report.faults)


def counted(count: int, what: str) -> str:
    """`1 image`, `2,000 images`."""
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def splits_in_words(splits: Facts) -> str:
    """Images by split, or what becomes of data without."""
    if not set(splits) - {""}:
        return "none (training splits the images by itself, always in the same way)"
    return ", ".join(f"{name} {counted(facts['images'], 'image')}" for name, facts in splits.items())


def sizes_in_words(facts: Facts) -> str:
    """The most common image sizes."""
    named = [f"{size['width']}x{size['height']} ({size['images']:,})" for size in facts["image_sizes"]]
    more = facts["different_sizes"] - len(named)
    return (", ".join(named) or "none") + (f" and {counted(more, 'other size')}" if more > 0 else "")


def pixels_in_words(pixels: Sequence[Facts]) -> str:
    """`RGB 8-bit (180), grey 16-bit (20)`."""
    return ", ".join(f"{kind['colours']} {kind['bits']}-bit ({kind['images']:,})" for kind in pixels) or "none"


def not_carried_over(facts: Facts) -> str:
    """What a copy lacks: `not carried over: segmentation of 12 objects`; empty where it has everything."""
    fields = [f"{fact['field']} of {counted(fact['count'], fact['of'])}" for fact in facts["not_carried_over"]]
    return f"not carried over: {', '.join(fields)}" if fields else ""


def class_table(classes: Sequence[Facts]) -> Any:
    """A rich table with a row a class."""
    from ..terminal import columns

    table = columns(("class", "objects", "images", "median side", "smallest", "largest"), ["class"])
    for facts in classes:
        side = facts["side"]
        sides = [f"{side[name]:.1f}" for name in ("median", "min", "max")] if side else ["n/a"] * 3
        table.add_row(facts["name"], f"{facts['objects']:,}", f"{facts['images']:,}", *sides)
    return table


def render_faults(faults: Sequence[Fault]) -> None:
    """Print faults by kind, those first that cost something."""
    from ..terminal import say

    kinds: defaultdict[tuple[bool, str], list[Fault]] = defaultdict(list)
    for fault in faults:
        kinds[not fault.drops, fault.kind].append(fault)
    for (kept, kind), group in sorted(kinds.items()):
        say(f"{kind}: {len(group):,} {'noted' if kept else 'left out'}")
        for fault in group[:LIMIT]:
            say(f"  {fault}")
        if len(group) > LIMIT:
            say(f"  and {len(group) - LIMIT:,} more (--json has all)")
    dropped = sum(fault.drops for fault in faults)
    say(f"{counted(dropped, 'fault')} that would cost images or objects" if dropped else "nothing would be left out")
