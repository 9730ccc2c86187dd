"""The working copy of the site, the menu, and the run of the generator (zensical), which stops at any warning."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from . import reference, source_files
from .pages import page
from .repository import LESSONS, ROOT, START, Wanted, page_of
from .start import start_page

WORK = ROOT / "build" / "website"
OUT = ROOT / "build" / "site"
HERE = Path(__file__).parent
GENERATOR = "zensical"
ONLINE = ("404.html", "sitemap.xml")  # they name the site's address, and it may be anywhere

USE = ("usage", "data", "predictions", "page", "large-images", "scale", "onnx", "api", "teaching")
INSIDE = ("components", "design", "results", "log", "reliability", "security")
TITLES = {
    "usage": "Commands and options",
    "data": "Data and formats",
    "predictions": "Predictions and counts",
    "page": "A detector as a page",
    "large-images": "Large images",
    "onnx": "ONNX files",
    "api": "In Python",
    "log": "What did not help",
}
"""Where a page's own title is too short for the menu."""
Menu = list[Any]
Pages = dict[str, str | bytes]


def write_pages(pages: Pages, wanted: Wanted) -> None:
    """The Markdown pages of the repository, and everything that they link to.

    pages: those that were made, and other files; wanted: files that these link to.
    """
    for path in markdown_files():
        wanted.add(path)
    for path in (*source_files.package_files(), "LICENSE"):
        wanted.add(path)
    while wanted.waiting:
        path = wanted.waiting.pop()
        if page_of(path) not in pages:
            write_page(path, wanted)
    for path, content in pages.items():
        put(path, content)


def markdown_files() -> list[str]:
    """Pages that people wrote."""
    docs = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "docs").glob("*.md"))
    return ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", f"{LESSONS}/README.md", *docs]


def write_page(path: str, wanted: Wanted) -> None:
    """One file of the repository: a page of Markdown, a page of source code, or a copy."""
    target = page_of(path)
    if path.endswith(".md"):
        text = page((ROOT / path).read_text(encoding="utf-8"), path, wanted)
        put(target, start_page(text) if target == START else text)
    elif target.endswith(".md"):
        put(target, source_files.source_page(path, reference.reference_of(path)))
    else:
        put(target, (ROOT / path).read_bytes())


def put(path: str, content: str | bytes) -> None:
    """A file of the working copy."""
    file = WORK / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content.encode() if isinstance(content, str) else content)


def menu(lessons: Menu, live: Menu) -> Menu:
    """The menu: what the site is for, left to right; a document that no section names is under `Use`."""
    named = {*USE, *INSIDE}
    others = [Path(path).stem for path in markdown_files() if path.startswith("docs/") and Path(path).stem not in named]
    groups = [{title: reference.slug(title)} for title in reference.GROUPS]
    modules = [{file.removeprefix("src/pocketrcnn/"): reference.reference_of(file)} for file in reference.modules()]
    return [
        {"Start": START},
        {"Lessons": lessons},
        {"Live": live},
        {"Use": [document(stem) for stem in (*USE, *others)]},
        {
            "Inside": [document(stem) for stem in INSIDE]
            + [{"Contributing": "CONTRIBUTING.md"}, {"Changelog": "CHANGELOG.md"}]
        },
        {"Reference": [f"{reference.FOLDER}/index.md", {"Public names": groups}, {"Modules": modules}]},
        {"Source": source_files.LIST},
    ]


def document(stem: str) -> dict[str, str] | str:
    """A page of docs/ in the menu, with another title where its own is too short."""
    path = f"docs/{stem}.md"
    return {TITLES[stem]: path} if stem in TITLES else path


def write_settings(entries: Menu) -> Path:
    """The settings of the generator with the menu, which is JSON, so YAML too."""
    text = (HERE / "mkdocs.yml").read_text(encoding="utf-8")
    text = text.replace("[SRC]", f'["{ROOT / "src"}"]')
    path = WORK.parent / "mkdocs.yml"
    path.write_text(f"{text}nav: {json.dumps(entries)}\n", encoding="utf-8")
    return path


def write_assets() -> None:
    """What the theme lacks."""
    for file in sorted((HERE / "theme").iterdir()):
        put(f"assets/{file.name}", file.read_bytes())


def run_generator(settings: Path) -> None:
    """Pages of the working copy to build/site. Ends the command where the generator has a warning."""
    shutil.rmtree(OUT, ignore_errors=True)
    command = [str(Path(sys.executable).parent / GENERATOR), "build", "--clean", "--strict", "-f", str(settings)]
    done = subprocess.run(command, cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)}, check=False)
    if done.returncode:
        sys.exit(f"the generator ended with {done.returncode}: see above")
    for name in ONLINE:
        (OUT / name).unlink(missing_ok=True)
