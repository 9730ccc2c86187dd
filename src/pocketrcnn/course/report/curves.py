"""From the curves of a record to panels with their alternative text, and sentences about a curve."""

from collections.abc import Sequence
from dataclasses import dataclass

from ...report import charts, phrases
from ...report.blocks import Figure, Key, Panel
from ...report.colours import BLUE, ORANGE
from ...report.prose import Prose
from . import metrics
from .records import Curve, Record, Results

TRAIN_COLOUR, TEST_COLOUR = ORANGE, BLUE
prose = Prose(__name__, "curves.md")


@dataclass(frozen=True)
class Measure:
    """What a panel shows: the name of the curve (without `_train` and `_test`), unit and axis."""

    heading: str
    curve: str
    unit: str = ""
    log: bool = False
    metric: str = ""
    """The metric of the curve, whose published value is drawn beside it."""


ACCURACY = Measure("Accuracy", "accuracy", "%", metric="accuracy")
OBJECT_ACCURACY = Measure("Object accuracy", "accuracy", "%", metric="accuracy")
OBJECTNESS_ACCURACY = Measure(
    "Proposal accuracy, point by point", "objectness_accuracy", "%", metric="objectness_accuracy"
)
BOX_LOSS = Measure("Regression loss, evaluated", "box_loss", log=True, metric="box_loss")
PIXEL_ERROR = Measure("Error of the best-scoring proposal", "pixel_error", "px", metric="pixel_error")
MEAN_IOU = Measure("Mean IoU of the best-scoring proposal", "mean_iou", metric="mean_iou")
TRAINING_LOSS = Measure("Loss", "loss_total", log=True)
LOSS = Measure("Total loss, weighted", "loss_total", log=True)
OBJECTNESS_LOSS = Measure("Loss of the proposal classifier", "loss_objectness", log=True)
TRAINED_BOX_LOSS = Measure("Loss of the box regression", "loss_box", log=True)
OBJECT_LOSS = Measure("Loss of the object classifier", "loss_classification", log=True)
SIX = (OBJECTNESS_ACCURACY, OBJECT_ACCURACY, LOSS, OBJECTNESS_LOSS, TRAINED_BOX_LOSS, OBJECT_LOSS)


def figure(results: Results, record: Record, heading: str, measures: Sequence[Measure], caption: str) -> Figure | None:
    """One panel for each measure that the record has; None where it has none of them."""
    panels = [made for measure in measures if (made := panel(results, record, measure))]
    if not panels:
        return None
    return Figure(heading, caption, panels, _keys(results, record, measures))


def panel(results: Results, record: Record, measure: Measure) -> Panel | None:
    """The chart of one measure, with training and test curve where both are there."""
    lines = [(label, charts.Line(curve.x, curve.y, colour)) for label, curve, colour in _curves(record, measure)]
    if not lines:
        return None
    subject, reference = f" for {record.id} ({record.recipe} recipe)", _reference(results, record, measure)
    return charts.curve_panel(measure.heading, lines, measure.unit, measure.log, reference=reference, subject=subject)


def _curves(record: Record, measure: Measure) -> list[tuple[str, Curve, str]]:
    names = ((f"{measure.curve}_train", "training", TRAIN_COLOUR), (f"{measure.curve}_test", "test", TEST_COLOUR))
    known = [(label, record.curves[name], colour) for name, label, colour in names if name in record.curves]
    return [entry for entry in known if entry[1].x]


def _reference(results: Results, record: Record, measure: Measure) -> float | None:
    if record.published is None or not results.comparable or measure.metric != record.headline:
        return None
    return record.published.value


def _keys(results: Results, record: Record, measures: Sequence[Measure]) -> list[Key]:
    labels = {label for measure in measures for label, *_ in _curves(record, measure)}
    keys = []
    if "training" in labels:
        keys.append(Key("training", TRAIN_COLOUR))
    if "test" in labels:
        keys.append(Key("test", TEST_COLOUR))
    if record.published and any(_reference(results, record, m) is not None and _curves(record, m) for m in measures):
        shown = metrics.published_value(record.headline, record.published.value)
        keys.append(Key(f"published: {shown}", "currentColor", "dotted"))
    if len(record.seeds) > 1:
        keys.append(Key(f"from the lowest to the highest of {len(record.seeds)} seeds", "currentColor", "band"))
    return keys


def passing(results: Results, record: Record, measure: Measure) -> str:
    """A sentence on where the test curve first is better than the published value, or nothing where none is drawn."""
    level, curve = _reference(results, record, measure), record.curves.get(f"{measure.curve}_test")
    if level is None or record.published is None or curve is None or not curve.x:
        return ""
    better = [(y > level) == (record.published.better == "higher") and y != level for y in curve.mean]
    shown = metrics.published_value(record.headline, level)
    if not any(better):
        return prose("never passed", published=shown)
    return prose("passed", published=shown, iteration=curve.x[better.index(True)], stays=better[-1])


def ninety(curve: Curve) -> float | None:
    """The first iteration at which nine tenths of the way from the first to the last value are covered."""
    mean = curve.mean
    if len(mean) < 2 or mean[0] == mean[-1]:
        return None
    goal = mean[0] + 0.9 * (mean[-1] - mean[0])
    rising = mean[-1] > mean[0]
    return next(x for x, y in zip(curve.x, mean, strict=True) if (y >= goal if rising else y <= goal))


def gap(record: Record, curve: str = "accuracy") -> str:
    """A sentence on the last training and test value of an accuracy, or nothing where one is not there."""
    train, test = record.curves.get(f"{curve}_train"), record.curves.get(f"{curve}_test")
    if not train or not test or not train.x or not test.x:
        return ""
    a, b = train.mean[-1], test.mean[-1]
    return prose("gap", train=a, test=b, points=phrases.points(a, b))


def fall(record: Record, curve: str, name: str) -> str:
    """A sentence on the first and the last value of a loss in training, or nothing where it is not there."""
    loss = record.curves.get(f"{curve}_train")
    if not loss or len(loss.x) < 2 or min(loss.mean[0], loss.mean[-1]) <= 0:
        return ""
    first, last = loss.mean[0], loss.mean[-1]
    change = phrases.compare(first, last, "smaller", "larger", "unchanged")
    return prose("fall", name=name, first=first, last=last, change=change)


def pace(record: Record) -> str:
    """Which part of a detector learns faster: a test of the report's first observation (A1)."""
    proposals, objects = record.curves.get("objectness_accuracy_test"), record.curves.get("accuracy_test")
    if not proposals or not objects or not proposals.x or not objects.x:
        return ""
    early, late = ninety(proposals), ninety(objects)
    return "" if early is None or late is None else prose("pace", early=early, late=late)


def join(*sentences: str) -> str:
    """Sentences in a row, without the empty ones."""
    return " ".join(sentence for sentence in sentences if sentence)
