"""Regions cut out of images by the layers that cut them out of feature maps, as pictures. torch only when called."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .marks import png_uri

if TYPE_CHECKING:
    from torch import Tensor


def png(image: Tensor) -> str:
    """uint8 [3,H,W] as a lossless data URI."""
    return png_uri(image.permute(1, 2, 0).contiguous().cpu().numpy())


def crops(images: Tensor, regions: Tensor, frame: int, size: int, pool: str = "transformer") -> list[str]:
    """Pixels uint8 [B,3,S,S], boxes [B,P,4] in inputs of `frame` pixels -> B*P pictures of so many pixels a side.

    pool: one of `model.roi.POOLS`.
    """
    import torch

    from ..model.roi import POOLS

    sampled = POOLS[pool](images.float(), regions, frame, size)
    return [png(crop) for crop in sampled.round().clamp(0, 255).to(torch.uint8)]
