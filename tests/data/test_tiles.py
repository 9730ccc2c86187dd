"""Large images as tiles: the grid, and detections put together at its seams."""

import itertools

import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from pocketrcnn.data.boxes import Boxes
from pocketrcnn.data.images.tiles import EDGE, origins_of, put_together, starts


@given(length=st.integers(1, 3000), side=st.sampled_from([32, 64, 96, 256]), part=st.floats(0.01, 0.5))
@settings(max_examples=60)
def test_tiles_cover_an_axis_and_overlap_enough(length: int, side: int, part: float) -> None:
    overlap = max(1, int(part * side))
    found = starts(length, side, overlap)
    assert found[0] == 0
    if length <= side:
        assert found == [0]
        return
    assert found[-1] == length - side
    steps = np.diff(found)
    assert (steps > 0).all()
    assert (steps <= side - overlap).all()
    assert steps.max() - steps.min() <= 1, "evenly"
    assert len(found) == 1 + -(-(length - side) // (side - overlap)), "no more than are needed"


def test_without_an_overlap_an_image_is_one() -> None:
    assert origins_of((5000, 3000), 64, 0) == ((0, 0),)
    assert origins_of((100, 60), 64, 16) == ((0, 0), (36, 0))
    assert origins_of((60, 60), 64, 16) == ((0, 0),)


def seen(objects: Boxes, origin: tuple[int, int], side: int, size: tuple[int, int]) -> Boxes:
    """What an ideal network answers in a tile: what is there of each object, best first."""
    low, high = np.array(origin), np.minimum(np.array(origin) + side, size)
    corners = np.hstack((objects.boxes[:, :2].clip(low), objects.boxes[:, 2:].clip(None, high)))
    best = np.argsort(-objects.scores, kind="stable")
    there = best[(corners[best, 2:] > corners[best, :2]).all(1)]
    return Boxes(corners[there], objects.labels[there], objects.scores[there])


def found(objects: Boxes, size: tuple[int, int], side: int, overlap: int) -> Boxes:
    """What an ideal network finds in a whole image."""
    origins = origins_of(size, side, overlap)
    return put_together([seen(objects, origin, side, size) for origin in origins], origins, side, size)


def same(found: Boxes, objects: Boxes) -> bool:
    """Whether these are the same boxes with the same labels, in any order."""

    def rows(boxes: Boxes) -> list[tuple[float, ...]]:
        return sorted((*box, label) for box, label in zip(boxes.boxes.tolist(), boxes.labels.tolist(), strict=True))

    return rows(found) == rows(objects)


def test_an_object_on_a_seam_is_found_once() -> None:
    """Small, large and larger objects on, before and behind every border and corner of a tile."""
    size, side, overlap = (150, 150), 64, 20
    borders = {border for start in starts(150, side, overlap) for border in (start, start + side)}
    for width, height in ((3, 3), (20, 20), (45, 20), (100, 12), (140, 140)):
        positions = [
            sorted({min(max(border - back, 0), 150 - length) for border in borders for back in (0, 1, length)})
            for length in (width, height)
        ]
        for left, top in itertools.product(*positions):
            objects = Boxes([(left, top, left + width, top + height)], [1], [0.7])
            assert same(found(objects, size, side, overlap), objects), (left, top, width, height)


BOX = st.tuples(st.floats(0, 290), st.floats(0, 240), st.floats(1, 200), st.floats(1, 200))


@given(
    drawn=st.lists(st.tuples(BOX, st.integers(0, 2), st.floats(0.01, 1)), min_size=1, max_size=12),
    size=st.tuples(st.integers(40, 300), st.integers(40, 250)),
    overlap=st.integers(2, 32),
)
@settings(max_examples=60, deadline=None)
def test_objects_apart_are_found_once_each(
    drawn: list[tuple[tuple[float, float, float, float], int, float]], size: tuple[int, int], overlap: int
) -> None:
    """Of any position and size, many longer than the overlap and than a tile; those of one class do not overlap."""
    kept: list[tuple[tuple[float, ...], int, float]] = []
    for (x, y, width, height), label, score in drawn:
        box = tuple(float(np.float32(v)) for v in (x, y, min(x + width, size[0]), min(y + height, size[1])))
        apart = (
            label != other or box[2] <= b[0] or b[2] <= box[0] or box[3] <= b[1] or b[3] <= box[1]
            for b, other, _ in kept
        )
        if box[2] - box[0] >= 1 and box[3] - box[1] >= 1 and all(apart):
            kept.append((box, label, score))
    assume(kept)
    boxes, labels, scores = zip(*kept, strict=True)
    objects = Boxes(boxes, labels, scores)
    result = found(objects, size, 64, overlap)
    assert same(result, objects)
    assert (np.diff(result.scores) <= 0).all(), "best first"
    assert sorted(result.scores) == sorted(scores)


def test_a_cut_detection_gives_way_to_the_whole_one_whatever_its_score() -> None:
    origins, whole = [(0, 0), (40, 0)], (50.0, 10.0, 62.0, 20.0)
    first = Boxes([(49.0, 10.0, 64.0, 21.0)], [0], [0.9])  # at the border of its tile
    second = Boxes([whole], [0], [0.4])
    result = put_together([first, second], origins, 64, (104, 64))
    assert result.boxes.tolist() == [[*whole]]
    assert result.scores.tolist() == [0.4]


def test_of_two_whole_detections_the_better_one_stays() -> None:
    parts = [Boxes([(46, 10, 58, 20)], [0], [0.5]), Boxes([(47, 10, 58, 21)], [0], [0.8])]
    assert put_together(parts, [(0, 0), (40, 0)], 64, (104, 64)).boxes.tolist() == [[47, 10, 58, 21]]


def test_detections_of_one_tile_or_of_two_classes_do_not_touch_each_other() -> None:
    crowded = Boxes([(46, 10, 58, 20), (47, 10, 58, 20)], [0, 0], [0.9, 0.8])
    other = Boxes([(46, 10, 58, 20)], [1], [0.7])
    assert len(put_together([crowded, other], [(0, 0), (40, 0)], 64, (104, 64))) == 3


def test_two_long_objects_side_by_side_stay_two() -> None:
    objects = Boxes([(5, 10, 140, 20), (5, 22, 140, 32)], [0, 0], [0.9, 0.8])
    assert same(found(objects, (150, 64), 64, 20), objects)


def test_predicted_pieces_are_joined_though_they_are_not_exact() -> None:
    origins, random = origins_of((150, 64), 64, 20), np.random.default_rng(0)
    objects = Boxes([(5, 10, 140, 30)], [0], [0.9])
    parts = []
    for origin in origins:
        piece = seen(objects, origin, 64, (150, 64))
        moved = piece.boxes + random.uniform(-EDGE / 2, EDGE / 2, piece.boxes.shape)
        parts.append(Boxes(moved.clip(0, [150, 64, 150, 64]), piece.labels, random.uniform(0.1, 0.9, 1)))
    result = put_together(parts, origins, 64, (150, 64))
    assert len(result) == 1
    assert np.abs(result.boxes - objects.boxes).max() <= EDGE / 2
    assert result.scores[0] == max(part.scores[0] for part in parts)


def test_nothing_found_is_nothing() -> None:
    empty = Boxes(np.zeros((0, 4)), [])
    assert len(put_together([empty] * 4, origins_of((100, 100), 64, 16), 64, (100, 100))) == 0
