"""The report has what the course asks for, its sentences follow from the numbers, and nothing leaves the file.

Covers `course/report/closing.py`, `course/report/comparison.py`, `course/report/curves.py`,
`course/report/experiment.py`, `course/report/gallery.py`, `course/report/networks.py`, `course/report/page.py`,
`course/report/records.py`, `course/report/tables.py`.
"""

from __future__ import annotations

import copy
import json
import re
import sys
from urllib.parse import unquote

import matplotlib
import pytest
from fake_results import PUBLISHED, layers, parameters, results
from pages import Page, section

from pocketrcnn.course.report.page import render

NBSP = "\N{NO-BREAK SPACE}"


@pytest.fixture(scope="module")
def whole() -> str:
    return render(results())


@pytest.fixture(scope="module")
def page(whole: str) -> Page:
    return Page(whole)


def test_fake_networks_have_the_costs_of_the_course() -> None:
    costs = {"B1": 46_497_792, "B2": 6_824_960, "B3": 59_179_008, "B5": 33_390_592}
    learned = {"B1": 2_264_362, "B2": 1_235_995, "B3": 2_403_082, "B5": 556_842}
    for id, cost in costs.items():
        assert sum(layer["multiplications"] for layer in layers(id) if layer["kind"] != "linear") == cost
        assert parameters(layers(id)) == learned[id]


def test_the_same_results_give_the_same_bytes() -> None:
    once = results(("B1", "F2"))
    assert render(once) == render(json.loads(json.dumps(once)))


def test_rendering_changes_neither_results_nor_matplotlib() -> None:
    raw, before = results(("B1", "F2")), dict(matplotlib.rcParams)
    kept = copy.deepcopy(raw)
    pyplot = "matplotlib.pyplot" in sys.modules
    render(raw)
    assert raw == kept
    assert dict(matplotlib.rcParams) == before
    assert ("matplotlib.pyplot" in sys.modules) == pyplot


def test_nothing_leaves_the_file(whole: str, page: Page) -> None:
    links = [value for tag, attributes in page.tags for name, value in attributes.items() if name in ("src", "href")]
    assert links
    assert all(link.startswith(("data:", "#")) for link in links)
    assert "script" not in [tag for tag, _ in page.tags]
    assert not re.search(r"url\(|@import", whole)


def test_links_lead_somewhere_and_ids_are_unique(page: Page) -> None:
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert {link[1:] for link in page.attributes("a", "href")} <= set(ids)


def test_every_part_of_the_original_report_is_there(page: Page) -> None:
    wanted = ["b1", "b2", "b3", "b4", "b5", "r1", "r2", "f1", "f2", "f3", "f4", "detections"]
    wanted += ["observations", "final", "errata", "reproduce"]
    assert page.attributes("section", "id") == wanted


def test_figures_have_heading_caption_and_alternative_text(page: Page) -> None:
    assert len(page.figures) > 15
    for figure in page.figures:
        assert figure["img"]
        assert len(figure["h4"]) > 4
        assert len(figure["figcaption"].strip()) > 40, figure
    alternatives = page.attributes("img", "alt")
    assert len(alternatives) == len(page.attributes("img", "src"))
    assert min(map(len, alternatives)) > 10


def test_the_training_of_each_detector_has_six_panels(whole: str) -> None:
    for id in ("f2", "f3", "f4"):
        panels = section(whole, id)
        for heading in ("Proposal accuracy", "Object accuracy", "Total loss", "proposal classifier", "box regression"):
            assert heading in panels
        assert whole.split(f'<section id="{id}">')[1].split("</section>", maxsplit=1)[0].count("<img") == 6


def test_crops_stand_in_three_rows_for_training_and_test_images(whole: str) -> None:
    crops = whole.split('<section id="f1">')[1].split("</section>", maxsplit=1)[0]
    assert crops.count('<div class="strip">') == 6
    assert crops.count("<img") == 6 * 8


def test_the_caption_of_the_crops_tells_how_far_off_the_boxes_are(whole: str) -> None:
    rois = next(record for record in results()["experiments"] if record["id"] == "R2")["pictures"]["rois"]["test"]
    pairs = zip(rois["truth_boxes"], rois["predicted_boxes"], strict=True)
    errors = [abs(a - b) for truth, box in pairs for a, b in zip(truth, box, strict=True)]
    assert f"on average {sum(errors) / len(errors):.2f} pixels" in section(whole, "f1")


def test_detections_are_told_right_from_wrong(whole: str) -> None:
    text = section(whole, "detections")
    assert text.count("got the class right") == text.count("got the class wrong") == 3
    assert " taken for " in text


def test_the_page_begins_with_four_detections(whole: str) -> None:
    top = whole.partition("<nav")[0]
    assert top.index("<figure>") < top.index("A course report of 2017")
    assert top.count("<img") == 4
    assert "the class is right in 3 and wrong in 1" in Page(whole).text
    assert "<img" not in render(results(("B1", "R2"))).partition("<nav")[0], "nothing was detected"


def test_boxes_are_drawn_over_the_stored_picture(whole: str) -> None:
    detection = next(r for r in results()["experiments"] if r["id"] == "F2")["pictures"]["detections"][0]
    svg = unquote(Page(whole).attributes("img", "src")[0].partition(",")[2])
    assert detection["image"] in svg
    assert svg.count("<rect") == 4, "two boxes, each with its shade"
    assert f"{detection['predicted']} {detection['score']:.2f}</text>" in svg


def test_every_published_number_stands_beside_ours(page: Page) -> None:
    table = page.text[: page.text.index("Two remarks")]
    for shown in ("64.6 %", "51.6 %", "68.4 %", "about 99 %", "0.000727", "58.46 %", "43.53 %", "63.66 %"):
        assert shown in table
    for record in results()["experiments"]:
        stat = record["metrics"][record["headline"]]
        ours = f"{stat['mean']:.6f} ±" if record["id"] == "R2" else f"{100 * stat['mean']:.2f} ±"
        assert ours in table
    assert "9 of 9 published numbers are beaten" in table
    assert table.count("yes") == 9


def test_tables_with_a_spread_say_of_how_many_seeds(whole: str) -> None:
    tables = [table for table in re.findall(r"<table.*?</table>", whole, re.DOTALL) if "±" in table]
    assert len(tables) > 9, "a table an experiment, and those that compare"
    for table in tables:
        titles = re.findall(r"<th[^>]*>([^<]*)</th>", table)
        assert {"seeds", "n"} & set(titles), titles


def test_a_number_that_is_not_beaten_is_said_to_be_so() -> None:
    raw = results(("B1", "B2"))
    raw["experiments"][1]["report"]["beaten"] = False
    text = Page(render(raw)).text
    assert "1 of 2 published numbers are beaten; B2 falls short" in text


def test_layer_tables_sum_up_stages(whole: str) -> None:
    text = section(whole, "b2")
    for shown in ("175,104", "729,088", "626,688", "575,488", "4,718,592", "6,824,960", "1,235,995"):
        assert shown in text
    assert "59,179,008" in section(whole, "b3")


def test_layers_that_are_not_trained_are_named(whole: str) -> None:
    assert "leaves conv1.first as it was initialised" in section(whole, "b3")
    assert "as it was initialised" not in section(whole, "b1")


def test_experiments_beyond_the_report_have_their_section() -> None:
    raw = results(("F2",))
    raw["experiments"].append(raw["experiments"][0] | {"id": "F1M", "title": "Faster R-CNN, ROI max pooling"})
    page = Page(render(raw))
    assert "f1m" in page.attributes("section", "id")
    assert {link[1:] for link in page.attributes("a", "href")} <= set(page.attributes("section", "id"))


def test_errata_are_complete(whole: str) -> None:
    text = section(whole, "errata")
    for shown in ("44,921,856", "59,179,008", "138,240", "368,640", "184,320", "92,160", "884,736", "4,718,592"):
        assert shown in text
    for shown in ("transposed", "73 to 75, 61 to 62 and 77 to 78 %", "PNG", "0.0101", "logarithm", "no longer public"):
        assert shown in text


def test_sample_results_are_labelled_and_never_compared() -> None:
    text = Page(render(results(("B1", "R2", "F2"), data="sample"))).text
    before_errata = text[: text.index("Errata of the report")]
    assert "results on the small sample of CIFAR-10" in before_errata
    assert "beaten" not in before_errata
    assert "published" not in before_errata
    assert not any(shown in before_errata for shown in ("64.6 %", "58.46 %", "0.000727"))


def test_missing_experiments_take_one_line_that_names_the_command() -> None:
    text = Page(render(results(("F3",), seeds=1))).text
    for id in PUBLISHED:
        if id != "F3":
            assert f"{id} is not among these results. pocketrcnn reproduce --only {id} adds it." in text
    assert "pocketrcnn reproduce --only B1,B2,B3 makes it" in text
    assert "pocketrcnn reproduce --only R2 makes them" in text


def test_what_is_missing_is_added_with_the_same_options() -> None:
    for only in ("--only F3", "--only=F3"):
        raw = results(("F3",)) | {"command": f"pocketrcnn reproduce --full {only} --out 'a b'"}
        text = Page(render(raw)).text
        assert "B1 is not among these results. pocketrcnn reproduce --full --out 'a b' --only B1 adds it." in text


def test_one_seed_has_no_deviation_and_no_band() -> None:
    html = render(results(("B1", "B2"), seeds=1))
    assert not re.search(rf"\d ±{NBSP}\d", html)
    assert "of 1 seed" not in html
    assert "lowest" not in section(html, "b1")
    assert "with a single run, chance cannot be distinguished from a real difference" in html


def test_two_recipes_stand_side_by_side() -> None:
    text = Page(render(results(("B1", "B2"), recipes=("course", "pocket")))).text
    assert text.index("With the pocket recipe, 2 of 2") < text.index("With the course recipe, 2 of 2")
    assert text.count("Accuracy and loss of B1") == 2
    assert text.count("Accuracy, time and multiplications") == 2


def test_a_file_with_both_recipes_and_three_seeds_stays_small() -> None:
    html = render(results(recipes=("pocket", "course"), seeds=3, iterations=2000))
    assert len(html.encode()) < 3_000_000


def test_captions_say_whether_the_published_number_is_passed() -> None:
    raw = results(("B1",))
    assert "The test curve passes the published 64.6 % by iteration" in Page(render(raw)).text
    raw["experiments"][0]["curves"]["accuracy_test"]["y"] = [[0.3] * 20, [0.4] * 20]
    assert "The test curve does not pass the published 64.6 %" in Page(render(raw)).text


def test_text_from_outside_is_escaped() -> None:
    raw = results(("B1",))
    raw["experiments"][0]["title"] = "<script>alert(1)</script>"
    raw["command"] = "pocketrcnn reproduce --out 'a&b'"
    html = render(raw)
    assert "<script" not in html
    assert "&lt;script&gt;" in html
    assert "a&amp;b" in html


@pytest.mark.parametrize("official", [(), ("B1", "B2", "B3")])
def test_scenes_from_a_folder_are_labelled_and_not_compared(official: tuple[str, ...]) -> None:
    """Not even where base networks, whose images are CIFAR-10's, stand beside them."""
    raw = results() | {"data": "my-scenes"}
    for record in raw["experiments"]:
        record["report"] = record["report"] if record["id"] in official else None
    page = render(raw)
    assert "scenes from a folder" in page
    assert "on other images" in page
    before_errata = Page(page).text.partition("Errata of the report")[0]
    assert "beaten" not in before_errata
    assert "published" not in before_errata


def test_tables_say_which_images_each_recipe_was_trained_on() -> None:
    raw = results(("B1", "R2"), recipes=("pocket", "course"))
    html = render(raw)
    assert "CIFAR-10, training batch 1, fresh scenes" in section(html, "r2")
    assert "CIFAR-10, training batch 1, fixed scenes" in section(html, "r2")
    assert "scenes" not in section(html, "b1")
    for record in raw["experiments"]:
        del record["data"]
    assert "Trained on" not in Page(render(raw)).text, "a file from before it was written down"


def test_the_regression_loss_and_the_best_proposal_are_told_apart() -> None:
    raw = results(("R2",), seeds=1)
    metrics = raw["experiments"][0]["metrics"]
    for name, value in (("box_loss", 0.000038), ("pixel_error", 0.87)):
        metrics[name] = {"n": 1, "mean": value, "std": 0.0, "values": [value]}
    text = section(render(raw), "r2")
    assert "the loss in pixels" in text
    assert "0.161 px" in text
    assert "0.870 px" in text
    assert "loss of 0.000038, over positive cells, is about 0.16 pixels in a coordinate" in text
    assert "best-scoring proposal, whose cell may be one that regression is not trained on, is 0.87 pixels off" in text


def test_the_commands_work_in_a_clone(whole: str) -> None:
    text = section(whole, "reproduce")
    assert "pip install . pocketrcnn reproduce" in text
    assert "make reproduce" in text
    assert "pocket-rcnn==" not in text


def test_memory_that_no_run_says_is_left_out() -> None:
    text = Page(render(results(("B1",)) | {"peak_memory_gb": None})).text
    assert "Peak memory was" not in text
    assert "peak memory –" in text
