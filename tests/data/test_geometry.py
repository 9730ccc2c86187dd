"""Whole-batch augmentation with many objects: each box moves exactly with its pixels, and what is gone is padding.

Covers `data/augment/mixing.py`.
"""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from pocketrcnn.config import AugmentConfig
from pocketrcnn.data.annotations import MIN_SIDE
from pocketrcnn.data.augment.augment import augment
from pocketrcnn.data.augment.geometry import GREY, VISIBLE, resample, translate, zoom
from pocketrcnn.data.augment.mixing import compact, mosaic, paste
from pocketrcnn.errors import UserError
from pocketrcnn.model.boxes import anchors, closest, match
from pocketrcnn.model.structures import PADDING, Batch

SIDE = 64
COLOURS = ((255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 0), (255, 0, 255), (0, 255, 255))  # one a label
EVERYTHING = AugmentConfig(
    flip="random",
    shift=3,
    cutout=4,
    brightness=0.1,
    contrast=0.1,
    flip_vertical=True,
    rotate=True,
    zoom=(0.6, 1.6),
    aspect=0.3,
    zoomed=0.7,
    translate=0.1,
    gamma=0.3,
    saturation=0.5,
    hue=0.1,
    noise=0.05,
    invert=0.5,
    grey=0.2,
    paste=3,
    mosaic=0.5,
)
MOVES = [
    AugmentConfig(flip="random"),
    AugmentConfig(flip_vertical=True),
    AugmentConfig(rotate=True),
    AugmentConfig(zoom=(1.3, 1.3)),
    AugmentConfig(zoom=(0.5, 2.0)),
    AugmentConfig(aspect=0.5),
    AugmentConfig(zoom=(0.5, 2.0), aspect=0.3, zoomed=0.5, translate=0.2),
    AugmentConfig(translate=0.3),
    AugmentConfig(flip_vertical=True, rotate=True, zoom=(0.7, 1.5), aspect=0.3, translate=0.2),
    AugmentConfig(mosaic=1.0),
]


def painted(count: int = 24, seed: int = 0) -> Batch:
    """Up to six rectangles an image, each of its label's colour, none over another, on black; padding behind."""
    torch.manual_seed(seed)
    images = torch.zeros(count, 3, SIDE, SIDE, dtype=torch.uint8)
    boxes, labels = torch.zeros(count, 6, 4), torch.full((count, 6), PADDING)
    for i in range(count):
        for slot in range(i % 7):
            (w, h), (x, y) = torch.randint(6, 19, (2,)).tolist(), torch.randint(0, 3, (2,)).tolist()
            x, y = 21 * (slot % 3) + x, 32 * (slot // 3) + y
            images[i, :, y : y + h, x : x + w] = torch.tensor(COLOURS[slot])[:, None, None]
            boxes[i, slot], labels[i, slot] = torch.tensor([x, y, x + w, y + h]), slot
    return Batch(images, boxes, labels, torch.arange(count))


def extent(image: Tensor, label: int) -> Tensor:
    """The box around all pixels that have a label's colour by more than three fifths."""
    colour = torch.tensor(COLOURS[label])[:, None, None]
    like = ((image.int() - colour).abs() < 100).all(0)
    ys, xs = like.nonzero().unbind(-1)
    if not len(ys):
        return torch.zeros(4)
    return torch.stack((xs.min(), ys.min(), xs.max() + 1, ys.max() + 1)).float()


def shown(batch: Batch, i: int) -> list[tuple[int, list[float]]]:
    keep = batch.valid[i]
    return list(zip(batch.labels[i][keep].tolist(), batch.boxes[i][keep].tolist(), strict=True))


@pytest.mark.parametrize("config", MOVES, ids=str)
def test_every_box_is_the_extent_of_its_colour(config: AugmentConfig) -> None:
    compared = 0
    for seed in range(3):
        after = augment(painted(seed=seed), config, epoch=0, seed=0)
        for i in range(len(after)):
            objects = shown(after, i)
            labels = [label for label, _ in objects]
            for label, box in objects:
                if labels.count(label) == 1 and clear(after, i, label):
                    assert (extent(after.images[i], label) - torch.tensor(box)).abs().max() <= 1, (i, label)
                    compared += 1
    assert compared > 20


def clear(batch: Batch, i: int, label: int) -> bool:
    """Whether no remains of a lost object of the same colour may be left in a mosaic: all of it lies in one box."""
    box = dict(shown(batch, i))[label]
    around = extent(batch.images[i], label) - torch.tensor(box)
    return bool(around.abs().max() < 6)


def test_a_move_alone_computes_no_pixel_anew() -> None:
    """Whole pixels: what was sharp stays sharp, and a box tells exactly where its image went."""
    torch.manual_seed(0)
    images = torch.randint(0, 256, (64, 3, SIDE, SIDE), dtype=torch.uint8)
    middle = torch.tensor([24.0, 28.0, 40.0, 36.0]).expand(64, 1, 4)
    after = translate(Batch(images, middle, torch.zeros(64, 1, dtype=torch.int64), torch.arange(64)), 0.2)
    moves = (after.boxes - middle)[:, 0]
    assert torch.equal(moves, moves.round())
    assert torch.equal(moves[:, :2], moves[:, 2:]), "boxes keep their size"
    assert moves.abs().max() == round(0.2 * SIDE), "as far as configured, and no farther"
    for image, moved, (right, down, *_) in zip(images, after.images, moves.int().tolist(), strict=True):
        expected = torch.full_like(image, GREY)
        y, x = (slice(max(by, 0), SIDE + min(by, 0)) for by in (down, right))
        from_y, from_x = (slice(max(-by, 0), SIDE + min(-by, 0)) for by in (down, right))
        expected[:, y, x] = image[:, from_y, from_x]
        assert torch.equal(moved, expected)


@pytest.mark.parametrize("config", [*MOVES[3:], EVERYTHING], ids=str)
def test_results_are_valid_batches(config: AugmentConfig) -> None:
    for seed in range(4):
        after = augment(painted(seed=seed), config, epoch=0, seed=0)
        x1, y1, x2, y2 = after.boxes[after.valid].unbind(-1)
        assert x1.min() >= 0
        assert y1.min() >= 0
        assert x2.max() <= SIDE
        assert y2.max() <= SIDE
        assert (x2 - x1).min() >= MIN_SIDE
        assert (y2 - y1).min() >= MIN_SIDE
        assert (after.boxes[~after.valid] == 0).all(), "padding is zeros"
        assert after.images.shape == (24, 3, SIDE, SIDE)
        assert after.images.dtype == torch.uint8
        assert after.labels.dtype == torch.int64


def test_an_object_is_kept_as_long_as_enough_of_it_is_in_the_frame() -> None:
    images = torch.zeros(1, 3, SIDE, SIDE, dtype=torch.uint8)
    boxes = torch.tensor([[[40.0, 0, 50, 64], [0.0, 0, 20, 64]]])
    batch = Batch(images, boxes, torch.tensor([[3, 4]]), torch.arange(1))
    kept = []
    for seed in range(40):
        torch.manual_seed(seed)
        after = zoom(batch, (1.0, 1.0), 0.0, 0.9)
        torch.manual_seed(seed)
        play = 0.9 * (2 * torch.rand(5, 1)[3:, 0] - 1) * SIDE  # how far the image moves
        for slot, (low, high) in enumerate(((40, 50), (0, 20))):
            x1, x2 = (min(max(edge + play[0].item(), 0), SIDE) for edge in (low, high))
            part = (x2 - x1) / (high - low) * (1 - play[1].abs().item() / SIDE)
            kept.append(bool(after.labels[0, slot] != PADDING))
            assert kept[-1] == (part >= VISIBLE), (seed, slot, part)
    assert any(kept)
    assert not all(kept)


@pytest.mark.parametrize("config", [*MOVES, AugmentConfig(paste=2), EVERYTHING], ids=str)
def test_images_without_objects_stay_without(config: AugmentConfig) -> None:
    images = torch.randint(0, 256, (5, 3, 32, 32), dtype=torch.uint8)
    for slots in (0, 3):
        labels = torch.full((5, slots), PADDING)
        after = augment(Batch(images, torch.zeros(5, slots, 4), labels, torch.arange(5)), config, 0, 0)
        assert not after.valid.any()
        assert after.boxes.abs().sum() == 0


@pytest.mark.parametrize("config", [AugmentConfig(paste=2), AugmentConfig(mosaic=1.0), EVERYTHING], ids=str)
def test_a_batch_of_one_borrows_from_itself(config: AugmentConfig) -> None:
    whole = painted(4)
    one = Batch(whole.images[3:], whole.boxes[3:], whole.labels[3:], whole.ids[3:])
    torch.manual_seed(0)
    after = augment(one, config, 0, 0)
    assert len(after) == 1
    assert set(after.labels[after.valid].tolist()) <= {0, 1, 2}


def test_the_same_seed_gives_the_same_batch_and_another_seed_another() -> None:
    batches = []
    for seed in (5, 5, 6):
        batch = painted()
        torch.manual_seed(seed)
        batches.append(augment(batch, EVERYTHING, epoch=1, seed=0))
    assert torch.equal(batches[0].images, batches[1].images)
    assert torch.equal(batches[0].boxes, batches[1].boxes)
    assert not torch.equal(batches[0].images, batches[2].images)


def test_the_batch_that_came_in_is_not_changed() -> None:
    before, same = painted(), painted()
    augment(before, EVERYTHING, epoch=0, seed=0)
    for name in ("images", "boxes", "labels", "ids"):
        assert torch.equal(getattr(before, name), getattr(same, name))


def test_a_quarter_turn_is_torch_rot90_and_all_four_turns_appear() -> None:
    before = painted(200)
    after = augment(before, AugmentConfig(rotate=True), 0, 0)
    turns = [
        [torch.equal(new, old.rot90(k, (-2, -1))) for k in range(4)]
        for new, old in zip(after.images, before.images, strict=True)
        if old.any()
    ]
    assert all(any(row) for row in turns)
    assert min(map(sum, zip(*turns, strict=True))) > 20


def test_resampling_at_the_pixels_is_the_image_and_outside_is_grey() -> None:
    images = torch.randint(0, 256, (2, 3, 16, 16), dtype=torch.uint8)
    at = torch.arange(16).expand(2, 16) + 0.5
    assert (resample(images, at, at) - images).abs().max() < 1e-3
    assert torch.equal(resample(images, at + 100, at), torch.full((2, 3, 16, 16), float(GREY)))


@pytest.mark.parametrize("probability", [0.0, 0.3, 0.5])
def test_images_that_are_not_zoomed_move_by_whole_pixels_and_stay_sharp(probability: float) -> None:
    torch.manual_seed(0)
    count = 400
    images = torch.randint(0, 256, (count, 3, SIDE, SIDE), dtype=torch.uint8)
    middle = torch.tensor([24.0, 28.0, 40.0, 36.0]).expand(count, 1, 4)
    batch = Batch(images, middle, torch.zeros(count, 1, dtype=torch.int64), torch.arange(count))
    after = zoom(batch, (0.6, 0.9), 0.2, 0.1, probability)
    moves = (after.boxes - middle)[:, 0]
    still = (moves[:, :2] == moves[:, 2:]).all(1) & (moves == moves.round()).all(1)
    assert abs(still.float().mean() - (1 - probability)) < 0.08
    assert moves[still].abs().max() <= round(0.1 * SIDE)
    for image, moved, (right, down, *_) in zip(
        images[still], after.images[still], moves[still].int().tolist(), strict=True
    ):
        expected = image.roll((down, right), (-2, -1))
        inner = slice(7, SIDE - 7)
        assert torch.equal(moved[:, inner, inner], expected[:, inner, inner])
    assert (after.boxes[~still][:, 0, 2:] - after.boxes[~still][:, 0, :2] < 16 * 0.999).any(1).all(), (
        "the others shrank"
    )


def test_a_shrunk_image_lies_inside_a_grey_frame_at_any_place() -> None:
    white = Batch(
        torch.full((200, 3, 40, 40), 255, dtype=torch.uint8),
        torch.tensor([0.0, 0, 40, 40]).expand(200, 1, 4),
        torch.zeros(200, 1, dtype=torch.int64),
        torch.arange(200),
    )
    torch.manual_seed(0)
    after = zoom(white, (0.5, 0.5), 0.0, 0.0)
    left, top, right, _ = after.boxes[:, 0].unbind(-1)
    assert torch.allclose(right - left, torch.tensor(20.0), atol=1e-4)
    assert left.min() < 1
    assert left.max() > 19
    assert top.min() < 1
    assert top.max() > 19
    assert after.images.min() == GREY
    area = (after.images[:, 0] > 191).flatten(1).sum(1)
    assert ((area - 400).abs() <= 41).all()


def test_pasted_objects_show_what_they_are_where_they_are() -> None:
    """On white images with nothing, objects of the painted batch: their middle has their colour."""
    source = painted(6, seed=2)
    empty = torch.full_like(source.images, 255)
    batch = Batch(
        torch.cat((source.images, empty)),
        torch.cat((source.boxes, torch.zeros_like(source.boxes))),
        torch.cat((source.labels, torch.full_like(source.labels, PADDING))),
        torch.arange(12),
    )
    torch.manual_seed(1)
    added = 0
    for _ in range(5):
        after = paste(batch, 1)
        for i in range(6, 12):
            for label, box in shown(after, i):
                x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
                middle = after.images[i, :, int(y), int(x)]
                assert (middle.int() - torch.tensor(COLOURS[label])).abs().max() < 30
                assert (extent(after.images[i], label) - torch.tensor(box)).abs().max() <= 2
                added += 1
    assert added > 4


def test_pasting_adds_up_to_its_number_and_the_unpasted_keep_their_pixels() -> None:
    before = painted(60)
    torch.manual_seed(0)
    after = paste(before, 3)
    more = after.valid.sum(1) - before.valid.sum(1)
    assert more.max() == 3
    assert more.min() <= 0
    same = (after.images == before.images).flatten(1).all(1)
    assert same.sum() >= 5
    assert (more[same] == 0).all()


def test_an_object_under_a_pasted_one_is_gone() -> None:
    """A speck in an image that is nearly filled by the pasted object: nothing is left of it."""
    images = torch.zeros(2, 3, 40, 40, dtype=torch.uint8)
    boxes = torch.tensor([[[1.0, 1, 39, 39]], [[18.0, 18, 22, 22]]])
    before = Batch(images, boxes, torch.tensor([[1], [2]]), torch.arange(2))
    lost = False
    for seed in range(20):
        torch.manual_seed(seed)
        after = paste(before, 1)
        labels = after.labels[1][after.valid[1]].tolist()
        assert labels in ([2], [1], [2, 1])
        lost |= labels == [1]
    assert lost


def test_a_mosaic_is_made_of_four_corners_at_their_own_scale() -> None:
    plain = torch.arange(8, dtype=torch.uint8)[:, None, None, None].expand(8, 3, 40, 40).contiguous()
    boxes = torch.tensor([[[0.0, 0, 40, 40]]]).expand(8, 1, 4)
    labels = torch.arange(8)[:, None]
    torch.manual_seed(0)
    after = mosaic(Batch(plain, boxes, labels, torch.arange(8)), 1.0)
    for i in range(8):
        image = after.images[i, 0]
        assert image[0, 0] == i, "the image itself is at the upper left"
        for label, (x1, y1, x2, y2) in shown(after, i):
            assert (image[int(y1) : int(y2), int(x1) : int(x2)] == label).all()
    assert after.boxes.shape[1] <= 4


@pytest.mark.parametrize("config", [AugmentConfig(mosaic=0.5), EVERYTHING], ids=str)
def test_a_batch_without_objects_keeps_a_slot_and_can_be_matched(config: AugmentConfig) -> None:
    before = painted()
    empty = Batch(before.images, torch.zeros_like(before.boxes), torch.full_like(before.labels, PADDING), before.ids)
    after = augment(empty, config, epoch=0, seed=0)
    assert after.labels.shape[1] >= 1
    assert not after.valid.any()
    grid = anchors(8, 8, 8, ((16.0, 16.0),))
    labels, _ = match(grid, after.boxes, after.valid, 0.5, 0.4)
    assert not labels.any(), "all are background"
    overlap, _ = closest(grid.flatten(0, 2).expand(len(after), -1, -1), after.boxes, after.valid)
    assert (overlap == -1).all()


def test_no_mosaic_is_the_image_itself() -> None:
    before = painted()
    after = mosaic(before, 0.0)
    assert torch.equal(after.images, before.images)
    assert torch.equal(after.boxes, before.boxes)
    assert torch.equal(after.labels, before.labels)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.lists(st.integers(-1, 3), min_size=4, max_size=4), min_size=1, max_size=5))
def test_compacting_keeps_the_objects_in_their_order(rows: list[list[int]]) -> None:
    labels = torch.tensor(rows)
    boxes = torch.arange(labels.numel() * 4).view(*labels.shape, 4).float()
    after = compact(Batch(torch.zeros(len(rows), 3, 1, 1, dtype=torch.uint8), boxes, labels, torch.arange(len(rows))))
    fullest = max(sum(label >= 0 for label in row) for row in rows)
    assert after.labels.shape[1] == max(fullest, 1)
    for i, row in enumerate(rows):
        kept = [(label, boxes[i, slot].tolist()) for slot, label in enumerate(row) if label >= 0]
        assert shown(after, i) == kept
        assert not after.valid[i, len(kept) :].any(), "padding stands behind"


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"zoom": (2.0, 1.0)}, "augment.zoom"),
        ({"zoom": (0.0, 1.0)}, "augment.zoom"),
        ({"zoom": (1.0,)}, "augment.zoom"),
        ({"paste": -1}, "augment.paste"),
        ({"mosaic": 1.5}, "augment.mosaic"),
        ({"zoomed": -0.1}, "augment.zoomed"),
        ({"noise": -0.1}, "augment.noise"),
    ],
)
def test_impossible_settings_are_refused(wrong: dict[str, object], message: str) -> None:
    with pytest.raises(UserError, match=message):
        AugmentConfig(**wrong)  # type: ignore[arg-type]
