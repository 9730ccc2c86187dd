"""The pictures of README and docs show what the code of today computes, are light, and are all used."""

from __future__ import annotations

import hashlib
import json
import re
import runpy
import sys
from pathlib import Path
from typing import Any

import pytest

from pocketrcnn.version import __version__

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "docs" / "pictures"
SOURCES: dict[str, Any] = json.loads((FOLDER / "sources.json").read_text(encoding="utf-8"))
MOST_BYTES = 1_500_000
IMAGE = re.compile(r"!\[([^\]]*)\]\(([^)]+)\)")
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])
SCRIPT = ROOT / "scripts" / "pictures"

shown = runpy.run_path(str(SCRIPT / "shown.py"))

each_picture = pytest.mark.parametrize("name", sorted(SOURCES))


def pictures() -> set[str]:
    return {path.name for path in FOLDER.iterdir()} - {"sources.json"}


def used() -> set[Path]:
    """The files of all images that the documents show."""
    pairs = [(path, target) for path in DOCUMENTS for _, target in IMAGE.findall(path.read_text(encoding="utf-8"))]
    return {(path.parent / target).resolve() for path, target in pairs}


@each_picture
def test_a_picture_shows_what_the_code_computes(name: str) -> None:
    """Matches, suppressed boxes, IoU, theta and hits are computed again from what the picture was given."""
    source = SOURCES[name]
    compute = shown["COMPUTED"].get(name)
    now = compute(source["given"]) if compute else {}
    for key in {*now, *source["shown"]}:
        same = now.get(key) == pytest.approx(source["shown"].get(key), abs=2e-4) if flat(now.get(key)) else False
        assert same or now.get(key) == source["shown"].get(key), outdated(name, key)


def flat(value: Any) -> bool:
    """Whether it is a list of numbers, which may differ in the last digit on another processor."""
    return isinstance(value, list) and all(isinstance(one, float) for one in value)


def outdated(name: str, what: str) -> str:
    return f"docs/pictures/{name} is older than {what}: run `make pictures`"


@each_picture
def test_a_picture_is_the_one_that_was_drawn_from_these_numbers(name: str) -> None:
    content = (FOLDER / name).read_bytes()
    assert hashlib.sha256(content).hexdigest() == SOURCES[name]["sha256"], outdated(name, "docs/pictures/sources.json")


@each_picture
def test_a_picture_of_a_trained_network_says_which_run_it_shows(name: str) -> None:
    """Those without a run are drawn from a few numbers alone; runs are of the minor version that is here."""
    run = SOURCES[name].get("run")
    if run is None:
        assert name in drawings()
        return
    assert run["command"].startswith("pocketrcnn "), name
    assert run["iterations"] > 0, name
    assert {"seed", "torch", "processor"} <= set(run)
    assert minor(run["version"]) == minor(__version__), outdated(name, f"version {__version__}")


def drawings() -> dict[str, Any]:
    """The pictures that need no run, as the script lists them."""
    listed: dict[str, Any] = loaded("__main__.py")["DRAWINGS"]
    return listed


def loaded(name: str) -> dict[str, Any]:
    """A file of the script, which imports those beside it."""
    before, names = list(sys.path), set(sys.modules)
    sys.path.insert(0, str(SCRIPT))
    try:
        return runpy.run_path(str(SCRIPT / name))
    finally:
        sys.path[:] = before
        for added in {path.stem for path in SCRIPT.glob("*.py")} & (set(sys.modules) - names):
            del sys.modules[added]


def minor(version: str) -> list[str]:
    return version.split(".")[:2]


def test_drawings_are_what_the_script_draws() -> None:
    """Those that are SVG need no fonts of this machine, and come out byte by byte the same."""
    for name, draw in drawings().items():
        if name.endswith(".svg"):
            assert draw() == (FOLDER / name).read_bytes(), outdated(name, "scripts/pictures")


def test_pictures_are_light() -> None:
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) < MOST_BYTES


def test_every_picture_is_known_and_used_and_every_one_that_is_used_exists() -> None:
    assert pictures() == set(SOURCES)
    assert {path.name for path in used() if path.parent == FOLDER} == pictures()
    assert [path for path in used() if not path.is_file()] == []


def test_pictures_are_described_for_people_who_do_not_see_them() -> None:
    for path in DOCUMENTS:
        for words, target in IMAGE.findall(path.read_text(encoding="utf-8")):
            assert len(words) > 20, f"{path.name}: {target} has no description"


def test_the_readme_opens_with_pictures() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 120
    assert len(IMAGE.findall(text)) >= 3
    assert text.index("![") < text.index("\n## ")


def test_no_line_of_code_in_the_readme_is_cut_off() -> None:
    """Code-hosting pages show about 72 characters of a line of code."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    for block in re.findall(r"^```\w+\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        assert [line for line in block.splitlines() if len(line) > 72] == []


def test_what_is_missing_is_named_before_anything_is_drawn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert loaded("__main__.py")["main"](["--nuclei", "nowhere"]) == 2
    error = capsys.readouterr().err
    assert "runs/scenes is no finished run: make it with `pocketrcnn scenes scenes --objects 0-6" in error
    assert error.count("\n") == 1
