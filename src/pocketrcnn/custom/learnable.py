"""Whether a data set has enough to learn from: `train` refuses it otherwise, `check` says so before. No torch here."""

from collections.abc import Sequence

from ..data.annotations import MIN_SIDE, Annotations, Example, Report
from ..data.check import require_clear
from ..data.overview import counted, objects_of
from ..data.splits import with_splits
from ..errors import UserError, require
from .anchors import sides_and_boxes
from .options import Tiles
from .plan import training_images
from .reasons import size_reason, small_remedy
from .tiling import choose_view

MOST_LEFT_OUT = 0.5  # of the objects of the files: where more are left out, the user has to want that


def require_learnable(
    annotations: Annotations,
    report: Report,
    *,
    force: bool = False,
    input_size: int | None = None,
    tiles: Tiles = "auto",
) -> None:
    """Raises UserError where training would learn nothing, or less than the user thinks, unless `force`.

    annotations: with splits. report: of the check. input_size, tiles: as asked.
    """
    lost = report.summary["left_out"]
    examples = annotations.split("train") if lost["objects"] else training_images(annotations)
    if not any(map(objects_of, examples)):
        raise UserError(f"{annotations.root} has nothing to learn: {nothing_to_learn(annotations, report)}")
    if lost["objects"] > MOST_LEFT_OUT * lost["of"]:
        remedy = "repair them, or use --force to train on the rest"
        require(force, f"{annotations.root}: {left_out_in_words(report)}: {remedy}")
    require_visible(annotations, examples, *choose_view(examples, tiles, input_size))


def refusal(report: Report) -> str:
    """Why `train` refuses a data set that is planned by default; empty where it does not."""
    try:
        require_clear(report)
        require_learnable(with_splits(report.clean), report)
    except UserError as error:
        return str(error)
    return ""


def large_images(report: Report) -> str:
    """What `train` does by itself with images that are larger than its input; empty where there are none."""
    examples = with_splits(report.clean).split("train")
    side, overlap = choose_view(examples)
    larger = any(max(example.size or (1, 1)) > side for example in examples)
    return f"`train`: {size_reason(examples, side, overlap)}" if larger else ""


def require_visible(annotations: Annotations, examples: Sequence[Example], side: int, overlap: int) -> None:
    """Raises UserError where all objects are too small to be learned in an input of `side` pixels, or in tiles."""
    boxes = sides_and_boxes(examples, None if overlap else side)
    if (boxes.min(1) < MIN_SIDE).all():
        size = f"less than {MIN_SIDE:g} px wide or high in the input of {side} px"
        remedy = small_remedy(examples, side, overlap, MIN_SIDE / float(boxes.min()))
        what = f"all {len(boxes):,} training objects are {size}"
        raise UserError(f"{annotations.root} has nothing to learn: {what}; {remedy}")


def nothing_to_learn(annotations: Annotations, report: Report) -> str:
    """Why the training images have no object, and what helps."""
    there = sum(len(objects_of(example)) for example in annotations.examples)
    if there:
        elsewhere = " and ".join(split for split in ("val", "test") if any(map(objects_of, annotations.split(split))))
        return f"no training image has an object ({elsewhere} has {there:,}): annotate some, or change the splits"
    if report.summary["left_out"]["objects"]:
        return f"{left_out_in_words(report)}: repair them, `pocketrcnn check {annotations.root}` names each"
    if crowds := report.summary["crowds"]:
        return f"{counted(crowds, 'crowd')} and no object that can be learned: annotate some one by one"
    return f"{counted(len(annotations.examples), 'image')}, and no object: annotate some"


def left_out_in_words(report: Report) -> str:
    """`5 of 8 objects were left out (zero-size; the first: FILE, annotation 3: box has no area)`; empty for none."""
    lost = report.summary["left_out"]
    count, of, kind = lost["objects"], lost["of"], lost["kind"]
    if not count:
        return ""
    what = f"all {counted(of, 'object')}" if count == of > 1 else f"{count:,} of {counted(of, 'object')}"
    same = [fault for fault in report.faults if fault.drops and fault.kind == kind]
    most = f"; {len(same):,} faults of this kind" if len(same) > 1 else ""
    return f"{what} {'was' if count == 1 else 'were'} left out ({kind}: {same[0]}{most})"
