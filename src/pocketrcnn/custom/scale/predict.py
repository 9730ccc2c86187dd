"""`pocketrcnn.scale.predict`: detections in any number of images, by a pipeline of Ray Data."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

from ...config import Pages
from ...errors import require
from ..loading import load_detector
from ..options import TIMEOUT, PredictOptions
from ..predict import Predictor
from .engine import require_ray, with_actors
from .sources import ROWS, rows_of
from .worker import Files, Worker

if TYPE_CHECKING:
    from ray.data import Dataset


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
    rows, sources, size = rows_of(images, column, name, pages, size)
    folder = sources.folder if isinstance(sources, Files) else ""
    return with_actors(rows, Worker, (detector, sources, options, folder), size, workers)


def on_processor(detector: Predictor) -> Predictor:
    """A detector as actors have it, without a graphics card."""
    model = getattr(detector, "model", None)
    return dataclasses.replace(detector, model=model.cpu()) if model is not None else detector  # type: ignore[type-var]
