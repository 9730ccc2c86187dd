"""From the curves of a record to figures with their alternative text, and sentences about a curve."""

from collections.abc import Sequence
from dataclasses import dataclass

from ...report import charts, phrases
from ...report.blocks import Figure, Key
from ...report.colours import BLUE, ORANGE
from ...report.prose import Prose
from ..quantities import ninety
from . import metrics
from .records import Record

COLOURS = {"training": ORANGE, "test": BLUE}
prose = Prose(__name__, "curves.md")


@dataclass(frozen=True)
class Measure:
    """What a panel shows: the name of the curve (without `_train` and `_test`), unit and axis."""

    heading: str
    curve: str
    unit: str = ""
    log: bool = False


ACCURACY = Measure("Accuracy", "accuracy", "%")
OBJECT_ACCURACY = Measure("Object accuracy", "accuracy", "%")
OBJECTNESS_ACCURACY = Measure("Proposal accuracy, point by point", "objectness_accuracy", "%")
BOX_LOSS = Measure("Regression loss, evaluated", "box_loss", log=True)
PIXEL_ERROR = Measure("Error of the best-scoring proposal", "pixel_error", "px")
MEAN_IOU = Measure("Mean IoU of the best-scoring proposal", "mean_iou")
TRAINING_LOSS = Measure("Loss", "loss_total", log=True)
LOSS = Measure("Total loss, weighted", "loss_total", log=True)
OBJECTNESS_LOSS = Measure("Loss of the proposal classifier", "loss_objectness", log=True)
TRAINED_BOX_LOSS = Measure("Loss of the box regression", "loss_box", log=True)
OBJECT_LOSS = Measure("Loss of the object classifier", "loss_classification", log=True)
SIX = (OBJECTNESS_ACCURACY, OBJECT_ACCURACY, LOSS, OBJECTNESS_LOSS, TRAINED_BOX_LOSS, OBJECT_LOSS)


def figure(record: Record, heading: str, measures: Sequence[Measure], *sentences: str) -> Figure | None:
    """One panel for each measure that the record has, with the sentences as caption; None where it has no measure."""
    lines = [(measure, shown) for measure in measures if (shown := _lines(record, measure))]
    if not lines:
        return None
    panels = [
        charts.curve_panel(
            measure.heading,
            shown,
            measure.unit,
            measure.log,
            reference=record.published.value if record.published and measure.curve == record.headline else None,
            subject=f" for {record.id} ({record.recipe} recipe)",
        )
        for measure, shown in lines
    ]
    labels = {label for _, shown in lines for label, _ in shown}
    keys = [Key(label, colour) for label, colour in COLOURS.items() if label in labels]
    if record.published and any(measure.curve == record.headline for measure, _ in lines):
        level = metrics.published_value(record.headline, record.published.value)
        keys.append(Key(f"published: {level}", "currentColor", "dotted"))
    if len(record.seeds) > 1:
        keys.append(Key(f"from the lowest to the highest of {len(record.seeds)} seeds", "currentColor", "band"))
    return Figure(f"{heading}, {record.recipe} recipe", " ".join(filter(None, sentences)), panels, keys)


def _lines(record: Record, measure: Measure) -> list[tuple[str, charts.Line]]:
    curves = {"training": record.curve(f"{measure.curve}_train"), "test": record.curve(f"{measure.curve}_test")}
    return [(label, charts.Line(curve.x, curve.y, COLOURS[label])) for label, curve in curves.items() if curve]


def passing(record: Record) -> str:
    """A sentence on where the test curve of the headline first beats the published value, or nothing without these."""
    published, curve = record.published, record.curve(f"{record.headline}_test")
    if published is None or curve is None:
        return ""
    better = [(y > published.value) == (published.better == "higher") and y != published.value for y in curve.mean]
    shown = metrics.published_value(record.headline, published.value)
    if not any(better):
        return prose("never passed", published=shown)
    return prose("passed", published=shown, iteration=curve.x[better.index(True)], stays=better[-1])


def gap(record: Record, curve: str = "accuracy") -> str:
    """A sentence on the last training and test value of an accuracy, or nothing where one is not there."""
    train, test = record.curve(f"{curve}_train"), record.curve(f"{curve}_test")
    if not train or not test:
        return ""
    a, b = train.mean[-1], test.mean[-1]
    return prose("gap", train=a, test=b, points=phrases.points(a, b))


def fall(record: Record, curve: str, name: str) -> str:
    """A sentence on the first and the last value of a loss in training, or nothing where it is not there."""
    loss = record.curve(f"{curve}_train")
    if not loss or len(loss.x) < 2:
        return ""
    first, last = loss.mean[0], loss.mean[-1]
    if min(first, last) <= 0:
        return ""
    change = phrases.compare(first, last, "smaller", "larger", "unchanged")
    return prose("fall", name=name, first=first, last=last, change=change)


def pace(record: Record) -> str:
    """Which part of a detector learns faster: a test of the report's first observation (A1)."""
    proposals, objects = record.curve("objectness_accuracy_test"), record.curve("accuracy_test")
    if not proposals or not objects or len(objects.x) < 2:
        return ""
    early, late = (round(ninety(curve.x, curve.mean)) for curve in (proposals, objects))
    return prose("pace", early=early, late=late)
