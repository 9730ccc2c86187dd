"""What a student is told about a broken solution: the place and the reason, and never the answer.

`check` tells it of a function, `pytest lessons/01` of a file, `python -m lessons.making marks` of many.
"""

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from classroom import check
from making import cells, checking, marking, messages, notebooks
from making import work as student
from pocketrcnn.model import boxes

LESSON = cells.find("01")
GAP = re.compile(r'    raise NotImplementedError\("Exercise 1:.*?"\)\n', re.DOTALL)
RIGHT = "    return torch.nn.functional.conv2d(image[None, None], kernel[None, None])[0, 0]\n"


def with_answer(body: str, folder: Path, name: str = "anna.py") -> Path:
    """A student's copy of lesson 1, in which exercise 1 has this body."""
    text, count = GAP.subn(lambda _: body, LESSON.read_text(encoding="utf-8"))
    assert count == 1
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def told(body: str, folder: Path) -> str:
    """What the first hidden test says about a body of exercise 1."""
    work = student.of_file(with_answer(body, folder))
    try:
        assert work.convolved(torch.ones(4, 6), torch.ones(3, 3)).shape == (2, 4), "4 rows, 6 columns: another shape"
    except BaseException as error:
        return messages.outcome(error, "convolved", work).message
    return "right"


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (RIGHT, "right"),
        ("    raise NotImplementedError('Exercise 1: later')\n", "not written yet. Exercise 1: later"),
        ("    kernel * image[0, 0]\n", "`convolved` returns nothing (`None`: is a `return` missing?)"),
        ("    return [[1.0]]\n", "returns a `list`, where its first line promises `Tensor`"),
        ("    return image\n", "another shape"),
        ("    return image.foo\n", "fails in line {0} (`return image.foo`) (AttributeError: "),
        (
            "    def inner(x):\n        return x[99]\n    return inner(image)\n",
            "in line {1} (`return x[99]`) (IndexError",
        ),
        (
            "    return np.ones(3)\n",
            "(NameError: name 'np' is not defined). A function may use what the first code cell",
        ),
        ("    out += 1\n    out = 0\n", "(`out += 1`) (UnboundLocalError: "),
        ("    return [][0]\n", "list index out of range), called with image = Tensor [4,6], kernel = Tensor [3,3] [["),
        ("    return (kernel * image\n", "line {0} is not valid Python ('(' was never closed): return (kernel * image"),
        ("    import seabornn\n    return image\n", "line {0} (`import seabornn`) (ModuleNotFoundError"),
        ("    return convolved(image, kernel)\n", "(RecursionError: maximum recursion depth exceeded)"),
        ("    assert False, 'my own'\n", "fails in line {0} (`assert False, 'my own'`) (AssertionError: my own)"),
        ("    raise SystemExit(3)\n", "fails in line {0} (`raise SystemExit(3)`) (SystemExit: 3)"),
    ],
)
def test_a_broken_solution_is_told_where_and_why(body: str, says: str, tmp_path: Path) -> None:
    said = told(body, tmp_path)
    line = GAP.split(LESSON.read_text(encoding="utf-8"))[0].count("\n") + 1  # of the first line of the body
    assert says.format(line, line + 1) in said
    assert "conv2d" not in said or body == RIGHT
    assert ("A function may use" in said) == ("name 'np'" in says)


def test_a_function_with_another_name_or_other_arguments_is_said(tmp_path: Path) -> None:
    path = with_answer(RIGHT, tmp_path)
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("def convolved(", "def folded("), encoding="utf-8")
    with pytest.raises(student.NotUsable, match=r"anna\.py has no function `convolved`: keep its name"):
        _ = student.of_file(path).convolved
    path.write_text(text.replace("convolved(image: Tensor, kernel: Tensor)", "convolved(image: Tensor)"), "utf-8")
    with pytest.raises(student.NotUsable, match=r"too many positional arguments\): keep its arguments"):
        student.of_file(path).convolved(torch.ones(2, 2), torch.ones(1, 1))


def test_only_definitions_of_a_file_are_executed(tmp_path: Path) -> None:
    path = with_answer(RIGHT, tmp_path)
    more = (
        f"\n# %%\nopen({str(tmp_path / 'opened')!r}, 'w')\nraise ValueError\n# %%\nimport nothere\n# %%\ndef broken(:\n"
    )
    path.write_text(path.read_text(encoding="utf-8") + more, encoding="utf-8")
    assert student.of_file(path).convolved(torch.ones(2, 2), torch.ones(2, 2)).item() == 4
    assert not (tmp_path / "opened").exists()


def test_a_function_may_call_one_of_another_cell(tmp_path: Path) -> None:
    path = with_answer("    return mine(image, kernel)\n", tmp_path)
    path.write_text(f"# %%\ndef mine(image, kernel):\n{RIGHT}\n" + path.read_text(encoding="utf-8"), encoding="utf-8")
    assert student.of_file(path).convolved(torch.ones(2, 2), torch.ones(2, 2)).item() == 4


def test_a_notebook_is_read_and_its_cell_is_named(tmp_path: Path) -> None:
    path = with_answer("    return image.foo\n", tmp_path)
    notebook = tmp_path / "anna.ipynb"
    notebook.write_text(notebooks.portable(path), encoding="utf-8")
    work = student.of_file(notebook)
    with pytest.raises(AttributeError) as caught:
        work.convolved(torch.ones(2, 2), torch.ones(2, 2))
    said = messages.outcome(caught.value, "convolved", work).message
    assert re.search(r"fails in line \d+ of cell \d+ \(`return image.foo`\)", said)


def of_another_type() -> Callable[..., Any]:
    def side_after(side: int, kernel: int, stride: int = 1, padding: int = 0) -> int:
        return (side + 2 * padding - kernel) / stride + 1  # type: ignore[return-value]

    return side_after


def test_check_says_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    def convolved(image: Tensor, kernel: Tensor) -> Tensor:
        return torch.nn.functional.conv2d(image[None, None], kernel[None, None])[0, 0]

    check(convolved)
    check(of_another_type())
    check(print)
    right, wrong, unknown = capsys.readouterr().out.splitlines()
    assert re.fullmatch(r"convolved: right, by \d tests", right)
    assert wrong == "side_after: `side_after` returns a `float`, where its first line promises `int`"
    assert unknown == "`print` is not the name of an exercise: keep the names of the lesson"


NO_LAYER_IS_DONE = """i, r = 0, 1
    while i < len(layers):
        for k, s in layers:
            if s > 100:
                i += 1
    return r"""
ONE_BOX_STAYS = """order = scores.argsort(descending=True).tolist()
    iou = boxes.iou(corners, corners)
    kept = []
    while order:
        best = order[0]
        kept.append(best)
        for i in order[1:]:
            if iou[best, i] > iou_threshold:
                order.remove(i)
    return kept"""
ENDLESS = [
    ("receptive_field(layers)", "while True: pass"),
    ("receptive_field(layers)", "time.sleep(60)"),
    ("receptive_field(layers)", NO_LAYER_IS_DONE),
    ("greedy_nms(corners, scores, iou_threshold)", ONE_BOX_STAYS),
]


def written(head: str, body: str) -> Callable[..., Any]:
    """A function as a student writes it."""
    names: dict[str, Any] = {"time": time, "boxes": boxes}
    exec(f"def {head}:\n    {body}", names)
    function: Callable[..., Any] = names[head.partition("(")[0]]
    return function


@pytest.mark.parametrize(("head", "body"), ENDLESS)
@pytest.mark.parametrize("lines", [True, False], ids=["lines", "no_lines"])
def test_a_loop_without_end_is_ended(head: str, body: str, lines: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """One test waits for it, the others do not; also where an interrupt strikes an instruction that has no line."""
    monkeypatch.setattr(messages, "SECONDS", 0.2)
    function = written(head, body)
    if not lines:
        monkeypatch.setattr(function, "__code__", function.__code__.replace(co_linetable=b""))
    place = "in line [2-9]|in line 1[0-9]" if lines else "in line 1"
    busy = rf"(\w+): `\1` was still busy after 0.2 s ({place}) of the cell, called with .+: does a loop never end\?"
    assert re.fullmatch(busy, checking.verdict(function))


@pytest.mark.parametrize("head", ["receptive_field(layers)", "greedy_nms(corners, scores, iou_threshold)"])
@pytest.mark.parametrize("broken", ["raise KeyboardInterrupt", "import pytest; pytest.exit('done', 0)"])
def test_tests_that_broke_off_are_no_right_answer(head: str, broken: str) -> None:
    assert re.search(r": its tests broke off \(|: not all of its tests ran", checking.verdict(written(head, broken)))


def test_pytest_and_marks_end_a_loop_without_a_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One exercise is endless, those after it are tested."""
    body = f"    {ONE_BOX_STAYS.replace('scores.argsort(descending=True).tolist()', '[0, 1]')}\n"
    body = body.replace("boxes.iou(corners, corners)", "image").replace("iou[best, i] > iou_threshold", "False")
    path = with_answer(body, tmp_path)
    imported = "import sys, pytest; from making import cells, messages, work; work.of_file(cells.find('01'))"
    quick = f"{imported}; messages.SECONDS = 1; sys.exit(pytest.main())"
    within = marking.within
    said = []

    def shortly(seconds: float, command: list[str], folder: Path) -> tuple[str, int | None]:
        monkeypatch.setenv("PYTHONPATH", str(cells.LESSONS), prepend=os.pathsep)
        said.append(within(seconds, [command[0], "-c", quick, *command[3:]], folder))
        return said[-1]

    monkeypatch.setattr(marking, "within", shortly)
    marked = marking.mark(path, LESSON)
    assert [mark.state for mark in marked.marks.values()] == ["endless", *["not written"] * 4]
    assert "`convolved` was still busy after 1 s in line " in marked.marks["convolved"].message
    text, code = said[0]
    assert code == 1
    assert "INTERNALERROR" not in text
    assert "- convolved: `convolved` was still busy" in text


def test_an_exercise_whose_tests_did_not_run_is_not_marked_as_right() -> None:
    assert marking.summed([], "convolved") == marking.Mark("error", "its tests did not run", 0, 0)


def test_every_file_gets_its_marks_whatever_it_does(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "Berta").mkdir()
    with_answer(RIGHT, tmp_path / "Berta", "01_convolutions.py")
    with_answer("    import os\n    os._exit(0)\n", tmp_path, "carl.py")
    (tmp_path / "dora.ipynb").write_text('{"cells": [', encoding="utf-8")
    (tmp_path / "emil.py").write_bytes(b"# \xe4\xf6\xfc")
    marked = marking.mark_all(tmp_path, 2)
    assert [(one.student, one.right, one.marks["convolved"].state) for one in marked] == [
        ("Berta", 1, "right"),
        ("carl", 0, "error"),
    ]
    said = capsys.readouterr().err
    assert "dora.ipynb is no notebook that can be read" in said
    assert "emil.py is not UTF-8" in said
    assert re.search(r"^Berta +1/5 +right +not written", marking.table(marked), re.MULTILINE)
    marking.write_csv(marked, tmp_path / "marks.csv")
    lines = (tmp_path / "marks.csv").read_text(encoding="utf-8").splitlines()
    assert len(lines) == 1 + 2 * 5
    assert lines[1].startswith("Berta,01_convolutions,convolved,right,")


def test_a_file_that_never_ends_is_ended(tmp_path: Path) -> None:
    path = with_answer(
        "    while True:\n        try:\n            while True: pass\n        except BaseException: pass\n", tmp_path
    )
    marked = marking.mark(path, LESSON, seconds=8)
    assert {mark.state for mark in marked.marks.values()} == {"endless"}


def without(module: str, code: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run code where a package is not installed."""
    prepared = f"import sys; sys.path[:0] = [{str(cells.LESSONS.parent)!r}]; sys.modules[{module!r}] = None; {code}"
    return subprocess.run([sys.executable, "-c", prepared], cwd=folder, capture_output=True, text=True, check=False)


def test_what_is_missing_is_one_line(tmp_path: Path) -> None:
    remedy = "not installed here: `pip install '.[lessons]'` in a clone of the project"
    making = "import runpy; sys.argv = ['x', 'notebooks']; runpy.run_module('lessons.making', run_name='__main__')"
    ended = without("jupytext", making, tmp_path)
    assert (ended.returncode, ended.stderr) == (2, f"lessons.making needs jupytext, {remedy}\n")
    tests = f"import pytest; sys.exit(pytest.main([{str(cells.LESSONS / '01')!r}]))"
    ended = without("jupytext", tests, tmp_path)
    assert ended.returncode == 4
    assert ended.stderr.strip() == f"ERROR: the tests of the lessons need jupytext, {remedy}"
    lesson = f"sys.path[:0] = [{str(cells.LESSONS)!r}]; from classroom import check; check(print)"
    ended = without("pytest", lesson, tmp_path)
    assert ended.stdout.strip() == "check needs pytest, which is " + remedy
    assert ended.returncode == 0
