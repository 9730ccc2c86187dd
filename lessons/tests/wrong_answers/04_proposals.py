"""Usual wrong answers to the exercises of lesson 4."""

import math

from torch import Tensor
from torch.nn import functional as F

from pocketrcnn.model import boxes


def bias_for__log_of_probability(probability: float) -> float:
    return math.log(probability)


def bias_for__sign(probability: float) -> float:
    return math.log((1 - probability) / probability)


def bias_for__odds(probability: float) -> float:
    return probability / (1 - probability)


def smooth_l1_of__jump(difference: float) -> float:
    size = abs(difference)
    return size * size / 2 if size < 1 else size


def smooth_l1_of__negative_differences(difference: float) -> float:
    size = difference
    return size * size / 2 if size < 1 else size - 0.5


def smooth_l1_of__square_everywhere(difference: float) -> float:
    return difference**2 / 2


def smooth_l1_of__parts_swapped(difference: float) -> float:
    size = abs(difference)
    return size * size / 2 if size > 1 else size - 0.5


def smooth_l1_of__no_half(difference: float) -> float:
    size = abs(difference)
    return size * size if size < 1 else size - 0.5


def mean_cross_entropy__ignored_as_negative(logits: Tensor, labels: Tensor) -> Tensor:
    positive = labels.clamp(min=0).float()
    return -(positive * F.logsigmoid(logits) + (1 - positive) * F.logsigmoid(-logits)).mean()


def mean_cross_entropy__ignored_in_the_number(logits: Tensor, labels: Tensor) -> Tensor:
    positive = labels.clamp(min=0).float()
    counted = labels != -1
    return -((positive * F.logsigmoid(logits) + (1 - positive) * F.logsigmoid(-logits)) * counted).mean()


def mean_cross_entropy__sum(logits: Tensor, labels: Tensor) -> Tensor:
    positive = labels.clamp(min=0).float()
    counted = labels != -1
    return -((positive * F.logsigmoid(logits) + (1 - positive) * F.logsigmoid(-logits)) * counted).sum()


def mean_cross_entropy__mean_of_each_kind(logits: Tensor, labels: Tensor) -> Tensor:
    positive, negative = labels == 1, labels == 0
    return -F.logsigmoid(logits[positive]).mean() - F.logsigmoid(-logits[negative]).mean()


def mean_cross_entropy__log_of_0(logits: Tensor, labels: Tensor) -> Tensor:
    positive, negative = labels == 1, labels == 0
    probability = logits.sigmoid()
    total = -probability[positive].log().sum() - (1 - probability[negative]).log().sum()
    return total / (positive | negative).sum().clamp(min=1)


def mean_cross_entropy__positive_alone(logits: Tensor, labels: Tensor) -> Tensor:
    counted = labels == 1
    return -F.logsigmoid(logits[counted]).sum() / counted.sum().clamp(min=1)


def mean_cross_entropy__sign(logits: Tensor, labels: Tensor) -> Tensor:
    positive, negative = labels == 1, labels == 0
    total = F.logsigmoid(logits[positive]).sum() + F.logsigmoid(-logits[negative]).sum()
    return total / (positive | negative).sum().clamp(min=1)


def mean_cross_entropy__nothing_counted(logits: Tensor, labels: Tensor) -> Tensor:
    counted = labels != -1
    return F.binary_cross_entropy_with_logits(logits[counted], labels[counted].float())


def greedy_nms__removed_ones_remove(corners: Tensor, scores: Tensor, iou_threshold: float) -> list[int]:
    overlap = boxes.iou(corners, corners)
    order = scores.argsort(descending=True).tolist()
    return [i for rank, i in enumerate(order) if all(overlap[i, j] <= iou_threshold for j in order[:rank])]


def greedy_nms__or_equal(corners: Tensor, scores: Tensor, iou_threshold: float) -> list[int]:
    overlap = boxes.iou(corners, corners)
    order = scores.argsort(descending=True).tolist()
    kept: list[int] = []
    for i in order:
        if all(overlap[i, j] < iou_threshold for j in kept):
            kept.append(i)
    return kept


def greedy_nms__in_the_order_given(corners: Tensor, scores: Tensor, iou_threshold: float) -> list[int]:
    overlap = boxes.iou(corners, corners)
    kept: list[int] = []
    for i in range(len(scores)):
        if all(overlap[i, j] <= iou_threshold for j in kept):
            kept.append(i)
    return kept


def greedy_nms__not_best_first(corners: Tensor, scores: Tensor, iou_threshold: float) -> list[int]:
    overlap = boxes.iou(corners, corners)
    kept: list[int] = []
    for i in scores.argsort(descending=True).tolist():
        if all(overlap[i, j] <= iou_threshold for j in kept):
            kept.append(i)
    return sorted(kept)


def greedy_nms__positions_in_the_sorted_list(corners: Tensor, scores: Tensor, iou_threshold: float) -> list[int]:
    order = scores.argsort(descending=True)
    ordered = corners[order]
    overlap = boxes.iou(ordered, ordered)
    kept: list[int] = []
    for i in range(len(order)):
        if all(overlap[i, j] <= iou_threshold for j in kept):
            kept.append(i)
    return kept


def greedy_nms__last_kept_alone(corners: Tensor, scores: Tensor, iou_threshold: float) -> list[int]:
    overlap = boxes.iou(corners, corners)
    kept: list[int] = []
    for i in scores.argsort(descending=True).tolist():
        if not kept or overlap[i, kept[-1]] <= iou_threshold:
            kept.append(i)
    return kept
