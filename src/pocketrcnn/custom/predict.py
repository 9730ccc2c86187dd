"""`pocketrcnn predict`: detections in any number of images, as files, one batch after the other in little memory.

The folder: predictions.json (COCO results, with the file's name), predictions.csv, counts.csv, pictures/ and crops/.
The results' `image_id` and `category_id` are the numbers of image and class, counted from 1, or those of a COCO file.
No torch here.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np
from PIL import Image

from ..config import Pages
from ..data.files import LOCK, first_free, is_unfinished, locked, write_errors
from ..data.images.foreign import passed_over
from ..data.images.notes import Counted, Note
from ..data.images.opening import pages_of
from ..data.images.page_names import stem
from ..data.images.pixels import Pixels, read_picture
from ..data.listing import expand, holds_predictions
from ..data.overview import counted
from ..errors import UserError
from ..model.interchange import Detections
from ..terminal import say, tracked, warn
from ..training.signals import Interrupted, ended_by_signals, signals_noted
from .detection import Described
from .draw import Row, picture
from .options import PredictOptions
from .result_files import ResultFiles, result_files

if TYPE_CHECKING:
    from .coco_ids import CocoIds

PICTURES, CROPS = "pictures", "crops"

MAX_VALUES = 48_000_000  # in the images of a batch, three a pixel: of large images fewer enter a batch
LONGEST_NAME = 200  # bytes


class Predictor(Described, Protocol):
    """A `Detector`, with or without torch: a call returns detections."""

    def __call__(self, images: list[Pixels], threshold: float | None, batch: int) -> Detections: ...


def named_images(patterns: Sequence[str]) -> list[Path]:
    """The image files of files, folders and patterns. Pictures of earlier predictions are skipped in the last two,
    and files that are not read are named."""
    skipped: list[Path] = []
    foreign: list[Path] = []

    def unwanted(path: Path) -> bool:
        if earlier := of_predictions(path):
            skipped.append(path)
        return earlier

    images = expand(patterns, unwanted, foreign)
    for path, note in passed_over(foreign):
        say(f"{path} {note.reason}")
    if skipped:
        say(f"{counted(len(skipped), 'picture')} of earlier predictions skipped")
    return images


def of_predictions(path: Path) -> bool:
    """Whether a file is a picture or a crop that stands beside the results of a `predict`."""
    folder = path.absolute().parent
    if folder.name != PICTURES:
        folder = folder.parent  # from the folder of a class to that of all crops
    return folder.name in (PICTURES, CROPS) and holds_predictions(folder.parent)


def predict(detector: Predictor, paths: Sequence[Path], options: PredictOptions) -> Output:
    """Detect in each file and write the folder. An image that cannot be read is named on stderr and skipped.

    So is one without an id in `options.ids`. Raises UserError when the folder holds something or cannot be written,
    and when that file is not COCO, lists none of the images or lacks a class; Interrupted after Ctrl-C or SIGTERM,
    when the results so far are written.
    """
    classes, side, pages = detector.classes, detector.side, detector.pages if options.pages is None else options.pages
    overlap = detector.overlap
    if pages == "all":
        paths = [page for path in paths for page in pages_of(path)]
    ids = ids_of(options.ids, paths) if options.ids else None
    categories = [ids.of_class(name) for name in classes] if ids else range(1, len(classes) + 1)
    with (
        signals_noted() as signals,
        new_folder(options.out) as folder,
        result_files(folder, classes, options.pixel_size) as files,
    ):
        output = Output(folder, classes, categories, options, files)
        for group in groups(readable(tracked(paths, "predict"), ids, pages), options.batch):
            found: list[Detections] = []
            with ended_by_signals(signals) if overlap else nullcontext():  # the tiles of an image take minutes
                detections = detector([one.image for one in group], options.threshold, options.batch)
                found = [detections[i] for i in range(len(group))]
            for one, detected in zip(group, found, strict=False):  # nothing, where that was interrupted
                output.add(one, detected)
                output.notes.add(one.path, one.notes)
                output.larger += max(one.image.shape) > side
            if signals:
                break
    if signals:
        raise Interrupted(f"after {output.images} of {len(paths)} images, whose results are in {folder}", signals[0])
    output.skipped = len(paths) - output.images
    return output


def ids_of(file: Path, paths: Sequence[Path]) -> CocoIds:
    """The ids of a COCO file, whose reader needs more packages than an exported detector."""
    from .coco_ids import CocoIds

    return CocoIds(file, paths)


class Readable(NamedTuple):
    """An image with its file, its id in the COCO results, and what is to be said of it."""

    ident: Any
    path: Path
    image: Pixels
    notes: tuple[Note, ...] = ()


def readable(paths: Iterable[Path], ids: CocoIds | None = None, pages: Pages = "first") -> Iterator[Readable]:
    """The images that can be read and have an id; without `ids`, they are counted from 1."""
    for number, path in enumerate(paths, 1):
        try:
            picture = read_picture(path, pages)
            image = Readable(ids.of_image(path) if ids else number, path, picture.pixels, picture.notes)
        except UserError as error:
            with suppress(OSError):  # the other end of the pipe has gone
                warn(f"skipped: {error}")
        else:
            yield image


def groups(images: Iterable[Readable], count: int) -> Iterator[list[Readable]]:
    """The images, at most `count` at a time, fewer where they are large."""
    group: list[Readable] = []
    for one in images:
        group.append(one)
        if len(group) == count or sum(other.image.size for other in group) >= MAX_VALUES:
            yield group
            group = []
    if group:
        yield group


@contextmanager
def new_folder(out: Path | None) -> Iterator[Path]:
    """An empty folder for this program alone. Raises UserError when there is something in it, it cannot be made, or
    another program writes to it."""
    folder = out or first_free(Path("predictions"))
    if folder.is_file():
        raise UserError(f"{folder} is a file: name a new folder with --out")
    require_unused(folder)
    with locked(folder / LOCK):
        require_unused(folder)
        yield folder


def require_unused(folder: Path) -> None:
    """Raises UserError where a folder holds more than what a killed program had begun."""
    with write_errors(folder):
        unused = not folder.exists() or all(is_unfinished(path.name) or path.name == LOCK for path in folder.iterdir())
    if not unused:
        raise UserError(f"{folder} is not empty: name an empty or a new folder with --out, nothing is overwritten")


@dataclass
class Output:
    """The folder of predictions, to which one image is added after the other; only their numbers are kept in memory.

    categories: the id of each class. larger: images than the input. notes: of the images.
    """

    folder: Path
    classes: Sequence[str]
    categories: Sequence[Any]
    options: PredictOptions
    files: ResultFiles
    images: int = 0
    skipped: int = 0
    larger: int = 0

    def __post_init__(self) -> None:
        self.notes = Counted()
        self.names = dict[str, int]()

    def add(self, one: Readable, detections: Detections) -> None:
        """An image and its detections, in pixels of the image."""
        height, width = one.image.shape[:2]
        self.files.add(str(one.path), (width, height), detections, one.ident, self.categories)
        self.images += 1
        self.draw(self.unused(stem(one.path)), one.image, detections.rows())

    def draw(self, name: str, image: Pixels, rows: Sequence[Row]) -> None:
        """The image with its boxes, and its objects cut out, as the options say."""
        if self.options.pictures:
            self.save(self.folder / PICTURES / f"{name}.png", picture(image, rows, self.classes))
        if self.options.save_crops:
            for i, (box, _, label) in enumerate(rows, 1):
                self.save(self.folder / CROPS / as_folder(self.classes[label]) / f"{name}-{i}.png", crop(image, box))

    def unused(self, name: str) -> str:
        """The name, or NAME-2, .. where images of other folders or formats have it, in any capitals."""
        name = shortened(name)
        key, number = name.casefold(), 0
        while key in self.names:
            number = self.names[key] = self.names[key] + 1
            key = f"{name}-{number}".casefold()
        self.names[key] = 1
        return f"{name}-{number}" if number else name

    def save(self, path: Path, pixels: Pixels) -> None:
        """A picture as a PNG."""
        with write_errors(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels).save(path, compress_level=1)


def as_folder(label: str) -> str:
    """The name of a class without the characters that some system forbids in the name of a folder."""
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
