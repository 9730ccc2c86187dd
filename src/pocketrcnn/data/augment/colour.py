"""Random changes of colours, each image its own: uint8 [B,3,H,W] -> uint8 [B,3,H,W].

Legend: B images. A change c of a factor means a uniform factor from 1 - c to 1 + c.
"""

import math

import torch
from torch import Tensor

from .geometry import GREY, to_pixels

LUMA = (0.299, 0.587, 0.114)  # the eye's weights of red, green and blue (ITU-R BT.601)


def brightness_contrast(images: Tensor, brightness: float, contrast: float) -> Tensor:
    """Each image times a factor around its grey middle, plus an offset."""
    gain, offset = (2 * torch.rand(2, len(images), 1, 1, 1, device=images.device) - 1).unbind(0)  # [B,1,1,1]
    return to_pixels((images.float() - GREY) * (1 + contrast * gain) + GREY + 255 * brightness * offset)


def gamma(images: Tensor, max_change: float) -> Tensor:
    """Each image's values, from 0 to 1, to the power of a factor of up to 1 + max_change, log-uniform."""
    power = (math.log1p(max_change) * (2 * torch.rand(len(images), 1, 1, 1, device=images.device) - 1)).exp()
    return to_pixels(255 * (images.float() / 255) ** power)


def invert(images: Tensor, probability: float) -> Tensor:
    """Some images become their negatives, so that dark and bright microscopes look alike."""
    which = torch.rand(len(images), 1, 1, 1, device=images.device) < probability
    return torch.where(which, 255 - images, images)


def every_level(images: Tensor) -> Tensor:
    """Beside each image one of all values that a pixel can have: uint8 [B,1,1,256]. What it becomes is a table for
    `look_up`, so that changes of values are computed 256 times and not for every pixel."""
    return torch.arange(256, device=images.device).to(torch.uint8).expand(len(images), 1, 1, -1)


def look_up(images: Tensor, table: Tensor) -> Tensor:
    """Every value replaced by that of its image's table, uint8 [B,1,1,256]."""
    return table.flatten(1).gather(1, images.flatten(1).long()).view_as(images)


def saturation_hue(images: Tensor, saturation: float, hue: float, grey: float) -> Tensor:
    """Change saturation and hue, or take the colours away with the probability `grey`: one 3x3 matrix an image."""
    more, angle, coin = torch.rand(3, len(images), 1, 1, device=images.device).unbind(0)
    more, angle = 1 + saturation * (2 * more - 1), 2 * math.pi * hue * (2 * angle - 1)
    more = more.where(coin >= grey, 0)
    luma = torch.tensor(LUMA, device=images.device).expand(3, 3)
    colour = hue_rotation(angle) - luma  # what is left of each colour without its brightness
    matrix = luma + more * colour  # [B,3,3]
    return to_pixels(matrix @ images.flatten(2).float()).view_as(images)


def hue_rotation(angle: Tensor) -> Tensor:
    """Rotations of the colours about the axis of grey: radians [B,1,1] -> [B,3,3]. Grey stays what it is."""
    third = torch.full((3, 3), 1 / 3, device=angle.device)
    across = torch.tensor([[0.0, -1, 1], [1, 0, -1], [-1, 1, 0]], device=angle.device) / math.sqrt(3)
    return third + angle.cos() * (torch.eye(3, device=angle.device) - third) + angle.sin() * across


def gaussian_noise(images: Tensor, max_std: float) -> Tensor:
    """Gaussian noise; its standard deviation, 0 to `max_std` of the full range, is drawn for each image."""
    strength = 255 * max_std * torch.rand(len(images), 1, 1, 1, device=images.device)
    return to_pixels(images + strength * torch.randn(images.shape, device=images.device))
