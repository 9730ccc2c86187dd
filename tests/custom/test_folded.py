"""A network whose BatchNorm is folded into its convolutions detects what the network itself detects."""

import pytest
import torch
from torch import Tensor, nn

from pocketrcnn.config import ModelConfig
from pocketrcnn.course.experiments import NETWORKS, RECIPES
from pocketrcnn.custom.detector import Detector
from pocketrcnn.custom.folded import folded
from pocketrcnn.model.faster_rcnn import FasterRCNN
from pocketrcnn.model.layers import Conv

PLANNED = {f"{name}, {recipe}": RECIPES[recipe](NETWORKS[name], 100).model for name in NETWORKS for recipe in RECIPES}
"""The networks of the course, as both recipes change them."""


def trained(config: ModelConfig) -> FasterRCNN:
    """A network whose BatchNorm has seen something: no statistic, scale or shift is left at its first value."""
    torch.manual_seed(0)
    model = FasterRCNN(config)
    for norm in model.modules():
        if isinstance(norm, nn.BatchNorm2d):
            nn.init.uniform_(norm.weight, 0.5, 1.5)
            nn.init.normal_(norm.bias, 0.0, 0.2)
            nn.init.normal_(norm.running_mean, 0.0, 0.2)  # type: ignore[arg-type]
            nn.init.uniform_(norm.running_var, 0.5, 1.5)  # type: ignore[arg-type]
    return model.eval()


def features(model: FasterRCNN, images: Tensor) -> Tensor:
    """What the base network makes of images."""
    found: Tensor = model.backbone(model.normalise(images))
    return found


@torch.no_grad()
@pytest.mark.parametrize("name", PLANNED)
def test_features_are_the_same(name: str) -> None:
    model = trained(PLANNED[name])
    quick = folded(model)
    images = torch.randint(0, 256, (2, 3, model.config.input_size, model.config.input_size), dtype=torch.uint8)
    expected = features(model, images)
    assert torch.allclose(features(quick, images), expected, atol=1e-4 * float(expected.abs().max()), rtol=0)
    assert not any(isinstance(module, nn.BatchNorm2d) for module in quick.backbone.modules())


def test_the_network_itself_is_left_as_it_was() -> None:
    model = trained(PLANNED["detector-resnet, pocket"])
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    folded(model)
    after = model.state_dict()
    assert before.keys() == after.keys()
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert all(conv.bias is None for conv in model.modules() if isinstance(conv, Conv))


@torch.no_grad()
def test_a_detector_detects_with_it() -> None:
    detector = Detector.load("nuclei", "cpu")
    images = torch.randint(0, 256, (2, 3, detector.side, detector.side), dtype=torch.uint8)
    found = detector.network(images.permute(0, 2, 3, 1).numpy())
    expected = detector.model.detect(images)
    assert torch.allclose(torch.from_numpy(found.scores), expected.scores, atol=1e-5)
    assert torch.allclose(torch.from_numpy(found.boxes), expected.boxes, atol=1e-3)
