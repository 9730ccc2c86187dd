"""Formats that are recognised and not read, each with a way to one that is. No torch here.

`FORMATS` are looks at single files, `LOOKS` at all files together, for what has no annotations of its own.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..listing import is_image_name
from .recognition import Evidence, Rule
from .split_words import split_of

COCO = "export it as COCO there"
SCRIPT = "write its boxes to a CSV file with the header image,class,x1,y1,x2,y2"


@dataclass(frozen=True)
class Unread:
    """A format that is not read. title: its name for people. rule: how it is recognised. remedy: what to do."""

    title: str
    rule: Rule
    remedy: str


def has(*words: str) -> Callable[[Path, str], bool]:
    """A rule's look: whether all of these are in the beginning of a file."""
    return lambda _, start: all(word in start for word in words)


def always(_: Path, __: str) -> bool:
    """A rule's look: the ending says it all."""
    return True


def lines_like(pattern: str) -> Callable[[Path, str], bool]:
    """A rule's look: whether the first line of a file that is not empty is of this pattern."""
    return lambda _, start: bool(re.fullmatch(pattern, next(filter(None, map(str.strip, start.splitlines())), "")))


def one(title: str, endings: str, fits: Callable[[Path, str], bool], seen: str, remedy: str) -> Unread:
    """A line of the table. endings: with a space between them."""
    return Unread(title, Rule(title, tuple(endings.split()), fits, seen), remedy)


NUMBER = r"-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?"
ARCHIVES = ".zip .tar .gz .tgz .bz2 .xz .7z .rar"
VIDEOS = ".mp4 .avi .mov .mkv .webm .mpg .mpeg .m4v"
FORMATS = (
    one(
        "CVAT for video",
        ".xml",
        has("<annotations>", "<track "),
        "`<annotations>` with `<track>`",
        "export it as `CVAT for images 1.1` or `COCO 1.0` there",
    ),
    one("ASAP", ".xml", has("<ASAP_Annotations"), "`<ASAP_Annotations>`", SCRIPT),
    one(
        "COCO panoptic",
        ".json",
        has('"segments_info"', '"annotations"'),
        "`segments_info`",
        "name the file of its instances (instances_*.json)",
    ),
    one("Supervisely", ".json", has('"classTitle"'), "`classTitle`", COCO),
    one("V7 Darwin", ".json", has('"annotations"', '"item"', '"slots"'), "`item` and `slots`", COCO),
    one(
        "VGG Image Annotator 3",
        ".json",
        has('"project"', '"vid"'),
        "`project` and `vid`",
        "annotate with VIA 2, or export it as COCO there",
    ),
    one(
        "TensorFlow Object Detection", ".pbtxt", has("item"), "a label map", "name the folder of its COCO or VOC files"
    ),
    one(
        "TFRecord",
        ".tfrecord .tfrecords .record",
        always,
        "its ending",
        "use the COCO or VOC files that it was made of, or export the data as COCO",
    ),
    one("QuPath or other GeoJSON", ".geojson .json", has('"FeatureCollection"'), "`FeatureCollection`", SCRIPT),
    one("Labelbox", ".ndjson .json", has('"data_row"', '"projects"'), "`data_row` and `projects`", COCO),
    one("Amazon SageMaker Ground Truth", ".manifest .jsonl .json", has('"source-ref"'), "`source-ref`", SCRIPT),
    one("Vertex AI", ".jsonl", has('"imageGcsUri"'), "`imageGcsUri`", SCRIPT),
    one(
        "AutoML Vision",
        ".csv",
        lines_like(r"(?:(?:TRAIN|TEST|VALIDATE|UNASSIGNED|VALIDATION),)?gs://.*"),
        "`gs://`",
        SCRIPT,
    ),
    one("WIDER FACE", ".txt", lambda file, _: file.name.lower().startswith("wider_face"), "its name", SCRIPT),
    one("MOT", ".txt", lines_like(rf"\d+,-?\d+(?:,{NUMBER}){{7,8}}"), "lines of 9 or 10 numbers with commas", SCRIPT),
    one("VisDrone", ".txt", lines_like(r"\d+(?:,-?\d+){7},?"), "lines of 8 numbers with commas", SCRIPT),
    one("Cellpose or NumPy", ".npy .npz", always, "its ending", "save its masks as PNG or TIFF (`_masks.png`)"),
    one("a Python pickle", ".pkl .pickle .pt .pth", always, "its ending; such a file can run programs", SCRIPT),
    one("MATLAB", ".mat", always, "its ending", SCRIPT),
    one("HDF5", ".h5 .hdf5", always, "its ending", SCRIPT),
    one(
        "Parquet or Arrow", ".parquet .arrow", always, "its ending", "save its images in a folder with `metadata.jsonl`"
    ),
    one("ImageJ ROI", ".roi", always, "its ending", "save its label image as TIFF, or its bounding boxes as CSV"),
    one("a packed archive", ARCHIVES, always, "its ending", "unpack it, and name the folder"),
    one("a video", VIDEOS, always, "its ending", "save its frames as images, and annotate these"),
)
RULES = tuple(form.rule for form in FORMATS)


def sentence(found: Sequence[Evidence]) -> str:
    """The format of most files, and what to do about it: `looks like MOT (...): remedy`; empty where none is known."""
    if not found:
        return ""
    best = max(found, key=lambda each: len(each.files))
    form = next(form for form in FORMATS if form.rule is best.rule)
    return f"looks like {form.title} ({best}), which is not read here: {form.remedy}"


def only_images(files: Sequence[Path]) -> str:
    """Images and nothing that could say what is on them."""
    if all(map(is_image_name, files)):
        return "has images and no annotations: annotate them (docs/data.md names programs), and name the folder of both"
    return ""


def sorted_images(files: Sequence[Path]) -> str:
    """Images in folders that are called as what they show: a set for classification."""
    folders = {file.parent for file in files if is_image_name(file)}
    siblings = {folder.parent for folder in folders}
    names = sorted(folder.name for folder in folders if not split_of(folder.name))
    if len(names) < 2 or len(siblings) > 3 or not all(map(is_image_name, files)):
        return ""
    there = ", ".join(names[:3])
    return f"has images sorted into folders ({there}) and no boxes: a detector needs boxes; annotate the images"


def segmentation(files: Sequence[Path]) -> str:
    """The masks of Pascal VOC without its XML files."""
    folders = {file.parent.name for file in files if file.parent.name.lower().startswith("segmentation")}
    if "SegmentationClass" in folders or "SegmentationObject" in folders:
        return (
            f"has the masks of Pascal VOC ({', '.join(sorted(folders))}) and no boxes: name a folder with Annotations"
        )
    return ""


LOOKS: tuple[Callable[[Sequence[Path]], str], ...] = (segmentation, sorted_images, only_images)


def guess(files: Sequence[Path]) -> str:
    """What the first of LOOKS says; empty where none says anything."""
    return next(filter(None, (look(files) for look in LOOKS)), "")
