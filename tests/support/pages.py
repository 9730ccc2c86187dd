"""An HTML page as the tests ask it."""

from __future__ import annotations

from html.parser import HTMLParser

from pocketrcnn.report.phrases import NBSP

VOID = ("img", "meta", "link", "br", "path", "rect", "circle", "image", "use", "input")


class Page(HTMLParser):
    """What the tests need of a page: its text, its sections and figures, every attribute; and that tags are closed."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.words: list[str] = []
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.figures: list[dict[str, str]] = []
        self.feed(html)
        assert not self.open, f"not closed: {self.open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self.open.append(tag)
        if tag == "figure":
            self.figures.append({"h4": "", "figcaption": "", "img": ""})
        if tag == "img" and self.figures:
            self.figures[-1]["img"] += "x"

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not {"style", "script"} & set(self.open):
            self.words.append(data)
        if "figure" in self.open and self.open[-1] in ("h4", "figcaption"):
            self.figures[-1][self.open[-1]] += data

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).replace(NBSP, " ").split())

    def attributes(self, tag: str, name: str) -> list[str]:
        return [attributes[name] for kind, attributes in self.tags if kind == tag and name in attributes]


def section(html: str, id: str) -> str:
    """The text of one section."""
    return Page(html[html.index(f'<section id="{id}">') :].split("</section>", maxsplit=1)[0] + "</section>").text
