"""`pocketrcnn predict`: what is in any number of images, as files, one batch after the other in little memory.

The folder: predictions.json (COCO's results, with the file's name), predictions.csv, pictures/ and crops/.
The results' `image_id` and `category_id` are the places of image and class, counted from 1, or those of a COCO file.
No torch here.
"""

from __future__ import annotations

import csv
import json
import os
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
from PIL import Image

from ..data.images.pixels import Pixels, read_image
from ..data.listing import RESULTS, TABLE, expand, holds_predictions
from ..data.overview import counted
from ..errors import UserError
from ..model.interchange import to_coco
from ..report.draw import PALETTE, Mark, draw_boxes
from ..terminal import say, tracked
from ..training.files import cannot_write, first_free, open_atomically
from ..training.signals import Interrupted, signals_noted
from .coco_ids import CocoIds
from .options import PredictOptions

PICTURES, CROPS = "pictures", "crops"
COLUMNS = ("image", "class", "score", "x1", "y1", "x2", "y2")

MOST_VALUES = 48_000_000  # in the images of a batch, three a pixel: of large images fewer enter a batch
PICTURE_SIDE = 512  # pixels: smaller images are enlarged to about that
FEW = 12  # detections in a picture that all get their label; among more, labels would hide the objects
LONGEST_NAME = 200  # bytes
ROOM = 90  # pixels of a picture: boxes of that width get their label in any case


class Predictor(Protocol):
    """What `Detector` is, with or without torch: the names of its labels, and a call that returns detections."""

    @property
    def classes(self) -> Sequence[str]:
        """Names of the labels."""

    @property
    def side(self) -> int:
        """Pixels of the square input, to which longer images are made smaller."""

    def __call__(self, images: list[Pixels], threshold: float | None, batch: int) -> Any: ...


@dataclass
class Summary:
    """What was done: images and detections written, images left out or made smaller for the network, and where."""

    folder: Path
    images: int = 0
    detections: int = 0
    skipped: int = 0
    smaller: int = 0


def named_images(patterns: Sequence[str]) -> list[Path]:
    """The image files that are meant. Of what a pattern finds, pictures of earlier predictions are left alone."""
    own: list[Path] = []

    def unwanted(path: Path) -> bool:
        if found := of_predictions(path):
            own.append(path)
        return found

    images = expand(patterns, unwanted)
    if own:
        say(f"{counted(len(own), 'picture')} of earlier predictions left alone")
    return images


def of_predictions(path: Path) -> bool:
    """Whether a file is a picture or a crop that stands beside the results of a `predict`."""
    place = path.absolute().parent
    if place.name != PICTURES:
        place = place.parent  # from the folder of a class to that of all crops
    return place.name in (PICTURES, CROPS) and holds_predictions(place.parent)


def predict(detector: Predictor, paths: Sequence[Path], options: PredictOptions) -> Summary:
    """Detect in each file and write the folder. An image that cannot be read is named on stderr and left out.

    So is one without an id in `options.ids`. Raises UserError when the folder holds something or cannot be written,
    and when that file is not COCO, lists none of the images or lacks a class; Interrupted after Ctrl-C or SIGTERM,
    when the results so far are written.
    """
    ids = CocoIds(options.ids, paths) if options.ids else None
    categories, side = ids.of_classes(detector.classes) if ids else None, detector.side
    with signals_noted() as signals, Output(new_folder(options.out), detector.classes, options) as output:
        for group in groups(readable(tracked(paths, "predict"), ids), options.batch):
            found = detector([one.image for one in group], options.threshold, options.batch)
            for i, one in enumerate(group):
                output.write(to_coco(found[i], [one.ident], categories), one.path)
                output.add(one.path, one.image, found[i])
                output.summary.smaller += max(one.image.shape) > side
            if signals:
                break
    done = output.summary
    if signals:
        raise Interrupted(f"after {done.images} of {len(paths)} images, whose results are in {done.folder}", signals[0])
    done.skipped = len(paths) - done.images
    return done


class Readable(NamedTuple):
    """An image with its file and its id in COCO's results."""

    ident: Any
    path: Path
    image: Pixels


def readable(paths: Iterable[Path], ids: CocoIds | None = None) -> Iterator[Readable]:
    """The images that can be read and have an id; without `ids`, that is their place, counted from 1."""
    for number, path in enumerate(paths, 1):
        try:
            found = Readable(ids.of_image(path) if ids else number, path, read_image(path))
        except UserError as error:
            with suppress(OSError):  # nobody listens any more
                print(f"left out: {error}", file=sys.stderr)
        else:
            yield found


def groups(images: Iterable[Readable], count: int) -> Iterator[list[Readable]]:
    """The images, at most `count` at a time, fewer where they are large."""
    group: list[Readable] = []
    for one in images:
        group.append(one)
        if len(group) == count or sum(other.image.size for other in group) >= MOST_VALUES:
            yield group
            group = []
    if group:
        yield group


def new_folder(out: Path | None) -> Path:
    """An empty folder. Raises UserError when there is something in it, or it cannot be made."""
    folder = out or first_free(Path("predictions"))
    if folder.is_file():
        raise UserError(f"{folder} is a file: name a new folder with --out")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        empty = not any(folder.iterdir())
    except OSError as error:
        raise UserError(f"{folder} cannot be made ({error.strerror}): choose another folder with --out") from error
    if not empty:
        raise UserError(f"{folder} is not empty: name an empty or a new folder with --out, nothing is overwritten")
    return folder


class Output:
    """The folder of predictions, to which one image is added after the other; nothing is kept in memory."""

    def __init__(self, folder: Path, classes: Sequence[str], options: PredictOptions) -> None:
        self.folder, self.classes, self.options = folder, classes, options
        self.summary, self.names, self.files = Summary(folder), dict[str, int](), ExitStack()

    def __enter__(self) -> Output:
        with ExitStack() as opened:
            self.results = opened.enter_context(open_atomically(self.folder / RESULTS, "w"))
            self.table = opened.enter_context(open_atomically(self.folder / TABLE, "w"))
            self.rows = csv.writer(self.table)
            self.rows.writerow(COLUMNS)
            self.results.write("[")
            self.files = opened.pop_all()
        return self

    def __exit__(self, *error: Any) -> None:
        if error[0] is None:
            self.results.write("\n]\n")
        self.files.__exit__(*error)

    def write(self, records: list[dict[str, Any]], path: Path) -> None:
        """COCO's results of one image, with the name of its file."""
        for record in records:
            line = json.dumps({**record, "file_name": str(path)})
            self.results.write(f"{',' if self.summary.detections else ''}\n{line}")
            self.summary.detections += 1

    def add(self, path: Path, image: Pixels, found: Any) -> None:
        """An image and its detections, in its pixels."""
        for box, score, name in self.named(found):
            self.rows.writerow([path, name, f"{score:.4f}", *(f"{side:.2f}" for side in box)])
        self.summary.images += 1
        self.draw(path, image, found)

    def named(self, found: Any) -> list[tuple[list[float], float, str]]:
        """Boxes, scores and class names of an image."""
        columns = found.boxes.tolist(), found.scores.tolist(), found.labels.tolist()
        return [(box, score, self.classes[label]) for box, score, label in zip(*columns, strict=True)]

    def draw(self, path: Path, image: Pixels, found: Any) -> None:
        """The image with its boxes, and its objects cut out, as far as they are asked for."""
        name = self.unused(path.stem)
        if self.options.pictures:
            self.save(self.folder / PICTURES / f"{name}.png", picture(image, found, self.classes))
        if self.options.save_crops:
            for i, (box, _, label) in enumerate(self.named(found), 1):
                self.save(self.folder / CROPS / as_folder(label) / f"{name}-{i}.png", crop(image, box))

    def unused(self, name: str) -> str:
        """The name, or NAME-2, .. where images of other folders or formats have it, be it in other capitals."""
        name = shortened(name)
        key, number = name.casefold(), 0
        while key in self.names:
            number = self.names[key] = self.names[key] + 1
            key = f"{name}-{number}".casefold()
        self.names[key] = 1
        return f"{name}-{number}" if number else name

    def save(self, path: Path, pixels: Pixels) -> None:
        """A picture as a PNG."""
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels).save(path, compress_level=1)
        except OSError as error:
            raise cannot_write(path, error) from error


def as_folder(label: str) -> str:
    """The name of a class without what no folder may have in its name on any system."""
    return re.sub(r'[<>:"/\\|?*\x00-\x1f]', "_", shortened(label)).strip(". ") or "_"


def shortened(name: str) -> str:
    """A name that leaves room for a number and an ending among the 255 bytes that systems allow."""
    return os.fsencode(name)[:LONGEST_NAME].decode("utf-8", "ignore") if len(os.fsencode(name)) > LONGEST_NAME else name


def crop(image: Pixels, box: Sequence[float]) -> Pixels:
    """The pixels [h,w,3] that a box touches, at least one."""
    height, width = image.shape[:2]
    x1, y1 = min(int(box[0]), width - 1), min(int(box[1]), height - 1)
    x2, y2 = (max(start + 1, int(np.ceil(stop))) for start, stop in zip((x1, y1), box[2:], strict=True))
    return np.ascontiguousarray(image[y1:y2, x1:x2])


def picture(image: Pixels, found: Any, classes: Sequence[str]) -> Pixels:
    """An image with its boxes in the colours of their classes; small ones are enlarged, pixel by pixel.

    Labels stand where they hide nothing: in pictures of few objects, and at large ones.
    """
    longest = max(image.shape[:2])
    scale = max(1, round(PICTURE_SIDE / longest))
    columns = found.boxes.tolist(), found.scores.tolist(), found.labels.tolist()
    marks = []
    for box, score, label in reversed(list(zip(*columns, strict=True))):  # the best on top
        mark = Mark(box, classes[label], score, PALETTE[label % len(PALETTE)])
        roomy = len(found.labels) <= FEW or (box[2] - box[0]) * scale >= ROOM
        marks.append(mark if roomy else replace(mark, label="", score=None))
    return draw_boxes(image, marks, scale, max(1, longest * scale // 400), max(11, longest * scale // 50))
