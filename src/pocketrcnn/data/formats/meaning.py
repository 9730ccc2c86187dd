"""Fields that change what an object means, whatever the format: what is to be ignored, and what was predicted.
No torch here.

Other fields (`occluded`, `truncated`, `pose`) change nothing that is learned here: they are counted as not read.
"""

import re
from collections.abc import Mapping
from pathlib import Path

from .notes import Notes

IGNORED = ("ignore", "ignored", "isgroupof")
DIFFICULT = "difficult"
SCORES = ("score", "confidence", "conf", "probability", "prob")
MEANT = (*IGNORED, DIFFICULT)  # fields that are read here, and not lost
DECIMAL_COMMA = "decimal-comma"  # the kind of a note
TRUE = ("1", "1.0", "true", "yes")


def is_true(value: object) -> bool:
    """Whether a field says yes, in the words of any program."""
    return str(value).strip().lower() in TRUE


def is_crowd(fields: Mapping[str, object], notes: Notes, file: Path, where: str) -> bool:
    """Whether an object is to be ignored, so that it is a crowd here; that is noted, and so is a score.

    fields: of the object, names in small letters. A score of 1 is that of a true object.
    """
    for name in SCORES:
        score = number(fields.get(name))
        if score is not None and score != 1:
            notes.add("scored", file, where, score)
            break
    kind = "ignored" if any(is_true(fields.get(name)) for name in IGNORED) else ""
    kind = kind or (DIFFICULT if is_true(fields.get(DIFFICULT)) else "")
    if kind:
        notes.add(kind, file, where)
    return bool(kind)


def with_point(word: str) -> str:
    """A number with a decimal comma, as `23,5`, with a point; other words as they are."""
    return word.replace(",", ".") if re.fullmatch(r"[+-]?\d*,\d+", word.strip()) else word


def number(value: object) -> float | None:
    """A number, also one that is written as text; None where it is none."""
    try:
        return None if isinstance(value, bool) or not isinstance(value, int | float | str) else float(value)
    except (ValueError, OverflowError):
        return None
