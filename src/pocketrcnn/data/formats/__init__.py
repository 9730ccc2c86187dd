"""Data sets in the formats that users have, told apart by content. No torch here.

coco            COCO JSON
voc             Pascal VOC
yolo            YOLO
yolo_settings   data.yaml, .data of darknet, lists of class names
yolo_images     the images that these and lists name, or that are data without
yolo_labels     the label file of each image
tables          CSV
table_writing   the same, written
table_columns   names of the columns of tables
read_only/      the readers of further formats, each a rule and a function
archives        zip files, unpacked into the cache
recognition     which rules fit which files
unread_formats  formats that are known and not read, and the way on from each
reading         what all readers share
voc_objects     objects of VOC
coco_boxes      boxes of COCO: of outlines, masks and rotated rectangles
rle             masks as run lengths
meaning         fields that change what an object means, in all formats
notes           what is said once of all objects that it is true of
boundary        what leads out of the folder of the data
finding         the image files that annotations name
spelling        names as servers and programs write them
split_words     the splits that names of folders and files stand for
text            text files in any encoding
walking         all files below a folder
writing         names, copies and numbers, for all writers

Readers hand on what the files say, faulty boxes too: `pocketrcnn.data.check` checks them. What cannot be understood
becomes a fault, and the rest is read.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from ...errors import UserError, nearest
from ..annotations import Annotations, Fault
from ..files import new_folder
from ..images.foreign import passed_over
from ..overview import counted
from . import coco, read_only, table_writing, tables, unread_formats, voc, yolo
from .archives import unpacked, zips_in
from .boundary import leading, require_inside
from .read_only.text_lines import is_empty
from .reading import Reading
from .recognition import Evidence, evidence
from .writing import write_text

WRITTEN = {"coco": coco, "voc": voc, "yolo": yolo, "csv": tables}  # these look for their files themselves
FORMATS = WRITTEN | read_only.READERS
WRITERS = {"coco": coco.write, "voc": voc.write, "yolo": yolo.write, "csv": table_writing.write}
LOOKED_FOR = "COCO JSON, Pascal VOC XML, YOLO labels, CSV with a header, and more, see docs/data.md"
MISTAKEN = {
    "yolo": ("dota", "kitti", "yolo-names", "open-images-toolkit"),
    "csv": ("open-images",),
    "coco": ("COCO panoptic",),
    "voc": ("cvat", "CVAT for video", "ASAP"),
}  # their files look like those of the first format, too


def read(path: Path, voc_origin: int = 0, follow_outside: bool = False) -> Annotations:
    """The data set in a folder, or that a file (JSON, data.yaml, CSV, XML) describes, or in a zip file of these.

    `voc_origin`: 1 where VOC boxes count pixels from 1. Where several formats lie in one folder, the first of FORMATS
    is read, with a warning. Images without split among others with one are for training.
    Folders in it that `predict` wrote are skipped, with a warning. What leads out of the folder is in `outside` and not
    read, unless `follow_outside`.
    Raises UserError when there is no such path, nothing in it, or no annotations that are known here.
    """
    if not path.exists():
        near = nearest(path.name, (file.name for file in path.parent.iterdir())) if path.parent.is_dir() else ""
        raise UserError(f"{path} does not exist{near}: name a folder with images and their annotations")
    try:
        reading = Reading(path, voc_origin, follow_outside)
        looks = evidence(reading.candidates, (*read_only.RULES, *unread_formats.RULES))
        sources = recognised(reading, looks)
        known = list(sources)
        if not known and (zips := zips_in(reading)):
            inner = unpacked(path, zips, reading.files)
            return with_note(read(inner, voc_origin, follow_outside), "unpacked", path, f"was unpacked into {inner}")
        if not known:
            raise UserError(unknown(reading, looks))
        annotations = FORMATS[known[0]].read(reading, sources[known[0]])
    except OSError as error:
        raise UserError(f"{error.filename or path} cannot be read ({error.strerror}): repair or remove it") from error
    return with_all_splits(replace(annotations, faults=(*annotations.faults, *skipped(reading, known))))


def write(annotations: Annotations, out: Path, kind: str, notes: Mapping[str, str] | None = None) -> None:
    """A data set that `check` calls clean as `coco`, `voc`, `yolo` or `csv` in a new folder, images byte by byte.

    `notes`: further text files, by name. Raises UserError when there is nothing to write, when the data lead out of
    their folder, or when `out` is not empty, lies inside the data, or cannot be written.
    """
    require_inside(annotations)
    if not annotations.examples:
        raise UserError(f"{annotations.root} has no valid image: there is nothing to write to {out}")
    with new_folder(out, annotations.root) as folder:
        WRITERS[kind](annotations, folder)
        for name, text in (notes or {}).items():
            write_text(folder / name, text)


def recognised(reading: Reading, looks: list[Evidence]) -> dict[str, list[Path]]:
    """The files of each format that is read and there, in the order of FORMATS. looks: what the rules found."""
    found: dict[str, list[Path]] = {}
    for look in looks:
        found.setdefault(look.rule.format, []).extend(look.files)
    for name, module in WRITTEN.items():
        others = {file for other in MISTAKEN.get(name, ()) for file in found.get(other, ())}
        left = [file for file in module.sources(reading) if file not in others]
        found[name] = [] if name == "yolo" and outnumbered(left, len(others)) else left
    there = {name: found[name] for name in FORMATS if found.get(name)}
    looking = {name: form.look for name, form in read_only.READERS.items() if form.look}
    return there or {name: files for name, look in looking.items() if (files := look(reading))}


def outnumbered(labels: list[Path], others: int) -> bool:
    """Whether label files are fewer than the files beside them that look like labels and are of another format: then
    they are empty, or damaged ones of that. A `data.yaml` is never one of that."""
    return all(file.suffix == ".txt" for file in labels) and sum(not is_empty(file) for file in labels) < others


def unknown(reading: Reading, looks: list[Evidence]) -> str:
    """What to say about a path in which no format was recognised that is read. looks: what the rules found."""
    kinds = Counter(file.suffix.lower() or file.name for file in reading.candidates)
    links = reading.boundary.links
    leads = f"; {leading(links)}, and is followed only with --follow-outside" if links else ""
    if not kinds:
        what = "holds only predictions" if reading.predicted else "is empty"
        return f"{reading.path} {what}: name a folder with images and their annotations{leads}"
    if guess := unread_formats.sentence(looks) or unread_formats.guess(reading.candidates):
        return f"{reading.path} {guess}{leads}"
    inside = ", ".join(f"{count} {kind}" for kind, count in kinds.most_common(4))
    remedy = "name the folder that holds them"
    if table := tables.explained(reading.candidates):
        inside, remedy = f"{inside}; {table}", "rename its columns, or name another folder"
    return f"{reading.path} holds no annotations (looked for {LOOKED_FOR}; found {inside}): {remedy}{leads}"


def skipped(reading: Reading, known: list[str]) -> Iterator[Fault]:
    """Warnings about other formats than the first of the `known` ones, folders of predictions, and files that people
    take for images."""
    if len(known) > 1:
        reason = f"holds annotations as {' and as '.join(known)}; those as {known[0]} are read"
        yield Fault("several-formats", reading.path, "", reason, drops=False)
    if folders := reading.predicted:
        reason = f"{counted(len(folders), 'folder')} of predictions skipped (the first: {folders[0]})"
        yield Fault("predictions", reading.path, "", reason, drops=False)
    for path, note in passed_over(reading.files if reading.whole else ()):
        yield Fault(note.kind, path, "", note.reason, drops=False)


def with_all_splits(annotations: Annotations) -> Annotations:
    """Either all examples have a split or none has: where only some have, the others are for training."""
    bare = annotations.split("")
    if not bare or len(bare) == len(annotations.examples):
        return annotations
    examples = tuple(replace(example, split=example.split or "train") for example in annotations.examples)
    reason = f"{len(bare)} images are in no split (the first: {bare[0].path.name}): they are used for training"
    return with_note(replace(annotations, examples=examples), "no-split", annotations.root, reason)


def with_note(annotations: Annotations, kind: str, file: Path, reason: str) -> Annotations:
    """Annotations and one more warning."""
    return replace(annotations, faults=(*annotations.faults, Fault(kind, file, "", reason, drops=False)))
