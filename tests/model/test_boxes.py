"""Box arithmetic: properties for any boxes, and numbers worked out by hand."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from pocketrcnn.model import boxes

coordinate = st.floats(-100, 100, width=32)
side = st.floats(0.5, 100, width=32)


@st.composite
def some_boxes(draw: st.DrawFn) -> torch.Tensor:
    rows = draw(st.lists(st.tuples(coordinate, coordinate, side, side), min_size=1, max_size=5))
    x, y, w, h = torch.tensor(rows).unbind(-1)
    return torch.stack((x, y, x + w, y + h), -1)


@given(some_boxes())
def test_iou_is_1_with_itself_symmetric_and_between_0_and_1(a: torch.Tensor) -> None:
    overlap = boxes.iou(a, a)
    assert torch.allclose(overlap.diagonal(), torch.ones(len(a)), atol=1e-3)
    assert torch.allclose(overlap, overlap.T)
    assert ((overlap >= 0) & (overlap <= 1.0001)).all()


def test_iou_by_hand() -> None:
    a = torch.tensor([[0.0, 0, 2, 2]])
    b = torch.tensor([[1.0, 1, 3, 3], [2, 2, 4, 4], [0, 0, 2, 2], [5, 5, 4, 4]])
    assert boxes.iou(a, b)[0].tolist() == pytest.approx([1 / 7, 0, 1, 0])


def test_iou_broadcasts_over_images_and_stands_empty_sets() -> None:
    assert boxes.iou(torch.zeros(7, 4), torch.zeros(3, 2, 4)).shape == (3, 7, 2)
    assert boxes.iou(torch.zeros(7, 4), torch.zeros(3, 0, 4)).shape == (3, 7, 0)


@given(some_boxes(), st.floats(-50, 50), st.floats(-50, 50), st.floats(4, 100))
def test_decode_undoes_encode(truth: torch.Tensor, x: float, y: float, size: float) -> None:
    anchor = torch.tensor([x, y, x + size, y + size]).expand_as(truth)
    inside = (boxes.center_size(truth)[2] > 0.11 * size) & (boxes.center_size(truth)[3] > 0.11 * size)
    decoded = boxes.decode(boxes.encode(truth, anchor), anchor)
    assert torch.allclose(decoded[inside], truth[inside], atol=2e-3, rtol=1e-3)


def test_deltas_are_those_of_the_paper() -> None:
    anchor, truth = torch.tensor([0.0, 0, 32, 32]), torch.tensor([8.0, 4, 40, 68])
    tx, ty, tw, th = boxes.encode(truth, anchor).tolist()
    assert (tx, ty, tw) == pytest.approx((8 / 32, 20 / 32, 0))
    assert th == pytest.approx(math.log(2))


def test_three_deltas_give_squares_around_square_anchors() -> None:
    decoded = boxes.decode(torch.tensor([0.1, -0.2, math.log(0.5)]), torch.tensor([0.0, 0, 32, 32]))
    x1, y1, x2, y2 = decoded.tolist()
    assert (x2 - x1, y2 - y1) == pytest.approx((16, 16))
    assert ((x1 + x2) / 2, (y1 + y2) / 2) == pytest.approx((16 + 3.2, 16 - 6.4))


@pytest.mark.parametrize("scale", [-1e6, -1.0, 0.0, 1e-9, 0.1, 1.0])
def test_log_scale_is_finite_with_a_gradient_for_any_predicted_side(scale: float) -> None:
    """The report's literal logarithm of a predicted width was NaN for widths that are not positive."""
    value = torch.tensor(scale, requires_grad=True)
    result = boxes.log_scale(value)
    result.backward()
    assert value.grad is not None
    assert torch.isfinite(result)
    assert 0 < value.grad < math.inf


def test_log_scale_is_the_logarithm_above_its_bend_and_continuous_there() -> None:
    scale = torch.tensor([boxes.SMALLEST_SCALE - 1e-6, boxes.SMALLEST_SCALE, 1, 3])
    assert torch.allclose(boxes.log_scale(scale), scale.log(), atol=1e-6)


def test_a_wild_delta_does_not_overflow() -> None:
    assert torch.isfinite(boxes.decode(torch.full((4,), 1e4), torch.tensor([0.0, 0, 32, 32]))).all()


def test_anchors_of_the_course_stand_on_cell_centres() -> None:
    grid = boxes.anchors(6, 6, 8, [(32.0, 32.0)])
    assert grid.shape == (6, 6, 1, 4)
    assert grid[0, 0, 0].tolist() == [-12, -12, 20, 20]
    assert grid[0, 1, 0].tolist() == [-4, -12, 28, 20]  # cells run along the row
    assert grid[5, 5, 0].tolist() == [28, 28, 60, 60]


def test_anchors_of_several_shapes_stand_side_by_side_in_a_cell() -> None:
    shapes = [(16.0, 8.0), (10.0, 20.0), (32.0, 32.0)]
    grid = boxes.anchors(2, 3, 4, shapes)
    assert grid.shape == (2, 3, 3, 4)
    x, y, width, height = boxes.center_size(grid)
    assert torch.stack((width, height), -1)[1, 2].tolist() == [list(shape) for shape in shapes]
    assert (x[0, 2].tolist(), y[1, 0].tolist()) == ([10.0] * 3, [6.0] * 3)


def match(*objects: list[float]) -> tuple[torch.Tensor, torch.Tensor]:
    truth = torch.tensor([objects]) if objects else torch.zeros(1, 1, 4)
    valid = torch.full(truth.shape[:2], bool(objects))
    grid = boxes.anchors(6, 6, 8, [(32.0, 32.0)])
    return boxes.match(grid, truth, valid, 0.7, 0.1)


def test_match_marks_positives_negatives_and_ignored() -> None:
    labels, _ = match([4.0, 4, 36, 36])  # exactly on the anchor of row 2, column 2
    cells = labels.view(6, 6)
    assert cells[2, 2] == boxes.POSITIVE
    assert cells[5, 5] == boxes.NEGATIVE
    assert cells[2, 3] == boxes.IGNORED
    assert (labels == boxes.POSITIVE).sum() == 1


def test_every_object_has_a_positive_anchor_however_badly_it_fits() -> None:
    for width in range(24, 41):
        for x in range(0, 49 - width):
            labels, _ = match([float(x), 0, x + width, width])
            assert (labels == boxes.POSITIVE).any()


def test_ties_for_the_best_anchor_are_all_positive() -> None:
    labels, _ = match([8.0, 8, 40, 40])  # centre 24, 24: between four cells
    assert (labels == boxes.POSITIVE).sum() == 4


def test_an_image_without_objects_is_all_negative() -> None:
    labels, _ = match()
    assert (labels == boxes.NEGATIVE).all()


def test_match_of_a_batch_is_the_match_of_its_images() -> None:
    truth = torch.tensor([[[4.0, 4, 36, 36]], [[10.0, 12, 40, 42]]])
    grid, valid = boxes.anchors(6, 6, 8, [(32.0, 32.0)]), torch.ones(2, 1, dtype=torch.bool)
    together, _ = boxes.match(grid, truth, valid, 0.7, 0.1)
    for i in range(2):
        alone, _ = boxes.match(grid, truth[i : i + 1], valid[:1], 0.7, 0.1)
        assert torch.equal(together[i], alone[0])


def test_clip_flip_and_shift() -> None:
    box = torch.tensor([-3.0, 2, 50, 20])
    assert boxes.clip(box, 48, 48).tolist() == [0, 2, 48, 20]
    assert boxes.flip(boxes.flip(box, 48), 48).tolist() == box.tolist()
    assert boxes.flip(torch.tensor([0.0, 0, 10, 5]), 48).tolist() == [38, 0, 48, 5]
    assert boxes.shift(box, torch.tensor(1.0), torch.tensor(-1.0)).tolist() == [-2, 1, 51, 19]


def test_theta_is_that_of_the_course() -> None:
    x, y, w = 20.0, 30.0, 32.0
    box = torch.tensor([x - w / 2, y - w / 2, x + w / 2, y + w / 2])
    assert boxes.theta(box, 48, 48).tolist() == pytest.approx([w / 48, (x - 24) / 24, w / 48, (y - 24) / 24])


@given(st.floats(-2, 7), st.floats(-2, 8), st.integers(1, 7))
def test_bins_are_never_empty_and_stay_inside(low: float, high: float, count: int) -> None:
    chosen = boxes.bins(torch.tensor(low), torch.tensor(high), count, 6)
    assert chosen.shape == (count, 6)
    assert chosen.any(-1).all()
