"""Boxes for lesson 7: ground truth and what the detector `nuclei` finds in its test images, as two tables.

`python scripts/lesson_nuclei.py NUCLEI` reads the test images in the folder of the data (334 microscope images of the
2018 Data Science Bowl, CC0; docs/results.md says which) and writes `lessons/07/truth.csv` and `detections.csv`: a line
a box, with the number of its image, its corners in pixels and, for detections, its score. Images 0 and 1 are the
examples inside the package.
"""

import sys
from pathlib import Path

import numpy as np

import pocketrcnn
from pocketrcnn.config import DataConfig
from pocketrcnn.custom.builtin import examples_of
from pocketrcnn.data.annotations import Example
from pocketrcnn.data.custom_data import inspected
from pocketrcnn.data.files import write_atomically
from pocketrcnn.data.images.pixels import read_image

NAME = "nuclei"
OUT = Path(__file__).parents[1] / "lessons" / "07"
LOWEST = 0.01  # score: that of `model.min_score`, so that all of the precision-recall curve is there


def main(data: Path) -> None:
    """Write both tables."""
    examples = in_order(inspected(DataConfig(str(data), "folder")).clean.split("test"))
    truth = [(image, *obj.box) for image, example in enumerate(examples) for obj in example.objects]
    detector = pocketrcnn.Detector.load(NAME, "cpu")
    found = detector.stream([example.path for example in examples], threshold=LOWEST)
    rows = [
        (image, *box, score)
        for image, one in enumerate(found)
        for box, score in zip(one.boxes.tolist(), one.scores.tolist(), strict=True)
    ]
    table("truth", "image,x1,y1,x2,y2", ["{:d},{:g},{:g},{:g},{:g}".format(*row) for row in truth])
    lines = ["{:d},{:.4f},{:.4f},{:.4f},{:.4f},{:.5f}".format(*row) for row in rows]
    table("detections", "image,x1,y1,x2,y2,score", lines)


def in_order(examples: tuple[Example, ...]) -> list[Example]:
    """The test images with the examples inside the package first, which have other names there."""
    pixels = {example: read_image(example.path) for example in examples}
    shown = [read_image(path) for path in examples_of(NAME)]
    first = [next(one for one, image in pixels.items() if np.array_equal(image, example)) for example in shown]
    return [*first, *(one for one in examples if one not in first)]


def table(name: str, head: str, lines: list[str]) -> None:
    """Write one table."""
    write_atomically(OUT / f"{name}.csv", "\n".join([head, *lines, ""]).encode())
    print(f"{OUT / name}.csv: {len(lines):,} boxes")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
