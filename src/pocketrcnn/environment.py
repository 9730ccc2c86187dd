"""What a figure was measured on: versions, processor, threads, and the number format that suits it."""

from __future__ import annotations

import ctypes
import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch

from .config import Config
from .errors import UserError
from .version import __version__

M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_THRESHOLD = -1, -2, -3  # numbers of glibc's malloc.h

PACKAGES = ("torch", "numpy", "pillow", "safetensors", "matplotlib")


def environment(config: Config, device: torch.device) -> dict[str, Any]:
    """Versions and hardware, for env.json and results.json."""
    precision = choose_precision(config.train.precision, device)
    return {"versions": versions(), "hardware": hardware(device) | {"precision": precision}}


def versions() -> dict[str, str]:
    """Versions of Python, of this package and of those that its figures depend on."""
    found = {"python": platform.python_version(), "pocketrcnn": __version__}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def hardware(device: torch.device) -> dict[str, Any]:
    """Where the arithmetic happens, processor, cores, threads that torch uses, memory, and the system."""
    return {
        "device": torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu",
        "processor": processor(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "memory_gb": memory_gb(),
        "system": f"{platform.system()} {platform.machine()}",
    }


def processor() -> str:
    """The name of the processor, as far as the system tells."""
    info = Path("/proc/cpuinfo")
    if info.is_file():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def memory_gb() -> float | None:
    """The machine's memory in GB."""
    try:
        return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1)
    except (ValueError, OSError, AttributeError):
        return None


def peak_memory_gb() -> float | None:
    """The most memory that this process ever held, in GB."""
    try:
        import resource
    except ImportError:  # Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak * (1 if platform.system() == "Darwin" else 1024) / 1e9, 3)


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


def autocast(asked: str, device: torch.device) -> torch.autocast:
    """Multiply in bfloat16 where `asked` (see `choose_precision`) says so; sums, losses and weights stay in float32."""
    chosen = choose_precision(asked, device)
    return torch.autocast(device.type, torch.bfloat16, enabled=chosen == "bfloat16")


def choose_precision(asked: str, device: torch.device) -> str:
    """`auto` becomes bfloat16 on a GPU or a processor that multiplies it in hardware, float32 elsewhere."""
    if asked != "auto":
        return asked
    if device.type == "cuda":
        return "bfloat16" if torch.cuda.is_bf16_supported() else "float32"
    fast = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
    return "bfloat16" if any(getattr(torch.cpu, name, lambda: False)() for name in fast) else "float32"
