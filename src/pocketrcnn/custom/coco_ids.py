"""Ids of images and classes in a given COCO file, so that `predict` can be scored against it. No torch here."""

import json
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from ..data.formats.coco import file_name, ident, records_of
from ..data.formats.finding import agreement, key, plain
from ..data.formats.text import read_text
from ..errors import UserError


class CocoIds:
    """The ids of a COCO file: those of images by file name, those of categories by class name."""

    def __init__(self, file: Path, paths: Sequence[Path]) -> None:
        """paths: all images that need an id. Raises UserError where the file is not COCO, or lists none of them."""
        self.file, content = file, content_of(file)
        self.categories = records_of(content, "categories")
        self.used = {ident(record.get("category_id")) for record in records_of(content, "annotations")}
        self.images: defaultdict[str, list[tuple[PurePosixPath, Any]]] = defaultdict(list)
        for record in records_of(content, "images"):
            name = file.absolute().parent / plain(file_name(record))
            self.images[key(name.name)].append((PurePosixPath(name.as_posix()), record.get("id")))
        self.claims: defaultdict[str, list[tuple[int, Path]]] = defaultdict(list)
        for path in paths:
            for folders, image in self.candidates(path):
                self.claims[ident(image)].append((folders, path))
        if not self.claims:
            raise UserError(f"--ids {file} lists none of the images, as {paths[0]}: name the COCO file of these images")

    def candidates(self, path: Path) -> list[tuple[int, Any]]:
        """The ids under a path's file name, with the number of folders that agree: the highest one alone."""
        named = [(agreement(path.absolute(), name), image) for name, image in self.images.get(key(path.name), [])]
        highest = max((folders for folders, _ in named), default=0)
        return [(folders, image) for folders, image in named if folders == highest]

    def of_image(self, path: Path) -> Any:
        """The id of an image, by its file name, and by its folders where several have the name.

        Raises UserError for an image that is not listed, or that looks like another.
        """
        candidates = self.candidates(path)
        if not candidates:
            raise UserError(f"{path} is not in {self.file}: add it there, or predict without --ids")
        if len(candidates) > 1:
            raise UserError(
                f"{path} may be each of {len(candidates)} images in {self.file}: name images with their folders"
            )
        ((folders, image),) = candidates
        others = [other for shared, other in self.claims[ident(image)] if other != path and shared >= folders]
        if others:
            raise UserError(f"{path} and {others[0]} are one image in {self.file}: predict in one of them alone")
        return image

    def of_class(self, name: str) -> Any:
        """The category id of a class; of several with its name, the one that has objects.

        Raises UserError for a class that the file lacks, or has several times.
        """
        named = [record.get("id") for record in self.categories if str(record.get("name")) == name]
        ids = [category for category in named if ident(category) in self.used] or named
        if len(ids) != 1:
            there = ", ".join(str(record.get("name")) for record in self.categories)
            count = f"{len(ids)} categories" if ids else "no category"
            raise UserError(
                f"--ids {self.file} has {count} for the detector's class `{name}` (there are: {there or 'none'}): "
                "use the names of the data that it was trained on"
            )
        return ids[0]


def content_of(file: Path) -> dict[str, Any]:
    """The content of a COCO file, or a UserError that names it."""
    try:
        content = json.loads(read_text(file))
    except OSError as error:
        raise UserError(f"--ids {file} cannot be read ({error.strerror}): name a COCO annotation file") from error
    except (ValueError, RecursionError) as error:
        raise UserError(f"--ids {file} is not JSON ({error}): name a COCO annotation file") from error
    if not isinstance(content, dict) or not {"images", "categories"} <= set(content):
        lacking = "it has no lists `images` and `categories`"
        raise UserError(f"--ids {file} is not COCO ({lacking}): name a COCO annotation file")
    return content
