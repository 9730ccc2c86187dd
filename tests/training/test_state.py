"""The state of a training: how it begins. What a checkpoint holds of it is tested in `test_fit`."""

import pytest
from runs_in_seconds import CPU, sample_sets, small

from pocketrcnn.model.backbones import Backbone
from pocketrcnn.training import state
from pocketrcnn.training.loop import Trainer

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(("pixels", "images"), [(2**24, 500), (7 * 32**2 + 1, 7)])
def test_large_images_give_the_first_filters_by_fewer_of_them(
    pixels: int, images: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The patches of 500 images of 256 pixels take 2 GB."""
    seen = []
    monkeypatch.setattr(state, "WHITENING_PIXELS", pixels)
    monkeypatch.setattr(Backbone, "whiten", lambda _, batch: seen.append(len(batch)))
    config = small("B1")
    Trainer(config, *sample_sets(config.data), CPU)
    assert seen == [images]
