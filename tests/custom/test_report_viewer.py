"""The script of a report in a browser, from the disk: threshold, matrix, errors, grid, one picture enlarged.

Covers `report/outcomes.js` and `report/viewer.js`: what they show at any threshold is what the evaluation says.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import chromium
import fake_runs
import numpy as np
import pytest

from pocketrcnn.custom.report import gallery
from pocketrcnn.custom.report.page import render_runs
from pocketrcnn.evaluation.average_precision import evaluate
from pocketrcnn.report.html import write

pytestmark = chromium.MARKS
CLASSES, IMAGES, OBJECTS, SEED = 3, 40, 6, 3
THRESHOLDS = (0.05, 0.3, 0.437, 0.8, 1.0)
LOADED = """
window.shift = (t) => {
  const slider = document.getElementById('threshold');
  slider.value = t;
  for (const name of ['input', 'change']) slider.dispatchEvent(new Event(name));
};
window.visible = () => [...document.querySelectorAll('#all-images li:not([hidden])')];
window.names = () => visible().map((card) => card.querySelector('b').textContent);
window.key = (key, target = document.activeElement) =>
  target.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true }));
"""


@pytest.fixture(scope="module")
def run() -> dict[str, Any]:
    return fake_runs.run(CLASSES, IMAGES, OBJECTS, seed=SEED)


@pytest.fixture(scope="module")
def path(run: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("viewer") / "report.html"
    write(render_runs([run]), path)
    return path


@pytest.fixture
def page(browser: Any, path: Path) -> Any:
    yield from chromium.opened(browser, path, LOADED)


def pick(kind: str) -> str:
    """JavaScript that clicks on a cell or a bar."""
    return f"document.querySelector('button[data-pick=\"{kind}\"]').click()"


def with_boxes(run: dict[str, Any], name: str, threshold: float) -> list[str]:
    """Images that a kind of error is in."""
    known = run["pictures"]
    names = []
    for image in known["images"]:
        if gallery.shown_errors({"threshold": threshold, "images": [image]})[name]:
            names.append(image["name"])
    return sorted(names)


def test_counts_and_matrix_follow_the_threshold_as_the_evaluation_has_them(page: Any, run: dict[str, Any]) -> None:
    rng = np.random.default_rng(SEED)
    truth, detected = fake_runs.boxes(rng, CLASSES, IMAGES, OBJECTS)
    for threshold in THRESHOLDS:
        page(f"shift({threshold})")
        evaluation = evaluate(truth, detected, fake_runs.names(CLASSES), threshold=threshold)
        used = evaluation.used or {}
        rates = ", ".join(f"{name} {used[name.lower()]:.3f}" for name in ("precision", "recall", "F1"))
        assert page("return document.getElementById('totals').textContent") == (
            f"{rates} ({used['tp']} right, {used['fp']} false, {used['fn']} missed)"
        )
        rows = page(
            "return [...document.querySelectorAll('.matrix tbody tr')].map("
            "row => [...row.querySelectorAll('button')].map(cell => Number(cell.textContent)))"
        )
        assert rows == evaluation.confusion["matrix"]
        shown = page(
            "return Object.fromEntries([...document.querySelectorAll('[data-count]')].map("
            "cell => [cell.dataset.count, Number(cell.textContent)]))"
        )
        assert shown["FP"] == used["fp"] == sum(shown[kind] for kind in ("Cls", "Loc", "Both", "Dupe", "Bkg"))
        expected = gallery.shown_errors({**run["pictures"], "threshold": threshold})
        assert shown == {kind: expected[kind] for kind in shown}
        counts = page("return visible().map(card => [card.querySelector('b').textContent, card.dataset.drawn])")
        assert len(counts) == IMAGES
    page("document.getElementById('stored').click()")
    assert page("return document.getElementById('totals').textContent").endswith(totals_of(run))


def totals_of(run: dict[str, Any]) -> str:
    used = run["evaluations"]["val"]["used"]
    return f"({used['tp']} right, {used['fp']} false, {used['fn']} missed)"


def test_the_script_draws_what_the_page_shows_without_it(page: Any) -> None:
    """Boxes and labels at the stored threshold are in the page; drawn again they are the same."""
    drawn = "return [...document.querySelectorAll('.cards li')].map(card => [...card.querySelectorAll("
    parts = "'path:not(.picked), text')].map(e => e.getAttribute('d') ?? e.textContent)"
    shown = f"{drawn}{parts}.concat(card.querySelector('.counts').textContent))"
    before = page(shown)
    assert len(before) == IMAGES + 12
    page("shift(0.05)")
    assert page(shown) != before
    page("document.getElementById('stored').click(); dispatchEvent(new Event('beforeprint'))")
    assert page(shown) == before


def test_boxes_of_an_image_appear_with_its_detections(page: Any, run: dict[str, Any]) -> None:
    image = run["pictures"]["images"][0]
    boxes = "return ['right', 'false', 'found', 'missed'].map(kind => (document.querySelector("
    boxes += "`#all-images li[data-image=\"0\"] path.${kind}`).getAttribute('d').match(/Z/g) ?? []).length)"
    for threshold in (0.0, 0.5, 1.0):
        page(f"shift({threshold}); dispatchEvent(new Event('beforeprint'))")
        counts = gallery.counted(image, threshold)
        assert page(boxes) == [counts["right"], counts["false"], counts["right"], counts["missed"]]


def test_a_click_on_an_error_shows_its_images(page: Any, run: dict[str, Any]) -> None:
    threshold = run["pictures"]["threshold"]
    for kind in ("Cls", "Miss", "FN"):
        page(pick(f"error {kind}"))
        expected = with_boxes(run, kind, threshold)
        assert 0 < len(expected) <= IMAGES
        assert sorted(page("return names()")) == expected
        assert page("return document.getElementById('picked').textContent").startswith(
            f"{len(expected)} of {IMAGES} images: "
        )
    page("document.getElementById('unpick').click()")
    assert page("return [visible().length, document.querySelector('.chosen')]") == [IMAGES, None]


def test_a_click_on_a_cell_shows_its_images_and_marks_the_boxes(page: Any, run: dict[str, Any]) -> None:
    matrix = run["evaluations"]["val"]["confusion"]["matrix"]
    for y, x in ((0, 0), (0, CLASSES), (1, 0)):
        assert matrix[y][x], "the cell is not empty"
        page(pick(f"cell {y} {x}"))
        page("dispatchEvent(new Event('beforeprint'))")
        boxes = "return visible().map(card => card.querySelector('.picked').getAttribute('d').match(/Z/g).length)"
        assert sum(page(boxes)) == matrix[y][x]
        boxes_word = "box" if matrix[y][x] == 1 else "boxes"
        assert f": {matrix[y][x]} {boxes_word} (pink) " in page("return document.getElementById('picked').textContent")
    page("document.getElementById('back').click()")
    assert page("return document.activeElement.dataset.pick") == "cell 1 0"
    page("shift(1)")
    assert page("return names()") == []


def test_the_grid_is_sorted(page: Any, run: dict[str, Any]) -> None:
    def order(by: str) -> Sequence[str]:
        page(f"const s = document.getElementById('sorting'); s.value = '{by}'; s.dispatchEvent(new Event('change'))")
        return list(page("return names()"))

    images = run["pictures"]["images"]
    rank = [images[number]["name"] for number in gallery.ranked(run["pictures"])]
    assert page("return names()") == rank, "the worst first, without the script"
    assert order("name") == [image["name"] for image in images]
    counts = {image["name"]: gallery.counted(image, run["pictures"]["threshold"]) for image in images}
    shown = [counts[name]["right"] + counts[name]["false"] for name in order("detections")]
    assert shown == sorted(shown, reverse=True)
    worst = [counts[name] for name in order("worst")]
    assert worst == [counts[name] for name in rank]


def test_pictures_out_of_view_wait(page: Any, browser: Any) -> None:
    """Neither laid out nor decoded until they are near the window, and drawn at the threshold when they are."""
    waiting = "return visible().map(card => !card.checkVisibility({ contentVisibilityAuto: true }) || "
    waiting += "!card.querySelector('svg').checkVisibility({ contentVisibilityAuto: true }))"
    assert all(page(waiting))
    page("shift(0.05)")
    stale = "return visible().filter(card => card.dataset.drawn !== '0.05 ').length"
    assert page(stale) == IMAGES
    page("document.documentElement.style.scrollBehavior = 'auto'; visible()[0].scrollIntoView()")
    chromium.until(browser, "return visible()[0].dataset.drawn === '0.05 '")
    assert 0 < page(stale) < IMAGES
    assert not page(waiting)[0]


def test_a_picture_is_enlarged_and_the_arrows_go_on(page: Any, browser: Any) -> None:
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.common.keys import Keys

    def press(*keys: str) -> None:
        ActionChains(browser).send_keys(*keys).perform()

    names = page("return names()")
    shown = "return [document.getElementById('enlarged').open, document.getElementById('enlarged-name').textContent]"
    page("visible()[0].querySelector('.enlarge').focus()")
    press(Keys.ENTER)
    assert page(shown) == [True, names[0]]
    press(Keys.ARROW_RIGHT)
    assert page(shown) == [True, names[1]]
    press(Keys.ARROW_LEFT, Keys.ARROW_LEFT)
    assert page(shown) == [True, names[-1]], "around"
    assert page("return document.querySelector('dialog image').getAttribute('href').startsWith('data:image/')")
    before = page("return document.querySelector('dialog .missed').getAttribute('d')")
    page("document.getElementById('threshold').focus()")
    press(Keys.END)
    assert page(shown) == [True, names[-1]], "arrows and End move the threshold where it has the focus"
    assert page("return document.querySelector('dialog .missed').getAttribute('d')") != before
    press(Keys.ESCAPE)
    assert page(shown)[0] is False
    chromium.until(
        browser, "return document.querySelector('#place #controls') !== null"
    )  # the dialog said that it closed
    assert page("return document.activeElement.closest('li').querySelector('b').textContent") == names[-1]


@pytest.mark.parametrize("key", ["ENTER", "SPACE"])
def test_bars_and_cells_work_by_key(page: Any, browser: Any, key: str) -> None:
    from selenium.webdriver.common.keys import Keys

    for target in ("th [data-pick='error Miss']", "td [data-pick='cell 0 0']"):
        browser.find_element("css selector", target).send_keys(getattr(Keys, key))
        assert page("return document.activeElement.id") == "unpick", "the way back has the focus"
    assert 0 < page("return visible().length") <= IMAGES


def test_layers_are_switched(page: Any) -> None:
    seen = "return ['.right', '.found', '.cards g'].map(s => getComputedStyle(document.querySelector(s)).display)"
    assert page(seen) == ["inline"] * 3
    page("document.querySelector('[data-layer=truth]').click()")
    assert page(seen) == ["inline", "none", "inline"]


def test_the_page_is_whole_without_its_script(browser: Any, path: Path) -> None:
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        chromium.open_page(browser, path, 390)
        tree = browser.execute_cdp_cmd("DOMSnapshot.captureSnapshot", {"computedStyles": ["display"]})
        assert browser.get_log("browser") == []
    finally:
        browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
    strings, document = tree["strings"], tree["documents"][0]
    laid_out = {document["nodes"]["nodeName"][node] for node in document["layout"]["nodeIndex"]}
    tags = {strings[name].lower() for name in laid_out}
    assert {"path", "image", "table"} <= tags
    assert not {"input", "select", "dialog"} & tags, "nothing that does nothing"


@pytest.mark.parametrize("classes", [1, 30])
def test_pages_of_one_and_of_many_classes_fit_a_phone(browser: Any, tmp_path: Path, classes: int) -> None:
    """Matrices of more classes than they have rows put the others together, in the script, too."""
    run = fake_runs.run(classes, 6, 40)
    for image in run["pictures"]["images"]:
        image["name"] = f"val/{'x' * 200}.png"
    write(render_runs([run]), tmp_path / "report.html")
    chromium.open_page(browser, tmp_path / "report.html", 390)
    assert not chromium.scrolls_sideways(browser)
    browser.execute_script("document.querySelector('.enlarge').click()")
    assert not chromium.scrolls_sideways(browser)
    assert browser.get_log("browser") == []
    cells = "return [...document.querySelectorAll('.matrix button')].map(cell => Number(cell.textContent))"
    matrix = run["evaluations"]["val"]["confusion"]["matrix"]
    assert sum(browser.execute_script(cells)) == sum(map(sum, matrix))


def test_names_are_text(browser: Any, tmp_path: Path) -> None:
    """Of classes and files: nothing of them is run, and nothing ends the data of the page."""
    run = fake_runs.run(2, 3, 2)
    evil = "</script><img src=x onerror=alert(1)>"
    for number, image in enumerate(run["pictures"]["images"]):
        image["name"] = f"{evil}{number}"
    run["pictures"]["classes"] = [evil, "x"]
    write(render_runs([run]), tmp_path / "report.html")
    chromium.open_page(browser, tmp_path / "report.html")
    names = browser.execute_script("return JSON.parse(document.getElementById('page-data').textContent).images")
    assert [image["name"] for image in names] == [f"{evil}{number}" for number in range(3)]
    assert browser.get_log("browser") == []
    assert json.dumps(evil) not in (tmp_path / "report.html").read_text()
