"""The page of a sweep: its trials, each setting against the metric, curves: a function of `trials.json` and of the
summaries of its runs. No torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...errors import shown
from ...evaluation.tables import number
from ...report import phrases
from ...report.blocks import Block, Cell, Code, Figure, Key, Page, Panel, Row, Section, Table, Text
from ...report.colours import BLUE, ORANGE
from ...report.html import html
from ...report.phrases import Stat, machine
from ...report.prose import Prose
from ..sweep.record import LONGER
from ..sweep.space import in_words, written
from . import charts, training
from .compare import Summary

prose = Prose(__name__, "sweep.md")
SHOWN = 25  # rows of the table of trials; further ones are folded
CURVES = 8  # trials whose curves are drawn: there are as many colours


def render_sweep(about: Mapping[str, Any], runs: Sequence[Summary], linked: bool = True) -> str:
    """The page of a sweep. about: what is in `trials.json`. runs: those of the trials whose curves are drawn, each by
    the name of its trial. linked: whether the page stands in the folder of the sweep, beside the reports."""
    return html(page_of(about, runs, linked))


def ranked(about: Mapping[str, Any]) -> list[Summary]:
    """The trials that have a mean, the best first."""
    known = [trial for trial in about["trials"] if mean(about, trial) is not None]
    return sorted(known, key=lambda trial: mean(about, trial) or 0.0, reverse=True)


def mean(about: Mapping[str, Any], trial: Summary) -> float | None:
    """What decides."""
    value: float | None = trial["mean"][about["metric"]]
    return value


def drawn(about: Mapping[str, Any]) -> list[str]:
    """The names of the trials whose curves are drawn."""
    return [trial["name"] for trial in ranked(about)[:CURVES]]


def page_of(about: Mapping[str, Any], runs: Sequence[Summary], linked: bool) -> Page:
    """The page as blocks."""
    order = ranked(about)
    best = order[0] if order else None
    failed = [trial for trial in about["trials"] if trial["state"] == "failed"]
    sections = [Section("trials", "All trials", table_blocks(about, order, linked), short="Trials")]
    sections += [Section("settings", "Each setting against the metric", [pictures(about, order)], short="Settings")]
    sections += [training.section(titled(runs, order))] if runs else []
    sections += [failures(failed)] if failed else []
    sections += [next_steps(about, best)] if best else []
    return Page(
        title=f"{about['name']}: a sweep of pocket-rcnn",
        heading=f"Sweep {about['name']}",
        version=about["version"],
        created=max((run["created"] for run in runs), default=""),
        source="the folder of the sweep",
        figures=key_figures(about, best, failed),
        introduction=introduction(about, order, failed, runs),
        sections=[section for section in sections if section.blocks],
    )


def titled(runs: Sequence[Summary], order: Sequence[Summary]) -> list[Summary]:
    """The runs under the names of their trials, with the values of the settings."""
    values = {
        trial["name"]: ", ".join(shown(written(value)) for value in trial["settings"].values()) for trial in order
    }
    return [{**run, "name": f"{run['name']}: {values[run['name']]}"} for run in runs]


def key_figures(about: Mapping[str, Any], best: Summary | None, failed: Sequence[Summary]) -> list[tuple[str, str]]:
    """The numbers that matter most."""
    done = sum(trial["state"] == "finished" for trial in about["trials"])
    figures = [("Trials", f"{done} of {about['planned']}" if done < about["planned"] else str(done))]
    figures += [("Failed", str(len(failed)))] if failed else []
    figures += [("Runs a trial", str(about["seeds"]))]
    if best is None:
        return figures
    metrics = [(f"Best {metric}", measured(best, metric)) for metric in (about["metric"], "AP50")]
    return [*metrics, *((name, written(value)) for name, value in best["settings"].items()), *figures]


def measured(trial: Summary, metric: str) -> str:
    """Mean and standard deviation of a trial: `0.512 ± 0.010`."""
    deviation = trial["deviation"][metric]
    mean = number(trial["mean"][metric])
    return mean if deviation is None else f"{mean}{phrases.NBSP}±{phrases.NBSP}{number(deviation)}"


def introduction(
    about: Mapping[str, Any], order: Sequence[Summary], failed: Sequence[Summary], runs: Sequence[Summary]
) -> list[str]:
    """What was tried, and how clearly the best is the best."""
    stats = [stat_of(trial, about["metric"]) for trial in order[:2]]
    names = [f"`{trial['name']}` ({in_words(trial['settings'])})" for trial in order[:2]]
    apart = phrases.apart(names[0], stats[0], names[1], stats[1]) if len(order) > 1 else ""
    values = {
        "length": f"{about['minutes']:g} min" if about["minutes"] else f"{about['iterations']:,} iterations",
        "names": [f"`{name}`" for name in about["varied"]],
        "done": len(order),
        "left": about["planned"] - len(order) - len(failed),
        "failed": len(failed),
        "best": names[0] if names else "",
        "ahead": apart,
        "machine": machine(runs[0]["hardware"]) if runs else "",
    }
    return prose.paragraphs("introduction", **{**about, **values})


def stat_of(trial: Summary, metric: str) -> Stat:
    """A metric over the runs of a trial."""
    values = values_of(trial, metric)
    return Stat(len(values), trial["mean"][metric], trial["deviation"][metric] or 0.0, values)


def values_of(trial: Summary, metric: str) -> list[float]:
    """A metric of each run of a trial."""
    return [run[metric] for run in trial["runs"].values()]


def table_blocks(about: Mapping[str, Any], order: Sequence[Summary], linked: bool) -> list[Block]:
    """All trials with a metric, the best first; those behind the first ones are folded."""
    names = list(about["varied"])
    columns = ["trial", *(f"#{name}" for name in names), "#AP", "#AP50", "#AP75", "#runs", "#time"]
    rows = [row_of(trial, names, order[0]["name"], linked) for trial in order]
    first, rest = rows[:SHOWN], rows[SHOWN:]
    caption = prose("table", seeds=about["seeds"], linked=linked)
    blocks: list[Block] = [Table(caption, columns, first)] if first else []
    more = f"{phrases.several(len(rest), 'further trial')}"
    return blocks + ([Table("The others.", columns, rest, more)] if rest else [])


def row_of(trial: Summary, names: Sequence[str], best: str, linked: bool) -> Row:
    """A trial as a row."""
    is_best = trial["name"] == best
    name = Cell(trial["name"], page=f"{trial['name']}/report.html") if linked else trial["name"]
    settings = [written(trial["settings"][name]) for name in names]
    metrics: list[str | Cell] = [Cell(measured(trial, metric), strong=is_best) for metric in ("AP", "AP50")]
    metrics += [measured(trial, "AP75")]
    if not is_best:
        metrics = [measured(trial, metric) for metric in ("AP", "AP50", "AP75")]
    return Row([name, *settings, *metrics, str(len(trial["runs"])), phrases.duration(trial["seconds"])])


def pictures(about: Mapping[str, Any], order: Sequence[Summary]) -> Block:
    """A chart for each setting: its values, and what became of them."""
    if not order:
        return Text([prose("none")], "note")
    panels = [panel_of(about, name, order) for name in about["varied"]]
    several = about["seeds"] > 1
    keys = [Key("trial" if not several else "mean of a trial", BLUE, "dot"), Key("the best", ORANGE, "dot")]
    keys += [Key("one run", BLUE, "ring")] if several else []
    return Figure(
        f"{about['metric']} on validation images",
        prose("pictures", several=several, others=len(panels) > 1),
        panels,
        keys,
    )


def panel_of(about: Mapping[str, Any], name: str, order: Sequence[Summary]) -> Panel:
    """A setting against the metric."""
    metric, varied = about["metric"], about["varied"][name]
    points = [charts.Tried(trial["settings"][name], trial["mean"][metric], values_of(trial, metric)) for trial in order]
    best = f"best at {written(order[0]['settings'][name])}"
    uri = charts.tried_chart(points, name, log=varied.get("log"), known=varied.get("values"))
    return Panel(uri, f"{metric} of {phrases.several(len(points), 'trial')} over {name}: {best}.", name)


def failures(failed: Sequence[Summary]) -> Section:
    """The trials that failed, with the reason."""
    rows = [Row([trial["name"], in_words(trial["settings"]), trial["reason"]]) for trial in failed]
    table = Table("These trials could not be trained to the end.", ["trial", "settings", "reason"], rows)
    return Section("failed", "Trials that failed", [table], short="Failed")


def next_steps(about: Mapping[str, Any], best: Summary) -> Section:
    """What to do with the best trial, and how the sweep was started."""
    blocks: list[Block] = [
        Text(prose.paragraphs("longer", **{**about, "times": LONGER})),
        Code(about["longer"]),
        Text(prose.paragraphs("test", best=best["name"])),
        Code(f"pocketrcnn eval {about['name']}"),
    ]
    if about["command"]:
        blocks += [Text(prose.paragraphs("command")), Code(about["command"])]
    return Section("next", "What comes next", blocks, short="Next")
