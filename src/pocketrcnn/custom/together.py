"""Several processes train one detector: what those besides the first one do, and that all see the same data."""

from __future__ import annotations

import dataclasses
import hashlib
import platform
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import NamedTuple

from ..config import Config, DataConfig
from ..data.custom_data import CustomData, open_custom_data
from ..data.dataset import Dataset
from ..errors import UserError, shown
from ..terminal import silent
from ..training.device import choose_device
from ..training.group import current
from ..training.launch import leave
from ..training.loop import Trainer
from ..training.machine import versions
from ..training.run import CHECKPOINT
from ..training.signals import signals_noted

SetsOf = Callable[[CustomData, Config], tuple[Dataset, Dataset]]
"""Training and validation images, as a configuration sees them."""
COMPARED = ("pocketrcnn", "torch")  # versions that compute the same


class Data(NamedTuple):
    """The data that the first process trains on: how they are read, and the splits that a run had."""

    config: DataConfig
    known: Mapping[str, str] | None


class Face(NamedTuple):
    """What has to be the same in all processes, and where this one is. problem: why its data cannot be opened."""

    host: str
    versions: dict[str, str]
    asked: str
    problem: str = ""
    source: str = ""
    images: int = 0
    hash: str = ""


def open_by_all(config: DataConfig, known: Mapping[str, str] | None, asked: str, moved: str = "") -> CustomData:
    """`open_custom_data` of config, known and moved; the other processes open theirs, too. asked: the options.

    Raises UserError where those of one are others, or where it was started with other options or versions.
    """
    current().tell(Data(config, known))
    return opened(asked, partial(open_custom_data, config, known, moved))


def follow(source: Path | None, asked: str, device: str, sets_of: SetsOf) -> Path:
    """What a process other than the first does: open its data, and train whatever the first one says.

    source: where its data are, if not at the place that the first one names. Returns the folder of the run, which the
    first process still evaluates, once all iterations are done; ends the process where they are not.
    """
    from ..training.ranks import Ranks, Released, Task  # torch.distributed

    group, data = current(), None
    assert isinstance(group, Ranks), "a process by itself follows nobody"
    with silent():
        while not isinstance(word := group.word(), Released):
            if isinstance(word, Task):
                assert data is not None, "data come first"
                trainer = Trainer(word.config, *sets_of(data, word.config), choose_device(device))
                trainer.state.restore(word.tensors, word.metadata, Path(CHECKPOINT), word.config.train)
                with signals_noted(group.signals):
                    trainer.train(())
            else:
                config = dataclasses.replace(word.config, source=str(source or word.config.source))
                data = opened(asked, partial(open_custom_data, config, word.known))
    if word.code or word.folder is None:
        leave(word.code)
    return word.folder


def opened(asked: str, open_data: Callable[[], CustomData]) -> CustomData:
    """The data of this process, compared with those of all."""
    group, data, problem = current(), None, ""
    if group.count == 1:
        return open_data()
    try:
        data = open_data()
    except UserError as error:
        problem = str(error)
    ours = {name: value for name, value in versions().items() if name in COMPARED}
    seen = (data.source, len(data.annotations.examples), hash_of(data)) if data else ()
    faces = group.gathered(Face(platform.node(), ours, asked, problem, *seen))
    wrong = next((text for rank, face in enumerate(faces) if (text := difference(faces[0], face, rank))), "")
    if not wrong:
        assert data is not None, "or there is a problem"
        return data
    group.waiting = False  # all end
    if group.rank:
        leave(2)
    raise UserError(wrong)


def difference(first: Face, face: Face, rank: int) -> str:
    """What is wrong with a process, or why it cannot train with the first one, in a line; empty where it can."""
    who = f"rank {rank} ({face.host})"
    if first.problem or face.problem:
        return first.problem or (face.problem and f"{who}: {face.problem}")
    for name, version in first.versions.items():
        if face.versions.get(name) != version:
            return f"{who} has {name} {face.versions.get(name)}, rank 0 ({first.host}) {version}: install the same"
    if face.asked != first.asked:
        return f"{who} was started as {shown(face.asked)}, rank 0 as {shown(first.asked)}: give all the same options"
    if face.hash != first.hash:
        theirs, ours = (f"{one.source} ({one.images:,} images, hash {one.hash})" for one in (face, first))
        return f"{who} sees other data, {theirs}, than rank 0 ({first.host}), {ours}: make them the same"
    return ""


def hash_of(data: CustomData) -> str:
    """A hash of what is learned from: images, their order, splits and objects; not where they are."""
    digest = hashlib.sha256(repr(data.annotations.classes).encode())
    for example in data.annotations.examples:
        objects = [(obj.box, obj.name, obj.crowd) for obj in example.objects]
        digest.update(repr((example.digest, example.split, example.size, objects)).encode())
    return digest.hexdigest()[:12]
