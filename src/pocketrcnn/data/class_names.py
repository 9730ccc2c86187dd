"""The names of classes: those that nearly are one, those that nothing is of, and the nearest of unknown ones.
No torch here."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace

from ..errors import nearest, shown
from .annotations import SPLITS, Annotations, Fault
from .overview import counted, objects_of

COMPARED = 100_000  # names of classes that unknown ones are compared with
PLURALS = (("s", ""), ("es", ""), ("ies", "y"), ("ves", "f"))  # and what stands there in the singular
SINGULAR = 3  # letters that are left at least


class Classes:
    """The classes of a data set, of which there may be tens of thousands, and the nearest of unknown names."""

    def __init__(self, names: Sequence[str]) -> None:
        self.names, self.known, self.hints = names, frozenset(names), dict[str, str]()

    def __str__(self) -> str:
        return ", ".join(map(shown, self.names[:10]))

    def meant(self, name: str) -> str:
        """The hint of `nearest`, looked up once a name; none where that would take minutes."""
        if name not in self.hints and len(self.hints) * len(self.names) < COMPARED:
            self.hints[name] = nearest(name, self.names)
        return self.hints.get(name, "")


def stripped(annotations: Annotations) -> Annotations:
    """The same data with class names without space at their ends, but for names that are nothing else."""
    if all(name == name.strip() for name in annotations.classes):
        return annotations
    names = tuple(dict.fromkeys(name.strip() or name for name in annotations.classes))
    examples = tuple(
        replace(one, objects=tuple(replace(obj, name=obj.name.strip() or obj.name) for obj in one.objects))
        for one in annotations.examples
    )
    return replace(annotations, classes=names, examples=examples)


def spelling(name: str) -> str:
    """What spellings of one word have in common: it without capitals, spaces and hyphens; of numbers, the value."""
    with suppress(ValueError):
        return f"{float(name):g}"
    return re.sub(r"[\s_\-]+", "", name.casefold())


def singulars(word: str) -> list[str]:
    """What a word may be the plural of."""
    ends = ((plural, one) for plural, one in PLURALS if word.endswith(plural))
    return [word.removesuffix(plural) + one for plural, one in ends if len(word) - len(plural) >= SINGULAR]


def class_notes(clean: Annotations) -> Iterator[Fault]:
    """Classes that are one by their names, or cannot be learned, and splits that are missing."""
    root, has_splits = clean.root, any(example.split for example in clean.examples)
    training = clean.split("train") if has_splits else clean.examples
    used = Counter(obj.name for example in training for obj in objects_of(example))
    anywhere = {obj.name for example in clean.examples for obj in objects_of(example)}
    yield from spelling_notes(clean)
    if has_splits and not training:
        there = ", ".join(split for split in SPLITS if clean.split(split))
        reason = f"has images for {there}, but none for training: add some, or a split named `train`"
        yield Fault("no-training-images", root, "", reason, drops=False)
        return
    for name in clean.classes:
        if name not in used:
            where = " in training" if name in anywhere else ""
            reason = f"class `{shown(name)}` has no objects{where}: it cannot be learned"
            yield Fault("class-without-examples", root, "", reason, drops=False)


def spelling_notes(clean: Annotations) -> Iterator[Fault]:
    """A note for classes whose names are spellings of one word, with the number of objects of each."""
    counts = Counter(obj.name for example in clean.examples for obj in objects_of(example))
    words = {spelling(name) for name in clean.classes}
    alike: defaultdict[str, list[str]] = defaultdict(list)
    for name in clean.classes:
        word = spelling(name)
        alike[next((one for one in singulars(word) if one in words), word)].append(name)
    for names in alike.values():
        if len(names) > 1:
            listed = " and ".join(f"`{shown(name)}` ({counted(counts[name], 'object')})" for name in names)
            reason = f"classes {listed} are nearly one name (capitals, spaces, plural): give them one if they are"
            yield Fault("similar-classes", clean.root, "", reason, drops=False)


def learnable(annotations: Annotations) -> Annotations:
    """The same data without the classes that nothing is of: they would only make the network larger."""
    used = {obj.name for example in annotations.examples for obj in example.objects}
    classes = tuple(name for name in annotations.classes if name in used)
    return replace(annotations, classes=classes or annotations.classes)
