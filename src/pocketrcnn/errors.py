"""The one exception that is meant for users."""

import difflib
from collections.abc import Iterable


class UserError(ValueError):
    """A mistake that the user can correct: one line saying what, where, why, and the remedy.

    The command line prints it without a traceback and exits with code 2.
    """


def require(condition: bool, message: str) -> None:
    """Raises UserError with the message where a condition does not hold."""
    if not condition:
        raise UserError(message)


def nearest(name: str, known: Iterable[object]) -> str:
    """` (did you mean `x`?)`, or nothing when no known name is near."""
    matches = difflib.get_close_matches(name, [str(k) for k in known], n=1, cutoff=0.5)
    return f" (did you mean `{matches[0]}`?)" if matches else ""
