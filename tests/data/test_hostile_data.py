"""What the campaigns C2 and C3 have found in data of anybody, see docs/reliability.md."""

from pathlib import Path

import datasets_on_disk as disk
import pytest
from PIL import Image
from shell import Shell

from pocketrcnn.data.check import inspect
from pocketrcnn.data.formats import read


@pytest.mark.parametrize(("record", "shown"), [(None, "None"), ([1, 2], "[1, 2]"), ("\x1b[31m", "\x1b[31m")])
def test_coco_records_that_are_none_are_named(record: object, shown: str, tmp_path: Path) -> None:
    disk.coco(tmp_path)
    disk.change_coco(tmp_path, annotations=[record])
    report = inspect(read(tmp_path))
    assert [(fault.kind, fault.where) for fault in report.faults] == [("unreadable", "annotations, number 4")]
    assert f"is `{shown}`, no object" in report.faults[0].reason
    assert report.drops


def test_a_coco_list_that_is_none_is_named(tmp_path: Path) -> None:
    disk.coco(tmp_path)
    path = tmp_path / "_annotations.coco.json"
    path.write_text(path.read_text().replace('"annotations": [', '"annotations": {}, "others": ['))
    assert not read(tmp_path).faults  # an empty one names nothing
    path.write_text(path.read_text().replace('"annotations": {}', '"annotations": {"0": 1}'))
    fault = read(tmp_path).faults[0]
    assert (fault.kind, fault.where, fault.drops) == ("unreadable", "", True)
    assert "`annotations` is `{'0': 1}`, no list" in fault.reason


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
