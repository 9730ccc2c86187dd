"""`pocketrcnn.explain`. No torch when this is imported."""

from __future__ import annotations

import os
import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from ...errors import require
from ...terminal import say
from .telling import Place, path_of, told
from .training import require_page

if TYPE_CHECKING:
    from ..explain.asked import OpenDataset


def explain(
    run: Place,
    image: Place | int = 0,
    *,
    truth: bool = False,
    data: Place | None = None,
    out: Place | None = None,
    quiet: bool = False,
    dataset: OpenDataset | None = None,
) -> Path:
    """Write a page that shows one image on its way through a network, as `pocketrcnn explain` does; returns its path.

    run: a run, a set of runs, or the name of a detector inside the package. image: a file, a page of one
    (`cells.tif[3]`), or the number of a test image, 0 for the first. truth: look up the objects of a file in the
    annotations of the run's data, or of those at `data`; objects of a test image are known. out: the page; None:
    IMAGE-explained.html in the current folder. quiet: say nothing but warnings. dataset: opens the data of runs of
    `reproduce`, for their test images: `pocketrcnn.open_dataset`. Raises UserError for what is not there, and where the
    page cannot be written.
    """
    from ...report.html import write
    from ..detector import Detector
    from ..explain.asked import subject
    from ..explain.page import render
    from ..explain.trace import trace
    from ..run_set import best_run

    exported = Path(run).suffix.lower() == ".onnx"
    require(not exported, f"{run} has final boxes alone, and no stages: name the folder of the run that it is of")
    with told(quiet):
        best = best_run(Path(run), say)
        loaded = Detector.load(best, "cpu")
        classes = loaded.classes if loaded.model.head else ()
        asked = os.fspath(image) if not isinstance(image, int) else str(image)
        found = subject(best, asked, classes, truth=truth, data=path_of(data), open_dataset=dataset)
        page = path_of(out) or Path(f"{plain(found.name)}-explained.html")
        require_page(page)
        write(render(trace(loaded, found), best.absolute().name), page)
        say(f"explained: {page}")
        say(f"next: open {shlex.quote(str(page))} in a browser", wrap=False)
    return page


def plain(name: str) -> str:
    """The name of an image as the beginning of a file's name: `cells[3]`, `test-image-12`."""
    from ...data.images.page_names import stem

    return re.sub(r"\s+", "-", stem(Path(name))) or "image"
