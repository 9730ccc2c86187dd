"""`pocketrcnn report class/*`: who is who, what is counted, what is averaged, and what the page says of it.

Covers `course/students.py`, `course/report/groups.py`, `course/report/class_page.py`, `report/dots.py`.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import chromium
import pytest
from fake_results import PUBLISHED, results
from pages import Page, section
from shell import Shell

from pocketrcnn.course.report.class_page import Class, render_class
from pocketrcnn.course.report.groups import groups
from pocketrcnn.course.students import Student, names, read_class, results_files
from pocketrcnn.errors import UserError
from pocketrcnn.report.dots import CLOSE, Axis, levels


def hand_in(folder: Path, name: str, **given: Any) -> Path:
    """The results of a student, as a file of that name."""
    path = folder / f"{name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(results(**{"ids": ("F2", "R1"), "seeds": 1} | given)))
    return path


@pytest.fixture
def room(tmp_path: Path) -> Path:
    """The folder of a class of three: anna, ben, cleo."""
    for seed, name in enumerate(("anna", "ben", "cleo")):
        hand_in(tmp_path / "class", name, seed=seed)
    return tmp_path / "class"


@pytest.fixture
def typed(shell: Shell, room: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """`pocketrcnn report class/*` in the folder above, with more words behind it."""
    monkeypatch.chdir(room.parent)
    return lambda *more: shell("report", *sorted(path.relative_to(room.parent) for path in room.iterdir()), *more)


def students(room: Path) -> list[Student]:
    return read_class(results_files([room]))[0]


def changed(path: Path, change: Callable[[dict[str, Any]], object], name: str) -> Path:
    """The results of another file with a change, under another name."""
    raw = json.loads(path.read_text())
    change(raw)
    (path.parent / f"{name}.json").write_text(json.dumps(raw))
    return path.parent / f"{name}.json"


def test_the_page_has_every_student_with_the_reports_number_and_the_spread(typed: Any, room: Path) -> None:
    assert typed() == (0, "report: report.html\n", "")
    html = Path("report.html").read_text()
    values = [student.results.find("F2")[0].value.mean for student in students(room)]
    mean = sum(values) / 3
    deviation = (sum((value - mean) ** 2 for value in values) / 2) ** 0.5
    text = section(html, "f2")
    assert f"3 students, mean {100 * mean:.2f} ± {100 * deviation:.2f} %" in text
    assert "3 of 3 beat the report's 58.46 %" in text
    for name, value in zip(("anna", "ben", "cleo"), values, strict=True):
        assert f"{name}: {100 * value:.2f} %" in text, "a dot says whose it is"
        assert f"{name} {100 * value:.2f} %" in text, "and the table has it"
    assert "R1" in Page(html).text


def test_a_folder_of_files_and_folders_is_a_class_too(shell: Shell, room: Path) -> None:
    (room / "dora" / "reproduction").mkdir(parents=True)
    hand_in(room, "new", seed=9).rename(room / "dora" / "reproduction" / "results.json")
    page = room.parent / "page.html"
    assert shell("report", room, "--out", page).code == 0
    assert "4 of 4 students ran F2" in section(page.read_text(), "f2")
    assert "dora:" in Page(page.read_text()).text


def test_patterns_are_followed_where_the_shell_leaves_them(shell: Shell, room: Path) -> None:
    page = room.parent / "page.html"
    assert shell("report", room / "*", "--out", page).code == 0
    assert "3 of 3 students" in section(page.read_text(), "f2")


def test_one_file_under_any_name_has_the_page_of_reproduce(shell: Shell, room: Path) -> None:
    code, out, _ = shell("report", room / "anna.json")
    assert (code, out) == (0, f"report: {room / 'report.html'}\n")
    assert "Every number of the report, beside ours" in (room / "report.html").read_text()
    assert shell("report", room, "--out", room / "report.html").code == 0, "a page among the results is passed over"


def test_what_cannot_be_read_is_named_and_left_out(typed: Any, room: Path) -> None:
    (room / "notes.txt").write_text("hello")
    (room / "cut.json").write_bytes((room / "anna.json").read_bytes()[:-100])
    (room / "deep.json").write_text("[" * 100_000)
    (room / "list.json").write_text("[]")
    (room / "other.json").write_text('{"images": [], "annotations": []}')
    (room / "bytes.json").write_bytes(b"\xff\xfe\x00\xd8")
    (room / "empty").mkdir()
    (room / "copy of ben.json").write_bytes((room / "ben.json").read_bytes())
    os.mkfifo(room / "pipe.json")
    code, out, err = typed()
    assert (code, out) == (1, "report: report.html\n")
    reasons = {line.split(": ")[1].removeprefix("class/"): line for line in err.splitlines()}
    assert set(reasons) == {
        "notes.txt", "cut.json", "deep.json", "list.json", "other.json", "bytes.json", "copy of ben.json", "pipe.json"
    }  # fmt: skip
    assert "same bytes as class/ben.json" in reasons["copy of ben.json"]
    assert "3 of 3 students ran F2" in section(Path("report.html").read_text(), "f2")
    assert "copy of ben.json" in section(Path("report.html").read_text(), "left-out")


def test_a_class_without_a_readable_file_is_refused(shell: Shell, tmp_path: Path) -> None:
    for name in ("a.json", "b.json"):
        (tmp_path / name).write_text("nothing")
    line = shell.refused("report", tmp_path / "a.json", tmp_path / "b.json")
    assert "no results of `pocketrcnn reproduce` in 2 files" in line
    assert "a.json: it is not JSON" in line


def first(raw: dict[str, Any]) -> dict[str, Any]:
    return next(record for record in raw["experiments"] if record["id"] == "F2")


def accuracy(raw: dict[str, Any]) -> dict[str, Any]:
    return first(raw)["metrics"]["accuracy"]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda raw: accuracy(raw).update(values=[float("nan")]), "no such number"),
        (lambda raw: accuracy(raw).update(values=[7.0], mean=7.0), "no such number"),
        (lambda raw: accuracy(raw).update(mean=0.99), "not that of its values"),
        (lambda raw: accuracy(raw).update(values=[]), "one value for each seed"),
        (lambda raw: first(raw).update(headline="mean_iou"), None),
        (lambda raw: first(raw).update(id="F9" * 500), "no such experiment"),
        (lambda raw: first(raw)["metrics"].pop("accuracy"), "accuracy is not there"),
        (lambda raw: raw["experiments"].append(first(raw)), "there twice"),
    ],
)
def test_numbers_that_cannot_be_are_left_out(room: Path, change: Any, reason: str | None) -> None:
    path = changed(room / "anna.json", change, "eve")
    known, left_out = read_class([room / "ben.json", path])
    assert [student.name for student in known] == ["ben", "eve"], "the other experiments of the file stay"
    assert [one.path for one in left_out] == [path]
    assert (reason or "accuracy is not there") in left_out[0].reason
    assert len(left_out[0].reason) < 150


def test_the_published_number_is_ours_not_that_of_the_file(room: Path) -> None:
    changed(room / "anna.json", lambda raw: first(raw)["report"].update(value=0.01), "anna")
    assert PUBLISHED["F2"] == groups(students(room))["F2"][0].experiment.published.value
    assert "1.00 %" not in section(render_class(Class(students(room), ())), "f2")


def test_other_settings_are_other_groups_and_are_said(room: Path) -> None:
    hand_in(room, "long", iterations=2000, seed=3)
    hand_in(room, "sample", data="sample", seed=4)
    changed(room / "anna.json", lambda raw: first(raw)["hardware"].update(precision="float32"), "exact")
    changed(room / "anna.json", lambda raw: first(raw)["versions"].update(pocketrcnn="0.2.0"), "newer")
    changed(room / "anna.json", lambda raw: raw.update(created="2026-12-01T00:00:00Z"), "later")
    of_f2 = groups(students(room))["F2"]
    assert {number.student for number in of_f2[0].numbers} == {"anna", "ben", "cleo", "later"}
    assert {number.student for group in of_f2[1:] for number in group.numbers} == {"long", "newer", "exact", "sample"}
    text = section(render_class(Class(students(room), ())), "f2")
    for words in ("in 5 groups", "2,000 iterations (as in the report)", "float32", "version 0.2.0", "the sample of"):
        assert words in text
    assert "anna and later have the same seeds, and the same numbers to the last digit" in text


def test_the_sample_is_never_beside_the_report(tmp_path: Path) -> None:
    for seed in range(2):
        hand_in(tmp_path, f"s{seed}", data="sample", seed=seed)
    text = Page(render_class(Class(students(tmp_path), ()))).text
    assert "58.46" not in text
    assert "beat the report's" not in text
    assert "none is compared with the report" in text


def test_one_seed_for_all_is_no_spread(tmp_path: Path) -> None:
    hand_in(tmp_path, "a")
    for name in ("b", "c"):
        changed(tmp_path / "a.json", lambda raw, name=name: raw.update(command=name), name)
    assert "one measurement and no spread" in section(render_class(Class(students(tmp_path), ())), "f2")


def test_experiments_that_only_some_ran_say_so(room: Path) -> None:
    hand_in(room, "dan", ids=("R1",), seed=7)
    html = render_class(Class(students(room), ()))
    assert "3 of 4 students ran F2; dan did not." in section(html, "f2")
    assert section(html, "students").endswith("–"), "in the table a dash stands for F2, of the last student"


def test_names_are_left_out_and_one_is_marked(typed: Any, room: Path) -> None:
    (room / "ben-notes.txt").write_text("")
    code, out, _ = typed("--anonymous", "--you", "Cleo")
    assert code == 1
    html = Path("report.html").read_text()
    assert not [name for name in ("anna", "ben", "cleo", "Cleo") if name in html]
    assert "Your number: " in section(html, "f2")
    assert html.count('<g class="dot you"') == 2, "one in each experiment"
    numbers = out.splitlines()[0]
    assert numbers.startswith("numbers on the page: 1 ")
    assert all(name in numbers for name in ("anna", "ben", "cleo"))
    assert "students ran F2" in section(html, "f2")


def test_a_student_is_marked_by_name(typed: Any, room: Path) -> None:
    typed("--you", "ANNA")
    html = Path("report.html").read_text()
    assert html.count('<g class="dot you"') == 2
    assert "place " in section(html, "f2")
    assert "standard deviations" in section(html, "f2")


def test_options_of_a_class_are_refused_where_there_is_none(typed: Any, shell: Shell, tmp_path: Path) -> None:
    assert "--you ana: no such student (did you mean `anna`?)" in typed("--you", "ana").err
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "config.yaml").write_text("")
    assert "--anonymous is for the results of many" in shell.refused("report", tmp_path / "run", "--anonymous")


def test_a_page_of_somebody_else_stays(typed: Any) -> None:
    Path("report.html").write_text("mine")
    assert "is not a page of pocket-rcnn" in typed().err
    assert Path("report.html").read_text() == "mine"


@pytest.mark.parametrize(
    ("paths", "expected"),
    [
        (["c/anna.json", "c/ben/results.json"], ["anna", "ben"]),
        (["c/anna/reproduction/results.json", "c/ben/reproduction/results.json"], ["anna", "ben"]),
        (["8a/anna.json", "8b/anna.json", "8b/ben.json"], ["8a/anna", "8b/anna", "ben"]),
        (["c/anna/trial/results.json", "c/ben/trial/results.json"], ["anna/trial", "ben/trial"]),
        (["c/anna.json", "c/anna/results.json"], ["anna.json", "results.json"]),
        (["c/a\x1b[2Jb.json"], ["a\\x1b[2Jb"]),
    ],
)
def test_names_tell_students_apart(tmp_path: Path, paths: list[str], expected: list[str]) -> None:
    assert names([tmp_path / path for path in paths]) == expected


def test_a_hostile_name_is_text(room: Path) -> None:
    hand_in(room, "<script>alert(1)<", seed=5)
    html = render_class(Class(students(room), ()))
    assert "<script" not in html
    assert "<script>alert(1)<: " in Page(html).text


def test_the_same_results_give_the_same_page(room: Path) -> None:
    known = students(room)
    assert render_class(Class(known, ())) == render_class(Class(students(room), ()))


def test_a_file_that_is_not_there_is_named(shell: Shell, room: Path) -> None:
    code, _, err = shell("report", room / "anna.json", room / "ben.json", room / "bne.json", "--out", room / "p.html")
    assert code == 1
    assert "bne.json: it is not there" in err
    with pytest.raises(UserError, match="in 1 file "):
        read_class([room / "nobody.json"])


def test_dots_that_would_meet_are_piled_up() -> None:
    places = [0.5, 0.5, 0.1, 0.5 + CLOSE / 2, 0.5 + 2 * CLOSE]
    assert levels(places) == [0, 1, 0, 2, 0]
    assert levels([]) == []


def test_the_axis_has_all_values_and_round_numbers() -> None:
    for values in ([0.3, 0.3], [0.0, 0.0], [58.46, 61.0, 70.0], [1e-6, 1e-2], [-1.0, 1.0]):
        for may_be_log in (False, True):
            axis = Axis.of(values, may_be_log)
            assert all(0 <= axis.place(value) <= 1 for value in values)
            assert len(axis.ticks("")) >= 2
            assert all(0 <= place <= 1 for place, _ in axis.ticks(""))
    assert Axis.of([1e-6, 1e-2], True).log
    assert Axis.of([1e-6, 1e-2], True).place(-1.0) >= 0


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("class")
    for seed in range(12):
        hand_in(folder, "x" * 40 if seed == 3 else f"student {seed}", ids=("R2", "F2"), seed=seed, seeds=1 + seed % 2)
    hand_in(folder, "long", ids=("R2",), seed=13, iterations=2000)
    page = folder / "page.html"
    page.write_text(render_class(Class(students(folder), (), "student 2")))
    return page


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.slow
@pytest.mark.loopback
@chromium.NEEDED
def test_a_dot_says_whose_it_is_by_mouse_and_keyboard(browser: Any, written: Path, width: int) -> None:
    chromium.open_page(browser, written, width)
    chromium.assert_quiet(browser, written)
    assert not chromium.scrolls_sideways(browser)
    visible = (
        "return [...document.querySelectorAll('.dots g text')]"
        ".filter(t => getComputedStyle(t).visibility === 'visible')"
        ".map(t => [t.textContent, t.getBoundingClientRect().left, t.getBoundingClientRect().right])"
    )
    assert browser.execute_script(visible) == []
    for number in range(browser.execute_script("return document.querySelectorAll('.dots g').length")):
        browser.execute_script(f"document.querySelectorAll('.dots g')[{number}].focus()")
        ((text, left, right),) = browser.execute_script(visible)
        assert ": " in text
        assert left >= 0
        assert right <= width
    inside = browser.execute_script(
        "return [...document.querySelectorAll('.dots g')].every(g => { const c = g.firstElementChild"
        ".getBoundingClientRect(), s = g.ownerSVGElement.getBoundingClientRect();"
        "return c.left >= s.left - 8 && c.right <= s.right + 8 && c.top >= s.top && c.bottom <= s.bottom })"
    )
    assert inside
