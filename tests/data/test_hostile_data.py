"""What the campaigns C2 and C3 have found in data of anybody, see docs/reliability.md."""

import tracemalloc
from pathlib import Path

import datasets_on_disk as disk
import numpy as np
import pytest
from PIL import Image
from shell import Shell

from campaigns.image_bombs import png
from pocketrcnn.data.check import inspect
from pocketrcnn.data.formats import read
from pocketrcnn.data.images.arrays import three_channels
from pocketrcnn.data.images.pixels import read_image


def test_warnings_of_pillow_stay_off_the_terminal(shell: Shell, tmp_path: Path) -> None:
    """It warns of damage to a head that costs nothing."""
    disk.table(tmp_path, {"a.tif": ((40, 30), [("cat", (1, 2, 11, 22))])})
    exif = Image.Exif()
    exif[0x010E] = "a description that is longer than the file will be"
    Image.new("RGB", (40, 30)).save(tmp_path / "a.tif", exif=exif)
    content = (tmp_path / "a.tif").read_bytes()
    start = content.index(b"\x0e\x01\x02\x00")  # number and type of the tag; its length follows
    (tmp_path / "a.tif").write_bytes(content[: start + 4] + b"\xff\xff\xff\x00" + content[start + 8 :])
    with pytest.warns(UserWarning, match="Tag data"):
        inspect(read(tmp_path))
    assert shell("check", tmp_path).err == ""


def test_deep_images_with_alpha_are_laid_over_black_a_band_at_a_time(tmp_path: Path) -> None:
    """In one piece, 50 million pixels of them took 1.4 GB."""
    side = 3_000
    (tmp_path / "a.png").write_bytes(png(side, side, 16, 6, side))
    tracemalloc.start()
    pixels = read_image(tmp_path / "a.png")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert pixels.shape == (side, side, 3)
    assert peak < 15 * side * side  # bytes: 3 of the result, 4 of colours and alpha, a band of a million pixels


def test_alpha_is_multiplied_as_exactly_as_a_division_does() -> None:
    values = np.arange(256, dtype=np.uint8)
    grey, alpha = np.meshgrid(values, values)
    exact = np.round(grey.astype(np.float64) * alpha / 255).astype(np.uint8)
    assert np.array_equal(three_channels(np.dstack([grey, grey, grey, alpha]))[..., 0], exact)
