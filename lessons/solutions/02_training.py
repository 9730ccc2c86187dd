# %% [markdown]
# # Solutions of lesson 2

# %% tags=["imports"]
import torch
from torch import Tensor


# %% tags=["exercise"]
def cross_entropy(logits: Tensor, labels: Tensor) -> float:
    """The mean cross entropy of a batch: the logarithm of softmax is z_y - log(sum of e^z)."""
    logits = logits - logits.max(-1, keepdim=True).values  # [B,K], at most 0
    right = logits[torch.arange(len(labels)), labels]  # [B]
    return float((logits.exp().sum(-1).log() - right).mean())


# %% tags=["exercise"]
def momentum_step(
    weight: Tensor, gradient: Tensor, memory: Tensor, rate: float, momentum: float
) -> tuple[Tensor, Tensor]:
    """The weight and the memory after a step."""
    memory = momentum * memory + gradient
    return weight - rate * memory, memory


# %% tags=["exercise"]
def mirrored(images: Tensor, chosen: Tensor) -> Tensor:
    """A new batch, in which the chosen images are mirrored left to right."""
    return torch.where(chosen[:, None, None, None], images.flip(-1), images)


# %% tags=["exercise"]
def evaluations_until_stop(accuracies: list[float], patience: int) -> int:
    """How many evaluations there are until training ends."""
    best, since = float("-inf"), 0
    for count, accuracy in enumerate(accuracies, 1):
        best, since = (accuracy, 0) if accuracy > best else (best, since + 1)
        if since >= patience:
            return count
    return len(accuracies)
