"""What an actor of `pocketrcnn.scale.predict` does: images of a few rows, to rows of the same form as those of parts.

It knows neither Ray nor, with an exported file, torch. A source is a file, its bytes, or an array.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np

from ...config import Pages
from ...data.images.notes import Note
from ...data.images.opening import pages_of
from ...data.images.pixels import Pixels, read_image, read_picture
from ...errors import UserError
from ..options import PredictOptions
from ..parts.parquet import as_text, schema_of, table_of
from ..parts.records import Record
from ..predict import Predictor, Readable, looked_at

Rows = dict[str, Any]
"""Some rows of a data set: columns, by their names."""


@dataclass(frozen=True)
class Files:
    """Sources from rows of names: paths below a folder, which has a separator behind it."""

    folder: str
    pages: Pages

    def __call__(self, rows: Rows) -> Iterator[tuple[str, Any]]:
        """Each image, by its name."""
        for name in (str(name) for names in rows["names"] for name in names):
            path = Path(self.folder + name)
            for page in pages_of(path) if self.pages == "all" else [path]:
                yield str(page)[len(self.folder) :].replace(os.sep, "/"), page


@dataclass(frozen=True)
class Column:
    """Sources from a column. name: the column that says what they are called. prefix: left out of that."""

    column: str
    name: str
    prefix: str = ""

    def __call__(self, rows: Rows) -> Iterator[tuple[str, Any]]:
        """Each image, by its name."""
        for name, source in zip(rows[self.name], rows[self.column], strict=True):
            yield as_text(str(name).removeprefix(self.prefix)), source


@dataclass
class Worker:
    """A detector in an actor. sources: of the images of some rows. folder: not to be told where something is wrong."""

    detector: Predictor
    sources: Callable[[Rows], Iterator[tuple[str, Any]]]
    options: PredictOptions
    folder: str = ""
    schema: Any = field(init=False, repr=False)

    def __post_init__(self) -> None:
        detector, asked = self.detector, self.options.threshold
        threshold = float(detector.threshold if asked is None else asked)
        self.schema = schema_of(detector.classes, detector.fingerprint, threshold)

    def __call__(self, rows: Rows) -> Any:
        """A `pyarrow.Table` with a row for each image, in their order."""
        found: dict[int, Record] = {}
        names = [""]  # images are counted from 1

        def readable() -> Iterator[Readable]:
            for number, (name, source) in enumerate(self.sources(rows), 1):
                names.append(name)
                try:
                    pixels, notes = read(name, source, self.pages)
                except UserError as error:
                    found[number] = Record(name, skipped=self.told(error))
                else:
                    yield Readable(number, Path(name), pixels, notes)

        for one, detections in looked_at(self.detector, readable(), self.options, []):
            found[one.ident] = Record(names[one.ident], one.size, detections, one.notes)
        return table_of([found[number].content(self.detector.classes) for number in sorted(found)], self.schema)

    @property
    def pages(self) -> Pages:
        """What is read of a file of several pages."""
        return self.detector.pages if self.options.pages is None else self.options.pages

    def told(self, error: UserError) -> str:
        """Why an image has no results: the same wherever the images are."""
        return str(error).replace(self.folder, "") if self.folder else str(error)


class Named(BytesIO):
    """The bytes of a file, with its name."""

    def __init__(self, content: bytes, name: str) -> None:
        super().__init__(content)
        self.name = name


def read(name: str, source: Any, pages: Pages) -> tuple[Pixels, tuple[Note, ...]]:
    """The pixels of a source, and what is to be said of it. Raises UserError, with its name, where it is no image."""
    if isinstance(source, dict):  # as in data sets of Hugging Face
        source = source.get("bytes")
    if isinstance(source, np.ndarray):
        try:
            return read_image(source), ()
        except UserError as error:
            raise UserError(f"{name}: {error}") from error
    if isinstance(source, bytes):
        source = Named(source, name)
    elif isinstance(source, str):
        source = Path(source)
    elif not isinstance(source, Path):
        kind = "nothing" if is_nothing(source) else f"an object of type `{type(source).__name__}`"
        raise UserError(f"{name} is {kind}: give bytes of an image file, an array or a path")
    picture = read_picture(source, pages)
    return picture.pixels, picture.notes


def is_nothing(source: Any) -> bool:
    """Whether a row has no source: Ray makes a number that is none of None, where a batch has nothing else."""
    return source is None or (isinstance(source, float | np.floating) and bool(np.isnan(source)))
