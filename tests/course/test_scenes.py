import hashlib

import pytest
import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from pocketrcnn.course.data import scenes
from pocketrcnn.course.data.cifar import RECORDS, load_sample
from pocketrcnn.course.data.datasets import TEST_BACKGROUNDS, TRAIN_BACKGROUNDS
from pocketrcnn.course.data.scenes import FRAME, LARGEST, SMALLEST, Placement, Pools, compose, interpolation

WHITE, BLACK = 255, 0


def seeded(seed: int = 0) -> Generator:
    return Generator().manual_seed(seed)


def noise(count: int, seed: int = 0) -> Tensor:
    return torch.randint(0, 256, (count, 3, 32, 32), dtype=torch.uint8, generator=seeded(seed))


def plain(count: int, value: int) -> Tensor:
    return torch.full((count, 3, 32, 32), value, dtype=torch.uint8)


def pools(objects: int = 40, backgrounds: int = 60) -> Pools:
    return Pools(noise(objects, 1), torch.arange(objects) % 10, noise(backgrounds, 2))


def inside(placement: Placement) -> Tensor:
    """Which pixels the boxes cover: bool [B,1,48,48]."""
    mask = torch.zeros(len(placement.width), 1, FRAME, FRAME, dtype=torch.bool)
    for index, (left, top, right, bottom) in enumerate(placement.boxes[:, 0].int().tolist()):
        mask[index, :, top:bottom, left:right] = True
    return mask


def test_boxes_are_whole_squares_inside_the_frame():
    placement = pools().place(5000, seeded())
    left, top, right, bottom = placement.boxes[:, 0].unbind(-1)
    assert torch.equal(right - left, bottom - top)
    assert torch.equal(right - left, placement.width.float())
    assert left.min() == top.min() == 0
    assert right.max() == bottom.max() == FRAME


def test_sides_and_positions_are_uniform():
    placement = pools().place(170_000, seeded())
    counts = placement.width.bincount()[SMALLEST:]
    assert len(counts) == LARGEST - SMALLEST + 1 == 17
    assert (counts - 10_000).abs().max() < 500  # five standard deviations
    for side, free in ((SMALLEST, 25), (LARGEST, 9)):
        for start in (placement.top, placement.left):
            counts = start[placement.width == side].bincount(minlength=free)
            assert len(counts) == free
            assert (counts - 10_000 / free).abs().max() < 5 * (10_000 / free) ** 0.5
    steps = placement.step.bincount()
    assert len(steps) == 60
    assert (steps - 170_000 / 60).abs().max() < 300


def test_object_covers_exactly_its_box():
    placement = pools().place(60, seeded())
    shown = compose(plain(60, WHITE), plain(60, BLACK), placement)
    assert torch.equal(shown, inside(placement).expand(-1, 3, -1, -1) * torch.tensor(255, dtype=torch.uint8))


@pytest.mark.parametrize("value", [1, 127, 128, 254, 255])
def test_plain_pictures_stay_plain(value):
    assert (compose(plain(50, value), plain(50, value), pools().place(50, seeded())) == value).all()


def test_pixels_are_bilinear_interpolation():
    """Against torch's, which is not rounded to levels."""
    placement, objects, backgrounds = pools().place(20, seeded()), noise(20, 3), noise(20, 4)
    shown = compose(objects, backgrounds, placement).float()
    expected = F.interpolate(backgrounds.float(), size=FRAME, mode="bilinear", align_corners=False)
    for index, (left, top, right, bottom) in enumerate(placement.boxes[:, 0].int().tolist()):
        scaled = F.interpolate(objects[index, None].float(), size=right - left, mode="bilinear", align_corners=False)
        expected[index, :, top:bottom, left:right] = scaled[0]
    assert (shown - expected).abs().max() <= 0.501


def test_pixels_are_exact():
    """Against whole numbers: 64-bit sums and one rounded division."""
    placement, objects = pools().place(300, seeded()), noise(300, 5)
    shown = compose(objects, plain(300, BLACK), placement)
    rows = interpolation(placement.width, placement.top).long()
    columns = interpolation(placement.width, placement.left).long()
    sums = torch.einsum("byi,bcij,bxj->bcyx", rows, objects.long(), columns)
    scale = (2 * placement.width).square()[:, None, None, None]
    rounded = torch.div(2 * sums + scale, 2 * scale, rounding_mode="floor")
    assert torch.equal(shown.long(), rounded.where(inside(placement), 0))


def test_every_sum_fits_into_float32():
    assert 255 * (2 * FRAME) ** 2 < 2**24


def test_weights_of_every_width():
    for width in (*range(SMALLEST, LARGEST + 1), FRAME):
        weights = interpolation(torch.tensor([width]), torch.tensor([FRAME - width]))[0]
        assert (weights == weights.round()).all()
        assert (weights[FRAME - width :].sum(1) == 2 * width).all()
        assert (weights[: FRAME - width] == 0).all()
        assert torch.equal(weights[FRAME - width :], weights[FRAME - width :].flip(0, 1)), "symmetrical"


def test_background_shows_only_outside_and_object_only_inside():
    placement = pools().place(30, seeded())
    mask = inside(placement).expand(-1, 3, -1, -1)
    first = compose(noise(30, 1), noise(30, 2), placement)
    other_background = compose(noise(30, 1), noise(30, 3), placement)
    other_object = compose(noise(30, 4), noise(30, 2), placement)
    assert torch.equal(first[mask], other_background[mask])
    assert torch.equal(first[~mask], other_object[~mask])


def test_batch_of_two_is_two_batches_of_one():
    one = pools()
    indices, placement = torch.tensor([7, 3]), one.place(2, seeded())
    both = one.compose(indices, placement)
    alone = [one.compose(indices[i : i + 1], placement[i : i + 1]) for i in range(2)]
    assert torch.equal(both, torch.cat(alone))


def test_empty_batch():
    one = pools()
    assert one.compose(torch.empty(0, dtype=torch.int64), one.place(0)).shape == (0, 3, FRAME, FRAME)


def test_background_is_drawn_from_its_pool():
    one = pools()
    step = one.place(100, seeded()).step
    assert torch.equal(one.background(torch.zeros(100, dtype=torch.int64), step), one.backgrounds[step])


def test_an_object_never_stands_on_itself():
    images = noise(5)
    shared = Pools(images, torch.arange(5), images, shared=True)
    indices = torch.arange(5).repeat(200)
    chosen = (indices + shared.place(1000, seeded()).step) % 5
    assert (chosen != indices).all()
    assert (torch.stack([chosen[indices == i].bincount(minlength=5) for i in range(5)]) > 0).sum() == 20, "all others"
    step = shared.place(1000, seeded()).step
    assert torch.equal(shared.background(indices, step), images[chosen])


def test_fixed_scenes_are_always_the_same_and_leave_the_global_generator_alone():
    torch.manual_seed(1)
    before = torch.get_rng_state()
    images, boxes = pools(700).fixed()
    again, boxes_again = pools(700).fixed()
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(images, again)
    assert torch.equal(boxes, boxes_again)


def test_precision_around_changes_nothing(monkeypatch):
    expected = pools(50).fixed()[0]
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(pools(50).fixed()[0], expected)
    monkeypatch.setattr(scenes, "WIDE", {"cpu": torch.float64})  # as on a GPU
    assert torch.equal(pools(50).fixed()[0], expected)


def test_more_threads_change_nothing():
    threads = torch.get_num_threads()
    try:
        results = []
        for count in (1, 2):
            torch.set_num_threads(count)
            results.append(pools(100).fixed()[0])
    finally:
        torch.set_num_threads(threads)
    assert torch.equal(*results)


def checksum(images: Tensor, boxes: Tensor) -> str:
    return hashlib.sha256(images.numpy().tobytes() + boxes.numpy().tobytes()).hexdigest()


@pytest.mark.parametrize(
    ("split", "expected"),
    [
        ("train", "6f65044b8077cff937e1b1bea1de02fac7ea5fbe6ff04d8a5879e5725b5cdc5e"),
        ("test", "b47b6711fa697f835f0f0cfea2dc131384400cedef7204654fd157d19ad77123"),
    ],
)
def test_scenes_of_seed_0_have_these_checksums(split, expected):
    images, labels = load_sample(split)
    assert checksum(*Pools(images, labels, images, shared=True).fixed()) == expected


def test_the_positions_of_the_10_000_official_scenes_have_this_checksum(monkeypatch):
    """Side, top, left and number of the background: of the training set of the course recipe and of the test set."""
    placed = []

    def note(pools, indices, placement):
        placed.append(torch.stack([placement.width, placement.top, placement.left, placement.step]))
        return torch.zeros(len(indices), 3, FRAME, FRAME, dtype=torch.uint8)

    monkeypatch.setattr(Pools, "compose", note)
    backgrounds = {len(names) * RECORDS for names in (TRAIN_BACKGROUNDS, TEST_BACKGROUNDS)}
    assert (RECORDS, backgrounds) == (10_000, {20_000})
    _, boxes = Pools(torch.empty(10_000, 0), torch.empty(10_000), torch.empty(20_000, 0)).fixed()
    expected = "72697436c9a2f96c12378603845eea9aa709748cfa588f57ddcc61807d716236"
    assert checksum(torch.cat(placed, dim=1), boxes) == expected


def test_fresh_scenes_of_seed_0_have_this_checksum():
    images, labels = load_sample("train")
    torch.manual_seed(0)
    one = Pools(images, labels, images, shared=True)
    placement = one.place(100)
    expected = "a76eaf412d71a3e13d72adb1f49657b363acb3e149145dfcc2a88c97a3fe270e"
    assert checksum(one.compose(torch.arange(100), placement), placement.boxes) == expected
