"""Lessons and demonstrations as pages: `scripts/website/lessons.py` and `live.py`. No lesson is executed here."""

from __future__ import annotations

import json
import os

import pytest

if "CI" not in os.environ:  # there it is installed
    pytest.importorskip("latex2mathml", reason="the packages of `make site` are not installed here")

from scripts.website import lessons, live
from scripts.website.lessons import Executed, Figure, Ran, Text, cells
from scripts.website.pages import page
from scripts.website.repository import ROOT, Wanted, page_of

PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + (1440).to_bytes(4) + (640).to_bytes(4)


def executed() -> Executed:
    exercise = cells.Cell(
        "code", "def f() -> int:\n    raise NotImplementedError('Exercise 1: a number')", ("exercise",)
    )
    ran = (
        Ran(cells.Cell("markdown", "# Lesson 3: Boxes\n\nAn area is $w h$: `src/pocketrcnn/model/boxes.py`."), ()),
        Ran(cells.Cell("code", "draw()"), (Figure("iou", 'Two boxes, "a" < b.', PNG), Text("IoU 0.5\n"))),
        Ran(exercise, ()),
        Ran(cells.Cell("code", "check(f)"), (Text("f: not written yet.\n"),)),
    )
    return Executed(cells.find("03"), ran, 1.0)


def test_a_lesson_is_a_page_with_its_figures_and_its_notebook() -> None:
    made = lessons.pages_of(executed(), wanted := Wanted())
    stem = cells.find("03").stem
    assert set(made) == {f"lessons/{stem}.md", "lessons/03/iou.png", f"lessons/{stem}.ipynb"}
    text = str(made[f"lessons/{stem}.md"])
    assert '<img src="03/iou.png" alt="Two boxes, &quot;a&quot; &lt; b." width="720" height="320"' in text
    assert (
        text.index("# Lesson 3")
        < text.index(f"[Notebook]({stem}.ipynb)")
        < text.index("draw()")
        < text.index("IoU 0.5")
    )
    assert "<math" in text
    assert "../src/pocketrcnn/model/boxes.py.md" in text
    assert "src/pocketrcnn/model/boxes.py" in wanted.seen


def test_exercises_and_verdicts_can_be_told_from_the_rest() -> None:
    text = str(lessons.pages_of(executed(), Wanted())[f"lessons/{cells.find('03').stem}.md"])
    assert text.count('<div class="exercise" markdown>\n\n`````python\ndef f()') == 1
    assert text.count('<div class="verdict" markdown>\n\n`````text\nf: not written') == 1
    assert text.count('<div class="output" markdown>') == 1


def test_the_notebook_for_download_has_no_path_of_the_machine_and_no_solution() -> None:
    notebook = str(lessons.pages_of(executed(), Wanted())[f"lessons/{cells.find('03').stem}.ipynb"])
    assert str(ROOT) not in notebook
    assert len(json.loads(notebook)["cells"]) == len(cells.read(cells.find("03")))
    assert "NotImplementedError" in notebook


@pytest.mark.parametrize("path", ["lessons/solutions/03_boxes.py", "lessons/03/test_boxes.py", "lessons/solutions"])
def test_solutions_and_hidden_tests_have_no_page(path: str) -> None:
    wanted = Wanted()
    assert (
        page(f"see [the answers](../{path}) and `{path}`", "docs/usage.md", wanted) == f"see the answers and `{path}`"
    )
    assert wanted.seen == set()


def test_a_link_to_a_lesson_leads_to_its_page() -> None:
    stem = cells.find("03").stem
    text = page(f"[3](../lessons/{stem}.py) [all](../lessons) [one](../lessons/README.md)", "docs/usage.md", Wanted())
    assert text == f"[3](../lessons/{stem}.md) [all](../lessons/README.md) [one](../lessons/README.md)"


def test_every_lesson_is_in_the_menu() -> None:
    pages = [page for entry in lessons.menu()[1:] for page in entry.values()]
    assert pages == [page_of(path.relative_to(ROOT).as_posix()) for path in cells.lessons()]


def test_without_onnx_runtime_for_browsers_the_site_says_what_is_missing(capsys: pytest.CaptureFixture[str]) -> None:
    assert live.detector_pages() == {}
    assert "no page that runs a detector" in capsys.readouterr().out
    assert "`pocketrcnn download onnxruntime-web`" in live.WITHOUT
