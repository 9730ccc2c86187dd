"""Where the arithmetic happens: device, precision, and memory that is kept."""

import ctypes
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache

import torch
from torch import Tensor
from torch.nn import functional

from ..errors import UserError
from .measured import instructions, remember, remembered
from .threads import torch_threads
from .timing import OWN_TIME, alternate

M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_THRESHOLD = -1, -2, -3  # numbers of glibc's malloc.h

# On the processors tried so far the gain is 0.3 to 0.5, or 1.7 and more, so that noise never decides.
CLEARLY_FASTER = 1.2
ROUNDS = 15
GAIN = "bfloat16_gain"
BFLOAT16_INSTRUCTIONS = {"avx512_bf16", "amx_bf16", "avx_ne_convert", "bf16", "svebf16"}  # as Linux names them

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


@contextmanager
def single_precision() -> Iterator[None]:
    """float32 is torch's default in this block: another library may have set another one, in which random numbers are
    drawn differently."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float32)
    try:
        yield
    finally:
        torch.set_default_dtype(before)


def autocast(precision: str, device: torch.device) -> torch.autocast:
    """Multiply in bfloat16 where `choose_precision` says so; sums, losses and weights stay in float32."""
    chosen = number_format(precision, device)
    return torch.autocast(device.type, torch.bfloat16, enabled=chosen == torch.bfloat16)


def number_format(precision: str, device: torch.device) -> torch.dtype:
    """What `choose_precision` says, as torch has it."""
    return torch.bfloat16 if choose_precision(precision, device) == "bfloat16" else torch.float32


def choose_precision(precision: str, device: torch.device) -> str:
    """`auto` becomes bfloat16 on a GPU that has it or a processor that is clearly faster in it, else float32."""
    if precision != "auto":
        return precision
    if device.type == "cuda":
        return "bfloat16" if torch.cuda.is_bf16_supported() else "float32"
    return "bfloat16" if bfloat16_gain() > CLEARLY_FASTER else "float32"


@cache
def bfloat16_gain() -> float:
    """How many times as fast as in float32 this processor convolves in bfloat16; 0 without instructions for it.

    Measured once a processor and kept, so that the same command always computes in the same format. The list of its
    instructions does not tell: one processor with AVX512-BF16, without AMX, took twice as long with them, others half
    as long (docs/log.md).
    """
    known = instructions()
    if known and not known & BFLOAT16_INSTRUCTIONS:
        return 0.0
    gain = remembered(GAIN)
    if not isinstance(gain, float):
        gain = measured_gain()
        remember(GAIN, gain)
    return gain


def measured_gain() -> float:
    """The gain, by convolutions in turn on one thread. On a busy machine its time was 1.9 to 2.0 times where that of a
    stop watch was 1.2 to 20."""
    with torch_threads(1):
        plain, short = alternate(convolution(torch.float32), convolution(torch.bfloat16), ROUNDS, OWN_TIME)
    return plain / short


def convolution(dtype: torch.dtype) -> Callable[[], Tensor]:
    """A convolution of the kind that training is full of."""
    x, weight = (torch.ones(shape, dtype=dtype) for shape in ((4, 96, 32, 32), (96, 96, 3, 3)))
    x, weight = (tensor.contiguous(memory_format=torch.channels_last) for tensor in (x, weight))
    return torch.no_grad()(lambda: functional.conv2d(x, weight, padding=1))
