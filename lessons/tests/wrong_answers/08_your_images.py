"""Usual wrong answers to the exercises of lesson 8."""

import numpy as np
from numpy.typing import NDArray

Counts = NDArray[np.int64]


def from_yolo__centre_is_a_corner(box: list[float], width: int, height: int) -> list[float]:
    x, y, w, h = box
    return [x * width, y * height, (x + w) * width, (y + h) * height]


def from_yolo__whole_size(box: list[float], width: int, height: int) -> list[float]:
    x, y, w, h = box
    return [(x - w) * width, (y - h) * height, (x + w) * width, (y + h) * height]


def from_yolo__centre_and_size(box: list[float], width: int, height: int) -> list[float]:
    x, y, w, h = box
    return [x * width, y * height, w * width, h * height]


def from_yolo__fractions(box: list[float], width: int, height: int) -> list[float]:
    x, y, w, h = box
    return [x - w / 2, y - h / 2, x + w / 2, y + h / 2]


def from_yolo__sides_exchanged(box: list[float], width: int, height: int) -> list[float]:
    x, y, w, h = box
    return [(x - w / 2) * height, (y - h / 2) * width, (x + w / 2) * height, (y + h / 2) * width]


def from_yolo__width_for_both(box: list[float], width: int, height: int) -> list[float]:
    x, y, w, h = box
    return [(x - w / 2) * width, (y - h / 2) * width, (x + w / 2) * width, (y + h / 2) * width]


def from_yolo__whole_pixels(box: list[float], width: int, height: int) -> list[float]:
    x, y, w, h = box
    corners = ((x - w / 2) * width, (y - h / 2) * height, (x + w / 2) * width, (y + h / 2) * height)
    return [float(round(value)) for value in corners]


def largest(names: list[str], numbers: NDArray[np.float64], matrix: Counts) -> tuple[str, str, int]:
    row, column = divmod(int(numbers.argmax()), numbers.shape[1])
    return names[row], names[column], int(matrix[row, column])


def off_diagonal(matrix: Counts) -> NDArray[np.float64]:
    return np.asarray(matrix * (1.0 - np.eye(len(matrix))))


def worst_confusion__diagonal(names: list[str], matrix: Counts) -> tuple[str, str, int]:
    return largest(names, matrix[:-1, :-1].astype(float), matrix)


def worst_confusion__background(names: list[str], matrix: Counts) -> tuple[str, str, int]:
    return largest(names, off_diagonal(matrix), matrix)


def worst_confusion__background_detected(names: list[str], matrix: Counts) -> tuple[str, str, int]:
    return largest(names, off_diagonal(matrix)[:-1], matrix)


def worst_confusion__background_true(names: list[str], matrix: Counts) -> tuple[str, str, int]:
    return largest(names, off_diagonal(matrix)[:, :-1], matrix)


def worst_confusion__rows_and_columns(names: list[str], matrix: Counts) -> tuple[str, str, int]:
    true, taken, count = largest(names, off_diagonal(matrix)[:-1, :-1], matrix)
    return taken, true, count


def worst_confusion__changes_the_matrix(names: list[str], matrix: Counts) -> tuple[str, str, int]:
    np.fill_diagonal(matrix, 0)
    matrix[-1] = matrix[:, -1] = 0
    row, column = divmod(int(matrix.argmax()), len(names))
    return names[row], names[column], int(matrix[row, column])


def worst_confusion__both_directions(names: list[str], matrix: Counts) -> tuple[str, str, int]:
    numbers = off_diagonal(matrix)[:-1, :-1]
    return largest(names, numbers + numbers.T, matrix)


def worst_confusion__part_of_a_row(names: list[str], matrix: Counts) -> tuple[str, str, int]:
    return largest(names, off_diagonal(matrix)[:-1, :-1] / matrix[:-1, :-1].sum(1, keepdims=True), matrix)


def threshold_for__highest(precision: float, thresholds: list[float], precisions: list[float]) -> float:
    return max([t for t, p in zip(thresholds, precisions, strict=True) if p >= precision], default=1.0)


def threshold_for__best_precision(precision: float, thresholds: list[float], precisions: list[float]) -> float:
    return thresholds[int(np.argmax(precisions))]


def threshold_for__needs_one(precision: float, thresholds: list[float], precisions: list[float]) -> float:
    return min(t for t, p in zip(thresholds, precisions, strict=True) if p >= precision)


def threshold_for__none_is_zero(precision: float, thresholds: list[float], precisions: list[float]) -> float:
    return min([t for t, p in zip(thresholds, precisions, strict=True) if p >= precision], default=0.0)


def threshold_for__above(precision: float, thresholds: list[float], precisions: list[float]) -> float:
    return min([t for t, p in zip(thresholds, precisions, strict=True) if p > precision], default=1.0)


def threshold_for__last(precision: float, thresholds: list[float], precisions: list[float]) -> float:
    return ([1.0] + [t for t, p in zip(thresholds, precisions, strict=True) if p >= precision])[-1]


def threshold_for__stops_at_the_first_step(precision: float, thresholds: list[float], precisions: list[float]) -> float:
    best = 1.0
    for threshold, reached in sorted(zip(thresholds, precisions, strict=True), reverse=True):
        if reached >= precision:
            best = threshold
        elif best < 1:
            break
    return best


def threshold_for__between(precision: float, thresholds: list[float], precisions: list[float]) -> float:
    pairs = sorted(zip(precisions, thresholds, strict=True))
    return float(np.interp(precision, [p for p, _ in pairs], [t for _, t in pairs]))


def count_errors__real_less_counted(counted: list[int], real: list[int]) -> tuple[float, float]:
    errors = np.array(real) - np.array(counted)
    return float(errors.mean()), float(np.abs(errors).mean())


def count_errors__absolute_value_of_the_mean(counted: list[int], real: list[int]) -> tuple[float, float]:
    errors = np.array(counted) - np.array(real)
    return float(errors.mean()), abs(float(errors.mean()))


def count_errors__sums(counted: list[int], real: list[int]) -> tuple[float, float]:
    errors = np.array(counted) - np.array(real)
    return float(errors.sum()), float(np.abs(errors).sum())


def count_errors__squares(counted: list[int], real: list[int]) -> tuple[float, float]:
    errors = np.array(counted) - np.array(real)
    return float(errors.mean()), float(np.sqrt((errors**2).mean()))


def count_errors__fraction_of_the_real_number(counted: list[int], real: list[int]) -> tuple[float, float]:
    errors = (np.array(counted) - np.array(real)) / np.maximum(real, 1)
    return float(errors.mean()), float(np.abs(errors).mean())


def count_errors__exchanged(counted: list[int], real: list[int]) -> tuple[float, float]:
    errors = np.array(counted) - np.array(real)
    return float(np.abs(errors).mean()), float(errors.mean())
