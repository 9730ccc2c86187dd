"""Usual wrong answers to the exercises of lesson 2."""

import torch
from torch import Tensor
from torch.nn import functional


def cross_entropy__sum(logits: Tensor, labels: Tensor) -> float:
    return float(functional.cross_entropy(logits, labels, reduction="sum"))


def cross_entropy__sign(logits: Tensor, labels: Tensor) -> float:
    return -float(functional.cross_entropy(logits, labels))


def cross_entropy__base_two(logits: Tensor, labels: Tensor) -> float:
    return float(functional.cross_entropy(logits, labels)) / 0.6931


def cross_entropy__overflow(logits: Tensor, labels: Tensor) -> float:
    values = logits.exp() / logits.exp().sum(-1, keepdim=True)
    return float(-values[torch.arange(len(labels)), labels].log().mean())


def cross_entropy__underflow(logits: Tensor, labels: Tensor) -> float:
    return float(-logits.softmax(-1)[torch.arange(len(labels)), labels].log().mean())


def cross_entropy__softmax_over_the_batch(logits: Tensor, labels: Tensor) -> float:
    return float(-logits.log_softmax(0)[torch.arange(len(labels)), labels].mean())


def cross_entropy__mean_of_probabilities(logits: Tensor, labels: Tensor) -> float:
    return float(-logits.softmax(-1)[torch.arange(len(labels)), labels].mean().log())


def cross_entropy__tensor(logits: Tensor, labels: Tensor) -> Tensor:
    return functional.cross_entropy(logits, labels)


cross_entropy__tensor.__annotations__["return"] = float  # as the lesson has it


def momentum_step__uphill(w: Tensor, g: Tensor, m: Tensor, rate: float, momentum: float) -> tuple[Tensor, Tensor]:
    m = momentum * m + g
    return w + rate * m, m


def momentum_step__old_memory(w: Tensor, g: Tensor, m: Tensor, rate: float, momentum: float) -> tuple[Tensor, Tensor]:
    return w - rate * m, momentum * m + g


def momentum_step__mean(w: Tensor, g: Tensor, m: Tensor, rate: float, momentum: float) -> tuple[Tensor, Tensor]:
    m = momentum * m + (1 - momentum) * g
    return w - rate * m, m


def momentum_step__gradient(w: Tensor, g: Tensor, m: Tensor, rate: float, momentum: float) -> tuple[Tensor, Tensor]:
    return w - rate * g, momentum * m + g


def momentum_step__in_place(w: Tensor, g: Tensor, m: Tensor, rate: float, momentum: float) -> tuple[Tensor, Tensor]:
    m.mul_(momentum).add_(g)
    w.sub_(m, alpha=rate)
    return w, m


def mirrored__upside_down(images: Tensor, chosen: Tensor) -> Tensor:
    return torch.where(chosen[:, None, None, None], images.flip(-2), images)


def mirrored__all(images: Tensor, chosen: Tensor) -> Tensor:
    return images.flip(-1)


def mirrored__the_others(images: Tensor, chosen: Tensor) -> Tensor:
    return torch.where(chosen[:, None, None, None], images, images.flip(-1))


def mirrored__swapped_too(images: Tensor, chosen: Tensor) -> Tensor:
    return images.flip(-1).transpose(-1, -2)


def mirrored__turned_by_half(images: Tensor, chosen: Tensor) -> Tensor:
    return torch.where(chosen[:, None, None, None], images.flip(-1, -2), images)


def mirrored__colours_too(images: Tensor, chosen: Tensor) -> Tensor:
    return torch.where(chosen[:, None, None, None], images.flip(-1, 1), images)


def mirrored__in_place(images: Tensor, chosen: Tensor) -> Tensor:
    images[chosen] = images[chosen].flip(-1)
    return images


def mirrored__float(images: Tensor, chosen: Tensor) -> Tensor:
    return torch.where(chosen[:, None, None, None], images.flip(-1), images).float()


def evaluations_until_stop__equal_is_better(accuracies: list[float], patience: int) -> int:
    best, since = -1.0, 0
    for count, accuracy in enumerate(accuracies, 1):
        best, since = (accuracy, 0) if accuracy >= best else (best, since + 1)
        if since >= patience:
            return count
    return len(accuracies)


def evaluations_until_stop__compared_with_the_one_before(accuracies: list[float], patience: int) -> int:
    since = 0
    for count in range(1, len(accuracies)):
        since = 0 if accuracies[count] > accuracies[count - 1] else since + 1
        if since >= patience:
            return count + 1
    return len(accuracies)


def evaluations_until_stop__index(accuracies: list[float], patience: int) -> int:
    best, since = -1.0, 0
    for count, accuracy in enumerate(accuracies):
        best, since = (accuracy, 0) if accuracy > best else (best, since + 1)
        if since >= patience:
            return count
    return len(accuracies)


def evaluations_until_stop__one_late(accuracies: list[float], patience: int) -> int:
    best, since = -1.0, 0
    for count, accuracy in enumerate(accuracies, 1):
        best, since = (accuracy, 0) if accuracy > best else (best, since + 1)
        if since > patience:
            return count
    return len(accuracies)


def evaluations_until_stop__never_reset(accuracies: list[float], patience: int) -> int:
    best, since = -1.0, 0
    for count, accuracy in enumerate(accuracies, 1):
        best, since = (accuracy, since) if accuracy > best else (best, since + 1)
        if since >= patience:
            return count
    return len(accuracies)
