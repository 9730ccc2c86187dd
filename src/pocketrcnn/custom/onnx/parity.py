"""Does an ONNX file give the detections of torch? The check that `export` makes before it writes, and its images.

Legend: B images, M detections an image, S the side of the input in pixels.
"""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from ...config import Pages
from ...data.annotations import SPLITS
from ...data.custom_data import RunData
from ...data.dataset import Dataset
from ...data.images.pixels import Pixels, read_image
from ...errors import UserError
from ...model.interchange import Detections
from ...training.timing import alternate
from ..detection import seen
from ..detector import Detector
from .runtime import open_session, run_session

VERIFIED = 16  # images
BOX, SCORE = 0.01, 1e-4  # pixels of the input, and probability: further apart are two different detections
# Where two scores or overlaps are equal but for rounding, torch and onnxruntime may decide differently which box stays;
# of detections down to the lowest scores, so many still have to be the same.
MIN_SAME = 0.99


class Whole(nn.Module):
    """Inputs uint8 [B,S,S,3] -> boxes [B,M,4] in their pixels, scores [B,M], labels [B,M], -1 for padding."""

    def __init__(self, detector: Detector) -> None:
        super().__init__()
        self.detector = detector.model

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        detections = self.detector.detect(images.permute(0, 3, 1, 2))
        return detections.boxes, detections.scores, detections.labels


@dataclass
class Agreement:
    """How far two detectors agree: detections that both have, of how many; the largest differences between these, in
    pixels of the input and of scores; milliseconds an image of each detector, the median."""

    same: int = 0
    total: int = 0
    box: float = 0.0
    score: float = 0.0
    milliseconds: tuple[float, float] = (0.0, 0.0)

    def add(self, ours: Detections, theirs: Detections) -> None:
        """The detections of one image: same class, box within BOX and score within SCORE, one for one."""
        apart = np.abs(ours.boxes[:, None] - theirs.boxes[None]).max(-1, initial=0)  # [m,n]
        differ = np.abs(ours.scores[:, None] - theirs.scores[None])
        close = (ours.labels[:, None] == theirs.labels) & (apart <= BOX) & (differ <= SCORE)
        for row in np.flatnonzero(close.any(1)):
            if not close[row].any():
                continue  # its only partner is taken
            column = int(np.where(close[row], apart[row], np.inf).argmin())
            close[:, column] = False
            self.same += 1
            self.box, self.score = max(self.box, apart[row, column]), max(self.score, differ[row, column])
        self.total += max(len(ours), len(theirs))

    def __str__(self) -> str:
        return f"{self.same:,} of {self.total:,} detections are the same, boxes within {self.box:.1g} px, " + (
            f"scores within {self.score:.1g}; {self.milliseconds[0]:.1f} ms an image, torch {self.milliseconds[1]:.1f}"
        )


def compare(content: bytes, model: Whole, inputs: Pixels, where: str) -> Agreement:
    """The detections of an ONNX file and of torch in float32, in inputs uint8 [B,S,S,3], one after the other.

    Both have as many threads as torch has. `where` names the file in messages.
    """
    session = open_session(content, where, torch.get_num_threads())
    agreement = Agreement()
    for image in inputs[:, None]:  # [1,S,S,3]
        agreement.add(run_session(session, image, where)[0], run_torch(model, image)[0])
    ours, theirs = cycle(inputs[:, None]), cycle(inputs[:, None])
    seconds = alternate(
        lambda: run_session(session, next(ours), where), lambda: run_torch(model, next(theirs)), len(inputs)
    )
    agreement.milliseconds = 1000 * seconds[0], 1000 * seconds[1]
    return agreement


def verify(content: bytes, model: Whole, inputs: Pixels, where: str) -> Agreement:
    """`compare`. Raises UserError when they do not agree."""
    agreement = compare(content, model, inputs, where)
    if agreement.same < MIN_SAME * agreement.total:
        raise UserError(
            f"{where} and torch differ: only {agreement.same:,} of {agreement.total:,} detections are the same; "
            "nothing was written: please report this with the versions of torch, onnxscript and onnxruntime"
        )
    return agreement


@torch.inference_mode()
def run_torch(model: Whole, inputs: Pixels) -> Detections:
    """What `runtime.run_session` returns, from torch."""
    return Detections(*(output.numpy() for output in model(torch.from_numpy(inputs))))


def dataset_inputs(dataset: Dataset) -> tuple[Pixels, str]:
    """The first images of a data set, as inputs uint8 [B,S,S,3], and what they are, in words."""
    images = dataset.batch(torch.arange(min(VERIFIED, len(dataset)))).images
    return images.permute(0, 2, 3, 1).contiguous().numpy(), f"images ({dataset.name})"


def noise_inputs(side: int) -> Pixels:
    """Inputs uint8 [B,S,S,3] of noise, the same each time."""
    return np.random.default_rng(0).integers(0, 256, (VERIFIED, side, side, 3), np.uint8)


def folder_inputs(data: RunData, side: int) -> tuple[Pixels, str]:
    """The first images of the test split, or else of the validation or training split, and which they are, in words.
    Broken ones are skipped. Raises UserError without any image.
    """
    config, custom = data.config, data.opened
    split = next((name for name in reversed(SPLITS) if name in custom.splits), "")
    paths = [one.path for one in custom.annotations.split(split)][:VERIFIED]
    inputs = list(readable(paths, side, config.tile_overlap, config.pages))
    if not inputs:
        raise UserError(f"{config.source} has no images that can be read")
    return np.stack(inputs), f"{split} images"


def readable(paths: Sequence[Path], side: int, overlap: int = 0, pages: Pages = "first") -> Iterator[Pixels]:
    """The inputs from the images that can be read, of tiles the first."""
    for path in paths:
        with suppress(UserError):
            yield next(seen(read_image(path, pages), side, overlap))[1]
