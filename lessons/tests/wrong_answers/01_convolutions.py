"""Usual wrong answers to the exercises of lesson 1."""

import torch
from torch import Tensor


def convolved__turned(image: Tensor, kernel: Tensor) -> Tensor:
    return torch.nn.functional.conv2d(image[None, None], kernel.flip(0, 1)[None, None])[0, 0]


def convolved__transposed(image: Tensor, kernel: Tensor) -> Tensor:
    return torch.nn.functional.conv2d(image[None, None], kernel.T[None, None])[0, 0]


def convolved__same_size(image: Tensor, kernel: Tensor) -> Tensor:
    return torch.nn.functional.conv2d(image[None, None], kernel[None, None], padding=len(kernel) // 2)[0, 0]


def convolved__one_place_less(image: Tensor, kernel: Tensor) -> Tensor:
    side = len(kernel)
    output = torch.zeros(len(image) - side, image.shape[1] - side)
    for i in range(output.shape[0]):
        for j in range(output.shape[1]):
            output[i, j] = (kernel * image[i : i + side, j : j + side]).sum()
    return output


def convolved__last_place_empty(image: Tensor, kernel: Tensor) -> Tensor:
    side = len(kernel)
    output = torch.zeros(len(image) - side + 1, image.shape[1] - side + 1)
    for i in range(len(image) - side):
        for j in range(image.shape[1] - side):
            output[i, j] = (kernel * image[i : i + side, j : j + side]).sum()
    return output


def convolved__square_images_only(image: Tensor, kernel: Tensor) -> Tensor:
    side = len(kernel)
    output = torch.zeros(len(image) - side + 1, len(image) - side + 1)
    for i in range(len(output)):
        for j in range(len(output)):
            output[i, j] = (kernel * image[i : i + side, j : j + side]).sum()
    return output


def side_after__padding_counted_once(side: int, kernel: int, stride: int = 1, padding: int = 0) -> int:
    return (side + padding - kernel) // stride + 1


def side_after__one_missing(side: int, kernel: int, stride: int = 1, padding: int = 0) -> int:
    return (side + 2 * padding - kernel) // stride


def side_after__divided_alone(side: int, kernel: int, stride: int = 1, padding: int = 0) -> int:
    return side // stride


def side_after__rounded_up(side: int, kernel: int, stride: int = 1, padding: int = 0) -> int:
    return -(-(side + 2 * padding - kernel) // stride) + 1


def side_after__float(side: int, kernel: int, stride: int = 1, padding: int = 0) -> float:
    return (side + 2 * padding - kernel) / stride + 1


def part_of_dense__depthwise_alone(kernel: int, outputs: int) -> float:
    return 1 / outputs


def part_of_dense__kernel_not_squared(kernel: int, outputs: int) -> float:
    return 1 / outputs + 1 / kernel


def part_of_dense__turned_over(kernel: int, outputs: int) -> float:
    return 1 / (1 / outputs + 1 / kernel**2)


def part_of_dense__whole_numbers(kernel: int, outputs: int) -> float:
    return 1 // outputs + 1 // kernel**2


def number_for_outputs__side_not_squared(published: int, kernel: int, inputs: int, side: int) -> float:
    return published / (kernel**2 * inputs * side)


def number_for_outputs__kernel_not_squared(published: int, kernel: int, inputs: int, side: int) -> float:
    return published / (kernel * inputs * side**2)


def number_for_outputs__rounded(published: int, kernel: int, inputs: int, side: int) -> float:
    return published // (kernel**2 * inputs * side**2)


def receptive_field__strides_forgotten(layers: list[tuple[int, int]]) -> int:
    return 1 + sum(kernel - 1 for kernel, _ in layers)


def receptive_field__distance_first(layers: list[tuple[int, int]]) -> int:
    field, distance = 1, 1
    for kernel, stride in layers:
        distance *= stride
        field += (kernel - 1) * distance
    return field


def receptive_field__kernel_instead_of_less_one(layers: list[tuple[int, int]]) -> int:
    field, distance = 1, 1
    for kernel, stride in layers:
        field += kernel * distance
        distance *= stride
    return field


def receptive_field__product_of_strides(layers: list[tuple[int, int]]) -> int:
    field = 1
    for _, stride in layers:
        field *= stride
    return field
