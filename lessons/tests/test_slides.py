"""Lessons as slides: what becomes a slide, and that every slide of every lesson fits, in a real browser.

Covers `making/slides/splitting.py`, `making/slides/rendering.py`, `making/slides/deck.py`.
"""

import base64
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import chromium
import pytest

from making import cells
from making.cells import Cell
from making.execution import Executed, Figure, Ran, Text
from making.slides import deck
from making.slides.rendering import formula, reader, rendered
from making.slides.splitting import Slide, slides
from pocketrcnn.errors import UserError

PNG = b"the bytes of a picture"
TITLE = Ran(Cell("markdown", "# Lesson 9: A test\n\nAfter this lesson you can\n\n- test."), ())
LONG = "\n".join(f"print({number})" for number in range(30))
made_by_all = pytest.mark.parametrize("lesson", cells.lessons(), ids=lambda path: path.stem)


def made(*more: Ran) -> list[Slide]:
    """The slides of a lesson with these cells."""
    return slides(Executed(Path("09_test.py"), (TITLE, *more), 0.0))


def words(text: str, *tags: str) -> Ran:
    return Ran(Cell("markdown", text, tags), ())


def code(text: str, *outputs: Text | Figure, tags: tuple[str, ...] = ()) -> Ran:
    return Ran(Cell("code", text, tags), outputs)


def kinds(found: list[Slide]) -> list[tuple[str, str]]:
    return [(slide.heading, slide.kind) for slide in found[1:]]


def test_headings_begin_slides() -> None:
    found = made(words("## One\n\nfirst\n\n### Two\n\nsecond"), words("third"))
    assert kinds(found) == [("One", "text"), ("Two", "text"), ("Two", "text")]
    assert [re.sub("<.*?>", "", "".join(slide.body)).strip() for slide in found[1:]] == ["first", "second", "third"]
    assert found[0].kind == "title"
    assert "After this lesson" in found[0].body[0]


def test_an_exercise_begins_a_slide_for_itself_and_its_gap() -> None:
    exercise = code("def f(): ...", tags=("exercise",))
    found = made(words("## One\n\ntext\n\n**Exercise 1.** Write it.\n\nMind the gap."), exercise)
    assert kinds(found) == [("One", "text"), ("One", "both")]
    assert "Mind the gap." in found[2].body[0]


def test_a_number_sign_in_code_is_no_heading() -> None:
    assert kinds(made(words("## One\n\n```python\n# Not a heading\n```"))) == [("One", "text")]


def test_short_code_stands_below_its_text_and_long_code_on_a_slide_of_its_own() -> None:
    assert kinds(made(words("## One\n\ntext"), code("print(1)", Text("1\n")))) == [("One", "both")]
    assert kinds(made(words("## One\n\ntext"), code(LONG))) == [("One", "text"), ("One", "code")]
    assert kinds(made(words("## One\n\ntext"), code("print(1)", Text("1\n" * 40)))) == [
        ("One", "text"),
        ("One", "code"),
    ]
    exercise = code(f"def f():\n    {LONG}", tags=("exercise",))
    assert kinds(made(words("### Exercise 1\n\ntext"), exercise)) == [("Exercise 1", "both")], "the gap is always there"


def test_figures_are_slides_and_what_is_printed_is_text() -> None:
    found = made(words("## One"), code("show(f)", Text("a < b\n"), Figure("iou", 'See "this".', PNG), Text("c\n")))
    assert kinds(found) == [("One", "both"), ("One", "figure")]
    assert "a &lt; b" in "".join(found[1].body)
    assert 'alt="See &quot;this&quot;."' in found[2].body[0]


def test_imports_and_checks_are_left_out_and_tags_overrule() -> None:
    hidden = (code("import torch", tags=("imports",)), code("check(f)", Text("f: right\n")))
    assert kinds(made(words("## One"), *hidden)) == [("One", "text")]
    assert kinds(made(words("## One"), code("check(f)", tags=("slide",)))) == [("One", "text"), ("One", "code")]
    assert kinds(made(words("## One"), code("print(1)", tags=("slide",)))) == [("One", "text"), ("One", "code")]
    assert kinds(made(words("## One"), words("## Two", "skip"), code("print(1)", tags=("skip",)))) == [("One", "text")]
    (_, slide) = made(words("## One"), words("Ask the class.", "notes"))
    assert "Ask the class." in slide.notes[0]
    assert "Ask the class." not in "".join(slide.body)
    assert "Ask the class." in deck.page("A test", [slide])


def test_formulas_are_mathml() -> None:
    text = rendered(reader().parse("Where $D' = \\lfloor x \\rfloor$ costs 5 $, and 6 $:\n\n$$\\sum_{i=1}^{N} x_i$$"))
    assert text.count("<math") == 2
    assert 'display="block"' in text
    assert "costs 5 $, and 6 $" in text
    with pytest.raises(UserError, match="foo"):
        formula("\\foo{x}", {"display_mode": False})


def test_only_links_to_the_web_stay_links() -> None:
    text = rendered(reader().parse("[one](../docs/usage.md), [two](https://example.org), <b>three</b>"))
    assert re.findall('href="(.*?)"', text) == ["https://example.org"]
    assert "one," in text
    assert "&lt;b&gt;" in text


def test_the_same_slides_give_the_same_text() -> None:
    found = made(words("## <One> & `two`\n\n$x$"), code("print(1)", Figure("a", "A figure.", PNG)))
    assert deck.page("A & B", found) == deck.page("A & B", found)
    assert "A &amp; B" in deck.page("A & B", found)
    assert "&lt;One&gt; &amp; <code>two</code>" in deck.page("A & B", found)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium.started() as started:
        yield started


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("slides")


def opened(browser: Any, path: Path) -> int:
    """Open slides in a window of 1280x720; the number of slides."""
    chromium.open_page(browser, path)
    screen = {"width": 1280, "height": 720, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
    browser.refresh()
    return int(browser.execute_script("return frames.length"))


def pressed(browser: Any, *keys: str) -> str:
    """Press keys; where that leads to."""
    from selenium.webdriver.common.action_chains import ActionChains

    for key in keys:
        ActionChains(browser).send_keys(key).perform()
    return str(browser.execute_script("return document.getElementById('place').textContent"))


OVERFLOWING = """
const slide = document.querySelector(".current .slide"), part = slide.querySelector(".body");
const edge = slide.getBoundingClientRect();
const code = slide.matches(".code, .both") && part.tabIndex === 0, out = [];
for (const one of slide.querySelectorAll("*")) {
  if (code && part.contains(one)) continue; // it scrolls
  const box = one.getBoundingClientRect();
  const inside = box.right <= edge.right + 1 && box.bottom <= edge.bottom + 1 && box.top >= edge.top - 1;
  if (!inside) out.push(one.outerHTML.slice(0, 80));
}
if (!code && part.scrollHeight > part.clientHeight + 1) out.push("the text is too long");
if (part.scrollWidth > part.clientWidth + 1) out.push("a line is too wide");
return out;
"""


@chromium.NEEDED
@made_by_all
def test_every_slide_fits_and_nothing_is_loaded(lesson: Path, browser: Any, folder: Path) -> None:
    deck.write(lesson, folder)
    path = folder / f"{lesson.stem}.html"
    count = opened(browser, path)
    assert count > 10
    assert browser.get_log("browser") == [], "the console is quiet"
    assert set(chromium.requested(browser)) == {path.as_uri()}
    for number in range(1, count + 1):
        assert browser.execute_script(OVERFLOWING) == [], f"slide {number} of {lesson.stem}"
        browser.execute_script("show(current + 1)")
    images = browser.execute_script("return [...document.images].map(i => [i.naturalWidth > 0, i.alt.length > 20])")
    assert images
    assert all(map(all, images))


@chromium.NEEDED
def test_keys_touch_overview_and_print(browser: Any, folder: Path) -> None:
    from selenium.webdriver.common.keys import Keys

    found = made(words("## One\n\ntext"), code(LONG), words("## Two"), words("Ask.", "notes"), words("## Three"))
    path = folder / "short.html"
    path.write_text(deck.page("A test", found), encoding="utf-8")
    assert opened(browser, path) == 5
    assert pressed(browser, Keys.ARROW_RIGHT, " ", Keys.PAGE_DOWN) == "4 / 5"
    assert pressed(browser, Keys.ARROW_LEFT) == "3 / 5"
    assert pressed(browser, Keys.END, Keys.ARROW_RIGHT) == "5 / 5", "the last one"
    assert pressed(browser, Keys.HOME, Keys.ARROW_LEFT) == "1 / 5"
    assert browser.execute_script("return location.hash") == "#1"

    shown = "return [...document.querySelectorAll('.frame')].filter(f => f.offsetHeight > 0).length"
    assert browser.execute_script(shown) == 1
    pressed(browser, "o")
    assert browser.execute_script(shown) == 5
    browser.find_elements("css selector", ".frame")[3].click()
    assert browser.execute_script(shown) == 1
    assert pressed(browser) == "4 / 5"
    noted = "return getComputedStyle(document.querySelector('.current .notes')).display"
    assert browser.execute_script(noted) == "none"
    pressed(browser, "n")
    assert browser.execute_script(noted) == "block"

    points = [{"x": 900, "y": 300}, {"x": 300, "y": 310}]
    browser.execute_cdp_cmd("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": points[:1]})
    browser.execute_cdp_cmd("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": points[1:]})
    browser.execute_cdp_cmd("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    assert pressed(browser) == "5 / 5"

    printed = browser.execute_cdp_cmd("Page.printToPDF", {"preferCSSPageSize": True, "printBackground": True})
    pdf = base64.b64decode(printed["data"])
    assert len(re.findall(rb"/Type\s*/Page\b", pdf)) == 5
    assert b"/MediaBox [0 0 960 540]" in pdf, "16:9"
