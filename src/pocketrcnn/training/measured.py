"""What was measured on this machine once, and is kept: no choice depends on a stop watch from call to call.

`machine.json` in the cache folder has, for each processor with its cores and version of torch, values by name.
"""

import json
import os
import platform
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch

from ..data.files import write_atomically
from ..data.images.cache import cache_root
from ..data.json_text import decoded
from ..errors import UserError

MACHINE = "machine.json"


def remembered(key: str) -> Any:
    """The value that was kept under a name on this machine, as JSON holds it; None where there is none.

    A file that is damaged or cannot be read holds none: what it held is measured again.
    """
    return kept().get(machine(), {}).get(key)


def remember(key: str, value: Any) -> None:
    """Keep a value under a name. Where nothing can be written it is measured at each call."""
    content = kept()
    content[machine()] = content.get(machine(), {}) | {key: value}
    with suppress(OSError, UserError):
        place().parent.mkdir(parents=True, exist_ok=True)
        write_atomically(place(), (json.dumps(content, indent=1, sort_keys=True) + "\n").encode())


def kept() -> dict[str, dict[str, Any]]:
    """The whole file: values by machine and name."""
    try:
        content = decoded(place().read_text(encoding="utf-8"))
    except (OSError, ValueError):  # also what is no text
        return {}
    machines = content.items() if isinstance(content, dict) else ()
    return {name: values for name, values in machines if isinstance(values, dict)}


def machine() -> str:
    """What a measurement holds for: the processor, its cores, the version of torch."""
    return f"{processor()}, {os.cpu_count()} cores, torch {torch.__version__}"


def place() -> Path:
    """Where the file is."""
    return cache_root() / MACHINE


def processor() -> str:
    """The name of the processor, where the system gives it."""
    return line_of("model name") or platform.processor() or platform.machine()


def instructions() -> set[str]:
    """The processor's extensions of its instructions, as Linux names them; empty where the system does not say."""
    return set((line_of("flags") or line_of("Features")).split())


def line_of(name: str, info: Path = Path("/proc/cpuinfo")) -> str:
    """What Linux says in a file under a name, by default of the processor; empty where it says nothing."""
    lines = info.read_text(encoding="utf-8", errors="replace").splitlines() if info.is_file() else []
    return next((line.partition(":")[2].strip() for line in lines if line.partition(":")[0].strip() == name), "")
