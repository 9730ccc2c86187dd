"""The report in a real browser, headless: no request to the network, nothing overflows, every picture loads."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import chromium
import pytest
from fake_results import results
from fake_runs import run

from pocketrcnn.course.report.page import write_report
from pocketrcnn.custom.report.page import render_runs
from pocketrcnn.report.html import write

WIDTHS = {"desktop": 1280, "phone": 390}
CASES: dict[str, Callable[[Path], None]] = {
    "all": lambda path: write_report(results(), path),
    "sample": lambda path: write_report(results(ids=("B1", "F2"), data="sample", seeds=1), path),
    "run": lambda path: write(render_runs([run(classes=10, images=12, objects=60)]), path),
    "runs": lambda path: write(render_runs([run(name="a"), run(name="a-long-name-for-a-run" * 4, seed=1)]), path),
}

pytestmark = chromium.MARKS


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("reports")
    for name, make in CASES.items():
        make(folder / f"{name}.html")
    return {name: folder / f"{name}.html" for name in CASES}


@pytest.fixture(params=[(case, width) for case in CASES for width in WIDTHS.values()], ids=str)
def opened(request: pytest.FixtureRequest, browser: Any, files: dict[str, Path]) -> tuple[Any, Path]:
    """The browser with one of the reports at one of the widths, loaded anew."""
    case, width = request.param
    chromium.open_page(browser, files[case], width)
    return browser, files[case]


def test_the_page_works_in_a_browser(opened: tuple[Any, Path]) -> None:
    browser, path = opened
    chromium.assert_quiet(browser, path)
    assert not chromium.scrolls_sideways(browser)
    images = browser.execute_script("return [...document.images].map(i => [i.complete, i.naturalWidth, i.alt])")
    assert len(images) > 10
    assert all(complete and width > 0 and alt.strip() for complete, width, alt in images)
    captions = browser.execute_script(
        "return [...document.querySelectorAll('figure')].map(f => f.querySelector('figcaption')?.innerText ?? '')"
    )
    assert captions
    assert all(len(caption.strip()) > 40 for caption in captions)


def test_charts_can_be_read_on_a_phone(opened: tuple[Any, Path]) -> None:
    browser, _ = opened
    widths = browser.execute_script("return [...document.querySelectorAll('.charts img')].map(i => i.clientWidth)")
    assert min(widths) > 270, "charts keep a size at which their letters can be read"


def test_no_cell_of_a_table_is_a_column_of_words(opened: tuple[Any, Path]) -> None:
    """Long texts in wide tables used to be as narrow as a word, and a row as high as the screen."""
    browser, _ = opened
    heights = browser.execute_script("return [...document.querySelectorAll('tbody tr')].map(r => r.clientHeight)")
    assert max(heights) < 150
