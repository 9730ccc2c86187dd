"""The observations A1 to A7: the table of verdicts, and a section for each."""

import statistics
from collections.abc import Sequence

from ...report import charts, phrases
from ...report.blocks import Block, Cell, Figure, Key, Panel, Row, Section, Table, Text
from ...report.colours import BLUE, COLOURS
from ...report.prose import Prose
from ..observations import OBSERVATIONS
from ..verdicts import Outcome
from .charts import arm_chart
from .explained import explanation
from .measures import CURVES, MEASURES, TIMES
from .records import Observed, ObservedArm, Record, Results

ABOUT = "course"  # the recipe that all claims are about
prose = Prose(__name__, "observations.md")


def verdict_table(results: Results) -> Table | None:
    """One line an observation: what the report claims, and whether the runs under each recipe confirm it."""
    recipes = list(dict.fromkeys(one.recipe for one in results.observations))
    made = {(one.id, one.recipe): one for one in results.observations}
    rows = [
        Row([Cell(o.id, o.id.lower()), o.claim, *(verdict_cell(made.get((o.id, recipe))) for recipe in recipes)])
        for o in OBSERVATIONS.values()
        if any((o.id, recipe) in made for recipe in recipes)
    ]
    columns = ["", "the report's claim", *(f"{recipe} recipe" for recipe in recipes)]
    return Table(prose("verdicts"), columns, rows) if rows else None


def verdict_cell(one: Observed | None) -> Cell | str:
    """A verdict with its number of seeds."""
    if one is None:
        return "–"
    text = f"{one.verdict} (n = {one.seeds})"
    return text if one.verdict == "undecided" else Cell(text, strong=True)


def sections(results: Results) -> list[Section]:
    """A section for each observation; one on all of them where none was put to the test."""
    if not results.observations:
        text = prose("none", command=results.adding("A", ABOUT))
        return [Section("observations", "The report's observations", [Text([text], "note")], short="Observations")]
    return [section(results, id) for id in OBSERVATIONS]


def section(results: Results, id: str) -> Section:
    """One observation under each recipe."""
    made = [one for one in results.observations if one.id == id]
    blocks: list[Block] = [Text([f"“{OBSERVATIONS[id].claim}”", *prose.paragraphs(id)])]
    for one in made:
        blocks += [Text([verdict(one)]), outcome_table(one), *figures(results, one)]
    if not made:
        blocks.append(Text([prose("missing", id=id, command=results.adding(id, ABOUT))], "note"))
    return Section(id.lower(), f"{id}: {TITLES[id]}", blocks, short=id)


TITLES = {
    "A1": "which part learns faster",
    "A2": "alternating against joint training",
    "A3": "weights of the losses",
    "A4": "the box that is cropped in training",
    "A5": "overfitting, and what helps",
    "A6": "the three bases by accuracy",
    "A7": "the three bases by time",
}


def verdict(one: Observed) -> str:
    """The verdict and one sentence of explanation."""
    missing = [MEASURES[outcome.left.measure].words for outcome in one.missing]
    few = one.verdict == "undecided" and one.seeds < 3
    return prose("verdict", it=one, few=few, explanation=explanation(one), missing=list(dict.fromkeys(missing)))


def outcome_table(one: Observed) -> Table:
    """One line a comparison: what is claimed, both sides, their difference with its interval, the verdict."""
    columns = ["claimed", "#first", "#second", "#difference", "#95 % interval", "#n", "verdict"]
    rows = [outcome_row(one, outcome) for outcome in one.outcomes if outcome.n]
    return Table(prose("outcomes", recipe=one.recipe, seeds=one.seeds, timed=is_timed(one)), columns, rows)


def outcome_row(one: Observed, outcome: Outcome) -> Row:
    """The cells of one comparison."""
    measure, low, high = MEASURES[outcome.left.measure], outcome.low, outcome.high
    interval = "–" if low is None or high is None else f"{measure.difference(low)} to {measure.difference(high)}"
    difference = "–" if outcome.mean is None else f"{measure.difference(outcome.mean)} {measure.unit}".strip()
    means = statistics.fmean(outcome.lefts), outcome.right.factor * statistics.fmean(outcome.rights)
    verdict = f"({outcome.verdict})" if outcome.beside else outcome.verdict
    return Row([claimed(one, outcome), *map(measure.shown, means), difference, interval, str(outcome.n), verdict])


def claimed(one: Observed, outcome: Outcome) -> str:
    """`test accuracy: dropout 0.3 > F2 ConvNet`; `F2 ConvNet: training accuracy > test accuracy + 10 points`."""
    left, right, measure = outcome.left, outcome.right, MEASURES[outcome.left.measure]
    arms = one.arms[left.arm].words, one.arms[right.arm].words
    same = left.arm == right.arm
    head, sides = (arms[0], (measure.words, MEASURES[right.measure].words)) if same else (measure.words, arms)
    second = sides[1] if right.factor == 1 else f"{right.factor:g} × {sides[1]}"
    margin = outcome.margin if outcome.direction == "higher" else -outcome.margin
    more = f" {'+' if margin > 0 else '−'} {measure.amount(abs(margin))}" if margin else ""
    return f"{head}: {sides[0]} {'>' if outcome.direction == 'higher' else '<'} {second}{more}"


def is_timed(one: Observed) -> bool:
    """Whether its arms were timed."""
    return OBSERVATIONS[one.id].timed


def figures(results: Results, one: Observed) -> list[Block]:
    """Every arm with every seed as a dot; or the curves of the base; or times."""
    observation = OBSERVATIONS[one.id]
    match observation.shows:
        case "arms":
            return [dots(one, observation.measures)]
        case "curves":
            bases = [arm.experiment for arm in one.arms.values()]
            return [progress(record) for record in results.find(*bases) if record.recipe == one.recipe]
        case "times":
            measured = next(iter(one.arms.values())).measures
            return [times_table(one), dots(one, [name for name in MAIN_TIMES if name in measured])]


MAIN_TIMES = ("training_100_all", "training_100_gpu")


def dots(one: Observed, measures: Sequence[str]) -> Figure:
    """A panel for each measure: a dot for each seed of each arm, their mean and its interval."""
    panels = []
    for name in measures:
        measure, rows = MEASURES[name], [(arm.words, arm.measures[name]) for arm in one.arms.values()]
        values = "; ".join(f"{words} {measure.shown(statistics.fmean(row))}" for words, row in rows)
        uri = arm_chart(rows, measure.kind == "fraction", "ms" if measure.kind == "milliseconds" else "")
        alt = f"Dot chart, {measure.words} of each arm, {one.recipe} recipe: {values}."
        panels.append(Panel(uri, alt, phrases.sentence(measure.words)))
    keys = [Key("round" if is_timed(one) else "seed", BLUE, "dot"), Key("mean, with its 95 % interval", "currentColor")]
    caption = prose("dots", n=one.seeds, timed=is_timed(one), arms=[settings(arm) for arm in one.arms.values()])
    return Figure(f"{one.id}, arm by arm, {one.recipe} recipe", caption, panels, keys)


def settings(arm: ObservedArm) -> str:
    """What an arm changes: `dropout 0.3: model.roi.dropout = 0.3`; nothing for a base."""
    changes = ", ".join(f"`{name} = {value}`" for name, value in arm.settings.items() if "phases" not in name)
    return f"{arm.words}: {changes}" if changes else ""


def progress(record: Record) -> Figure:
    """The six curves of A1 on one axis: how much of its way each has come."""
    panels, keys = [], []
    for heading, names in (("Losses in training", list(CURVES)[:3]), ("On test images", list(CURVES)[3:])):
        lines = [
            (CURVES[name], charts.Line(curve.x, [part_of_way(y) for y in curve.y], colour))
            for name, colour in zip(names, COLOURS, strict=False)
            if (curve := record.curve(name))
        ]
        panels.append(
            charts.curve_panel(heading, lines, "%", subject=f" for {record.id} ({record.recipe} recipe)", reference=0.9)
        )
    keys = [Key(label, colour) for label, colour in zip(KEYS, COLOURS, strict=False)]
    keys.append(Key("nine tenths of the way", "currentColor", "dotted"))
    return Figure(
        f"How much of its way each measure has come, {record.recipe} recipe",
        prose("progress", n=len(record.seeds)),
        panels,
        keys,
    )


KEYS = "proposal classification", "boxes", "object classification"


def part_of_way(values: Sequence[float]) -> list[float]:
    """From 0 at the first value to 1 at the last."""
    way = values[-1] - values[0]
    return [(value - values[0]) / way if way else 1.0 for value in values]


def times_table(one: Observed) -> Table:
    """Milliseconds by arm and way, beside the multiplications."""
    arms, measured = list(one.arms.values()), next(iter(one.arms.values())).measures
    base = arms[0]
    rows = [Row(["multiplications for an image", *times_cells([float(arm.multiplications) for arm in arms], "count")])]
    for name in TIMES:
        if name in measured:
            rows.append(Row([TIMES[name], *times_cells([statistics.fmean(arm.measures[name]) for arm in arms], "ms")]))
    columns = ["", *(f"#{arm.words}" for arm in arms), *(f"#{arm.experiment} / {base.experiment}" for arm in arms[1:])]
    return Table(prose("times", n=one.seeds, recipe=one.recipe), columns, rows)


def times_cells(values: Sequence[float], unit: str) -> list[str]:
    """Values, and their ratios to the first one."""
    shown = [phrases.count(value) if unit == "count" else f"{value:.3g} ms" for value in values]
    return [*shown, *(f"{value / values[0]:.2f}" for value in values[1:])]
