"""Where the arithmetic happens: device, precision, and memory that is kept."""

import ctypes
import time
from functools import cache

import torch

from ..errors import UserError

M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_THRESHOLD = -1, -2, -3  # numbers of glibc's malloc.h

# On the processors tried so far the gain is 0.3 to 0.5, or 1.7 and more, so that noise never decides.
CLEARLY_FASTER = 1.2
TRIALS = 6

# Precision of all that a user gets: detections, final metrics, pictures, times, the exported file. Training and
# the evaluations on the way have that of the configuration. Weights are in this one, so it needs no autocast.
DELIVERED = "float32"


def keep_memory() -> None:
    """Ask the C library to keep freed memory for the next tensor, instead of giving it back to the system.

    Tensors above 32 MB are otherwise new pages in every iteration, which the system has to clear first: a training
    iteration on 256-pixel images takes 1.7 times as long. glibc only; elsewhere nothing happens.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError, TypeError):
        return
    for parameter, size in ((M_MMAP_THRESHOLD, 1 << 30), (M_TRIM_THRESHOLD, 2**31 - 1), (M_TOP_PAD, 64 << 20)):
        mallopt(parameter, size)


def choose_device(name: str) -> torch.device:
    """`auto`, `cpu` or `cuda` as a torch device. Raises UserError where there is none of that kind."""
    if name not in ("auto", "cpu", "cuda"):
        raise UserError(f"--device {name} is unknown: use auto, cpu or cuda")
    if name == "cuda" and not torch.cuda.is_available():
        raise UserError(
            "--device cuda: torch finds no CUDA device here; use --device cpu, or install a CUDA build of torch"
        )
    return torch.device("cuda" if name != "cpu" and torch.cuda.is_available() else "cpu")


def autocast(precision: str, device: torch.device) -> torch.autocast:
    """Multiply in bfloat16 where `choose_precision` says so; sums, losses and weights stay in float32."""
    chosen = choose_precision(precision, device)
    return torch.autocast(device.type, torch.bfloat16, enabled=chosen == "bfloat16")


def choose_precision(precision: str, device: torch.device) -> str:
    """`auto` becomes bfloat16 on a GPU that has it or a processor that is clearly faster in it, else float32."""
    if precision != "auto":
        return precision
    if device.type == "cuda":
        return "bfloat16" if torch.cuda.is_bf16_supported() else "float32"
    return "bfloat16" if bfloat16_gain() > CLEARLY_FASTER else "float32"


@cache
def bfloat16_gain() -> float:
    """How many times as fast as in float32 this processor convolves in bfloat16; measured once, in a tenth of a second.

    The list of its instructions does not tell: one processor with AVX512-BF16, without AMX, took twice as long with
    them, others half as long (docs/log.md).
    """
    seconds = {dtype: convolution_seconds(dtype) for dtype in (torch.float32, torch.bfloat16)}
    return seconds[torch.float32] / seconds[torch.bfloat16]


@torch.no_grad()
def convolution_seconds(dtype: torch.dtype) -> float:
    """Seconds of a convolution of the size that training is full of, the best of a few."""
    x, weight = (torch.ones(shape, dtype=dtype) for shape in ((16, 96, 32, 32), (96, 96, 3, 3)))
    x, weight = (tensor.contiguous(memory_format=torch.channels_last) for tensor in (x, weight))
    times = []
    for _ in range(TRIALS):
        begun = time.perf_counter()
        torch.nn.functional.conv2d(x, weight, padding=1)
        times.append(time.perf_counter() - begun)
    return min(times)
