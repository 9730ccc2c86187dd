"""What `predict` writes of detections: predictions.json, predictions.csv and counts.csv, image by image. No torch here.

Columns of predictions.csv, one row an object, and of counts.csv, one row an image; all in pixels of the image. With the
size of a pixel, those in micrometres stand behind them (`docs/predictions.md` says what each is).
"""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any

from ..data.cells import protected
from ..data.files import open_atomically
from ..data.listing import COUNTS, RESULTS, TABLE
from ..model.interchange import Detections, coco_record
from .counts import Counts, count

OBJECT = ("image", "class", "score", "x1", "y1", "x2", "y2", "centre_x", "centre_y", "box_width", "box_height")
OBJECT_UM = ("centre_x_um", "centre_y_um", "box_width_um", "box_height_um")
IMAGE, OF_CLASS = ("image", "width", "height", "objects"), "objects {}"  # then a column a class
SIZES = ("mean_side", "median_side", "covered")
SIZES_UM = ("mean_side_um", "median_side_um", "covered_um2")


class ResultFiles:
    """The files, to which one image is added after the other; only totals are kept in memory.

    by_class: objects of each class so far. pixel_size: micrometres a pixel, if they are known.
    """

    def __init__(
        self, results: IO[str], table: IO[str], counts: IO[str], classes: Sequence[str], pixel_size: float | None
    ) -> None:
        self.results, self.classes, self.pixel_size = results, classes, pixel_size
        self.objects, self.images = csv.writer(table), csv.writer(counts)
        self.by_class: Counter[str] = Counter()
        in_um = pixel_size is not None
        self.objects.writerow([*OBJECT, *(OBJECT_UM if in_um else ())])
        self.images.writerow([*IMAGE, *map(OF_CLASS.format, classes), *SIZES, *(SIZES_UM if in_um else ())])
        results.write("[")

    @property
    def detections(self) -> int:
        """Objects of all classes so far."""
        return self.by_class.total()

    def add(
        self, name: str, size: tuple[int, int], detections: Detections, ident: Any, categories: Sequence[Any]
    ) -> None:
        """The detections of an image of (width, height), in its pixels. ident, categories: the ids for COCO results."""
        for box, score, label in detections.rows():
            record = coco_record(ident, categories[label], box, score) | {"file_name": name}
            self.results.write(f"{',' if self.detections else ''}\n{json.dumps(record)}")
            self.objects.writerow(self.row_of_object(name, box, score, label))
            self.by_class[self.classes[label]] += 1
        found = count(detections.boxes, detections.labels, self.classes)
        self.images.writerow(self.row_of_image(name, size, found))

    def row_of_object(self, name: str, box: Sequence[float], score: float, label: int) -> list[str]:
        """The cells of OBJECT, and of OBJECT_UM."""
        x1, y1, x2, y2 = box
        placed = ((x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1)
        cells = [protected(name), protected(self.classes[label]), f"{score:.4f}"]
        return [
            *cells,
            *map(pixels, (*box, *placed)),
            *(self.micrometres(value) for value in placed if self.pixel_size),
        ]

    def row_of_image(self, name: str, size: tuple[int, int], found: Counts) -> list[Any]:
        """The cells of an image."""
        sides, (width, height) = (found.mean_side, found.median_side), size
        cells = [protected(name), width, height, found.objects, *found.by_class.values()]
        cells += [*map(pixels, sides), f"{found.covered / (width * height):.4f}"]
        return cells + ([*map(self.micrometres, sides), self.micrometres(found.covered, 2)] if self.pixel_size else [])

    def micrometres(self, value: float | None, power: int = 1) -> str:
        """A length, or an area in square pixels, as a cell; empty for None."""
        assert self.pixel_size is not None
        return "" if value is None else f"{value * self.pixel_size**power:.6g}"


def pixels(value: float | None) -> str:
    """A length in pixels as a cell; empty for None."""
    return "" if value is None else f"{value:.2f}"


@contextmanager
def result_files(folder: Path, classes: Sequence[str], pixel_size: float | None) -> Iterator[ResultFiles]:
    """The files of a folder, which are there when the block ends without an error. Raises UserError where they cannot
    be written."""
    with ExitStack() as files:
        opened = [files.enter_context(open_atomically(folder / name, "w")) for name in (RESULTS, TABLE, COUNTS)]
        made = ResultFiles(opened[0], opened[1], opened[2], classes, pixel_size)
        yield made
        made.results.write("\n]\n")
