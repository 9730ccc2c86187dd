"""What a file of annotations is, by its ending and the characters at its beginning. No torch here.

A rule is one look at one file: `Rule.fits` is a function of its path and its beginning, and of nothing else. Readers of
formats have rules of their own, and `unread_formats` those of formats that are known and not read.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from .text import read_start
from .walking import is_read

LOOKED_AT = 65_536  # bytes of a file: the outlines of its first objects may be long


@dataclass(frozen=True)
class Rule:
    """How files of a format are recognised.

    format: its short name. endings: of its files, in small letters. fits: whether a file is one of them, by its path
    and its beginning. seen: what it is recognised by, in words, for messages.
    """

    format: str
    endings: tuple[str, ...]
    fits: Callable[[Path, str], bool]
    seen: str


@dataclass(frozen=True)
class Evidence:
    """The files that a rule fits, at least one."""

    rule: Rule
    files: tuple[Path, ...]

    def __str__(self) -> str:
        more = f" and {len(self.files) - 1:,} more" if len(self.files) > 1 else ""
        return f"{self.files[0].name}{more}: {self.rule.seen}"


def evidence(files: Iterable[Path], rules: Sequence[Rule]) -> list[Evidence]:
    """What is found of each rule, in the order of the rules. A file counts for the first rule that fits it.

    Raises OSError where a file cannot be read.
    """
    found: dict[int, list[Path]] = {}
    for file in files:
        ending, foreign = file.suffix.lower(), file.is_symlink() and not is_read(file)  # nobody asked where it leads
        likely = [number for number, rule in enumerate(rules) if ending in rule.endings and not foreign]
        if likely:
            start = read_start(file, LOOKED_AT)
            fitting = (number for number in likely if rules[number].fits(file, start))
            if (first := next(fitting, None)) is not None:
                found.setdefault(first, []).append(file)
    return [Evidence(rules[number], tuple(found[number])) for number in sorted(found)]
