"""The region proposal network: its beginning, its targets, its losses and its proposals."""

import math

import pytest
import torch

from pocketrcnn.config import RPNConfig
from pocketrcnn.model import boxes
from pocketrcnn.model.rpn import RPN, box_loss, objectness_loss
from pocketrcnn.model.structures import Batch


def network(**changes: object) -> RPN:
    torch.manual_seed(0)
    return RPN(RPNConfig(channels=16, **changes), 8, 8, 48)  # type: ignore[arg-type]


def batch(*rows: list[float]) -> Batch:
    truth = torch.tensor(rows)[:, None]
    count = len(rows)
    return Batch(
        torch.zeros(count, 3, 48, 48, dtype=torch.uint8),
        truth,
        torch.zeros(count, 1, dtype=torch.int64),
        torch.arange(count),
    )


@pytest.mark.parametrize("box_dims", [0, 3, 4])
@pytest.mark.parametrize("anchors", [((32.0, 32.0),), ((16.0, 8.0), (32.0, 32.0), (20.0, 40.0))])
def test_shapes(box_dims: int, anchors: tuple[tuple[float, float], ...]) -> None:
    rpn = network(box_dims=box_dims, anchors=anchors, candidates=10, proposals=3)
    objectness, deltas = rpn(torch.randn(2, 8, 6, 6))
    count = 36 * len(anchors)
    assert objectness.shape == (2, count)
    assert (deltas is None) == (box_dims == 0)
    assert deltas is None or deltas.shape == (2, count, box_dims)
    proposals, scores = rpn.propose(objectness, deltas)
    assert proposals.shape == (2, 3, 4)
    assert (scores.diff(dim=1) <= 0).all()
    assert ((proposals >= 0) & (proposals <= 48)).all()


def test_prediction_in_pixels_begins_in_the_middle_of_the_frame_with_the_anchors_side() -> None:
    rpn = network(output="pixels")
    assert rpn.box is not None
    torch.nn.init.zeros_(rpn.box.weight)
    assert rpn.box.bias is not None
    assert rpn.box.bias.tolist() == [24, 24, 32]
    objectness, deltas = rpn(torch.randn(1, 8, 6, 6))
    proposals, _ = rpn.propose(objectness, deltas)
    assert proposals[0, 0].tolist() == pytest.approx([8, 8, 40, 40], abs=1e-4)


def test_a_constant_middle_prediction_has_the_loss_with_which_the_reports_curves_begin() -> None:
    """Its curves begin near 0.03, that of a constant (24, 24, 32): 0.000727 is a sum over three coordinates. (A mean
    over them would begin near 0.01; the positions of the original archive are more central than uniform ones.)"""
    generator = torch.Generator().manual_seed(0)
    width = torch.randint(24, 41, (5000,), generator=generator)
    x, y = ((torch.rand(5000, generator=generator) * (49 - width)).floor() for _ in range(2))
    truth = torch.stack((x, y, x + width, y + width), -1)
    rpn = network(output="pixels")
    labels, targets = rpn.targets(batch(*truth.tolist()))
    middle = boxes.encode(torch.tensor([8.0, 8, 40, 40]).expand(36, 4), rpn.anchors)[:, :3]
    assert float(box_loss(middle.expand_as(targets), targets, labels)) == pytest.approx(0.038, abs=0.001)


def test_objectness_begins_at_its_prior() -> None:
    rpn = network(prior=0.1)
    torch.nn.init.zeros_(rpn.objectness.weight)
    objectness, _ = rpn(torch.randn(1, 8, 6, 6))
    assert torch.allclose(objectness.sigmoid(), torch.tensor(0.1))


def test_a_negative_predicted_width_gives_finite_losses_and_gradients() -> None:
    rpn = network(output="pixels")
    assert rpn.box is not None
    with torch.no_grad():
        rpn.box.bias.copy_(torch.tensor([24.0, 24.0, -50.0]))  # type: ignore[union-attr]
    objectness, deltas = rpn(torch.randn(1, 8, 6, 6))
    labels, targets = rpn.targets(batch([4.0, 4, 36, 36]))
    loss = box_loss(deltas, targets, labels)
    loss.backward()
    assert torch.isfinite(loss)
    assert all(torch.isfinite(p.grad).all() for p in rpn.box.parameters() if p.grad is not None)
    assert torch.isfinite(rpn.propose(objectness, deltas)[0]).all()


def test_perfect_deltas_are_proposed_as_the_object() -> None:
    rpn, truth = network(), batch([4.0, 4, 36, 36], [10.0, 12, 34, 36])
    labels, targets = rpn.targets(truth)
    proposals, _ = rpn.propose((labels == boxes.POSITIVE).float(), targets)
    assert torch.allclose(proposals, truth.boxes, atol=1e-4)
    assert float(box_loss(targets, targets, labels)) == 0


def test_ignored_anchors_count_in_no_loss() -> None:
    labels = torch.tensor([[1, 0, -1]])
    calm, wild = torch.tensor([[2.0, -2.0, 0.0]]), torch.tensor([[2.0, -2.0, 99.0]])
    assert objectness_loss(calm, labels) == objectness_loss(wild, labels)
    assert float(objectness_loss(calm, labels)) == pytest.approx(math.log(1 + math.exp(-2)))
    deltas = torch.tensor([[[0.5, 0, 0], [9, 9, 9], [9, 9, 9]]])
    assert float(box_loss(deltas, torch.zeros(1, 3, 3), labels)) == pytest.approx(0.125)


def test_without_positive_anchors_the_box_loss_is_zero_and_not_nan() -> None:
    assert float(box_loss(torch.ones(1, 3, 3), torch.zeros(1, 3, 3), torch.zeros(1, 3, dtype=torch.int64))) == 0
