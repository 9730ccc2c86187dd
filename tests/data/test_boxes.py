"""The boxes of one image, and those of several as one padded batch."""

from __future__ import annotations

import numpy as np
import pytest

from pocketrcnn.data.boxes import Boxes, padded

THREE = Boxes(np.arange(12).reshape(3, 4), [2, 0, 1], [0.9, 0.5, 0.1], [False, True, False])


def test_ground_truth_has_scores_of_one_and_detections_are_no_crowds() -> None:
    one = Boxes([[0, 0, 1, 1]], [0])
    assert (one.scores.tolist(), one.crowd.tolist()) == ([1.0], [False])
    assert (one.boxes.dtype, one.labels.dtype, one.scores.dtype, one.crowd.dtype) == (float, int, float, bool)
    assert len(Boxes(np.zeros((0, 4)), [])) == 0


@pytest.mark.parametrize("chosen", [np.array([0, 2]), np.array([True, False, True])])
def test_some_of_the_boxes_keep_all_their_columns(chosen: np.ndarray) -> None:
    some = THREE[chosen]
    assert some.boxes.tolist() == [[0, 1, 2, 3], [8, 9, 10, 11]]
    assert (some.labels.tolist(), some.scores.tolist(), some.crowd.tolist()) == ([2, 1], [0.9, 0.1], [False, False])


@pytest.mark.parametrize("score", [-0.1, 1.1, float("nan")])
def test_scores_are_probabilities(score: float) -> None:
    with pytest.raises(AssertionError, match="probabilities"):
        Boxes([[0, 0, 1, 1]], [0], [score])


def test_a_batch_is_as_wide_as_its_fullest_image() -> None:
    batch = padded([THREE[np.array([1])], THREE])
    assert batch.labels.tolist() == [[0, -1, -1], [2, 0, 1]]
    assert (batch.boxes.dtype, batch.scores.dtype, batch.labels.dtype) == (np.float32, np.float32, np.int64)
    assert batch[0].rows() == [([4, 5, 6, 7], 0.5, 0)]
    assert padded([]).boxes.shape == (0, 0, 4)
