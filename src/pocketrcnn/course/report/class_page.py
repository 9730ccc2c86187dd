"""The page of a class: each student's number beside the report's and the spread of all. Made from their results alone.

It knows students by names; `nameless` makes numbers of these.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ...errors import UserError, nearest, shown
from ...report.blocks import Block, Cell, Dots, Key, Page, Row, Section, Table, Text
from ...report.dots import Axis, dot_row
from ...report.html import html, write
from ...report.phrases import NBSP, Stat
from ...report.prose import Prose
from ...version import __version__
from ..students import LeftOut, Student
from . import metrics
from .groups import Group, Number, common, data_words, difference, groups

LINK, PICK = "var(--link)", "var(--pick)"
LETTERS = 28  # of a name at a dot
NAMED = 6  # students in a sentence; more are in the table at the end alone
prose = Prose(__name__, "class.md")


@dataclass(frozen=True)
class Class:
    """What the page is made from. you: the student who is marked, or empty. anonymous: whether names are left out."""

    students: Sequence[Student]
    left_out: Sequence[LeftOut]
    you: str = ""
    anonymous: bool = False

    @property
    def mark(self) -> str:
        """How the page names the student who is marked."""
        return "you" if self.you and self.anonymous else self.you


def chosen(students: Sequence[Student], name: str) -> str:
    """The student of that name, in whatever letters. Raises UserError where there is none, with the nearest name."""
    known = [student.name for student in students]
    found = [one for one in known if one == name] or [one for one in known if one.casefold() == name.casefold()]
    if len(found) != 1:
        there = f"the names are {shown(', '.join(known))}"
        raise UserError(f"--you {shown(name)}: no such student{nearest(name, known)}; {there}")
    return found[0]


def nameless(students: Sequence[Student]) -> dict[str, str]:
    """A number for each name: in the order of the files' checksums, which says nothing about names or results."""
    return {student.name: str(i) for i, student in enumerate(sorted(students, key=lambda one: one.digest), 1)}


def write_class(known: Class, path: Path) -> None:
    """Render the page and put it at `path`, whole or not at all. Raises UserError where it cannot be written."""
    write(render_class(known), path)


def render_class(known: Class) -> str:
    """The page as text. The same results give the same text."""
    if known.anonymous:
        names = nameless(known.students) | ({known.you: known.mark} if known.you else {})
        students = [replace(student, name=names[student.name]) for student in known.students]
        known = replace(known, students=students, you=known.mark)
    found = groups(known.students)
    comparable = _comparable(found)
    page = Page(
        title="pocket-rcnn: the numbers of a class",
        heading=prose("heading", you=known.you, comparable=comparable),
        version=__version__,
        created=max(student.results.created for student in known.students),
        source=f"the `results.json` of {len(known.students)} students",
        introduction=prose.paragraphs(
            "introduction", known=known, n=len(known.students), left_out=len(known.left_out), comparable=comparable
        ),
        figures=[("students", str(len(known.students))), ("experiments", str(len(found)))],
        tables=[_summary(known, found)],
        remark=prose("careful", comparable=comparable),
        sections=[*(_experiment(known, of_experiment) for of_experiment in found.values()), *_closing(known, found)],
    )
    return html(page)


def _summary(known: Class, found: dict[str, list[Group]]) -> Table:
    columns = ["experiment", "#the report", *(["#" + known.you] if known.you else [])]
    columns += ["#mean of the class", "#lowest – highest", "#students", "#beat the report"]
    rows: list[Row] = []
    for id, of_experiment in found.items():
        title, several = Cell(f"{id} {of_experiment[0].experiment.title}", id.lower()), len(of_experiment) > 1
        if several:
            rows.append(Row([title, *[""] * (len(columns) - 1)], "group"))
        for group in of_experiment:
            first = difference(group, of_experiment) if several else title
            rows.append(Row([first, *_facts(group, known.you)], "member" if several else ""))
    table = Table(prose("summary", several=any(row.kind for row in rows)), columns, rows)
    return table if _comparable(found) else table.without("#the report", "#beat the report")


def _comparable(found: dict[str, list[Group]]) -> bool:
    """Whether any number may stand beside the report's."""
    return any(group.comparable for of_experiment in found.values() for group in of_experiment)


def _facts(group: Group, you: str) -> list[str | Cell]:
    n, comparable = len(group.numbers), group.comparable
    return [
        metrics.published_value(group.metric, group.experiment.published.value) if comparable else "–",
        *([_own(group, you)] if you else []),
        metrics.shown(group.metric, group.stat),
        _range(group),
        str(n),
        f"{group.beaten_by} of {n}" if comparable else "–",
    ]


def _own(group: Group, student: str) -> str | Cell:
    number = group.of(student)
    return Cell(_single(group.metric, number.value), strong=True) if number else "–"


def _single(metric: str, value: float) -> str:
    return metrics.shown(metric, Stat(1, value, 0.0, [value]))


def _range(group: Group) -> str:
    low, high = (_single(group.metric, value) for value in (min(group.stat.values), max(group.stat.values)))
    return f"{low.removesuffix(f'{NBSP}%')} – {high}" if len(group.numbers) > 1 else "–"


def _experiment(known: Class, of_experiment: Sequence[Group]) -> Section:
    """One experiment: a dot for each student, what stands out, and all numbers in a table."""
    experiment = of_experiment[0].experiment
    ran = {number.student for group in of_experiment for number in group.numbers}
    missing = [student.name for student in known.students if student.name not in ran]
    sentences = prose.paragraphs(
        "experiment",
        groups=of_experiment,
        experiment=experiment,
        ran=len(ran),
        n=len(known.students),
        missing=[] if known.anonymous or len(missing) > NAMED else missing,
        settings=common(of_experiment),
        yours=[text for group in of_experiment if known.you and (text := _yours(group, known, of_experiment))],
    )
    blocks: list[Block] = [Text(sentences), _dots(known, of_experiment), _table(known, of_experiment)]
    return Section(experiment.id.lower(), f"{experiment.id} {experiment.title}", blocks, short=experiment.id)


def _in_words(group: Group, others: Sequence[Group]) -> str:
    return prose(
        "group",
        group=group,
        n=len(group.numbers),
        rest=difference(group, others),
        stat=metrics.shown(group.metric, group.stat),
        value=metrics.published_value(group.metric, group.experiment.published.value),
    )


def _yours(group: Group, known: Class, others: Sequence[Group]) -> str:
    number, stat = group.of(known.you), group.stat
    if number is None:
        return ""
    better = group.experiment.published.better == "higher"
    place = 1 + sum(one.value > number.value if better else one.value < number.value for one in group.numbers)
    return prose(
        "yours",
        you="Your number" if known.anonymous else known.you,
        value=_single(group.metric, number.value),
        rest=difference(group, others),
        place=place,
        n=len(group.numbers),
        away=(number.value - stat.mean) / stat.std if stat.std else None,
        margin=metrics.margin(group.metric, number.value, group.experiment.published.value),
        comparable=group.comparable,
    )


def _dots(known: Class, of_experiment: Sequence[Group]) -> Dots:
    experiment, metric = of_experiment[0].experiment, of_experiment[0].metric
    factor, comparable = 100 if metrics.is_fraction(metric) else 1, any(group.comparable for group in of_experiment)
    published = [factor * experiment.published.value] if comparable else []
    values = [factor * number.value for group in of_experiment for number in group.numbers]
    axis = Axis.of(values + published, may_be_log=factor == 1)
    rows = []
    for group in of_experiment:
        texts = {one.student: f"{_short(one.student)}: {_single(metric, one.value)}" for one in group.numbers}
        dots = [(texts[number.student], factor * number.value) for number in group.numbers]
        picked = texts.get(known.you, "")
        rows.append(dot_row(_in_words(group, of_experiment), dots, axis, picked, factor * group.stat.std))
    keys = [Key("a student", LINK, "dot"), Key("mean", LINK), Key("± standard deviation", LINK, "band")]
    keys += [Key(known.you, PICK, "dot")] if any(group.of(known.you) for group in of_experiment) else []
    keys += [Key("the report", "currentColor", "dashed")] if comparable else []
    caption = prose("dots", lower=experiment.published.better == "lower")
    heading = f"{experiment.id}, {metrics.NAMES[metric]}"
    reference = axis.place(published[0]) if published else None
    return Dots(heading, caption, rows, axis.ticks("%" if factor == 100 else ""), reference, keys)


def _short(name: str) -> str:
    """A name that has room beside its number above the dots, on a phone too."""
    return name if len(name) <= LETTERS else f"{name[: LETTERS - 1]}…"


def _table(known: Class, of_experiment: Sequence[Group]) -> Table:
    metric, several = of_experiment[0].metric, len(of_experiment) > 1
    columns = ["student", f"#{metrics.NAMES[metric]}", "#seeds", "#training time", "#difference", "beaten"]
    rows: list[Row] = []
    for group in of_experiment:
        if several:
            rows.append(Row([difference(group, of_experiment), *[""] * (len(columns) - 1)], "group"))
        rows += [Row(_row(known, group, number)) for number in group.numbers]
    table = Table(prose("table", anonymous=known.anonymous), columns, rows)
    return table if any(group.comparable for group in of_experiment) else table.without("#difference", "beaten")


def _row(known: Class, group: Group, number: Number) -> list[str | Cell]:
    record, published = number.record, group.experiment.published
    seeds = str(len(record.seeds)) if known.anonymous else ", ".join(map(str, record.seeds))
    cells = [metrics.shown(group.metric, record.value), shown(seeds), f"{record.seconds.mean:.0f}{NBSP}s"]
    if group.comparable:
        beaten = "yes" if published.beaten_by(number.value) else "no"
        cells += [metrics.margin(group.metric, number.value, published.value), beaten]
    else:
        cells += ["–", "–"]
    mine = number.student == known.you
    return [Cell(number.student, strong=True) if mine else number.student, *cells]


def _closing(known: Class, found: dict[str, list[Group]]) -> list[Section]:
    """Who ran what, on which machines, and the files that are not counted."""
    sections = [Section("students", "Who ran what", [_matrix(known, found)], "The class", "Students")]
    sections.append(Section("machines", "Machines and versions", [_machines(known)], short="Machines"))
    if known.left_out and not known.anonymous:
        rows = [Row(["/".join(one.path.parts[-2:]), one.reason]) for one in known.left_out]
        table = Table(prose("left out"), ["file", "reason"], rows)
        sections.append(Section("left-out", "Not counted", [table], short="Not counted"))
    return sections


def _matrix(known: Class, found: dict[str, list[Group]]) -> Table:
    rows = []
    for student in known.students:
        cells = []
        for of_experiment in found.values():
            numbers = [(group, number) for group in of_experiment if (number := group.of(student.name))]
            cells.append(" / ".join(_single(group.metric, number.value) for group, number in numbers) or "–")
        rows.append(Row([student.name, *cells]))
    several = any(len(of_experiment) > 1 for of_experiment in found.values())
    return Table(prose("matrix", several=several), ["student", *(f"#{id}" for id in found)], rows)


def _machines(known: Class) -> Table:
    """On what the numbers were made, with how many students have each."""
    count = Counter(_machine(student) for student in known.students)
    rows = [Row([*words, str(number)]) for words, number in sorted(count.items(), key=lambda item: (-item[1], item[0]))]
    return Table(prose("machines"), ["processor", "system", "torch", "version", "data", "#students"], rows)


def _machine(student: Student) -> tuple[str, ...]:
    results = student.results
    words = (results.hardware.get("processor"), results.hardware.get("system"), results.versions.get("torch"))
    return (*(shown(word or "not said") for word in words), shown(results.version), data_words(results.data))
