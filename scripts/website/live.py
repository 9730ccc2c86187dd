"""Live demonstrations: images explained, and the built-in detector as a page that runs in the reader's browser.

Everything is computed from what is in the package, when the site is made; no run is needed.
"""

from __future__ import annotations

import base64
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from pocketrcnn import explain
from pocketrcnn.custom.builtin import NAMES, examples_of
from pocketrcnn.custom.detector import Detector
from pocketrcnn.custom.onnx.export import verified
from pocketrcnn.custom.page.engine import engine_files, wanted
from pocketrcnn.custom.page.examples import png_of
from pocketrcnn.custom.page.export import page
from pocketrcnn.data.images.letterbox import letterbox
from pocketrcnn.data.images.pixels import Pixels, read_image

FOLDER = "live"
START = f"{FOLDER}/index.md"
"""The page that leads to all of them."""
NAME = NAMES[0]
INTRODUCTION = """# Live demonstrations

Made from what is inside the package, when this site was made. Each page is one file: it works without a network, and
you can save it and send it.
"""
EXPLAINED = """
## What happens inside the network

{links}. Every stage of the detector for one image, from pixels to boxes: features, anchors, objectness, proposals
before and after suppression, regions, classes, corrections, detections. Sliders change the thresholds, and the page
computes again what stays. `pocketrcnn explain RUN IMAGE` makes such a page
([docs/usage.md](../docs/usage.md#one-image-explained)).
"""
DETECTOR = """
## A detector in your browser

[**Open the detector of nuclei**](detector.html). Drop an image of nuclei on it, or take one of its examples. The
network runs on your machine, in ONNX Runtime for browsers; no image leaves it. `pocketrcnn export RUN --page` makes
such a page of your own detector: [docs/page.md](../docs/page.md).
"""
WITHOUT = """
## A detector in your browser

This copy of the site was made without ONNX Runtime for browsers, so the page that runs a detector is not in it.
`pocketrcnn download onnxruntime-web`, then `make site`, makes it; [docs/page.md](../docs/page.md) describes it.
"""


def live_pages() -> dict[str, str | bytes]:
    """The pages by their path in the working copy, and one that leads to them."""
    explained = explained_pages()
    named = [f"[**{Path(path).stem.removeprefix('explained-')}**]({Path(path).name})" for path in explained]
    detector = detector_pages()
    text = INTRODUCTION + EXPLAINED.format(links=", ".join(named)) + (DETECTOR if detector else WITHOUT)
    return explained | detector | {START: text}


def detector_pages() -> dict[str, str | bytes]:
    """The page that runs the detector; none where ONNX Runtime for browsers is not in the cache."""
    if wanted().faults():
        print("ONNX Runtime for browsers is not in the cache: the site gets no page that runs a detector")
        return {}
    return {f"{FOLDER}/detector.html": detector_page()}


def explained_pages() -> dict[str, str | bytes]:
    """What `explain` writes of each example image of the detector inside the package."""
    made: dict[str, str | bytes] = {}
    with tempfile.TemporaryDirectory() as folder:
        for path in examples_of(NAME):
            written = explain(NAME, path, out=Path(folder) / "page.html", quiet=True)
            made[f"{FOLDER}/explained-{path.stem}.html"] = written.read_bytes()
    return made


def detector_page() -> str:
    """What `export --page` makes of a run, made of the detector inside the package."""
    detector = Detector.load(NAME, "cpu")
    content = verified(detector, inputs, Path(NAME))
    return page(content, engine_files(), NAME, list(examples(detector.side)))


def inputs(side: int) -> tuple[Pixels, str]:
    """The example images as inputs, uint8 [B,side,side,3], to compare the exported file with torch on."""
    read = [letterbox(read_image(path), side)[0] for path in examples_of(NAME)]
    return np.stack(read), "examples inside the package"


def examples(side: int) -> Iterator[dict[str, Any]]:
    """The example images as the page takes them."""
    for path in examples_of(NAME):
        content = png_of(read_image(path), side, 0)
        yield {"name": path.name, "content": base64.b64encode(content).decode()}
