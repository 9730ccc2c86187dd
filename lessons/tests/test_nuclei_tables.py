"""The tables of lesson 7 are what the detector inside the package finds; `scripts/lesson_nuclei.py` writes them."""

import numpy as np
import pytest

from making import cells
from pocketrcnn import Detector, examples_of


@pytest.mark.parametrize("image", [0, 1])
def test_the_table_has_what_the_detector_finds_in_its_examples(image: int) -> None:
    rows = np.loadtxt(cells.LESSONS / "07" / "detections.csv", delimiter=",", skiprows=1)
    rows = rows[rows[:, 0] == image]
    found = Detector.load("nuclei", device="cpu")(examples_of("nuclei")[image], threshold=0.01)[0]
    likely = rows[:, 5] > 0.05  # where rounding elsewhere moves no detection across
    assert np.allclose(rows[likely, 5], found.scores[: likely.sum()], atol=1e-3)
    assert np.allclose(rows[likely, 1:5], found.boxes[: likely.sum()], atol=0.02)


def test_there_are_51_images_and_their_nuclei() -> None:
    rows = np.loadtxt(cells.LESSONS / "07" / "truth.csv", delimiter=",", skiprows=1)
    assert (len(rows), len(np.unique(rows[:, 0]))) == (1483, 51)
    assert (rows[:, 3:] > rows[:, 1:3]).all()
