"""Put the metrics of custom detectors into the documents: `python scripts/own_table.py NAME RUN...`.

The runs, each with another seed, become the line NAME of `docs/results/custom/metrics.json`: what their test images
gave (`pocketrcnn eval RUN`, done before), time, network, versions, hardware. Then the table in README.md
and docs/results.md is made anew from that file alone; without an argument, only that.
"""

from __future__ import annotations

import json
import statistics
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pocketrcnn.custom.plan import PRESETS, WIDER, widths
from pocketrcnn.errors import UserError
from pocketrcnn.report.phrases import machine
from pocketrcnn.training import config_file
from pocketrcnn.training.run import parse

ROOT = Path(__file__).parents[1]
DOCUMENTS = ("README.md", "docs/results.md")
KEPT = Path("docs", "results", "custom", "metrics.json")
MEASURES = ("AP", "AP50", "AP75")
BEGIN, END = "<!-- own -->", "<!-- /own -->"

Row = dict[str, Any]


def main(arguments: Sequence[str], root: Path = ROOT) -> int:
    """Keep the named runs and write the tables; returns the exit code."""
    path = root / KEPT
    try:
        rows: dict[str, Row] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
        if arguments:
            rows[arguments[0]] = collect([Path(name) for name in arguments[1:]])
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(rows, indent=1, sort_keys=True) + "\n", encoding="utf-8")
        for name, text in documents(dict(sorted(rows.items())), root).items():
            (root / name).write_text(text, encoding="utf-8")
    except (UserError, OSError, ValueError) as error:
        print(f"own_table: {error}", file=sys.stderr)
        return 2
    return 0


def collect(folders: Sequence[Path]) -> Row:
    """The metrics of runs that differ in their seed alone. Raises UserError where one is not evaluated on its test."""
    if not folders:
        raise UserError("name one run or more behind the name of the line")
    runs = [metrics_of(folder) for folder in folders]
    first = runs[0]
    shared = {key: first[key] for key in ("minutes", "side", "network", "images", "max_detections", "machine")}
    return shared | {key: [run[key] for run in runs] for key in (*MEASURES, "seed", "iterations", "seconds")}


def metrics_of(folder: Path) -> Row:
    """What one run says of itself."""
    evaluation, metrics = parse(folder / "evaluation-test.json"), parse(folder / "metrics.json")
    config = config_file.load((folder / "config.yaml").read_text(encoding="utf-8"), str(folder))
    environment = parse(folder / "env.json")
    versions = ", ".join(f"{name} {environment['versions'][name]}" for name in ("python", "torch", "pocketrcnn"))
    return {
        "minutes": config.train.minutes,
        "side": config.model.input_size,
        "network": network(config.model.backbone.width, config.model.classes),
        "images": evaluation["counts"]["images"],
        "max_detections": evaluation["max_detections"],
        "machine": f"{machine(environment['hardware'])}; {versions}",
        "seed": config.train.seed,
        "iterations": metrics["iterations"],
        "seconds": metrics["elapsed"],
        **{name: evaluation["overall"][name] for name in MEASURES},
    }


def network(width: float, classes: int) -> str:
    """The preset of a width, and by how much it is widened for so many classes."""
    name = next(name for name, one in widths(classes).items() if one == width)
    return f"{name}, {WIDER:g} times as wide" if width > PRESETS[name] else name


def documents(rows: dict[str, Row], root: Path = ROOT) -> dict[str, str]:
    """The documents with the table between their markers."""
    texts = {}
    for name in DOCUMENTS:
        before, _, rest = (root / name).read_text(encoding="utf-8").partition(BEGIN)
        texts[name] = f"{before}{BEGIN}\n\n{table(rows)}\n\n{END}{rest.partition(END)[2]}"
    return texts


def table(rows: dict[str, Row]) -> str:
    """One line a data set and time, and where it was measured."""
    if not rows:
        return "These runs have not been made yet."
    head = "| data | time | input | network | iterations | AP50 | AP | AP75 | runs |"
    lines = [head, "| --- | ---: | ---: | --- | ---: | ---: | ---: | ---: | ---: |"]
    for name, row in rows.items():
        spread = [stated(row[measure]) for measure in ("AP50", "AP", "AP75")]
        iterations = f"{round(statistics.mean(row['iterations'])):,}"
        cells = (name, f"{row['minutes']:g} min", f"{row['side']} px", row["network"], iterations, *spread)
        lines.append("| " + " | ".join((*cells, str(len(row["seed"])))) + " |")
    machines = sorted({row["machine"] for row in rows.values()})
    limits = ", ".join(f"{name}: {row['images']} images, maxDets {row['max_detections']}" for name, row in rows.items())
    return "\n".join([*lines, "", f"Test images ({limits}). {' '.join(machines)}."])


def stated(values: Sequence[float]) -> str:
    """A mean, with the standard deviation of several runs."""
    mean = f"{statistics.mean(values):.3f}"
    return mean if len(values) == 1 else f"{mean} ± {statistics.stdev(values):.3f}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
