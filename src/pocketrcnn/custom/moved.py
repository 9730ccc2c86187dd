"""The data of a run that goes on: wherever they are now, they have to be what it learns from."""

from collections.abc import Mapping
from pathlib import Path

from ..config import Config, replace
from ..data.custom_data import CustomData
from ..data.overview import counted
from ..errors import UserError
from ..terminal import say, warn

MEANT = {"train": "training images", "val": "validation images"}  # what a change of these changes in a run


def relocated(config: Config, source: Path | None) -> Config:
    """The configuration of a run with its data at another path; None: where they were."""
    return replace(config, data__source=str(source.resolve())) if source else config


def require_same(data: CustomData, known: Mapping[str, str] | None, folder: Path, remedy: str = "") -> None:
    """Raises UserError where other images would be learned, or others would choose the weights, than before.

    known: the splits of the run's images, by the hash of their content; None where it has none yet. folder: of the run,
    for messages. remedy: for images that are missing; empty: that of `resume`.
    """
    now = data.split_of
    for split in MEANT if known else ():
        before, there = ({one for one, of in images.items() if of == split} for images in (known or {}, now))
        lost, added = before - there, there - before
        if lost:
            missing = f"{data.source} lacks {len(lost):,} of the {len(before):,} {MEANT[split]} of {folder}"
            helps = f"restore them, or name the folder that has them: `pocketrcnn resume {folder} --data FOLDER`"
            raise UserError(f"{missing}, or they were changed: {remedy or helps}; other images need a new run")
        if added:
            more = f"{data.source} has {counted(len(added), 'image')} among its {MEANT[split]} that {folder} had not"
            raise UserError(f"{more}: remove them, or train a new run, since this one would learn something else")
    tested = {one for one, of in (known or {}).items() if of == "test"}
    if lost := tested - set(now):
        warn(f"{len(lost):,} of {counted(len(tested), 'test image')} are missing or changed: training goes on without")


def say_moved(before: Config, config: Config) -> None:
    """A line where the data are at another path now."""
    if before.data.source != config.data.source:
        say(f"data: {config.data.source} (before: {before.data.source})")
