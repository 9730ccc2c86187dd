"""Training, validation and test images for data that come without them: always the same, every class in each.

Greedy iterative stratification (Sechidis, Tsoumakas, Vlahavas, "On the Stratification of Multi-Label Data", 2011,
algorithm 1), with objects counted instead of labels. No torch here.
"""

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from .annotations import SPLITS, Annotations, Example
from .images.page_names import split_name
from .overview import objects_of

FRACTIONS = (0.7, 0.15, 0.15)  # of the images: training, validation, test
VALIDATION = 0.15  # of the training images, where there are none for validation

Parts = dict[str, float]


def with_splits(annotations: Annotations, seed: int = 0) -> Annotations:
    """The same data, every image in `train`, `val` or `test`; a function of names, objects and seed alone.

    Data without splits are divided by FRACTIONS (of images and of each class's objects). Where there are training
    images and none for validation, the part VALIDATION of them becomes validation; all else stays as it is. There is at
    least one training image; with two or more images (three, where test takes a part) no part is empty. Copies of an
    image are in one split, and pages of a file (see `together`), so that nothing is evaluated on a copy of what was
    learned.
    """
    divided = annotations.split("") or (() if annotations.split("val") else annotations.split("train"))
    if not divided:
        return annotations
    shares = FRACTIONS if annotations.split("") else (1 - VALIDATION, VALIDATION, 0.0)
    parts = {split: share for split, share in zip(SPLITS, shares, strict=True) if share > 0}
    whole, distinct = together(divided), dict[str, Example]()
    for name, one in {content(one): one for one in sorted(divided, key=lambda one: one.path)}.items():
        before = distinct.get(whole[name])
        distinct[whole[name]] = replace(one, objects=(*before.objects, *one.objects)) if before else one
    images = list(distinct.values())
    dealt = stratified(images, parts, seed)
    if not any(part == "train" and objects_of(one) for one, part in zip(images, dealt, strict=True)):
        dealt = stratified(images, parts, seed, bare_last=True)  # of three images training got the empty one
    split_of = dict(zip(distinct, dealt, strict=True))
    examples = (
        replace(one, split=split_of[whole[content(one)]] if one.split == divided[0].split else one.split)
        for one in annotations.examples
    )
    return replace(annotations, examples=tuple(examples))


def content(example: Example) -> str:
    """What copies of an image have in common; for an image that was not checked, its path."""
    return example.digest or str(example.path)


def together(examples: Sequence[Example]) -> dict[str, str]:
    """By content, what is divided as one: pages of a file stay together, where there are three files or more."""
    pages = {content(one): split_name(content(one)) for one in examples}
    files = {name: page[0] if page else name for name, page in pages.items()}
    return files if len({*files.values()}) >= len(SPLITS) else {name: name for name in files}


def stratified(examples: Sequence[Example], parts: dict[str, float], seed: int, bare_last: bool = False) -> list[str]:
    """The part of each example: the sizes of `room`, and objects of each class in the same proportion.

    The rarest class is dealt out first, its fullest images first; each goes to the part that has least of what it
    should have of the class, the largest part (training) where several are equal. Images without objects count as
    images with one object of a separate class; with `bare_last` that is dealt out after all others.
    """
    counts = [Counter(obj.name for obj in example.objects) or Counter({"": 1}) for example in examples]
    order = sorted(range(len(examples)), key=lambda i: (examples[i].path.name, str(examples[i].path)))
    random.Random(seed).shuffle(order)
    images = room(len(examples), parts)
    total = sum(counts, Counter[str]())
    shares = {part: size / len(examples) for part, size in images.items()}
    given = {part: Counter[str]() for part in parts}
    chosen: dict[int, str] = {}
    for name in sorted(total, key=lambda name: (bare_last and not name, total[name], name)):
        for i in sorted((i for i in order if i not in chosen and counts[i][name]), key=lambda i: -counts[i][name]):
            able = [part for part in parts if images[part] > 0]
            chosen[i] = min(able, key=lambda part: (given[part][name] / shares[part], -shares[part]))
            images[chosen[i]] -= 1
            given[chosen[i]] += counts[i]
    return [chosen[i] for i in range(len(examples))]


def room(count: int, parts: dict[str, float]) -> dict[str, int]:
    """How many images each part gets: the nearest whole numbers, and one at least while there are enough."""
    names = list(parts)
    total = sum(parts.values())
    sizes = {name: max(round(count * parts[name] / total), 1) for name in names[1:]}
    for name in reversed(names[1:]):  # too few images: training keeps one, test goes first
        sizes[name] = max(min(sizes[name], count - 1 - sum(sizes[other] for other in names[1:] if other != name)), 0)
    return {names[0]: count - sum(sizes.values()), **sizes}
