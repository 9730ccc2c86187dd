"""Files of several pages through the commands: check, train, predict, convert; a run remembers."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import datasets_on_disk as disk
import numpy as np
import pytest
from odd_images import stack
from shell import Shell
from tiny_detectors import bright_detector, saved, scene

from pocketrcnn.cli.main import main
from pocketrcnn.custom.commands import detecting as commands
from pocketrcnn.custom.detector import Detector
from pocketrcnn.data.formats import read
from pocketrcnn.data.images.pixels import read_image
from pocketrcnn.training.run import open_run

SIZE, BOXES = (64, 48), [(4, 4, 20, 20), (30, 10, 50, 40)]
PAGES = np.stack([scene(SIZE, box) for box in BOXES])  # one object a page


@pytest.fixture
def shell(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    """In a folder with a stack of two pages and a broken one, and a detector of white objects."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(commands, "load_detector", lambda *_: bright_detector())
    Path("in").mkdir()
    Path("in/a.tif").write_bytes(stack(PAGES, 2))
    saved(Path("in/b.png"), PAGES[0])
    return Shell(capsys)


def rows(name: str) -> list[dict[str, str]]:
    with Path("predictions", name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def annotated(root: Path, **names: tuple[int, ...]) -> Path:
    """A COCO data set: stacks of two pages by name, of which these pages have an object, or the file (0)."""
    root.mkdir()
    scenes: disk.Scenes = {}
    for name, pages in names.items():
        (root / f"{name}.tif").write_bytes(stack(PAGES + np.uint8(len(scenes)), 2))
        for page in pages:
            scenes[f"{name}.tif[{page}]" if page else f"{name}.tif"] = (SIZE, [("dog", BOXES[page - 1])])
    records = [{"id": i, "file_name": name, "width": 64, "height": 48} for i, name in enumerate(scenes)]
    boxes = [(i, box) for i, (_, objects) in enumerate(scenes.values()) for _, box in objects]
    objects = [
        {"id": i, "image_id": image, "category_id": 1, "bbox": [x1, y1, x2 - x1, y2 - y1], "iscrowd": 0}
        for i, (image, (x1, y1, x2, y2)) in enumerate(boxes)
    ]
    content = {"images": records, "annotations": objects, "categories": [{"id": 1, "name": "dog"}]}
    disk.write_json(root / "_annotations.coco.json", content)
    return root


def test_each_page_is_an_image_of_its_own(shell: Shell) -> None:
    assert shell("predict run in --pages all --save-crops").out.endswith("3 objects in 3 images: predictions\n")
    names = ["in/a.tif[1]", "in/a.tif[2]", "in/b.png"]
    assert [row["image"] for row in rows("counts.csv")] == [row["image"] for row in rows("predictions.csv")] == names
    records = json.loads(Path("predictions/predictions.json").read_text())
    assert [(record["image_id"], record["file_name"]) for record in records] == list(enumerate(names, 1))
    boxes = [[float(row[name]) for name in ("x1", "y1", "x2", "y2")] for row in rows("predictions.csv")]
    assert boxes == [*map(list, BOXES), list(BOXES[0])]
    assert sorted(path.name for path in Path("predictions/pictures").iterdir()) == ["a[1].png", "a[2].png", "b.png"]
    assert Path("predictions/crops/dog/a[2]-1.png").is_file()


def test_channels_of_one_image_are_no_projection(shell: Shell) -> None:
    channels = stack([one[..., :1] for one in PAGES], 1, description="ImageJ=1.53\nimages=2\nchannels=2\n")
    Path("in/a.tif").write_bytes(channels)
    for pages in ("max", "mean"):
        out = shell(f"predict run in/a.tif --pages {pages} --out {pages}").out
        assert "in/a.tif holds 2 pages: they are read as the colours of one image\n" in out


def test_a_projection_is_one_image(shell: Shell) -> None:
    out = shell("predict run in --pages max").out
    assert "in/a.tif holds 2 pages: the maximum is read\n" in out
    assert [row["x1"] for row in rows("predictions.csv")] == ["4.00", "4.00"]
    assert rows("predictions.csv")[0]["x2"] == "50.00", "both objects are in it: to this detector they are one"


def test_one_page_can_be_named(shell: Shell) -> None:
    assert shell("predict run 'in/a.tif[2]'").out.endswith("1 object in 1 image: predictions\n")
    assert rows("counts.csv")[0]["image"] == "in/a.tif[2]"
    code, _, err = shell("predict run 'in/a.tif[3]' --out two")
    assert (code, err) == (1, "skipped: in/a.tif has no page 3: it holds 2 pages\n")
    Path("in/list.txt").write_text("a.tif[1]\nb.png\n")
    assert shell("predict run in/list.txt --out three").out.endswith("2 objects in 2 images: three\n")


def test_a_damaged_page_in_the_middle_costs_only_itself(shell: Shell) -> None:
    content = bytearray(stack(np.concatenate([PAGES, PAGES[:1]]), 2, compression=8))
    second = content.find(b"\x78\x9c", content.find(b"\x78\x9c") + 2)
    content[second : second + 2] = b"\xff\xff"
    Path("in/a.tif").write_bytes(content)
    code, out, err = shell("predict run in --pages all")
    assert (code, out.splitlines()[-1]) == (1, "3 objects in 3 images, 1 image skipped: predictions")
    assert err.startswith("skipped: in/a.tif[2] is damaged")
    assert err.count("\n") == 1
    assert "in/a.tif[2] is damaged" in shell("predict run in --pages max --out two").err


def test_pages_of_different_sizes(shell: Shell) -> None:
    Path("in/a.tif").write_bytes(stack([PAGES[0], PAGES[1][:40]], 2))
    err = shell("predict run in --pages mean").err
    assert err.startswith("skipped: in/a.tif has pages that differ (page 2 is 64 x 40")
    assert shell("predict run in --pages all --out two").code == 0
    assert "there are first, all, max, mean" in shell.refused("predict run in --pages some")


def test_a_data_set_names_the_pages_of_its_objects(shell: Shell, tmp_path: Path) -> None:
    data = annotated(tmp_path / "data", a=(1, 2), b=(2,))
    for pages in ("first", "all"):
        code, out, _ = shell("check", data, "--pages", pages)
        assert code == 0, out
        assert "coco, 3 images, 3 objects" in out
        assert "not used" not in out
    assert sorted(one.path.name for one in read(data).examples) == ["a.tif[1]", "a.tif[2]", "b.tif[2]"]
    out = shell("convert", data, "out", "--to=coco").out
    assert "3 images with 3 objects written" in out
    assert sorted(path.name for path in Path("out").iterdir()) == ["_annotations.coco.json", "a.tif", "b.tif"]
    assert shell("convert", "out", "csv", "--to=csv", "--pages=all").code == 0
    assert sorted(one.path.name for one in read(Path("csv")).examples) == ["a.tif[1]", "a.tif[2]", "b.tif[2]"]
    for form in ("yolo", "voc"):
        line = shell.refused("convert", data, "none", f"--to={form}")
        assert line.endswith("names whole files: use --to coco or --to csv, or save the pages as files")
    assert not Path("none").exists()


def test_boxes_of_a_file_are_of_no_page(shell: Shell, tmp_path: Path) -> None:
    data = annotated(tmp_path / "data", a=(0,), b=(2,))
    line = shell.refused("check", data, "--pages=all")
    remedy = "name one, as in a.tif[2], or use --pages first, max or mean"
    assert line.endswith(f"a.tif holds 2 pages, and none of them is named: {remedy}")
    out = shell("check", data, "--pages=max").out
    assert "a.tif: holds 2 pages: the maximum is read" in out
    copied = shell("convert", annotated(tmp_path / "other", a=(0,)), "out", "--to=yolo", "--pages=max").out
    assert "use --pages max with the copy, too" in copied
    assert Path("out/images/a.tif").read_bytes() == (tmp_path / "other/a.tif").read_bytes()


def test_links_and_pages_stay_in_the_folder(shell: Shell, tmp_path: Path) -> None:
    data = annotated(tmp_path / "data", a=(1,))
    (tmp_path / "secret.tif").write_bytes(stack(PAGES, 2))
    text = (data / "_annotations.coco.json").read_text().replace("a.tif[1]", "../secret.tif[1]")
    (data / "_annotations.coco.json").write_text(text)
    assert "1 path leads out of this folder" in shell.refused("convert", data, "out", "--to=coco")
    (data / "b.tif").symlink_to(tmp_path / "secret.tif")
    (data / "_annotations.coco.json").write_text(text.replace("../secret.tif[1]", "b.tif[1]"))
    assert "lead out of this folder" in shell.refused("convert", data, "out", "--to=coco")


@pytest.mark.slow
def test_a_run_remembers_what_it_reads_of_files(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    data = annotated(tmp_path / "data", a=(0,), b=(0,), c=(0,), d=(0,))
    shell = Shell(capsys)
    few = "--iterations 2 --batch 2 --input-size 64 --preset small"
    assert shell(f"train data --pages max {few} --out run").code == 0
    assert open_run(tmp_path / "run", "cpu").config.data.pages == "max"
    detector = Detector.load(tmp_path / "run")
    assert detector.pages == "max"
    pixels = read_image(data / "a.tif", "max")
    wanted, got = detector(pixels, 0), detector(data / "a.tif", 0)
    assert np.array_equal(wanted.boxes, got.boxes)
    assert np.array_equal(wanted.scores, got.scores)
    assert main(["predict", "run", "data", "--no-pictures"]) == 0
    assert "data/a.tif holds 2 pages: the maximum is read" in capsys.readouterr().out
    assert main(["predict", "run", "data", "--pages", "all", "--no-pictures", "--out", "each"]) == 0
    assert "a.tif[2]" in Path("each/counts.csv").read_text()
