"""The results of many students: their files are found, named and read. What cannot be read is said, and not counted.

A file is the `results.json` of a student's `reproduce`, under any name. No torch when this is imported.
"""

import hashlib
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

import msgspec

from ..data.json_text import decoded
from ..errors import UserError, shown
from ..report.phrases import several
from ..terminal import visible
from .experiments import EXPERIMENTS
from .report.metrics import is_fraction
from .report.records import RESULTS, Record, Results, read

PLAIN = ("results", "reproduction")  # what files and folders of `reproduce` are called: no name of a student
LARGEST = 64 * 1024**2  # bytes; of all experiments with pictures and five seeds, results.json has 4 MB
DEPTH = 3  # folders below the one that is named


@dataclass(frozen=True)
class Student:
    """The numbers of one student. `results` without pictures, curves and layers; digest: SHA-256 of the file."""

    name: str
    path: Path
    results: Results
    digest: str


@dataclass(frozen=True)
class LeftOut:
    """A file, or one experiment of it, that is not counted, and why."""

    path: Path
    reason: str


def results_files(named: Iterable[Path]) -> list[Path]:
    """The files that are meant, each once: those named, `results.json` of folders, else the JSON files in them.

    What is neither a file nor a folder stays in the list, to be named. Pages, which stand beside results, do not count.
    """
    files = [file for path in named for file in (_inside(path, DEPTH) if path.is_dir() else [path])]
    return list(dict.fromkeys(file for file in files if file.suffix != ".html"))


def _inside(folder: Path, depth: int) -> Iterator[Path]:
    if (folder / RESULTS).is_file():
        yield folder / RESULTS
        return
    for path in sorted(folder.iterdir()):
        if path.name.startswith("."):
            continue
        if path.is_dir():
            yield from _inside(path, depth - 1) if depth else ()
        elif path.suffix == ".json":
            yield path


def read_class(files: Sequence[Path]) -> tuple[list[Student], list[LeftOut]]:
    """The students whose files can be read, in the order of their names, and what is left out.

    files: at least one. Raises UserError where none can be read.
    """
    students: list[Student] = []
    left_out: list[LeftOut] = []
    by_name = sorted(zip(names(files), files, strict=True), key=lambda pair: (len(pair[0]), pair[0]))
    for name, path in by_name:  # of copies the shortest name stays
        try:
            student = read_student(path, name, left_out.append)
            if same := next((one for one in students if one.digest == student.digest), None):
                raise UserError(f"it has the same bytes as {same.path}")
            students.append(student)
        except UserError as error:
            left_out.append(LeftOut(path, str(error)))
    if not students:
        first = f" ({left_out[0].path}: {left_out[0].reason})"
        among = several(len(files), "file")
        raise UserError(f"no results of `pocketrcnn reproduce` in {among}{first}: name the {RESULTS} of each student")
    return sorted(students, key=lambda one: (one.name.casefold(), one.name)), sorted(left_out, key=lambda one: one.path)


def read_student(path: Path, name: str, leave_out: Callable[[LeftOut], None]) -> Student:
    """The results in one file. Experiments that cannot be are left out. Raises UserError where nothing remains."""
    content = _bytes(path)
    try:
        raw = decoded(content.decode("utf-8-sig"))
    except ValueError:
        raise UserError("it is not JSON") from None
    if not isinstance(raw, dict):
        raise UserError("it is not of `pocketrcnn reproduce`")
    results = read(raw)
    kept: list[Record] = []
    for record in results.records:
        twice = any((one.id, one.recipe) == (record.id, record.recipe) for one in kept)
        if reason := "it is there twice" if twice else wrong(record):
            leave_out(LeftOut(path, f"{shown(record.id)}: {reason}"))
        else:
            kept.append(msgspec.structs.replace(record, pictures={}, curves={}, layers=()))
    if not kept:
        raise UserError("it has no experiment")
    return Student(name, path, msgspec.structs.replace(results, records=kept), hashlib.sha256(content).hexdigest())


def _bytes(path: Path) -> bytes:
    """Those of a file. Raises UserError where there is none, or where it is too large for results."""
    if not path.is_file():
        raise UserError("it is not there" if not path.exists() else "it is no file")
    try:
        if path.stat().st_size > LARGEST:
            raise UserError(f"it is larger than {LARGEST // 1024**2} MB, no {RESULTS} is")
        return path.read_bytes()
    except OSError as error:
        raise UserError(f"it cannot be read ({error.strerror})") from error


def wrong(record: Record) -> str:
    """Why a record cannot be of this program, or empty: its experiment, its metric, numbers that contradict it."""
    experiment = EXPERIMENTS.get(record.id)
    if experiment is None:
        return "no such experiment"
    metric = experiment.published.metric
    if record.headline != metric or metric not in record.metrics:
        return f"its {metric} is not there"
    stat = record.metrics[metric]
    limit = 1.0 if is_fraction(metric) else math.inf
    if not all(math.isfinite(value) and 0 <= value <= limit for value in stat.values):
        return f"its {metric} is no such number"
    if not stat.values or len(stat.values) != stat.n or len(record.seeds) != stat.n:
        return f"its {metric} has not one value for each seed"
    return "" if math.isclose(stat.mean, fmean(stat.values), rel_tol=1e-6) else "its mean is not that of its values"


def names(files: Sequence[Path]) -> list[str]:
    """A name for each file, all different: that of the file or, for `results.json`, of its folder.

    Where two are the same, their folders stand before them: `8a/anna`, `8b/anna`; of `anna.json` and
    `anna/results.json` the names are the paths.
    """
    found = _shortest([words_of(path) for path in files])
    alike = [i for i, name in enumerate(found) if found.count(name) > 1]
    for i, name in zip(alike, _shortest([files[i].absolute().parts[1:] for i in alike]), strict=True):
        found[i] = visible(name)
    return found


def words_of(path: Path) -> list[str]:
    """The folders of a file and its own name, without the plain ones at the end, which all students have."""
    words = [visible(part) for part in path.absolute().with_suffix("").parts[1:]]
    while len(words) > 1 and words[-1] in PLAIN:
        words.pop()
    return words


def _shortest(paths: Sequence[Sequence[str]]) -> list[str]:
    """The last words of each path, as many as it takes to tell it from the others, or all."""
    lengths = [1] * len(paths)
    while True:
        ends = [tuple(words[-length:]) for words, length in zip(paths, lengths, strict=True)]
        longer = [i for i, end in enumerate(ends) if ends.count(end) > 1 and lengths[i] < len(paths[i])]
        if not longer:
            return ["/".join(end) for end in ends]
        for i in longer:
            lengths[i] += 1
