"""What a detector that is called returns: detections that know their class names, with pictures and counts of them.

`Detector` adds torch's tensors to them, `runtime.Detector` gives them as they are. No torch here.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from html import escape
from typing import Any, Self

from PIL import Image

from ..data.images.pixels import Pixels
from ..errors import UserError
from ..model import interchange
from .counts import Counts, count
from .draw import picture
from .inputs import Order, pixels_of

LARGEST_SHOWN = 1024  # pixels: the longer side of a picture in a notebook
MOST_SHOWN = 20  # images of a table in a notebook


@dataclass(frozen=True, eq=False)
class Detections(interchange.Detections):
    """Detections in B images, or in one: see `interchange.Detections`.

    image: the pixels, where the detector was called with a single image: what `draw` and a notebook show. Of several
    images none is kept, so that their number is not limited by memory.
    """

    image: Pixels | None = field(default=None, repr=False)

    def __getitem__(self, index: Any) -> Self:
        return replace(super().__getitem__(index), image=self.image)

    def __iter__(self) -> Iterator[Self]:
        return map(self.__getitem__, range(len(self)))

    @property
    def names(self) -> list[str]:
        """The name of the class of each detection in one image. Raises UserError for several images."""
        one = self.single("names")
        return [one.label_names[label] for label in one.labels.tolist()]

    @cached_property
    def label_names(self) -> tuple[str, ...]:
        """The name of each label; numbers, up to the largest that there is, where names are not known."""
        return self.classes or tuple(map(str, range(int(max(self.labels.flatten().tolist(), default=-1)) + 1)))

    def single(self, what: str) -> Self:
        """These detections if they are those of one image, [M]. Raises UserError, with what was wanted, for several."""
        if self.labels.ndim == 1:
            return self
        if len(self) != 1:
            raise UserError(f"{what} is for one image, not {len(self)}: use detections[i].{what}")
        return self[0]

    def counts(self) -> Counts:
        """How many objects of each class there are in one image, their sides, and how much they cover, in pixels.

        Raises UserError for several images: `[one.counts() for one in detections]`.
        """
        one = self.single("counts()")
        return count(one.boxes.tolist(), one.labels.tolist(), one.label_names)

    def to_dicts(self) -> list[dict[str, Any]]:
        """Every detection as plain numbers and text, for JSON: `image` (its place, from 0), `class`, `label`, `score`
        and `box` (x1, y1, x2, y2 in pixels)."""
        images = [self] if self.labels.ndim == 1 else list(self)
        return [
            {"image": i, "class": self.label_names[label], "label": label, "score": score, "box": box}
            for i, one in enumerate(images)
            for box, score, label in one.rows()
        ]

    def draw(self, image: Any = None, order: Order = "rgb") -> Image.Image:
        """One image with its boxes, as a Pillow image; small ones are enlarged, pixel by pixel.

        image: what the detector was called with; None: the one that was kept. order: as of the detector. Raises
        UserError for detections in several images, and where no image is given or kept.
        """
        one = self.single("draw(image)")
        pixels = self.image if image is None else next(pixels_of(image, order))
        if pixels is None:
            raise UserError("draw needs the image: detections[i].draw(image); only that of a single call is kept")
        return Image.fromarray(picture(pixels, one.rows(), one.label_names))

    def _repr_html_(self) -> str:
        """In a notebook: the picture and counts of one image; a table of counts of several."""
        if self.labels.ndim == 2 and len(self) != 1:
            rows = [f"<tr><td>{i}</td><td>{in_words(one)}</td></tr>" for i, one in enumerate(self[:MOST_SHOWN])]
            more = f"<p>and {len(self) - MOST_SHOWN:,} more images</p>" if len(self) > MOST_SHOWN else ""
            return f"<table><tr><th>image</th><th>objects</th></tr>{''.join(rows)}</table>{more}"
        if self.image is None:
            return f"<p>{in_words(self)}</p>"
        shown, file = self.draw(), io.BytesIO()
        shown.thumbnail((LARGEST_SHOWN, LARGEST_SHOWN))
        shown.save(file, "PNG")
        source = base64.b64encode(file.getvalue()).decode()
        text = in_words(self)
        return (
            f'<figure><img src="data:image/png;base64,{source}" alt="{text}"><figcaption>{text}</figcaption></figure>'
        )


def in_words(detections: Detections) -> str:
    """The counts of one image: `12 objects: 10 cat, 2 dog`, safe in HTML."""
    counts = detections.counts()
    classes = ", ".join(f"{number:,} {name}" for name, number in counts.by_class.items() if number)
    total = f"{counts.objects:,} object{'' if counts.objects == 1 else 's'}"
    return escape(f"{total}: {classes}" if classes else total)
