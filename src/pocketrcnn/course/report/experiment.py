"""The section of one experiment: what it is, its metrics, its curves, its layers."""

from ...report.blocks import Block, Figure, Section, Text
from ...report.prose import Prose
from ..experiments import EXPERIMENTS
from . import curves, metrics, tables
from .records import Record, Results

PRINTED, CORRECT = 44_921_856, 59_179_008  # multiplications of the ResNet: in the report, and the right count
prose = Prose(__name__, "experiment.md")


def section(results: Results, id: str) -> Section:
    """One experiment with a line and figures for each recipe, or a line on how to add it."""
    records, title = results.find(id), f"{id}: {EXPERIMENTS[id].title}"
    if not records:
        text = prose("missing", id=id, command=results.adding(id))
        return Section(id.lower(), title, [Text([text], "note")], short=id)
    make, folded = FIGURES[id]
    blocks: list[Block | None] = [
        Text(prose.paragraphs(id, printed=PRINTED, correct=CORRECT)),
        tables.run_table(results, records),
        *tables.proposal_tables(records),
        *(figure for record in records for figure in make(results, record)),
        tables.layer_table(records[0], folded),
    ]
    return Section(id.lower(), title, [block for block in blocks if block], short=id)


def _network(results: Results, record: Record) -> list[Figure | None]:
    """Accuracy and loss of a base network."""
    caption = curves.join(
        curves.passing(results, record, curves.ACCURACY),
        curves.gap(record),
        curves.fall(record, "loss_total", "The training loss"),
    )
    heading = f"Accuracy and loss of {record.id}, {record.recipe} recipe"
    return [curves.figure(results, record, heading, (curves.ACCURACY, curves.TRAINING_LOSS), caption)]


def _classifier(results: Results, record: Record) -> list[Figure | None]:
    """R1: loss and point-wise accuracy."""
    caption = curves.join(
        curves.fall(record, "loss_objectness", "The loss"),
        curves.passing(results, record, curves.OBJECTNESS_ACCURACY),
        curves.gap(record, "objectness_accuracy"),
    )
    shown = (curves.OBJECTNESS_LOSS, curves.OBJECTNESS_ACCURACY)
    return [curves.figure(results, record, f"Loss and accuracy of R1, {record.recipe} recipe", shown, caption)]


def _regressor(results: Results, record: Record) -> list[Figure | None]:
    """R2: losses, what they are in pixels, and how good the best-scoring proposal is."""
    falls = curves.join(
        curves.fall(record, "loss_objectness", "The loss of the classifier"),
        curves.fall(record, "loss_box", "The loss of the regression"),
        "Logarithmic axes.",
    )
    losses = (curves.OBJECTNESS_LOSS, curves.TRAINED_BOX_LOSS, curves.LOSS)
    others = (curves.OBJECTNESS_ACCURACY, curves.BOX_LOSS, curves.PIXEL_ERROR, curves.MEAN_IOU)
    caption = curves.join(curves.passing(results, record, curves.BOX_LOSS), _in_pixels(record))
    heading = f"Beside the losses: accuracy, pixels and overlap in R2, {record.recipe} recipe"
    return [
        curves.figure(results, record, f"Training losses of R2, {record.recipe} recipe", losses, falls),
        curves.figure(results, record, heading, others, caption),
    ]


def _in_pixels(record: Record) -> str:
    if not {"box_loss", "pixel_error", "mean_iou"} <= record.metrics.keys():
        return ""
    loss, error, iou = (record.metrics[name] for name in ("box_loss", "pixel_error", "mean_iou"))
    pixels = metrics.in_pixels(loss).mean
    return prose("in pixels", loss=loss.mean, pixels=pixels, error=error.mean, iou=iou.mean)


def _detector(results: Results, record: Record) -> list[Figure | None]:
    """The six charts of training."""
    passing = curves.passing(results, record, curves.OBJECT_ACCURACY)
    caption = curves.join(passing, curves.pace(record), curves.gap(record))
    return [curves.figure(results, record, f"Training of {record.id}, {record.recipe} recipe", curves.SIX, caption)]


FIGURES = {
    **dict.fromkeys(("B1", "B2", "B3"), (_network, False)),
    "R1": (_classifier, True),
    "R2": (_regressor, True),
    **dict.fromkeys(("F2", "F3", "F4", "F1M"), (_detector, True)),
}
"""The figures of each experiment, and whether its table of layers is folded."""
