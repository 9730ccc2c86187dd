"""A trained detector for images of any size and kind, and training in one call: what Python programs use.

Legend: B images, M detections an image, H and W rows and columns of pixels.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from os import PathLike
from pathlib import Path
from typing import Any, TypeAlias

import torch
from torch import Tensor

from ..config import Config, Pages
from ..data.images.pixels import Pixels, Source
from ..errors import UserError
from ..evaluation.thresholds import DEFAULT_THRESHOLD
from ..model import interchange, structures
from ..model.faster_rcnn import FasterRCNN
from ..training import config_file
from ..training.checkpoint import checksum, load_into, load_tensors
from ..training.device import DELIVERED, autocast, choose_device
from ..training.run import WEIGHTS, open_finished, threshold_of
from . import detections
from .builtin import is_builtin, weights_of
from .detection import detect, in_one_line, stream
from .folded import folded
from .inputs import Order

BATCH = 4  # images: with more, and the memory that they need, an image takes no less time on a processor
PRECISIONS = ("auto", "float32", "bfloat16")

OneImage: TypeAlias = Source | Tensor


@dataclass(frozen=True, eq=False)
class Detections(structures.Detections, detections.Detections):
    """Detections as tensors, on the CPU."""


def with_tensors(found: detections.Detections) -> Detections:
    """The same detections, with tensors in place of numpy's arrays."""
    boxes, scores, labels = map(torch.from_numpy, (found.boxes, found.scores, found.labels))
    return Detections(boxes, scores, labels, found.classes, found.image)


@dataclass(frozen=True, eq=False, repr=False)
class Detector:
    """A network that is called with images.

    classes: names of the labels. threshold: score in 0..1 from which on detections count by default: the one of best F1
    on the validation images of its training, else 0.5. precision: `float32`, `bfloat16`, or `auto`. where: the file.
    overlap: of the tiles in which images larger than the input are looked at, in pixels; 0: these are downscaled.
    pages: what is read of a file of several, as in training.
    """

    model: FasterRCNN
    classes: tuple[str, ...]
    threshold: float = DEFAULT_THRESHOLD
    precision: str = DELIVERED
    where: str = "in memory"
    overlap: int = 0
    pages: Pages = "first"

    @classmethod
    def load(cls, path: str | PathLike[str], device: str = "auto", precision: str = DELIVERED) -> Detector:
        """From path, the folder of a finished run, a file of weights in it, or, as `nuclei`, from inside the package
        (`builtin`). device: `auto`, `cpu` or `cuda`. precision: `float32`, `bfloat16`, or `auto`.

        Raises UserError for anything else, for a run that is not finished, and for one of another version.
        """
        if precision not in PRECISIONS:
            raise UserError(f"the precision `{precision}` is unknown: use {', '.join(PRECISIONS)}")
        path = weights_of(path) if is_builtin(path) else Path(path)
        if path.is_file() and path.suffix != Path(WEIGHTS).suffix:
            exported = path.suffix.lower() == ".onnx"
            remedy = "load it with `pocketrcnn.runtime`" if exported else "name the folder of a run, then the images"
            raise UserError(f"{path} is not a run: {remedy}")
        weights = path if path.is_file() else open_finished(path, "cpu").folder / WEIGHTS
        tensors, metadata = load_tensors(weights)
        if "config" not in metadata:
            raise UserError(f"{weights} holds no network to predict with: name the folder of a run, or its {WEIGHTS}")
        config = config_file.from_dict(metadata["config"], str(weights))
        model = FasterRCNN(config.model).eval()
        load_into(model, tensors, weights)
        threshold = threshold_of(metadata, weights, "restore it, or train again")
        shown_from = DEFAULT_THRESHOLD if threshold is None else threshold
        data = config.data
        known = class_names(config), shown_from, precision, str(weights), data.tile_overlap, data.pages
        return cls(model.to(choose_device(device)), *known)

    @property
    def side(self) -> int:
        """Pixels of the square input, and of the tiles."""
        return self.model.config.input_size

    @property
    def fingerprint(self) -> str:
        """A hash of all that decides what is detected, but for threshold, device and number of threads."""
        tensors = {name: tensor.cpu().contiguous() for name, tensor in sorted(self.model.state_dict().items())}
        return checksum(tensors, repr((self.model.config, self.classes, self.precision, self.overlap)))

    def __call__(
        self,
        images: OneImage | Iterable[OneImage],
        threshold: float | None = None,
        batch: int = BATCH,
        order: Order = "rgb",
    ) -> Detections:
        """One image or several -> Detections [B,M] on the CPU, boxes in pixels of each image, best first.

        images: paths, bytes, binary files, Pillow images, arrays as in `data.images.pixels.read_image`, or tensors
        [3,H,W] of the same kinds of values; or any number of these, also as a tensor [B,3,H,W]. Their sizes may differ.
        order: of the channels of arrays and tensors: `rgb`, or `bgr` for those of OpenCV.
        threshold: detections of lower score are dropped. batch: images that are computed at once.
        Raises UserError for what is no image, and names the file or its place; types are checked before any is read.
        """
        return with_tensors(detect(self, images, threshold=threshold, batch=batch, order=order, as_array=as_array))

    def stream(
        self, images: Iterable[OneImage], threshold: float | None = None, batch: int = BATCH, order: Order = "rgb"
    ) -> Iterator[Detections]:
        """The same for any number of images, one after the other, each [M]: only a batch of them is in memory.

        threshold, batch, order: as in a call of the detector. Raises UserError at the first that is no image.
        """
        found = stream(self, images, threshold=threshold, batch=batch, order=order, as_array=as_array)
        return map(with_tensors, found)

    def __repr__(self) -> str:
        return in_one_line(self, self.where)

    @cached_property
    def _folded(self) -> FasterRCNN:
        """The network as it detects, made when it first does. Later changes of `model` do not count."""
        return folded(self.model)

    @torch.inference_mode()
    def network(self, inputs: Pixels) -> interchange.Detections:
        """Inputs uint8 [B,S,S,3] to the detections [B,M] in their pixels."""
        device = self.model.mean.device
        with autocast(self.precision, device):
            return self._folded.detect(torch.from_numpy(inputs).permute(0, 3, 1, 2).to(device)).numpy()


def class_names(config: Config) -> tuple[str, ...]:
    """Names of the labels; a proposal network knows only that something is an object."""
    return config.data.classes if config.model.roi else ("object",)


def as_array(image: Any) -> Any:
    """A tensor [H,W] or [C,H,W] of 1, 3 or 4 channels as an array [H,W] or [H,W,C]; anything else as it is."""
    if not isinstance(image, Tensor):
        return image
    if image.ndim not in (2, 3) or (image.ndim == 3 and image.shape[0] not in (1, 3, 4)):
        shape = f"{str(image.dtype).removeprefix('torch.')} {[*image.shape]}"
        raise UserError(f"a tensor of {shape} is not an image: use [H,W] or [C,H,W] of 1, 3 or 4 channels")
    values = image.detach().cpu()
    values = values.float() if values.is_floating_point() else values  # numpy knows no bfloat16
    return (values if values.ndim == 2 else values.permute(1, 2, 0)).numpy()
