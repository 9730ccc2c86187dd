"""An image that is opened, and the kind of it that Pillow has no mode for: any number of channels of any type.
No torch here."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image


@dataclass(frozen=True, kw_only=True)
class Raw:
    """Values of any type. kind: of a value. channels: of a pixel; alpha: whether the one behind the colours is.

    width, height: pixels. colours: whether the channels are red, green and blue, and not measured each for itself.
    """

    width: int
    height: int
    channels: int
    kind: np.dtype[Any]
    colours: bool
    alpha: bool

    def values(self) -> NDArray[Any]:
        """All channels [H,W,C], decoded now."""
        raise NotImplementedError

    @property
    def words(self) -> str:
        """The channels in words."""
        known = {1: "grey", 2: "grey with alpha", 3: "RGB", 4: "RGB with alpha"}
        named = self.channels in known and (self.channels == 1 or self.alpha or self.colours)
        words = known[self.channels] if named else f"{self.channels} channels"
        return words + (" float" if self.kind.kind == "f" else "")

    @property
    def bytes_of_a_pixel(self) -> int:
        """What is held while it is decoded: the file, its values, and the image."""
        return 3 * self.channels * self.kind.itemsize + 3


Opened = Image.Image | Raw
"""An image whose head has been read."""
