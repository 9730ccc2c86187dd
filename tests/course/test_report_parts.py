"""The parts of the report: words that follow from numbers, charts that keep their text, reading and writing.

Covers `report/blocks.py`, `report/charts.py`, `report/html.py`, `report/phrases.py`, `report/colours.py`,
`course/report/charts.py`, `course/report/metrics.py`.
"""

from __future__ import annotations

from base64 import b64decode
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from fake_results import results
from hypothesis import given
from hypothesis import strategies as st

from pocketrcnn.course.report import charts as course_charts
from pocketrcnn.course.report import metrics, networks
from pocketrcnn.course.report.page import render, write_report
from pocketrcnn.course.report.records import Curve, read
from pocketrcnn.errors import UserError
from pocketrcnn.report import charts, phrases
from pocketrcnn.report.phrases import NBSP, Stat


def explained(**step: float) -> str:
    raw = results(("B1", "B2", "B3"))
    for record in raw["experiments"]:
        record["seconds"] |= {"mean": step[record["title"]] * record["iterations"]}
    return " ".join(networks.explain(read(raw).records)).replace(NBSP, " ")


def test_the_explanation_follows_the_numbers() -> None:
    text = explained(ConvNet=0.1, MobileNet=0.05, ResNet=0.15)
    assert "Accuracy, best first: ResNet" in text
    assert "grow by a factor of 8.7 and the time by one of 3.0" in text
    assert "a single multiplication takes MobileNet 2.9 times as long as ResNet" in text
    assert "25" in text


def test_the_explanation_turns_with_the_numbers() -> None:
    text = explained(ConvNet=0.1, MobileNet=0.01, ResNet=0.2)
    assert "a single multiplication takes ResNet 2.3 times as long as MobileNet" in text
    assert "moving numbers" not in text
    level = explained(ConvNet=0.1, MobileNet=0.01, ResNet=0.01 * 59_179_008 / 6_824_960)
    assert "time grows as the multiplications do" in level


@given(st.floats(0, 1), st.floats(0, 1))
def test_points_say_the_direction(a: float, b: float) -> None:
    words = phrases.points(a, b)
    shown = round(100 * (a - b), 1)
    assert words.endswith("above") == (shown > 0)
    assert words.endswith("below") == (shown < 0)


@given(st.floats(1e-3, 1e3), st.floats(1e-3, 1e3))
def test_ratios_say_the_direction(a: float, b: float) -> None:
    words = phrases.compare(a, b, "more", "less", "same")
    assert words == "same" or words.endswith("more") == (a > b)


@given(st.lists(st.floats(0, 1), min_size=2, max_size=5), st.lists(st.floats(0, 1), min_size=2, max_size=5))
def test_seeds_are_called_apart_only_when_they_are(first: list[float], second: list[float]) -> None:
    a, b = (Stat(len(v), sum(v) / len(v), 0.1, v) for v in (first, second))
    assert phrases.apart("A", a, "B", b).startswith("every seed") == (min(first) > max(second))


@pytest.mark.parametrize(
    ("seconds", "shown"), [(0.4, "0 s"), (59.6, "1 min 0 s"), (640.2, "10 min 40 s"), (7500, "2 h 5 min")]
)
def test_durations(seconds: float, shown: str) -> None:
    assert phrases.duration(seconds) == shown


def test_lists_in_words() -> None:
    assert [phrases.listed(list("abc")[:n]) for n in range(4)] == ["", "a", "a and b", "a, b and c"]


@pytest.mark.parametrize(("losses", "pixels"), [([0.000727], 0.704), ([0.0, 0.0006], 0.32)])
def test_a_regression_loss_in_pixels(losses: list[float], pixels: float) -> None:
    """32 * sqrt(2L / 3), seed by seed."""
    stat = metrics.in_pixels(Stat(len(losses), sum(losses) / len(losses), 0.0, losses))
    assert stat.mean == pytest.approx(pixels, abs=5e-4)
    assert (stat.n, stat.std > 0) == (len(losses), len(losses) > 1)


def test_published_values_keep_the_decimals_that_were_printed() -> None:
    values = [("accuracy", 0.646), ("accuracy", 0.5846), ("objectness_accuracy", 0.99), ("box_loss", 0.000727)]
    shown = [metrics.published_value(*value).replace(NBSP, " ") for value in values]
    assert shown == ["64.6 %", "58.46 %", "about 99 %", "0.000727"]


@given(st.lists(st.floats(-10, 10), min_size=1, max_size=2000))
def test_thinning_keeps_range_and_short_curves(values: list[float]) -> None:
    thinned = charts.thin(values, 50)
    assert len(thinned) <= 50
    assert thinned == values or len(values) > 50
    assert min(values) - 1e-9 <= min(thinned) <= max(thinned) <= max(values) + 1e-9


def svg(uri: str) -> ElementTree.Element:
    return ElementTree.fromstring(b64decode(uri.partition(",")[2]))


def test_charts_are_well_formed_and_keep_their_text() -> None:
    line = charts.line_chart([charts.Line([1, 2], [[0.001, 0.1], [0.002, 0.2]])], log=True, reference=0.01)
    words = " ".join(svg(line).itertext())
    assert "iteration" in words
    assert "0.001" in words
    bars = charts.bar_chart([charts.Bar("ConvNet", 70.2, 0.3, "70.2 here"), charts.Bar("ResNet", 75, 0, "75")], "%")
    assert "70.2 here" in " ".join(svg(bars).itertext())
    assert svg(course_charts.dot_chart(read(results(("B1",), data="sample")).records)) is not None
    assert svg(course_charts.stacked_chart(["a", "b"], ["x", "y"], [[1, 2], [3, 0]])) is not None


@pytest.mark.parametrize("most", [0.004, 0.31, 1.0, 59.0, 85.5, 217.0, 324.0, 1000.0, 2436.0])
def test_numbers_on_an_axis_of_bars_are_whole(most: float) -> None:
    """`450 ms` once stood half outside of the chart."""
    chart = svg(charts.bar_chart([charts.Bar("ConvNet", most / 2, 0, ""), charts.Bar("ResNet", most, 0, "")], "ms"))
    ends = [
        float(text.attrib["x"]) + points(text.text) / 2
        for text in chart.iter("{http://www.w3.org/2000/svg}text")
        if "middle" in text.attrib["style"] and text.text
    ]
    assert len(ends) >= 3
    assert max(ends) <= float(chart.attrib["viewBox"].split()[2])


def points(text: str) -> float:
    """The width of some digits and letters of 9 points, at most."""
    return 0.68 * 9 * len(text)


def test_a_curve_of_one_point_is_drawn() -> None:
    assert svg(charts.line_chart([charts.Line([5], [[0.5]])], "%")) is not None


def test_the_mean_of_a_curve_is_that_of_its_seeds() -> None:
    assert Curve([1, 2], [[0.0, 2.0], [1.0, 4.0]]).mean == [0.5, 3.0]


def spoiled(**changes: Any) -> dict[str, Any]:
    return results(("B1",)) | changes


@pytest.mark.parametrize("raw", [{}, spoiled(schema=2), spoiled(schema="1")])
def test_another_schema_is_refused(raw: dict[str, Any]) -> None:
    with pytest.raises(UserError, match="this report reads schema 1"):
        render(raw)


@pytest.mark.parametrize("name", ["experiments", "hardware", "peak_memory_gb"])
def test_a_missing_part_is_named(name: str) -> None:
    raw = results(("B1",))
    del raw[name]
    with pytest.raises(UserError, match=rf"the top level.*{name}") as caught:
        render(raw)
    assert "\n" not in str(caught.value)


def test_a_spoiled_experiment_is_named() -> None:
    raw = results(("B1", "B2"))
    raw["experiments"][1]["metrics"] = {"accuracy": {"mean": 0.7}}
    with pytest.raises(UserError, match="experiment 2"):
        render(raw)


def test_a_file_is_written_whole(tmp_path: Path) -> None:
    path = tmp_path / "out" / "report.html"
    raw = results(("B1",))
    write_report(raw, path)
    assert path.read_text("utf-8") == render(raw)
    assert [entry.name for entry in path.parent.iterdir()] == ["report.html"]


def test_where_it_cannot_be_written_nothing_is_left(tmp_path: Path) -> None:
    (tmp_path / "report.html").mkdir()
    with pytest.raises(UserError, match=r"report\.html cannot be written") as caught:
        write_report(results(("B1",)), tmp_path / "report.html")
    assert "\n" not in str(caught.value)
    assert [entry.name for entry in tmp_path.iterdir()] == ["report.html"]


def test_a_refused_file_leaves_the_old_report(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    path.write_text("old")
    with pytest.raises(UserError):
        write_report(spoiled(schema=9), path)
    assert path.read_text() == "old"
