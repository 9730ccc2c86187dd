"""Changes of colour: the values that they promise, grey stays grey, and nothing leaves its range."""

import math

import pytest
import torch

from pocketrcnn.data.augment.colour import LUMA, gamma, gaussian_noise, hue_rotation, invert, look_up, saturation_hue


def noise(count: int = 20) -> torch.Tensor:
    torch.manual_seed(0)
    return torch.randint(0, 256, (count, 3, 8, 8), dtype=torch.uint8)


def test_a_table_replaces_each_value_of_its_own_image() -> None:
    images = noise(2)
    table = torch.stack((torch.arange(256.0), 255 - torch.arange(256.0)))
    assert torch.equal(look_up(images, table), torch.stack((images[0], 255 - images[1])))


def test_bending_keeps_black_and_white_and_the_order_of_values() -> None:
    ramp = torch.arange(256, dtype=torch.uint8).expand(50, 3, 1, 256).contiguous()
    after = gamma(ramp, 0.5)[:, 0, 0].int()
    assert (after[:, 0] == 0).all()
    assert (after[:, 255] == 255).all()
    assert (after.diff(dim=1) >= 0).all()
    brightest, darkest = 255 * (64 / 255) ** (1 / 1.5), 255 * (64 / 255) ** 1.5
    assert darkest - 1 <= after[:, 64].min() < darkest + 6
    assert brightest - 6 < after[:, 64].max() <= brightest + 1


@pytest.mark.parametrize(("probability", "share"), [(0.0, 0), (1.0, 1)])
def test_invert_is_the_negative(probability: float, share: int) -> None:
    images = noise()
    assert torch.equal(invert(images, probability), 255 - images if share else images)


def test_mixing_leaves_grey_images_alone() -> None:
    grey = noise()[:, :1].expand(-1, 3, -1, -1)
    assert (saturation_hue(grey, 0.5, 0.2, 0.3).int() - grey).abs().max() <= 1


def test_mixing_with_nothing_to_change_is_the_image_and_grey_is_its_brightness() -> None:
    images = noise()
    assert torch.equal(saturation_hue(images, 0.0, 0.0, 0.0), images)
    brightness = (images.float() * torch.tensor(LUMA)[:, None, None]).sum(1, keepdim=True)
    assert (saturation_hue(images, 0.5, 0.1, 1.0) - brightness).abs().max() <= 0.51


def test_saturation_moves_colours_away_from_their_brightness_or_towards_it() -> None:
    images = torch.tensor([150, 100, 100], dtype=torch.uint8)[:, None, None].expand(100, 3, 2, 2)
    after = saturation_hue(images, 0.5, 0.0, 0.0).float()
    spread = after[:, 0] - after[:, 1]
    assert 24 <= spread.min() < 30
    assert 70 < spread.max() <= 76


def test_a_third_of_the_circle_turns_red_into_another_primary() -> None:
    third = hue_rotation(torch.full((1, 1, 1), 2 * math.pi / 3))[0]
    assert torch.allclose(third @ torch.tensor([1.0, 0, 0]), torch.tensor([0.0, 1, 0]), atol=1e-6)
    assert torch.allclose(third @ torch.ones(3), torch.ones(3), atol=1e-6)


def test_noise_is_as_strong_as_it_may_be_and_differs_by_image() -> None:
    images = torch.full((200, 3, 16, 16), 128, dtype=torch.uint8)
    torch.manual_seed(0)
    spread = gaussian_noise(images, 0.1).float().flatten(1).std(1)
    assert spread.min() < 2
    assert 23 < spread.max() < 28
