"""The site as it was made: `make site` runs this at its end, `make test` does not. See `scripts/website`.

Pages are opened from the disk, in Chromium, at the width of a phone: all, but of those of source files, which one
function makes of text alone, every eighth.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import chromium
import pytest

from scripts.website import links
from scripts.website.generator import OUT

PHONE = 390  # pixels
SOURCES = 8  # of the pages of source files, one in so many
PARTS = 2  # of the pages: a process each


def pages(part: int) -> list[Path]:
    """A part of those to open."""
    found = sorted(OUT.rglob("*.html"))
    sources = [path for path in found if path.name.endswith(".py.html")]
    return sorted({*found} - {*sources} | {*sources[::SOURCES]})[part::PARTS]


def test_every_link_and_anchor_leads_somewhere_and_all_is_two_clicks_away() -> None:
    assert list(links.faults(OUT)) == []


def test_solutions_and_hidden_tests_are_not_published() -> None:
    lessons = [path.relative_to(OUT).as_posix() for path in (OUT / "lessons").rglob("*")]
    assert [path for path in lessons if "solution" in path or "test_" in path] == []


def test_the_reference_shows_how_a_detector_is_called() -> None:
    text = (OUT / "reference" / "use-a-detector.html").read_text(encoding="utf-8")
    assert 'id="pocketrcnn.Detector.__call__"' in text


@pytest.mark.loopback
@chromium.NEEDED
@pytest.mark.parametrize("part", range(PARTS))
def test_pages_open_without_an_error_a_request_or_scrolling_sideways(part: int, browser: Any) -> None:
    begun = time.perf_counter()
    faults = [fault for page in pages(part) for fault in faults_of(page, browser)]
    print(f"{len(pages(part))} pages: {time.perf_counter() - begun:.0f} s")
    assert faults == []


@pytest.mark.loopback
@chromium.NEEDED
def test_search_works_without_a_server(browser: Any) -> None:
    chromium.open_page(browser, OUT / "index.html")
    browser.find_element("css selector", ".md-search__button").click()
    field = "return document.activeElement?.shadowRoot?.querySelector('input')"
    chromium.until(browser, field).send_keys("suppression")
    found = "[...document.activeElement.shadowRoot.querySelectorAll('a')]"
    chromium.until(browser, f"return {found}.some(link => link.href.includes('components.html'))")


def faults_of(page: Path, browser: Any) -> list[str]:
    """What a browser says about a page."""
    chromium.open_page(browser, page, PHONE)
    name = page.relative_to(OUT).as_posix()
    outside = [url for url in chromium.requested(browser) if not url.startswith(OUT.as_uri())]
    faults = [f"{name}: {entry['message']}" for entry in browser.get_log("browser")]
    faults += [f"{name}: asks for {url}" for url in outside]
    return faults + [f"{name}: wider than a phone"] * chromium.scrolls_sideways(browser)
