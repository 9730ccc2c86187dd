"""Put measured results into the documents: `python scripts/readme_table.py RESULTS_JSON...`.

Each `results.json` of `pocketrcnn reproduce` is stripped of pictures, curves and layers and kept as
`docs/results/SCHEDULE-RECIPE.json`, its observations as `docs/results/observations-RECIPE.json`. Then the table in
README.md and the tables in docs/results.md are made anew from the kept files alone; without an argument, only that. A
run that is not there is said to be missing.
"""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import observation_tables
from markdown_tables import between, table

from pocketrcnn.course.experiments import EXPERIMENTS, Experiment
from pocketrcnn.course.report import metrics
from pocketrcnn.errors import UserError
from pocketrcnn.report import phrases
from pocketrcnn.report.phrases import Stat, machine

ROOT = Path(__file__).parents[1]
HEAVY = ("pictures", "curves", "layers")
RUNS = ("short-pocket", "full-pocket", "full-course")
IN_README = "short-pocket"
BOXES = ("objectness_accuracy", *metrics.BOXES)

Results = dict[str, Any]


def main(arguments: Sequence[str], root: Path = ROOT) -> int:
    """Keep the named results and write the tables; returns the exit code."""
    try:
        for name in arguments:
            keep(json.loads(Path(name).read_text(encoding="utf-8")), name, root / "docs" / "results")
        for path, text in documents(root).items():
            path.write_text(text, encoding="utf-8")
    except (UserError, OSError, ValueError) as error:
        print(f"readme_table: {error}", file=sys.stderr)
        return 2
    return 0


def keep(results: Results, name: str, folder: Path) -> None:
    """Write one file a recipe, and one for its observations, whose length is theirs to say.

    Raises UserError for results that may not stand beside the report's.
    """
    observed, comparable = results.get("observations", []), results["schedule"] in ("short", "full")
    if results["data"] != "cifar10" or not (comparable or observed):
        what = f"data {results['data']}, schedule {results['schedule']}"
        raise UserError(f"{name} ({what}) is not comparable: use `pocketrcnn reproduce`, with or without --full")
    folder.mkdir(parents=True, exist_ok=True)
    for recipe in dict.fromkeys(row["recipe"] for row in results["experiments"] if comparable):
        write(folder / f"{results['schedule']}-{recipe}.json", strip(results, recipe))
    for recipe in dict.fromkeys(row["recipe"] for row in observed):
        mine = [row for row in observed if row["recipe"] == recipe]
        facts = {"created": results["created"], "command": without_folder(results["command"])}
        path = folder / f"observations-{recipe}.json"
        if len(mine) >= len((load(path) or {"observations": ()})["observations"]):  # not those of plain runs alone
            write(path, {**facts, "observations": mine})


def write(path: Path, content: Results) -> None:
    """JSON that people can read."""
    path.write_text(json.dumps(content, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def strip(results: Results, recipe: str) -> Results:
    """The part of one recipe, without what only the page needs and without the name of the output folder."""
    rows = [row for row in results["experiments"] if row["recipe"] == recipe]
    light = [{key: value for key, value in row.items() if key not in HEAVY} for row in rows]
    return results | {"experiments": light, "command": without_folder(results["command"])}


def without_folder(command: str) -> str:
    """`pocketrcnn reproduce --full --out X` -> `pocketrcnn reproduce --full`."""
    words = shlex.split(command)
    if "--out" in words:
        del words[(place := words.index("--out")) : place + 2]
    return shlex.join(word for word in words if not word.startswith("--out="))


def documents(root: Path = ROOT) -> dict[Path, str]:
    """README.md and docs/results.md as they should be, from the kept results."""
    kept = {run: load(root / "docs" / "results" / f"{run}.json") for run in RUNS}
    readme, page = root / "README.md", root / "docs" / "results.md"
    text = page.read_text(encoding="utf-8")
    for run, results in kept.items():
        text = between(text, f"results {run}", section(results))
    text = between(text, "observations", observation_tables.section(root / "docs" / "results"))
    short = between(readme.read_text(encoding="utf-8"), "results", readme_table(kept[IN_README]))
    return {readme: short, page: text}


def load(path: Path) -> Results | None:
    """Kept results; None where there are none yet."""
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None


def readme_table(results: Results | None) -> str:
    """One line an experiment: the report's figure, ours, iterations, time."""
    rows = {row["id"]: row for row in results["experiments"]} if results else {}
    listed = [e for e in EXPERIMENTS.values() if e.by_default]
    header = ("", "experiment", "measure", ">report", ">ours", ">runs", ">iterations", ">training")
    text = table(header, [readme_row(e, rows.get(e.id)) for e in listed])
    if results is None:
        return f"{text}\nThe short runs have not been measured yet; the report's numbers stand alone.\n"
    return f"{text}\n{facts(results)}\n"


def readme_row(experiment: Experiment, row: Results | None) -> list[str]:
    """The cells of one experiment; dashes where it was not run."""
    published = experiment.published
    theirs = metrics.published_value(published.metric, published.value)
    head = [experiment.id, experiment.title, metrics.NAMES[published.metric], theirs]
    if row is None:
        return [*head, "–", "–", "–", "–"]
    ours = f"**{shown(row, published.metric)}**"
    return [
        *head,
        ours,
        str(row["metrics"][published.metric]["n"]),
        phrases.count(row["iterations"]),
        f"{row['seconds']['mean']:.0f} s",
    ]


def section(results: Results | None) -> str:
    """Everything about one run in docs/results.md."""
    if results is None:
        return "This run has not been made yet: its figures are missing here.\n"
    rows = ordered(results)
    boxes = [row for row in rows if "objectness_accuracy" in row["metrics"]]
    parts = [facts(results) + "\n", comparison(rows), box_table(boxes) if boxes else ""]
    return "\n".join(part for part in parts if part)


def comparison(rows: list[Results]) -> str:
    """Each headline beside the report's, with seeds and costs."""
    figures = (">report", ">ours", ">difference", ">seeds", ">iterations", ">training", ">ms an iteration")
    return table(("", "experiment", "measure", *figures), [comparison_row(row) for row in rows])


def comparison_row(row: Results) -> list[str]:
    """The cells of one experiment."""
    metric, published, seconds = row["headline"], row["report"], row["seconds"]["mean"]
    theirs = metrics.published_value(metric, published["value"])
    margin = metrics.margin(metric, row["metrics"][metric]["mean"], published["value"])
    costs = phrases.count(row["iterations"]), f"{seconds:.0f} s", f"{1000 * seconds / row['iterations']:.0f}"
    verdict = margin if published["beaten"] else f"{margin}, not beaten"
    what = row["id"], row["title"], metrics.NAMES[metric], theirs, shown(row, metric), verdict
    return [*what, str(row["metrics"][metric]["n"]), *costs]


def box_table(rows: list[Results]) -> str:
    """What the proposals are worth: objectness, regression loss, the same in pixels; error, overlap of the best one."""
    figures = (">cells right", ">regression loss", ">the loss in pixels", ">error", ">mean IoU")
    header = ("", *figures, ">IoU ≥ 0.5", ">IoU ≥ 0.7", ">IoU ≥ 0.9")
    return table(header, [[row["id"], *(shown(row, name) for name in BOXES)] for row in rows])


def ordered(results: Results) -> list[Results]:
    """The rows in the order of the course."""
    return sorted(results["experiments"], key=lambda row: list(EXPERIMENTS).index(row["id"]))


def shown(row: Results, metric: str) -> str:
    """Mean and, for several seeds, standard deviation."""
    found = metrics.with_pixels({name: Stat(**stat) for name, stat in row["metrics"].items()})
    return metrics.shown(metric, found[metric]) if metric in found else "–"


def facts(results: Results) -> str:
    """Command, time, machine and versions in a sentence each."""
    seconds = sum(row["seconds"]["mean"] * row["seconds"]["n"] for row in results["experiments"])
    seeds = phrases.several(max(row["seconds"]["n"] for row in results["experiments"]), "seed")
    versions = ", ".join(f"{name} {version}" for name, version in sorted(results["versions"].items()))
    peak = results["peak_memory_gb"]
    memory = "" if peak is None else f", peak memory {peak:.1f} GB"
    hardware = results["experiments"][0]["hardware"]  # with the threads of a run, where several go side by side
    return (
        f"`{results['command']}`, {results['created'][:10]}: {seeds}, {phrases.duration(seconds)} of training in all"
        f"{memory}. {machine(hardware)}. {phrases.sentence(versions)}."
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
