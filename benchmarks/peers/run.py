"""Measure pocket-rcnn beside what else one would take: `python benchmarks/peers/run.py --nuclei FOLDER`.

In one go, on one machine, in turns: same data, same split, same minutes, scored by one program. README.md beside this
file says what is measured and how. A call that was interrupted goes on where it stopped.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import environments
import torch
from listing import Prepared, prepare
from records import Records, now
from rows import INTERVAL, LEVEL, MINUTES, QUICK, ROWS, SCENES, Row, passed

from pocketrcnn.cli.main import main as pocketrcnn
from pocketrcnn.course.data.cifar import cifar10_folder
from pocketrcnn.course.data.download import download_cifar10
from pocketrcnn.data.files import LOCK, locked
from pocketrcnn.errors import UserError, require
from pocketrcnn.terminal import say
from pocketrcnn.training.machine import hardware
from pocketrcnn.training.run import parse

ROOT = Path(__file__).parents[2]
PROGRAMS = Path(__file__).parent / "programs"
KEPT, WORK = ROOT / "docs" / "results" / "peers.json", ROOT / "runs" / "peers"
SCORER = "scorer"
SCORED = ("AP", "AP50", "AP75")


def main(arguments: Sequence[str]) -> int:
    """Measure what is missing; returns the exit code."""
    try:
        measure(options_of(arguments))
    except (UserError, OSError) as error:
        print(f"peers: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("peers: interrupted; the same command goes on from here", file=sys.stderr)
        return 130
    return 0


def options_of(arguments: Sequence[str]) -> argparse.Namespace:
    """The command line. Raises UserError for what makes no sense."""
    parser = argparse.ArgumentParser("run.py", description="Measure pocket-rcnn beside what else one would take.")
    parser.add_argument("--nuclei", type=Path, metavar="FOLDER", help="the nuclei in COCO format, with their split")
    parser.add_argument("--rounds", type=int, default=3, metavar="N", help="times that each row is measured")
    parser.add_argument("--rows", default="", metavar="IDS", help=f"only these: {','.join(row.id for row in ROWS)}")
    parser.add_argument("--quick", action="store_true", help="a dry run: a fifteenth of the time, one round")
    parser.add_argument("--minutes-scale", type=float, metavar="X", help="a dry run: so many times the minutes")
    parser.add_argument("--installer", choices=environments.INSTALLERS, default="uv", help="of the peers")
    parser.add_argument("--work", type=Path, default=WORK, metavar="FOLDER", help="environments, data and runs")
    parser.add_argument("--out", type=Path, metavar="FILE", help="the results (default: docs/results/peers.json)")
    options = parser.parse_args(arguments)
    options.scale = options.minutes_scale or (QUICK if options.quick else 1.0)
    options.dry = options.scale != 1.0
    options.rounds = 1 if options.quick else options.rounds
    options.out = options.out or (options.work / "quick.json" if options.dry else KEPT)
    require(options.scale > 0, f"--minutes-scale {options.scale:g}: use a number above 0")
    require(options.rounds >= 1, f"--rounds {options.rounds}: use 1 or more")
    kept = options.out.resolve() == KEPT.resolve()
    require(not (options.dry and kept), f"{KEPT.name} holds full measurements: name another file with --out")
    return options


def chosen(names: str, nuclei: Path | None) -> list[Row]:
    """The rows of a list such as `b1/ours,b1/loop`; without one all of them, of nuclei only where they are given."""
    known = {row.id: row for row in ROWS}
    if not names:
        return [row for row in ROWS if nuclei or row.data != "nuclei"]
    wanted = names.split(",")
    for name in wanted:
        require(name in known, f"--rows {name}: there are {', '.join(known)}")
        require(nuclei is not None or known[name].data != "nuclei", f"--rows {name}: name the folder with --nuclei")
    return [row for row in ROWS if row.id in wanted]


def measure(options: argparse.Namespace) -> None:
    """Make what is needed, then measure round by round. The environments come first: nothing installs while it runs."""
    rows, minutes = chosen(options.rows, options.nuclei), {name: m * options.scale for name, m in MINUTES.items()}
    settings = {"quick": options.dry, "minutes": minutes}
    records = Records(options.out, settings | {"hardware": hardware(torch.device("cpu"))})
    with locked(options.work.resolve() / LOCK, another="name another folder with --work"):
        for name in sorted({SCORER, *(row.environment for row in rows)}):
            environments.install(name, options.work.resolve() / "environments", options.installer)
        sets = prepared({row.data for row in rows}, options.nuclei, options.work.resolve() / "data", options.dry)
        for name, one in sets.items():
            records.describe(name, one.about)
        for number in range(1, options.rounds + 1):
            for row in rows:
                if not records.has(row.id, number):
                    say(f"round {number} of {options.rounds}: {row.id}, {minutes[row.data]:.3g} min")
                    records.add(measured(row, number, options, minutes[row.data], sets.get(row.data)))
    say(f"results: {options.out}")


def prepared(names: set[str], nuclei: Path | None, folder: Path, dry: bool) -> dict[str, Prepared]:
    """The data sets of these names that are images with boxes; CIFAR-10 is fetched for the others."""
    sets, scenes = {}, folder / "scenes96"
    if names - {"nuclei"}:
        download_cifar10()
    if nuclei and "nuclei" in names:
        sets["nuclei"] = prepare("nuclei", nuclei, folder, dry)
    if "scenes" in names:
        if not scenes.exists() and pocketrcnn(["scenes", str(scenes), *SCENES]):
            raise UserError(f"{scenes} could not be written: see above")
        sets["scenes"] = prepare("scenes", scenes, folder, dry)
    return sets


def measured(
    row: Row, number: int, options: argparse.Namespace, minutes: float, data: Prepared | None
) -> dict[str, Any]:
    """A round of a row: train, then score."""
    out = options.work.resolve() / "rounds" / f"{row.id.replace('/', '-')}-{number}{'-quick' if options.dry else ''}"
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    words: list[object] = ["--minutes", minutes, "--seed", number - 1, "--out", out]
    if data is None:
        words += ["--interval", INTERVAL]
        if row.environment != environments.OURS:
            words += ["--level", LEVEL, "--data", cifar10_folder()]
    else:
        source = data.yolo if row.environment == "ultralytics" else data.source.resolve()
        words += ["--listing", data.listing, "--data", source, "--side", row.side or data.side]
    if row.model:
        words += ["--model", row.model]
    about = {"started": now(), "installer": options.installer, "revision": revision()}
    program(row.environment, row.program, words, options.work, out / "log.txt")
    shown = [word.name if isinstance(word, Path) else str(word) for word in words]  # no paths of this machine
    command = " ".join([f"{row.program}.py", *shown])
    record = {"row": row.id, "round": number, "seed": number - 1, "minutes": minutes, "command": command, **about}
    record |= parse(out / "result.json") | {"side": data and (row.side or data.side)}
    return with_scores(record, data, out, options.work) if data else with_time(record)


def revision() -> str:
    """The commit of this project that is measured, with `-dirty` where files were changed; empty without git."""
    command = ["git", "-C", str(ROOT), "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"]
    try:
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


def with_time(record: dict[str, Any]) -> dict[str, Any]:
    """When accuracy passed the level for good, and the last one."""
    found = passed(record["curve"])
    at = {"iterations": found[0], "seconds": found[1]} if found else None
    return record | {"passed": at, "accuracy": record["curve"][-1][2]}


def with_scores(record: dict[str, Any], data: Prepared, out: Path, work: Path) -> dict[str, Any]:
    """Average precision on test images, and on validation images on the way where the program left detections."""
    (last,) = scores(data, "test", [out / "test.json"], work, out)
    left = [point for point in record["points"] if "detections" in point]
    found_in = scores(data, "curve", [out / one["detections"] for one in left], work, out)
    for point, found in zip(left, found_in, strict=True):
        del point["detections"]
        point["AP50"] = found["AP50"]
    return record | {name: last[name] for name in SCORED}


def scores(data: Prepared, split: str, files: Sequence[Path], work: Path, out: Path) -> list[dict[str, Any]]:
    """Average precision of the detections in each file."""
    if not files:
        return []
    text = program(SCORER, "score", [data.listing, split, *files], work, out / "score.txt")
    found: list[dict[str, Any]] = json.loads(text)
    return found


def program(environment: str, name: str, words: Sequence[object], work: Path, log: Path) -> str:
    """Run a program of `programs/` in an environment; returns what it printed. Raises UserError where it fails."""
    python = environments.python_of(environment, work.resolve() / "environments")
    around = dict(os.environ)
    if environment != environments.OURS:
        around.pop("PYTHONPATH", None)  # what is on it is for this environment
    command = [str(python), str(PROGRAMS / f"{name}.py"), *map(str, words)]
    printed = log.with_suffix(".out")
    with printed.open("w", encoding="utf-8") as output, log.open("w", encoding="utf-8") as errors:
        done = subprocess.run(command, stdout=output, stderr=errors, env=around, cwd=log.parent, check=False)
    if done.returncode:
        raise UserError(f"{name} failed with exit code {done.returncode}: {log} says why; then call this again")
    return printed.read_text(encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
