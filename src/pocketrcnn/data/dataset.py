"""What a network is trained and evaluated on: the contract of a data set."""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..model.structures import Batch


class Dataset(Protocol):
    """Images by their index."""

    @property
    def name(self) -> str:
        """What is in it, for people."""

    @property
    def classes(self) -> list[str]:
        """Names of the labels 0, 1, 2..."""

    @property
    def size(self) -> int:
        """Side of the images in pixels."""

    def __len__(self) -> int: ...

    def to(self, device: torch.device) -> Dataset:
        """The same data set on another device."""

    def batch(self, indices: Tensor) -> Batch:
        """The images at `indices`, int64 [B], on the device of the data set."""


@runtime_checkable
class EvaluationDataset(Dataset, Protocol):
    """A data set whose detections can be evaluated in the pixels of the image files."""

    shapes: NDArray[np.int64]
    """Width and height of each image in pixels: [N,2]."""
    scales: NDArray[np.float64]
    """Input pixels for one of the image, to the right and down: [N,2]."""

    def truth(self, index: int) -> Any:
        """Boxes float64 [n,4] in pixels of the image file, labels [n], crowd flags [n] of one image."""
