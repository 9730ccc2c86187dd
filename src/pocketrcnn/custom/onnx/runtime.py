"""Prediction with the ONNX file that `pocketrcnn export` writes: numpy, Pillow and onnxruntime, and no torch.

Called and read as `predictor.Detector` is, with numpy arrays in place of tensors.
Legend: B images, M detections an image, S the side of the input in pixels.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...data.images.letterbox import letterbox
from ...data.images.pixels import Pixels, Source, in_batches, read_image
from ...errors import UserError
from ...model import interchange

KEY = "pocketrcnn"  # of our entry in the file's metadata
SCHEMA = 1  # raised when older versions of this file can no longer read what `export` writes
INPUT, OUTPUTS = "images", ("boxes", "scores", "labels")
PADDING = -1
BATCH = 16
SEVERITY = 4  # of what onnxruntime itself prints: fatal errors alone, since all others are raised


@dataclass(frozen=True, eq=False)
class Detections:
    """What was found, best first, padded: the same as `structures.Detections`, in numpy.

    boxes: float32 [B,M,4], xyxy in pixels of each image; scores: float32 [B,M] in 0..1; labels: int64 [B,M], -1 where
    there is no detection. `detections[i]` is image i alone, without padding; `detections[i:j]` are these images,
    padded as they were.
    """

    boxes: NDArray[np.float32]
    scores: NDArray[np.float32]
    labels: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: Any) -> Detections:
        labels = self.labels[index]
        keep = labels != PADDING if labels.ndim < 2 else ...  # [M]
        return Detections(self.boxes[index][keep], self.scores[index][keep], labels[keep])

    def to_coco(
        self, image_ids: Sequence[Any] | None = None, category_ids: Sequence[Any] | None = None
    ) -> list[dict[str, Any]]:
        """COCO's results, plain numbers, of a batch or of one image; ids count from 1: see `interchange.to_coco`."""
        return interchange.to_coco(self, image_ids, category_ids)

    def to_supervision(self) -> Any:
        """One image's detections as `supervision.Detections`: see `interchange.to_supervision`."""
        return interchange.to_supervision(self)


@dataclass(frozen=True, eq=False)
class Detector:
    """An exported network that is called with images.

    classes: names of the labels. threshold: score in 0..1 from which on detections count, if a call names no other.
    side: pixels of the square input; images that are longer are made smaller to fit, none are enlarged.
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
        session = open_session(content_of(Path(path)), str(path), threads)
        return cls(session, *facts_of(session, str(path)))

    def __call__(
        self, images: Source | Iterable[Source], threshold: float | None = None, batch: int = BATCH
    ) -> Detections:
        """One image or several -> Detections [B,M], boxes in pixels of each image, best first.

        images: paths, Pillow images and arrays as in `data.pixels.read_image`; their sizes may differ.
        threshold: detections of lower score are left out. batch: images that are computed at once.
        Raises UserError for what is no image, and names the file.
        """
        least = self.threshold if threshold is None else threshold
        interchange.check_call(least, batch)
        found = [self._detect([*map(read_image, part)], least) for part in in_batches(images, batch)]
        return padded([one for part in found for one in part])

    def _detect(self, images: list[Pixels], least: float) -> list[Detections]:
        """The detections of one batch, each image alone, in its own pixels."""
        frames, scales = zip(*(letterbox(image, self.side) for image in images), strict=True)
        rows = zip(*detect(self.session, np.stack(frames)), images, scales, strict=True)
        return [in_image(Detections(*row[:3]), row[3], row[4], least) for row in rows]


def in_image(found: Detections, image: Pixels, scales: tuple[float, float], least: float) -> Detections:
    """Detections in a frame, [M], as those in its image; what lies in the grey beside the image is left out."""
    height, width = image.shape[:2]
    corners = (found.boxes * np.tile(1 / np.array(scales), 2)).astype(np.float32)  # x, y, x, y
    corners = corners.clip(0, np.array([width, height, width, height], np.float32))
    with_area = (corners[:, 2:] > corners[:, :2]).all(1)
    keep = (found.labels != PADDING) & (found.scores >= least) & with_area
    return Detections(corners[keep], found.scores[keep], found.labels[keep])


def padded(found: list[Detections]) -> Detections:
    """Single images as a batch, M the most detections of one."""
    most = max([0, *map(len, found)])
    boxes = np.zeros((len(found), most, 4), np.float32)
    scores = np.zeros((len(found), most), np.float32)
    labels = np.full((len(found), most), PADDING, np.int64)
    for row, one in enumerate(found):
        boxes[row, : len(one)], scores[row, : len(one)], labels[row, : len(one)] = one.boxes, one.scores, one.labels
    return Detections(boxes, scores, labels)


def detect(session: Any, frames: Pixels) -> list[NDArray[Any]]:
    """Frames uint8 [B,S,S,3] -> boxes [B,M,4] in pixels of the frame, scores [B,M], labels [B,M], -1 for none."""
    outputs: list[NDArray[Any]] = session.run(OUTPUTS, {INPUT: frames})
    return outputs


def content_of(path: Path) -> bytes:
    """The bytes of a file, or a UserError that names it."""
    if path.is_dir():
        raise UserError(f"{path} is a folder: name the file that `pocketrcnn export` wrote")
    try:
        return path.read_bytes()
    except OSError as error:
        raise UserError(f"{path} cannot be read ({error.strerror}): name a file of `pocketrcnn export`") from error


def open_session(content: bytes, where: str, threads: int = 0) -> Any:
    """An ONNX file, ready to run on the processor. `where` names it in error messages."""
    try:
        import onnxruntime
    except ImportError as error:
        raise UserError("onnxruntime is not installed: `pip install 'pocket-rcnn[runtime]'`, then try again") from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = threads, SEVERITY
    try:
        return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # a class of its own for each of a dozen reasons, with nothing above them
        raise UserError(f"{where} is damaged or no ONNX file: export the run again, or copy the file again") from error


def facts_of(session: Any, where: str) -> tuple[tuple[str, ...], float, int]:
    """Classes, threshold and side, as `export` wrote them into the file."""
    text = session.get_modelmeta().custom_metadata_map.get(KEY)
    if text is None:
        raise UserError(f"{where} is not a detector of pocketrcnn: name a file that `pocketrcnn export` wrote")
    try:
        facts = json.loads(text)
        if facts["schema"] > SCHEMA:
            raise UserError(
                f"{where} was written by pocketrcnn {facts['version']}, which is newer than this one: "
                "`pip install --upgrade pocket-rcnn`, or export the run again with this version"
            )
        return tuple(map(str, facts["classes"])), float(facts["threshold"]), int(facts["side"])
    except (ValueError, KeyError, TypeError) as error:
        if isinstance(error, UserError):
            raise
        raise UserError(f"{where} is damaged (it does not say what it holds): export the run again") from error
