"""Formulas and docstrings as the site shows them: `scripts/website/formulas.py` and `docstrings.py`."""

from __future__ import annotations

import os

import pytest

if "CI" not in os.environ:  # there they are installed
    for package in ("latex2mathml", "griffe", "markdown"):
        pytest.importorskip(package, reason="the packages of `make site` are not installed here")

import griffe
import markdown

from scripts.website.docstrings import markdown as docstring
from scripts.website.docstrings import visit
from scripts.website.formulas import with_formulas


def html(text: str) -> str:
    return markdown.markdown(with_formulas(text), extensions=["tables"])


def test_a_formula_is_mathml() -> None:
    assert '<math xmlns="http://www.w3.org/1998/Math/MathML" display="inline">' in html(r"the area $w \cdot h$ of")
    assert 'display="block"' in html("$$\n\\frac{a}{b}\n$$")
    assert html(r"$x_1$ and $y_2$").count("<math") == 2


def test_markdown_reads_nothing_into_a_formula() -> None:
    text = html(r"$a * b * c$ and $|A \cap B|$, $x_{min}$ and $[0, 1]$")
    assert "<em>" not in text
    assert text.count("<math") == 4


@pytest.mark.parametrize("text", ["it costs $5 and $6", r"a \$x\$ b", "$HOME and $PATH", "100$"])
def test_money_and_shells_are_no_formulas(text: str) -> None:
    assert "<math" not in html(text)


def scope() -> griffe.Module:
    loader = griffe.GriffeLoader(search_paths=["src"])
    package = loader.load("pocketrcnn")
    found = package["model.boxes"]
    assert isinstance(found, griffe.Module)
    return found


def test_docstrings_say_what_they_say() -> None:
    boxes = scope()
    assert docstring("Pooled [B*P,C,S,S] and [B*R,K'].", boxes) == "Pooled `[B*P,C,S,S]` and `[B*R,K']`."
    assert docstring("As `encode` and `log_scale()` do.", boxes) == (
        "As [`encode`][pocketrcnn.model.boxes.encode] and [`log_scale()`][pocketrcnn.model.boxes.log_scale] do."
    )
    assert docstring("`torch` and `_nms` and `no_such`", boxes) == "`torch` and `_nms` and `no_such`"
    assert docstring(">>> 1 + 1\n2\n\nMore", boxes) == "```pycon\n>>> 1 + 1\n2\n```\n\nMore"
    assert docstring("    [B,N] stays", boxes) == "    [B,N] stays"


def test_parameters_that_a_docstring_names_are_a_list() -> None:
    boxes = scope()
    assert docstring("Cells.\n\nheight, width: in cells. stride: in\npixels. Raises UserError.", boxes["anchors"]) == (
        "Cells.\n\n- **height, width**: in cells.\n- **stride**: in\npixels.\n\nRaises UserError."
    )
    same = "Images without\nobjects: all negative, and valid ones: none."
    assert docstring(same, boxes["match"]) == same


def test_fields_are_described_by_the_comment_beside_them() -> None:
    boxes = scope()
    package = boxes.package
    visit(package["model.faster_rcnn.Prediction"])
    objectness = package["model.faster_rcnn.Prediction.objectness"].docstring
    assert objectness is not None
    assert objectness.value == "`[B,N]` logits"
    visit(package["model.structures.Batch"])
    assert package["model.structures.Batch.images"].docstring is None, "the docstring of the class describes it"
