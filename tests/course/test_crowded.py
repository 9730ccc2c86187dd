"""Scenes with many objects: scenes are as the options say, none hides much of another, and splits share nothing."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Generator

from pocketrcnn.cli.main import main
from pocketrcnn.course.data.cifar import CLASSES
from pocketrcnn.course.data.crowded import (
    HIDDEN,
    Crowd,
    Squares,
    compose,
    crowded,
    place,
    pools,
    write_crowded,
)
from pocketrcnn.course.data.scenes import FRAME, LARGEST, SMALLEST, Placement, Pools, corners
from pocketrcnn.course.data.scenes import compose as compose_one
from pocketrcnn.errors import UserError


def seeded(seed: int = 0) -> Generator:
    return Generator().manual_seed(seed)


def noise(count: int, seed: int) -> torch.Tensor:
    return torch.randint(0, 256, (count, 3, 32, 32), dtype=torch.uint8, generator=seeded(seed))


def test_squares_lie_in_the_frame_and_numbers_and_sides_are_spread_evenly() -> None:
    squares = place(3000, Crowd((0, 6), 96), seeded())
    boxes = corners(*squares[:3])[squares.present]
    assert boxes.min() == 0
    assert boxes.max() == 96
    sides = squares.width[squares.present].bincount()[SMALLEST:]
    assert len(sides) == LARGEST - SMALLEST + 1
    assert sides.min() > 0.8 * sides.float().mean()
    counts = squares.present.sum(1).bincount(minlength=7)
    assert (counts - 3000 / 7).abs().max() < 100, "hardly one is skipped for lack of room"


def test_no_object_is_hidden_by_more_than_its_limit() -> None:
    """Counted in pixels: every object painted with its number, later ones on top."""
    squares = place(200, Crowd((5, 8), 64), seeded())
    boxes = corners(*squares[:3]).int().tolist()
    hidden = []
    for i, present in enumerate(squares.present.tolist()):
        canvas = np.full((64, 64), -1)
        for slot, (x1, y1, x2, y2) in enumerate(boxes[i]):
            if present[slot]:
                canvas[y1:y2, x1:x2] = slot
        for slot, (x1, y1, x2, y2) in enumerate(boxes[i]):
            if present[slot]:
                hidden.append(1 - (canvas == slot).sum() / ((x2 - x1) * (y2 - y1)))
    assert max(hidden) <= HIDDEN + 1e-6
    assert max(hidden) > 0.2, "some do lie on others"


def test_one_object_in_a_frame_of_48_is_the_scene_of_the_course() -> None:
    width, top, left = torch.tensor([[24], [33], [40]]), torch.tensor([[0], [7], [8]]), torch.tensor([[24], [3], [8]])
    objects, backgrounds = noise(3, 1), noise(3, 2)
    squares = Squares(width, top, left, torch.ones(3, 1, dtype=torch.bool))
    expected = compose_one(objects, backgrounds, Placement(width[:, 0], top[:, 0], left[:, 0], torch.zeros(3)))
    assert torch.equal(compose(objects[:, None], backgrounds, squares, FRAME), expected)


@pytest.mark.parametrize("side", [96, 128])
def test_plain_objects_cover_exactly_their_boxes(side: int) -> None:
    white = torch.full((4, 3, 32, 32), 255, dtype=torch.uint8)
    made_of = Pools(white, torch.arange(4), torch.zeros_like(white))
    batch = crowded(made_of, torch.arange(30), Crowd((0, 4), side), seeded())
    for i in range(30):
        canvas = torch.zeros(side, side, dtype=torch.uint8)
        for x1, y1, x2, y2 in batch.boxes[i][batch.valid[i]].int().tolist():
            canvas[y1:y2, x1:x2] = 255
        assert torch.equal(batch.images[i], canvas.expand(3, -1, -1))
    assert (batch.boxes[~batch.valid] == 0).all()
    assert batch.valid.sum(1).min() == 0


def test_the_same_seed_draws_the_same_scenes_and_leaves_the_global_generator_alone() -> None:
    made_of = pools("sample", "train")
    torch.manual_seed(3)
    before = torch.get_rng_state()
    first, again = (crowded(made_of, torch.arange(20), Crowd(), seeded(1)) for _ in range(2))
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(first.images, again.images)
    assert torch.equal(first.boxes, again.boxes)
    assert not torch.equal(first.images, crowded(made_of, torch.arange(20), Crowd(), seeded(2)).images)


def test_splits_share_no_picture_and_backgrounds_are_no_objects() -> None:
    seen: list[set[bytes]] = []
    for split in ("train", "val", "test"):
        made_of = pools("sample", split)
        for images in (made_of.objects, made_of.backgrounds):
            seen.append({image.numpy().tobytes() for image in images})
    assert [len(pictures) for pictures in seen] == [675, 225, 75, 25, 375, 125]
    assert len(set.union(*seen)) == sum(map(len, seen))


def test_an_empty_crowd_is_backgrounds_alone() -> None:
    batch = crowded(pools("sample", "test"), torch.arange(5), Crowd((0, 0), 40), seeded())
    assert batch.images.shape == (5, 3, 40, 40)
    assert batch.boxes.shape == (5, 0, 4)


def test_the_command_writes_a_coco_data_set(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "many scenes"
    assert main(["scenes", str(out), "--data", "sample", "--objects", "0-6", "--side", "64", "--images", "30"]) == 0
    assert "train: 30 images" in capsys.readouterr().out
    assert sorted(path.name for path in out.iterdir()) == ["test", "train", "val"]
    for split, count in (("train", 30), ("val", 3), ("test", 6)):
        content = json.loads((out / split / "_annotations.coco.json").read_text("utf-8"))
        assert [category["name"] for category in content["categories"]] == list(CLASSES)
        assert len(content["images"]) == count
        for image in content["images"]:
            with Image.open(out / split / image["file_name"]) as picture:
                assert picture.size == (image["width"], image["height"]) == (64, 64)
        assert {a["image_id"] for a in content["annotations"]} <= {image["id"] for image in content["images"]}
        assert all(SMALLEST <= a["bbox"][2] == a["bbox"][3] <= LARGEST for a in content["annotations"])


def test_the_files_are_always_the_same(tmp_path: Path) -> None:
    sums = []
    for name in ("a", "b"):
        write_crowded(tmp_path / name, "sample", Crowd((1, 3), 48), 10)
        files = sorted(path for path in (tmp_path / name).rglob("*") if path.is_file())
        sums.append([hashlib.sha256(path.read_bytes()).hexdigest() for path in files])
    assert sums[0] == sums[1]
    assert len(set(sums[0])) == len(sums[0]) == 10 + 1 + 2 + 3


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--objects", "six"], "--objects six: use LOW-HIGH"),
        (["--objects", "6-2"], "the smaller one first"),
        (["--objects", "0-1000"], "from 0 to 100"),
        (["--objects", "0-6", "--side", "20"], "--side 20: use 40 to 128"),
        (["--objects", "0-6", "--images", "0"], "--images 0: use 1 or more"),
        (["--side", "96"], "add --objects"),
        (["--images", "9"], "add --objects"),
    ],
)
def test_impossible_options_are_refused(
    words: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["scenes", str(tmp_path / "out"), "--data", "sample", *words]) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_folder_that_holds_something_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(UserError, match="is not empty"):
        write_crowded(tmp_path, "sample", Crowd(), 5)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]
