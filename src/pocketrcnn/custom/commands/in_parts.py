"""`pocketrcnn.merge`, and `predict` in parts. No torch when this is imported."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path

from ...data.files import write_errors
from ...data.overview import counted
from ...terminal import say
from ..options import PredictOptions
from ..parts.merging import merge_parts
from ..parts.names import Images
from ..parts.parquet import require_pyarrow, require_text
from ..parts.plan import PARTS, Plan, agreed, planned, usual_part_size
from ..parts.team import Source, make_with_team
from ..parts.working import Job, Made, lacking, make_parts
from ..predict import Predictor
from .predicted import Predicted, in_words, say_written
from .telling import Place, path_of, told


def predict_in_parts(network: Predictor, source: Source, paths: Sequence[str], options: PredictOptions) -> Predicted:
    """Make the parts that lack and, where no share of them was asked for and all are there, merge them.

    Raises UserError where the folder holds parts of another plan, or what `predict` raises; Interrupted after Ctrl-C or
    SIGTERM, when the parts that are done stay.
    """
    out, images = options.out, Images.of(paths)
    assert out is not None, "PredictOptions asks for it"
    if options.part_format == "parquet":
        require_pyarrow()
        require_text(images.names)
    plan = agreed(out, plan_of(network, images, options), sized=options.part_size is not None)
    with write_errors(out):
        (out / PARTS).mkdir(exist_ok=True)
    job, shard = Job(out, plan, images.folder), options.shard or (0, 1)
    left = lacking(out, plan, shard)
    share = f", shard {shard[0]}/{shard[1]}" if options.shard else ""
    size = f"{counted(plan.images, 'image')} in {counted(plan.parts, 'part')} of {plan.part_size:,}"
    say(f"{size}{share}: {len(left):,} to make")
    total = Made()
    while left:
        if options.workers:
            made = make_with_team(job, images, left, options.workers, source)
        else:
            made = make_parts(network, job, images, left)
        total.add(made)
        left = lacking(out, plan, shard) if made.parts else []  # of those that others made, some may have died
    return finished(job, total, share, merge=not options.shard)


def plan_of(network: Predictor, images: Images, options: PredictOptions) -> Plan:
    """What this call would do in an empty folder."""
    return planned(
        detector=network.where,
        fingerprint=network.fingerprint,
        classes=list(network.classes),
        side=network.side,
        overlap=network.overlap,
        threshold=float(network.threshold if options.threshold is None else options.threshold),
        pages=network.pages if options.pages is None else options.pages,
        batch=options.batch,
        pixel_size=options.pixel_size,
        pictures=options.draws,
        save_crops=options.save_crops,
        images=len(images.names),
        names=images.sha256,
        part_size=options.part_size or usual_part_size(len(images.names), options.batch),
        part_format=options.part_format or "jsonl",
    )


def finished(job: Job, made: Made, share: str, merge: bool) -> Predicted:
    """The end of a call: the merged files, or what is there now, and what comes next."""
    out, plan = job.out, job.plan
    left = lacking(out, plan)
    if merge and not left:
        return say_written(merge_parts(out, told=False)[0], plan.classes, plan.overlap)
    say(f"{counted(made.parts, 'part')} made{share}: {in_words(made.by_class, made.images, made.skipped)}")
    command = f"pocketrcnn merge {shlex.quote(str(out))}"
    if left:
        say(f"{plan.parts - len(left):,} of {counted(plan.parts, 'part')} in {out}; when all are there: {command}")
    else:
        say(f"all {counted(plan.parts, 'part')} in {out}; next: {command}")
    return Predicted(out, made.images, made.skipped, {name: made.by_class[name] for name in plan.classes})


def merge(out: Place, *, ids: Place | None = None, quiet: bool = False) -> Predicted:
    """Write the files of a prediction from all its parts, as `pocketrcnn merge` does.

    out: the folder. ids: a COCO file of the same images and classes, whose ids the results get. quiet: say nothing but
    warnings. Raises UserError where parts lack, or one is damaged.
    """
    with told(quiet):
        done, plan = merge_parts(Path(out), path_of(ids))
        return say_written(done, plan.classes, plan.overlap)
