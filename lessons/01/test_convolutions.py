"""The hidden tests of lesson 1.

Usual wrong answers that they find: the filter turned (a convolution of mathematicians) or transposed, places left out
at the end, an image that is assumed to be square, the padding counted once, a side that is not rounded down, the share
without its pointwise half, `published` divided by the wrong square, `j` changed before `r`, the stride left out.
`../tests/test_wrong_answers.py` tries each.
"""

from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional


def rows(tensor: Tensor) -> str:
    """A small array on one line."""
    return str(tensor.tolist())


def test_convolved_has_an_output_for_every_place_where_the_filter_fits(work: Any) -> None:
    shape = tuple(work.convolved(torch.ones(4, 6), torch.ones(3, 3)).shape)
    assert shape == (2, 4), (
        f"for an image of 4 rows and 6 columns and a 3x3 filter your output has the shape {shape}; the filter fits at "
        "2 places from top to bottom, and at 4 from left to right"
    )


def test_convolved_multiplies_and_adds(work: Any) -> None:
    image, kernel = torch.tensor([[1.0, 2.0], [3.0, 4.0]]), torch.tensor([[10.0, 0.0], [0.0, 1.0]])
    found = work.convolved(image, kernel)
    assert found.shape == (1, 1), (
        f"a 2x2 filter fits on a 2x2 image once; your output has the shape {tuple(found.shape)}"
    )
    assert float(found) == 14.0, (
        f"for the image {rows(image)} and the filter {rows(kernel)} your function gives {float(found):g}; by hand it "
        "is 10 times the first pixel plus 1 times the last one"
    )


def test_convolved_does_not_turn_the_filter(work: Any) -> None:
    image, kernel = torch.zeros(3, 3), torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    image[0, 0] = 1.0
    found = work.convolved(image, kernel)
    assert found.shape == (2, 2), (
        f"a 2x2 filter on a 3x3 image: your output has the shape {tuple(found.shape)}, not (2, 2)"
    )
    assert float(found[0, 0]) == 1.0, (
        f"an image with a single 1 in its upper left corner and the filter {rows(kernel)}: the first value is "
        f"{float(found[0, 0]):g}, where the filter's upper left weight meets the 1: is the filter turned or transposed?"
    )


@pytest.mark.parametrize(("height", "width", "side"), [(5, 5, 3), (6, 9, 2), (7, 4, 4)])
def test_convolved_gives_what_torch_gives(work: Any, height: int, width: int, side: int) -> None:
    generator = torch.Generator().manual_seed(height)
    image = torch.randint(0, 9, (height, width), generator=generator).float()
    kernel = torch.randint(-4, 5, (side, side), generator=generator).float()
    found, expected = work.convolved(image, kernel), functional.conv2d(image[None, None], kernel[None, None])[0, 0]
    assert found.shape == expected.shape, f"for {height}x{width} and a {side}x{side} filter: {tuple(found.shape)}"
    wrong = (found != expected).nonzero().tolist()
    assert not wrong, (
        f"for a random image of {height}x{width} and a {side}x{side} filter, {len(wrong)} of {expected.numel()} values "
        f"differ from those of torch, the first at row and column {wrong[0]}"
    )


@pytest.mark.parametrize(
    ("side", "kernel", "stride", "padding"),
    [(32, 5, 1, 0), (32, 5, 1, 2), (32, 2, 2, 0), (48, 3, 2, 1), (7, 2, 2, 0), (10, 3, 3, 1), (6, 6, 1, 0)],
)
def test_side_after_is_the_side_of_the_map(work: Any, side: int, kernel: int, stride: int, padding: int) -> None:
    found = work.side_after(side, kernel, stride, padding)
    seen = functional.conv2d(torch.zeros(1, 1, side, side), torch.zeros(1, 1, kernel, kernel), None, stride, padding)
    assert found == seen.shape[-1], (
        f"for a side of {side}, kernel {kernel}, stride {stride}, padding {padding} your function gives {found}; "
        f"torch makes a map of {seen.shape[-1]}"
    )


def test_part_of_dense_of_one_by_one(work: Any) -> None:
    found = work.part_of_dense(1, 1)
    assert found == pytest.approx(2.0), (
        f"for K = 1 and N = 1 your function gives {found:g}; the two halves cost as much as the dense one each"
    )


@pytest.mark.parametrize(("kernel", "inputs", "outputs", "side"), [(5, 32, 64, 16), (3, 128, 256, 4), (7, 3, 8, 32)])
def test_part_of_dense_of_the_formulas(work: Any, kernel: int, inputs: int, outputs: int, side: int) -> None:
    depthwise, pointwise = kernel**2 * inputs * side**2, inputs * outputs * side**2
    found = work.part_of_dense(kernel, outputs)
    assert found == pytest.approx((depthwise + pointwise) / (depthwise * outputs)), (
        f"for K = {kernel} and N = {outputs} your function gives {found:.4f}; with M = {inputs}, D = {side} there are "
        f"{depthwise:,} depthwise, {pointwise:,} pointwise and {depthwise * outputs:,} dense multiplications"
    )


@pytest.mark.parametrize(("inputs", "outputs", "side", "kernel"), [(3, 32, 32, 5), (32, 64, 16, 5), (256, 512, 2, 3)])
def test_number_for_outputs_of_right_counts(work: Any, inputs: int, outputs: int, side: int, kernel: int) -> None:
    published = kernel**2 * inputs * outputs * side**2
    found = work.number_for_outputs(published, kernel, inputs, side)
    assert found == pytest.approx(outputs), (
        f"for a layer of the ConvNet that is right ({published:,} with K = {kernel}, M = {inputs}, D = {side}) "
        f"your function gives {found:g}; it has {outputs} output channels"
    )


def test_number_for_outputs_need_not_be_whole(work: Any) -> None:
    found = work.number_for_outputs(27, kernel=3, inputs=2, side=1)
    assert found == pytest.approx(1.5), f"27 = 3 * 3 * 2 * N * 1 * 1; your function gives N = {found:g}"


@pytest.mark.parametrize(
    ("layers", "expected"),
    [
        ([], 1),
        ([(5, 1)], 5),
        ([(3, 1), (3, 1)], 5),
        ([(2, 2), (2, 2)], 4),
        ([(3, 2), (3, 1)], 7),
        ([(5, 1), (2, 2), (5, 1), (2, 2)], 16),
    ],
)
def test_receptive_field_of_layers(work: Any, layers: list[tuple[int, int]], expected: int) -> None:
    found = work.receptive_field(layers)
    assert found == expected, (
        f"for the layers (kernel, stride) {layers} your function gives {found}; a value there depends on "
        f"{expected} pixels"
    )
