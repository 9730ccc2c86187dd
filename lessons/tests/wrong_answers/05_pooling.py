"""Usual wrong answers to the exercises of lesson 5."""

import math

import torch
from torch import Tensor


def theta_of_box__corner(box: list[float], side: float) -> Tensor:
    x1, y1, x2, y2 = box
    width, height = x2 - x1, y2 - y1
    return torch.tensor([[width / side, 0.0, 2 * x1 / side - 1], [0.0, height / side, 2 * y1 / side - 1]])


def theta_of_box__no_shift_to_the_middle(box: list[float], side: float) -> Tensor:
    x1, y1, x2, y2 = box
    width, height = x2 - x1, y2 - y1
    x, y = (x1 + x2) / 2, (y1 + y2) / 2
    return torch.tensor([[width / side, 0.0, 2 * x / side], [0.0, height / side, 2 * y / side]])


def theta_of_box__half_of_the_shift(box: list[float], side: float) -> Tensor:
    x1, y1, x2, y2 = box
    width, height = x2 - x1, y2 - y1
    x, y = (x1 + x2) / 2, (y1 + y2) / 2
    return torch.tensor([[width / side, 0.0, x / side - 1], [0.0, height / side, y / side - 1]])


def theta_of_box__twice_the_scale(box: list[float], side: float) -> Tensor:
    x1, y1, x2, y2 = box
    width, height = x2 - x1, y2 - y1
    x, y = (x1 + x2) / 2, (y1 + y2) / 2
    return torch.tensor([[2 * width / side, 0.0, 2 * x / side - 1], [0.0, 2 * height / side, 2 * y / side - 1]])


def theta_of_box__rows_exchanged(box: list[float], side: float) -> Tensor:
    x1, y1, x2, y2 = box
    width, height = x2 - x1, y2 - y1
    x, y = (x1 + x2) / 2, (y1 + y2) / 2
    return torch.tensor([[height / side, 0.0, 2 * y / side - 1], [0.0, width / side, 2 * x / side - 1]])


def theta_of_box__width_by_height(box: list[float], side: float) -> Tensor:
    x1, y1, x2, y2 = box
    width, height = x2 - x1, y2 - y1
    x, y = (x1 + x2) / 2, (y1 + y2) / 2
    return torch.tensor([[height / side, 0.0, 2 * x / side - 1], [0.0, width / side, 2 * y / side - 1]])


def bilinear__x_for_the_row(values: Tensor, x: float, y: float) -> float:
    height, width = values.shape
    total = 0.0
    for n in (math.floor(x), math.floor(x) + 1):
        for m in (math.floor(y), math.floor(y) + 1):
            if 0 <= n < height and 0 <= m < width:
                total += float(values[n, m]) * (1 - abs(x - n)) * (1 - abs(y - m))
    return total


def bilinear__half_a_cell_too_far(values: Tensor, x: float, y: float) -> float:
    height, width = values.shape
    x, y = x - 0.5, y - 0.5
    total = 0.0
    for n in (math.floor(y), math.floor(y) + 1):
        for m in (math.floor(x), math.floor(x) + 1):
            if 0 <= n < height and 0 <= m < width:
                total += float(values[n, m]) * (1 - abs(x - m)) * (1 - abs(y - n))
    return total


def bilinear__nearest(values: Tensor, x: float, y: float) -> float:
    height, width = values.shape
    m, n = round(x), round(y)
    return float(values[n, m]) if 0 <= n < height and 0 <= m < width else 0.0


def bilinear__border_repeated(values: Tensor, x: float, y: float) -> float:
    height, width = values.shape
    total = 0.0
    for n in (math.floor(y), math.floor(y) + 1):
        for m in (math.floor(x), math.floor(x) + 1):
            total += (
                float(values[min(max(n, 0), height - 1), min(max(m, 0), width - 1)])
                * (1 - abs(x - m))
                * (1 - abs(y - n))
            )
    return total


def bilinear__outside_raises(values: Tensor, x: float, y: float) -> float:
    total = 0.0
    for n in (math.floor(y), math.floor(y) + 1):
        for m in (math.floor(x), math.floor(x) + 1):
            total += float(values[n, m]) * (1 - abs(x - m)) * (1 - abs(y - n))
    return total


def bilinear__around_the_map(values: Tensor, x: float, y: float) -> float:
    height, width = values.shape
    total = 0.0
    for n in (math.floor(y), math.floor(y) + 1):
        for m in (math.floor(x), math.floor(x) + 1):
            total += float(values[n % height, m % width]) * (1 - abs(x - m)) * (1 - abs(y - n))
    return total


def bilinear__weights_exchanged(values: Tensor, x: float, y: float) -> float:
    height, width = values.shape
    total = 0.0
    for n in (math.floor(y), math.floor(y) + 1):
        for m in (math.floor(x), math.floor(x) + 1):
            if 0 <= n < height and 0 <= m < width:
                total += float(values[n, m]) * abs(x - m) * abs(y - n)
    return total


def bilinear__towards_0(values: Tensor, x: float, y: float) -> float:
    height, width = values.shape
    total = 0.0
    for n in (int(y), int(y) + 1):
        for m in (int(x), int(x) + 1):
            if 0 <= n < height and 0 <= m < width:
                total += float(values[n, m]) * (1 - abs(x - m)) * (1 - abs(y - n))
    return total


def bins_of__nearest(low: float, high: float, count: int) -> list[tuple[int, int]]:
    step = (high - low) / count
    return [(round(low + i * step), round(low + (i + 1) * step)) for i in range(count)]


def bins_of__rounded_down(low: float, high: float, count: int) -> list[tuple[int, int]]:
    step = (high - low) / count
    return [
        (math.floor(low + i * step), max(math.floor(low + (i + 1) * step), math.floor(low + i * step) + 1))
        for i in range(count)
    ]


def bins_of__empty_bin(low: float, high: float, count: int) -> list[tuple[int, int]]:
    step = (high - low) / count
    return [(math.floor(low + i * step), math.ceil(low + (i + 1) * step)) for i in range(count)]


def bins_of__last_cell(low: float, high: float, count: int) -> list[tuple[int, int]]:
    step = (high - low) / count
    return [
        (math.floor(low + i * step), max(math.ceil(low + (i + 1) * step) - 1, math.floor(low + i * step)))
        for i in range(count)
    ]


def bins_of__from_0(low: float, high: float, count: int) -> list[tuple[int, int]]:
    step = (high - low) / count
    return [(math.floor(i * step), max(math.ceil((i + 1) * step), math.floor(i * step) + 1)) for i in range(count)]


def bins_of__rounded_first(low: float, high: float, count: int) -> list[tuple[int, int]]:
    first, last = math.floor(low), math.ceil(high)
    step = (last - first) / count
    return [
        (math.floor(first + i * step), max(math.ceil(first + (i + 1) * step), math.floor(first + i * step) + 1))
        for i in range(count)
    ]


def cells_read__half_a_cell_too_far(low: float, high: float, size: int, cells: int) -> list[int]:
    read = set()
    for i in range(size):
        point = low + (i + 0.5) * (high - low) / size
        read |= {cell for cell in range(cells) if abs(cell - point) < 1}
    return sorted(read)


def cells_read__from_end_to_end(low: float, high: float, size: int, cells: int) -> list[int]:
    read = set()
    for i in range(size):
        point = low + i * (high - low) / max(size - 1, 1) - 0.5
        read |= {cell for cell in range(cells) if abs(cell - point) < 1}
    return sorted(read)


def cells_read__weight_0(low: float, high: float, size: int, cells: int) -> list[int]:
    read = set()
    for i in range(size):
        point = low + (i + 0.5) * (high - low) / size - 0.5
        read |= {cell for cell in (math.floor(point), math.floor(point) + 1) if 0 <= cell < cells}
    return sorted(read)


def cells_read__outside(low: float, high: float, size: int, cells: int) -> list[int]:
    read = set()
    for i in range(size):
        point = low + (i + 0.5) * (high - low) / size - 0.5
        read |= {cell for cell in (math.floor(point), math.ceil(point))}
    return sorted(read)


def cells_read__moved_into_the_map(low: float, high: float, size: int, cells: int) -> list[int]:
    read = set()
    for i in range(size):
        point = low + (i + 0.5) * (high - low) / size - 0.5
        read |= {min(max(cell, 0), cells - 1) for cell in (math.floor(point), math.ceil(point))}
    return sorted(read)


def cells_read__all_cells_of_the_box(low: float, high: float, size: int, cells: int) -> list[int]:
    return [cell for cell in range(math.floor(low), math.ceil(high)) if 0 <= cell < cells]


def cells_read__twice(low: float, high: float, size: int, cells: int) -> list[int]:
    return [
        cell
        for i in range(size)
        for cell in range(cells)
        if abs(cell - (low + (i + 0.5) * (high - low) / size - 0.5)) < 1
    ]
