"""Prediction with the ONNX file that `pocketrcnn export` writes: numpy, Pillow and onnxruntime, and no torch.

Used like `custom.detector.Detector`, with numpy arrays in place of tensors.
Legend: B images, M detections an image, S the side of the input in pixels.
"""

from __future__ import annotations

import hashlib
import os
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any, get_args

import numpy as np

from ...config import Pages
from ...data.images.pixels import Pixels, Source
from ...data.json_text import decoded
from ...errors import UserError
from ...model import interchange
from ...model.interchange import PADDING
from ..detection import detect, in_one_line, stream
from ..detections import Detections
from ..inputs import Order
from ..options import TIMEOUT
from .checksum import checksum_holds

NAME = "model.onnx"  # in the folder of a run
KEY = "pocketrcnn"  # of our entry in the file's metadata
SCHEMA = 1  # raised when older versions of this file can no longer read what `export` writes
TILED = 2  # of files for tiles, which older versions would run on images that are shrunk
CHECKSUM = "sha256"  # what the metadata of a file say that has one
INPUT, OUTPUTS = "images", ("boxes", "scores", "labels")
LARGEST_SIDE = 8192  # pixels of an input, as in training: an image takes 200 MB
BATCH = 16
SEVERITY = 4  # of what onnxruntime itself prints: fatal errors alone, since all others are raised
SLEEP = "session.intra_op.allow_spinning", "0"  # threads that wait: alone a tenth slower, beside others faster
ROUNDING = 1e-3  # by which a score may be above 1
REMEDY = "export the run again, or copy the file again"


@dataclass(frozen=True, eq=False, repr=False)
class Detector:
    """An exported network that is called with images.

    classes: names of the labels. threshold: score in 0..1 from which on detections count by default.
    side: pixels of the square input. where: the file. seconds: for a batch, after which it is stopped. content: of the
    file. threads: of the processor; 0 for OMP_NUM_THREADS, or one a core. overlap: of the tiles in which images larger
    than the input are looked at, in pixels; 0: these are downscaled. None are enlarged. pages: what is read of a file
    of several. made_of: hash of the file of weights that it was made of; empty in files of older versions.
    """

    session: Any
    classes: tuple[str, ...]
    threshold: float
    side: int
    where: str = "the ONNX file"
    seconds: float = TIMEOUT
    overlap: int = 0
    content: bytes = b""
    threads: int = 0
    pages: Pages = "first"
    made_of: str = ""

    @classmethod
    def load(cls, path: str | PathLike[str], threads: int = 0, seconds: float = TIMEOUT) -> Detector:
        """From a file of `pocketrcnn export`. threads: of the processor; 0 for OMP_NUM_THREADS, or one a core.
        seconds: for a batch.

        A file of an older version has no checksum: a line on stderr says so. Raises UserError when the file is missing,
        damaged, not ours or of a newer version, or onnxruntime is missing.
        """
        if Path(path).is_dir():
            raise UserError(f"{path} is a folder: name the file that `pocketrcnn export` wrote")
        try:
            content = Path(path).read_bytes()
        except OSError as error:
            raise UserError(f"{path} cannot be read ({error.strerror}): name a file of `pocketrcnn export`") from error
        whole = checksum_holds(content)
        if whole is False:
            raise UserError(f"{path} is damaged (its checksum differs from its content): {REMEDY}")
        session = open_session(content, str(path), threads)
        metadata = metadata_of(session, str(path))
        if whole is None and metadata.get("checksum"):
            raise UserError(f"{path} is damaged (its checksum is missing): {REMEDY}")
        require_form(session, metadata["side"], str(path))
        if whole is None:
            note = f"{path} has no checksum, so that damage to it is not noticed: export the run again to give it one"
            print(note, file=sys.stderr)
        classes = tuple(metadata["classes"])
        return cls(
            session,
            classes,
            float(metadata["threshold"]),
            metadata["side"],
            str(path),
            seconds,
            overlap_of(metadata),
            content,
            threads,
            metadata.get("pages", "first"),
            str(metadata.get("weights", "")),
        )

    def __call__(
        self,
        images: Source | Iterable[Source],
        threshold: float | None = None,
        batch: int = BATCH,
        order: Order = "rgb",
    ) -> Detections:
        """One image or several -> Detections [B,M], boxes in pixels of each image, best first.

        images: paths, bytes, binary files, Pillow images and arrays as in `data.images.pixels.read_image`; their sizes
        may differ. order: of the channels of arrays: `rgb`, or `bgr` for those of OpenCV.
        threshold: detections of lower score are dropped. batch: images that are computed at once.
        Raises UserError for what is no image, and names the file or its place; types are checked before any is read.
        """
        return detect(self, images, threshold=threshold, batch=batch, order=order)

    def stream(
        self, images: Iterable[Source], threshold: float | None = None, batch: int = BATCH, order: Order = "rgb"
    ) -> Iterator[Detections]:
        """The same for any number of images, one after the other, each [M]: only a batch of them is in memory."""
        return stream(self, images, threshold=threshold, batch=batch, order=order)

    def __repr__(self) -> str:
        return in_one_line(self, self.where)

    def __reduce__(self) -> tuple[Any, ...]:
        """For copies, and for other processes: a session cannot be copied, its file can."""
        return reopened, (self.content, self.threads, *self.facts)

    @property
    def facts(self) -> tuple[Any, ...]:
        """Everything but the session and what it is made of."""
        return self.classes, self.threshold, self.side, self.where, self.seconds, self.overlap, self.pages, self.made_of

    @property
    def fingerprint(self) -> str:
        """A hash of all that decides what is detected, but for threshold, processor and number of threads."""
        return hashlib.sha256(self.content).hexdigest()

    def network(self, inputs: Pixels) -> interchange.Detections:
        """Inputs uint8 [B,S,S,3] to the detections [B,M] in their pixels. Raises UserError for impossible ones."""
        found = run_session(self.session, inputs, self.where, self.seconds)
        labels = (found.labels >= PADDING) & (found.labels < len(self.classes))
        scores = (found.scores >= 0) & (found.scores <= 1 + ROUNDING)  # no NaN is either
        if not (labels.all() and scores.all() and np.isfinite(found.boxes).all()):
            raise UserError(f"{self.where} gives labels, scores or boxes that cannot be: it was changed, {REMEDY}")
        return found


def reopened(content: bytes, threads: int, classes: tuple[str, ...], threshold: float, *more: Any) -> Detector:
    """A detector again, with a session of its own."""
    side, where, seconds, overlap, *rest = more
    session = open_session(content, where, threads)
    return Detector(session, classes, threshold, side, where, seconds, overlap, content, threads, *rest)


def run_session(
    session: Any, inputs: Pixels, where: str = "the ONNX file", seconds: float = TIMEOUT
) -> interchange.Detections:
    """Inputs uint8 [B,S,S,3] to the detections [B,M] in their pixels. `where` names the file in error messages.

    Raises UserError where that fails, or takes longer than so many seconds.
    """
    try:
        with limited(seconds) as (options, stopped):
            boxes, scores, labels = session.run(OUTPUTS, {INPUT: inputs}, options)
    except Exception as error:  # a dozen classes, with no common one above them
        if stopped.is_set():
            late = f"{where} was stopped after {seconds:g} s for a batch"
            raise UserError(f"{late}: allow it more with --timeout, or a smaller --batch") from error
        raise UserError(f"{where} cannot be run ({reason(error)}): {REMEDY}") from error
    if (
        scores.ndim != 2
        or len(scores) != len(inputs)
        or (labels.shape, boxes.shape) != (scores.shape, (*scores.shape, 4))
    ):
        raise UserError(f"{where} gives arrays of other shapes than an exported detector: {REMEDY}")
    return interchange.Detections(boxes, scores, labels)


@contextmanager
def limited(seconds: float) -> Iterator[tuple[Any, threading.Event]]:
    """Options of a run that onnxruntime ends after so many seconds, between two operators; whether that was done."""
    import onnxruntime

    options, stopped = onnxruntime.RunOptions(), threading.Event()

    def stop() -> None:
        stopped.set()
        options.terminate = True

    timer = threading.Timer(min(seconds, threading.TIMEOUT_MAX), stop)
    timer.daemon = True
    timer.start()
    try:
        yield options, stopped
    finally:
        timer.cancel()


def threads_asked() -> int:
    """OMP_NUM_THREADS, which torch follows by itself; 0 without it."""
    number = os.environ.get("OMP_NUM_THREADS", "").split(",")[0]
    return int(number) if number.isdecimal() else 0


def open_session(content: bytes, where: str, threads: int = 0) -> Any:
    """An ONNX file, ready to run on the processor. `where` names it in error messages."""
    try:
        import onnxruntime
    except ImportError as error:
        raise UserError("onnxruntime is not installed: `pip install onnxruntime`, then try again") from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = threads or threads_asked(), SEVERITY
    options.add_session_config_entry(*SLEEP)
    onnxruntime.set_default_logger_severity(SEVERITY)
    try:  # without another try after an error, which onnxruntime would announce on standard output
        return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"], enable_fallback=0)
    except Exception as error:  # a dozen classes, with no common one above them
        raise UserError(f"{where} is damaged or no ONNX file: {REMEDY}") from error


def metadata_of(session: Any, where: str) -> dict[str, Any]:
    """What `export` wrote: `classes`, `threshold`, `side`; `tiles`, `pages` and `checksum` where it has them."""
    damaged = f"{where} is damaged (it does not say what it holds): {REMEDY}"
    try:
        text = session.get_modelmeta().custom_metadata_map.get(KEY)
        metadata: Any = None if text is None else decoded(text)
    except Exception as error:  # of onnxruntime, for what is no text
        raise UserError(damaged) from error
    if text is None:
        raise UserError(f"{where} is not a detector of pocketrcnn: name a file that `pocketrcnn export` wrote")
    schema = metadata.get("schema") if isinstance(metadata, dict) else None
    if isinstance(schema, int) and schema > TILED:
        raise UserError(
            f"{where} was written by pocketrcnn {metadata.get('version')}, which is newer than this one: "
            "install that version from a clone of the project, or export the run again with this version"
        )
    if schema not in (SCHEMA, TILED) or not is_usable(metadata):
        raise UserError(damaged)
    return dict(metadata)


def is_usable(metadata: dict[str, Any]) -> bool:
    """Whether classes, threshold, side and pages are what they should be."""
    classes, threshold, side = (metadata.get(name) for name in ("classes", "threshold", "side"))
    names = isinstance(classes, list) and classes and all(isinstance(name, str) for name in classes)
    score = isinstance(threshold, int | float) and 0 <= threshold <= 1
    square = isinstance(side, int) and 0 < side <= LARGEST_SIDE
    known = metadata.get("pages", "first") in get_args(Pages)
    return bool(names and score and square and known) and has_tiles(metadata) == (metadata["schema"] == TILED)


def has_tiles(metadata: dict[str, Any]) -> bool:
    """Whether a file is for tiles that overlap by at most half of their side."""
    tiles = metadata.get("tiles")
    overlap = tiles.get("overlap") if isinstance(tiles, dict) else None
    return isinstance(overlap, int) and 0 < 2 * overlap <= metadata["side"]


def overlap_of(metadata: dict[str, Any]) -> int:
    """Pixels by which tiles overlap; 0 for a file without tiles."""
    return int(metadata["tiles"]["overlap"]) if has_tiles(metadata) else 0


def require_form(session: Any, side: int, where: str) -> None:
    """Raises UserError where input and outputs of a file are not those of an exported detector."""
    try:
        inputs, outputs = (
            {value.name: (value.type, list(value.shape[1:])) for value in values}
            for values in (session.get_inputs(), session.get_outputs())
        )
    except Exception as error:  # of onnxruntime, for what is no array
        raise UserError(f"{where} has inputs or outputs that are no arrays: {REMEDY}") from error
    most = outputs["scores"][1][:1] if "scores" in outputs else []
    floats = {"boxes": ("tensor(float)", [*most, 4]), "scores": ("tensor(float)", most)}
    wanted = floats | {"labels": ("tensor(int64)", most)}
    if inputs != {INPUT: ("tensor(uint8)", [side, side, 3])} or outputs != wanted:
        raise UserError(f"{where} has other inputs or outputs than an exported detector: {REMEDY}")


def reason(error: Exception) -> str:
    """The beginning of what an error says, in one line."""
    return (str(error).splitlines() or [type(error).__name__])[0][:200]
