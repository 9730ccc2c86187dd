"""Usual wrong answers to the exercises of lesson 3."""

import math

import torch
from torch import Tensor


def area_of_overlap__sides_below_0(a: list[float], b: list[float]) -> float:
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    return width * height


def area_of_overlap__apart_both_ways(a: list[float], b: list[float]) -> float:
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    return max(0, width * height)


def area_of_overlap__box_around_both(a: list[float], b: list[float]) -> float:
    width = max(a[2], b[2]) - min(a[0], b[0])
    height = max(a[3], b[3]) - min(a[1], b[1])
    return width * height


def area_of_overlap__plus_1(a: list[float], b: list[float]) -> float:
    width = max(0, min(a[2], b[2]) - max(a[0], b[0]) + 1)
    height = max(0, min(a[3], b[3]) - max(a[1], b[1]) + 1)
    return width * height


def area_of_overlap__absolute_sides(a: list[float], b: list[float]) -> float:
    width = abs(min(a[2], b[2]) - max(a[0], b[0]))
    height = abs(min(a[3], b[3]) - max(a[1], b[1]))
    return width * height


def iou_of_pair__common_part_twice(a: list[float], b: list[float]) -> float:
    width = max(0, min(a[2], b[2]) - max(a[0], b[0]))
    height = max(0, min(a[3], b[3]) - max(a[1], b[1]))
    area_a = max(0, a[2] - a[0]) * max(0, a[3] - a[1])
    area_b = max(0, b[2] - b[0]) * max(0, b[3] - b[1])
    common = width * height
    return common / (area_a + area_b) if area_a + area_b else 0.0


def iou_of_pair__over_the_smaller(a: list[float], b: list[float]) -> float:
    width = max(0, min(a[2], b[2]) - max(a[0], b[0]))
    height = max(0, min(a[3], b[3]) - max(a[1], b[1]))
    area_a = max(0, a[2] - a[0]) * max(0, a[3] - a[1])
    area_b = max(0, b[2] - b[0]) * max(0, b[3] - b[1])
    common = width * height
    return common / min(area_a, area_b) if min(area_a, area_b) else 0.0


def iou_of_pair__divides_by_0(a: list[float], b: list[float]) -> float:
    width = max(0, min(a[2], b[2]) - max(a[0], b[0]))
    height = max(0, min(a[3], b[3]) - max(a[1], b[1]))
    area_a = max(0, a[2] - a[0]) * max(0, a[3] - a[1])
    area_b = max(0, b[2] - b[0]) * max(0, b[3] - b[1])
    common = width * height
    return common / (area_a + area_b - common)


def iou_of_pair__plus_1(a: list[float], b: list[float]) -> float:
    width = max(0, min(a[2], b[2]) + 1 - max(a[0], b[0]))
    height = max(0, min(a[3], b[3]) + 1 - max(a[1], b[1]))
    area_a = max(0, a[2] - a[0]) * max(0, a[3] - a[1])
    area_b = max(0, b[2] - b[0]) * max(0, b[3] - b[1])
    common = width * height
    return common / (area_a + area_b - common) if area_a + area_b - common else 0.0


def iou_of_pair__over_the_box_around_both(a: list[float], b: list[float]) -> float:
    width = max(0, min(a[2], b[2]) - max(a[0], b[0]))
    height = max(0, min(a[3], b[3]) - max(a[1], b[1]))
    union = (max(a[2], b[2]) - min(a[0], b[0])) * (max(a[3], b[3]) - min(a[1], b[1]))
    return width * height / union if union else 0.0


def label_anchors__no_best_anchor(overlap: Tensor, positive_iou: float, negative_iou: float) -> Tensor:
    if overlap.shape[1] == 0:
        return torch.zeros(len(overlap), dtype=torch.int64)
    best = overlap.max(1).values
    labels = torch.full((len(best),), -1)
    labels[best < negative_iou] = 0
    labels[best > positive_iou] = 1
    return labels


def label_anchors__first_of_two_equal(overlap: Tensor, positive_iou: float, negative_iou: float) -> Tensor:
    if overlap.shape[1] == 0:
        return torch.zeros(len(overlap), dtype=torch.int64)
    best = overlap.max(1).values
    labels = torch.full((len(best),), -1)
    labels[best < negative_iou] = 0
    labels[best > positive_iou] = 1
    labels[overlap.argmax(0)] = 1
    return labels


def label_anchors__objects_that_none_touches(overlap: Tensor, positive_iou: float, negative_iou: float) -> Tensor:
    if overlap.shape[1] == 0:
        return torch.zeros(len(overlap), dtype=torch.int64)
    best = overlap.max(1).values
    labels = torch.full((len(best),), -1)
    labels[best < negative_iou] = 0
    labels[best > positive_iou] = 1
    labels[(overlap == overlap.max(0).values).any(1)] = 1
    return labels


def label_anchors__best_is_overruled(overlap: Tensor, positive_iou: float, negative_iou: float) -> Tensor:
    if overlap.shape[1] == 0:
        return torch.zeros(len(overlap), dtype=torch.int64)
    best = overlap.max(1).values
    labels = torch.full((len(best),), -1)
    labels[best > positive_iou] = 1
    labels[((overlap == overlap.max(0).values) & (overlap > 0)).any(1)] = 1
    labels[best < negative_iou] = 0
    return labels


def label_anchors__or_equal(overlap: Tensor, positive_iou: float, negative_iou: float) -> Tensor:
    if overlap.shape[1] == 0:
        return torch.zeros(len(overlap), dtype=torch.int64)
    best = overlap.max(1).values
    labels = torch.full((len(best),), -1)
    labels[best <= negative_iou] = 0
    labels[(best > positive_iou) | ((overlap == overlap.max(0).values) & (overlap > 0)).any(1)] = 1
    return labels


def label_anchors__far_from_one(overlap: Tensor, positive_iou: float, negative_iou: float) -> Tensor:
    if overlap.shape[1] == 0:
        return torch.zeros(len(overlap), dtype=torch.int64)
    best = overlap.max(1).values
    labels = torch.full((len(best),), -1)
    labels[(overlap < negative_iou).any(1)] = 0
    labels[(best > positive_iou) | ((overlap == overlap.max(0).values) & (overlap > 0)).any(1)] = 1
    return labels


def label_anchors__best_object_of_an_anchor(overlap: Tensor, positive_iou: float, negative_iou: float) -> Tensor:
    if overlap.shape[1] == 0:
        return torch.zeros(len(overlap), dtype=torch.int64)
    best = overlap.max(1).values
    labels = torch.full((len(best),), -1)
    labels[best < negative_iou] = 0
    labels[((overlap == best[:, None]) & (overlap > 0)).any(1)] = 1
    return labels


def label_anchors__no_objects(overlap: Tensor, positive_iou: float, negative_iou: float) -> Tensor:
    best = overlap.max(1).values
    labels = torch.full((len(best),), -1)
    labels[best < negative_iou] = 0
    labels[(best > positive_iou) | ((overlap == overlap.max(0).values) & (overlap > 0)).any(1)] = 1
    return labels


def move_anchor__pixels(anchor: list[float], deltas: list[float]) -> list[float]:
    x1, y1, x2, y2 = anchor
    tx, ty, tw, th = deltas
    x = (x1 + x2) / 2
    y = (y1 + y2) / 2
    width = x2 - x1
    height = y2 - y1
    new_x = x + tx
    new_y = y + ty
    new_width = width * math.exp(tw)
    new_height = height * math.exp(th)
    return [new_x - new_width / 2, new_y - new_height / 2, new_x + new_width / 2, new_y + new_height / 2]


def move_anchor__new_width(anchor: list[float], deltas: list[float]) -> list[float]:
    x1, y1, x2, y2 = anchor
    tx, ty, tw, th = deltas
    x = (x1 + x2) / 2
    y = (y1 + y2) / 2
    width = x2 - x1
    height = y2 - y1
    new_width = width * math.exp(tw)
    new_height = height * math.exp(th)
    new_x = x + tx * new_width
    new_y = y + ty * new_height
    return [new_x - new_width / 2, new_y - new_height / 2, new_x + new_width / 2, new_y + new_height / 2]


def move_anchor__moves_a_corner(anchor: list[float], deltas: list[float]) -> list[float]:
    x1, y1, x2, y2 = anchor
    tx, ty, tw, th = deltas
    width = x2 - x1
    height = y2 - y1
    new_width = width * math.exp(tw)
    new_height = height * math.exp(th)
    new_x = x1 + tx * width
    new_y = y1 + ty * height
    return [new_x, new_y, new_x + new_width, new_y + new_height]


def move_anchor__no_exponential(anchor: list[float], deltas: list[float]) -> list[float]:
    x1, y1, x2, y2 = anchor
    tx, ty, tw, th = deltas
    x = (x1 + x2) / 2
    y = (y1 + y2) / 2
    width = x2 - x1
    height = y2 - y1
    new_width = width * (1 + tw)
    new_height = height * (1 + th)
    new_x = x + tx * width
    new_y = y + ty * height
    return [new_x - new_width / 2, new_y - new_height / 2, new_x + new_width / 2, new_y + new_height / 2]


def move_anchor__width_by_height(anchor: list[float], deltas: list[float]) -> list[float]:
    x1, y1, x2, y2 = anchor
    tx, ty, tw, th = deltas
    x = (x1 + x2) / 2
    y = (y1 + y2) / 2
    width = x2 - x1
    height = y2 - y1
    new_width = width * math.exp(th)
    new_height = height * math.exp(tw)
    new_x = x + tx * width
    new_y = y + ty * height
    return [new_x - new_width / 2, new_y - new_height / 2, new_x + new_width / 2, new_y + new_height / 2]


def move_anchor__centre_and_size(anchor: list[float], deltas: list[float]) -> list[float]:
    x1, y1, x2, y2 = anchor
    tx, ty, tw, th = deltas
    x = (x1 + x2) / 2
    y = (y1 + y2) / 2
    width = x2 - x1
    height = y2 - y1
    new_width = width * math.exp(tw)
    new_height = height * math.exp(th)
    new_x = x + tx * width
    new_y = y + ty * height
    return [new_x, new_y, new_width, new_height]
