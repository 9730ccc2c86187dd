"""Every lesson: it runs as a student runs it, its exercises are open and can be solved, and it has its form."""

import ast
import re
from itertools import pairwise
from pathlib import Path

import pytest

from making import cells, execution, marking

LONGEST, WIDEST = 300, 120  # lines, characters
each_lesson = pytest.mark.parametrize("lesson", cells.lessons(), ids=lambda path: path.stem)


def hidden_tests(lesson: Path) -> list[Path]:
    return sorted(cells.folder_of(lesson).glob("test_*.py"))


def solution(lesson: Path) -> Path:
    return cells.LESSONS / "solutions" / lesson.name


def text(lesson: Path) -> str:
    return "\n\n".join(cell.source for cell in cells.read(lesson) if cell.kind == "markdown")


@each_lesson
def test_it_runs_from_another_folder_without_a_network(lesson: Path) -> None:
    ran = execution.executed(lesson)
    printed = [out.text for one in ran.cells for out in one.outputs if isinstance(out, execution.Text)]
    for name in cells.exercises(lesson):
        assert any(f"{name}: not written yet" in one for one in printed), f"no `check({name})` in {lesson.name}"
    assert ran.figures, "a lesson shows something"
    assert all(figure.caption.endswith(".") and len(figure.caption) > 20 for figure in ran.figures)


@each_lesson
def test_it_is_red_without_its_solution(lesson: Path) -> None:
    for name, mark in marking.mark(lesson, lesson).marks.items():
        assert mark.tests > 0, f"{name} has no hidden test"
        assert mark.state == "not written", f"{name}: {mark.message}"
        assert mark.passed == 0, f"{name}: {mark.passed} of its tests do not notice that nothing is written"
        assert re.search(r"Exercise \d: .{15,}", mark.message), "the gap says what to write"


@each_lesson
def test_it_is_green_with_its_solution(lesson: Path) -> None:
    for name, mark in marking.mark(solution(lesson), lesson).marks.items():
        assert mark.state == "right", f"{name}: {mark.message}"


@each_lesson
def test_a_solution_is_the_exercises_filled_in(lesson: Path) -> None:
    """The same names and first lines, and nothing is imported that the lesson does not import for its exercises."""
    assert cells.exercises(solution(lesson)) == cells.exercises(lesson)
    signatures = [
        [
            ast.unparse(node.args) + ast.unparse(node.returns or ast.Constant(None))
            for cell in cells.read(path)
            if cells.EXERCISE in cell.tags
            for node in cells.statements(cell)
            if isinstance(node, ast.FunctionDef)
        ]
        for path in (lesson, solution(lesson))
    ]
    assert signatures[0] == signatures[1]
    assert imported(solution(lesson)) <= imported(lesson)


def imported(path: Path) -> set[str]:
    """What the cell of imports makes known."""
    first = next(cell for cell in cells.read(path) if cell.kind == "code")
    assert cells.IMPORTS in first.tags, "the first code cell has the tag `imports`"
    nodes = [node for node in ast.walk(ast.parse(first.source)) if isinstance(node, ast.Import | ast.ImportFrom)]
    return {f"{getattr(node, 'module', '')} {alias.name}" for node in nodes for alias in node.names}


@each_lesson
def test_it_has_the_form_of_a_lesson(lesson: Path) -> None:
    found, prose = cells.read(lesson), text(lesson)
    number = int(lesson.stem[:2])
    assert re.match(rf"# Lesson {number}: \S", found[0].source), "the first cell is the title"
    goals = re.search(r"^After this lesson you can$(.*?)^You need ", found[0].source, re.MULTILINE | re.DOTALL)
    assert goals, "the first cell says `After this lesson you can`, then `You need`"
    assert 3 <= len(re.findall(r"^- ", goals[1], re.MULTILINE)) <= 5, "three to five goals"
    assert "minutes" in found[0].source, "the first cell says how long it takes"
    headings = re.findall(r"^## (.+)$", prose, re.MULTILINE)
    assert headings[-2:] == ["Questions", "Further reading"]
    questions = prose.split("## Questions")[1].split("## Further reading")[0]
    assert 3 <= len(re.findall(r"^\d\. ", questions, re.MULTILINE)) <= 6, "three to six numbered questions"
    assert "section" in prose.split("## Further reading")[1], "further reading has section numbers"


@each_lesson
def test_a_formula_stands_beside_its_code(lesson: Path) -> None:
    found = cells.read(lesson)
    beside = [a for a, b in pairwise(found) if a.kind == "markdown" and b.kind == "code"]
    assert any("$" in cell.source for cell in beside)
    for cell in found:
        assert cell.source.count("$") % 2 == 0, f"a formula is not closed: {cell.source[:60]}"


@each_lesson
def test_exercises_have_their_form(lesson: Path) -> None:
    found = cells.read(lesson)
    places = [i for i, cell in enumerate(found) if cells.EXERCISE in cell.tags]
    assert 3 <= len(places) <= 5, "three to five exercises"
    for number, place in enumerate(places, 1):
        (name,) = found[place].functions
        (function,) = ast.parse(found[place].source).body
        assert isinstance(function, ast.FunctionDef)
        assert "`" in (ast.get_docstring(function) or ""), f"the docstring of {name} has an example"
        assert len(function.body) == 2, f"{name} is a docstring and a gap"
        assert f"Exercise {number}: " in ast.unparse(function.body[1])
        assert found[place - 1].kind == "markdown", f"what to write stands before {name}"
        assert f"Exercise {number}" in found[place - 1].source
        assert found[place + 1].source.strip() == f"check({name})"


@each_lesson
def test_hidden_tests_explain_themselves(lesson: Path) -> None:
    """Each is about an exercise, and each assertion has a message."""
    names, found = cells.exercises(lesson), hidden_tests(lesson)
    assert found, f"no hidden tests in {lesson.stem[:2]}/"
    for path in found:
        module = ast.parse(path.read_text(encoding="utf-8"))
        functions = [node.name for node in module.body if isinstance(node, ast.FunctionDef)]
        tests = [name for name in functions if name.startswith("test_")]
        assert [test for test in tests if cells.exercise_of(test, names) is None] == []
        assert {cells.exercise_of(test, names) for test in tests} == set(names)
        silent = [node.lineno for node in ast.walk(module) if isinstance(node, ast.Assert) and node.msg is None]
        assert silent == [], f"{path.name}: assertions without a message"


@each_lesson
def test_it_can_be_read(lesson: Path) -> None:
    for path in (lesson, solution(lesson), *hidden_tests(lesson)):
        lines = path.read_text(encoding="utf-8").splitlines()
        assert len(lines) <= LONGEST
        assert [line for line in lines if len(line) > WIDEST] == []


def test_names_of_exercises_are_unique() -> None:
    """`check` knows an exercise by its name alone."""
    names = [name for lesson in cells.lessons() for name in cells.exercises(lesson)]
    assert len(names) == len(set(names))
