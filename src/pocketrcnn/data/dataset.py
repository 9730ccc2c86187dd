"""What a network is trained and evaluated on: the contract of a data set."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import torch
from torch import Tensor

from ..model.structures import Batch
from .boxes import Boxes
from .images.views import Views


class Dataset(Protocol):
    """Images, each of which has an index."""

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
        """The images at `indices`, int64 [B], with their objects, on the device of the data set."""


@runtime_checkable
class EvaluationDataset(Dataset, Protocol):
    """A data set whose detections can be evaluated in pixels of the images. Its batches are of views of them."""

    def views_of(self, indices: Tensor) -> Tensor:
        """The indices of all views of these images: int64 [B] -> int64 [V], one image after the other."""

    def image_of(self, view: int) -> int:
        """The image that a view is of."""

    def seen(self, index: int) -> Views:
        """How the network sees the image at this index."""

    def ground_truth(self, index: int) -> Boxes:
        """The objects of the image at this index, crowds included, in pixels of the image."""
