"""What `predict` in parts takes: a million names, images a second, and 100,000 images with 20 kills on the way.

    python scripts/parts.py names [--count 1000000] [--objects 5]
    python scripts/parts.py speed RUN MODEL.onnx [--images 2000] [--rounds 3]
    python scripts/parts.py kills MODEL.onnx [--images 100000] [--kills 20] [--workers 0] [--folder FOLDER]

`names` makes up that many names and results: none of the images is there, but for the first. Each step is a process of
its own. `speed` predicts by one process of two threads, one of one, and two of one, with each detector, in turns; where
Ray is installed, also by two of its workers, which begin and end a cluster, and whose processors are not counted.
`kills` predicts once undisturbed, whose memory is told at each tenth of the parts, and once with so many `kill -9` at
random moments; the two folders have to be the same, byte for byte. Images are scenes of 48 pixels from the sample:
those of FOLDER, or made in a temporary folder that goes away again. Prints JSON. Linux.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from hashlib import sha256
from importlib.util import find_spec
from itertools import product
from pathlib import Path
from typing import NamedTuple

import numpy as np

PLATE = 384  # wells, images of a plate
LISTING = """
import sys
from pathlib import Path
from pocketrcnn.custom.parts.names import Images
from pocketrcnn.custom.parts.plan import agreed, planned
from pocketrcnn.custom.predict import listed_images
images = Images.of(listed_images(Path(sys.argv[1])))
facts = dict(detector="", fingerprint="", classes=["cell"], side=256, overlap=0, threshold=0.5, pages="first", batch=4)
facts |= dict(pixel_size=None, pictures=False, save_crops=False, part_size=2000, part_format="jsonl")
plan = agreed(Path(sys.argv[2]), planned(**facts, images=len(images.names), names=images.sha256), sized=True)
print(plan.parts, len(images.names[plan.images_of(plan.parts - 1)]))
"""
MERGING = "import sys; from pocketrcnn.cli.main import main; sys.exit(main(['merge', sys.argv[1]]))"
USED = """
import resource, sys
used = resource.getrusage(resource.RUSAGE_SELF)
print(used.ru_utime + used.ru_stime, used.ru_maxrss, file=sys.stderr)
"""
RAY = """
import sys
from pocketrcnn import scale
scale.predict(sys.argv[2], sys.argv[1], workers=2).write_parquet(sys.argv[3])
"""
TICK = 0.2  # seconds from one look at a process to the next


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


@contextmanager
def scenes(count: int, given: Path | None = None) -> Iterator[Path]:
    """A folder with so many images, and whatever else; a temporary one where none is given."""
    if given:
        yield given
        return
    with tempfile.TemporaryDirectory() as made:
        words = ("--objects", "0-3", "--side", "48", "--data", "sample", "--images", str(count))
        command = [sys.executable, "-m", "pocketrcnn", "scenes", f"{made}/scenes", *words]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        yield Path(made, "scenes", "train")


class Time(NamedTuple):
    """Of a command with its start and the merging of its parts: seconds of a clock, and of a processor."""

    wall: float
    processor: float


def now() -> Time:
    """Since some moment: of processes that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return Time(time.perf_counter(), used.ru_utime + used.ru_stime)


def since(begun: Time) -> Time:
    """What was used from then on."""
    return Time(*(after - before for after, before in zip(now(), begun, strict=True)))


def started(
    detector: str, folder: Path, out: Path, workers: int, *, threads: int = 1, size: int = 2000
) -> subprocess.Popen[bytes]:
    """`predict` in parts of `size` images."""
    words = ["--part-size", str(size), *(["--workers", str(workers)] if workers else [])]
    command = [sys.executable, "-m", "pocketrcnn", "predict", detector, str(folder), "--device", "cpu"]
    environment = os.environ | {"OMP_NUM_THREADS": str(threads)}
    return subprocess.Popen([*command, "--out", str(out), *words], stdout=subprocess.DEVNULL, env=environment)


def started_on_ray(detector: str, folder: Path, out: Path) -> subprocess.Popen[bytes]:
    """The same images by Ray Data."""
    command = [sys.executable, "-c", RAY, detector, str(folder), str(out)]
    environment = os.environ | {"RAY_USAGE_STATS_ENABLED": "0"}
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment)


def of_speed(detectors: list[str], count: int, rounds: int) -> dict[str, object]:
    """Images a second, and milliseconds of a processor an image, by each detector and each way."""
    ways: dict[str, Callable[[str, Path, Path], subprocess.Popen[bytes]]] = {
        "1 process, 2 threads": partial(started, workers=0, threads=2, size=100),
        "1 process, 1 thread": partial(started, workers=0, threads=1, size=100),
        "2 processes, 1 thread": partial(started, workers=2, threads=1, size=100),
    } | ({"Ray, 2 workers": started_on_ray} if find_spec("ray") else {})
    times: dict[str, list[Time]] = {f"{Path(one).name}, {way}": [] for one in detectors for way in ways}
    with scenes(count) as folder:
        for _, one, way in product(range(rounds), detectors, ways):
            with tempfile.TemporaryDirectory() as made:
                begun = now()
                require_ended(ways[way](one, folder, Path(made, "out")))
                times[f"{Path(one).name}, {way}"].append(since(begun))
    return {name: in_numbers(all_rounds, count) for name, all_rounds in times.items()}


def in_numbers(times: list[Time], images: int) -> dict[str, object]:
    """Each round, and the processor's time in the middle."""
    each = [round(images / one.wall, 1) for one in times]
    return {
        "images_a_second": each,
        "processor_ms_an_image": round(1000 * statistics.median(one.processor for one in times) / images, 2),
    }


def require_ended(process: subprocess.Popen[bytes]) -> None:
    """Wait for a command that has to succeed."""
    if code := process.wait():
        raise subprocess.CalledProcessError(code, process.args)


def of_kills(detector: str, given: Path | None, count: int, kills: int, workers: int) -> dict[str, object]:
    """The same images undisturbed, and with kills on the way."""
    with scenes(count, given) as folder, tempfile.TemporaryDirectory() as made:
        begun, alone, killed = now(), Path(made, "alone"), Path(made, "killed")
        memory = watched(started(detector, folder, alone, workers), alone)
        used, parts = since(begun), parts_in(alone)
        images = json.loads((alone / "plan.json").read_text())["images"]
        done = chain(lambda: started(detector, folder, killed, workers), killed, kills, parts, used.wall / parts)
        return {
            "images": images,
            "parts": parts,
            "workers": workers,
            "undisturbed": in_numbers([used], images),
            "peak_memory_mb_by_tenths_of_the_parts": memory,
            "kills": done,
            "the_same_bytes": contents(alone) == contents(killed),
            "files": len(contents(alone)),
        }


def watched(process: subprocess.Popen[bytes], out: Path) -> list[float]:
    """The peak memory of a command and its workers in MB, at each tenth of the parts, and at last while merging."""
    seen: list[tuple[int, float]] = []
    while process.poll() is None:
        seen.append((parts_in(out), memory_of(process.pid)))
        time.sleep(TICK)
    require_ended(process)
    parts = parts_in(out)
    return [max((mb for there, mb in seen if 10 * there // parts == tenth), default=0.0) for tenth in range(11)]


def parts_in(out: Path) -> int:
    """How many parts are there."""
    folder = out / "parts"
    return sum(not name.startswith(".") for name in os.listdir(folder)) if folder.is_dir() else 0


def memory_of(process: int) -> float:
    """MB that a process and its children have resident; what they share counts in each."""
    try:
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
        children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    except OSError:  # it has ended
        return 0.0
    own = sum(int(line.split()[1]) for line in lines if line.startswith("VmRSS:")) / 1024
    return round(own + sum(memory_of(int(child)) for child in children), 1)


def chain(start: Callable[[], subprocess.Popen[bytes]], out: Path, kills: int, parts: int, seconds: float) -> int:
    """Kill a command so many times, between the first part and the last, then let it end. seconds: a part takes.
    Returns how many times it was killed."""
    moments, done = random.Random(0), 0
    for there in sorted(moments.choices(range(parts), k=kills)):
        process = start()
        while parts_in(out) < there and process.poll() is None:
            time.sleep(TICK)
        time.sleep(moments.uniform(0, 2 * seconds))
        process.kill()
        done += process.wait() < 0
    while not (out / "predictions.json").is_file():  # workers of a killed one may hold a part for a moment
        require_ended(start())
    return done


def contents(folder: Path) -> dict[str, str]:
    """A hash of each file."""
    paths = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {path.relative_to(folder).as_posix(): sha256(path.read_bytes()).hexdigest() for path in paths}


def main() -> None:
    """Measure one of the three, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("names", "speed", "kills"))
    parser.add_argument("detectors", nargs="*")
    parser.add_argument("--count", type=int, default=1_000_000)
    parser.add_argument("--objects", type=int, default=5)
    parser.add_argument("--images", type=int)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--workers", type=int, default=0)
    parser.add_argument("--folder", type=Path)
    given = parser.parse_args()
    if given.what == "names":
        found = of_names(given.count, given.objects)
    elif given.what == "speed":
        found = of_speed(given.detectors, given.images or 2_000, given.rounds)
    else:
        found = of_kills(given.detectors[0], given.folder, given.images or 100_000, given.kills, given.workers)
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
