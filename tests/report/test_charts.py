"""One file draws charts with matplotlib, for all pages; its curves say in words what they show."""

from __future__ import annotations

import re
from pathlib import Path

import pocketrcnn
from pocketrcnn.report import charts

SOURCE = Path(pocketrcnn.__file__).parent


def test_one_file_imports_matplotlib() -> None:
    wanted = re.compile(r"^\s*(from|import) matplotlib", re.MULTILINE)
    files = [path for path in SOURCE.rglob("*.py") if wanted.search(path.read_text("utf-8"))]
    assert [path.relative_to(SOURCE).as_posix() for path in files] == ["report/charts.py"]


def test_a_chart_of_curves_says_their_first_and_last_means() -> None:
    """Of all values, also where the chart has fewer of them."""
    seeds = [[i / 1000 for i in range(1000)], [i / 500 for i in range(1000)]]
    line = charts.Line(range(1, 1001), seeds)
    panel = charts.curve_panel("Accuracy", [("test", line)], "%", subject=" for B1")
    assert panel.alt.replace("\N{NO-BREAK SPACE}", " ") == (
        "Line chart for B1, Accuracy: test goes from 0.0 % at iteration 1 to 149.8 % at iteration 1000."
    )


def test_a_loss_of_zero_has_no_logarithmic_axis() -> None:
    for value, differs in ((0.5, True), (0.0, False)):
        lines = [("training", charts.Line([1, 2], [[1.0, value]]))]
        plain, logarithmic = (charts.curve_panel("Loss", lines, log=log).uri for log in (False, True))
        assert (plain != logarithmic) == differs
