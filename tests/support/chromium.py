"""A real browser, headless: pages are opened from the disk, and what they say and ask for is listened to.

Test files say `pytestmark = chromium.MARKS`, or mark tests `chromium.NEEDED`; `browser` of conftest.py is one for the
whole session.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
FLAGS = (
    "--headless=new --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
)
NEEDED = pytest.mark.skipif(
    not (CHROMIUM and DRIVER) and "CI" not in os.environ,
    reason="no Chromium here: apt-get install chromium chromium-driver",
)
MARKS = [pytest.mark.slow, pytest.mark.loopback, NEEDED]  # loopback: to the driver of the browser


@contextmanager
def started() -> Iterator[Any]:
    """A browser; it is closed at the end."""
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    assert CHROMIUM, "Chromium is needed where CI is set: apt-get install chromium"
    assert DRIVER, "its driver is needed where CI is set: apt-get install chromium-driver"
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for flag in FLAGS.split():
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(DRIVER))
    yield driver
    driver.quit()


def open_page(browser: Any, path: Path, width: int = 1280) -> None:
    """Load a file anew, at a width in pixels; up to 500 as a phone. What was logged before is forgotten."""
    screen = {"width": width, "height": 844, "deviceScaleFactor": 1, "mobile": width < 500}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
    for kind in ("browser", "performance"):
        browser.get_log(kind)
    browser.get(path.as_uri())


def until(browser: Any, script: str) -> Any:
    """What JavaScript returns, once it is true: the browser does in its own time what comes after events."""
    from selenium.webdriver.support.ui import WebDriverWait

    return WebDriverWait(browser, 60).until(lambda driver: driver.execute_script(script), script)


def opened(browser: Any, path: Path, script: str) -> Iterator[Any]:
    """For a fixture: what JavaScript returns, run on the page behind `script`. Nothing may be on the console at the
    end, and nothing asked for."""
    open_page(browser, path)
    browser.execute_script(script)
    yield browser.execute_script
    assert_quiet(browser, path)


def assert_quiet(browser: Any, path: Path) -> None:
    """Nothing is on the console, and the page asked for nothing, since it was opened."""
    assert browser.get_log("browser") == [], "the console is quiet"
    assert requested(browser) == [path.as_uri()]


def requested(browser: Any) -> list[str]:
    """Addresses that were asked for since the page was opened, but those inside of it."""
    messages = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    urls = [m["params"]["request"]["url"] for m in messages if m["method"] == "Network.requestWillBeSent"]
    return [url for url in urls if not url.startswith(("data:", "blob:"))]


def scrolls_sideways(browser: Any) -> bool:
    """Whether the page is wider than the window."""
    root = "document.documentElement"
    return bool(browser.execute_script(f"return {root}.scrollWidth > {root}.clientWidth"))
