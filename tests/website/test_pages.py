"""Pages of the repository as pages of the site: `scripts/website`. Nothing here needs the generator."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from scripts.website import generator, links, reference, source_files
from scripts.website.pages import page
from scripts.website.repository import ROOT, Wanted, page_of

WRITTEN = generator.markdown_files()


def made(text: str, path: str = "docs/usage.md") -> str:
    return page(text, path, Wanted())


def test_a_link_leads_to_the_page_of_its_file() -> None:
    assert made("[a](../README.md#install) [b](data.md)") == "[a](../index.md#install) [b](data.md)"
    assert made("[s](../examples/service.py)") == "[s](../examples/service.py.md)"
    assert made("![p](docs/pictures/nms.svg)", "README.md") == "![p](docs/pictures/nms.svg)"
    assert made("[e](https://example.org/a.md) [h](#here)") == "[e](https://example.org/a.md) [h](#here)"


def test_a_link_to_nothing_is_named() -> None:
    with pytest.raises(FileNotFoundError, match=r"docs/usage\.md links to nothing\.md"):
        made("[a](nothing.md)")


def test_source_files_in_backticks_are_linked_with_their_pages() -> None:
    assert made("`model/boxes.py` does") == "[`model/boxes.py`](../src/pocketrcnn/model/boxes.py.md) does"
    assert made("`tests/test_repository.py`") == "[`tests/test_repository.py`](../tests/test_repository.py.md)"
    for same in ("[`model/boxes.py`](data.md)", "`boxes.py`", "`no/such.py`", "`my/images.png`"):
        assert made(same) == same


def test_what_is_code_stays_as_it_is() -> None:
    for same in (
        "```sh\ncat model/boxes.py `model/boxes.py` [a](b)\n```\n",
        "~~~\n$x$\n~~~",
        "  ```\n  $a$ [x](y)\n  ```",
    ):
        assert made(same) == same
    assert made("`$x$` and `[a]`") == "`$x$` and `[a]`"


def test_what_is_linked_is_wanted_once() -> None:
    wanted = Wanted()
    page("[a](../LICENSE) [b](../LICENSE) `model/roi.py`", "docs/usage.md", wanted)
    assert wanted.waiting == ["LICENSE", "src/pocketrcnn/model/roi.py"]


@pytest.mark.parametrize("path", WRITTEN)
def test_every_page_can_be_made(path: str) -> None:
    text = page((ROOT / path).read_text(encoding="utf-8"), path, wanted := Wanted())
    assert text.count("```") == (ROOT / path).read_text(encoding="utf-8").count("```")
    assert all((ROOT / file).is_file() for file in wanted.seen)


def heading_ids(text: str) -> set[str]:
    """Places of a page as code hosts name them."""
    prose = re.sub(r"^ *```.*?^ *```", "", text, flags=re.DOTALL | re.MULTILINE)
    titles = re.findall(r"^#+ +(.*?) *$", prose, re.MULTILINE)
    plain = [re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", title) for title in titles]
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in plain}


@pytest.mark.parametrize("path", [*WRITTEN, "benchmarks/peers/README.md"])
def test_links_lead_somewhere_on_a_code_host_too(path: str) -> None:
    text = (ROOT / path).read_text(encoding="utf-8")
    for target, anchor in re.findall(r"\]\(([^)\s#]*)(#[^)\s]*)?\)", re.sub(r"```.*?```", "", text, flags=re.DOTALL)):
        if re.match(r"[a-z]+:", target):
            continue
        file = (ROOT / path).parent / target if target else ROOT / path
        assert file.exists(), f"{path}: {target} is not there"
        if anchor and file.suffix == ".md":
            assert anchor[1:] in heading_ids(file.read_text(encoding="utf-8")), f"{path}: {target}{anchor} is not there"


def test_the_reference_has_every_public_name_once() -> None:
    import pocketrcnn

    names = [name for group in reference.GROUPS.values() for name in group]
    assert sorted([*names, "__version__"]) == sorted(pocketrcnn.__all__)


def test_the_reference_follows_the_order_in_which_the_detector_is_read() -> None:
    order = reference.reading_order()
    assert order[0] == "src/pocketrcnn/config.py"
    assert order.index("src/pocketrcnn/model/rpn.py") < order.index("src/pocketrcnn/model/faster_rcnn.py")
    assert all((ROOT / file).is_file() for file in reference.modules())


def test_a_source_page_has_the_whole_file_and_leads_to_its_reference() -> None:
    text = source_files.source_page("src/pocketrcnn/model/rpn.py", "reference/pocketrcnn.model.rpn.md")
    assert (ROOT / "src/pocketrcnn/model/rpn.py").read_text(encoding="utf-8") in text
    assert "(../../../reference/pocketrcnn.model.rpn.md)" in text


def test_every_file_of_the_package_is_listed() -> None:
    text = source_files.list_of_files(reference.reading_order())
    for file in source_files.package_files():
        assert f"]({page_of(file).removeprefix('src/')})" in text


def test_a_document_that_no_section_names_is_in_the_menu() -> None:
    text = str(generator.menu([], []))
    assert all(path in text.replace("index.md", "README.md") for path in WRITTEN if "lessons" not in path)


def site(tmp_path: Path, pages: dict[str, str]) -> list[str]:
    for name, text in pages.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    return list(links.faults(tmp_path))


def test_the_link_check_names_what_is_wrong(tmp_path: Path) -> None:
    start = (
        '<h1 id="top"></h1><a href="#top"></a><a href="a/b.html#c%20d"></a><img src="data:,"><a href="https://x.org">'
    )
    assert site(tmp_path, {"index.html": start, "a/b.html": '<p id="c d"><a href="../index.html#top"></a>'}) == []
    bad = '<a href="#no"></a><a href="a"></a><a href="x.html"></a><a href="../up.html"></a><img src="https://x.org/p.png">'
    assert site(tmp_path, {"index.html": start + bad}) == [
        "index.html: https://x.org/p.png is fetched from elsewhere",
        "index.html: #no has no such place",
        "index.html: a is not there, only a folder of that name",
        "index.html: x.html is not there",
        "index.html: ../up.html leaves the site",
    ]


def test_the_link_check_counts_clicks(tmp_path: Path) -> None:
    chain = {f"{n}.html": f'<a href="{n + 1}.html"></a>' for n in (1, 2)} | {"3.html": ""}
    assert site(tmp_path, {"index.html": '<a href="1.html"></a>', **chain}) == ["3.html: more than two clicks away"]
