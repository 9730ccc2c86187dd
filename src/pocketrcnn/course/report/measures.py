"""The measures of the observations: what they are called, and how their values and differences are shown."""

from dataclasses import dataclass
from typing import Literal

from ...report import phrases
from ...report.phrases import NBSP
from ..observations import ON_GPU, ON_PROCESSOR

Kind = Literal["fraction", "overlap", "iterations", "milliseconds"]


@dataclass(frozen=True)
class Measure:
    """The name of a measure in a sentence, and what kind of number it is."""

    words: str
    kind: Kind

    def shown(self, value: float) -> str:
        """A value with its unit."""
        match self.kind:
            case "fraction":
                return phrases.percent(value, 2)
            case "overlap":
                return phrases.fixed(value, 3)
            case "iterations":
                return phrases.fixed(value, 0)
            case "milliseconds":
                return f"{value:.3g}{NBSP}ms"

    def difference(self, value: float) -> str:
        """A difference with its sign, without a unit that stands in the head of its column."""
        scaled, decimals = {"fraction": (100 * value, 2), "overlap": (value, 4), "iterations": (value, 0)}.get(
            self.kind, (value, 2)
        )
        return f"{scaled:+.{decimals}f}".replace("-", "−")

    def amount(self, value: float) -> str:
        """A margin: `10 points`, `0.01`."""
        size = 100 * value if self.kind == "fraction" else value
        unit = phrases.plural(size, "point") if self.kind == "fraction" else self.unit
        return f"{size:g} {unit}".strip()

    @property
    def unit(self) -> str:
        """The unit of a difference."""
        return {"fraction": "points", "overlap": "", "iterations": "iterations", "milliseconds": "ms"}[self.kind]


CURVES = {
    "loss_objectness_train": "loss of proposal classification",
    "loss_box_train": "loss of box regression",
    "loss_classification_train": "loss of object classification",
    "objectness_accuracy_test": "proposal accuracy",
    "mean_iou_test": "mean IoU",
    "accuracy_test": "object accuracy",
}
WHERE = {"one": "one thread", "all": "all threads", "gpu": "GPU"}
TIMES = {
    time.name: f"{time.way}, {phrases.several(time.batch, 'image')}, {WHERE[time.where]}"
    for time in (*ON_PROCESSOR, *ON_GPU)
}
MEASURES = {
    "accuracy": Measure("test accuracy", "fraction"),
    "training_accuracy": Measure("training accuracy", "fraction"),
    "mean_iou": Measure("mean IoU", "overlap"),
    **{f"ninety_{name}": Measure(words, "iterations") for name, words in CURVES.items()},
    **{name: Measure(words, "milliseconds") for name, words in TIMES.items()},
}
