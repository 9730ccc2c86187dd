"""Images are found by what other machines, servers and programs call them, where exactly one file fits.

Covers `data/formats/spelling.py`, `data/formats/walking.py`.
"""

import json
from pathlib import Path

import datasets_on_disk as disk
import pytest

from pocketrcnn.data.annotations import Annotations
from pocketrcnn.data.check import inspect
from pocketrcnn.data.formats import read
from pocketrcnn.data.formats.spelling import decoded, original

SIZE = (40, 30)


def coco(root: Path, written: dict[str, str], field: str = "file_name") -> Annotations:
    """What is read of a COCO file in which images are called otherwise than their files. written: by path of a file."""
    records, objects = [], []
    for i, (path, name) in enumerate(written.items()):
        disk.picture(root / path, SIZE)
        records.append({"id": i, field: name, "width": SIZE[0], "height": SIZE[1]})
        objects.append({"id": i, "image_id": i, "category_id": 1, "bbox": [i, 1, 5, 5]})
    content = {"images": records, "annotations": objects, "categories": [{"id": 1, "name": "cat"}]}
    disk.write_json(root / "result.json", content)
    return read(root)


def csv(root: Path, written: dict[str, str]) -> Annotations:
    rows = ["image,class,x1,y1,x2,y2"]
    for i, (path, name) in enumerate(written.items()):
        disk.picture(root / path, SIZE)
        rows.append(f"{name},cat,{i},1,{i + 5},6")
    (root / "boxes.csv").write_text("\n".join(rows), encoding="utf-8")
    return read(root)


def found(data: Annotations) -> dict[str, float]:
    return {one.path.relative_to(data.root).as_posix(): one.objects[0].box[0] for one in data.examples}


def notes(data: Annotations) -> list[tuple[str, bool]]:
    return [(fault.kind, fault.drops) for fault in data.faults]


NAMES = {
    "Label Studio, local files": {"my photos/ex n°0.png": "/data/local-files/?d=my%20photos/ex%20n%C2%B00.png"},
    "Label Studio, uploads": {"photo 0.png": "/data/upload/3/0a3f9c1e-photo_0.png"},
    "an address": {"val2017/00.jpg": "http://images.example.org/val2017/00.jpg"},
    "an address with a token": {"img/a b.png": "https://host:8080/bucket/img/a%20b.png?X-Token=a/b.c&n=1#top"},
    "a bucket": {"a.png": "s3://bucket/set/a.png"},
    "a file's address": {"a é.png": "file:///C:/photos/a%20%C3%A9.png"},
    "Windows": {"images/train/a.png": "D:\\work\\set\\images\\train\\a.png"},
    "Linux": {"images/a.png": "/content/drive/set/images/a.png"},
    "a folder that is not there": {"images/train/sub/a.png": "data/images/train/sub/a.png"},
    "escapes": {"images/a b.png": "images/a%20b.png"},
    "a long hash": {"a.png": "0123456789abcdef0123456789ABCDEF-a.png"},
    "a uuid": {"a.png": "123e4567-e89b-12d3-a456-426614174000-a.png"},
    "letters that servers leave out": {"Foto (1) & ü.png": "deadbeef-Foto_1__ü.png"},
    "Roboflow": {"a_1.jpg": "a_1_jpg.rf.0f3c9a1b2c.jpg"},
}


@pytest.mark.parametrize("read_back", [coco, csv])
@pytest.mark.parametrize("way", NAMES)
def test_images_of_other_machines_and_servers(tmp_path: Path, way: str, read_back: object) -> None:
    data = read_back(tmp_path, NAMES[way])  # type: ignore[operator]
    assert found(data) == dict.fromkeys(NAMES[way], 0)
    (path,) = NAMES[way]
    assert notes(data) == [("other-path", False)]
    (fault,) = data.faults
    assert fault.reason.startswith(
        f"1 image with another name or path in the annotations than on this disk (the first: {path}, `"
    )
    assert not inspect(data).drops


def test_the_images_of_a_whole_set_are_one_note(tmp_path: Path) -> None:
    home = "/data/local-files/?d=my%20photos"
    data = coco(tmp_path, {f"my photos/ex n°{i}.png": f"{home}/ex%20n%C2%B0{i}.png" for i in range(4)})
    assert len(found(data)) == 4
    assert [fault.reason.split(" in the")[0] for fault in data.faults] == ["4 images with another name or path"]


def test_names_that_are_as_written_are_no_note(tmp_path: Path) -> None:
    written = {"images/100%25.png": "images/100%25.png", "images/0a3f9c1e-b.png": "0a3f9c1e-b.png"}
    data = coco(tmp_path, written | {"c?d=e.png": "c?d=e.png"})
    assert found(data) == {"images/100%25.png": 0, "images/0a3f9c1e-b.png": 1, "c?d=e.png": 2}
    assert data.faults == ()


@pytest.mark.parametrize("field", ["coco_url", "url"])
def test_images_by_their_address_alone(tmp_path: Path, field: str) -> None:
    names = [f"val2017/00{i}.jpg" for i in range(3)]
    data = coco(tmp_path, {name: f"http://images.example.org/{name}" for name in names}, field)
    assert found(data) == {name: i for i, name in enumerate(names)}
    assert not inspect(data).drops


def test_the_last_folders_of_a_path_tell_images_of_one_name_apart(tmp_path: Path) -> None:
    data = coco(tmp_path, {f"{folder}/0.png": f"C:\\old\\{folder}\\0.png" for folder in ("cam1", "cam2", "deep/cam3")})
    assert found(data) == {"cam1/0.png": 0, "cam2/0.png": 1, "deep/cam3/0.png": 2}


def test_a_guess_is_for_one_image_and_one_record(tmp_path: Path) -> None:
    """Two uploads of different images of one name, and two files that could be one upload."""
    disk.picture(tmp_path / "photo_1.png")
    data = coco(
        tmp_path,
        {
            "photo.png": "0a3f9c1e-photo.png",
            "more/other.png": "1b3f9c1e-photo.png",
            "photo 1.png": "2c3f9c1e-photo_1.png",
        },
    )
    faults = [str(fault) for fault in inspect(data).faults if fault.drops]
    assert len(faults) == 3
    assert "(no file of the data is called `0a3f9c1e-photo.png`); its 1 objects" in faults[0]


def test_several_files_of_the_name_are_named(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        disk.picture(tmp_path / folder / "1.png")
    content = {"images": [{"id": 1, "file_name": "/old/1.png"}], "annotations": [], "categories": []}
    disk.write_json(tmp_path / "x.json", content)
    (fault,) = (fault for fault in inspect(read(tmp_path)).faults if fault.drops)
    assert f"2 files have its name, and it could be each of them: {tmp_path / 'a' / '1.png'}, " in str(fault)


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("a b.png", "a b.png"),
        ("C:/photos/a.png", "C:/photos/a.png"),
        ("https:/host/a/b%20c.png", "a/b c.png"),
        ("gs://bucket/a.png", "a.png"),
        ("/data/local-files/?d=x%2Fa.png&t=1", "x/a.png"),
        ("a%2.png", "a%2.png"),
        ("a.png?size=large", "a.png"),
    ],
)
def test_decoded(name: str, path: str) -> None:
    assert decoded(name) == path


@pytest.mark.parametrize(
    ("name", "first"),
    [
        ("0a3f9c1e-photo_0", "photo_0"),
        ("photo 0", "photo_0"),
        ("20230115-photo", "20230115-photo"),
        ("0a3f9c1e-", "0a3f9c1e-"),
        ("a_jpg.rf.0f3c9a", "a"),
        ("°", "°"),
    ],
)
def test_original(name: str, first: str) -> None:
    assert original(name) == first


@pytest.mark.parametrize("folder", ["annotations", "Annotations"])
@pytest.mark.parametrize("images", ["images", "JPEGImages", "photos"])
def test_a_folder_of_annotations_may_be_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: str, images: str
) -> None:
    disk.voc(tmp_path, {f"{i}.png": (SIZE, [("cat", (i, 1, 9, 9))]) for i in range(4)})
    for old, new in (("Annotations", folder), ("JPEGImages", images)):
        (tmp_path / old).rename(tmp_path / new)
    monkeypatch.chdir(tmp_path)
    for path in (tmp_path, tmp_path / folder, Path(folder)):
        data = read(path)
        assert [one.path.parent.name for one in data.examples] == [images] * 4
        assert not inspect(data).drops


def test_json_is_what_it_was(tmp_path: Path) -> None:
    """Nothing is written into data that are read."""
    coco(tmp_path, NAMES["an address"])
    assert json.loads((tmp_path / "result.json").read_text())["images"][0]["file_name"].startswith("http://")
