"""What the campaigns C2 and C3 have found in data of anybody, see docs/reliability.md."""

from pathlib import Path

import datasets_on_disk as disk
import pytest
from PIL import Image
from shell import Shell

from pocketrcnn.data.check import inspect
from pocketrcnn.data.formats import read


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
