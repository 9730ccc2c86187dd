"""The hidden tests of lesson 5.

What they catch, each tried:

- `theta_of_box`: the corner in place of the centre; no "- 1"; x / W - 1, without the 2; sides in pixels; twice the
  scale; the rows in the wrong order; width and height mixed up; integers.
- `bilinear`: x for the row; half a cell too far; the nearest cell; the four cells of another point; cells outside that
  repeat the border, wrap around or raise an error; a weight that is not 1 on a centre.
- `bins_of`: borders rounded to the nearest, both down, both up; empty bins; whole cells in turn; the last cell in place
  of the first one behind it; bins from 0 in place of `low`.
- `cells_read`: half a cell too far; points from end to end of the box; the cell beside a centre, of weight 0; cells
  outside the map; the same cell twice; the nearest cell alone; all cells of the box.
"""

import math
from typing import Any

import torch
from torch.nn import functional as F

from pocketrcnn.model import boxes, roi


def looks(work: Any, box: list[float], side: float, expected: list[list[float]], why: str) -> None:
    given = work.theta_of_box(list(box), side)
    said = f"for the box {box} in an input of {side:g} pixels"
    assert tuple(given.shape) == (2, 3), f"{said} your theta has the shape {list(given.shape)} instead of [2, 3]"
    assert given.is_floating_point(), f"{said} your theta is of the type {given.dtype}: it cannot hold fractions"
    right = torch.allclose(given.float(), torch.tensor(expected, dtype=torch.float32), atol=1e-5)
    assert right, f"{said} your theta is {[[round(v, 3) for v in row] for row in given.tolist()]}; {why}"


def test_theta_of_box_over_the_whole_input(work: Any) -> None:
    looks(work, [0, 0, 48, 48], 48, [[1, 0, 0], [0, 1, 0]], "the whole input is its own crop, so nothing should change")


def test_theta_of_box_in_the_middle(work: Any) -> None:
    looks(
        work, [12, 12, 36, 36], 48, [[0.5, 0, 0], [0, 0.5, 0]], "half of the input, around its middle: nothing shifts"
    )


def test_theta_of_box_at_a_border(work: Any) -> None:
    looks(work, [0, 0, 24, 48], 48, [[0.5, 0, -0.5], [0, 1, 0]], "it is the left half, whose centre is at -0.5 across")
    looks(work, [0, 50, 100, 100], 100, [[1, 0, 0], [0, 0.5, 0.5]], "it is the lower half, whose centre is at 0.5 down")


def test_theta_of_box_leads_corners_to_corners(work: Any) -> None:
    for box, side in (([2.0, 19, 29, 46], 48.0), ([10.0, 30, 70, 40], 80.0)):
        corner = work.theta_of_box(list(box), side).float() @ torch.tensor([-1.0, -1.0, 1.0])
        found = [round(value, 2) for value in ((corner + 1) * side / 2).tolist()]
        said = f"for the box {box} your theta leads the upper left corner of the crop to the pixel {found}"
        assert torch.allclose(torch.tensor(found), torch.tensor(box[:2]), atol=0.02), f"{said}, not to that of the box"


def test_theta_of_box_gives_the_crop_of_the_package(work: Any) -> None:
    torch.manual_seed(0)
    image, box = torch.rand(1, 1, 12, 12), [3.0, 1.0, 8.0, 11.0]
    points = F.affine_grid(work.theta_of_box(list(box), 12.0).float()[None], [1, 1, 4, 4], align_corners=False)
    crop = F.grid_sample(image, points, align_corners=False)
    expected = roi.transformer_pool(image, torch.tensor([[box]]), 12, 4)
    assert torch.allclose(crop, expected, atol=1e-4), f"for the box {box} the crop is not that of `transformer_pool`"


def value(work: Any, rows: list[list[float]], x: float, y: float, expected: float, *, why: str) -> None:
    said = f"for the map {rows} and x = {x}, y = {y} your function"
    try:
        given = float(work.bilinear(torch.tensor(rows), x, y))
    except IndexError as error:
        raise AssertionError(f"{said} raises IndexError ({error}); {why}") from None
    assert math.isclose(given, expected, abs_tol=1e-4), f"{said} gives {given:g}; {why}"


MAP = [[1.0, 2.0, 5.0], [10.0, 20.0, 50.0]]


def test_bilinear_on_centres(work: Any) -> None:
    value(work, MAP, 0.0, 0.0, 1.0, why="on a centre it is the value of the cell")
    value(work, MAP, 2.0, 1.0, 50.0, why="on a centre it is the value of the cell, also of the last one")
    value(work, MAP, 2.0, 0.0, 5.0, why="x counts columns and y counts rows")


def test_bilinear_between_two_cells(work: Any) -> None:
    value(work, MAP, 1.5, 0.0, 3.5, why="in the middle between 2 and 5")
    value(work, MAP, 0.0, 0.25, 3.25, why="a quarter of the way from 1 down to 10")
    value(work, MAP, 1.9, 1.0, 47.0, why="nine tenths of the way from 20 to 50")


def test_bilinear_between_four_cells(work: Any) -> None:
    value(work, [[0.0, 4.0], [8.0, 12.0]], 0.25, 0.5, 5.0, why="the example of the docstring")
    value(work, MAP, 0.5, 0.5, 8.25, why="in the middle of four cells it is their mean")


def test_bilinear_outside_the_map(work: Any) -> None:
    value(work, MAP, -0.5, 0.0, 0.5, why="half of the weight is on a cell outside the map, which counts as 0")
    value(work, MAP, 2.25, 1.0, 37.5, why="a quarter of the weight is on a cell outside the map, which counts as 0")
    value(work, MAP, 1.0, 1.5, 10.0, why="half of the weight is on a cell below the map, which counts as 0")
    value(work, MAP, -3.0, 7.0, 0.0, why="all four cells are outside the map")


def test_bilinear_agrees_with_torch(work: Any) -> None:
    torch.manual_seed(0)
    values = torch.rand(4, 7)
    for x, y in (torch.rand(20, 2) * torch.tensor([8.0, 5.0]) - 1).tolist():
        at = torch.tensor([[[[(2 * x + 1) / 7 - 1, (2 * y + 1) / 4 - 1]]]])
        expected = F.grid_sample(values[None, None], at, align_corners=False).item()
        given = float(work.bilinear(values, x, y))
        said = f"for a random map of 4 x 7 and x = {x:.2f}, y = {y:.2f} your function gives {given:.4f}"
        assert math.isclose(given, expected, abs_tol=1e-4), f"{said}, `grid_sample` {expected:.4f}"


def binned(work: Any, low: float, high: float, count: int, expected: list[tuple[int, int]], *, why: str) -> None:
    given = [tuple(int(edge) for edge in pair) for pair in work.bins_of(low, high, count)]
    said = f"for the region from {low} to {high} and {count} bins your function gives {given}"
    assert len(given) == count, f"{said}; these are {len(given)} bins"
    assert given == expected, f"{said}; {why}"


def test_bins_of_whole_cells(work: Any) -> None:
    binned(
        work, 0.0, 4.0, 2, [(0, 2), (2, 4)], why="cells 0 and 1, then cells 2 and 3; a pair ends behind its last cell"
    )
    binned(
        work, 2.0, 6.0, 4, [(2, 3), (3, 4), (4, 5), (5, 6)], why="each bin is one cell, from where the region begins"
    )


def test_bins_of_borders_inside_cells(work: Any) -> None:
    binned(work, 1.5, 4.5, 2, [(1, 3), (3, 5)], why="bins reach outwards to whole cells")
    binned(work, 0.25, 3.75, 2, [(0, 2), (2, 4)], why="the border between the bins is a border of cells here")
    binned(work, 0.5, 3.0, 2, [(0, 2), (1, 3)], why="the bins meet inside of cell 1, so that both have it")


def test_bins_of_small_regions(work: Any) -> None:
    binned(work, 1.25, 1.75, 2, [(1, 2), (1, 2)], why="all of the region is inside one cell, which each bin has")
    binned(work, 2.0, 3.0, 4, [(2, 3)] * 4, why="all of the region is one cell, which each bin has")
    binned(work, 2.0, 2.0, 2, [(2, 3), (2, 3)], why="a bin has at least one cell, also where the region has no length")


def test_bins_of_agrees_with_the_package(work: Any) -> None:
    for low, high in ((0.25, 5.5), (1.75, 2.25), (0.0, 6.0), (3.5, 5.75), (0.5, 1.0)):
        for count in (1, 2, 4):
            chosen = boxes.bins(torch.tensor(low), torch.tensor(high), count, 6)  # bool [count,6]
            ends = [(int(bin.nonzero()[0]), int(bin.nonzero()[-1]) + 1) for bin in chosen]
            binned(work, low, high, count, ends, why="`boxes.bins` has other cells")


def read(work: Any, low: float, high: float, size: int, cells: int, *, expected: list[int], why: str) -> None:
    given = [int(cell) for cell in work.cells_read(low, high, size, cells)]
    said = f"for a box from {low} to {high}, {size} points and {cells} cells your function gives {given}"
    assert given == expected, f"{said}; {why}"


def test_cells_read_on_centres(work: Any) -> None:
    read(work, 1.0, 3.0, 2, 6, expected=[1, 2], why="both points are on centres: no other cell has a weight")
    read(work, 0.0, 6.0, 1, 6, expected=[2, 3], why="the one point is in the middle of the map, between two centres")


def test_cells_read_between_centres(work: Any) -> None:
    read(work, 1.25, 3.25, 2, 6, expected=[1, 2, 3], why="the points are a quarter of a cell beside two centres")
    read(work, 1.0, 2.0, 4, 6, expected=[0, 1, 2], why="a box over one cell: its outer points mix in the neighbours")


def test_cells_read_of_a_large_box(work: Any) -> None:
    why = "the points are 4 cells apart, and each is between two centres"
    read(work, 0.0, 16.0, 4, 16, expected=[1, 2, 5, 6, 9, 10, 13, 14], why=why)
    read(work, 0.5, 15.5, 1, 16, expected=[7, 8], why="one point in the middle of the box reads two cells")


def test_cells_read_at_the_border_of_the_map(work: Any) -> None:
    read(work, -1.0, 1.0, 2, 6, expected=[0], why="the first point is on a cell outside the map, which is not read")
    read(work, 5.0, 6.0, 2, 6, expected=[4, 5], why="there is no cell 6 in the map")


def test_cells_read_outside_the_map(work: Any) -> None:
    read(work, -4.0, 0.0, 2, 6, expected=[], why="both points are outside the map, and their neighbours are, too")


def test_cells_read_agrees_with_the_package(work: Any) -> None:
    for low, high in ((0.25, 7.25), (2.125, 3.125), (1.0, 5.0), (-0.5, 4.75)):
        for size in (1, 2, 4):
            scale, shift = torch.tensor((high - low) / 8), torch.tensor((low + high) / 8 - 1)
            cells, weights = roi.neighbours(scale, shift, size, 8)
            expected = sorted({int(cell) for cell in cells[weights > 0]})
            read(work, low, high, size, 8, expected=expected, why=f"`roi.neighbours` reads {expected}")
