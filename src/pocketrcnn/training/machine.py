"""What a measurement was made on: versions, processor, threads, memory."""

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch

from ..config import Config
from ..version import __version__
from .device import choose_precision
from .group import current
from .measured import line_of, processor

PACKAGES = ("torch", "numpy", "pillow", "safetensors", "matplotlib")


def environment(config: Config, device: torch.device) -> dict[str, Any]:
    """Versions and hardware, for env.json and results.json."""
    precision = choose_precision(config.train.precision, device)
    several = {"processes": current().count} if current().count > 1 else {}
    return {"versions": versions(), "hardware": hardware(device) | {"precision": precision} | several}


def versions() -> dict[str, str]:
    """Versions of Python, of this package and of those that its results depend on."""
    installed = {"python": platform.python_version(), "pocketrcnn": __version__}
    for name in PACKAGES:
        try:
            installed[name] = version(name)
        except PackageNotFoundError:
            continue
    return installed


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


def memory_gb() -> float | None:
    """The machine's memory in GB."""
    try:
        return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1)
    except (ValueError, OSError, AttributeError):
        return None


def peak_memory_gb() -> float | None:
    """The peak of this process's memory, in GB."""
    own = line_of("VmHWM", Path("/proc/self/status"))  # in that of `resource` is also what the parent had at the fork
    if own.removesuffix("kB").strip().isdecimal():
        return round(int(own.removesuffix("kB")) * 1024 / 1e9, 3)
    try:
        import resource
    except ImportError:  # Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak * (1 if platform.system() == "Darwin" else 1024) / 1e9, 3)
