"""Annotations of a stranger do not lead to the user's own images, and what is in the folder is found as before.

Covers `data/formats/boundary.py`.
"""

import json
import os
import re
from collections.abc import Callable
from pathlib import Path

import datasets_on_disk as disk
import pytest
from shell import Shell

from pocketrcnn.config import DataConfig
from pocketrcnn.data.custom_data import open_custom_data
from pocketrcnn.data.formats import read
from pocketrcnn.errors import UserError

pytestmark = pytest.mark.skipif(os.name == "nt", reason="links need rights there")
Scenes = disk.Scenes
SCENE: Scenes = {"a.png": ((32, 24), [("cat", (1, 2, 11, 22))])}
BOX = "0 0.5 0.5 0.2 0.2"


def coco(root: Path, name: object) -> None:
    disk.coco(root, SCENE)
    image = {"id": 5, "file_name": str(name), "width": 40, "height": 40}
    disk.change_coco(
        root, images=[image], annotations=[{"id": 9, "image_id": 5, "category_id": 3, "bbox": [1, 1, 9, 9]}]
    )


def csv(root: Path, name: object) -> None:
    disk.table(root, SCENE)
    with next(root.glob("*.csv")).open("a") as file:
        file.write(f"\n{name},40,40,cat,1,1,9,9\n")


def voc(root: Path, name: object) -> None:
    disk.voc(root, SCENE)
    text = (root / "Annotations" / "a.xml").read_text()
    (root / "Annotations" / "b.xml").write_text(text.replace("<filename>a.png", f"<filename>{name}"))


def yolo(root: Path, settings: str) -> None:
    disk.yolo(root, SCENE)
    (root / "data.yaml").write_text(f"names: [cat, dog]\n{settings}\n")


def linked(root: Path, link: str, target: Path) -> None:
    (root / link).parent.mkdir(parents=True, exist_ok=True)
    (root / link).symlink_to(target, target.is_dir())


def by_link(root: Path, target: Path) -> None:
    coco(root, "link.png")
    linked(root, "link.png", target)


def by_folder(root: Path, target: Path) -> None:
    coco(root, "more/private.png")
    linked(root, "more", target.parent)


def by_list(root: Path, target: Path) -> None:
    yolo(root, "train: train.txt")
    (root / "train.txt").write_text(f"{root / 'images' / 'a.png'}\n{target}\n")


def by_unlisted_link(root: Path, target: Path) -> None:
    disk.yolo(root, SCENE)
    linked(root, "images/b.png", target)


def by_label(root: Path, target: Path) -> None:
    disk.yolo(root, SCENE)
    disk.picture(root / "images" / "b.png")
    linked(root, "labels/b.txt", target.with_suffix(".txt"))


def by_annotations(root: Path, target: Path) -> None:
    disk.voc(root, SCENE)
    linked(root, "Annotations/private.xml", target.with_suffix(".xml"))


WAYS: dict[str, Callable[[Path, Path], None]] = {
    "coco, absolute": coco,
    "coco, ..": lambda root, target: coco(root, "../secret/private.png"),
    "csv, absolute": csv,
    "csv, ..": lambda root, target: csv(root, "../secret/private.png"),
    "voc, absolute": voc,
    "yolo, folder": lambda root, target: yolo(root, f"train: {target.parent}"),
    "yolo, path": lambda root, target: yolo(root, f"path: {target.parent.parent}\ntrain: secret"),
    "yolo, ..": lambda root, target: yolo(root, "train: [images, ../secret]"),
    "yolo, list": by_list,
    "yolo, list elsewhere": lambda root, target: yolo(root, f"train: {target.with_name('list.txt')}"),
    "a link": by_link,
    "a linked folder": by_folder,
    "a link in YOLO": by_unlisted_link,
    "a linked label": by_label,
    "a linked annotation": by_annotations,
}


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    """A private image, and files of annotations beside it."""
    path = disk.picture(tmp_path / "secret" / "private.png", (40, 40))
    path.with_suffix(".txt").write_text(BOX)
    path.with_name("list.txt").write_text(str(path))
    disk.voc(tmp_path / "other", {"private.png": ((40, 40), [])})
    (tmp_path / "other" / "Annotations" / "private.xml").rename(path.with_suffix(".xml"))
    return path


@pytest.mark.parametrize("way", WAYS)
def test_what_leads_out_of_the_folder_is_refused_unless_it_is_allowed(
    tmp_path: Path, secret: Path, shell: Shell, way: str
) -> None:
    root = tmp_path / "data"
    WAYS[way](root, secret)
    code, out, _ = shell("check", root)
    assert code == 1
    assert re.search(r"^. paths? skipped \(outside-folder\):$", out, re.MULTILINE)
    assert f"leads out of {root}, to {secret.parent}" in out
    for words in (["convert", root, tmp_path / "out", "--to", "coco"], ["check", root, "--fix", tmp_path / "out"]):
        message = shell.refused(*map(str, words))
        assert re.search(r": . paths? leads? out of this folder \(the first: \S+, to \S+\): correct or remove", message)
        assert "use --follow-outside (of check, convert and train)" in message
        assert not (tmp_path / "out").exists()
    with pytest.raises(UserError, match=r"leads? out of this folder"):
        open_custom_data(DataConfig(str(root), "folder"))

    out = shell("check --follow-outside", root).out
    assert "1 warning (outside-folder):" in out
    assert re.search("and (is|are) followed$", out, re.MULTILINE)
    assert shell("convert --follow-outside --to coco", root, tmp_path / "out").code in (0, 1)
    assert (tmp_path / "out").is_dir()
    known = open_custom_data(DataConfig(str(root), "folder", follow_outside=True)).report.clean.examples
    assert secret.resolve() in {one.path.resolve() for one in known} or way in ("a linked label", "a linked annotation")


def test_a_folder_elsewhere_is_not_even_listed(tmp_path: Path, secret: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`train: /usr` walked through all of it."""
    yolo(tmp_path / "data", f"train: {secret.parent}")
    linked(tmp_path / "data", "big", secret.parent)
    look = os.scandir

    def scandir(path: str) -> object:
        assert "secret" not in str(path)
        assert "big" not in str(path)
        return look(path)

    monkeypatch.setattr(os, "scandir", scandir)
    assert set(read(tmp_path / "data").outside) == {secret.parent, tmp_path / "data" / "big"}


def test_a_link_to_the_data_is_their_folder(tmp_path: Path) -> None:
    disk.coco(tmp_path / "disk" / "data", images="images")
    linked(tmp_path, "link", tmp_path / "disk" / "data")
    linked(tmp_path, "link.json", tmp_path / "disk" / "data" / "_annotations.coco.json")
    for path in ("link", "link/_annotations.coco.json"):
        data = read(tmp_path / path)
        assert (len(data.examples), data.outside) == (3, ())
        assert all(one.path.is_file() for one in data.examples)


def test_links_within_the_folder_are_followed(tmp_path: Path) -> None:
    disk.coco(tmp_path / "data", images="images")
    linked(tmp_path / "data", "pictures", tmp_path / "data" / "images")
    linked(tmp_path / "data", "b.png", tmp_path / "data" / "images" / "a b.png")
    disk.change_coco(
        tmp_path / "data", images=[{"id": 99, "file_name": "b.png"}, {"id": 98, "file_name": "x/../b.png"}]
    )
    data = read(tmp_path / "data")
    assert (len(data.examples), data.outside, data.faults) == (5, (), ())


def test_a_link_that_the_data_do_not_need_costs_nothing(tmp_path: Path, secret: Path) -> None:
    """Where a file is named, the folder may hold anything; where a folder is, a link may be a part of the data."""
    disk.coco(tmp_path / "data")
    linked(tmp_path / "data", "more", secret.parent)
    assert read(tmp_path / "data" / "_annotations.coco.json").outside == ()
    assert read(tmp_path / "data").outside == (tmp_path / "data" / "more",)
    (tmp_path / "data" / "a b.png").unlink()
    assert read(tmp_path / "data" / "_annotations.coco.json").outside == (tmp_path / "data" / "more",)


def test_a_folder_of_links_alone_says_so(tmp_path: Path, secret: Path, shell: Shell) -> None:
    linked(tmp_path / "data", "train", secret.parent)
    message = shell.refused("check", str(tmp_path / "data"))
    assert "1 path leads out of this folder" in message
    assert "--follow-outside" in message


def test_data_yaml_below_the_folder_may_name_its_siblings(tmp_path: Path) -> None:
    disk.yolo(tmp_path / "data", images="train/images", labels="train/labels")
    (tmp_path / "data" / "cfg").mkdir()
    yaml = tmp_path / "data" / "cfg" / "data.yaml"
    for text in ("path: ..\ntrain: train/images", "train: ../train/images"):
        yaml.write_text(f"names: [cat, dog]\n{text}\n")
        data = read(tmp_path / "data")
        assert (len(data.examples), data.outside) == (3, ())
    assert read(yaml).outside == (tmp_path / "data" / "cfg" / ".." / "train" / "images",)
    assert len(read(yaml, follow_outside=True).examples) == 3


def test_one_dot_too_many_never_means_a_sibling_of_the_data(tmp_path: Path) -> None:
    """Exports of Roboflow write `../train/images` in the folder that holds `train`."""
    disk.yolo(tmp_path / "data", images="train/images", labels="train/labels")
    disk.yolo(tmp_path, SCENE, images="train/images", labels="train/labels")
    (tmp_path / "data" / "data.yaml").write_text("names: [cat, dog]\ntrain: ../train/images\n")
    for path in (tmp_path / "data", tmp_path / "data" / "data.yaml"):
        data = read(path)
        assert (len(data.examples), data.outside) == (3, ())


@pytest.mark.parametrize(
    "name", ["/photos/ann/old/images/a b.png", r"C:\\old\\images\\a b.png", "../../../images/a b.png"]
)
def test_paths_of_another_machine_are_not_outside(tmp_path: Path, name: str) -> None:
    disk.coco(tmp_path, {"a b.png": disk.SCENES["a b.png"]}, images="images")
    path = tmp_path / "_annotations.coco.json"
    content = json.loads(path.read_text())
    content["images"][0]["file_name"] = name
    disk.write_json(path, content)
    data = read(tmp_path)
    assert [one.path for one in data.examples] == [tmp_path / "images" / "a b.png"]
    assert data.outside == ()


def test_images_beside_a_folder_of_annotations_are_in_the_data(tmp_path: Path) -> None:
    disk.coco(tmp_path / "data", images="images", name="annotations/instances_train.json")
    for path in ("data", "data/annotations", "data/annotations/instances_train.json"):
        assert read(tmp_path / path).outside == ()


def test_nothing_is_read_twice_to_know_where_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Resolving a path takes longer than finding the file: once a folder has to do."""
    scenes: Scenes = {f"{i}.png": ((8, 8), []) for i in range(100)}
    disk.coco(tmp_path, scenes, images="images")
    resolved: list[str] = []
    real = os.path.realpath
    monkeypatch.setattr(os.path, "realpath", lambda path, **how: resolved.append(str(path)) or real(path, **how))
    read(tmp_path)
    assert len(resolved) < 20
