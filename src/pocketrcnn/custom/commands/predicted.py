"""What `predict` and `merge` have written, as a result and in their last lines. No torch here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ...data.overview import counted
from ...terminal import say
from ..predict import Output


@dataclass(frozen=True)
class Predicted:
    """What `predict` or `merge` wrote.

    path: the folder. images, skipped: how many were read, and how many could not be. by_class: objects of each class.
    In parts that are not merged yet, those of the parts that this call made.
    """

    path: Path
    images: int
    skipped: int
    by_class: dict[str, int]

    @property
    def objects(self) -> int:
        """Objects in all images."""
        return sum(self.by_class.values())


def say_written(done: Output, classes: Sequence[str], overlap: int) -> Predicted:
    """The last lines about result files, and what they are. overlap: of the detector."""
    if done.larger:
        how = f"in tiles of {done.side} px" if overlap else f"downscaled to {done.side} px"
        say(f"{counted(done.larger, 'image')} {how}: boxes are in pixels of the file")
    for path, note in done.notes.of("image"):
        say(f"{path} {note.reason}")
    found = done.files.by_class
    if len(classes) > 1 and found:
        say(f"by class: {', '.join(f'{name} {number:,}' for name, number in found.most_common())}")
    say(f"{in_words(found, done.images, done.skipped)}: {done.folder}")
    return Predicted(done.folder, done.images, done.skipped, {name: found[name] for name in classes})


def in_words(by_class: Mapping[str, int], images: int, skipped: int) -> str:
    """Objects and images: `12 objects in 3 images, 1 image skipped`."""
    left = f", {counted(skipped, 'image')} skipped" if skipped else ""
    return f"{counted(sum(by_class.values()), 'object')} in {counted(images, 'image')}{left}"
