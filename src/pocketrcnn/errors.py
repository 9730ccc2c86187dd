"""The exception that is meant for users, and which others are about the machine."""

import difflib
import re
from collections.abc import Iterable


class UserError(ValueError):
    """A mistake that the user can correct: one line saying what, where, why, and the remedy.

    The command line prints it without a traceback and exits with code 2.
    """


class Unavailable(UserError):
    """What was asked for is right, and the machine refuses it now: a disk is full, a folder in use by another program.

    The same may succeed later.
    """


def out_of_memory(error: BaseException) -> bool:
    """Whether memory is not enough: torch has no exception of its own for that."""
    return isinstance(error, MemoryError) or bool(re.search("allocate memory|out of memory", str(error)))


SHOWN = 60  # characters of a value in a message


def shown(value: object) -> str:
    """A value for a message, at most SHOWN characters of it: names and numbers of files may be of any length."""
    try:
        text = str(value)
    except ValueError:  # of a number of thousands of digits
        return "a number of thousands of digits"
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 1]}…"


def require(condition: bool, message: str) -> None:
    """Raises UserError with the message where a condition does not hold."""
    if not condition:
        raise UserError(message)


def at_least(part: str, settings: object, **smallest: int) -> None:
    """Raises UserError where a setting is smaller than it may be, as in `rpn.channels is 0: use 1 or more`."""
    for name, least in smallest.items():
        value = getattr(settings, name)
        require(value >= least, f"{part}.{name} is {shown(value)}: use {least} or more")


def nearest(name: str, known: Iterable[object]) -> str:
    """` (did you mean `x`?)`, or nothing when no known name is near."""
    matches = difflib.get_close_matches(name, [str(k) for k in known], n=1, cutoff=0.5)
    return f" (did you mean `{shown(matches[0])}`?)" if matches else ""
