"""What the project is made of: packages are pinned, and have licences that allow their use."""

import os
import re
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PERMISSIVE = r"MIT|BSD|Apache|ISC|PSF|Python Software Foundation|Zlib|CC0|BSL|HPND|Unlicense|FreeBSD|0BSD"
MAKERS_OF_CARDS = ("nvidia", "cuda", "triton")  # come with torch where it is built for a graphics card


def needed(*extras: str) -> set[str]:
    """Names of what the project needs with these extras here, and what that needs."""
    asked: set[tuple[str, frozenset[str]]] = set()
    waiting = [("pocket-rcnn", frozenset(extras))]
    while waiting:
        name, wanted = one = waiting.pop()
        if one in asked:
            continue
        asked.add(one)
        for need in map(Requirement, metadata.requires(name) or ()):
            if need.marker is None or any(need.marker.evaluate({"extra": extra}) for extra in ("", *wanted)):
                waiting.append((canonicalize_name(need.name), frozenset(need.extras)))
    return {name for name, _ in asked} - {"pocket-rcnn"}


def licence(name: str) -> str:
    """As the distribution says it: an expression, a classifier, or the first words of a text."""
    about = metadata.metadata(name)
    classifiers = [one.split(" :: ")[-1] for one in about.get_all("Classifier") or () if one.startswith("License ::")]
    return about.get("License-Expression") or " ".join(classifiers) or (about.get("License") or "")[:80]


def not_allowed(names: set[str], allowed: str) -> dict[str, str]:
    """Those whose licence is not one of `allowed`, or is a GPL, AGPL or LGPL."""
    known = {name: licence(name) for name in names if not name.startswith(MAKERS_OF_CARDS)}
    return {name: text for name, text in known.items() if not re.search(allowed, text) or re.search(r"GPL", text)}


def extras() -> set[str]:
    """Those whose packages are here. Where CI is set, the site is made, too; `make scale` brings its own."""
    site, scale = "CI" in os.environ or find_spec("zensical"), find_spec("ray") and find_spec("dask")
    return {"dev"} | ({"site"} if site else set()) | ({"scale"} if scale else set())


def test_every_package_is_pinned() -> None:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = {canonicalize_name(Requirement(line).name) for line in lines}
    assert needed(*extras()) <= pins


def test_what_is_installed_with_the_project_has_a_permissive_licence() -> None:
    assert not_allowed(needed("export", "parquet"), PERMISSIVE) == {}


def test_what_develops_it_has_a_permissive_licence_or_the_mpl() -> None:
    assert not_allowed(needed(*extras()), rf"{PERMISSIVE}|MPL|Mozilla") == {}
