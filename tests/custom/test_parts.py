"""`predict` in parts: any cut, share and number of processes, killed at any moment, gives the files of one call.

Covers `custom/parts/names.py`, `custom/parts/plan.py`, `custom/parts/records.py`, `custom/parts/json_lines.py`,
`custom/parts/working.py`, `custom/parts/team.py`, `custom/parts/merging.py`, `custom/parts/ranks.py` and
`custom/commands/in_parts.py`.
"""

from __future__ import annotations

import io
import json
import os
import random
import signal
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

import bright_scenes
import deadly_workers
import numpy as np
import pytest
from bright_scenes import COUNT, FILES, IMAGES, last_line, merged
from disks import full
from exported_runs import made_by_hand
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from shell import Shell
from tiny_detectors import bright_detector, saved, scene

import pocketrcnn
from pocketrcnn.custom.commands import detecting
from pocketrcnn.custom.parts import team
from pocketrcnn.custom.parts.names import Images
from pocketrcnn.custom.parts.plan import PARTS, Plan, part_file, read_plan, usual_part_size
from pocketrcnn.custom.parts.records import Record, record_of
from pocketrcnn.custom.parts.working import Lines, lacking
from pocketrcnn.custom.picture_files import name_below
from pocketrcnn.data.files import being_made
from pocketrcnn.data.images.notes import Note
from pocketrcnn.data.images.pixels import read_image
from pocketrcnn.errors import UserError
from pocketrcnn.model.interchange import Detections

NO_IMAGE = "is not an image that can be read: convert it to PNG or JPEG, or remove it"


@pytest.fixture
def shell(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    """In a folder with images in folders, and a detector of white objects."""
    return bright_scenes.opened(tmp_path, capsys, monkeypatch)


@pytest.fixture
def whole(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """The files of one call without parts that stands where the images are."""
    with monkeypatch.context() as there:
        there.chdir("in")
        assert shell("predict run **/*.png --no-pictures --pixel-size 0.5 --out ../whole").code == 1
    return merged("whole")


def part_of(out: str, part: int) -> Path:
    return part_file(Path(out), read_plan(Path(out)), part)


@pytest.mark.parametrize(
    ("size", "shards"), [(1, 1), (2, 3), (3, 2), (4, 1), (COUNT - 1, 1), (COUNT, 5), (1000, 1), (5, 20)]
)
def test_any_cut_and_any_shares_give_the_files_of_one_call(
    shell: Shell, whole: dict[str, bytes], size: int, shards: int
) -> None:
    order = random.Random(size).sample(range(shards), shards)
    for index in order:
        words = f"predict run '{IMAGES}' --pixel-size 0.5 --part-size {size} --shard {index}/{shards} --out out"
        code, out, _ = shell(words)
        made = sum(1 for _ in Path("out", PARTS).iterdir())
        assert code in (0, 1)
        assert f"shard {index}/{shards}" in out
    parts = -(-COUNT // size)
    assert made == parts
    assert out.endswith(f"all {parts} part{'s' * (parts > 1)} in out; next: pocketrcnn merge out\n")
    code, _, err = shell("merge out")
    assert (code, err) == (
        1,
        "skipped: 1/4.png is not an image that can be read: convert it to PNG or JPEG, or remove it\n",
    )
    assert merged("out") == whole
    lines = [json.loads(line) for part in range(parts) for line in part_of("out", part).read_text().splitlines()]
    names = [line["image"] for line in lines]
    assert len(names) == len(set(names)) == COUNT
    assert sorted(names) == sorted(path.relative_to("in").as_posix() for path in Path("in").rglob("*.png"))


def test_a_call_without_a_share_merges_and_says_what_one_without_parts_says(
    shell: Shell, whole: dict[str, bytes]
) -> None:
    said = shell(f"predict run '{IMAGES}' --pixel-size 0.5 --part-size 4 --out out")
    plain = shell(f"predict run '{IMAGES}' --no-pictures --out plain")
    first, rest = said.out.split("\n", 1)
    assert first == "11 images in 3 parts of 4: 3 to make"
    assert (said.code, rest.replace("out", "plain")) == (plain.code, plain.out)
    assert said.err.replace(f"{os.getcwd()}{os.sep}", "") == plain.err
    assert merged("out") == whole
    assert sorted(path.name for path in Path("out").iterdir()) == ["counts.csv", PARTS, "plan.json", *FILES[:2][::-1]]
    again = shell(f"predict run '{IMAGES}' --pixel-size 0.5 --part-size 4 --out out")
    assert (again.code, again.err) == (1, ""), "nothing is done again, and what was skipped counts"
    assert again.out == said.out.replace(": 3 to make", ": 0 to make")


def test_what_lacks_is_made_and_nothing_else(shell: Shell, whole: dict[str, bytes]) -> None:
    words = f"predict run '{IMAGES}' --pixel-size 0.5 --part-size 2 --out out"
    shell(words)
    times = {path.name: path.stat().st_mtime_ns for path in Path("out", PARTS).iterdir()}
    part_of("out", 3).unlink()
    Path("out", PARTS, ".part-000003.jsonl.4711.part").write_text("half")
    assert "6 parts of 2: 1 to make" in shell(words).out
    assert merged("out") == whole
    now = {path.name: path.stat().st_mtime_ns for path in Path("out", PARTS).iterdir()}
    assert {name for name in now if now[name] != times[name]} == {"part-000003.jsonl"}, "and what is half is gone"


def test_the_size_of_parts_that_are_there_is_kept(shell: Shell) -> None:
    assert "in 3 parts of 4, shard 0/2" in shell(f"predict run '{IMAGES}' --shard 0/2 --out out").out
    shell(f"predict run '{IMAGES}' --part-size 5 --shard 0/2 --out other")
    assert "in 3 parts of 5, shard 1/2: 1 to make" in shell(f"predict run '{IMAGES}' --shard 1/2 --out other").out
    assert (usual_part_size(10**6, 4), usual_part_size(6400, 3), usual_part_size(1, 4)) == (2000, 201, 4)


def test_an_empty_share_is_fine(shell: Shell) -> None:
    code, out, err = shell(f"predict run '{IMAGES}' --part-size 6 --shard 4/5 --out out")
    assert (code, err) == (0, "")
    assert out.startswith("11 images in 2 parts of 6, shard 4/5: 0 to make\n0 parts made, shard 4/5: 0 objects in 0 im")
    assert "out lacks 2 of 2 parts (0, 1): `predict` goes on there" in shell.refused("merge out")


MADE = "out holds parts made with"
REPEAT = "repeat what made them, or name another folder with --out"


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("--shard 5/4", "--shard 5/4: there is none, shards are from 0/4 to 3/4"),
        ("--shard 4/4", "--shard 4/4: there is none"),
        ("--shard=-1/4", "--shard -1/4: there is none"),
        ("--shard 0/0", "--shard 0/0: there is none, shards are from 0/3 to 2/3"),
        ("--shard 3", "--shard 3: write number and count, from 0/3 to 2/3"),
        ("--part-size 0", "--part-size 0: use 1 or more images"),
        ("--workers 0", "--workers 0: use 1 or more"),
        ("--ids x.json", "--ids in parts: leave it out, and give it to `pocketrcnn merge OUT --ids FILE`"),
        ("--part-size 5", f"parts of 4 images each, and this would be of 5 (--part-size): {REPEAT}"),
        ("--threshold 0.5", f"{MADE} --threshold 0.1, and this would be with --threshold 0.5: {REPEAT}"),
        ("--pictures", f"{MADE} --pictures off, and this would be with --pictures on"),
        ("--pixel-size 2", f"{MADE} --pixel-size off, and this would be with --pixel-size 2.0"),
        ("--batch 2", f"{MADE} --batch 4, and this would be with --batch 2"),
        ("--pages all", f"{MADE} --pages first, and this would be with --pages all"),
        ("--out in", "in is not empty, and holds no parts: name an empty or a new folder"),
        ("--out in/0/0.png", "in/0/0.png is a file: name a new folder with --out"),
        ("--list l.txt", "name images here or in the list, not both"),
    ],
)
def test_what_cannot_be(shell: Shell, words: str, reason: str) -> None:
    begun = f"predict run '{IMAGES}' --part-size 4 --threshold 0.1 --shard 0/2 --out out"
    shell(begun)
    before = {path: path.read_bytes() for path in Path().rglob("*") if path.is_file()}
    assert reason in shell.refused(f"{begun} {words}")
    assert {path: path.read_bytes() for path in Path().rglob("*") if path.is_file()} == before


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("in --shard 0/2", "in parts the folder has a name, so that the same command goes on there: add --out OUT"),
        ("in/1 --part-size 4 --out out", "out holds parts of 11 images, and this would be of 4"),
        ("in/1 --out out", "out holds parts of a prediction: give --part-size, --shard or --workers to go on"),
        ("--list gone.txt --out new", "--list gone.txt cannot be read (No such file or directory)"),
        ("--list empty.txt --out new", "empty.txt lists no images: write the path of one in each line"),
        ("--list all-gone.txt --out new", "all-gone.txt lists 2 files, and none is there: a.png is not there"),
    ],
)
def test_images_and_folders_that_cannot_be(shell: Shell, words: str, reason: str) -> None:
    shell(f"predict run '{IMAGES}' --part-size 4 --out out")
    Path("empty.txt").write_text("\n")
    Path("all-gone.txt").write_text("a.png\nb.png\n")
    assert reason in shell.refused(f"predict run {words}")
    assert not Path("new").exists()


def test_another_detector_and_another_list_are_named(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    shell(f"predict run '{IMAGES}' --part-size 4 --shard 0/2 --out out")
    Path("in/0/0.png").rename("in/0/00.png")
    message = shell.refused(f"predict run '{IMAGES}' --part-size 4 --shard 1/2 --out out")
    assert "out holds parts of images with other names (hash " in message
    Path("in/0/00.png").rename("in/0/0.png")
    monkeypatch.setattr(detecting, "load_detector", lambda *_: bright_detector(side=32))
    ours, other = (bright_detector(side).fingerprint[:8] for side in (64, 32))
    message = shell.refused(f"predict run '{IMAGES}' --part-size 4 --shard 1/2 --out out")
    assert f"made by the detector in memory ({ours}), and this would be in memory ({other})" in message
    plan = Path("out/plan.json")
    plan.write_text(plan.read_text().replace('"version": "', '"version": "9.'))
    assert "parts made by pocketrcnn 9." in shell.refused(f"predict run '{IMAGES}' --part-size 4 --out out")


@pytest.mark.parametrize(
    "change", [b"", b"{", b"[]", b'{"version": 1}', b"\xff", ("part_size", 0), ("classes", [1]), ("images", "x")]
)
def test_a_damaged_plan_is_refused(shell: Shell, change: Any) -> None:
    shell(f"predict run '{IMAGES}' --part-size 4 --shard 0/2 --out out")
    plan = Path("out/plan.json")
    if isinstance(change, tuple):
        change = json.dumps(json.loads(plan.read_text()) | {change[0]: change[1]}).encode()
    plan.write_bytes(change)
    for words in (f"predict run '{IMAGES}' --part-size 4 --out out", "merge out"):
        assert "plan.json" in shell.refused(words)
    assert "nowhere holds no parts: name the --out of `predict`" in shell.refused("merge nowhere")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda text: text[:-20], "part-000001.jsonl is damaged (line 4: "),
        (lambda text: text.split("\n", 1)[1], "part-000001.jsonl has 3 images and not 4: remove it"),
        (lambda text: text + text.splitlines()[0] + "\n", "has 5 images and not 4"),
        (lambda text: "[1]\n" + text, "is damaged (line 1: "),
        (lambda text: text.replace('"dog"', '"pig"', 1), "is damaged (line 1: no 'pig')"),
        (lambda text: text.replace("[0.75]", "[0.75, 0.5]", 1), "is damaged (line 1: "),
        (lambda text: text.replace('"width": ', '"width": -', 1), "sizes that cannot be"),
        (lambda text: "\n" + text, "is damaged (line 1: "),
        (lambda text: text.replace('"boxes"', '"box"', 1), "is damaged (line 1: no 'boxes')"),
    ],
)
def test_a_damaged_part_is_named_and_made_again(shell: Shell, change: Callable[[str], str], reason: str) -> None:
    words = f"predict run '{IMAGES}' --part-size 4 --out out"
    shell(words)
    before, part = merged("out"), part_of("out", 1)
    part.write_text(change(part.read_text(encoding="utf-8")), encoding="utf-8")
    message = last_line(shell("merge out"))
    assert reason in message
    assert message.endswith("remove it, and the same `predict` makes it again")
    assert merged("out") == before, "what was merged stays"
    part.unlink()
    assert shell(words).code == 1
    assert merged("out") == before


def test_parts_that_were_copied_here_are_refused(shell: Shell) -> None:
    """As many images as there should be, twice those of one part and none of another."""
    words = f"predict run '{IMAGES}' --part-size 4 --out out"
    shell(words)
    before, part = merged("out"), part_of("out", 1)
    content = part.read_bytes()
    part.write_bytes(part_of("out", 0).read_bytes())
    message = shell.refused("merge out")
    assert "out/parts has parts of other images than out/plan.json, or in another order: remove that folder" in message
    assert merged("out") == before
    part.write_bytes(content)
    assert shell("merge out").code == 1
    assert "in/0/0.png holds no parts: name the --out of `predict`" in shell.refused("merge in/0/0.png")


def test_images_of_a_list_that_are_gone_are_named_and_counted(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    names = ["in/0/0.png", "in/0/gone.png", "in/2/2.png", "in/0/0.png", "./in/1/1.png", "in/1/../2/8.png"]
    Path("list.txt").write_text("\n".join(names))
    code, out, err = shell("predict run --list list.txt --part-size 2 --out out")
    assert code == 1
    assert out.endswith("4 objects in 4 images, 1 image skipped: out\n")
    assert err.startswith("skipped: ")
    assert err.endswith("in/0/gone.png is not there: name an image file\n")
    lines = [json.loads(line) for part in range(3) for line in part_of("out", part).read_text().splitlines()]
    assert [line["image"] for line in lines] == ["0/0.png", "0/gone.png", "2/2.png", "1/1.png", "2/8.png"]
    assert lines[1]["skipped"] == "0/gone.png is not there: name an image file", "the same wherever the images are"
    assert shell("merge out").err == "skipped: 0/gone.png is not there: name an image file\n"
    with monkeypatch.context() as piped:
        piped.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO("\n".join(names).encode())))
        assert shell("predict run --list - --part-size 2 --out piped").code == 1
    assert merged("piped") == merged("out")


def test_machines_with_other_mounts_agree(shell: Shell, tmp_path: Path, whole: dict[str, bytes]) -> None:
    """Half of the parts by names from here, half by names of a copy elsewhere."""
    shell(f"predict run '{IMAGES}' --pixel-size 0.5 --part-size 3 --shard 0/2 --out out")
    Path("elsewhere").mkdir()
    Path("in").rename("elsewhere/photos")
    shell(f"predict run '{tmp_path}/elsewhere/photos/**/*.png' --pixel-size 0.5 --part-size 3 --shard 1/2 --out out")
    assert shell("merge out").code == 1
    assert merged("out") == whole


def test_pictures_lie_in_the_folders_of_their_images(shell: Shell) -> None:
    Image.fromarray(scene((40, 30), (2, 4, 12, 20))).save("in/0/0.tif")
    shell(f"predict run '{IMAGES}' --part-size 4 --pictures --save-crops --out in/out")
    found = {path.relative_to("in/out").as_posix() for path in Path("in/out").rglob("*.png")}
    assert {"pictures/0/0.png.png", "pictures/0/0.tif.png", "crops/dog/2/=é5.png-1.png"} <= found
    assert len(found) == 2 * COUNT
    assert (read_image("in/out/crops/dog/0/0.tif-1.png") == 255).all()
    again = shell(f"predict run '{IMAGES}' --part-size 4 --pictures --save-crops --out in/out")
    assert again.out.startswith(f"{2 * COUNT} pictures of earlier predictions skipped\n12 images in 3 parts of 4: 0 to")
    assert not Path("out/pictures").exists()


def test_names_of_pictures() -> None:
    assert name_below("a/b/ё.png") == "a/b/ё.png"
    long = [name_below(f"a/{'x' * 240}{i}.png") for i in range(2)]
    assert long[0] != long[1]
    assert all(len(name) < 230 for name in long)


def test_pages_are_images_of_their_own(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    pages = [Image.fromarray(scene((40, 30), (i, 4, 12 + i, 20))) for i in range(3)]
    pages[0].save("in/0/stack.tif", save_all=True, append_images=pages[1:])
    with monkeypatch.context() as there:
        there.chdir("in")
        shell("predict run '**/*' --pages all --no-pictures --out ../whole")
    shell(f"predict run '{IMAGES}' --pages all --part-size 4 --out out")
    assert merged("out") == merged("whole")
    assert b"0/stack.tif[3]" in merged("out")["counts.csv"]
    said = shell(f"predict run '{IMAGES}' --part-size 4 --out first").out
    assert "0/stack.tif holds 3 pages: the first is read" in said, "notes are kept in the parts"
    assert "1 image downscaled" not in said


def test_ids_of_a_coco_file_are_given_when_parts_are_merged(shell: Shell) -> None:
    images = [{"id": 100 + i, "file_name": f"{i % 3}/{i}.png"} for i in range(COUNT - 1) if i != 5]
    content = {"images": images, "categories": [{"id": 7, "name": "cat"}, {"id": 9, "name": "dog"}], "annotations": []}
    Path("in/coco.json").write_text(json.dumps(content))
    shell(f"predict run '{IMAGES}' --no-pictures --ids in/coco.json --out whole")
    shell(f"predict run '{IMAGES}' --part-size 4 --out out")
    code, out, err = shell("merge out --ids in/coco.json")
    assert (code, out) == (1, "by class: dog 8\n8 objects in 8 images, 3 images skipped: out\n")
    assert "skipped: 1/10.png is not in in/coco.json" in err
    found, wanted = (json.loads(merged(name)["predictions.json"]) for name in ("out", "whole"))
    assert [one["image_id"] for one in found] == [one["image_id"] for one in wanted]
    assert {one["category_id"] for one in found} == {9}


def test_a_full_disk_in_the_middle_of_a_part(
    shell: Shell, whole: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    write, words = Lines.write, f"predict run '{IMAGES}' --pixel-size 0.5 --part-size 4 --out out"

    def failing(self: Lines, number: int, record: Record) -> None:
        write(self, number, record)
        if record.name == "1/10.png":
            full()

    with monkeypatch.context() as disk:
        disk.setattr(Lines, "write", failing)
        assert "part-000001.jsonl cannot be written (No space left on device)" in last_line(shell(words))
    assert [path.name for path in Path("out", PARTS).iterdir()] == ["part-000000.jsonl"]
    assert "2 to make" in shell(words).out
    assert merged("out") == whole


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interruption_keeps_the_parts_that_are_done(
    shell: Shell, whole: dict[str, bytes], monkeypatch: pytest.MonkeyPatch, number: int, code: int
) -> None:
    write, words = Lines.write, f"predict run '{IMAGES}' --pixel-size 0.5 --part-size 4 --batch 2 --out out"

    def interrupting(self: Lines, at: int, record: Record) -> None:
        write(self, at, record)
        if record.name == "1/10.png":
            signal.raise_signal(number)

    with monkeypatch.context() as patch:
        patch.setattr(Lines, "write", interrupting)
        said = "\npocketrcnn: interrupted with 1 of 3 parts in out; the same command goes on from here\n"
        answer = shell(words)
        assert (answer.code, answer.err[-len(said) :]) == (code, said)
    assert os.listdir(f"out/{PARTS}") == ["part-000000.jsonl"]
    shell(words)
    assert merged("out") == whole


def test_a_part_that_another_program_makes_is_left_to_it(shell: Shell, whole: dict[str, bytes]) -> None:
    words = f"predict run '{IMAGES}' --pixel-size 0.5 --part-size 4 --out out"
    shell(f"{words} --shard 3/4")
    with being_made(part_of("out", 1)) as mine:
        assert mine
        code, out, _ = shell(words)
        assert (code, out.splitlines()[1:]) == (
            0,
            ["2 parts made: 7 objects in 7 images", "2 of 3 parts in out; when all are there: pocketrcnn merge out"],
        )
    assert "1 to make" in shell(words).out
    assert merged("out") == whole


def test_under_torchrun_the_share_follows_from_the_rank(
    shell: Shell, whole: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    words = f"predict run '{IMAGES}' --pixel-size 0.5 --part-size 3"
    for rank in ("1", "0"):
        for name, value in (("RANK", rank), ("WORLD_SIZE", "2"), ("LOCAL_WORLD_SIZE", "2")):
            monkeypatch.setenv(name, value)
        code, said, _ = shell(f"{words} --out out")
        assert code == 0, "else torchrun would end the others, for an image that cannot be read"
        assert said.startswith(f"torchrun: shard {rank}/2\n11 images in 4 parts of 3, shard {rank}/2: 2 to make\n")
    assert "add --out OUT" in shell.refused(f"predict run '{IMAGES}'")
    assert "`merge` is not for several processes" in shell.refused("merge out")
    said = shell(f"{words} --shard 2/3 --out other").out
    assert said.startswith("11 images in 4 parts of 3, shard 2/3: 1 to make"), "what is named counts"
    monkeypatch.setenv("WORLD_SIZE", "1")
    assert shell("merge out").code == 1
    assert merged("out") == whole
    assert shell("predict run in/0 --no-pictures --out alone").out.endswith("4 objects in 4 images: alone\n")


def test_in_a_program(shell: Shell, whole: dict[str, bytes]) -> None:
    words = {"pixel_size": 0.5, "part_size": 3, "out": "out", "quiet": True}
    first = pocketrcnn.predict("run", IMAGES, shard=(0, 2), **words)  # type: ignore[arg-type]
    assert (first.images + first.skipped, first.path) == (6, Path("out"))
    pocketrcnn.predict("run", IMAGES, shard=(1, 2), **words)  # type: ignore[arg-type]
    done = pocketrcnn.merge("out", quiet=True)
    assert (done.images, done.skipped, done.by_class) == (10, 1, {"cat": 0, "dog": 10})
    assert merged("out") == whole
    with pytest.raises(UserError, match="--shard 3/2: there is none"):
        pocketrcnn.predict("run", IMAGES, shard=(3, 2), out="out")


# --- processes ---


@pytest.fixture
def many(tmp_path: Path) -> Path:
    """Small images in two folders."""
    rng = np.random.default_rng(0)
    for i in range(30):
        saved(tmp_path / "many" / f"{i % 2}" / f"{i}.png", rng.integers(0, 256, (8, 8, 3), np.uint8))
    (tmp_path / "many/0/4.png").write_bytes(b"no image")
    return tmp_path / "many"


def started(*words: object, **environment: str) -> subprocess.Popen[str]:
    """`pocketrcnn predict WORDS` as a process of its own, without torch."""
    variables = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": "1"} | environment
    command = [sys.executable, "-m", "pocketrcnn", "predict", *map(str, words)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=variables)


KILLED = """
import os, signal, sys
name, count = sys.argv[1], int(sys.argv[2])
before = getattr(os, name)
def act(*given, **more):
    global count
    count -= 1
    if not count:
        os.kill(os.getpid(), signal.SIGKILL)
    return before(*given, **more)
setattr(os, name, act)
from pocketrcnn.cli.main import main
main(["predict", *sys.argv[3:]])
"""


@pytest.mark.slow
def test_killed_at_any_moment_it_goes_on_and_ends_in_the_same_bytes(tmp_path: Path, many: Path) -> None:
    model, out, alone = made_by_hand(tmp_path / "model.onnx"), tmp_path / "killed", tmp_path / "alone"
    words = (model, many / "**" / "*.png", "--batch", 1, "--part-size", 2, "--pictures", "--out")
    for operation, count in (("fsync", 1), ("fsync", 5), ("replace", 3), ("unlink", 4), ("mkdir", 1)):
        killed = subprocess.run(
            [sys.executable, "-c", KILLED, operation, str(count), *map(str, words), out], check=False
        )
        assert killed.returncode == -signal.SIGKILL, operation
    for folder in (out, alone):
        started(*words, folder).communicate()
    assert written(out) == written(alone)
    assert len(written(out)) == len(FILES) + 1 + 15 + 29


def written(out: Path) -> dict[str, bytes]:
    """The files of a folder."""
    paths = (path for path in out.rglob("*") if path.is_file())
    return {path.relative_to(out).as_posix(): path.read_bytes() for path in paths}


@pytest.mark.slow
def test_several_on_one_folder_at_once_and_a_rank_each(tmp_path: Path, many: Path) -> None:
    """Two that make all parts, and two of torchrun, all at the same time: each part is made once."""
    model = made_by_hand(tmp_path / "model.onnx")
    words = (model, many / "**" / "*.png", "--batch", 1, "--part-size", 1, "--out", tmp_path / "out")
    rank = {"WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "2"}
    processes = [started(*words), started(*words), started(*words, RANK="0", **rank), started(*words, RANK="1", **rank)]
    ended = [(*process.communicate(), process.returncode) for process in processes]
    assert {code for *_, code in ended} <= {0, 1}, ended
    assert sum(err.count("skipped: ") for _, err, _ in ended) == 1, "each part is made by one of them"
    alone = started(*words[:-1], tmp_path / "alone")
    alone.communicate()
    pocketrcnn.merge(tmp_path / "out", quiet=True)
    assert merged(str(tmp_path / "out")) == merged(str(tmp_path / "alone"))
    assert not [path for path in (tmp_path / "out").rglob(".*.part")]


@pytest.mark.slow
def test_workers_share_the_parts_and_one_that_dies_is_replaced_by_others(
    tmp_path: Path, many: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    model = made_by_hand(tmp_path / "model.onnx")
    words = {"batch": 1, "part_size": 4, "quiet": True}
    pattern = str(many / "**" / "*.png")
    alone = pocketrcnn.predict(model, pattern, out=tmp_path / "alone", **words)  # type: ignore[arg-type]
    done = pocketrcnn.predict(model, pattern, out=tmp_path / "team", workers=2, **words)  # type: ignore[arg-type]
    assert (done.images, done.skipped, done.by_class) == (alone.images, alone.skipped, alone.by_class)
    assert merged(str(tmp_path / "team")) == merged(str(tmp_path / "alone"))
    (many / "0" / "2.png").rename(many / "0" / deadly_workers.ONCE)
    pocketrcnn.predict(model, pattern, out=tmp_path / "renamed", **words)  # type: ignore[arg-type]
    monkeypatch.setattr(team, "work", deadly_workers.dying)
    capfd.readouterr()
    pocketrcnn.predict(model, pattern, out=tmp_path / "dying", workers=2, **words)  # type: ignore[arg-type]
    err = capfd.readouterr().err
    assert "ended in part-000003.jsonl (killed by signal 9): others make it again" in err
    assert merged(str(tmp_path / "dying")) == merged(str(tmp_path / "renamed"))
    (many / "0" / deadly_workers.ONCE).rename(many / "0" / deadly_workers.ALWAYS)
    with pytest.raises(UserError, match=r"workers end in part-000003\.jsonl \(killed by signal 9\)"):
        pocketrcnn.predict(model, pattern, out=tmp_path / "deadly", workers=2, **words)  # type: ignore[arg-type]


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_all_workers(tmp_path: Path, many: Path, number: int) -> None:
    model = made_by_hand(tmp_path / "model.onnx")
    words = (model, many / "**" / "*.png", "--batch", 1, "--part-size", 1, "--workers", 2, "--pictures", "--out")
    process = started(*words, tmp_path / "out")
    while process.poll() is None and not any((tmp_path / "out").rglob("*.jsonl")):
        time.sleep(0.002)
    process.send_signal(number)
    _, err = process.communicate(timeout=60)
    there = sum(1 for _ in (tmp_path / "out").rglob("*.jsonl"))
    assert process.returncode == 128 + number, err
    assert f"interrupted with {there} of 30 parts in " in err
    assert 0 < there < 30


# --- names, records, numbers ---


def test_names_begin_behind_the_folder_that_all_images_have_in_common(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    here = str(tmp_path)
    assert Images.of(["a/b/1.png", "a/c/1.png"]) == (f"{here}/a/", ["b/1.png", "c/1.png"])
    assert Images.of(["a/b/1.png"]) == (f"{here}/a/b/", ["1.png"])
    assert Images.of(["ab/1.png", "abc/1.png", f"{here}/ab/1.png"]) == (f"{here}/", ["ab/1.png", "abc/1.png"])
    assert Images.of(["/x/1.png", "/y/1.png"]) == ("/", ["x/1.png", "y/1.png"])
    assert Images.of([]).names == []
    Path("deep/er").mkdir(parents=True)
    Path("link").symlink_to("deep/er")
    assert Images.of(["link/../1.png", "1.png"]).names == ["deep/1.png", "1.png"]


def test_a_hash_knows_names_and_their_order() -> None:
    lists = [["a", "b"], ["b", "a"], ["a\nb"], ["ab"], [], ["a"], ["a", "b", "c"], ["\udce9"]]
    assert len({Images("", names).sha256 for names in lists}) == len(lists)


def test_many_names_take_little_memory(tmp_path: Path) -> None:
    count, folder = 20_000, str(tmp_path / "plates" / "plate-0001")
    paths = [f"{folder}/well-{i:07d}.tif" for i in range(count)]
    tracemalloc.start()
    try:
        images = Images.of(paths)
        assert len(images.sha256) == 64
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak / count < 500, "a million below half a gigabyte"


numbers = st.floats(0, 4096, width=32)


@settings(deadline=None)
@given(st.lists(st.tuples(st.tuples(numbers, numbers, numbers, numbers), st.floats(0, 1, width=32), st.integers(0, 1))))
def test_numbers_come_back_exactly(rows: list[tuple[tuple[float, ...], float, int]]) -> None:
    boxes = np.array([box for box, *_ in rows], np.float32).reshape(-1, 4)
    found = Detections(boxes, np.array([row[1] for row in rows], np.float32), np.array([row[2] for row in rows], int))
    record = Record("ё\udce9 1.png", (7, 5), found, (Note("pages", "holds 3"),))
    back = record_of(json.loads(json.dumps(record.content(("cat", "dog")))), {"cat": 0, "dog": 1})
    assert back.detections is not None
    assert back.detections.rows() == found.rows()
    assert (back.name, back.size, back.notes) == (record.name, record.size, record.notes)


@settings(deadline=None)
@given(st.integers(0, 60), st.integers(1, 25), st.integers(1, 9))
def test_each_part_belongs_to_one_share(images: int, size: int, shards: int) -> None:
    plan = mock.Mock(spec=Plan, images=images, part_size=size, parts=-(-images // size), part_format="jsonl")
    there = [part for index in range(shards) for part in lacking(Path("nowhere"), plan, (index, shards))]
    assert sorted(there) == list(range(plan.parts))
    places = [place for part in sorted(there) for place in range(images)[Plan.images_of(plan, part)]]
    assert places == list(range(images))


def test_lines_are_written_in_the_order_of_the_images(tmp_path: Path) -> None:
    written: list[dict[str, Any]] = []
    plan = mock.Mock(classes=["cat"], pictures=False, save_crops=False)
    lines = Lines(written.append, mock.Mock(plan=plan, out=tmp_path, images=""))
    for number in (3, 1, 2, 5, 4):
        lines.write(number, Record(str(number), skipped="gone"))
    assert [one["image"] for one in written] == list("12345")
