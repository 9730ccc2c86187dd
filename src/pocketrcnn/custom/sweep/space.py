"""What a sweep varies: a list of values for a setting, or a range; and which combination of lists is next. No torch.

optim.filter_lr=0.05,0.1,0.2      a list
optim.lr=0.001..0.01              a range; of whole numbers where the setting is one
optim.lr=0.001..0.01,log          a range in which equal ratios are equally likely
optim.weight_decay=0.05           one value: it holds for all trials
"""

from __future__ import annotations

import json
import math
import random
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_origin

from ...config import Config
from ...data.yaml_reading import parsed
from ...errors import UserError, require, shown
from ...training import config_file

Settings = dict[str, Any]
"""The settings of a trial that are its own: values by name."""

RANGE = re.compile(r"\s*(?P<low>[^,]*?)\.\.(?P<high>[^,]*?)\s*(?P<scale>,.*)?", re.DOTALL)
STEPS = 3  # decimals of a value that is chosen from a range: in thousandths of the range
NAMED = 10  # faults in a message


@dataclass(frozen=True)
class Listed:
    """Values of a setting, as YAML reads them."""

    name: str
    values: tuple[Any, ...]


@dataclass(frozen=True)
class Range:
    """Numbers of a setting from low to high, both included. log: equal ratios are equally likely."""

    name: str
    low: float
    high: float
    log: bool

    @property
    def whole(self) -> bool:
        """Whether the setting takes whole numbers alone."""
        return config_file.HINTS.get(self.name) is int

    def rounded(self, value: float) -> float:
        """A value that people can read, still within the range."""
        if self.whole:
            return int(value)
        decimals = STEPS - math.floor(math.log10(self.high - self.low))
        near = float(f"{value:.{STEPS + 1}g}") if self.log else round(value, decimals)
        return min(max(near, self.low), self.high)


@dataclass(frozen=True)
class Space:
    """What is varied. fixed: settings for all trials, as they were written."""

    fixed: tuple[str, ...]
    varied: tuple[Listed | Range, ...]

    @property
    def ranges(self) -> list[Range]:
        """The ranges among what is varied."""
        return [one for one in self.varied if isinstance(one, Range)]

    @property
    def combinations(self) -> float:
        """How many there are; infinity where a range has fractions."""
        return math.prod(map(count, self.varied))

    def planned(self, trials: int | None) -> int:
        """How many trials there are, of which so many were asked for; None: all."""
        most = self.combinations
        return int(most if trials is None else min(trials, most)) if most < math.inf else trials or 0

    def at(self, index: int) -> Settings:
        """The combination of this number, below `combinations`; the last setting changes first."""
        settings: Settings = {}
        for one in reversed(self.varied):
            index, place = divmod(index, int(count(one)))
            settings[one.name] = one.values[place] if isinstance(one, Listed) else int(one.low) + place
        return {one.name: settings[one.name] for one in self.varied}

    def next_combination(self, taken: Sequence[Settings], trials: int, seed: int) -> Settings:
        """The next one that is not taken: in their order where all are tried, else at random, by the seed alone."""
        total = int(self.combinations)
        order: Iterable[int] = range(total) if trials >= total else drawn(total, seed)
        return next(settings for index in order if (settings := self.at(index)) not in taken)


def count(one: Listed | Range) -> float:
    """How many values a setting has; infinity for a range with fractions."""
    if isinstance(one, Listed):
        return len(one.values)
    return one.high - one.low + 1 if one.whole else math.inf


def drawn(total: int, seed: int) -> Iterator[int]:
    """Random numbers below `total` without an end; the first ones do not depend on how many are taken."""
    numbers = random.Random(seed)
    while True:
        yield numbers.randrange(total)


def space_of(settings: Sequence[str]) -> Space:
    """What is varied, from what was written. Raises UserError with everything that cannot be read."""
    fixed, varied, faults = list[str](), list[Listed | Range](), list[str]()
    for text in settings:
        try:
            one = read(text)
        except UserError as error:
            faults.append(str(error))
            continue
        if isinstance(one, Listed) and len(one.values) == 1:
            fixed.append(text)
        else:
            varied.append(one)
    names = [text.partition("=")[0].strip() for text in settings]
    faults += [f"--set {name} is there twice" for name in dict.fromkeys(names) if names.count(name) > 1]
    refuse(faults)
    require(bool(varied), "nothing varies: give a setting several values, as in --set optim.lr=0.002,0.005")
    return Space(tuple(fixed), tuple(varied))


def refuse(faults: Sequence[str]) -> None:
    """Raises UserError with all faults in one line, where there are any."""
    more = [f"and {len(faults) - NAMED} more"] if len(faults) > NAMED else []
    require(not faults, "; ".join([*faults[:NAMED], *more]))


def read(text: str) -> Listed | Range:
    """A setting with its values. Raises UserError where it cannot be read."""
    name, equals, values = (part.strip() for part in text.partition("="))
    require(bool(equals and name and values), f"--set {text}: write NAME=VALUES, as in optim.lr=0.002,0.005")
    found = RANGE.fullmatch(values)
    return range_of(name, text, **found.groupdict()) if found else list_of(name, text, values)


def list_of(name: str, text: str, values: str) -> Listed:
    """A list of values, each once. Raises UserError where it cannot be read."""
    missing = values.startswith(",") or re.search(r",\s*(,|$)", values)
    require(not missing, f"--set {text}: a value is missing beside a comma")
    try:
        listed = parsed(f"[{values}]", config_file.Loader)
    except ValueError as error:
        reason = shown(str(error).splitlines()[0])
        raise UserError(f"--set {text}: write numbers, words or [lists] with commas between them ({reason})") from error
    for value in listed:
        mixed = isinstance(value, str) and ".." in value
        require(not mixed, f"--set {text}: write either a list or a range, as 0.05,0.1 or 0.05..0.2")
    words = [json.dumps(float(one) if is_number(one) else one) for one in listed]
    twice = next((word for word in words if words.count(word) > 1), "")
    require(not twice, f"--set {text}: {twice} is there twice")
    return Listed(name, tuple(listed))


def range_of(name: str, text: str, low: str, high: str, scale: str | None) -> Range:
    """A range. Raises UserError where it cannot be one."""
    log = bool(scale) and (scale or "").strip(", ") == "log"
    require(scale is None or log, f"--set {text}: write a range as LOW..HIGH, or LOW..HIGH,log")
    hint = config_file.HINTS.get(name)
    try:
        ends = [parsed(end, config_file.Loader) for end in (low, high)]
    except ValueError:
        ends = []
    numbers = len(ends) == 2 and all(map(is_number, ends))
    require(numbers, f"--set {text}: a range goes from one finite number to another, as in 0.05..0.2")
    listed = get_origin(hint) is Literal or hint is bool
    require(not listed, f"--set {text}: {name} has words or a few numbers alone: list those to try, as NAME=A,B")
    require(hint is not int or all(isinstance(end, int) for end in ends), f"--set {text}: {name} is a whole number")
    first, last = ends
    require(first <= last, f"--set {text}: the smaller number comes first: {high}..{low}")
    require(first < last, f"--set {text}: that is one value: write {name}={low}")
    require(not log or first > 0, f"--set {text}: a logarithmic range begins above 0")
    return Range(name, first, last, log)


def is_number(value: Any) -> bool:
    """Whether a value is a number, which true and false are not."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def written(value: Any) -> str:
    """A value as `--set` takes it."""
    return value if isinstance(value, str) and reads_as(value) == value else json.dumps(value)


def reads_as(text: str) -> Any:
    """What YAML makes of a text; None where it is none."""
    try:
        return parsed(text, config_file.Loader)
    except ValueError:
        return None


def texts(settings: Settings) -> tuple[str, ...]:
    """The settings of a trial as `--set` takes them."""
    return tuple(f"{name}={written(value)}" for name, value in settings.items())


def in_words(settings: Settings) -> str:
    """The settings of a trial for a line."""
    return ", ".join(f"{name} {shown(written(value))}" for name, value in settings.items())


def require_possible(settings: Sequence[str], config: Config) -> None:
    """Raises UserError with all that is no setting or no value of one, by itself or beside the others.

    settings: as they were written. config: what was planned for the data without them. Of ranges both ends are tried.
    """
    unknown = list(refused(lambda text: config_file.require_setting(config, text), settings))
    named = [text for text in settings if all(text not in words for words in unknown)]
    space = space_of(named) if any(map(several, named)) else Space(tuple(named), ())
    ends = [one if isinstance(one, Listed) else Listed(one.name, (one.low, one.high)) for one in space.varied]
    corners = Space(space.fixed, tuple(ends))
    tried = [(*corners.fixed, *texts(corners.at(index))) for index in looked_at(corners)]
    faults = list(refused(lambda given: config_file.override(config, given), tried))
    if faults:  # one may hide others
        alone = [(*corners.fixed, *texts({one.name: value})) for one in ends for value in one.values]
        faults += refused(lambda given: config_file.override(config, given), alone)
    refuse(list(dict.fromkeys([*unknown, *faults])))


def several(text: str) -> bool:
    """Whether a setting has several values."""
    one = read(text)
    return isinstance(one, Range) or len(one.values) > 1


def refused(check: Callable[[Any], object], given: Iterable[Any]) -> Iterator[str]:
    """What a check says of those that it refuses."""
    for one in given:
        try:
            check(one)
        except UserError as error:
            yield str(error).replace("--set, ", "--set ")


def looked_at(corners: Space) -> Iterator[int]:
    """The combinations that are tried before anything starts: all of a few, else each value once beside the first of
    the others."""
    if (total := int(corners.combinations)) <= MOST_LOOKED_AT:
        yield from range(total)
        return
    step = 1
    for one in reversed(corners.varied):
        yield from (step * place for place in range(int(count(one))))
        step *= int(count(one))


MOST_LOOKED_AT = 1000
