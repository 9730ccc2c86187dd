"""`pocketrcnn.scale.predict`: detections in any number of images, by a pipeline of Ray Data."""

from __future__ import annotations

import dataclasses
import os
import posixpath
from collections.abc import Sequence
from os import PathLike
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from ...config import Pages
from ...data.images.pixels import ENDINGS
from ...data.listing import is_image_name
from ...errors import UserError, nearest, require, shown
from ..loading import load_detector
from ..options import TIMEOUT, PredictOptions
from ..parts.names import Images
from ..parts.parquet import require_text
from ..predict import Predictor, named_images
from .worker import Column, Files, Worker

if TYPE_CHECKING:
    from ray.data import Dataset

ROWS = 64  # images of a task, which is what is done again where an actor dies
TASKS = 10_000  # at most: Ray keeps something of each in memory
COLUMNS = ("bytes", "image")  # with images, where none is named


def predict(
    images: str | PathLike[str] | Sequence[str | PathLike[str]] | Dataset,
    model: str | PathLike[str],
    *,
    column: str | None = None,
    name: str = "path",
    workers: int | None = None,
    threshold: float | None = None,
    pages: Pages | None = None,
    batch: int = 4,
    timeout: float = TIMEOUT,
) -> Dataset:
    """Detect objects on a Ray cluster, or on this machine: a `ray.data.Dataset` with a row for each image.

    The columns are those of `predict --part-format parquet`, and the detections those of `predict`, on the same kind of
    processor. Nothing is computed before rows are asked for, as by `write_parquet`; they come as they are done. An
    image that cannot be read has a row, whose `skipped` says why. What an actor was at when it died is done again.

    images: files, folders, patterns and lists, as of `predict`, which all machines see below the same path; or places
    in an object store, with `://`; or a `Dataset`, as of `ray.data.read_parquet`, with a column of image files as
    bytes (or dictionaries with `bytes`), of arrays as in `data.images.pixels.read_image`, or of paths.
    model: a file of `export`, a run, or the name of a detector inside the package. It is sent to the actors: other
    machines need not see it. column: the one with images; None: `bytes`, else `image`. name: the column that says what
    an image is called. Without a data set, images are called by their path below the folder that all have in common.
    workers: actors, each with one processor; None: as many as there are processors. threshold: score in 0..1 from which
    on detections count; None: the detector's. pages: of files of several; None: as in training. batch: images at a
    time. timeout: seconds for an exported file's batch.

    Raises UserError where Ray is not installed, where there is no such model, image or column.
    """
    require_ray()
    options = PredictOptions(threshold=threshold, pages=pages, batch=batch)
    require(workers is None or workers >= 1, f"workers={workers}: use 1 or more")
    require(timeout > 0, f"timeout={timeout:g}: use a time above 0")
    detector = on_processor(load_detector(Path(model), "auto", timeout))
    size = -(-ROWS // batch) * batch  # so that batches are those of `predict`
    pages = detector.pages if pages is None else pages
    rows, sources, size = given(images, column, name, pages, size)
    folder = sources.folder if isinstance(sources, Files) else ""
    return with_actors(rows, Worker, (detector, sources, options, folder), size, workers)


def require_ray() -> None:
    """Raises UserError where Ray, or what Ray Data needs, is not installed."""
    try:
        import ray.data  # noqa: F401
    except ImportError as error:
        raise UserError("ray is not installed: `pip install '.[ray]'` in a clone of the project") from error


def on_processor(detector: Predictor) -> Predictor:
    """A detector as actors have it, without a graphics card."""
    model = getattr(detector, "model", None)
    return dataclasses.replace(detector, model=model.cpu()) if model is not None else detector  # type: ignore[type-var]


def with_actors(rows: Any, worker: type, arguments: tuple[Any, ...], size: int, count: int | None) -> Dataset:
    """Rows through actors, `size` at a time."""
    from ray.data import ActorPoolStrategy

    pool = ActorPoolStrategy(size=count) if count else ActorPoolStrategy()
    given = {"batch_size": size, "batch_format": "numpy", "compute": pool, "num_cpus": 1}
    return rows.map_batches(worker, fn_constructor_args=arguments, **given)


def given(images: Any, column: str | None, name: str, pages: Pages, size: int) -> tuple[Any, Files | Column, int]:
    """A data set of Ray, how images are found in its rows, and how many rows an actor gets at a time. size: images."""
    if hasattr(images, "map_batches"):
        return images, columns_of(images, column, name), size
    several = [images] if isinstance(images, str | PathLike) else list(images)
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
    import ray

    images = Images.of(named_images(patterns))
    require_text(images.names, "predict without Ray")
    size *= -(-len(images.names) // (size * TASKS))
    rows = [{"names": images.names[start : start + size]} for start in range(0, len(images.names), size)]
    return ray.data.from_items(rows, override_num_blocks=len(rows)), Files(images.folder, pages)
