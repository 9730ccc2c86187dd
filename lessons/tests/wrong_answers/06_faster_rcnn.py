"""Usual wrong answers to the exercises of lesson 6."""

import math
import statistics

from torch import Tensor

Shapes = list[tuple[int, ...]]


def stage_shapes__cells_of_a_row(side: int, stride: int, anchors: int, proposals: int, classes: int) -> Shapes:
    count = side // stride * anchors
    return [(1, count), (1, count, 4), (1, proposals, classes + 1)]


def stage_shapes__one_anchor_a_cell(side: int, stride: int, anchors: int, proposals: int, classes: int) -> Shapes:
    count = (side // stride) ** 2
    return [(1, count), (1, count, 4), (1, proposals, classes + 1)]


def stage_shapes__deltas_of_proposals(side: int, stride: int, anchors: int, proposals: int, classes: int) -> Shapes:
    return [(1, (side // stride) ** 2 * anchors), (1, proposals, 4), (1, proposals, classes + 1)]


def stage_shapes__logits_of_anchors(side: int, stride: int, anchors: int, proposals: int, classes: int) -> Shapes:
    count = (side // stride) ** 2 * anchors
    return [(1, count), (1, count, 4), (1, count, classes + 1)]


def stage_shapes__no_background(side: int, stride: int, anchors: int, proposals: int, classes: int) -> Shapes:
    count = (side // stride) ** 2 * anchors
    return [(1, count), (1, count, 4), (1, proposals, classes)]


def stage_shapes__three_numbers_a_delta(side: int, stride: int, anchors: int, proposals: int, classes: int) -> Shapes:
    count = (side // stride) ** 2 * anchors
    return [(1, count), (1, count, 3), (1, proposals, classes + 1)]


def stage_shapes__no_axis_for_the_image(side: int, stride: int, anchors: int, proposals: int, classes: int) -> Shapes:
    count = (side // stride) ** 2 * anchors
    return [(count,), (count, 4), (proposals, classes + 1)]


def stage_shapes__floats(side: int, stride: int, anchors: int, proposals: int, classes: int) -> list[tuple[float, ...]]:
    count = (side / stride) ** 2 * anchors
    return [(1, count), (1, count, 4), (1, proposals, classes + 1)]


def detection_scores__no_sigmoid(objectness: Tensor, logits: Tensor) -> Tensor:
    return objectness[:, None] * logits.softmax(-1)[:, :-1]


def detection_scores__sigmoid_of_classes(objectness: Tensor, logits: Tensor) -> Tensor:
    return objectness.sigmoid()[:, None] * logits.sigmoid()[:, :-1]


def detection_scores__softmax_without_background(objectness: Tensor, logits: Tensor) -> Tensor:
    return objectness.sigmoid()[:, None] * logits[:, :-1].softmax(-1)


def detection_scores__softmax_over_proposals(objectness: Tensor, logits: Tensor) -> Tensor:
    return objectness.sigmoid()[:, None] * logits.softmax(0)[:, :-1]


def detection_scores__background_is_a_detection(objectness: Tensor, logits: Tensor) -> Tensor:
    return objectness.sigmoid()[:, None] * logits.softmax(-1)


def detection_scores__sum(objectness: Tensor, logits: Tensor) -> Tensor:
    return objectness.sigmoid()[:, None] + logits.softmax(-1)[:, :-1]


def detection_scores__background_first(objectness: Tensor, logits: Tensor) -> Tensor:
    return objectness.sigmoid()[:, None] * logits.softmax(-1)[:, 1:]


def detection_scores__no_new_axis(objectness: Tensor, logits: Tensor) -> Tensor:
    return objectness.sigmoid() * logits.softmax(-1)[:, :-1]


def detection_scores__classes_alone(objectness: Tensor, logits: Tensor) -> Tensor:
    return logits.softmax(-1)[:, :-1]


def equal_weights__upside_down(losses: dict[str, float]) -> dict[str, float]:
    return {name: loss / losses["classification"] for name, loss in losses.items()}


def equal_weights__sum_of_one(losses: dict[str, float]) -> dict[str, float]:
    total = sum(1 / loss for loss in losses.values())
    return {name: 1 / loss / total for name, loss in losses.items()}


def equal_weights__one_over_the_loss(losses: dict[str, float]) -> dict[str, float]:
    return {name: 1 / loss for name, loss in losses.items()}


def equal_weights__classification_left_out(losses: dict[str, float]) -> dict[str, float]:
    return {name: losses["classification"] / loss for name, loss in losses.items() if name != "classification"}


def equal_weights__as_the_largest(losses: dict[str, float]) -> dict[str, float]:
    return {name: max(losses.values()) / loss for name, loss in losses.items()}


def paired_interval__n_in_place_of_n_less_one(first: list[float], second: list[float], t: float) -> tuple[float, float]:
    differences = [b - a for a, b in zip(first, second, strict=True)]
    mean, half = statistics.fmean(differences), t * statistics.pstdev(differences) / math.sqrt(len(first))
    return mean - half, mean + half


def paired_interval__no_root_of_n(first: list[float], second: list[float], t: float) -> tuple[float, float]:
    differences = [b - a for a, b in zip(first, second, strict=True)]
    mean, half = statistics.fmean(differences), t * statistics.stdev(differences)
    return mean - half, mean + half


def paired_interval__n_less_one_below(first: list[float], second: list[float], t: float) -> tuple[float, float]:
    differences = [b - a for a, b in zip(first, second, strict=True)]
    mean, half = statistics.fmean(differences), t * statistics.stdev(differences) / math.sqrt(len(first) - 1)
    return mean - half, mean + half


def paired_interval__not_paired(first: list[float], second: list[float], t: float) -> tuple[float, float]:
    mean = statistics.fmean(second) - statistics.fmean(first)
    half = t * math.sqrt((statistics.variance(first) + statistics.variance(second)) / len(first))
    return mean - half, mean + half


def paired_interval__first_less_second(first: list[float], second: list[float], t: float) -> tuple[float, float]:
    differences = [a - b for a, b in zip(first, second, strict=True)]
    mean, half = statistics.fmean(differences), t * statistics.stdev(differences) / math.sqrt(len(first))
    return mean - half, mean + half


def paired_interval__not_student(first: list[float], second: list[float], t: float) -> tuple[float, float]:
    differences = [b - a for a, b in zip(first, second, strict=True)]
    mean, half = statistics.fmean(differences), 1.96 * statistics.stdev(differences) / math.sqrt(len(first))
    return mean - half, mean + half


def paired_interval__ends_exchanged(first: list[float], second: list[float], t: float) -> tuple[float, float]:
    differences = [b - a for a, b in zip(first, second, strict=True)]
    mean, half = statistics.fmean(differences), t * statistics.stdev(differences) / math.sqrt(len(first))
    return mean + half, mean - half
