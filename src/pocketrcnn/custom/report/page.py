"""The report of one run, or of several side by side: a pure function of their summaries (`report.json`). No torch.

Where a part of a summary is missing, the page says so.
"""

from collections.abc import Mapping, Sequence

from ...evaluation.tables import ERRORS, number
from ...report import phrases
from ...report.blocks import Block, Cell, Code, Page, Row, Section, Table, Text
from ...report.html import html
from ...report.phrases import machine
from ...report.prose import Prose
from . import data, gallery, quality, training
from .compare import Comparison, Summary, compare

prose = Prose(__name__, "page.md")


def render_runs(runs: Sequence[Summary]) -> str:
    """The page on one run, or the comparison of several. The same summaries give the same text."""
    return html(one(runs[0]) if len(runs) == 1 else several(compare(runs)))


def one(run: Summary) -> Page:
    """Everything on a run."""
    evaluations = {split: run["evaluations"][split] for split in reversed(phrases.in_order(run["evaluations"]))}
    split = next(iter(evaluations), "")
    shown = gallery.shown_errors(run["pictures"]) if run["pictures"] else None
    sections = [*data.sections(run), training.section([run])]
    sections += quality.sections(split, evaluations[split], shown) if split else []
    sections += [speed([run]), repeat(run), *gallery.sections(run)]
    rows = quality.rows_of(evaluations[split]["confusion"]["matrix"]) if split else []
    named = {(run["name"], split): evaluation for split, evaluation in evaluations.items()}
    return Page(
        title=f"{run['name']}: a run of pocket-rcnn",
        heading=f"Run {run['name']}",
        version=run["version"],
        created=run["created"],
        source="`report.json`",
        figures=key_figures(*next(iter(evaluations.items()))) if evaluations else [],
        opening=gallery.opening(run),
        introduction=introduction(run, evaluations),
        sections=sections,
        tables=[summary_table(named)] if evaluations else [],
        banner=prose("banner", **run),
        remark=prose("columns") if evaluations else "",
        data=gallery.data(run, rows),
    )


def key_figures(split: str, evaluation: Summary) -> list[tuple[str, str]]:
    """The numbers above the pictures."""
    overall, used, counts = evaluation["overall"], evaluation["used"] or {}, evaluation["counts"]
    figures = [(name, number(overall[name])) for name in ("AP50", "AP")]
    figures += [(name, number(used.get(name.lower()))) for name in ("Precision", "Recall", "F1", "Threshold")]
    images = f"{phrases.sentence(phrases.SPLITS[split])} images"
    return [*figures, (images, phrases.count(counts["images"])), ("Objects", phrases.count(counts["objects"]))]


def several(runs: Comparison) -> Page:
    """Runs side by side: metrics, settings that differ, curves on top of each other."""
    evaluations = {name: evaluation for (name, _), evaluation in runs.evaluations.items()}
    sections = [settings_section(runs), training.section(runs.runs)]
    sections += [quality.comparison(runs.names, evaluations)] if evaluations else []
    return Page(
        title=f"{len(runs.runs)} runs of pocket-rcnn",
        heading=f"{len(runs.runs)} runs compared",
        version=runs.runs[0]["version"],
        created=max(run["created"] for run in runs.runs),
        source="the folders of these runs",
        introduction=prose.paragraphs("runs", **vars(runs)),
        sections=[*sections, speed(runs.runs)],
        tables=[summary_table(runs.evaluations)] if evaluations else [],
        remark=prose("columns") if evaluations else "",
    )


def introduction(run: Summary, evaluations: Mapping[str, Summary]) -> list[str]:
    """What was trained on what, how long, and how it came out."""
    values = {**run, "machine": machine(run["hardware"])}
    return [prose("introduction", **values), *(summary(*one) for one in list(evaluations.items())[:1])]


def summary(split: str, evaluation: Summary) -> str:
    """The main metrics of an evaluation in a sentence, and the largest kind of error."""
    tide = evaluation["tide"]
    gains = {kind: tide["gain"][kind] for kind in ERRORS if kind in tide["errors"]} if tide else {}
    worst = max(gains, key=lambda kind: gains[kind], default="")
    error = {"worst": worst, "meaning": ERRORS.get(worst), "gain": gains.get(worst, 0)}
    return prose("summary", it=evaluation, split=phrases.SPLITS[split], **error)


def summary_table(evaluations: Mapping[tuple[str, str], Summary]) -> Table:
    """One row an evaluation, by run and split, with everything that AP depends on."""
    columns = [
        "run", "images of", "#AP", "#AP50", "#AP75", "#AR", "#images", "#objects", "#maxDets", "#threshold", "#F1",
    ]  # fmt: skip
    rows = []
    for (name, split), one in evaluations.items():
        overall, used, counts = one["overall"], one["used"] or {}, one["counts"]
        main: list[str | Cell] = [Cell(number(overall[key]), strong=True) for key in ("AP", "AP50")]
        cells = [*main, number(overall["AP75"]), number(overall["AR"])]
        sizes = [phrases.count(value) for value in (counts["images"], counts["objects"], one["max_detections"])]
        rows.append(
            Row([name, phrases.SPLITS[split], *cells, *sizes, number(used.get("threshold")), number(used.get("f1"))])
        )
    return Table("How good the detections are.", columns, rows)


def settings_section(runs: Comparison) -> Section:
    """The settings in which the runs differ."""
    rows = [Row([f"`{name}`", *values]) for name, values in runs.differing.items()]
    if not rows:
        return Section("settings", "Settings", [Text(["All settings are the same."])])
    table = Table("Settings in which the runs differ.", ["setting", *runs.names], rows)
    return Section("settings", "Settings that differ", [table], short="Settings")


def speed(runs: Sequence[Summary]) -> Section:
    """Training time and pace, and milliseconds for an image."""
    columns = ["run", "#training time", "#iterations", "#batch", "#images a second", "#one image", "machine"]
    rows = []
    for run in runs:
        metrics, batch, speed = run["metrics"], run["settings"]["train.batch"], run["speed"]
        time = iterations = rate = "–"
        if metrics:
            time, iterations = phrases.duration(metrics["seconds"]), phrases.count(metrics["iterations"])
            rate = f"{metrics['iterations'] * batch / max(metrics['seconds'], 1e-9):.1f}"
        taken = f"{speed['milliseconds']:.0f} ms" if speed else "–"
        rows.append(Row([run["name"], time, iterations, str(batch), rate, taken, machine(run["hardware"])]))
    tiles = any(run["settings"].get("data.tile_overlap") for run in runs)
    table = Table(prose("speed", tiles=tiles), columns, rows)
    return Section("speed", "Speed", [table if any(run["speed"] for run in runs) else table.without("#one image")])


def repeat(run: Summary) -> Section:
    """Command, versions, and every setting."""
    rows = [Row([f"`{name}`", str(value)]) for name, value in sorted(run["settings"].items())]
    versions = ", ".join(f"{name} {version}" for name, version in sorted(run["versions"].items()))
    command = with_precision(run["command"], run["settings"]["train.precision"])
    blocks: list[Block] = [
        Text(prose.paragraphs("repeat", command=command)),
        *([Code(command)] if command else []),
        Text([f"Versions: {versions}."]),
        Table("Every setting, as in `config.yaml`.", ["setting", "value"], rows, "All settings"),
    ]
    return Section("repeat", "How to repeat it", blocks, short="Repeat")


def with_precision(command: str, precision: str) -> str:
    """A command or a call of Python that says the number format, which another processor might choose otherwise."""
    if not command or "precision" in command:
        return command
    if command.endswith(")"):
        return f"{command[:-1]}, precision={precision!r})"
    return f"{command} --precision {precision}"
