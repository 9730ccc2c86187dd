"""The results as a file: what was measured, on which machine, each round of each row as it came out.

The file is written after every row, whole or not at all. Another call with the same settings on the same machine adds
the rows that are missing.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pocketrcnn.data.files import write_atomically
from pocketrcnn.errors import UserError
from pocketrcnn.training.run import encode, parse

SCHEMA = 1
FIXED = ("schema", "quick", "minutes", "hardware")  # what a file has one of


def now() -> str:
    """The time, in UTC."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class Records:
    """The file of results."""

    def __init__(self, path: Path, settings: dict[str, Any]) -> None:
        """A new file, or one to go on with. Raises UserError where it has other settings.

        settings: values of FIXED, but for the schema.
        """
        self.path, wanted = path, {"schema": SCHEMA, **settings}
        self.content: dict[str, Any] = {**wanted, "created": now(), "data": {}, "rounds": []}
        if path.is_file():
            self.content = parse(path, "restore it, or name another file with --out")
            for name in FIXED:
                if self.content.get(name) != wanted[name]:
                    raise UserError(
                        f"{path} was measured with {name} = {self.content.get(name)}, now it is {wanted[name]}: "
                        "name another file with --out"
                    )

    def has(self, row: str, number: int) -> bool:
        """Whether a round of a row has been measured."""
        return any(one["row"] == row and one["round"] == number for one in self.content["rounds"])

    def describe(self, data: str, about: dict[str, Any]) -> None:
        """Note what a data set holds. Raises UserError where it held something else before."""
        if self.content["data"].setdefault(data, about) != about:
            raise UserError(f"{self.path} was measured on other {data}: name another file with --out")

    def add(self, record: dict[str, Any]) -> None:
        """Add a round of a row, and write the file."""
        self.content["rounds"].append(record | {"date": now()})
        self.path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(self.path, encode(self.content))
