"""`pocketrcnn merge`: predictions.json, predictions.csv and counts.csv of all parts, in the order of the images, one
after the other in little memory. No torch here."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from ...data.files import LOCK, locked, remove_unfinished
from ...data.listing import PLAN
from ...data.overview import counted
from ...errors import UserError
from ...terminal import tracked
from ..predict import Output, categories_of, ids_of, say_skipped
from ..result_files import result_files
from .names import add_name
from .parquet import require_pyarrow
from .plan import PARTS, Plan, part_file, read_plan
from .records import AGAIN, Record, records_of
from .working import lacking

FEW = 5  # parts that are named


def merge_parts(out: Path, ids_file: Path | None = None, *, told: bool = True) -> tuple[Output, Plan]:
    """Write the files of a prediction from all its parts; `image_id` counts images from 1, in their order.

    ids_file: a COCO file whose ids are taken, see `PredictOptions`. told: whether images without results are named.
    Raises UserError where there is no plan, parts lack or are damaged, or the files cannot be written.
    """
    plan = read_plan(out)
    if plan.part_format == "parquet":
        require_pyarrow()
    if lack := lacking(out, plan):
        raise UserError(f"{out} lacks {in_words(lack, plan)}: `predict` goes on there, then merge again")
    ids = ids_of(ids_file, [Path(record.name) for record in records(out, plan)]) if ids_file else None
    categories = categories_of(plan.classes, ids)
    with locked(out / LOCK, wait=-1), result_files(out, plan.classes, plan.pixel_size) as files:
        output = Output(out, files, categories, plan.side)
        for number, record in enumerate(records(out, plan), 1):
            reason = record.skipped
            try:
                ident = ids.of_image(Path(record.name)) if ids else number
            except UserError as error:
                reason = str(error)
            if reason or record.detections is None:
                output.skipped += 1
                if told:
                    say_skipped(reason)
                continue
            output.add(record.name, record.size, record.detections, ident, record.notes)
        remove_unfinished(out / PARTS)
    return output, plan


def records(out: Path, plan: Plan) -> Iterator[Record]:
    """All images. Raises UserError where a part has not as many as it should, or where they are not those of the list:
    parts were copied here. Of pages the list has the files alone."""
    names = hashlib.sha256()
    for part in tracked(range(plan.parts), "merge"):
        path, wanted = part_file(out, plan, part), plan.images_of(part)
        found, images = 0, wanted.stop - wanted.start
        for record in records_of(path, plan):
            add_name(names, record.name)
            yield record
            found += 1
        if found < images or (found > images and plan.pages != "all"):
            raise UserError(f"{path} has {counted(found, 'image')} and not {images:,}: {AGAIN}")
    if names.hexdigest() != plan.names and plan.pages != "all":
        remedy = "remove that folder, and the same `predict` makes them again"
        raise UserError(f"{out / PARTS} has parts of other images than {out / PLAN}, or in another order: {remedy}")


def in_words(parts: Sequence[int], plan: Plan) -> str:
    """Which of the parts lack, the first by their numbers."""
    first = ", ".join(map(str, parts[:FEW]))
    return f"{len(parts):,} of {counted(plan.parts, 'part')} ({first}{', ..' if len(parts) > FEW else ''})"
