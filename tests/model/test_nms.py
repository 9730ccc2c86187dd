"""Suppression, the choice of what is learned from, and overlaps: each against a plain loop."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from pocketrcnn.model import boxes

Box = tuple[int, int, int, int]

whole = st.integers(0, 12)
side = st.integers(0, 9)  # 0: no area, as clipping may leave it
box = st.tuples(whole, whole, side, side).map(lambda b: (b[0], b[1], b[0] + b[2], b[1] + b[3]))
threshold = st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0])  # exact in float32: a loop in float64 decides the same


def plain_iou(a: Box, b: Box) -> float:
    width = max(0, min(a[2], b[2]) - max(a[0], b[0]))
    height = max(0, min(a[3], b[3]) - max(a[1], b[1]))
    union = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - width * height
    return width * height / union if union else 0.0


def greedy(rows: list[Box], valid: list[bool], most: float) -> list[bool]:
    """Non-maximum suppression as everybody writes it."""
    kept: list[int] = []
    for i, row in enumerate(rows):
        if valid[i] and all(plain_iou(rows[j], row) <= most for j in kept):
            kept.append(i)
    return [i in kept for i in range(len(rows))]


def nms(rows: list[Box], valid: list[bool] | None = None, most: float = 0.5) -> list[bool]:
    given_boxes = torch.tensor(rows, dtype=torch.float32).view(1, -1, 4)
    given_valid = torch.tensor(valid or [True] * len(rows), dtype=torch.bool).view(1, -1)
    return boxes.nms(given_boxes, given_valid, most)[0].tolist()  # type: ignore[no-any-return]


@settings(deadline=None)
@given(st.lists(st.tuples(box, st.booleans()), min_size=1, max_size=25), threshold)
def test_suppression_is_the_greedy_loop(rows: list[tuple[Box, bool]], most: float) -> None:
    corners, valid = [b for b, _ in rows], [v for _, v in rows]
    assert nms(corners, valid, most) == greedy(corners, valid, most)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.lists(st.tuples(box, st.booleans()), min_size=6, max_size=6), min_size=2, max_size=4), threshold)
def test_suppression_of_a_batch_is_that_of_its_images(images: list[list[tuple[Box, bool]]], most: float) -> None:
    corners = torch.tensor([[b for b, _ in rows] for rows in images], dtype=torch.float32)
    valid = torch.tensor([[v for _, v in rows] for rows in images])
    alone = [greedy([b for b, _ in rows], [v for _, v in rows], most) for rows in images]
    assert boxes.nms(corners, valid, most).tolist() == alone


def test_of_equal_boxes_the_first_stays() -> None:
    assert nms([(0, 0, 4, 4)] * 5) == [True, False, False, False, False]
    assert nms([(0, 0, 4, 4)] * 5, most=1.0) == [True] * 5, "nothing is above 1"


def test_a_suppressed_box_suppresses_nobody() -> None:
    """A chain, each overlapping the next alone: every second one stays, however long it is."""
    chain = [(5 * i, 0, 5 * i + 10, 10) for i in range(60)]  # IoU of neighbours: 1/3
    assert nms(chain, most=0.3) == [i % 2 == 0 for i in range(60)]


@pytest.mark.parametrize("count", [boxes.ROWS, boxes.ROWS + 1, 5 * boxes.ROWS - 1])
def test_boxes_that_are_compared_block_by_block_are_compared_with_all(
    monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    monkeypatch.setattr(boxes, "CACHED_PAIRS", 1)
    torch.manual_seed(count)
    corners = torch.randint(0, 40, (2, count, 2)).repeat(1, 1, 2) + torch.tensor([0, 0, 10, 12])
    valid = torch.rand(2, count) < 0.9
    alone = [greedy(rows, some, 0.25) for rows, some in zip(corners.tolist(), valid.tolist(), strict=True)]
    assert boxes.nms(corners.float(), valid, 0.25).tolist() == alone
    assert 0 < sum(map(sum, alone)) < valid.sum()


@pytest.mark.parametrize("apart", [0.0, 2e5])
@pytest.mark.parametrize("most", [0.0, 0.25, 0.7, 1.0])
def test_boxes_of_all_sizes_and_far_from_the_origin_are_compared_with_all_that_matter(
    most: float, apart: float
) -> None:
    """As `suppress` moves those of one class: the plain rule is applied to all pairs, with the same arithmetic."""
    generator = torch.Generator().manual_seed(7)
    corners = torch.rand(2, 300, 2, generator=generator) * 60
    sides = torch.rand(2, 300, 2, generator=generator) ** 3 * 80
    moved = torch.cat((corners, corners + sides), -1) + apart
    over = boxes.iou(moved, moved) > most
    stays = torch.ones(2, 300, dtype=torch.bool)
    for rank in range(300):
        stays[:, rank + 1 :] &= ~(over[:, rank, rank + 1 :] & stays[:, rank, None])
    assert torch.equal(boxes.nms(moved, torch.ones_like(stays), most), stays)


def test_boxes_that_are_no_numbers_suppress_nobody() -> None:
    rows = torch.tensor([[[float("nan")] * 4, [0.0, 0, 4, 4], [0, 0, 4, 4], [0, 0, float("inf"), 4]]])
    assert boxes.nms(rows, torch.ones(1, 4, dtype=torch.bool), 0.5).tolist() == [[True, True, False, True]]


def test_an_overlap_of_just_the_threshold_is_allowed() -> None:
    assert nms([(0, 0, 4, 4), (0, 0, 4, 2)], most=0.5) == [True, True]


def test_what_is_not_valid_is_not_kept_and_suppresses_nobody() -> None:
    assert nms([(0, 0, 4, 4), (0, 0, 4, 4)], [False, True]) == [False, True]


def test_boxes_without_area_overlap_nothing() -> None:
    assert nms([(3, 3, 3, 3)] * 3) == [True] * 3


@pytest.mark.parametrize("shape", [(2, 0), (0, 3), (0, 0)])
def test_no_boxes_and_no_images_are_no_special_case(shape: tuple[int, int]) -> None:
    assert boxes.nms(torch.zeros(*shape, 4), torch.ones(shape, dtype=torch.bool), 0.5).shape == shape


def test_suppression_leaves_its_arguments_as_they_are() -> None:
    valid = torch.ones(1, 2, dtype=torch.bool)
    for rows in ([[0.0, 0, 4, 4], [0, 0, 4, 4]], [[0.0, 0, 4, 4], [9, 9, 10, 10]]):
        kept = boxes.nms(torch.tensor([rows]), valid, 0.5)
        assert valid.all()
        assert kept.data_ptr() != valid.data_ptr()


@settings(deadline=None)
@given(st.lists(box, min_size=1, max_size=8), st.lists(box, max_size=8))
def test_iou_is_the_plain_loop(a: list[Box], b: list[Box]) -> None:
    overlaps = boxes.iou(torch.tensor(a, dtype=torch.float32), torch.tensor(b, dtype=torch.float32).view(-1, 4))
    assert overlaps.shape == (len(a), len(b))
    for i, one in enumerate(a):
        assert overlaps[i].tolist() == pytest.approx([plain_iou(one, other) for other in b], abs=1e-6)


def test_iou_broadcasts_over_a_batch_and_changes_nothing() -> None:
    grid, objects = boxes.anchors(2, 2, 8, [(8.0, 8.0)]).flatten(0, 2), torch.rand(3, 5, 4).cumsum(-1) * 8
    before = objects.clone()
    together = boxes.iou(grid, objects)
    assert together.shape == (3, 4, 5)
    assert torch.equal(together, torch.stack([boxes.iou(grid, one) for one in objects]))
    assert torch.equal(objects, before)


def test_take_hands_out_boxes_in_the_order_of_the_places() -> None:
    rows = torch.arange(24.0).view(2, 3, 4)
    taken = boxes.take(rows, torch.tensor([[2, 0, 2], [1, 1, 0]]))
    assert taken[0].tolist() == [rows[0, 2].tolist(), rows[0, 0].tolist(), rows[0, 2].tolist()]
    assert torch.equal(taken[1], rows[1, [1, 1, 0]])
    assert boxes.take(rows, torch.zeros(2, 0, dtype=torch.int64)).shape == (2, 0, 4)


labels_of_a_batch = st.lists(
    st.lists(st.sampled_from([boxes.POSITIVE, boxes.NEGATIVE, boxes.IGNORED]), min_size=12, max_size=12),
    min_size=1,
    max_size=3,
)


@settings(deadline=None)
@given(labels_of_a_batch, st.integers(1, 16), st.sampled_from([0.0, 0.25, 0.5, 1.0]), st.integers(0, 99))
def test_a_sample_has_the_share_of_positives_and_the_size_that_are_asked_for(
    rows: list[list[int]], count: int, part: float, seed: int
) -> None:
    labels = torch.tensor(rows)
    torch.manual_seed(seed)
    chosen = boxes.sample(labels, count, part)
    assert ((chosen == labels) | (chosen == boxes.IGNORED)).all(), "nothing is relabelled, nothing ignored is chosen"
    for before, after in zip(labels, chosen, strict=True):
        positive, negative = ((before == label).sum().item() for label in (boxes.POSITIVE, boxes.NEGATIVE))
        expected = min(positive, round(count * part))
        assert (after == boxes.POSITIVE).sum().item() == expected
        assert (after == boxes.NEGATIVE).sum().item() == min(negative, count - expected), "negatives fill the rest"


def test_a_sample_follows_from_the_seed_and_differs_between_images() -> None:
    labels = torch.zeros(2, 200, dtype=torch.int64)
    samples = []
    for seed in (0, 0, 1):
        torch.manual_seed(seed)
        samples.append(boxes.sample(labels, 20, 0.5))
    assert torch.equal(samples[0], samples[1])
    assert not torch.equal(samples[0], samples[2])
    assert not torch.equal(samples[0][0], samples[0][1])


def test_every_candidate_is_as_likely_as_another() -> None:
    torch.manual_seed(0)
    labels = torch.tensor([[1] * 6 + [0] * 10]).expand(4000, -1)
    share = (boxes.sample(labels, 6, 0.5) != boxes.IGNORED).float().mean(0)
    assert share[:6].tolist() == pytest.approx([3 / 6] * 6, abs=0.04)
    assert share[6:].tolist() == pytest.approx([3 / 10] * 10, abs=0.04)


def crowded() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """Anchors [48,4]; boxes [3,17,4]; objects [3,7,4], of which the last image has none: valid [3,7]."""
    generator = torch.Generator().manual_seed(0)
    candidates, objects = (torch.rand(3, count, 4, generator=generator).cumsum(-1) * 12 for count in (17, 7))
    valid = torch.rand(3, 7, generator=generator) < 0.7
    valid[2] = False
    return boxes.anchors(4, 6, 8, [(8.0, 8.0), (16.0, 12.0)]), candidates, objects, valid


@pytest.mark.parametrize("most", [1, 50, 200, 1 << 24])
def test_many_objects_are_compared_in_parts_with_the_same_result(most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(boxes, "MAX_PAIRS", most)
    anchors, candidates, objects, valid = crowded()
    labels, index = boxes.match(anchors, objects, valid, 0.5, 0.2)
    for i in range(3):
        overlap = boxes.iou(anchors.flatten(0, 2), objects[i]) * valid[i]  # [N,G], all at once
        best = overlap.amax(1)
        stands = (best > 0.5) | ((overlap == overlap.amax(0)) & (overlap > 0)).any(1)
        assert torch.equal(labels[i] == boxes.POSITIVE, stands)
        assert torch.equal(labels[i] == boxes.NEGATIVE, (best < 0.2) & ~stands)
        assert torch.equal(overlap.gather(1, index[i, :, None])[:, 0], best)
    overlap, index = boxes.closest(candidates, objects, valid)
    plain = boxes.iou(candidates, objects).masked_fill(~valid[:, None], -1)
    assert torch.equal(overlap, plain.amax(-1))
    assert torch.equal(plain.gather(2, index[..., None])[..., 0], overlap)
    assert (overlap[2] == -1).all(), "an image without objects"


def test_without_boxes_there_is_nothing_closest() -> None:
    _, _, objects, valid = crowded()
    overlap, index = boxes.closest(torch.zeros(3, 0, 4), objects, valid)
    assert overlap.shape == index.shape == (3, 0)
