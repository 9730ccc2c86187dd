"""C2: image files that are damaged, or made to do harm: read, checked and shown, or refused in one line.

Every format that is read, in every mode that Pillow writes, with one to three mutations; PNG also with right checksums
over what was changed; and bombs. What is read has the size that its head says, and is the same when it is read again.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
from PIL import Image, features

from pocketrcnn.data.images.letterbox import letterbox
from pocketrcnn.data.images.pixels import probe, read_image
from pocketrcnn.errors import UserError

from . import mutations
from .campaign import Broken, Campaign, Trial
from .image_bombs import BOMBS, with_right_checksums
from .limits import command, limited

SIZE = (37, 23)  # pixels
BOMB_SHARE, COMMAND_SHARE = 0.1, 0.02  # of the trials
EXIF = 0x0112  # the tag of the orientation

Kind = tuple[str, str, dict[str, Any]]
KINDS: tuple[Kind, ...] = (  # format, mode, how it is written
    *(("PNG", mode, {}) for mode in ("1", "L", "LA", "P", "RGB", "RGBA", "I;16")),
    ("PNG", "P", {"transparency": 3}),
    ("PNG", "RGB", {"exif": 6, "icc_profile": b"a" * 200}),
    *(("JPEG", mode, {}) for mode in ("L", "RGB", "CMYK")),
    ("JPEG", "RGB", {"progressive": True, "exif": 5}),
    *(("TIFF", mode, {}) for mode in ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16", "I", "F", "LAB", "YCbCr")),
    *(("TIFF", "RGB", {"compression": name}) for name in ("tiff_lzw", "tiff_adobe_deflate", "jpeg", "packbits")),
    ("TIFF", "1", {"compression": "group4"}),
    ("TIFF", "F", {"compression": "tiff_lzw"}),
    ("TIFF", "RGB", {"save_all": True, "exif": 8}),
    *(("BMP", mode, {}) for mode in ("1", "L", "P", "RGB", "RGBA")),
    *(("GIF", mode, {}) for mode in ("L", "P", "RGB")),
    ("GIF", "P", {"save_all": True, "transparency": 0}),
    ("WEBP", "RGB", {"exif": 3}),
    ("WEBP", "RGBA", {"lossless": True}),
    ("WEBP", "RGBA", {"save_all": True}),
    *(("JPEG2000", mode, {}) for mode in ("L", "RGB", "RGBA", "I;16")),
    ("JPEG2000", "RGB", {"irreversible": True, "num_resolutions": 2}),
    *(("PPM", mode, {}) for mode in ("1", "L", "RGB", "I;16")),
)
LIBRARIES = {"WEBP": "webp", "JPEG2000": "jpg_2000", "TIFF": "libtiff"}


def picture(mode: str, random: Random) -> Image.Image:
    """A picture with edges and noise."""
    rows = np.array([[[x * 7, y * 11, x * y, 200] for x in range(SIZE[0])] for y in range(SIZE[1])]) % 256
    rows[5:12, 8:20] = [random.randrange(256) for _ in range(4)]
    image = Image.fromarray(rows.astype(np.uint8), "RGBA")
    if mode in ("I", "I;16", "F"):
        return Image.fromarray((rows[..., 0] * 250).astype({"I": "int32", "I;16": "uint16", "F": "float32"}[mode]))
    return image.convert("L").convert("LA") if mode == "LA" else image.convert("RGB").convert(mode)


def written(kind: Kind, random: Random) -> bytes:
    """A valid file."""
    name, mode, how = kind
    image, options = picture(mode, random), dict(how)
    if "exif" in options:
        exif = Image.Exif()
        exif[EXIF] = options["exif"]
        options["exif"] = exif.tobytes()
    if options.get("save_all"):
        options["append_images"] = [image.rotate(180), image]
    file = io.BytesIO()
    image.save(file, name, **options)
    return file.getvalue()


def kinds() -> Iterator[Kind]:
    """Those that this Pillow can write."""
    for kind in KINDS:
        library = LIBRARIES.get(kind[0])
        if library is None or features.check(library):
            yield kind


def hostile(one: Trial) -> tuple[bytes, str]:
    """A file's content, and what it is."""
    random = one.random
    if random.random() < BOMB_SHARE:
        bomb = random.choice(BOMBS)
        one.counts["bombs"] += 1
        return bomb(random), bomb.__name__
    kind = random.choice(list(kinds()))
    content = mutations.mutated(written(kind, random), "", random)
    if kind[0] == "PNG" and random.random() < 0.6:
        content = with_right_checksums(content)
    return content, " ".join(map(str, kind))


def trial(one: Trial) -> None:
    """One file, used once."""
    content, what = hostile(one)
    path = one.folder / random_name(one.random)
    path.write_bytes(content)
    if one.random.random() < COMMAND_SHARE:
        (one.folder / "boxes.csv").write_text(f"image,class,x1,y1,x2,y2\n{path.name},cat,1,2,9,9\n", encoding="utf-8")
        one.counts["by `check`"] += 1
        answer = command(["check", "."], one.folder)
        if answer.code != 2 and answer.ended.err:
            raise Broken(f"{what}: something is written to standard error: {answer.ended.err[:300]!r}")
    else:
        ended = limited(lambda: read(path), one.folder)
        one.counts["refused in one line" if ended.refused else "read"] += 1
        if ended.refused and ("\n" in ended.refused or path.name not in ended.refused):
            raise Broken(f"{what}: the message is not one line about the file: {ended.refused!r}")
        if ended.err:
            raise Broken(f"{what}: a library writes to standard error: {ended.err[:300]!r}")
    if list(one.folder.rglob(mutations.CANARY)):
        raise Broken(f"{what}: something was run")


def random_name(random: Random) -> str:
    """Any ending: content decides."""
    return f"image{random.choice(('.png', '.jpg', '.tif', '.webp', '.gif', '.bmp', '.jp2', '.ppm', ''))}"


def read(path: Path) -> list[int]:
    """Its shape. Raises Broken where the pixels are not what they should be."""
    warnings.simplefilter("ignore")  # Pillow's, with which a program does what it likes
    try:
        head = probe(path)
    except UserError:
        head = None
    pixels = read_image(path)
    if head is None or pixels.shape != (head.height, head.width, 3) or pixels.dtype != np.uint8:
        raise Broken(f"its head says {head}, and its pixels are {pixels.dtype} {pixels.shape}")
    if pixels.size < 10**7 and not np.array_equal(pixels, read_image(path)):
        raise Broken("it has other pixels when it is read again")
    letterbox(pixels, 48)
    return list(pixels.shape)


CAMPAIGN = Campaign(long=6_000, short=40, trial=trial)
