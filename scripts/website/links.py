"""Every link of the pages that were made: it leads to a file of the site, and to a place in it that is there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

FOLLOWED = {"a": "href", "area": "href"}  # by whoever clicks
LOADED = {
    "img": "src",
    "script": "src",
    "link": "href",
    "iframe": "src",
    "source": "src",
    "video": "src",
    "image": "href",
}


@dataclass
class Links(HTMLParser):
    """What a page refers to, and the places in it that others refer to."""

    followed: list[str] = field(default_factory=list)
    loaded: list[str] = field(default_factory=list)
    places: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.places |= {value for name in ("id", "name") if (value := values.get(name))}
        if address := values.get(FOLLOWED.get(tag, "")):
            self.followed.append(address)
        if address := values.get(LOADED.get(tag, "")):
            self.loaded.append(address)


def read_pages(site: Path) -> dict[Path, Links]:
    """All pages of a folder."""
    pages = {}
    for path in sorted(site.rglob("*.html")):
        pages[path] = Links()
        pages[path].feed(path.read_text(encoding="utf-8"))
    return pages


def inside(address: str) -> bool:
    """Whether an address is one of the site: relative, or a place of the page itself."""
    parts = urlsplit(address)
    return not parts.scheme and not parts.netloc


def target_of(address: str, page: Path) -> tuple[Path, str]:
    """The file that a relative address leads to from a page, and the place in it."""
    parts = urlsplit(address)
    file = (page.parent / unquote(parts.path)).resolve() if parts.path else page
    return file, unquote(parts.fragment)


def faults(site: Path) -> Iterator[str]:
    """What is wrong with the links of a site, a line each."""
    site = site.resolve()
    pages = read_pages(site)
    for page, links in pages.items():
        name = page.relative_to(site).as_posix()
        for address in dict.fromkeys(links.loaded + links.followed):
            if inside(address):
                yield from fault_of(address, page, pages, site)
            elif address in links.loaded and not address.startswith("data:"):
                yield f"{name}: {address} is fetched from elsewhere"
    yield from (f"{page.relative_to(site).as_posix()}: more than two clicks away" for page in far(pages, site))


def fault_of(address: str, page: Path, pages: dict[Path, Links], site: Path) -> Iterator[str]:
    """What is wrong with one relative address."""
    file, place = target_of(address, page)
    name = page.relative_to(site).as_posix()
    if not file.is_relative_to(site):
        yield f"{name}: {address} leaves the site"
    elif not file.is_file():
        yield f"{name}: {address} is not there" + (", only a folder of that name" if file.is_dir() else "")
    elif place and file in pages and place not in pages[file].places:
        yield f"{name}: {address} has no such place"


def far(pages: dict[Path, Links], site: Path) -> list[Path]:
    """Pages that two clicks from the start page do not reach."""
    reached = near = {site / "index.html"}
    for _ in range(2):
        near = {file for page in near & pages.keys() for file in linked(pages[page], page)}
        reached = reached | near
    return sorted(pages.keys() - reached)


def linked(links: Links, page: Path) -> Iterator[Path]:
    """The files that a page leads to."""
    return (target_of(address, page)[0] for address in links.followed if inside(address))
