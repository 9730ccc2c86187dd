"""How an image file is rotated before it is shown (EXIF 2.32, "Orientation"). No torch here.

Not Pillow's `ImageOps.exif_transpose`: on a PNG it decodes the image to read its head, and on damaged EXIF it fails.
"""

import os
from typing import IO

from PIL import Image

ORIENTATION = 0x0112  # the EXIF tag
ROTATIONS = {  # what undoes each of its values
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
ON_ITS_SIDE = tuple(ROTATIONS[value] for value in (5, 6, 7, 8))  # these exchange width and height
PNG_START, CHUNK_HEAD, CHECKSUM = 8, 8, 4  # bytes (PNG specification, sections 5.2 and 5.3)


def rotation_of(image: Image.Image) -> Image.Transpose | None:
    """What to do to an image before it is shown; None for most. Its pixels are not decoded."""
    if image.format == "TIFF":
        return None  # Pillow does it, and its size is the rotated one from the start
    try:
        if image.format == "PNG" and "exif" not in image.info and (late := _late_exif(getattr(image, "fp", None))):
            image.info["exif"] = late  # where Pillow itself puts it when it has decoded the image
        # Not PngImageFile.getexif, which decodes the whole image to look for it.
        return ROTATIONS.get(Image.Image.getexif(image).get(ORIENTATION, 1))
    except Exception:  # damaged EXIF, which Pillow meets with any error there is, is no reason to lose the image
        return None


def _late_exif(file: IO[bytes] | None) -> bytes:
    """The EXIF data of a PNG that are behind its pixels, by the heads of the chunks; empty without any."""
    if file is None:
        return b""
    position = file.tell()
    try:
        file.seek(PNG_START)
        while len(head := file.read(CHUNK_HEAD)) == CHUNK_HEAD:
            length, kind = int.from_bytes(head[:4], "big"), head[4:]
            if kind == b"eXIf":
                return b"Exif\0\0" + file.read(length)
            file.seek(length + CHECKSUM, os.SEEK_CUR)
        return b""
    finally:
        file.seek(position)
