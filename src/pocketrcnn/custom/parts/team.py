"""Parts by several processes of one thread each, on this machine. No torch here.

Each is told a part and the names of its images. One that dies is named, and its part is made again by the others.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache, partial
from multiprocessing.connection import Connection, wait
from pathlib import Path

from ...errors import UserError
from ...terminal import tracked, warn
from ...training.processes import Child, children
from ...training.signals import Interrupted, signals_noted
from ..loading import load_detector
from ..predict import Predictor
from .names import Images
from .plan import part_file
from .working import Job, Made, interrupted, make_part

TICK = 0.2  # seconds until a signal is noticed
DEADLY = 2  # workers that end in one part: there is something in it


@dataclass(frozen=True)
class Source:
    """Where a detector is, and how it runs."""

    run: Path
    device: str
    seconds: float


@cache
def loaded(source: Source) -> Predictor:
    """The detector of a worker."""
    return load_detector(source.run, source.device, source.seconds)


def work(source: Source, job: Job, given: tuple[int, list[str]]) -> Made | None:
    """What a worker does with a part. Raises UserError where the detector has become another one."""
    predictor = loaded(source)
    if predictor.fingerprint != job.plan.fingerprint:
        raise UserError(f"{source.run} was trained for longer meanwhile: predict into another folder with --out")
    with signals_noted() as signals:
        return make_part(predictor, job, *given, signals)


@dataclass
class Team:
    """Processes that make parts.

    names: of all images. waiting: parts that nobody makes yet. busy: who makes which. deaths: of workers, by the part.
    """

    job: Job
    names: Images
    waiting: deque[int]
    busy: dict[Connection, tuple[Child, int]] = field(default_factory=dict)
    idle: list[Child] = field(default_factory=list)
    deaths: Counter[int] = field(default_factory=Counter)

    def employ(self, child: Child) -> None:
        """Give a worker a part, or nothing."""
        if not self.waiting:
            self.idle.append(child)
            return
        part = self.waiting.popleft()
        self.busy[child.connection] = child, part
        with suppress(OSError):  # it has ended: `answer` says so
            child.connection.send((part, self.names.names[self.job.plan.images_of(part)]))

    def results(self, signals: list[int]) -> Iterator[Made | None]:
        """What becomes of each part, as it comes in. Raises Interrupted after a signal."""
        while self.busy:
            for connection in wait(list(self.busy), TICK):
                child, part = self.busy.pop(connection)  # type: ignore[call-overload]
                try:
                    kind, content = child.connection.recv()
                except (EOFError, OSError):
                    self.bury(child, part)
                    continue
                if kind == "failed":
                    raise content
                self.employ(child)
                yield content
            if signals:
                raise Interrupted("the workers are told to end", signals[0])

    def bury(self, child: Child, part: int) -> None:
        """A worker has died: others make its part. Raises UserError where there are none, or it is not the first."""
        reason, name = child.end(), part_file(self.job.out, self.job.plan, part).name
        self.deaths[part] += 1
        advice = "where memory is short, use fewer --workers" if reason.endswith(" 9") else "look at its images"
        if self.deaths[part] == DEADLY or not (self.busy or self.idle):
            raise UserError(f"workers end in {name} ({reason}), all parts that are done stay: {advice}")
        warn(f"worker {child.process.pid} ended in {name} ({reason}): others make it again")
        self.waiting.append(part)
        if self.idle:
            self.employ(self.idle.pop())


def make_with_team(job: Job, images: Images, parts: Sequence[int], workers: int, source: Source) -> Made:
    """Make parts with so many processes. Raises Interrupted after Ctrl-C or SIGTERM, and UserError where one of them
    cannot be made."""
    total = Made()
    if not parts:
        return total
    team = Team(job, images, deque(parts))
    with signals_noted() as signals:
        try:
            with children(partial(work, source, job), min(workers, len(parts))) as made:
                for child in made:
                    team.employ(child)
                for result in tracked(team.results(signals), "predict", len(parts)):
                    total.add(result or Made())
        except Interrupted:  # a worker may have finished a part until it ended: only now can they be counted
            raise interrupted(job, signals[0]) from None
    return total
