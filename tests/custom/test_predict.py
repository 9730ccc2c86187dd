"""`pocketrcnn predict`: what it writes, and what it does with images and folders that are not as they should be.

Covers `custom/loading.py`, `custom/picture_files.py` and `custom/commands/predicted.py`.
"""

from __future__ import annotations

import csv
import errno
import io
import json
import os
import signal
import struct
import sys
import zlib
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pytest
from disks import full
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from shell import Shell
from tiny_detectors import bright_detector, saved, scene, tiny_run

from pocketrcnn.cli.main import main
from pocketrcnn.custom import predict as prediction
from pocketrcnn.custom.commands import detecting as commands
from pocketrcnn.custom.detector import Detector
from pocketrcnn.custom.draw import picture
from pocketrcnn.custom.options import PredictOptions
from pocketrcnn.custom.picture_files import as_folder, crop
from pocketrcnn.custom.predict import Output, Readable, groups, predict
from pocketrcnn.data.cells import protected, unprotected
from pocketrcnn.data.files import LOCK, locked
from pocketrcnn.data.formats import read
from pocketrcnn.data.images.pixels import read_image
from pocketrcnn.data.images.tiff_pages import OTHER_PAGES
from pocketrcnn.model.structures import Detections

BOX = (8, 4, 24, 20)
TABLES = ["predictions.csv", "predictions.json"]
WHITE = scene((64, 48), BOX)


@pytest.fixture
def shell(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    """In an empty folder, with a detector of white objects."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(commands, "load_detector", lambda *_: bright_detector())
    return Shell(capsys)


def results(folder: str = "predictions") -> list[dict[str, Any]]:
    records: list[dict[str, Any]] = json.loads(Path(folder, "predictions.json").read_text(encoding="utf-8"))
    return records


def rows(folder: str = "predictions") -> list[dict[str, str]]:
    with Path(folder, "predictions.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def written(folder: str = "predictions") -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in Path(folder).rglob("*") if path.is_file())


def test_the_files_of_a_prediction(shell: Shell) -> None:
    saved(Path("in/a.png"), WHITE)
    saved(Path("in/b.png"), np.zeros((30, 30, 3), np.uint8))
    assert shell("predict run in --save-crops") == (0, "by class: dog 1\n1 object in 2 images: predictions\n", "")
    assert written() == ["counts.csv", "crops/dog/a-1.png", "pictures/a.png", "pictures/b.png", *TABLES]
    name = str(Path("in", "a.png"))
    assert results() == [
        {"image_id": 1, "category_id": 2, "bbox": [8.0, 4.0, 16.0, 16.0], "score": 0.75, "file_name": name}
    ]
    wanted = {
        "image": name,
        "class": "dog",
        "score": "0.7500",
        "x1": "8.00",
        "y1": "4.00",
        "x2": "24.00",
        "y2": "20.00",
        "centre_x": "16.00",
        "centre_y": "12.00",
        "box_width": "16.00",
        "box_height": "16.00",
    }
    assert rows() == [wanted]
    assert (read_image("predictions/crops/dog/a-1.png") == 255).all()
    assert read_image("predictions/crops/dog/a-1.png").shape == (16, 16, 3)
    assert read_image("predictions/pictures/a.png").shape == (384, 512, 3)


def test_a_real_run_gives_what_the_python_interface_gives(
    capsys: pytest.CaptureFixture[str], tmp_path_factory: pytest.TempPathFactory, tmp_path: Path
) -> None:
    run, noise = tiny_run(tmp_path_factory), np.random.default_rng(1).integers(0, 256, (5, 80, 64, 3), np.uint8)
    paths = [saved(tmp_path / f"{i}.png", image) for i, image in enumerate(noise)]
    code, _, _ = Shell(capsys)(f"predict {run} {tmp_path} --threshold 0 --no-pictures --batch 2 --out", tmp_path / "o")
    wanted = Detector.load(run)(paths, 0, batch=2).to_coco(range(1, 6))
    assert code == 0
    assert len(wanted) > 5
    names = {number: str(path) for number, path in enumerate(paths, 1)}
    assert results(tmp_path / "o") == [r | {"file_name": names[r["image_id"]]} for r in wanted]
    assert len(rows(tmp_path / "o")) == len(wanted)
    assert not (tmp_path / "o" / "pictures").exists()


def test_names_that_begin_like_formulas_are_text_to_spreadsheets(shell: Shell) -> None:
    for name in ("=1+1.png", "@a.png", "-b.png", "c-=.png"):
        saved(Path(name), WHITE)
    shell("predict run *.png")
    assert [row["image"] for row in rows()] == ["'-b.png", "'=1+1.png", "'@a.png", "c-=.png"]
    assert {row["score"] for row in rows()} == {"0.7500"}
    assert [one.path.name for one in read(Path("predictions/predictions.csv")).examples][:2] == ["-b.png", "=1+1.png"]


@given(st.text())
def test_protected_cells_give_the_same_names(name: str) -> None:
    cell = protected(name)
    assert unprotected(cell) == name
    assert cell[:1] not in tuple("=+-@\t\r\n")
    assert cell == name or name.lstrip("'")[0] in "=+-@\t\r\n"


def test_nothing_found(shell: Shell) -> None:
    saved(Path("dark.png"), np.zeros((5, 5, 3), np.uint8))
    assert shell("predict run dark.png --save-crops") == (0, "0 objects in 1 image: predictions\n", "")
    assert (results(), rows()) == ([], [])
    assert written() == ["counts.csv", "pictures/dark.png", *TABLES]


def test_the_threshold_decides(shell: Shell) -> None:
    saved(Path("a.png"), WHITE)
    assert shell("predict run a.png --threshold 0.8").out.startswith("0 objects")
    assert shell("predict run a.png --threshold 0.7").out.startswith("by class: dog 1\n1 object ")
    assert shell.refused("predict run a.png --threshold 7") == "pocketrcnn: --threshold 7: use a score from 0 to 1"
    assert "--batch 0: use 1 or more" in shell.refused("predict run a.png --batch 0")


def huge_png(path: Path) -> Path:
    """The head of a PNG of 20,000 x 20,000 pixels, and nothing behind it."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", 20_000, 20_000, 8, 2, 0, 0, 0)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0" * 9)))
    return path


def test_broken_images_cost_only_themselves(shell: Shell) -> None:
    for name in ("a.png", "z.png"):
        saved(Path("in", name), WHITE)
    whole = io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)).save(whole, "PNG")
    Path("in/cut.png").write_bytes(whole.getvalue()[:2000])
    Path("in/page.jpg").write_text("<!DOCTYPE html><title>404</title>")
    huge_png(Path("in/huge.png"))
    code, out, err = shell("predict run in")
    assert code == 1
    assert out == "by class: dog 2\n2 objects in 2 images, 3 images skipped: predictions\n"
    lines = err.splitlines()
    assert [line.startswith("skipped: in") for line in lines] == [True] * 3
    assert "cut.png is damaged" in lines[0]
    assert "huge.png has 20,000 x 20,000 pixels, more than the limit" in lines[1]
    assert "page.jpg is an HTML page, not an image" in lines[2]
    assert [record["image_id"] for record in results()] == [1, 5]
    assert written() == ["counts.csv", "pictures/a.png", "pictures/z.png", *TABLES]


def test_what_is_passed_over_is_counted(shell: Shell) -> None:
    saved(Path("in/a.png"), WHITE)
    for name in ("b.heic", "c.heic", "clip.mp4"):
        Path("in", name).write_bytes(b"")
    code, out, err = shell("predict run in")
    lines = out.splitlines()
    assert (code, err, len(lines)) == (0, "", 4)
    assert lines[0].startswith("in/b.heic is a HEIC photograph, which is not read: save it as JPEG")
    assert lines[0].endswith("(and so 1 other file)")
    assert lines[1].startswith("in/clip.mp4 is a video, which is not read: save its frames")
    Path("in/a.png").unlink()
    assert "in holds no images: b.heic is a HEIC" in shell.refused("predict run in")


def test_notes_of_images_are_counted(shell: Shell) -> None:
    Path("in").mkdir()
    for i in range(3):
        Image.fromarray(WHITE).save(f"in/{i}.tif", save_all=True, append_images=[Image.new("RGB", (9, 9))] * 2)
    note = f"in/0.tif holds 3 pages: the first is read{OTHER_PAGES} (and so 2 other images)\n"
    assert shell("predict run in") == (0, f"{note}by class: dog 3\n3 objects in 3 images: predictions\n", "")


def test_a_list_of_images(shell: Shell) -> None:
    for name in ("a.png", "b.png", "c.png"):
        saved(Path("in", name), WHITE)
    Path("in/list.txt").write_text("a.png\nc.png\ngone.png\n")
    code, out, err = shell("predict run in/list.txt")
    assert (code, out) == (1, "by class: dog 2\n2 objects in 2 images, 1 image skipped: predictions\n")
    assert err == "skipped: in/gone.png is not there: name an image file\n"
    assert [row["image"] for row in rows()] == ["in/a.png", "in/c.png"]
    assert "is an address: download it first" in shell.refused("predict run https://example.com/a.png")


def test_only_broken_images(shell: Shell) -> None:
    Path("page.png").write_text("<html>")
    code, out, err = shell("predict run page.png")
    assert (code, out) == (1, "0 objects in 0 images, 1 image skipped: predictions\n")
    assert err.count("\n") == 1
    assert results() == []


def test_one_pixel(shell: Shell) -> None:
    saved(Path("dot.png"), np.full((1, 1, 3), 255, np.uint8))
    assert shell("predict run dot.png --save-crops").code == 0
    assert results()[0]["bbox"] == [0, 0, 1, 1]
    assert read_image("predictions/crops/dog/dot-1.png").shape == (1, 1, 3)


def test_patterns_and_names_of_all_kinds(shell: Shell) -> None:
    for name in ("ёжик 日本.png", "b.PNG", "sub/c d.png"):
        saved(Path("мои фото", name), WHITE)
    Path("мои фото/notes.txt").write_text("no image")
    assert shell("predict run 'мои фото/**/*' --save-crops --out 'это here'").code == 0
    assert sorted(Path(row["image"]).name for row in rows("это here")) == ["b.PNG", "c d.png", "ёжик 日本.png"]
    assert {"pictures/ёжик 日本.png", "crops/dog/c d-1.png"} <= set(written("это here"))
    assert shell("predict run 'мои фото' --out other").out.startswith("by class: dog 2\n2 objects in 2 images")


def test_images_of_one_name_do_not_overwrite_each_other(shell: Shell) -> None:
    for name in ("1/a.png", "2/a.png", "3/A.jpg", "3/a-2.png"):
        saved(Path("in", name), WHITE)
    shell("predict run in/1 in/2 in/3 --save-crops")
    pictures = [name for name in written() if name.startswith("pictures")]
    assert len({name.lower() for name in pictures}) == 4
    assert len([name for name in written() if name.startswith("crops")]) == 4


def test_folders_are_numbered_and_nothing_is_overwritten(shell: Shell) -> None:
    saved(Path("a.png"), WHITE)
    assert [shell("predict run a.png").out.split()[-1] for _ in range(3)] == [
        "predictions",
        "predictions-2",
        "predictions-3",
    ]
    assert "predictions is not empty" in shell.refused("predict run a.png --out predictions")
    assert "a.png is a file" in shell.refused("predict run a.png --out a.png")
    Path("empty").mkdir()
    assert shell("predict run a.png --out empty").code == 0


def test_a_folder_belongs_to_one_program_at_a_time(shell: Shell) -> None:
    """Two of them found it empty, and it became a mixture of both."""
    saved(Path("a.png"), WHITE)
    with locked(Path("found", LOCK)):
        assert "found is in use by another program" in shell.refused("predict run a.png --out found")
    Path("found", LOCK).touch()
    Path("found", ".predictions.json.1.part").touch()  # both are left by a program that was killed
    assert shell("predict run a.png --out found").code == 0
    assert written("found") == ["counts.csv", "pictures/a.png", *TABLES]


def test_names_as_long_as_a_system_allows(shell: Shell) -> None:
    """A number and an ending once made them too long, which cost all other results."""
    for folder in ("1", "2"):
        saved(Path("in", folder, f"{'x' * 251}.png"), WHITE)
        saved(Path("in", folder, f"{'ж' * 125}.png"), WHITE)
    assert shell("predict run 'in/**/*' --save-crops").out.startswith("by class: dog 4\n4 objects in 4 images")
    assert len(written()) == 3 + 4 + 4


def test_pictures_of_earlier_predictions_are_no_images(shell: Shell) -> None:
    saved(Path("in/a.png"), WHITE)
    saved(Path("in/pictures/b.png"), WHITE)
    assert shell("predict run 'in/**/*' --save-crops --out in/first").code == 0
    printed = "4 pictures of earlier predictions skipped\nby class: dog 2\n2 objects in 2 images: second\n"
    assert shell("predict run 'in/**/*' --out second") == (0, printed, "")
    named = shell("predict run in/first/pictures --out third").out
    assert named.endswith("2 objects in 2 images: third\n"), "named, they are meant"


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_what_was_done_before_an_interruption_is_kept(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, number: int, code: int
) -> None:
    for i in range(5):
        saved(Path(f"in/{i}.png"), WHITE)
    add = Output.add

    def interrupting(self: Output, name: str, *rest: Any) -> None:
        add(self, name, *rest)
        if Path(name).name == "1.png":
            signal.raise_signal(number)

    monkeypatch.setattr(Output, "add", interrupting)
    message = "\npocketrcnn: interrupted after 2 of 5 images, whose results are in predictions\n"
    assert shell("predict run in --batch 2") == (code, "", message)
    assert len(results()) == len(rows()) == 2
    assert written() == ["counts.csv", "pictures/0.png", "pictures/1.png", *TABLES]


@pytest.mark.usefixtures("shell")
def test_nobody_has_to_listen() -> None:
    """`2>&1 | head -1` once cost all results after the second broken image."""
    Path("broken.png").write_text("no image")
    saved(Path("good.png"), WHITE)
    closed = mock.Mock(write=mock.Mock(side_effect=BrokenPipeError))
    with mock.patch.object(sys, "stderr", closed):
        assert main(["predict", "run", "broken.png", "good.png"]) == 1
    assert len(results()) == 1


def test_no_such_image_and_nothing_is_written(shell: Shell) -> None:
    assert "nowhere.png is not there" in shell.refused("predict run nowhere.png")
    assert not Path("predictions").exists()


def test_exported_files_are_known_by_their_name(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    saved(Path("a.png"), WHITE)
    shell = Shell(capsys)
    assert "file of `pocketrcnn export`" in shell.refused("predict model.ONNX a.png")
    assert "model.onnx runs on the processor" in shell.refused("predict model.onnx a.png --device cuda")
    assert "nowhere is not the folder of a run" in shell.refused("predict nowhere a.png")
    assert not Path("predictions").exists()


@pytest.mark.parametrize(("owner", "what"), [(Path, "mkdir"), (os, "open")])
def test_output_that_cannot_be_written(shell: Shell, monkeypatch: pytest.MonkeyPatch, owner: object, what: str) -> None:
    saved(Path("a.png"), WHITE)
    before = getattr(owner, what)

    def refuse(path: Path | str, *given: Any, **more: Any) -> Any:
        if "out" in Path(path).parts:
            raise OSError(errno.EROFS, "Read-only file system")
        return before(path, *given, **more)

    monkeypatch.setattr(owner, what, refuse)
    line = shell.refused("predict run a.png --out out")
    assert "(Read-only file system)" in line
    assert "--out" in line


def test_a_full_disk_leaves_no_half_results(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    saved(Path("a.png"), WHITE)

    monkeypatch.setattr(Image.Image, "save", full)
    assert "a.png cannot be written (No space left on device)" in shell.refused("predict run a.png --out out")
    assert written("out") == []


def test_large_images_make_small_groups() -> None:
    large, tiny = np.zeros((4000, 4000, 3), np.uint8), np.zeros((4, 4, 3), np.uint8)
    images = [large, tiny, large, tiny, tiny, tiny]
    made = groups((Readable(i, Path("x.png"), image) for i, image in enumerate(images)), 3)
    assert [[one.ident for one in group] for group in made] == [[0], [1, 2], [3, 4, 5]]


def test_images_that_are_downscaled_are_counted(shell: Shell) -> None:
    saved(Path("in/a.png"), WHITE)
    saved(Path("in/b.png"), scene((200, 100), BOX))
    code, out, _ = shell("predict run in")
    words = "1 image downscaled to 64 px: boxes are in pixels of the file\n"
    assert (code, out.startswith(words)) == (0, True), out


def test_images_are_read_one_group_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paths, held, most = [saved(tmp_path / f"{i}.png", WHITE) for i in range(9)], [0], [0]
    before = prediction.read_picture

    def counted(*given: Any) -> Any:
        held[0] += 1
        most[0] = max(most[0], held[0])
        return before(*given)

    class Counting:
        classes, side, overlap, pages = ("cat", "dog"), 64, 0, "first"

        def __call__(self, images: list[Any], *given: Any) -> Detections:
            held[0] -= len(images)
            return bright_detector()(images)

    monkeypatch.setattr(prediction, "read_picture", counted)
    done = predict(Counting(), paths, PredictOptions(out=tmp_path / "out", batch=2))
    assert (done.images, done.files.detections, most[0]) == (9, 9, 2)


def test_crops_hold_what_the_box_touches() -> None:
    image = np.arange(10 * 20 * 3, dtype=np.uint8).reshape(10, 20, 3)
    assert (crop(image, (2.5, 3.0, 5.5, 4.0)) == image[3:4, 2:6]).all()
    assert crop(image, (19.9, 9.9, 20, 10)).shape == (1, 1, 3)
    assert crop(image, (0, 0, 20, 10)).shape == (10, 20, 3)


@pytest.mark.parametrize(
    ("label", "name"),
    [("cat", "cat"), ("a/b\\c", "a_b_c"), ("..", "_"), ("", "_"), ("C:", "C_"), ("кот 1", "кот 1"), (" x. ", "x")],
)
def test_folders_of_classes(label: str, name: str) -> None:
    assert as_folder(label) == name


def test_pictures_are_enlarged_to_about_one_size() -> None:
    for side, wanted in ((1, 512), (32, 512), (200, 600), (256, 512), (500, 500), (1500, 1500)):
        assert picture(np.zeros((side, side, 3), np.uint8), [], ()).shape == (wanted, wanted, 3)
