"""A part as a Parquet file, one row an image, with the extra `parquet` (pyarrow). No torch here.

The columns are what a line of JSON has: `image`; `width`, `height`; `boxes`, lists of x1, y1, x2, y2 in pixels of the
image; `scores`; `classes`, by their names; `notes`, lists of kind and reason; `skipped`, why there are no results.
What an image does not have is null. The metadata of the schema, under `pocketrcnn`, say what all parts have in common.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from ...errors import UserError, shown
from .plan import Plan

KEY, SCHEMA = "pocketrcnn", 1
IMAGES, OBJECTS = 1000, 50_000  # at most in a group of rows, and so in memory


def require_pyarrow() -> None:
    """Raises UserError where pyarrow is not installed."""
    try:
        import pyarrow.parquet  # noqa: F401
    except ImportError as error:
        remedy = "`pip install '.[parquet]'` in a clone of the project, or leave out --part-format parquet"
        raise UserError(f"pyarrow is not installed: {remedy}") from error


def require_text(names: Sequence[str], remedy: str = "leave out --part-format parquet") -> None:
    """Raises UserError for a name that is no text: old systems wrote some, and Parquet takes none."""
    for name in names:
        if name != as_text(name):
            raise UserError(f"the name {shown(name)} is not UTF-8: rename the file, or {remedy}")


def as_text(text: str) -> str:
    """The same, where it is text; bytes of names that are none become question marks."""
    return text.encode("utf-8", "replace").decode("utf-8")


def schema_of(classes: Sequence[str], fingerprint: str, threshold: float) -> Any:
    """The columns, with what is known of the detector, as a `pyarrow.Schema`."""
    import pyarrow as pa

    def lists(kind: Any) -> Any:
        return pa.list_(pa.field("element", kind))  # as Parquet calls it, so that what is read again has the same type

    columns = {"width": pa.int32(), "height": pa.int32(), "boxes": lists(lists(pa.float32()))}
    columns |= {"scores": lists(pa.float32()), "classes": lists(pa.string()), "notes": lists(lists(pa.string()))}
    fields = [pa.field("image", pa.string(), nullable=False), *columns.items(), ("skipped", pa.string())]
    facts = {"schema": SCHEMA, "classes": list(classes), "fingerprint": fingerprint, "threshold": threshold}
    return pa.schema(fields, {KEY: json.dumps(facts)})


def table_of(contents: Sequence[dict[str, Any]], schema: Any) -> Any:
    """Images as a `pyarrow.Table`."""
    import pyarrow as pa

    return pa.Table.from_pylist([one | reasons(one) for one in contents], schema)


def reasons(content: dict[str, Any]) -> dict[str, Any]:
    """What was written for people, as text in any case."""
    kept: dict[str, Any] = {"skipped": as_text(content["skipped"])} if "skipped" in content else {}
    if "notes" in content:
        kept["notes"] = [[*map(as_text, note)] for note in content["notes"]]
    return kept


@contextmanager
def writing(file: IO[Any], plan: Plan) -> Iterator[Callable[[dict[str, Any]], None]]:
    """Write a part: a function that adds an image."""
    from pyarrow.parquet import ParquetWriter

    schema, group = schema_of(plan.classes, plan.fingerprint, plan.threshold), list[dict[str, Any]]()
    writer = ParquetWriter(file, schema, compression="zstd")

    def write(content: dict[str, Any]) -> None:
        group.append(content)
        if len(group) == IMAGES or sum(len(one.get("scores", ())) for one in group) >= OBJECTS:
            writer.write_table(table_of(group, schema))
            group.clear()

    try:
        yield write
        if group:
            writer.write_table(table_of(group, schema))
        writer.close()
    finally:
        with suppress(Exception):  # a full disk: the file goes away
            writer.close()
        writer.is_open = False  # else it is closed again later


def reading(part: Path) -> Iterator[Any]:
    """The images of a part, one after the other. Raises OSError or ValueError where the file is damaged."""
    import pyarrow
    from pyarrow.parquet import ParquetFile

    try:
        with ParquetFile(part) as file:
            for group in file.iter_batches(IMAGES):
                for row in group.to_pylist():
                    yield {name: value for name, value in row.items() if value is not None}
    except pyarrow.ArrowException as error:
        raise ValueError(str(error)) from error
