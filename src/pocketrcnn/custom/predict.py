"""`pocketrcnn predict`: detections in any number of images, as files, one batch after the other in little memory.

The folder: predictions.json (COCO results, with the file's name), predictions.csv, counts.csv, pictures/ and crops/.
The results' `image_id` and `category_id` are the numbers of image and class, counted from 1, or those of a COCO file.
`parts/` does the same in parts, which `merge` makes these files of. No torch here.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from ..config import Pages
from ..data.files import LOCK, first_free, is_unfinished, locked, write_errors
from ..data.images.foreign import passed_over
from ..data.images.notes import Counted, Note
from ..data.images.opening import pages_of
from ..data.images.pixels import Pixels, read_picture
from ..data.listing import PLAN, expand, holds_predictions, listed
from ..data.overview import counted
from ..errors import UserError
from ..model.interchange import Detections
from ..terminal import say, tracked, warn
from ..training.signals import Interrupted, ended_by_signals, signals_noted
from .detection import Described
from .options import PredictOptions
from .picture_files import CROPS, PICTURES, PictureFiles, UnusedNames
from .result_files import ResultFiles, result_files

if TYPE_CHECKING:
    from .coco_ids import CocoIds

MAX_VALUES = 48_000_000  # in the images of a batch, three a pixel: of large images fewer enter a batch


class Predictor(Described, Protocol):
    """A `Detector`, with or without torch: a call returns detections."""

    @property
    def threshold(self) -> float:
        """Score in 0..1 from which on detections count by default."""

    @property
    def where(self) -> str:
        """Its file."""

    @property
    def fingerprint(self) -> str:
        """A hash of all that decides what is detected."""

    def __call__(self, images: list[Pixels], threshold: float | None, batch: int) -> Detections: ...


def named_images(patterns: Sequence[str]) -> list[str]:
    """The image files of files, folders and patterns. Pictures of earlier predictions are skipped in the last two,
    and files that are not read are named."""
    skipped, foreign = 0, list[str]()
    known = cache(holds_predictions)

    def unwanted(path: Path) -> bool:
        nonlocal skipped
        skipped += (earlier := of_predictions(path, known))
        return earlier

    images = expand(patterns, unwanted, foreign)
    for path, note in passed_over(map(Path, foreign)):
        say(f"{path} {note.reason}")
    if skipped:
        say(f"{counted(skipped, 'picture')} of earlier predictions skipped")
    return images


def listed_images(file: Path) -> list[str]:
    """The image files of a list, `-` for standard input. Raises UserError where it names none, or cannot be read."""
    try:
        return listed(file)
    except OSError as error:
        raise UserError(
            f"--list {file} cannot be read ({error.strerror}): name a text file, or - for a pipe"
        ) from error


def of_predictions(path: Path, known: Callable[[Path], bool] = holds_predictions) -> bool:
    """Whether a file is a picture or a crop that stands beside the results of a `predict`, or beside its parts."""
    return any(known(folder.parent) for folder in path.absolute().parents if folder.name in (PICTURES, CROPS))


def predict(detector: Predictor, paths: Sequence[Path], options: PredictOptions) -> Output:
    """Detect in each file and write the folder. An image that cannot be read is named on stderr and skipped.

    So is one without an id in `options.ids`. Raises UserError when the folder holds something or cannot be written,
    and when that file is not COCO, lists none of the images or lacks a class; Interrupted after Ctrl-C or SIGTERM,
    when the results so far are written.
    """
    classes, pages = detector.classes, detector.pages if options.pages is None else options.pages
    if pages == "all":
        paths = [page for path in paths for page in pages_of(path)]
    ids = ids_of(options.ids, paths) if options.ids else None
    categories = categories_of(classes, ids)
    with (
        signals_noted() as signals,
        new_folder(options.out) as folder,
        result_files(folder, classes, options.pixel_size) as files,
    ):
        output = Output(folder, files, categories, detector.side)
        pictures = PictureFiles(folder, classes, options.draws, options.save_crops)
        names = UnusedNames()
        for one, detections in looked_at(detector, readable(tracked(paths, "predict"), ids, pages), options, signals):
            output.add(str(one.path), one.size, detections, one.ident, one.notes)
            pictures.draw(names.of(one.path), one.image, detections.rows())
    if signals:
        raise Interrupted(f"after {output.images} of {len(paths)} images, whose results are in {folder}", signals[0])
    output.skipped = len(paths) - output.images
    return output


def looked_at(
    detector: Predictor, images: Iterable[Readable], options: PredictOptions, signals: list[int]
) -> Iterator[tuple[Readable, Detections]]:
    """Each image with its detections, in its pixels; after a signal no more than those of the batch."""
    overlap = detector.overlap
    for group in groups(images, options.batch):
        found: list[Detections] = []
        with ended_by_signals(signals) if overlap else nullcontext():  # the tiles of an image take minutes
            detections = detector([one.image for one in group], options.threshold, options.batch)
            found = [detections[i] for i in range(len(group))]
        yield from zip(group, found, strict=False)  # nothing, where that was interrupted
        if signals:
            break


def ids_of(file: Path, paths: Sequence[Path]) -> CocoIds:
    """The ids of a COCO file, whose reader needs more packages than an exported detector."""
    from .coco_ids import CocoIds

    return CocoIds(file, paths)


def categories_of(classes: Sequence[str], ids: CocoIds | None) -> Sequence[Any]:
    """The id of each class."""
    return [ids.of_class(name) for name in classes] if ids else range(1, len(classes) + 1)


class Readable(NamedTuple):
    """An image with its file, its id in the COCO results, and what is to be said of it."""

    ident: Any
    path: Path
    image: Pixels
    notes: tuple[Note, ...] = ()

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self.image.shape[1], self.image.shape[0]


def readable(
    paths: Iterable[Path],
    ids: CocoIds | None = None,
    pages: Pages = "first",
    skipped: Callable[[int, Path, UserError], object] = lambda *_: None,
) -> Iterator[Readable]:
    """The images that can be read and have an id; without `ids`, they are counted from 1. skipped: hears of others."""
    for number, path in enumerate(paths, 1):
        try:
            picture = read_picture(path, pages)
            image = Readable(ids.of_image(path) if ids else number, path, picture.pixels, picture.notes)
        except UserError as error:
            say_skipped(error)
            skipped(number, path, error)
        else:
            yield image


def say_skipped(reason: object) -> None:
    """The line about an image that has no results."""
    with suppress(OSError):  # the other end of the pipe has gone
        warn(f"skipped: {reason}")


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
    names = names_in(folder)
    if PLAN in names:
        remedy = "give --part-size, --shard or --workers to go on, or name another folder with --out"
        raise UserError(f"{folder} holds parts of a prediction: {remedy}")
    if names:
        raise UserError(f"{folder} is not empty: name an empty or a new folder with --out, nothing is overwritten")


def names_in(folder: Path) -> set[str]:
    """What is in a folder, but for its lock and what a killed program had begun; nothing where there is none."""
    with write_errors(folder):
        names = os.listdir(folder) if folder.exists() else []
    return {name for name in names if name != LOCK and not is_unfinished(name)}


@dataclass
class Output:
    """The result files of a folder, to which one image is added after the other; only totals are kept in memory.

    categories: the id of each class. side: of the input, in pixels. larger: images than it. notes: of the images.
    """

    folder: Path
    files: ResultFiles
    categories: Sequence[Any]
    side: int
    images: int = 0
    skipped: int = 0
    larger: int = 0
    notes: Counted = field(default_factory=Counted)

    def add(
        self, name: str, size: tuple[int, int], detections: Detections, ident: Any, notes: Iterable[Note] = ()
    ) -> None:
        """An image of (width, height), and its detections in its pixels. ident: its id."""
        self.files.add(name, size, detections, ident, self.categories)
        self.images += 1
        self.larger += max(size) > self.side
        self.notes.add(Path(name), notes)
