"""The report of one run, or of several beside each other: a pure function of their facts (`report.json`). No torch.

Facts are what `run_facts` collects; everything that may be missing in them is said to be missing on the page.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ...evaluation.tables import ERRORS, number
from ...report import phrases
from ...report.blocks import Block, Cell, Code, Page, Row, Section, Table, Text
from ...report.html import html, write
from ...report.phrases import machine
from . import data, gallery, quality, training

Facts = Mapping[str, Any]

NAMED = 10  # classes that the introduction names
UNFINISHED = (
    "This run is not finished: there are curves, and no evaluation yet. `pocketrcnn resume` goes on with it, "
    "`pocketrcnn report` makes this page again."
)
UNJUDGED = "This run has no evaluation: `pocketrcnn eval` makes one, `pocketrcnn report` shows it."
WHAT_AP_IS = (
    "AP is COCO's average precision over IoU 0.50 to 0.95, AP50 and AP75 are those at IoU 0.50 and 0.75, AR is the "
    "part of the objects found, over IoU 0.50 to 0.95. maxDets is the number of detections of a class in an image that "
    "count. Threshold: the score from which on detections are shown, chosen for the best F1 at IoU 0.5."
)


def write_runs(runs: Sequence[Facts], path: Path) -> None:
    """Put the page on one or several runs at `path`. Raises UserError where it cannot be written."""
    write(render_runs(runs), path)


def render_runs(runs: Sequence[Facts]) -> str:
    """The page on one run, or the comparison of several. The same facts give the same text."""
    return html(one(runs[0]) if len(runs) == 1 else several(runs))


def one(run: Facts) -> Page:
    """Everything on a run."""
    judged = {split: run["evaluations"][split] for split in reversed(phrases.in_order(run["evaluations"]))}
    sections = [*data.sections(run), training.section([run])]
    sections += quality.sections(judged) if judged else []
    sections += [*gallery.sections(run), speed([run]), repeat(run)]
    return Page(
        title=f"{run['name']}: a run of pocket-rcnn",
        heading=f"Run {run['name']}",
        version=run["version"],
        created=run["created"],
        source="`report.json`",
        introduction=introduction(run, judged),
        sections=sections,
        table=summary_table({(run["name"], split): found for split, found in judged.items()}) if judged else None,
        banner=warning(run),
        remark=WHAT_AP_IS if judged else "",
    )


def warning(run: Facts) -> str:
    """What the run still lacks."""
    if run["metrics"] is None:
        return UNFINISHED
    return "" if run["evaluations"] or run["settings"]["data.kind"] != "folder" else UNJUDGED


def introduction(run: Facts, judged: Mapping[str, Facts]) -> list[str]:
    """What was trained on what, how long, and how it came out."""
    settings, metrics = run["settings"], run["metrics"]
    kind = "detector" if "model.rpn.anchors" in settings else "classifier"
    points = run["points"]
    done = metrics["iterations"] if metrics else points[-1]["iteration"] if points else 0
    time = f" in {phrases.duration(metrics['seconds'])}" if metrics else ""
    text = (
        f"A {kind} of {subject(settings)}, trained from scratch on `{settings['data.source']}`: "
        f"{phrases.count(done)} iterations of {settings['train.batch']} images of {settings['model.image']} × "
        f"{settings['model.image']} pixels{time} on {machine(run['hardware'])}. "
        f"It has {phrases.count(run['parameters'])} parameters."
    )
    return [text, *(verdict(split, found) for split, found in list(judged.items())[:1])]


def subject(settings: Facts) -> str:
    """The classes by name, or how many there are."""
    names = settings["data.classes"]
    if not names or len(names) > NAMED:
        return f"{settings['model.classes']} classes"
    return f"{phrases.several(len(names), 'class')} ({', '.join(names)})"


def verdict(split: str, found: Facts) -> str:
    """The main figures of an evaluation in a sentence, and what costs most."""
    counts, overall, tide = found["counts"], found["overall"], found["tide"]
    where = f"On {counts['images']:,} {phrases.SPLITS[split]} images with {phrases.count(counts['objects'])} objects"
    if overall["AP"] is None:
        return f"{where} there is no average precision: it needs objects."
    limit = found["max_detections"]
    text = f"{where}, AP50 is {number(overall['AP50'])} and AP {number(overall['AP'])} (maxDets {limit})."
    gains = {kind: tide["gain"][kind] for kind in ERRORS if kind in tide["errors"]} if tide else {}
    worst = max(gains, key=lambda kind: gains[kind], default="")
    if not worst or gains[worst] <= 0:
        return text
    cost = f"without these errors AP50 would be higher by {gains[worst]:.3f}"
    return f"{text} What costs most: {worst} ({ERRORS[worst]}); {cost}."


def summary_table(judged: Mapping[tuple[str, str], Facts]) -> Table:
    """One row an evaluation, by run and split, with everything that AP depends on."""
    columns = [
        "run",
        "images of",
        "#AP",
        "#AP50",
        "#AP75",
        "#AR",
        "#images",
        "#objects",
        "#maxDets",
        "#threshold",
        "#F1",
    ]
    rows = []
    for (name, split), found in judged.items():
        overall, used, counts = found["overall"], found["used"] or {}, found["counts"]
        main: list[str | Cell] = [Cell(number(overall[key]), strong=True) for key in ("AP", "AP50")]
        cells = [*main, number(overall["AP75"]), number(overall["AR"])]
        sizes = [phrases.count(value) for value in (counts["images"], counts["objects"], found["max_detections"])]
        rows.append(
            Row([name, phrases.SPLITS[split], *cells, *sizes, number(used.get("threshold")), number(used.get("f1"))])
        )
    return Table("How good the detections are.", columns, rows)


def several(runs: Sequence[Facts]) -> Page:
    """Runs beside each other: figures, settings that differ, curves on top of each other."""
    runs = [{**run, "name": name} for run, name in zip(runs, distinct([run["name"] for run in runs]), strict=True)]
    shared = set.intersection(*(set(run["evaluations"]) for run in runs))
    chosen = {run["name"]: phrases.in_order(shared or run["evaluations"])[-1:] for run in runs}
    judged = {(run["name"], s): run["evaluations"][s] for run in runs for s in chosen[run["name"]]}
    unjudged = [run["name"] for run in runs if not run["evaluations"]]
    sections = [settings_section(runs), training.section(runs)]
    sections += (
        [quality.comparison([run["name"] for run in runs], {name: found for (name, _), found in judged.items()})]
        if judged
        else []
    )
    text = [
        f"{len(runs)} runs beside each other. A colour stands for the same run in all charts.",
        *over_seeds(runs, judged),
        *fairness(judged),
    ]
    text += [f"Without an evaluation: {phrases.listed(unjudged)}."] if unjudged else []
    return Page(
        title=f"{len(runs)} runs of pocket-rcnn",
        heading=f"{len(runs)} runs compared",
        version=runs[0]["version"],
        created=max(run["created"] for run in runs),
        source="the folders of these runs",
        introduction=text,
        sections=[*sections, speed(runs)],
        table=summary_table(judged) if judged else None,
        remark=WHAT_AP_IS if judged else "",
    )


def over_seeds(runs: Sequence[Facts], judged: Mapping[tuple[str, str], Facts]) -> list[str]:
    """Mean and spread of runs that differ in the seed alone."""
    settings = [{k: v for k, v in run["settings"].items() if k not in follows(run)} for run in runs]
    values = [[found["overall"][name] for found in judged.values()] for name in ("AP50", "AP")]
    alike = all(one == settings[0] for one in settings) and len(judged) == len(runs) and not fairness(judged)
    if not alike or None in values[0]:
        return []
    (half, half_spread), (mean, spread) = ((statistics.fmean(v), statistics.stdev(v)) for v in values)
    shown = f"AP50 is {half:.3f} ± {half_spread:.3f} and AP {mean:.3f} ± {spread:.3f}"
    also = ", and in what was done in their minutes" if runs[0]["settings"].get("train.minutes") else ""
    return [f"They differ in the seed alone{also}: {shown} (mean and standard deviation of {len(runs)} runs)."]


def follows(run: Facts) -> set[str]:
    """The settings that follow from the seed and, in a run of so many minutes, from the speed of the machine."""
    by_time = {"train.iterations", "train.curve_images"} if run["settings"].get("train.minutes") else set()
    return {"train.seed", "data.seed", *by_time}


def distinct(names: Sequence[str]) -> list[str]:
    """The names, numbered where one comes twice."""
    return [f"{name} ({place + 1})" if names.count(name) > 1 else name for place, name in enumerate(names)]


def fairness(judged: Mapping[tuple[str, str], Facts]) -> list[str]:
    """A warning where figures were not measured on the same images in the same way."""
    ways = {
        (f["data"], split, f["counts"]["objects"], *sorted(row["name"] for row in f["images"]))
        for (_, split), f in judged.items()
    }
    limits = {found["max_detections"] for found in judged.values()}
    warnings = ["They were not judged on the same images: their figures cannot be compared."] if len(ways) > 1 else []
    return [*warnings, *(["Their maxDets differ, which alone may change AP."] if len(limits) > 1 else [])]


def settings_section(runs: Sequence[Facts]) -> Section:
    """The settings in which the runs differ."""
    names = sorted({name for run in runs for name in run["settings"]})
    shown = {name: [str(run["settings"].get(name, "–")) for run in runs] for name in names}
    rows = [Row([f"`{name}`", *values]) for name, values in shown.items() if len(set(values)) > 1]
    if not rows:
        return Section("settings", "Settings", [Text(["All settings are the same."])])
    table = Table("Settings in which the runs differ.", ["setting", *(run["name"] for run in runs)], rows)
    return Section("settings", "Settings that differ", [table], short="Settings")


def speed(runs: Sequence[Facts]) -> Section:
    """Training time and pace, and milliseconds for an image."""
    columns = ["run", "#training time", "#iterations", "#batch", "#images a second", "#one image", "machine"]
    rows = []
    for run in runs:
        metrics, batch, found = run["metrics"], run["settings"]["train.batch"], run["speed"]
        pace = ["–", "–"]
        if metrics:
            rate = metrics["iterations"] * batch / max(metrics["seconds"], 1e-9)
            pace = [phrases.duration(metrics["seconds"]), phrases.count(metrics["iterations"])]
        taken = f"{found['milliseconds']:.0f} ms" if found else "–"
        rows.append(
            Row([run["name"], *pace, str(batch), f"{rate:.1f}" if metrics else "–", taken, machine(run["hardware"])])
        )
    caption = (
        "Training: forward and backward pass, augmentation and optimiser, without evaluation. One image: the median "
        "from pixels to detections, images one by one, without reading files."
    )
    table = Table(caption, columns, rows)
    return Section("speed", "Speed", [table if any(run["speed"] for run in runs) else table.without("#one image")])


def repeat(run: Facts) -> Section:
    """Command, versions, and every setting."""
    if run["command"]:
        text = (
            "This command started the run. With --iterations, the same versions on the same machine make the same run "
        )
        text += "again; a time in minutes gives as many iterations as the machine is fast."
        blocks: list[Block] = [Text([text]), Code(run["command"])]
    else:
        blocks = [Text(["The folder does not hold the command that started this run."])]
    rows = [Row([f"`{name}`", str(value)]) for name, value in sorted(run["settings"].items())]
    versions = ", ".join(f"{name} {version}" for name, version in sorted(run["versions"].items()))
    blocks.append(Text([f"Versions: {versions}."]))
    blocks.append(Table("Every setting, as in `config.yaml`.", ["setting", "value"], rows, "All settings"))
    return Section("repeat", "How to repeat it", blocks, short="Repeat")
