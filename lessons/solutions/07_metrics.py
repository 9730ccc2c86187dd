# %% [markdown]
# # Solutions of lesson 7: How good is a detector?

# %% tags=["imports"]
import math

import numpy as np
from numpy.typing import NDArray


# %% tags=["exercise"]
def match_detections(overlap: NDArray[np.float64], scores: NDArray[np.float64], threshold: float) -> list[int]:
    """For each detection the index of the object that it takes, or -1 where it is false."""
    taken = [-1] * len(scores)
    for detection in np.argsort(-scores):
        free = [j for j in range(overlap.shape[1]) if j not in taken and overlap[detection, j] >= threshold]
        taken[detection] = max(free, key=lambda j: overlap[detection, j], default=-1)
    return taken


# %% tags=["exercise"]
def precision_recall(right: NDArray[np.bool_], objects: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Precision [m] and recall [m] of the first 1, 2, .. m detections."""
    tp = np.cumsum(right)
    return tp / np.arange(1, len(right) + 1), tp / objects


# %% tags=["exercise"]
def interpolated_ap(precision: NDArray[np.float64], recall: NDArray[np.float64]) -> float:
    """Average precision, 0..1, by COCO's 101 recalls."""
    points = [max(precision[recall >= r], default=0.0) for r in np.linspace(0, 1, 101)]
    return float(np.mean(points))


# %% tags=["exercise"]
def images_needed(images: int, half_width: float, wanted: float) -> int:
    """Test images that make an interval as narrow as is wanted, rounded up."""
    return math.ceil(images * (half_width / wanted) ** 2)
