"""Make the pictures of README.md and docs/components.md: `make pictures`, or `python scripts/pictures [NAME...]`.

Those of trained networks come from real runs, whose folders can be named. docs/pictures/sources.json keeps, for each
picture, the run, what the picture was given and what it shows in numbers: tests/test_pictures_are_current.py computes
these again and says which picture is older than the code.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import components
import course
import fitted
import growth
import nuclei
import peers
import stages
from shown import COMPUTED, Numbers
from trained import Trained, load

from pocketrcnn.errors import UserError

DRAWINGS = components.PICTURES | fitted.PICTURES | growth.PICTURES | peers.PICTURES  # those that need no run
GIVEN = components.GIVEN | fitted.GIVEN | growth.GIVEN | peers.GIVEN
FOLDER = Path(__file__).parents[2] / "docs" / "pictures"
SOURCES = "sources.json"
Made = tuple[bytes, Numbers, Numbers]


class Run(NamedTuple):
    """A run that pictures are drawn from: its folder, how to make it, and the function of each picture."""

    folder: str
    command: str
    pictures: dict[str, Callable[[Trained], Made]]


RUNS = {
    "scenes": Run(
        "runs/scenes",
        "pocketrcnn scenes scenes --objects 0-6 && pocketrcnn train scenes --minutes 5",
        {"stages.png": stages.draw},
    ),
    "nuclei": Run(
        "runs/nuclei",
        "pocketrcnn train nuclei --minutes 5",
        {"nuclei.png": nuclei.draw, "minutes.svg": nuclei.curve},
    ),
    "course": Run(
        "reproduction/runs/F2-pocket-160-seed0",
        "pocketrcnn reproduce --only F2",
        {"course.png": course.draw},
    ),
}


def main(arguments: Sequence[str]) -> int:
    """Make the named pictures, or all; returns the exit code."""
    options = parser().parse_args(arguments)
    names = options.names or [*DRAWINGS, *(name for run in RUNS.values() for name in run.pictures)]
    try:
        made = {**drawn(names), **from_runs(names, {name: Path(getattr(options, name)) for name in RUNS})}
    except UserError as error:
        print(f"pictures: {error}", file=sys.stderr)
        return 2
    keep(made)
    return 0


def parser() -> argparse.ArgumentParser:
    """The command line."""
    found = argparse.ArgumentParser("pictures", description="Make the pictures of README.md and docs/components.md.")
    found.add_argument("names", nargs="*", metavar="NAME", help="files in docs/pictures (default: all)")
    for name, run in RUNS.items():
        found.add_argument(f"--{name}", default=run.folder, metavar="RUN", help=f"default: {run.folder}")
    return found


def drawn(names: Sequence[str]) -> dict[str, Any]:
    """The pictures that need no run."""
    chosen = {name: draw for name, draw in DRAWINGS.items() if name in names}
    return {name: (draw(), record(GIVEN[name], computed(name))) for name, draw in chosen.items()}


def computed(name: str) -> Numbers:
    """What a drawing shows in numbers; nothing where it is a picture alone."""
    return COMPUTED[name](GIVEN[name]) if name in COMPUTED else {}


def from_runs(names: Sequence[str], folders: dict[str, Path]) -> dict[str, Any]:
    """The pictures of trained networks. Raises UserError where a run is missing, before any of them is drawn."""
    needed = {name: run for name, run in RUNS.items() if set(names) & set(run.pictures)}
    for name, run in needed.items():
        if not (folders[name] / "metrics.json").is_file():
            raise UserError(
                f"{folders[name]} is no finished run: make it with `{run.command}`, or name one: --{name} RUN"
            )
    made = {}
    for name, run in needed.items():
        trained = load(folders[name])
        for picture in set(names) & set(run.pictures):
            content, given, shown = run.pictures[picture](trained)
            made[picture] = content, record(given, shown) | {"run": trained.made}
    return made


def record(given: Numbers, shown: Numbers) -> dict[str, Any]:
    """What is kept of a picture."""
    return {"given": given, "shown": shown}


def keep(made: dict[str, Any]) -> None:
    """Write the pictures and what is known about them; those that were not made stay as they are."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    path = FOLDER / SOURCES
    sources = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    for name, (content, about) in made.items():
        (FOLDER / name).write_bytes(content)
        sources[name] = about | {"sha256": hashlib.sha256(content).hexdigest()}
        print(f"docs/pictures/{name}: {len(content) / 1000:.0f} kB")
    lines = (f" {json.dumps(name)}: {json.dumps(sources[name], sort_keys=True)}" for name in sorted(sources))
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
