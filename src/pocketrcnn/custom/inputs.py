"""What Python programs hold in their hands as images: one or several, checked before any is read. No torch here."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from os import PathLike
from typing import Any, Literal, get_args

import numpy as np
from PIL import Image

from ..config import Pages
from ..data.images.pixels import Pixels, read_image
from ..errors import UserError, nearest, require

Order = Literal["rgb", "bgr"]
FILES = (str, bytes, bytearray, memoryview, PathLike)
ONE = (*FILES, Image.Image, Mapping)  # types that are one image, or none, though one could go through them
KINDS = "a path, bytes, a binary file, a Pillow image or an array"


def as_it_is(image: Any) -> Any:
    """An image of any kind but a tensor."""
    return image


def pixels_of(
    images: Any, order: Order = "rgb", as_array: Callable[[Any], Any] = as_it_is, pages: Pages = "first"
) -> Iterator[Pixels]:
    """One image or anything that holds several, each as uint8 [H,W,3]: read when it is asked for, one after the other.

    An array or tensor of more than three dimensions holds several, and so does one of one dimension: of paths. Paths,
    texts, bytes, files and Pillow images are one. order: of the channels of arrays and tensors; those of files and of
    Pillow's images are known. as_array: makes arrays of what else is taken, and leaves everything else as it is.
    pages: what is read of a file of several. Raises UserError at once where one of a sequence is of a wrong type, and
    says which; where it is the item of an iterator, or cannot be read, when it is its turn.
    """
    known = get_args(Order)
    require(order in known, f"the order `{order}` of channels is unknown{nearest(order, known)}: use rgb or bgr")
    several = holds_several(images)
    if several and isinstance(images, Sequence):
        for number, image in enumerate(images):
            require_image(image, f"images[{number}]: ")
    elif not several:
        require_image(images)

    def read(image: Any) -> Pixels:
        return read_image(in_order(as_array(image), order), pages)

    return read_each(images if several else [images], several, read)


def holds_several(images: Any) -> bool:
    """Whether these are any number of images, and not one."""
    if hasattr(images, "ndim"):
        return bool(images.ndim > 3 or images.ndim == 1)
    return isinstance(images, Iterable) and not isinstance(images, ONE) and not hasattr(images, "read")


def require_image(image: Any, where: str = "") -> None:
    """Raises UserError for an object of a type that is no image."""
    if not isinstance(image, (*FILES, Image.Image)) and not hasattr(image, "read") and not hasattr(image, "ndim"):
        raise UserError(f"{where}an object of type `{type(image).__name__}` is not an image: use {KINDS}")


def read_each(images: Iterable[Any], several: bool, read: Callable[[Any], Pixels]) -> Iterator[Pixels]:
    """The pixels of one image after the other. What is wrong with one that has no name is said with its number."""
    for number, image in enumerate(images):
        where = f"images[{number}]: " if several and not isinstance(image, str | PathLike) else ""
        require_image(image, where)
        try:
            pixels = read(image)
        except UserError as error:
            raise UserError(f"{where}{error}") from error
        yield pixels


def in_order(image: Any, order: Order) -> Any:
    """An array with its channels as red, green, blue; anything else as it is."""
    if order == "rgb" or not isinstance(image, np.ndarray) or image.ndim != 3 or image.shape[2] not in (3, 4):
        return image
    return image[..., [2, 1, 0, *range(3, image.shape[2])]]
