"""The section of one experiment: what it is, its metrics, its curves, its layers."""

from ...report.blocks import Block, Figure, Section, Text
from ...report.prose import Prose
from ..experiments import EXPERIMENTS
from . import curves, metrics, tables
from .networks import CLASSIFIERS
from .records import Record, Results

PRINTED, CORRECT = 44_921_856, 59_179_008  # multiplications of the ResNet: in the report, and the right count
prose = Prose(__name__, "experiment.md")


def section(results: Results, id: str) -> Section:
    """One experiment with a line and charts for each recipe, or a line on how to add it."""
    records, title = results.find(id), f"{id}: {EXPERIMENTS[id].title}"
    if not records:
        text = prose("missing", id=id, command=results.adding(id))
        return Section(id.lower(), title, [Text([text], "note")], short=id)
    blocks: list[Block | None] = [
        Text(prose.paragraphs(id, printed=PRINTED, correct=CORRECT)),
        tables.run_table(records),
        *tables.proposal_tables(records),
        *(figure for record in records for figure in FIGURES[id](record)),
        tables.layer_table(records[0], folded=id not in CLASSIFIERS),
    ]
    return Section(id.lower(), title, [block for block in blocks if block], short=id)


def _network(record: Record) -> list[Figure | None]:
    """Accuracy and loss of a base network."""
    sentences = curves.passing(record), curves.gap(record), curves.fall(record, "loss_total", "The training loss")
    measures = curves.ACCURACY, curves.TRAINING_LOSS
    return [curves.figure(record, f"Accuracy and loss of {record.id}", measures, *sentences)]


def _classifier(record: Record) -> list[Figure | None]:
    """R1: loss and point-wise accuracy."""
    fall = curves.fall(record, "loss_objectness", "The loss")
    gap = curves.gap(record, "objectness_accuracy")
    measures = curves.OBJECTNESS_LOSS, curves.OBJECTNESS_ACCURACY
    return [curves.figure(record, "Loss and accuracy of R1", measures, fall, curves.passing(record), gap)]


def _regressor(record: Record) -> list[Figure | None]:
    """R2: losses, what they are in pixels, and how good the best-scoring proposal is."""
    falls = (
        curves.fall(record, "loss_objectness", "The loss of the classifier"),
        curves.fall(record, "loss_box", "The loss of the regression"),
    )
    losses = curves.OBJECTNESS_LOSS, curves.TRAINED_BOX_LOSS, curves.LOSS
    others = curves.OBJECTNESS_ACCURACY, curves.BOX_LOSS, curves.PIXEL_ERROR, curves.MEAN_IOU
    heading = "Beside the losses: accuracy, pixels and overlap in R2"
    return [
        curves.figure(record, "Training losses of R2", losses, *falls, "Logarithmic axes."),
        curves.figure(record, heading, others, curves.passing(record), _in_pixels(record)),
    ]


def _in_pixels(record: Record) -> str:
    if not {"box_loss", "pixel_error", "mean_iou"} <= record.metrics.keys():
        return ""
    loss, error, iou = (record.metrics[name] for name in ("box_loss", "pixel_error", "mean_iou"))
    pixels = metrics.in_pixels(loss).mean
    return prose("in pixels", loss=loss.mean, pixels=pixels, error=error.mean, iou=iou.mean)


def _detector(record: Record) -> list[Figure | None]:
    """The six charts of training."""
    sentences = curves.passing(record), curves.pace(record), curves.gap(record)
    return [curves.figure(record, f"Training of {record.id}", curves.SIX, *sentences)]


FIGURES = {
    **dict.fromkeys(CLASSIFIERS, _network),
    "R1": _classifier,
    "R2": _regressor,
    **dict.fromkeys(("F2", "F3", "F4", "F1M"), _detector),
}
