"""Prediction with the ONNX file that `pocketrcnn export` writes: numpy, Pillow and onnxruntime, and no torch.

Used like `custom.detector.Detector`, with numpy arrays in place of tensors.
Legend: B images, M detections an image, S the side of the input in pixels.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from ...data.images.pixels import Pixels, Source, read_image
from ...errors import UserError
from ...model.interchange import Detections
from ..detection import detect

KEY = "pocketrcnn"  # of our entry in the file's metadata
SCHEMA = 1  # raised when older versions of this file can no longer read what `export` writes
INPUT, OUTPUTS = "images", ("boxes", "scores", "labels")
BATCH = 16
SEVERITY = 4  # of what onnxruntime itself prints: fatal errors alone, since all others are raised


@dataclass(frozen=True, eq=False)
class Detector:
    """An exported network that is called with images.

    classes: names of the labels. threshold: score in 0..1 from which on detections count by default.
    side: pixels of the square input; longer images are downscaled to fit, none are enlarged.
    """

    session: Any
    classes: tuple[str, ...]
    threshold: float
    side: int

    @classmethod
    def load(cls, path: str | Path, threads: int = 0) -> Detector:
        """From a file of `pocketrcnn export`. threads: of the processor; 0 for one a core.

        Raises UserError when the file is missing, damaged, not ours or of a newer version, or onnxruntime is missing.
        """
        if Path(path).is_dir():
            raise UserError(f"{path} is a folder: name the file that `pocketrcnn export` wrote")
        try:
            content = Path(path).read_bytes()
        except OSError as error:
            raise UserError(f"{path} cannot be read ({error.strerror}): name a file of `pocketrcnn export`") from error
        session = open_session(content, str(path), threads)
        return cls(session, *metadata_of(session, str(path)))

    def __call__(
        self, images: Source | Iterable[Source], threshold: float | None = None, batch: int = BATCH
    ) -> Detections:
        """One image or several -> Detections [B,M], boxes in pixels of each image, best first.

        images: paths, Pillow images and arrays as in `data.images.pixels.read_image`; their sizes may differ.
        threshold: detections of lower score are dropped. batch: images that are computed at once.
        Raises UserError for what is no image, and names the file.
        """
        shown_from = self.threshold if threshold is None else threshold
        return detect(
            partial(run_session, self.session), self.side, images, read_image, threshold=shown_from, batch=batch
        )


def run_session(session: Any, inputs: Pixels) -> Detections:
    """Inputs uint8 [B,S,S,3] to the detections [B,M] in their pixels."""
    return Detections(*session.run(OUTPUTS, {INPUT: inputs}))


def open_session(content: bytes, where: str, threads: int = 0) -> Any:
    """An ONNX file, ready to run on the processor. `where` names it in error messages."""
    try:
        import onnxruntime
    except ImportError as error:
        raise UserError("onnxruntime is not installed: `pip install onnxruntime`, then try again") from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = threads, SEVERITY
    try:
        return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # a dozen classes, with no common one above them
        raise UserError(f"{where} is damaged or no ONNX file: export the run again, or copy the file again") from error


def metadata_of(session: Any, where: str) -> tuple[tuple[str, ...], float, int]:
    """Classes, threshold and side, as `export` wrote them into the file."""
    text = session.get_modelmeta().custom_metadata_map.get(KEY)
    if text is None:
        raise UserError(f"{where} is not a detector of pocketrcnn: name a file that `pocketrcnn export` wrote")
    try:
        metadata = json.loads(text)
        if metadata["schema"] > SCHEMA:
            raise UserError(
                f"{where} was written by pocketrcnn {metadata['version']}, which is newer than this one: "
                "install that version from a clone of the project, or export the run again with this version"
            )
        return tuple(map(str, metadata["classes"])), float(metadata["threshold"]), int(metadata["side"])
    except (ValueError, KeyError, TypeError) as error:
        if isinstance(error, UserError):
            raise
        raise UserError(f"{where} is damaged (it does not say what it holds): export the run again") from error
