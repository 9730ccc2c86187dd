"""Files of several images: one of them, or one image of all (their maximum or mean). No torch here.

Projections are of the values in the file, before these become 8 bits, page by page: memory does not grow with their
number. Channels that have a page each are one image of up to three colours; projections go over its slices and times.

Shapes: H rows, W columns, C channels.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import IO, Any, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.ImageFile import ImageFile

from ...errors import UserError
from .arrays import three_channels
from .deep import deep_colours, is_deep
from .heads import head_of
from .identifying import explained, identified
from .orientation import rotation_of
from .raw import Opened, Raw
from .tiff_pages import layout_of

Projection = Literal["max", "mean"]
WITH_PREVIEWS = ("MPO",)  # formats whose further pictures are previews of the first
IN_WORDS = {"max": "the maximum", "mean": "the mean"}


@dataclass(frozen=True)
class Stack:
    """The images in a file. planes: int [N,C], the pages of each of N images. open_page: by its index."""

    name: str
    planes: NDArray[np.int64]
    open_page: Callable[[int], Opened]

    def __len__(self) -> int:
        return len(self.planes)

    def image(self, number: int) -> Opened:
        """The image of a number, counted from 1. Raises UserError where there is none."""
        if number > len(self):
            pages = "1 page" if len(self) == 1 else f"{len(self):,} pages"
            raise UserError(f"{self.name} has no page {number}: it holds {pages}")
        pages_of_it = self.planes[number - 1]
        return self.open_page(int(pages_of_it[0])) if len(pages_of_it) == 1 else combined(self, "max", number)

    def projection(self, how: Projection) -> Opened:
        """One image of all."""
        return combined(self, how)


def stack_of(image: Opened, file: IO[bytes], name: str) -> Stack:
    """The images of a file whose first one was opened. name: of the file, for messages."""
    if isinstance(image, Raw) or image.format == "TIFF":
        layout = layout_of(file)
        if layout is None or layout.count == 1:
            return Stack(name, np.zeros((1, 1), np.int64), lambda _: image)

        def page(index: int) -> Opened:
            at = f"{name}[{index // layout.planes.shape[1] + 1}]"
            return identified(layout.page(file, index, at), at)

        return Stack(name, layout.planes, page)

    def frame(index: int) -> Opened:
        image.seek(index)
        return image

    return Stack(name, np.arange(frames_of(image))[:, None], frame)


@dataclass(frozen=True, kw_only=True)
class Combined(Raw):
    """An image of several pages. how: their projection. stack: all of them; number: of the only one that counts."""

    stack: Stack
    how: Projection
    number: int | None

    @property
    def bytes_of_a_pixel(self) -> int:
        """Sums or maxima, a page while it is decoded, and the image."""
        held = np.dtype(self.sum_type).itemsize if self.how == "mean" else self.kind.itemsize
        return self.channels * (held + 3 * self.kind.itemsize) + 7

    @property
    def planes(self) -> NDArray[np.int64]:
        """int [N,C], the pages of the images that count."""
        return self.stack.planes if self.number is None else self.stack.planes[self.number - 1 : self.number]

    @property
    def read(self) -> str:
        """What is read of the pages, in words."""
        return f"{IN_WORDS[self.how]} is read" if self.number is None else "they are read as the colours of one image"

    def values(self) -> NDArray[Any]:
        """All channels [H,W,C]; of two the third is empty, as colours want it."""
        parts = [self.projected(channel) for channel in self.planes.T]
        if len(parts) == 2:
            parts.append(np.zeros_like(parts[0]))
        return np.concatenate(parts, axis=2) if len(parts) > 1 else parts[0]

    def projected(self, pages: Iterable[int]) -> NDArray[Any]:
        """The projection [H,W,C] of some pages. Raises UserError for one that differs from the first."""
        total, count = None, 0
        for index in pages:
            number = int(np.argwhere(self.stack.planes == index)[0, 0]) + 1
            with explained(f"{self.stack.name}[{number}]"):
                page = self.stack.open_page(int(index))
                self.require_same(page, number)
                values = values_of(page)
            count += 1
            if total is None:
                total = values.astype(self.sum_type) if self.how == "mean" else values.copy()
            elif self.how == "mean":
                np.add(total, values, out=total)
            else:
                np.fmax(total, values, out=total)
        assert total is not None, "a stack has a page"
        if self.how == "max":
            return total
        if self.kind.kind == "u" and self.sum_type == np.uint32:
            total += count // 2  # rounded
            total //= count
        else:
            total /= count
        return total.astype(self.kind, copy=False)

    @property
    def sum_type(self) -> type[np.generic]:
        """Holds the sum of as many values as there are pages."""
        return np.uint32 if self.kind in (np.uint8, np.uint16) and self.planes.size < 1 << 16 else np.float64

    def require_same(self, page: Opened, number: int) -> None:
        """Raises UserError for a page of another size or kind than the first."""
        ours, theirs = (self.width, self.height, self.kind), (*size_of(page), form_of(page)[1])
        if ours != theirs or (self.planes.shape[1] == 1 and form_of(page)[0] != self.channels):
            first, other = (f"{one[0]} x {one[1]} of {one[2]}" for one in (ours, theirs))
            differ = f"page {number} is {other}, the first {first}"
            raise UserError(f"{self.stack.name} has pages that differ ({differ}): use --pages first, or all")


def combined(stack: Stack, how: Projection, number: int | None = None) -> Combined:
    """The projection of a stack, or of the image of a number alone."""
    first = stack.open_page(0 if number is None else int(stack.planes[number - 1, 0]))
    (width, height), (channels, kind, colours, alpha) = size_of(first), form_of(first)
    if (several := stack.planes.shape[1]) > 1:
        channels, colours, alpha = max(several, 3), False, False
    form = {"width": width, "height": height, "channels": channels}
    return Combined(**form, kind=kind, colours=colours, alpha=alpha, stack=stack, how=how, number=number)


def size_of(image: Opened) -> tuple[int, int]:
    """Width and height of a page as it is shown."""
    head = head_of(image)
    return head.width, head.height


def form_of(image: Opened) -> tuple[int, np.dtype[Any], bool, bool]:
    """Channels, type, whether they are colours, and whether the last one is alpha, of what `values_of` gives."""
    if isinstance(image, Raw):
        return image.channels, image.kind.newbyteorder("="), image.colours, image.alpha
    if is_deep(image):
        return len(image.getbands()), np.dtype(np.uint16), True, image.mode == "RGBA"
    if image.mode.startswith("I;16"):
        return 1, np.dtype(np.uint16), False, False
    if image.mode in ("I", "F"):
        return 1, np.dtype(np.int32 if image.mode == "I" else np.float32), False, False
    return (1 if is_grey(image) else 3), np.dtype(np.uint8), not is_grey(image), False


def is_grey(image: Image.Image) -> bool:
    """Whether an image of 8 bits has one channel; frames are colours, since later ones may be."""
    return image.mode in ("1", "L") and image.format == "TIFF" and not image.has_transparency_data


def values_of(image: Opened) -> NDArray[Any]:
    """The values [H,W,C] of a page, as they are in the file; colours of 8 bits are laid over black."""
    if isinstance(image, Raw):
        return image.values()
    if is_deep(image):
        found = deep_colours(image)
        assert found is not None
        parts = [np.concatenate(list(bands())) for bands in found if bands is not None]
        return np.concatenate(parts, axis=2) if len(parts) > 1 else parts[0]
    if image.mode.startswith(("I", "F")):
        return np.asarray(image)[..., None]
    if is_grey(image):
        return np.asarray(image.convert("L"))[..., None]
    pixels = three_channels(np.asarray(image.convert("RGBA" if image.has_transparency_data else "RGB")))
    rotation = rotation_of(image)
    return pixels if rotation is None else np.asarray(Image.fromarray(pixels).transpose(rotation))


def frames_of(image: Image.Image) -> int:
    """How many frames a moving image has; 1 for all others."""
    moving = isinstance(image, ImageFile) and image.format not in WITH_PREVIEWS
    return getattr(image, "n_frames", 1) if moving else 1
