"""A few images of a run's data, as PNG, for whoever opens its page without images of their own."""

import base64
import io
from contextlib import suppress

from PIL import Image

from ...data.custom_data import RunData
from ...data.images.letterbox import downscaled, scaled_size
from ...data.images.page_names import stem
from ...data.images.pixels import Pixels, read_image
from ...errors import UserError

SPLITS = ("val", "test", "train")  # the first that there is: images that the network did not learn
MOST = 3  # images
MOST_BYTES = 600_000  # of all of them


def examples_of(data: RunData, side: int) -> list[dict[str, str]]:
    """Example images: `name`, and `content`, a PNG as base64; those longer than `side` are made smaller, or, of a
    detector with tiles, cut. Few, or none, where images are large, or cannot be read: a page works without them.
    """
    config = data.config
    if config.kind != "folder":
        return []
    try:
        custom = data.opened
    except UserError:
        return []
    split = next((name for name in SPLITS if name in custom.splits), "")
    examples: list[dict[str, str]] = []
    left = MOST_BYTES
    for example in custom.annotations.split(split):
        with suppress(UserError):
            content = png_of(read_image(example.path, config.pages), side, config.tile_overlap)
            if len(content) <= left:
                left -= len(content)
                name = f"{stem(example.path)}.png"
                examples.append({"name": name, "content": base64.b64encode(content).decode()})
        if len(examples) == MOST:
            break
    return examples


def png_of(image: Pixels, side: int, overlap: int) -> bytes:
    """An image as a PNG whose longer side has at most `side` pixels; with tiles the first two by two of these."""
    shown = 2 * side - overlap
    small = image[:shown, :shown] if overlap else downscaled(image, scaled_size(image.shape[1], image.shape[0], side))
    file = io.BytesIO()
    Image.fromarray(small).save(file, "PNG", optimize=True)
    return file.getvalue()
