"""Sentences from Markdown files: every text can be parsed, values are put in, and a missing one is named."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from jinja2 import Environment, UndefinedError, nodes

import pocketrcnn
from pocketrcnn.report.phrases import NBSP
from pocketrcnn.report.prose import FILTERS, Prose

TEXTS = sorted(Path(pocketrcnn.__file__).parent.rglob("text/*.md"))


@pytest.fixture
def prose(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Prose:
    (tmp_path / "some_page" / "text").mkdir(parents=True)
    (tmp_path / "some_page" / "__init__.py").touch()
    first = "## one\n\nA line\n  and {{ n | several('image') }}.\n\n{% if n > 1 %}More.{% endif %}\n\n"
    (tmp_path / "some_page" / "text" / "words.md").write_text(first + "## two\nB {{ x }}\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "some_page", raising=False)
    return Prose("some_page.module", "words.md")


def test_white_space_does_not_count_and_empty_lines_part_paragraphs(prose: Prose) -> None:
    assert prose.paragraphs("one", n=2) == ["A line and 2 images.", "More."]
    assert prose.paragraphs("one", n=1) == ["A line and 1 image."]
    assert prose("one", n=2) == "A line and 2 images. More."


def test_numbers_stay_on_one_line_with_their_unit(prose: Prose) -> None:
    assert prose("two", x=f"5{NBSP}%") == f"B 5{NBSP}%"


def test_all_texts_are_a_list_of_terms(prose: Prose) -> None:
    items = prose.items(n=1, x="<b>")
    assert items.terms == ["one", "two"]
    assert items.items == ["A line and 1 image.", "B <b>"], "the page escapes"


def test_a_value_that_is_missing_is_named(prose: Prose) -> None:
    with pytest.raises(UndefinedError, match="'x' is undefined"):
        prose("two")


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: "/".join(path.parts[-4:]))
def test_texts_of_the_pages_use_filters_that_exist(path: Path) -> None:
    environment = Environment(autoescape=True)
    used = {node.name for node in environment.parse(path.read_text("utf-8")).find_all(nodes.Filter)}
    assert used <= {*FILTERS, *environment.filters}
    assert path.read_text("utf-8").startswith("## ")


def test_names_of_texts_are_not_repeated() -> None:
    assert TEXTS
    for path in TEXTS:
        names = [line for line in path.read_text("utf-8").splitlines() if line.startswith("## ")]
        assert len(names) == len(set(names)), path
