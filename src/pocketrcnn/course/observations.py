"""The report's observations A1 to A7, as data: what each claims, and which runs decide it. No torch here.

An arm is an experiment with settings that differ in what a claim is about and in nothing else. A comparison says which
of two quantities should be the larger one; `verdicts.py` holds the rule that decides it, fixed before the runs.
"""

from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from ..config import Config, replace
from .experiments import ALTERNATING, EXPERIMENTS, PREDICTED_LATER, Experiment

POINT = 0.01  # of accuracy or IoU: what "no better" and "not much better" leave open
OVERFITTED = 0.1  # training accuracy above test accuracy by so much, at least
ALIKE = 0.25  # of a time: what counts as "about the same"


@dataclass(frozen=True)
class Arm:
    """An experiment, with other values for some settings (names as in `config.replace`)."""

    name: str
    """In the names of its runs; empty for the experiment itself."""
    experiment: Experiment
    words: str
    settings: tuple[tuple[str, Any], ...] = ()

    def config(self, recipe: str, iterations: int, source: str, seed: int) -> Config:
        """The settings of one run."""
        return replace(self.experiment.config(recipe, iterations, source, seed), **dict(self.settings))

    def is_plain(self, recipe: str) -> bool:
        """Whether the recipe already has these settings: then the arm is the experiment itself, trained once."""
        size = 1000, "cifar10", 0  # any: the same on both sides
        return self.config(recipe, *size) == self.experiment.config(recipe, *size)


def _detector(name: str, words: str, **settings: Any) -> Arm:
    return Arm(name, EXPERIMENTS["F2"], words, tuple(settings.items()))


BASES = {"B1": "ConvNet", "B2": "MobileNet", "B3": "ResNet", "F2": "ConvNet", "F3": "MobileNet", "F4": "ResNet"}
# Behind `equal-losses`: before the first step the losses are 0.71 (objectness), 0.037 (boxes) and 2.39 (classes), the
# mean of three seeds and three batches under the course recipe.
ARMS = {
    arm.name or arm.experiment.id: arm
    for arm in (
        *(Arm("", EXPERIMENTS[id], f"{id} {base}") for id, base in BASES.items()),
        _detector("alternating", "alternating", train__phases=ALTERNATING),
        _detector("equal-weights", "(1, 1, 1)", loss__objectness=1.0, loss__box=1.0),
        _detector("equal-losses", "(3.4, 64, 1), equal", loss__objectness=3.4, loss__box=64.0),
        _detector("box-100", "(1, 100, 1)", loss__objectness=1.0, loss__box=100.0),
        _detector("pocket-weights", "(1, 60, 1)", loss__objectness=1.0, loss__box=60.0),
        _detector("true-box", "true box", model__roi__train_box="truth", model__roi__jitter=0.0),
        _detector("predicted-box", "predicted box", model__roi__train_box="predicted", model__roi__jitter=0.0),
        _detector("jittered-box", "true with noise", model__roi__train_box="jittered", model__roi__jitter=0.05),
        _detector(
            "predicted-later",
            "true, later predicted",
            model__roi__train_box="truth",
            model__roi__jitter=0.0,
            train__phases=PREDICTED_LATER,
        ),
        _detector("dropout-0.3", "dropout 0.3", model__roi__dropout=0.3),
        _detector("dropout-0.5", "dropout 0.5", model__roi__dropout=0.5),
        _detector("weight-decay", "weight decay 0.05", optim__weight_decay=0.05, optim__bias_decay=0.05),
        _detector("augmentation", "flips and shifts", augment__flip="random", augment__shift=4),
        _detector("fresh-scenes", "fresh scenes", data__fresh=True),
    )
}


@dataclass(frozen=True)
class Quantity:
    """A measure of an arm, times a factor. `quantities.py` says what the measures are."""

    arm: str
    measure: str
    factor: float = 1.0


@dataclass(frozen=True)
class Comparison:
    """`left` is `higher` or `lower` than `right` by more than `margin`; a negative margin is one of tolerance.

    beside: it is shown, and no part of the claim.
    """

    left: Quantity
    direction: Literal["higher", "lower"]
    right: Quantity
    margin: float = 0.0
    beside: bool = False


@dataclass(frozen=True)
class Observation:
    """A claim of the report, and the comparisons that it predicts."""

    id: str
    claim: str
    comparisons: tuple[Comparison, ...]
    measures: tuple[str, ...] = ()
    """What its charts show, arm by arm."""
    beside: tuple[str, ...] = ()
    """Arms that are shown and take part in no comparison."""
    recipes: tuple[str, ...] = ("pocket", "course")
    """Under which the claim makes sense."""
    shows: Literal["arms", "curves", "times"] = "arms"
    """Every arm with every seed; curves of one arm; or times: then its arms are not trained, but timed."""

    @property
    def timed(self) -> bool:
        """Whether its arms are timed."""
        return self.shows == "times"

    @property
    def arms(self) -> tuple[str, ...]:
        """All its arms, in the order of ARMS."""
        sides = {side.arm for one in self.comparisons for side in (one.right, one.left)}
        return tuple(name for name in ARMS if name in sides or name in self.beside)


def _above(base: str, *arms: str, beside: bool = False) -> tuple[Comparison, ...]:
    """Each arm has a higher test accuracy than the base."""
    return tuple(
        Comparison(Quantity(arm, "accuracy"), "higher", Quantity(base, "accuracy"), beside=beside) for arm in arms
    )


def _no_better(arm: str, base: str, measure: str) -> Comparison:
    return Comparison(Quantity(arm, measure), "lower", Quantity(base, measure), -POINT)


def _much_sooner(first: str, second: str) -> Comparison:
    """In less than half the iterations."""
    return Comparison(Quantity("F2", f"ninety_{first}"), "lower", Quantity("F2", f"ninety_{second}", 0.5))


def _overfitted(arm: str) -> Comparison:
    return Comparison(Quantity(arm, "training_accuracy"), "higher", Quantity(arm, "accuracy"), OVERFITTED)


def _much_faster(time: "Time", beside: bool) -> Comparison:
    """The MobileNet in less than half the time of the ConvNet."""
    return Comparison(Quantity("B2", time.name), "lower", Quantity("B1", time.name, 0.5), beside=beside)


def _as_fast(arm: str, time: "Time") -> tuple[Comparison, Comparison]:
    """Within a quarter of the ConvNet's time, either way."""
    slow, fast = Quantity("B1", time.name, 1 + ALIKE), Quantity("B1", time.name, 1 / (1 + ALIKE))
    return Comparison(Quantity(arm, time.name), "lower", slow), Comparison(Quantity(arm, time.name), "higher", fast)


class Time(NamedTuple):
    """What is timed: training or prediction, images at once, and where: `one` thread, `all` threads, `gpu`."""

    way: Literal["training", "prediction"]
    batch: int
    where: Literal["one", "all", "gpu"]

    @property
    def name(self) -> str:
        """As a measure, in milliseconds."""
        return f"{self.way}_{self.batch}_{self.where}"


WAYS: tuple[tuple[Literal["training", "prediction"], int], ...] = (
    ("training", 100), ("training", 2), ("prediction", 100), ("prediction", 1),
)  # fmt: skip
ON_PROCESSOR = [Time(way, batch, where) for way, batch in WAYS for where in ("one", "all")]
ON_GPU = [Time(way, batch, "gpu") for way, batch in WAYS]

OBSERVATIONS = {
    o.id: o
    for o in (
        Observation(
            "A1",
            "Proposal classification and box regression converge much faster than object classification.",
            (
                _much_sooner("loss_objectness_train", "loss_classification_train"),
                _much_sooner("loss_box_train", "loss_classification_train"),
                _much_sooner("objectness_accuracy_test", "accuracy_test"),
                _much_sooner("mean_iou_test", "accuracy_test"),
            ),
            shows="curves",
        ),
        Observation(
            "A2",
            "Alternating training is not much better than joint training.",
            (_no_better("alternating", "F2", "accuracy"), _no_better("alternating", "F2", "mean_iou")),
            ("accuracy", "mean_iou"),
        ),
        Observation(
            "A3",
            "Loss weights that make the three losses equally large do not help; (1, 100, 1) works best.",
            (
                _no_better("equal-losses", "equal-weights", "accuracy"),
                *_above("equal-weights", "box-100"),
                *_above("equal-losses", "box-100"),
            ),
            ("accuracy", "mean_iou"),
            beside=("pocket-weights",),
            recipes=("course",),
        ),
        Observation(
            "A4",
            "The true box for theta in training gives a higher accuracy than the predicted box.",
            _above("predicted-box", "true-box"),
            ("accuracy",),
            beside=("jittered-box", "predicted-later"),
        ),
        Observation(
            "A5",
            "The object classifier overfits, with each of the three bases; regularisation such as dropout helps.",
            (
                *(_overfitted(arm) for arm in ("F2", "F3", "F4")),
                *_above("F2", "dropout-0.3", "dropout-0.5"),
                *_above("F2", "weight-decay", "augmentation", "fresh-scenes", beside=True),
            ),
            ("training_accuracy", "accuracy"),
            recipes=("course",),
        ),
        Observation(
            "A6",
            "The ResNet base is best and the MobileNet base worst, as a classifier and in the detector.",
            (
                *_above("B1", "B3"),
                *_above("B2", "B1"),
                *_above("F2", "F4"),
                *_above("F3", "F2"),
            ),
            ("accuracy",),
        ),
        Observation(
            "A7",
            "On a processor the MobileNet is much faster than the others; on a GPU all three take about the same time.",
            (
                *(_much_faster(time, beside=(time.way, time.batch) != WAYS[0]) for time in ON_PROCESSOR),
                *_as_fast("B2", ON_GPU[0]),
                *_as_fast("B3", ON_GPU[0]),
            ),
            tuple(time.name for time in (*ON_PROCESSOR, *ON_GPU)),
            shows="times",
        ),
    )
}
