"""How far a page of `export --page` agrees with `predict`: images dropped on it in Chromium, from the disk.

`python scripts/page_parity.py PAGE.html RUN IMAGES...` prints the detections that are the same, the largest
differences of boxes and scores, whether the counts are those of counts.csv, and times. IMAGES: files and folders.
It needs Chromium, its driver and selenium.
"""

import argparse
import json
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from pocketrcnn.custom.detector import Detector
from pocketrcnn.custom.onnx.parity import Agreement
from pocketrcnn.custom.options import PredictOptions
from pocketrcnn.custom.predict import predict
from pocketrcnn.data.images.pixels import read_image
from pocketrcnn.data.listing import COUNTS, expand
from pocketrcnn.model.interchange import Detections

FLAGS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking")
PATIENCE = 600.0  # seconds
LEAST = 0.01  # score from which on detections are compared
READY = "return Number(document.body.dataset.ready || 0)"
STATE = "return document.getElementById('state').textContent"
DONE = "return pocketrcnn.busy ? 0 : pocketrcnn.results.length + pocketrcnn.refused.length"
RESULTS = "return pocketrcnn.results.map(({ name, found, milliseconds }) => ({ name, found, milliseconds }))"
TABLE = "return csv(rowsOfImages(pocketrcnn.results, pocketrcnn.choice, detector.classes))"


@contextmanager
def chromium(downloads: Path) -> Iterator[Any]:
    """A browser without a window, which puts what it downloads into a folder."""
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = str(shutil.which("chromium"))
    for flag in FLAGS:
        options.add_argument(flag)
    options.add_experimental_option("prefs", {"download.default_directory": str(downloads)})
    driver = webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))
    try:
        yield driver
    finally:
        driver.quit()


def wait_for(browser: Any, script: str, least: int) -> int:
    """The value of a script, once it is large enough."""
    until = time.monotonic() + PATIENCE
    while (value := browser.execute_script(script)) < least:
        if time.monotonic() > until:
            raise SystemExit(f"the page says: {browser.execute_script(STATE)}")
        time.sleep(0.05)
    return int(value)


def computed_by_page(page: Path, images: Sequence[Path]) -> tuple[int, list[dict[str, Any]], str]:
    """Milliseconds until the page was ready, what it found in each image, and its counts.csv."""
    with tempfile.TemporaryDirectory() as folder, chromium(Path(folder)) as browser:
        browser.get(page.absolute().as_uri())
        ready = wait_for(browser, READY, 1)
        browser.find_element("id", "files").send_keys("\n".join(str(path.absolute()) for path in images))
        wait_for(browser, DONE, len(images))
        found = browser.execute_script(RESULTS)
        browser.find_element("id", "counts").click()
        table = Path(folder) / COUNTS
        until = time.monotonic() + 10
        while not table.exists() and time.monotonic() < until:
            time.sleep(0.05)
        return ready, found, table.read_text(encoding="utf-8")


def as_detections(found: Sequence[dict[str, Any]]) -> Detections:
    """What the page found in an image."""
    boxes = np.array([one["box"] for one in found], np.float32).reshape(-1, 4)
    scores = np.array([one["score"] for one in found], np.float32)
    return Detections(boxes, scores, np.array([one["label"] for one in found], np.int64))


def counts_of_predict(run: Path, images: Sequence[Path]) -> list[str]:
    """The lines of counts.csv, with the last name of each file alone."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out"
        predict(Detector.load(run, "cpu"), images, PredictOptions(out=out, pictures=False))
        lines = (out / COUNTS).read_text(encoding="utf-8").splitlines()
    return [line.replace(f"{path}", path.name, 1) for line, path in zip(lines, (Path("-"), *images), strict=True)]


def main() -> None:
    """Print the comparison; exit code 1 where the page differs."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("page", type=Path)
    parser.add_argument("run", type=Path)
    parser.add_argument("images", nargs="+")
    words = parser.parse_args()
    images = sorted(map(Path, expand(words.images)), key=lambda path: path.name)
    ready, found, table = computed_by_page(words.page, images)
    detector, agreement = Detector.load(words.run, "cpu"), Agreement()
    for path, result in zip(images, found, strict=True):
        assert path.name == result["name"]
        agreement.add(detector(read_image(path), LEAST)[0].numpy(), as_detections(result["found"]))
    times = sorted(result["milliseconds"] for result in found)
    agreement.milliseconds = statistics.median(times), 0.0
    lines, theirs = counts_of_predict(words.run, images), table.splitlines()
    same = sum(one == other for one, other in zip(lines, theirs, strict=True))
    summary = {
        "images": len(images),
        "detections": agreement.total,
        "same": agreement.same,
        "largest difference of boxes, px": float(agreement.box),
        "largest difference of scores": float(agreement.score),
        "lines of counts.csv": len(lines),
        "same lines": same,
        "page, MB": round(words.page.stat().st_size / 1e6, 2),
        "ready, ms": ready,
        "ms an image, median": round(statistics.median(times), 1),
        "ms an image, largest": round(times[-1], 1),
    }
    print(json.dumps(summary, indent=1))
    sys.exit(agreement.same < agreement.total or same < len(lines))


if __name__ == "__main__":
    main()
