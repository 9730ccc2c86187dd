"""Hashes of what a tiny run leaves behind, so that two checkouts can be compared: a move of code changes none of them.

    python scripts/golden_bytes.py > before; ...; python scripts/golden_bytes.py > after; diff before after

A detector for painted images and one of the course are trained for a few iterations on one thread, with the clock
standing still. Compare on the same machine only: another processor, torch or number of threads gives other bytes.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
NOT_COMPARED = re.compile(rb'\d{4}-\d\d-\d\d(T[\d:]+Z)?|"(peak_)?memory_gb": [\d.]+|[\d.]+ GB')

sys.path[:0] = [str(ROOT / "src"), str(ROOT / "tests" / "support")]


def run_everything(folder: Path) -> None:
    """Painted images: train, eval, predict, report. The course: one experiment and its page."""
    import painted
    import torch

    from pocketrcnn.cli.main import main
    from pocketrcnn.training import device

    device.bfloat16_gain = lambda: 1.0  # a clock that stands still measures nothing
    torch.set_num_threads(1)
    data, run = painted.write(folder / "data", train=24, val=8, test=6), folder / "run"
    for words in (
        f"train {data} --iterations 8 --preset small --batch 8 --seed 0 --out {run} --device cpu "
        "--set model.min_score=0.0",
        f"eval {run} --split test",
        f"predict {run} {data / 'test'} --out {folder / 'predictions'}",
        f"reproduce --data sample --only F3 --iterations 2 --batch 4 --out {folder / 'course'}",
    ):
        with contextlib.redirect_stdout(sys.stderr):
            code = main(words.split())
        assert code == 0, words


def hashes(folder: Path) -> Iterator[tuple[str, str]]:
    """A line for each file: of weights the tensors alone, of text without paths, dates and memory."""
    from pocketrcnn.training.checkpoint import checksum, load_tensors

    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if not path.is_file() or name.split("/")[0] in ("data", "cache"):
            continue
        if path.suffix == ".safetensors":
            yield f"{name} (tensors)", checksum(load_tensors(path)[0], "")
        else:
            yield name, hashlib.sha256(comparable(path, folder)).hexdigest()


def comparable(path: Path, folder: Path) -> bytes:
    """The content of a file without what differs from call to call."""
    content = path.read_bytes()
    return content if path.suffix == ".png" else NOT_COMPARED.sub(b"", content.replace(str(folder).encode(), b""))


def main() -> int:
    """Print a hash and a name a line; the program's own lines go to standard error."""
    with tempfile.TemporaryDirectory() as name:
        os.environ["POCKETRCNN_DATA"] = str(Path(name) / "cache")
        time.perf_counter = lambda: 0.0
        folder = Path(name).resolve()
        run_everything(folder)
        for file, digest in hashes(folder):
            print(digest[:16], file)
    return 0


if __name__ == "__main__":
    sys.exit(main())
