"""Where the images of `pocketrcnn.scale.predict` are: files, places in an object store, or a data set of Ray."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterable
from os import PathLike
from pathlib import Path, PurePosixPath
from typing import Any

from ...config import Pages
from ...data.images.pixels import ENDINGS
from ...data.listing import is_image_name
from ...errors import UserError, nearest, require, shown
from ..parts.names import Images
from ..parts.parquet import require_text
from ..predict import named_images
from .worker import Column, Files

ROWS = 64  # images of a task, which is what is done again where an actor dies
TASKS = 10_000  # at most: Ray keeps something of each in memory
COLUMNS = ("bytes", "image")  # with images, where none is named


def rows_of(images: Any, column: str | None, name: str, pages: Pages, size: int) -> tuple[Any, Files | Column, int]:
    """A data set of Ray, how images are found in its rows, and how many rows an actor gets at a time. size: images."""
    if hasattr(images, "map_batches"):
        return images, columns_of(images, column, name), size
    several = list(images) if isinstance(images, Iterable) and not isinstance(images, str) else [images]
    for number, one in enumerate(several):
        kind = type(one).__name__
        remedy = "use paths, or a data set of Ray"
        require(isinstance(one, str | PathLike), f"images[{number}]: an object of type `{kind}` is no path: {remedy}")
    names = [os.fspath(one) for one in several]
    require(bool(names), "no images: name files, folders or patterns, or give a data set of Ray")
    stored = ["://" in one for one in names]
    require(all(stored) or not any(stored), "images here and in an object store: call it for each of the two")
    return (*in_store(names), size) if all(stored) else (*in_files(names, pages, size), 1)


def columns_of(data: Any, column: str | None, name: str) -> Column:
    """The columns of a data set with images and with their names. Raises UserError where it has none of that name."""
    known = data.columns() or []
    found = column or next((one for one in COLUMNS if one in known), COLUMNS[0])
    for one, option in ((found, "column"), (name, "name")):
        there = f"it has {', '.join(map(shown, known))}" if known else "it has no rows"
        problem = f"the data set has no column {shown(one)}{nearest(one, known)}"
        require(one in known, f"{problem}: {there}; name one with {option}=")
    return Column(found, name)


def in_store(places: list[str]) -> tuple[Any, Column]:
    """Images that Ray reads. Raises UserError where it cannot."""
    import ray

    paths = [place.partition("://")[2] for place in places]
    folders = [posixpath.dirname(one) if is_image_name(Path(one)) else one.rstrip("/") for one in paths]
    try:
        endings = [ending[1:] for ending in ENDINGS]
        rows = ray.data.read_binary_files(places, include_paths=True, file_extensions=endings)
    except (OSError, ValueError, ImportError) as error:
        raise UserError(f"{shown(places[0])} cannot be read ({error}): check its name and permissions") from error
    return rows, Column("bytes", "path", str(PurePosixPath(posixpath.commonpath(folders))) + "/")


def in_files(patterns: list[str], pages: Pages, size: int) -> tuple[Any, Files]:
    """Images of this machine: a row is the names of those that make a task, `size` or a multiple."""
    images = Images.of(named_images(patterns))
    require_text(images.names, "predict without Ray")
    import ray

    size *= -(-len(images.names) // (size * TASKS))
    rows = [{"names": images.names[start : start + size]} for start in range(0, len(images.names), size)]
    return ray.data.from_items(rows, override_num_blocks=len(rows)), Files(images.folder, pages)
