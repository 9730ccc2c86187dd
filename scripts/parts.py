"""What `predict` in parts takes: time and memory of a million names, and images a second by one process or several.

    python scripts/parts.py names [--count 1000000] [--objects 5]
    python scripts/parts.py speed RUN MODEL.onnx [--images 2000]

`names` makes up that many names and results, in a temporary folder that goes away again: none of the images is there,
but for the first. Each step is a process of its own. `speed` predicts in images of 48 pixels that are drawn, by one
process of two threads, one of one, and two of one. Prints JSON. Linux and macOS.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

PLATE = 384  # wells, images of a plate
LISTING = """
import sys
from pathlib import Path
from pocketrcnn.custom.parts.names import Images
from pocketrcnn.custom.parts.plan import agreed, planned
from pocketrcnn.custom.predict import listed_images
images = Images.of(listed_images(Path(sys.argv[1])))
facts = dict(detector="", fingerprint="", classes=["cell"], side=256, overlap=0, threshold=0.5, pages="first", batch=4)
facts |= dict(pixel_size=None, pictures=False, save_crops=False, part_size=2000)
plan = agreed(Path(sys.argv[2]), planned(**facts, images=len(images.names), names=images.sha256), sized=True)
print(plan.parts, len(images.names[plan.images_of(plan.parts - 1)]))
"""
MERGING = "import sys; from pocketrcnn.cli.main import main; sys.exit(main(['merge', sys.argv[1]]))"
USED = """
import resource, sys
used = resource.getrusage(resource.RUSAGE_SELF)
print(used.ru_utime + used.ru_stime, used.ru_maxrss, file=sys.stderr)
"""
SIDE, DISC = 48, 8  # pixels


def measured(code: str, *words: object) -> dict[str, float]:
    """Seconds of a processor and peak memory of a piece of Python as a process: at most that memory, since on Linux a
    process begins with the peak of its parent."""
    program = f"import atexit\natexit.register(lambda: exec({USED!r}))\n{code}"
    command = [sys.executable, "-c", program, *map(str, words)]
    done = subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    seconds, peak = map(float, done.stderr.split()[-2:])
    peak *= 1 if platform.system() == "Darwin" else 1024
    return {"seconds": round(seconds, 1), "peak_memory_gb": round(peak / 1e9, 3)}


def name_of(number: int) -> str:
    """A name as a plate reader gives it."""
    plate, well = divmod(number, PLATE)
    return f"plate-{plate:05d}/well-{well:03d}_field-1_channel-DAPI.tif"


def made_up(out: Path, names: list[str], size: int, objects: int) -> None:
    """Parts with so many objects an image."""
    (out / "parts").mkdir()
    boxes = np.random.default_rng(0).uniform(0, 200, (objects, 4)).astype(np.float32)
    boxes[:, 2:] = boxes[:, :2] + boxes[:, 2:] / 10
    content = {"boxes": boxes.tolist(), "scores": [0.75] * objects, "classes": ["cell"] * objects}
    for part, start in enumerate(range(0, len(names), size)):
        records = ({"image": name, "width": 256, "height": 256} | content for name in names[start : start + size])
        text = "".join(json.dumps(record) + "\n" for record in records)
        (out / "parts" / f"part-{part:06d}.jsonl").write_text(text, encoding="utf-8")


def of_names(count: int, objects: int) -> dict[str, object]:
    """Listing and cutting so many names, and merging results that are made up."""
    with tempfile.TemporaryDirectory() as made:
        folder, names = Path(made), [name_of(number) for number in range(count)]
        (folder / name_of(0)).parent.mkdir()
        (folder / name_of(0)).touch()
        (folder / "names.txt").write_text("\n".join(f"{folder}/{name}" for name in names), encoding="utf-8")
        listing = measured(LISTING, folder / "names.txt", folder / "out")
        made_up(folder / "out", names, 2000, objects)
        merging = measured(MERGING, folder / "out")
    return {"names": count, "objects": count * objects, "listing and cutting": listing, "merging": merging}


def draw(folder: Path, count: int) -> None:
    """A bright disc on dark ground, everywhere another one."""
    folder.mkdir()
    rows, columns = np.mgrid[:SIDE, :SIDE]
    for number, (x, y) in enumerate(np.random.default_rng(0).uniform(DISC, SIDE - DISC, (count, 2)).tolist()):
        disc = (rows - y) ** 2 + (columns - x) ** 2 < DISC**2
        image = np.where(disc, 150, 20).astype(np.uint8)
        Image.fromarray(image).convert("RGB").save(folder / f"{number:05d}.png")


def images_a_second(detector: str, folder: Path, *words: str, threads: int) -> float:
    """Of a whole command: its start and the merging of its parts are in the time."""
    with tempfile.TemporaryDirectory() as made:
        command = [sys.executable, "-m", "pocketrcnn", "predict", detector, str(folder), "--device", "cpu"]
        begun = time.perf_counter()
        subprocess.run(
            [*command, "--out", f"{made}/out", "--part-size", "100", *words],
            check=True,
            stdout=subprocess.DEVNULL,
            env=os.environ | {"OMP_NUM_THREADS": str(threads)},
        )
        return round(len(os.listdir(folder)) / (time.perf_counter() - begun), 1)


def of_speed(detectors: list[str], count: int) -> dict[str, object]:
    """Images a second by each detector and each way."""
    ways: dict[str, tuple[int, tuple[str, ...]]] = {
        "1 process, 2 threads": (2, ()),
        "1 process, 1 thread": (1, ()),
        "2 processes, 1 thread": (1, ("--workers", "2")),
    }
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made, "images")
        draw(folder, count)
        return {
            Path(one).name: {
                way: images_a_second(one, folder, *words, threads=threads) for way, (threads, words) in ways.items()
            }
            for one in detectors
        }


def main() -> None:
    """Measure one or the other, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("names", "speed"))
    parser.add_argument("detectors", nargs="*")
    parser.add_argument("--count", type=int, default=1_000_000)
    parser.add_argument("--objects", type=int, default=5)
    parser.add_argument("--images", type=int, default=2_000)
    options = parser.parse_args()
    names = options.what == "names"
    print(
        json.dumps(of_names(options.count, options.objects) if names else of_speed(options.detectors, options.images))
    )


if __name__ == "__main__":
    main()
