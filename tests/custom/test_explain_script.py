"""The scripts of an explained image in a browser, from the disk: suppression, sliders, and boxes that are chosen.

Covers `report/suppression.js`, `report/overlays.js` and `report/marks.js`: what stays is what `boxes.nms` keeps.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import chromium
import numpy as np
import pytest
import torch
from pages import Page

from pocketrcnn.custom.builtin import examples_of
from pocketrcnn.custom.detector import Detector
from pocketrcnn.custom.explain import page as pages
from pocketrcnn.custom.explain.asked import Subject
from pocketrcnn.custom.explain.trace import Trace, trace
from pocketrcnn.data.boxes import Boxes
from pocketrcnn.data.images.pixels import read_image
from pocketrcnn.model import boxes
from pocketrcnn.report.html import write

pytestmark = chromium.MARKS
THRESHOLDS = (0.0, 0.15, 0.3, 1 / 3, 0.5, 0.6, 0.7, 0.8, 0.95, 1.0)
LOADED = """
window.figure = (name) => document.querySelector(`[data-overlay="${name}"]`);
window.shift = (name, slider, value) => {
  const input = figure(name).querySelector(`[data-slider="${slider}"]`);
  input.value = value;
  input.dispatchEvent(new Event('input'));
};
window.drawn = (name) => [...figure(name).querySelectorAll('.view svg')].map((svg) => Object.fromEntries(
  [...svg.querySelectorAll('path')].map((path) => [path.getAttribute('class'), path.getAttribute('d')])
    .filter(([kind, d]) => d && !['picked', 'related'].includes(kind))));
window.words = (name) => [...figure(name).querySelectorAll('.view svg')].map((svg) =>
  [...svg.querySelectorAll('text')].map((text) => [text.textContent, Number(text.getAttribute('y'))]));
window.counts = (name) => [...figure(name).querySelectorAll('.counts')].map((one) => one.textContent);
window.readout = (name) => figure(name).querySelector('.readout').textContent;
window.key = (name, key) => figure(name).querySelector('.view svg')
  .dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true }));
"""


@pytest.fixture(scope="module")
def traced() -> Trace:
    """The built-in detector on an image of nuclei; some detections stand for the truth."""
    detector, pixels = Detector.load("nuclei", "cpu"), read_image(examples_of("nuclei")[0])
    found = detector(pixels)[0]
    truth = Boxes(found.boxes[3:9].numpy() + 1, found.labels[3:9].numpy())
    return trace(detector, Subject("nuclei-1.png", "", pixels, truth, ("nucleus",) * 6))


@pytest.fixture(scope="module")
def path(traced: Trace, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("explain") / "nuclei-1-explained.html"
    write(pages.render(traced, "nuclei"), path)
    return path


@pytest.fixture
def page(browser: Any, path: Path) -> Any:
    yield from chromium.opened(browser, path, LOADED)


def stays(corners: torch.Tensor, threshold: float) -> list[int]:
    """The boxes that the detector keeps."""
    kept = boxes.nms(corners[None], torch.ones(1, len(corners), dtype=torch.bool), threshold)[0]
    return kept.nonzero()[:, 0].tolist()  # type: ignore[no-any-return]


def test_the_slider_keeps_what_the_detector_keeps(page: Any, traced: Trace) -> None:
    found = traced.candidates
    assert found is not None
    assert len(found.boxes) > 1000
    for threshold in THRESHOLDS:
        shown = round(threshold, 2)  # the steps of the slider
        page(f"shift('proposals', 'iou', {shown})")
        kept = page("return overlays.proposals.drawings[1].shown")
        assert kept == stays(found.boxes, shown), threshold
        assert page("return counts('proposals')") == [f"candidates: {len(found.boxes):,}", f"left: {len(kept):,}"]
    page("shift('proposals', 'top', 300); shift('proposals', 'iou', 0.5)")
    assert page("return overlays.proposals.drawings[1].shown") == stays(found.boxes[:300], 0.5)
    page("figure('proposals').querySelectorAll('[data-stored]').forEach((button) => button.click())")
    assert page("return overlays.proposals.drawings[1].shown") == found.left.tolist()


@pytest.mark.parametrize("whole", [True, False])
def test_equal_overlaps_and_rounding_are_those_of_float32(page: Any, whole: bool) -> None:
    """Boxes on a grid have overlaps that are the threshold itself, or would be without rounding."""
    generator = torch.Generator().manual_seed(3)
    corners = torch.randint(0, 9, (600, 2), generator=generator).float()
    corners = torch.cat((corners, corners + torch.randint(0, 8, (600, 2), generator=generator)), 1)
    corners = corners if whole else corners / 3 + 100.1
    for threshold in (*THRESHOLDS, 0.25, 0.2, 2 / 3, 0.75, 0.4):
        script = "return [...suppressed(Float32Array.from(arguments[0]), arguments[1])]"
        by = page(script, corners.double().flatten().tolist(), threshold)
        assert [i for i, better in enumerate(by) if better < 0] == stays(corners, threshold), threshold


def test_the_script_draws_what_the_page_shows_without_it(page: Any, path: Path) -> None:
    """At the values of the network; coordinates to a hundredth of a pixel."""
    static = Page(path.read_text(encoding="utf-8"))
    without = [(tag, attributes) for tag, attributes in static.tags if tag == "path" and "class" in attributes]
    before = [(a["class"], a["d"]) for _, a in without if a["d"]]
    after = [
        pair
        for name in page("return Object.keys(overlays)")
        for view in page(f"return drawn('{name}')")
        for pair in view.items()
    ]
    assert sorted(kind for kind, _ in before) == sorted(kind for kind, _ in after)
    for (kind, d), (other, drawn) in zip(sorted(before), sorted(after), strict=True):
        numbers, those = (
            np.array([float(x) for x in text.replace("Z", " ").translate(LETTERS).split()]) for text in (d, drawn)
        )
        assert kind == other
        assert numbers.shape == those.shape
        assert np.abs(numbers - those).max() <= 0.0101, kind


LETTERS = str.maketrans("MHVLh", "     ")


def test_detections_follow_the_score(page: Any, traced: Trace) -> None:
    scores = traced.detections.scores
    for threshold in (0.05, 0.5, 0.99, float(traced.detector.threshold)):
        if threshold == traced.detector.threshold:
            page("figure('detections').querySelector('[data-stored]').click()")
        else:
            page(f"shift('detections', 'score', {threshold})")
        count = int((scores.astype(np.float64) >= threshold).sum())
        assert page("return counts('detections')") == [f"detections: {count}"]
        assert len(page("return words('detections')")[0]) == (count if count <= 24 else 0)


def test_a_box_is_chosen_by_keys_buttons_and_pointer(page: Any, browser: Any, traced: Trace) -> None:
    from selenium.webdriver import ActionChains

    found = traced.candidates
    assert found is not None
    page("key('proposals', 'ArrowRight')")
    assert page("return readout('proposals')").startswith(
        f"candidate 1: objectness {float(found.logits[0].sigmoid()):.3f}; stays, "
    )
    assert page("return figure('proposals').querySelectorAll('.picked')[1].getAttribute('d')") != ""
    page("figure('proposals').querySelector('[data-step=\"-1\"]').click()")
    assert page("return readout('proposals')").startswith(f"candidate {len(found.boxes):,}: ")
    gone = int((~found.stays).nonzero()[0, 0])
    page(f"choose(overlays.proposals, {gone})")
    by = page("return suppressors(overlays.proposals)[arguments[0]]", gone)
    overlap = float(boxes.iou(found.boxes[by : by + 1], found.boxes[gone : gone + 1]))
    assert f"goes: IoU {overlap:.3f} with candidate {by + 1}" in page("return readout('proposals')")
    page("key('proposals', 'Escape')")
    assert page("return readout('proposals')").startswith("Point at a box")
    svg = page(
        "const svg = figure('detections').querySelector('.view svg'); svg.scrollIntoView({block: 'center'}); return svg"
    )
    x1, y1, x2, y2 = traced.detections.boxes[0]
    side = traced.shown[0]
    width = page("return arguments[0].getBoundingClientRect().width", svg)
    right, down = ((0.5 * float(a + b) / side - 0.5) * width for a, b in ((x1, x2), (y1, y2)))
    ActionChains(browser).move_to_element_with_offset(svg, round(right), round(down)).perform()
    assert page("return readout('detections')").startswith("detection 1: nucleus, score")
    assert page("return getComputedStyle(figure('detections').querySelector('.near')).display") == "block"


@pytest.mark.parametrize("width", [1280, 390])
def test_the_page_fits(browser: Any, path: Path, width: int) -> None:
    chromium.open_page(browser, path, width)
    assert not chromium.scrolls_sideways(browser)
    hidden = "return [...document.querySelectorAll('.sliders, .choose')].some((one) => one.hidden)"
    assert browser.execute_script(hidden) is False
    assert json.loads(browser.execute_script("return JSON.stringify(Object.keys(overlays))"))[0] == "input"
