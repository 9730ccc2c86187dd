"""The API reference from the docstrings: pages of the public names, and one for each module that a reader meets."""

from __future__ import annotations

import re

from .repository import PACKAGE, page_of

GROUPS = {
    "Use a detector": ("Detector", "Detections", "predict", "merge", "Predicted", "examples_of", "explain", "export"),
    "Train one": ("train", "resume", "TrainedRun", "sweep", "Swept", "SweptTrial", "evaluate", "write_report"),
    "Data": ("check", "Checked", "convert"),
    "Networks and data of your own": ("FasterRCNN", "Config", "Batch", "Dataset", "fit", "Run", "open_dataset"),
    "What goes wrong": ("UserError",),
}
"""The public names of `pocketrcnn`, a page each group."""
INTRODUCED = {
    "Use a detector": "In Python, `pocketrcnn.NAME`. Examples are in [docs/api.md](../docs/api.md).",
    "Train one": "Each says what its command says, unless `quiet`, and raises `UserError` where that ends with one.",
    "Data": "The commands `check` and `convert`. What is understood of each format: [docs/data.md](../docs/data.md).",
    "Networks and data of your own": "For what is not a folder of images: [how to add something](../docs/design.md).",
    "What goes wrong": "",
}
FURTHER = (
    *("data/boxes.py", "data/dataset.py", "training/fit.py", "evaluation/network.py", "evaluation/outcomes.py"),
    *("custom/scale/predict.py", "custom/scale/train.py"),
)
FOLDER = "reference"


def reading_order() -> list[str]:
    """The files of an afternoon in their order, from the root of the repository: those of `model/__init__.py`."""
    text = (PACKAGE / "model" / "__init__.py").read_text(encoding="utf-8")
    return [f"src/pocketrcnn/{file}" for file in re.findall(r"^    ([\w/]+\.py) +\d+  \S", text, re.MULTILINE)]


def modules() -> list[str]:
    """The files that have a page in the reference."""
    further = [f"src/pocketrcnn/{file}" for file in FURTHER]
    return reading_order() + [file for file in further if file not in reading_order()]


def dotted(path: str) -> str:
    """A file as Python names it: `pocketrcnn.model.boxes`."""
    return path.removeprefix("src/").removesuffix(".py").replace("/", ".")


def reference_of(path: str) -> str | None:
    """The page of the reference about a source file, where there is one."""
    return f"{FOLDER}/{dotted(path)}.md" if path in modules() else None


def slug(title: str) -> str:
    """The file of a group."""
    return f"{FOLDER}/{title.lower().replace(' ', '-')}.md"


def reference_pages() -> dict[str, str]:
    """The pages by their path in the working copy."""
    pages = {slug(title): group_page(title, names) for title, names in GROUPS.items()}
    pages |= {f"{FOLDER}/{dotted(file)}.md": module_page(file) for file in modules()}
    return pages | {f"{FOLDER}/index.md": overview()}


def group_page(title: str, names: tuple[str, ...]) -> str:
    """Public names, one after the other."""
    blocks = [f"::: pocketrcnn.{name}\n    options:\n      heading_level: 2\n" for name in names]
    return "\n".join((f"# {title}\n", f"{INTRODUCED[title]}\n", *blocks))


def module_page(file: str) -> str:
    """All public names of a module, in the order of the file."""
    name = file.removeprefix("src/pocketrcnn/")
    source = f"[the whole file](../{page_of(file)})"
    return (
        f"# {name}\n\n`{dotted(file)}`: {source}.\n\n::: {dotted(file)}\n    options:\n      show_root_heading: false\n"
    )


def overview() -> str:
    """The first page of the reference: every public name, and the modules."""
    lines = [
        "# API reference",
        "",
        "Everything here is made from the docstrings of the package.",
        "",
        "## Public names",
        "",
    ]
    for title, names in GROUPS.items():
        page = slug(title).removeprefix(f"{FOLDER}/")
        listed = ", ".join(f"[`{name}`]({page}#pocketrcnn.{name})" for name in names)
        lines += [f"- [{title}]({page}): {listed}"]
    lines += ["", "## Modules, in reading order", ""]
    lines += [f"- [`{file.removeprefix('src/pocketrcnn/')}`]({dotted(file)}.md)" for file in modules()]
    return "\n".join((*lines, ""))
