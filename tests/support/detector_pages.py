"""A page of `export --page` in Chromium: an engine in place of ONNX Runtime, and what people do on the page."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pocketrcnn.config import Pages
from pocketrcnn.data.images.pixels import Pixels
from pocketrcnn.model.interchange import Detections

SIDE, CLASSES, THRESHOLD = 64, ["cat", "=dog"], 0.5
FAKE = """
export const env = { wasm: {} };
export class Tensor { constructor(type, data, dims) { Object.assign(this, { type, data, dims }); } }
export const InferenceSession = { create: async () => ({ run }) };
const columns = (side) => (i) => i % side, rows = (side) => (i) => Math.floor(i / side);
async function run({ images: { data, dims: [, side] } }) {
  const bright = [...Array(side * side).keys()].filter((i) => data[3 * i] > 200);
  const places = [bright.map(columns(side)), bright.map(rows(side))];
  const [x1, y1, x2, y2] = [...places.map((v) => Math.min(...v)), ...places.map((v) => Math.max(...v) + 1)];
  const found = bright.length ? [x1, y1, x2, y2, x1, y1, (x1 + x2) / 2, y2, 0, 0, 0, 0] : Array(12).fill(0);
  const labels = (bright.length ? [1, 0, -1] : [-1, -1, -1]).map(BigInt);
  const scores = { data: Float32Array.of(0.75, 0.25, 0) };
  return { boxes: { data: Float32Array.from(found) }, scores, labels: { data: labels } };
}
"""
READY = "return document.body.dataset.ready ?? 0"
STATE = "return document.getElementById('state').textContent"
DONE = "return pocketrcnn.results.length + pocketrcnn.refused.length"
FOUND = "return pocketrcnn.results.map(({ name, found }) => [name, found])"


@dataclass
class Bright:
    """A detector as `custom.detection.detect` takes it, which finds what the lines above find."""

    overlap: int = 0
    pages: Pages = "first"
    classes: tuple[str, ...] = tuple(CLASSES)
    threshold: float = THRESHOLD
    side: int = SIDE

    def network(self, inputs: Pixels) -> Detections:
        """Inputs uint8 [B,S,S,3] to two detections each."""
        return bright(inputs)


def bright(inputs: Pixels) -> Detections:
    """What the lines above find."""
    boxes, scores, labels = (
        np.zeros((len(inputs), 2, 4), np.float32),
        np.zeros((len(inputs), 2)),
        np.full((len(inputs), 2), -1),
    )
    for i, image in enumerate(inputs):
        y, x = np.nonzero(image[..., 0] > 200)
        if len(x):
            left, top, right, bottom = x.min(), y.min(), x.max() + 1, y.max() + 1
            boxes[i] = [[left, top, right, bottom], [left, top, (left + right) / 2, bottom]]
            scores[i], labels[i] = [0.75, 0.25], [1, 0]
    return Detections(boxes, scores.astype(np.float32), labels)


def wait_for(browser: Any, script: str, least: int = 1) -> Any:
    """The value of a script, once it is a number so large."""
    until = time.monotonic() + 60
    while (value := int(browser.execute_script(script))) < least:
        assert time.monotonic() < until, browser.execute_script(STATE)
        time.sleep(0.02)
    return value


def give(browser: Any, *paths: Path) -> None:
    """Choose files in the dialog of the page, and wait until all are done."""
    before = browser.execute_script(DONE)
    browser.find_element("id", "files").send_keys("\n".join(map(str, paths)))
    wait_for(browser, DONE, before + len(paths))
    wait_for(browser, "return Number(document.getElementById('progress').hidden)")


def click(browser: Any, name: str) -> None:
    browser.execute_script("document.getElementById(arguments[0]).click()", name)


def offered(browser: Any, button: str, path: Path) -> bytes:
    """The file that a button offers."""
    allowed = {"behavior": "allow", "downloadPath": str(path.parent)}
    browser.execute_cdp_cmd("Browser.setDownloadBehavior", allowed)
    click(browser, button)
    until = time.monotonic() + 20
    while not path.exists():
        assert time.monotonic() < until, browser.execute_script(STATE)
        time.sleep(0.02)
    return path.read_bytes()


def assert_same(browser: Any, paths: list[Path], theirs: list[Detections], most: float) -> None:
    """The page found what `predict` finds: the same labels, boxes within so many pixels."""
    found = browser.execute_script(FOUND)
    assert [name for name, _ in found] == [path.name for path in paths]
    for (_, ours), one in zip(found, theirs, strict=True):
        assert [each["label"] for each in ours] == one.labels.tolist()
        boxes = np.array([each["box"] for each in ours]).reshape(-1, 4)
        assert np.abs(boxes - one.boxes).max(initial=0) <= most
        assert np.abs(np.array([each["score"] for each in ours]) - one.scores).max(initial=0) <= 1e-4
