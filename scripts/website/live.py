"""Live demonstrations: the built-in detector as a page that runs in the reader's browser.

Everything is computed from what is in the package, when the site is made; no run is needed.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from pocketrcnn.custom.builtin import NAMES, examples_of
from pocketrcnn.custom.detector import Detector
from pocketrcnn.custom.onnx.export import verified
from pocketrcnn.custom.page.engine import engine_files, wanted
from pocketrcnn.custom.page.examples import png_of
from pocketrcnn.custom.page.export import page
from pocketrcnn.data.images.letterbox import letterbox
from pocketrcnn.data.images.pixels import Pixels, read_image

FOLDER = "live"
NAME = NAMES[0]
INTRODUCTION = """# Live demonstrations

Made from what is inside the package, when this site was made. Each page is one file: it works without a network, and
you can save it and send it.
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
    made: dict[str, str | bytes] = {}
    text = INTRODUCTION
    if wanted().faults():
        print("ONNX Runtime for browsers is not in the cache: the site gets no page that runs a detector")
        text += WITHOUT
    else:
        made[f"{FOLDER}/detector.html"] = detector_page()
        text += DETECTOR
    return made | {f"{FOLDER}/index.md": text}


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


def menu(pages: dict[str, str | bytes]) -> list[str]:
    """The demonstrations in the menu: the page that leads to them."""
    return [path for path in pages if path == f"{FOLDER}/index.md"]
