# %% [markdown]
# # Solutions of lesson 4: The region proposal network

# %% tags=["imports"]
import math

from torch import Tensor
from torch.nn import functional as F

from pocketrcnn.model import boxes


# %% tags=["exercise"]
def bias_for(probability: float) -> float:
    """The logit whose sigmoid is `probability`."""
    return math.log(probability / (1 - probability))


# %% tags=["exercise"]
def smooth_l1_of(difference: float) -> float:
    """Smooth L1 of the difference between a predicted and a wanted delta."""
    size = abs(difference)
    return size**2 / 2 if size < 1 else size - 0.5


# %% tags=["exercise"]
def mean_cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """The mean cross entropy of the anchors that are not ignored, as a tensor of one number, shape []."""
    positive, negative = labels == 1, labels == 0
    total = -F.logsigmoid(logits[positive]).sum() - F.logsigmoid(-logits[negative]).sum()
    return total / (positive | negative).sum().clamp(min=1)


# %% tags=["exercise"]
def greedy_nms(corners: Tensor, scores: Tensor, iou_threshold: float) -> list[int]:
    """The indices of the boxes that stay, best first."""
    overlap = boxes.iou(corners, corners)  # [K,K]
    left = scores.argsort(descending=True).tolist()
    kept = []
    while left:
        best = left.pop(0)
        kept.append(best)
        left = [i for i in left if overlap[best, i] <= iou_threshold]
    return kept
