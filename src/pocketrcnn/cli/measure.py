"""The commands that measure and show: costs of a network, speed of the machine, report of a run."""

import glob
import json
from pathlib import Path
from typing import Annotated, Any, Literal

from ..course.experiments import FULL, NETWORKS, RECIPES
from ..course.options import SOURCES
from ..errors import UserError, nearest, require
from ..training.threads import Threads, require_threads, torch_threads

ROUNDS = {"step": 20, "train": 20, "growth": 5}
AsJson = Annotated[bool, "--json", "print JSON"]


def costs(
    network: Annotated[str, tuple(NETWORKS), "NETWORK", ", ".join(NETWORKS)],
    *,
    input_size: Annotated[int | None, "PX", "side of the square input (default: that of the network)"] = None,
    as_json: AsJson = False,
) -> None:
    """Count the multiplications and parameters of a network, layer by layer."""
    from ..model.costs import summary, with_size
    from . import tables

    counts = summary(network, with_size(NETWORKS[network], input_size))
    if as_json:
        print(json.dumps(counts, indent=1))
    else:
        tables.costs(counts)


def bench(
    what: Annotated[
        Literal["step", "train", "growth"],
        "WHAT",
        "step: iterations of B1, B2, B3, F2; train: a custom detector; growth: with images, their side, their objects",
    ],
    *,
    data: Annotated[str | None, "DATA", "step: cifar10 or sample (default: sample); train, growth: your data"] = None,
    recipe: Annotated[str, tuple(RECIPES), "step: how the networks are trained"] = "pocket",
    preset: Annotated[Literal["small", "medium", "large"], "train, growth: size of the network"] = "large",
    images: Annotated[int, "N", "train: size of the generated data set"] = 20_000,
    rounds: Annotated[int | None, "N", "measured iterations (default: 20; growth: 5 at each point)"] = None,
    plot: Annotated[Path, "FILE", "growth: the plot, an SVG"] = Path("growth.svg"),
    threads: Threads = None,
    as_json: AsJson = False,
) -> None:
    """Measure how fast this machine trains: the networks of the course against a matrix product, or a detector on
    custom data; and how that grows with the data."""
    from ..terminal import say
    from . import tables

    rounds = ROUNDS[what] if rounds is None else rounds
    require(rounds >= 1, f"--rounds {rounds}: use 1 or more")
    require(images >= 1, f"--images {images}: use 1 or more")
    require_threads(threads)
    if what == "step":
        from ..course.bench import step

        source = data or "sample"
        require(source in SOURCES, f"--data {source}: unknown{nearest(source, SOURCES)}; use {' or '.join(SOURCES)}")
        with torch_threads(threads):
            result, show = step(source, rounds, recipe), tables.bench
    elif what == "growth":
        result, show = growth(Path(data) if data else None, preset, rounds, plot, threads), tables.bench_growth
    else:
        from ..custom.bench import train

        with torch_threads(threads):
            result, show = train(Path(data) if data else None, images, rounds, preset), tables.bench_train
    if as_json:
        print(json.dumps(result, indent=1))
    else:
        show(result)
        if what == "growth":
            say(f"plot: {plot}")


def growth(data: Path | None, preset: str, rounds: int, plot: Path, threads: int | None) -> dict[str, Any]:
    """How times and memory grow, with the plot; and parts of the training time of B1, F2 and a run on `data`."""
    from ..course.bench import shares as course_shares
    from ..custom import growth as work
    from ..custom.growth_chart import require_plot, write_chart

    require_plot(plot)
    require(threads in (None, 1), f"--threads {threads}: leave it out, growth is measured with one thread")
    with torch_threads(1):
        known = course_shares("sample", rounds, FULL)
        known |= {data.name: work.shares(data, work.MINUTES, rounds)} if data else {}
    result = work.growth(preset, rounds) | {"shares": known}
    write_chart(result, plot)
    return result


def report(
    folders: Annotated[
        list[Path], "RUN", "folders of runs or sets; the output folder of reproduce; or results.json of many students"
    ],
    *,
    out: Annotated[
        Path | None,
        "FILE",
        "the page (default: report.html in RUN; for several runs: report.html in the current folder)",
    ] = None,
    you: Annotated[str, "NAME", "of many students: mark this one, for the page that this student gets"] = "",
    anonymous: Annotated[bool, "of many students: numbers in place of names"] = False,
) -> int:
    """Write a page on a run, on several runs side by side, on the results of `reproduce`, or on those of a class:
    `report class/*`. Exit code 1 where a file of a class is left out."""
    from ..course.report.records import REPORT
    from ..course.students import results_files
    from ..custom.commands.training import require_page, write_report
    from ..custom.run_set import runs_of
    from ..terminal import say
    from ..training.run import CONFIG

    if out:
        require_page(out)
    folders = matched(folders)
    are_runs = [(folder / CONFIG).is_file() for named in folders for folder in runs_of(named)]
    option = "--you" if you else "--anonymous" if anonymous else ""
    a_class = not any(are_runs)
    files = results_files(folders) if a_class else []
    require(a_class or not option, f"{option} is for the results of many students: name no run, or leave it out")
    if a_class and (option or len(files) > 1):
        return report_of_class(files, out or Path(REPORT), you, anonymous)
    if all(are_runs):
        write_report(*folders, out=out)
    else:
        say(f"report: {report_of_results(folders, out)}")
    return 0


def matched(paths: list[Path]) -> list[Path]:
    """Paths with patterns as what these find: not every shell does that. Those that find nothing stay."""
    return [
        found for path in paths for found in ((not path.exists() and sorted(map(Path, glob.glob(str(path))))) or [path])
    ]


def report_of_class(files: list[Path], page: Path, you: str, anonymous: bool) -> int:
    """The page of a class, and a line on each file that is left out; 1 where there is one, else 0."""
    from ..course.report.class_page import Class, chosen, nameless, write_class
    from ..course.students import read_class, words_of
    from ..custom.commands.training import require_page
    from ..terminal import say, warn

    require_page(page)
    students, left_out = read_class(files)
    known = Class(students, left_out, chosen(students, you) if you else "", anonymous)
    for one in left_out:
        warn(f"left out: {one.path}: {one.reason}")
    for student in students:
        if student.name != words_of(student.path)[-1]:
            say(f"{student.path} is `{student.name}` on the page")
    if anonymous:
        numbers = sorted(nameless(students).items(), key=lambda pair: int(pair[1]))
        say(f"numbers on the page: {', '.join(f'{number} {name}' for name, number in numbers)}")
    write_class(known, page)
    say(f"report: {page}")
    return 1 if left_out else 0


def report_of_results(folders: list[Path], out: Path | None) -> Path:
    """The page of `reproduce`, written again."""
    from ..course.report.page import write_report
    from ..course.report.records import REPORT, RESULTS
    from ..training.run import CONFIG, parse

    given = next((folder for folder in folders if not (folder / CONFIG).is_file()), folders[0])
    path = given if given.is_file() and given.suffix == ".json" else given / RESULTS
    if not path.is_file():
        raise UserError(
            f"{path} does not exist: name the output folder of a finished `pocketrcnn reproduce`, or folders of runs, "
            f"which have a {CONFIG}"
        )
    if len(folders) > 1:
        raise UserError(f"{path.parent} is not the folder of a run: name it alone, or several runs to compare")
    page = out or path.parent / REPORT
    write_report(parse(path), page)
    return page
