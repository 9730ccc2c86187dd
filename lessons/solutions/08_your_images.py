# %% [markdown]
# # Solutions of lesson 8: A detector for your own images

# %% tags=["imports"]
import numpy as np
from numpy.typing import NDArray


# %% tags=["exercise"]
def from_yolo(box: list[float], width: int, height: int) -> list[float]:
    """Corners x1, y1, x2, y2 in pixels of a box as YOLO writes it."""
    x, y, w, h = box
    return [(x - w / 2) * width, (y - h / 2) * height, (x + w / 2) * width, (y + h / 2) * height]


# %% tags=["exercise"]
def worst_confusion(names: list[str], matrix: NDArray[np.int64]) -> tuple[str, str, int]:
    """The true class, the class that it was taken for, and how often: the largest number of one class for another."""
    classes = matrix[:-1, :-1] * (1 - np.eye(len(names) - 1, dtype=np.int64))
    row, column = divmod(int(classes.argmax()), len(names) - 1)
    return names[row], names[column], int(classes[row, column])


# %% tags=["exercise"]
def threshold_for(precision: float, thresholds: list[float], precisions: list[float]) -> float:
    """The lowest threshold with at least this precision; 1.0 where there is none."""
    good = [one for one, reached in zip(thresholds, precisions, strict=True) if reached >= precision]
    return min(good, default=1.0)


# %% tags=["exercise"]
def count_errors(counted: list[int], real: list[int]) -> tuple[float, float]:
    """Bias and mean absolute error of the counts in one or more images; a bias above 0: too many were counted."""
    errors = np.array(counted) - np.array(real)
    return float(errors.mean()), float(np.abs(errors).mean())
