"""A page of `export --page` in Chromium, from the disk: dropped images, boxes, counts, files, and what goes wrong.

In place of ONNX Runtime, which is not in the repository, stand a few lines of JavaScript that find what is bright;
`test_export.py` runs a trained detector in ONNX Runtime. Covers `custom/page/export.py`, `custom/page/examples.py`.
"""

from __future__ import annotations

import base64
import csv
import gzip
import io
import zipfile
from pathlib import Path
from typing import Any

import chromium
import numpy as np
import pytest
from detector_pages import (
    CLASSES,
    DONE,
    FAKE,
    FOUND,
    READY,
    SIDE,
    STATE,
    THRESHOLD,
    Bright,
    assert_same,
    click,
    give,
    offered,
    wait_for,
)
from exported_runs import made_by_hand
from odd_images import png
from PIL import Image
from tiny_detectors import saved, scene

from pocketrcnn.config import DataConfig
from pocketrcnn.custom.detection import detect
from pocketrcnn.custom.page import engine
from pocketrcnn.custom.page.examples import examples_of
from pocketrcnn.custom.page.export import page
from pocketrcnn.data.custom_data import RunData
from pocketrcnn.data.images.pixels import read_image

pytestmark = chromium.MARKS


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page with an example image, in a folder whose name is neither ASCII nor without spaces."""
    folder = tmp_path_factory.mktemp("page") / "ёжик 日本"
    folder.mkdir()
    file = made_by_hand(folder / "a.onnx", side=SIDE, pixels=SIDE, classes=CLASSES, threshold=THRESHOLD)
    example = saved(folder / "example.png", scene((40, 30), (4, 5, 14, 20))).read_bytes()
    content = base64.b64encode(example).decode()
    engine_of_test = {engine.SCRIPT: FAKE.encode(), engine.PROGRAM: b"\0asm"}
    text = page(file.read_bytes(), engine_of_test, "my <run>", [{"name": "example.png", "content": content}])
    (folder / "detector.html").write_text(text, encoding="utf-8")
    return folder / "detector.html"


@pytest.fixture
def opened(browser: Any, made: Path) -> Any:
    """The browser with that page, ready."""
    chromium.open_page(browser, made)
    wait_for(browser, READY)
    return browser


def some_images(folder: Path) -> list[Path]:
    """Small and large, grey of 16 bits and turned, in the order in which the page shows them."""
    small = saved(folder / "a.png", scene((40, 30), (4, 5, 14, 21)))
    large = saved(folder / "b.png", scene((200, 130), (50, 20, 120, 90)))
    deep = folder / "c.png"
    deep.write_bytes(png(scene((50, 64), (10, 20, 41, 33))[..., 0].astype(np.uint16) << 4))
    turned = folder / "d.png"
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(scene((64, 30), (4, 5, 24, 11))).save(turned, exif=exif)
    return [small, large, deep, turned]


def test_images_give_what_predict_gives(opened: Any, tmp_path: Path) -> None:
    paths = some_images(tmp_path)
    give(opened, *paths)
    theirs = detect(Bright(), paths, threshold=0.0, batch=1, order="rgb")
    assert_same(opened, paths, [theirs[i] for i in range(len(paths))], 0.0)
    assert opened.execute_script(STATE) == "4 objects (=dog 4) in 4 images, from a score of 0.50 on."
    assert opened.get_log("browser") == [], "the console is quiet"
    assert chromium.requested(opened) == [opened.current_url], "nothing else is asked for"


def test_the_threshold_and_the_classes_change_boxes_counts_and_tables(opened: Any, tmp_path: Path) -> None:
    give(opened, *some_images(tmp_path / "images"))
    picture = "return document.getElementById('picture').toDataURL()"
    before = opened.execute_script(picture)
    opened.execute_script(
        "const s = document.getElementById('threshold'); s.value = 0.2; s.dispatchEvent(new Event('input'))"
    )
    assert opened.execute_script(picture) != before
    rows = list(csv.reader(io.StringIO(offered(opened, "counts", tmp_path / "counts.csv").decode())))
    assert rows[0][:6] == ["image", "width", "height", "objects", "objects cat", "objects =dog"]
    assert [row[:6] for row in rows[1:3]] == [
        ["a.png", "40", "30", "2", "1", "1"],
        ["b.png", "200", "130", "2", "1", "1"],
    ]
    opened.execute_script("document.querySelector('#classes input').click()")  # without cats
    objects = list(csv.reader(io.StringIO(offered(opened, "objects", tmp_path / "predictions.csv").decode())))
    assert [row[:3] for row in objects[1:]] == [[f"{name}.png", "'=dog", "0.7500"] for name in "abcd"]
    wait_for(opened, f"return Number(({STATE.removeprefix('return ')}).startsWith('4 objects (=dog 4)'))")
    click(opened, "stored")
    assert opened.execute_script("return document.getElementById('score').textContent") == "0.50"


def test_pictures_are_offered_one_by_one_and_in_one_file(opened: Any, tmp_path: Path) -> None:
    give(
        opened, *some_images(tmp_path / "images"), saved(tmp_path / "other" / "A.png", scene((40, 30), (4, 5, 14, 21)))
    )
    for name in ("a", "b"):
        click(opened, "next")
        shown = f"document.getElementById('caption').textContent.startsWith('{name}.png: 1 object')"
        wait_for(opened, f"return Number({shown})")
    with Image.open(io.BytesIO(offered(opened, "save", tmp_path / "b.png"))) as picture:
        assert picture.size == (600, 390), "enlarged to about 512 pixels, as the pictures of `predict` are"
        colours = {colour for _, colour in picture.convert("RGB").getcolors(1000) or []}
        assert (0x56, 0xB4, 0xE9) in colours, "the colour of the second class"
    with zipfile.ZipFile(io.BytesIO(offered(opened, "pictures", tmp_path / "pictures.zip"))) as archive:
        assert archive.namelist() == ["A.png", "a-2.png", "b.png", "c.png", "d.png"]
        assert archive.testzip() is None


def test_a_broken_image_is_named_and_the_rest_is_done(opened: Any, tmp_path: Path) -> None:
    good, last, _, _ = some_images(tmp_path)
    broken = tmp_path / "aa.png"
    broken.write_bytes(good.read_bytes()[:80])
    stack, text = tmp_path / "stack.tif", tmp_path / "<b>.txt"
    Image.fromarray(scene((9, 9), (1, 1, 2, 2))).save(stack)
    text.write_text("<img src=x onerror=alert(1)>")
    give(opened, good, broken, text, stack, last)
    assert [name for name, _ in opened.execute_script(FOUND)] == ["a.png", "b.png"]
    reasons = opened.find_element("id", "reasons").text.splitlines()
    assert reasons == [
        "<b>.txt is not an image that a browser reads: convert it to PNG or JPEG, or remove it",
        "aa.png is a damaged PNG that cannot be decoded: replace or remove it",
        "stack.tif is a TIFF, which browsers do not read: save it as PNG, or use `pocketrcnn predict`",
    ]
    assert opened.execute_script(STATE).endswith("in 2 images, from a score of 0.50 on; 3 files not read.")
    assert opened.get_log("browser") == []


def test_examples_and_files_that_are_dropped(opened: Any) -> None:
    click(opened, "examples")
    wait_for(opened, DONE)
    drop = """
    const transfer = new DataTransfer();
    for (const name of ["dropped.png", "notes.txt"]) transfer.items.add(new File(["nothing"], name));
    document.body.dispatchEvent(new DragEvent("drop", { dataTransfer: transfer, bubbles: true, cancelable: true }));
    """
    opened.execute_script(drop)
    wait_for(opened, DONE, 3)
    (name, found), *_ = opened.execute_script(FOUND)
    assert name == "example.png"
    assert found[0]["box"] == [4, 5, 14, 20]
    assert [name for name, _ in opened.execute_script("return pocketrcnn.refused")] == ["dropped.png", "notes.txt"]
    click(opened, "clear")
    assert opened.execute_script(DONE) == 0
    assert not opened.find_element("id", "results").is_displayed()
    click(opened, "examples")
    wait_for(opened, DONE)
    assert opened.execute_script(STATE).startswith("1 object (=dog 1) in 1 image, from")


def test_a_folder_is_walked_through(opened: Any, tmp_path: Path) -> None:
    some_images(tmp_path / "images" / "inner")
    (tmp_path / "images" / "labels.csv").write_text("not an image")
    (tmp_path / "images" / "film.mp4").write_text("a video")
    (tmp_path / "images" / ".hidden.png").write_text("hidden")
    opened.find_element("id", "folder").send_keys(str(tmp_path / "images"))
    wait_for(opened, DONE, 5)
    names = [name for name, _ in opened.execute_script(FOUND)]
    assert names == [f"images/inner/{name}.png" for name in "abcd"]
    assert opened.find_element("id", "reasons").text.startswith("images/film.mp4 is a video, which is not read")


def test_nothing_leaves_the_page(opened: Any) -> None:
    tries = """
    const done = arguments[0], refused = [];
    addEventListener("securitypolicyviolation", (event) => refused.push(event.effectiveDirective));
    const image = Object.assign(new Image(), { src: "http://127.0.0.1:9/a.png" });
    document.body.append(Object.assign(document.createElement("script"), { textContent: "globalThis.ran = 1" }));
    const asked = fetch("http://127.0.0.1:9/").catch(() => 0);
    setTimeout(() => asked.then(() => done([refused.sort(), globalThis.ran ?? 0])), 200);
    """
    assert opened.execute_async_script(tries) == [["connect-src", "img-src", "script-src-elem"], 0]
    opened.get_log("browser")  # the browser says so, too


@pytest.mark.parametrize("width", [1280, 390])
def test_it_fits_the_window_and_everything_has_a_name(browser: Any, made: Path, width: int, tmp_path: Path) -> None:
    chromium.open_page(browser, made, width)
    wait_for(browser, READY)
    give(browser, *some_images(tmp_path))
    assert not chromium.scrolls_sideways(browser)
    names = [
        (one.tag_name, one.accessible_name)
        for one in browser.find_elements("css selector", "button:not([hidden] *), input, canvas#picture")
    ]
    assert all(name.strip() for _, name in names), names
    assert ("input", "Choose images") in names
    assert [name for tag, name in names if tag == "canvas"] == ["a.png: 1 object"]
    browser.execute_script("document.getElementById('files').focus()")
    assert (
        browser.execute_script("return getComputedStyle(document.activeElement.parentElement).outlineStyle") == "solid"
    )


@pytest.mark.parametrize("missing", ["WebAssembly", "Worker", "DecompressionStream"])
def test_a_browser_that_cannot_run_it_is_told_so(browser: Any, made: Path, missing: str) -> None:
    script = browser.execute_cdp_cmd(
        "Page.addScriptToEvaluateOnNewDocument", {"source": f"delete globalThis.{missing}"}
    )
    chromium.open_page(browser, made)
    browser.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", script)
    said = browser.execute_script(STATE)
    assert said.startswith(f"This browser cannot run the detector: it has no {missing}. Use Chrome, Edge, Firefox")
    assert browser.find_element("id", "files").get_attribute("disabled")


def test_a_damaged_copy_is_told_so(browser: Any, made: Path, tmp_path: Path) -> None:
    text = made.read_text(encoding="utf-8")
    place = text.index('id="model">') + 100
    other = "A" if text[place] != "A" else "B"
    (tmp_path / "damaged.html").write_text(text[:place] + other + text[place + 1 :], encoding="utf-8")
    chromium.open_page(browser, tmp_path / "damaged.html")
    damaged = "The detector cannot start: this copy of the page is damaged: ask for it again."
    wait_for(browser, f"return Number(({STATE.removeprefix('return ')}).startsWith('{damaged}'))")


def test_the_model_is_in_the_page_unchanged(made: Path) -> None:
    text = made.read_text(encoding="utf-8")
    start = text.index('id="model">') + len('id="model">')
    model = gzip.decompress(base64.b64decode(text[start : text.index("<", start)]))
    assert model == made.with_name("a.onnx").read_bytes()
    assert "my &lt;run&gt;" in text


def test_examples_are_validation_images_and_few(shapes: Path) -> None:
    examples = examples_of(RunData(DataConfig(str(shapes), "folder")), 24)
    names = sorted(path.stem for path in (shapes / "val").glob("*.png"))
    assert [example["name"].removesuffix(".png") for example in examples] == names[:3]
    assert read_image(base64.b64decode(examples[0]["content"])).shape == (24, 24, 3)
    assert examples_of(RunData(DataConfig("nowhere", "folder")), 24) == []
    tiled = examples_of(RunData(DataConfig(str(shapes), "folder", tile_overlap=8)), 24)
    original = read_image(shapes / "val" / f"{names[0]}.png")
    assert np.array_equal(read_image(base64.b64decode(tiled[0]["content"])), original[:40, :40])


def test_large_images_are_looked_at_in_tiles(browser: Any, tmp_path: Path) -> None:
    tiled = {"schema": 2, "tiles": {"overlap": 20}, "threshold": THRESHOLD}
    file = made_by_hand(tmp_path / "a.onnx", side=SIDE, pixels=SIDE, classes=CLASSES, **tiled)
    engine_of_test = {engine.SCRIPT: FAKE.encode(), engine.PROGRAM: b"\0asm"}
    (tmp_path / "a.html").write_text(page(file.read_bytes(), engine_of_test, "tiles"), encoding="utf-8")
    chromium.open_page(browser, tmp_path / "a.html")
    wait_for(browser, READY)
    paths = some_images(tmp_path)
    paths.append(saved(tmp_path / "e.png", scene((300, 90), (90, 20, 200, 60))))
    give(browser, *paths)
    theirs = detect(Bright(overlap=20), paths, threshold=0.0, batch=4, order="rgb")
    assert_same(browser, paths, [theirs[i] for i in range(len(paths))], 0.0)
    assert "looked at in tiles" in browser.execute_script("return document.querySelector('footer').textContent")
