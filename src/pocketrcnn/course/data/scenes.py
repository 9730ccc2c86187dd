"""Transformed CIFAR-10: each object on a background, scaled and placed at random (course, section 2).

Whole batches at once, on the device that holds the pictures. Every sum is one of whole numbers below 2**24, which
float32 holds exactly, so the pixels do not depend on device, number of threads or order of summation.

Shapes: B images in a batch, N objects in a pool, M backgrounds.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Generator, Tensor

from .cifar import SIDE

FRAME = 48  # pixels
SMALLEST, LARGEST = 24, 40  # pixels, sides of an object, both included
FIXED_SEED = 0
WIDE = {"cuda": torch.float64}  # elsewhere float32; a GPU may be set to TF32, which holds whole numbers to 2**11 only
CHUNK = 500  # images composed at once for a fixed set, which bounds the memory


@dataclass(frozen=True)
class Placement:
    """Where the objects of a batch go: all int64 [B].

    width: side in pixels, 24..40; top, left: 0..48-width; step: which background, as `Pools.background` reads it.
    """

    width: Tensor
    top: Tensor
    left: Tensor
    step: Tensor

    def __getitem__(self, part: slice) -> Placement:
        return Placement(self.width[part], self.top[part], self.left[part], self.step[part])

    def to(self, device: torch.device) -> Placement:
        """The same on another device."""
        return Placement(self.width.to(device), self.top.to(device), self.left.to(device), self.step.to(device))

    @property
    def boxes(self) -> Tensor:
        """The squares that the objects cover: float32 [B,1,4], xyxy in pixels of the frame."""
        return corners(self.width, self.top, self.left)[:, None]


def corners(width: Tensor, top: Tensor, left: Tensor) -> Tensor:
    """The boxes of squares: int64 [...] each -> float32 [...,4], xyxy in pixels."""
    return torch.stack((left, top, left + width, top + width), -1).float()


@dataclass(frozen=True)
class Pools:
    """What scenes are made of: objects uint8 [N,3,32,32], their classes int64 [N], backgrounds uint8 [M,3,32,32].

    `shared`: both are the same images; then an object never stands on itself.
    """

    objects: Tensor
    labels: Tensor
    backgrounds: Tensor
    shared: bool = False

    def to(self, device: torch.device) -> Pools:
        """The same pictures on another device."""
        objects = self.objects.to(device)
        backgrounds = objects if self.shared else self.backgrounds.to(device)
        return Pools(objects, self.labels.to(device), backgrounds, self.shared)

    def place(self, count: int, generator: Generator | None = None) -> Placement:
        """Draw `count` placements, on the CPU so that every device shows the same; None: torch's global generator."""
        width = torch.randint(SMALLEST, LARGEST + 1, (count,), generator=generator)
        # A remainder of 24 bits favours no position by more than 2 in a million.
        free = FRAME + 1 - width
        top = torch.randint(1 << 24, (count,), generator=generator) % free
        left = torch.randint(1 << 24, (count,), generator=generator) % free
        step = torch.randint(int(self.shared), len(self.backgrounds), (count,), generator=generator)
        return Placement(width, top, left, step)

    def background(self, indices: Tensor, step: Tensor) -> Tensor:
        """Backgrounds for the objects `indices` [B]: uint8 [B,3,32,32]; of shared images, `step` behind the object."""
        return self.backgrounds[(indices + step) % len(self.backgrounds) if self.shared else step]

    def compose(self, indices: Tensor, placement: Placement) -> Tensor:
        """The scenes of the objects `indices` [B]: uint8 [B,3,48,48]."""
        return compose(self.objects[indices], self.background(indices, placement.step), placement)

    def fixed(self) -> tuple[Tensor, Tensor]:
        """One scene an object, always the same: uint8 [N,3,48,48] and boxes float32 [N,1,4]."""
        count = len(self.objects)
        placement = self.place(count, Generator().manual_seed(FIXED_SEED))
        images = torch.empty(count, 3, FRAME, FRAME, dtype=torch.uint8)
        for start in range(0, count, CHUNK):
            part = slice(start, min(start + CHUNK, count))
            images[part] = self.compose(torch.arange(part.start, part.stop), placement[part])
        return images, placement.boxes


def compose(objects: Tensor, backgrounds: Tensor, placement: Placement) -> Tensor:
    """Objects over backgrounds, both uint8 [B,3,32,32]: uint8 [B,3,48,48].

    The background is enlarged to the frame. The object covers exactly its square: resampled bilinearly, with
    half-pixel centres, clamped at its border. Both round half up.
    """
    zero = torch.zeros(1, dtype=torch.int64, device=objects.device)
    mask = square(placement.width, placement.top, placement.left)
    pasted = resample(objects, placement.width, placement.top, placement.left)  # [B,3,48,48]
    sums = torch.where(mask, pasted, resample(backgrounds, zero + FRAME, zero, zero))
    return levels(sums, torch.where(mask, placement.width[:, None, None, None], FRAME))


def levels(sums: Tensor, width: Tensor) -> Tensor:
    """What `resample` gave for squares of side `width`, int64 that broadcasts, as pixels, rounded half up: uint8."""
    scale = width.float().mul_(2).square_()
    # Half a unit more than rounding half up asks for: then no quotient is so near a whole number that the
    # last bit of the division matters.
    return sums.add_((scale + 1) / 2).div_(scale).to(torch.uint8)


def resample(images: Tensor, width: Tensor, top: Tensor, left: Tensor, frame: int = FRAME) -> Tensor:
    """Scale images uint8 [B,3,32,32] to squares of side `width` in an empty frame: whole numbers [B,3,48,48].

    A_y . image . A_x^T, bilinear, times (2*width)**2. `width`, `top`, `left`: int64 [B], or [1] for all alike.
    `frame`: another side than 48, of up to 128 pixels, beyond which float32 would round the sums.
    """
    rows = interpolation(width, top, frame)  # [B,48,32]
    columns = interpolation(width, left, frame)
    with torch.autocast("cpu", enabled=False):  # bfloat16 would round the sums
        across = images.to(rows.dtype).flatten(1, 2) @ columns.mT  # [B,96,48]
        return rows[:, None] @ across.reshape(-1, 3, SIDE, frame)


def interpolation(width: Tensor, start: Tensor, frame: int = FRAME) -> Tensor:
    """Bilinear weights from 32 pixels to `width` of the frame's 48, from `start` on: [B,48,32].

    Weights are whole numbers, held as float, 2*width in all for each row that the object covers, and 0 for the others.
    """
    unit = 2.0 * width[:, None]  # [B,1], so that half-pixel centres are whole numbers
    pixel = torch.arange(frame, device=width.device) - start[:, None]  # [B,48], from the object's border
    centre = (pixel + 0.5) * 2 * SIDE - width[:, None]  # [B,48], in the image, a pixel being `unit` wide
    centre = centre.clamp(min=0).minimum((SIDE - 1) * unit)
    source = torch.arange(SIDE, device=width.device) * unit  # [B,32]
    weights = unit[..., None] - (centre[..., None] - source[:, None]).abs()  # [B,48,32]
    weights = weights.clamp_(min=0).mul_(inside(width, start, frame)[..., None])
    return weights.to(WIDE.get(width.device.type, torch.float32))


def inside(width: Tensor, start: Tensor, frame: int = FRAME) -> Tensor:
    """Which of the frame's 48 rows or columns the object covers: bool [B,48]."""
    pixel = torch.arange(frame, device=width.device) - start[:, None]
    return (pixel >= 0) & (pixel < width[:, None])


def square(width: Tensor, top: Tensor, left: Tensor, frame: int = FRAME) -> Tensor:
    """Which pixels of the frame the objects cover: int64 [B] each -> bool [B,1,48,48]."""
    return (inside(width, top, frame)[:, :, None] & inside(width, left, frame)[:, None, :])[:, None]
