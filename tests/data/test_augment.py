"""Augmentation: boxes follow their pixels, nothing leaves its range, and the same seed gives the same batch."""

import pytest
import torch

from pocketrcnn.config import AugmentConfig
from pocketrcnn.data.augment.augment import augment, cutout, flipped
from pocketrcnn.data.augment.colour import brightness_contrast
from pocketrcnn.data.augment.geometry import GREY, shift
from pocketrcnn.model.structures import Batch

ALL = AugmentConfig(flip="alternating", shift=3, cutout=8, brightness=0.1, contrast=0.2)


def squares(count: int = 40, side: int = 48) -> Batch:
    """White squares on black, with their boxes."""
    torch.manual_seed(0)
    images = torch.zeros(count, 3, side, side, dtype=torch.uint8)
    boxes = torch.zeros(count, 1, 4)
    for i in range(count):
        x, y = torch.randint(8, 20, (2,)).tolist()
        images[i, :, y : y + 16, x : x + 16] = 255
        boxes[i, 0] = torch.tensor([x, y, x + 16, y + 16])
    return Batch(images, boxes, torch.zeros(count, 1, dtype=torch.int64), torch.arange(count))


def box_of(image: torch.Tensor) -> list[float]:
    ys, xs = (image[0] == 255).nonzero().unbind(-1)
    return [xs.min().item(), ys.min().item(), xs.max().item() + 1, ys.max().item() + 1]


@pytest.mark.parametrize(
    "config", [AugmentConfig(flip="random"), AugmentConfig(flip="alternating"), AugmentConfig(shift=4)]
)
def test_boxes_move_with_their_pixels(config: AugmentConfig) -> None:
    before = squares()
    after = augment(before, config, epoch=0, seed=0)
    assert not torch.equal(after.images, before.images)
    for image, box in zip(after.images, after.boxes[:, 0], strict=True):
        assert box.tolist() == box_of(image)


def test_no_augmentation_changes_nothing() -> None:
    before = squares()
    after = augment(before, AugmentConfig(), epoch=3, seed=1)
    assert torch.equal(after.images, before.images)
    assert torch.equal(after.boxes, before.boxes)


def test_the_same_seed_gives_the_same_batch() -> None:
    images = []
    for _ in range(2):
        batch = squares()
        torch.manual_seed(5)
        images.append(augment(batch, ALL, epoch=1, seed=0).images)
    assert torch.equal(*images)


def test_alternating_flip_shows_every_image_both_ways_in_two_epochs_from_a_fair_start() -> None:
    ids = torch.arange(10_000)
    even, odd = flipped(ids, "alternating", 0, 3), flipped(ids, "alternating", 1, 3)
    assert torch.equal(even, ~odd)
    assert 0.47 < even.float().mean() < 0.53
    assert not torch.equal(even, flipped(ids, "alternating", 0, 4))


def test_shift_reflects_at_the_border() -> None:
    image = torch.arange(8, dtype=torch.uint8).expand(1, 3, 8, 8).contiguous()
    torch.manual_seed(0)
    batch = Batch(image, torch.zeros(1, 1, 4), torch.zeros(1, 1, dtype=torch.int64), torch.arange(1))
    rows = {tuple(shift(batch, 2).images[0, 0, 4].tolist()) for _ in range(60)}
    assert rows == {
        (2, 1, 0, 1, 2, 3, 4, 5),
        (1, 0, 1, 2, 3, 4, 5, 6),
        (0, 1, 2, 3, 4, 5, 6, 7),
        (1, 2, 3, 4, 5, 6, 7, 6),
        (2, 3, 4, 5, 6, 7, 6, 5),
    }


def test_cutout_is_a_grey_square_of_its_side() -> None:
    images = torch.zeros(200, 3, 32, 32, dtype=torch.uint8)
    torch.manual_seed(0)
    areas = (cutout(images, 8)[:, 0] == GREY).flatten(1).sum(1)
    assert areas.max() == 64
    assert areas.min() >= 16  # a centre in the corner leaves a quarter


def test_brightness_and_contrast_stay_in_range_and_changes_each_image_its_own_way() -> None:
    torch.manual_seed(0)
    images = torch.randint(0, 256, (20, 3, 8, 8), dtype=torch.uint8)
    after = brightness_contrast(images, 0.2, 0.3).float()
    change = (after - images).mean((1, 2, 3))
    assert change.std() > 5
    assert ((after >= 0) & (after <= 255)).all()
