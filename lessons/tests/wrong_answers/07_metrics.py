"""Usual wrong answers to the exercises of lesson 7."""

import math

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
RECALLS = np.linspace(0, 1, 101)


def taken_in_turn(overlap: Numbers, order: list[int], threshold: float) -> list[int]:
    """The rules, for detections in an order."""
    taken = [-1] * len(order)
    for detection in order:
        free = [j for j in range(overlap.shape[1]) if j not in taken and overlap[detection, j] >= threshold]
        taken[detection] = max(free, key=lambda j: overlap[detection, j], default=-1)
    return taken


def match_detections__order_of_rows(overlap: Numbers, scores: Numbers, threshold: float) -> list[int]:
    return taken_in_turn(overlap, list(range(len(scores))), threshold)


def match_detections__lowest_score_first(overlap: Numbers, scores: Numbers, threshold: float) -> list[int]:
    return taken_in_turn(overlap, np.argsort(scores).tolist(), threshold)


def match_detections__taken_twice(overlap: Numbers, scores: Numbers, threshold: float) -> list[int]:
    return [int(row.argmax()) if row.size and row.max() >= threshold else -1 for row in overlap]


def match_detections__rule_of_voc(overlap: Numbers, scores: Numbers, threshold: float) -> list[int]:
    taken = [-1] * len(scores)
    for detection in np.argsort(-scores) if overlap.size else ():
        best = int(overlap[detection].argmax())
        if overlap[detection, best] >= threshold and best not in taken:
            taken[detection] = best
    return taken


def match_detections__first_above(overlap: Numbers, scores: Numbers, threshold: float) -> list[int]:
    taken = [-1] * len(scores)
    for detection in np.argsort(-scores):
        free = [j for j in range(overlap.shape[1]) if j not in taken and overlap[detection, j] >= threshold]
        taken[detection] = free[0] if free else -1
    return taken


def match_detections__best_pair_first(overlap: Numbers, scores: Numbers, threshold: float) -> list[int]:
    taken, left = [-1] * len(scores), overlap.copy()
    while left.size and left.max() >= threshold:
        row, column = divmod(int(left.argmax()), left.shape[1])
        taken[row] = column
        left[row], left[:, column] = -1, -1
    return taken


def match_detections__above(overlap: Numbers, scores: Numbers, threshold: float) -> list[int]:
    return taken_in_turn(overlap, np.argsort(-scores).tolist(), float(np.nextafter(threshold, 1)))


def match_detections__order_of_scores(overlap: Numbers, scores: Numbers, threshold: float) -> list[int]:
    order = np.argsort(-scores).tolist()
    taken = taken_in_turn(overlap, order, threshold)
    return [taken[i] for i in order]


def match_detections__needs_objects(overlap: Numbers, scores: Numbers, threshold: float) -> list[int]:
    overlap.max(1)
    return taken_in_turn(overlap, np.argsort(-scores).tolist(), threshold)


def precision_recall__all_below(right: NDArray[np.bool_], objects: int) -> tuple[Numbers, Numbers]:
    return np.cumsum(right) / len(right), np.cumsum(right) / objects


def precision_recall__of_those_found(right: NDArray[np.bool_], objects: int) -> tuple[Numbers, Numbers]:
    return np.cumsum(right) / np.arange(1, len(right) + 1), np.cumsum(right) / right.sum()


def precision_recall__one_value(right: NDArray[np.bool_], objects: int) -> tuple[Numbers, Numbers]:
    return np.array(right.mean()), np.array(right.sum() / objects)


def precision_recall__false_ones(right: NDArray[np.bool_], objects: int) -> tuple[Numbers, Numbers]:
    return np.cumsum(~right) / np.arange(1, len(right) + 1), np.cumsum(right) / objects


def precision_recall__exchanged(right: NDArray[np.bool_], objects: int) -> tuple[Numbers, Numbers]:
    return np.cumsum(right) / objects, np.cumsum(right) / np.arange(1, len(right) + 1)


def precision_recall__not_counted_up(right: NDArray[np.bool_], objects: int) -> tuple[Numbers, Numbers]:
    return right / np.arange(1, len(right) + 1), right / objects


def best_from(precision: Numbers, reached: NDArray[np.bool_]) -> float:
    return float(precision[reached].max()) if reached.any() else 0.0


def interpolated_ap__mean_of_precisions(precision: Numbers, recall: Numbers) -> float:
    return float(precision.mean()) if precision.size else 0.0


def interpolated_ap__no_best(precision: Numbers, recall: Numbers) -> float:
    return float(np.mean([precision[(recall >= r).argmax()] if (recall >= r).any() else 0 for r in RECALLS]))


def interpolated_ap__lines(precision: Numbers, recall: Numbers) -> float:
    return float(np.interp(RECALLS, recall, precision, right=0).mean()) if recall.size else 0.0


def interpolated_ap__reached_alone(precision: Numbers, recall: Numbers) -> float:
    found = [best_from(precision, recall >= r) for r in RECALLS if (recall >= r).any()]
    return float(np.mean(found)) if found else 0.0


def interpolated_ap__100_recalls(precision: Numbers, recall: Numbers) -> float:
    return float(np.mean([best_from(precision, recall >= r) for r in RECALLS[:-1]]))


def interpolated_ap__11_recalls(precision: Numbers, recall: Numbers) -> float:
    return float(np.mean([best_from(precision, recall >= r) for r in RECALLS[::10]]))


def interpolated_ap__divided_by_100(precision: Numbers, recall: Numbers) -> float:
    return sum(best_from(precision, recall >= r) for r in RECALLS) / 100


def interpolated_ap__exact_area(precision: Numbers, recall: Numbers) -> float:
    best = np.maximum.accumulate(precision[::-1])[::-1]
    return float((np.diff(recall, prepend=0) * best).sum())


def interpolated_ap__above(precision: Numbers, recall: Numbers) -> float:
    return float(np.mean([best_from(precision, recall > r) for r in RECALLS]))


def interpolated_ap__best_so_far(precision: Numbers, recall: Numbers) -> float:
    return float(np.mean([best_from(precision, recall <= r) for r in RECALLS]))


def interpolated_ap__needs_detections(precision: Numbers, recall: Numbers) -> float:
    precision.max()
    return float(np.mean([best_from(precision, recall >= r) for r in RECALLS]))


def images_needed__no_square(images: int, half_width: float, wanted: float) -> int:
    return math.ceil(images * half_width / wanted)


def images_needed__upside_down(images: int, half_width: float, wanted: float) -> int:
    return math.ceil(images * (wanted / half_width) ** 2)


def images_needed__root(images: int, half_width: float, wanted: float) -> int:
    return math.ceil(images * math.sqrt(half_width / wanted))


def images_needed__rounded_down(images: int, half_width: float, wanted: float) -> int:
    return int(images * (half_width / wanted) ** 2)


def images_needed__rounded(images: int, half_width: float, wanted: float) -> int:
    return round(images * (half_width / wanted) ** 2)
