# %% [markdown]
# # Solutions of lesson 6: Faster R-CNN end to end

# %% tags=["imports"]
import math
import statistics

from torch import Tensor


# %% tags=["exercise"]
def stage_shapes(side: int, stride: int, anchors: int, proposals: int, classes: int) -> list[tuple[int, ...]]:
    """The shapes of objectness [B,N], deltas [B,N,4] and class logits [B,P,K+1] for one image, B = 1."""
    count = (side // stride) ** 2 * anchors
    return [(1, count), (1, count, 4), (1, proposals, classes + 1)]


# %% tags=["exercise"]
def detection_scores(objectness: Tensor, logits: Tensor) -> Tensor:
    """The score of each proposal for each class: objectness [P] and logits [P,K+1] -> scores [P,K] in 0..1."""
    return objectness.sigmoid()[:, None] * logits.softmax(-1)[:, :-1]


# %% tags=["exercise"]
def equal_weights(losses: dict[str, float]) -> dict[str, float]:
    """The weight of each loss, by name, with which each weighted loss is as large as that of `classification`."""
    return {name: losses["classification"] / loss for name, loss in losses.items()}


# %% tags=["exercise"]
def paired_interval(first: list[float], second: list[float], t: float) -> tuple[float, float]:
    """Low and high end of the 95 % confidence interval of the mean of `second` minus `first`, seed by seed."""
    differences = [b - a for a, b in zip(first, second, strict=True)]
    mean = statistics.fmean(differences)
    half = t * statistics.stdev(differences) / math.sqrt(len(differences))
    return mean - half, mean + half
