"""What folders hold: compared byte for byte, but for the times that are in some files of a run.

`TIMES` is the one place that says what may differ between two runs of the same command: what a stop watch or the
calendar says, and the memory that the system gave.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pocketrcnn.data.files import LOCK, is_unfinished
from pocketrcnn.training.checkpoint import load_tensors
from pocketrcnn.training.run import CHECKPOINT

from .campaign import Broken

TIMES = {"seconds", "elapsed", "evaluation_seconds", "milliseconds", "created", "peak_memory_gb"}
RUN_ROW = re.compile(r'<tr><th scope="row">[^<]*</th><td class="n">[^\n]*trained on[^\n]*')  # of a page: its times
DURATION = re.compile(r"(\b[\d.,]+ (ms|s|min|h)\b ?)+")  # 58 s, or 1 min 36 s


def without_times(content: Any) -> Any:
    """A JSON value without the entries that are times."""
    if isinstance(content, dict):
        return {key: without_times(value) for key, value in content.items() if key not in TIMES}
    return [without_times(value) for value in content] if isinstance(content, list) else content


def compared(path: Path) -> bytes:
    """The content of a file, without times: all of it for most files."""
    content = path.read_bytes()
    if path.name in ("metrics.json", "report.json"):
        return json.dumps(without_times(json.loads(content)), sort_keys=True).encode()
    if path.name == "report.html":
        return DURATION.sub("", RUN_ROW.sub("", content.decode())).encode()
    if path.name == CHECKPOINT:
        tensors, facts = load_tensors(path)
        digests = {name: hashlib.sha256(tensor.numpy().tobytes()).hexdigest() for name, tensor in tensors.items()}
        return json.dumps([digests, without_times(facts)], sort_keys=True).encode()
    return content


def contents(folder: Path) -> dict[str, str]:
    """The hash of each file below a folder, by its path in it; nothing where there is no folder. Of what is not
    finished, and of locks that killed programs left, the names say so: see `finished`."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): digest(path) for path in paths}


def digest(path: Path) -> str:
    """The hash of a file's content, without times."""
    broken = any(is_unfinished(part) for part in path.parts)
    return "unfinished" if broken else hashlib.sha256(compared(path)).hexdigest()[:16]


def finished(found: dict[str, str]) -> dict[str, str]:
    """Without what killed programs left, which has names of its own, and without locks."""
    return {name: value for name, value in found.items() if value != "unfinished" and Path(name).name != LOCK}


def require_same(found: Mapping[str, object], wanted: Mapping[str, object], what: str) -> None:
    """Raises Broken where files differ, are missing, or are too many."""
    wrong = sorted(name for name in found.keys() | wanted.keys() if found.get(name) != wanted.get(name))
    if wrong:
        kinds = ["missing" if name not in found else "new" if name not in wanted else "other" for name in wrong]
        said = ", ".join(f"{name} ({kind})" for name, kind in zip(wrong, kinds, strict=True))
        raise Broken(f"{what}: {said}")


def saved_iteration(run: Path) -> int:
    """The iteration of a run's checkpoint, 0 where there is none. Raises UserError for a damaged one."""
    path = run / CHECKPOINT
    return int(load_tensors(path)[1]["iteration"]) if path.is_file() else 0
