"""A copy of a data set with 12 bits a colour is the same data set: pixels, frames in the cache, weights."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from unittest.mock import patch

import numpy as np
import painted
import pytest
from odd_images import png, tiff
from PIL import Image

from pocketrcnn.custom.options import TrainOptions
from pocketrcnn.custom.train import train
from pocketrcnn.data.images.pixels import read_image

CAMERA = 16  # a value of 12 bits for one of 8


def with_12_bits(data: Path, copy: Path, grey: bool = False) -> Path:
    """The data with images in 16-bit files, of which 12 bits are used: PNG and TIFF in turn."""
    shutil.copytree(data, copy)
    for number, path in enumerate(sorted(copy.rglob("*.png"))):
        values = np.asarray(Image.open(path)).astype(np.uint16) * CAMERA
        values = values[..., :1] if grey else values
        path.write_bytes(tiff(values, 1 if grey else 2) if number % 2 else png(values))
    return copy


def trained(data: Path, root: Path) -> tuple[bytes, bytes]:
    """The bytes of the frames in the cache, and of the weights after two iterations."""
    cache = root / "cache"
    with patch.dict(os.environ, {"POCKETRCNN_DATA": str(cache)}):
        options = TrainOptions(
            data, iterations=2, batch=2, preset="small", precision="float32", out=root / "run", device="cpu"
        )
        run = train(options)
    frames = sorted(path.read_bytes() for path in (cache / "folders").glob("*.frames"))
    return b"".join(frames), (run / "last.safetensors").read_bytes()


@pytest.mark.slow
def test_a_12_bit_copy_trains_to_the_same_weights(tmp_path: Path) -> None:
    data = painted.write(tmp_path / "data", train=4, val=2)
    copy = with_12_bits(data, tmp_path / "copy")
    for path in sorted(data.rglob("*.png")):
        assert np.array_equal(read_image(path), read_image(copy / path.relative_to(data)))
    frames, weights = trained(data, tmp_path / "8")
    deep_frames, deep_weights = trained(copy, tmp_path / "12")
    assert frames == deep_frames
    assert tensors(weights) == tensors(deep_weights)


def tensors(content: bytes) -> bytes:
    """What a file of safetensors holds behind its head, which names the folder of the data."""
    return content[8 + int.from_bytes(content[:8], "little") :]


def test_grey_of_12_bits_is_stretched_alike_wherever_it_is_read(tmp_path: Path) -> None:
    """From a file, its bytes or an array, in training and in prediction: by the values of the image alone."""
    data = painted.write(tmp_path / "data", train=2)
    for path in sorted(with_12_bits(data, tmp_path / "grey", grey=True).rglob("*.png")):
        array = np.asarray(Image.open(data / path.relative_to(tmp_path / "grey")))[..., 0].astype(np.uint16)
        pixels = read_image(path)
        for source in (path.read_bytes(), array * CAMERA, array * np.uint16(3)):
            assert np.array_equal(pixels, read_image(source)), "a factor changes nothing"
        assert (pixels.min(), pixels.max()) == (0, 255)
