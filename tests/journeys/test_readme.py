"""What the documents promise: every command and every snippet runs, every table and every list of files is true.

Covers `custom/bench.py`, which it runs.
"""

from __future__ import annotations

import json
import logging
import re
import runpy
import shlex
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import fake_cifar
import fake_results
import pytest
from tiny_detectors import hold_nothing_back

from campaigns.rows import ROWS
from pocketrcnn.cli import main
from pocketrcnn.config import TrainConfig
from pocketrcnn.course import bench, experiments
from pocketrcnn.course.only import chosen
from pocketrcnn.custom.page import engine
from pocketrcnn.data.images.pixels import read_image
from pocketrcnn.model import backbones, roi
from pocketrcnn.training import timing

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src" / "pocketrcnn"
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^):#]+)\)")  # to files, not to addresses
INLINE = re.compile(r"`pocketrcnn ([a-z]+ [^`A-Z]*)`")  # commands in a sentence; capitals stand for the reader's words
QUICK = ("--iterations", "1", "--batch", "8")
INSTALLATION = (
    "git clone ADDRESS pocket-rcnn",
    "cd pocket-rcnn",
    "python3 -m venv .venv",
    ". .venv/bin/activate",
    "pip install uv",
    "uv pip install --torch-backend cpu .",
    "pip install .",
    "pip install '.[export]'",
)
ROOMS = 8  # folders of the package that hold modules, at most

script = runpy.run_path(str(ROOT / "scripts" / "readme_table.py"))
table = runpy.run_path(str(ROOT / "scripts" / "own_table.py"))


def blocks(document: Path, *languages: str) -> list[tuple[str, str]]:
    """(language, content) of the fenced blocks in these languages."""
    return [block for block in BLOCK.findall(document.read_text(encoding="utf-8")) if block[0] in languages]


def quick(words: list[str]) -> list[str]:
    """The same command in seconds: few iterations, small batches, B1 where all experiments are meant."""
    options = vars(main.parser().parse_args(words))  # the command as it stands is one that the program knows
    if options["verb"] == "scenes":
        few = ["--objects", "0-6", "--images", "20"] if options["objects"] else []
        return ["scenes", str(options["out"]), "--data", "sample", *few]
    if options["verb"] == "bench":
        images = ["--images", "8", "--data", str(options["data"])] if options["what"] == "train" else []
        return ["bench", options["what"], "--rounds", "1", *images]
    if options["verb"] in ("train", "resume", "sweep"):
        few = {"train": "2", "resume": "3", "sweep": "2"}[options["verb"]]
        return [*without(words, "--minutes", "--iterations"), "--iterations", few]
    if options["verb"] != "reproduce":
        return words
    claims = chosen(options["only"])[1]
    few = {"only": "A4", "seeds": 1} if claims else {"only": options["only"] or "B1", "seeds": options["seeds"]}
    kept = few | {name: options[name] for name in ("recipe", "data", "out")}
    named = [str(word) for name, value in kept.items() if value for word in (f"--{name}", value)]
    return ["reproduce", *named, "--workers", "1", *QUICK]


def without(words: list[str], *options: str) -> list[str]:
    """A command without some options and their values."""
    indices = {index for index, word in enumerate(words) if word in options}
    return [word for index, word in enumerate(words) if not {index, index - 1} & indices]


@pytest.fixture
def workshop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty folder to work in, a cache with a small CIFAR-10, pages without their ONNX Runtime, a short benchmark;
    what snippets add goes away."""
    monkeypatch.chdir(tmp_path)
    runtime = dict.fromkeys(engine.CHECKSUMS, b"")  # tests/custom/test_export.py has the one that is fetched
    monkeypatch.setattr("pocketrcnn.custom.page.export.engine_files", lambda: runtime)
    fake_cifar.write(tmp_path / "cache" / "cifar-10-batches-bin", fake_cifar.install(monkeypatch, tmp_path / "cache"))
    monkeypatch.setattr(experiments, "TrainConfig", partial(TrainConfig, evaluations=1, evaluation_images=20))
    monkeypatch.setattr(bench, "MEASURED", ("B2",))
    monkeypatch.setattr(timing, "WARM_UP", 0)
    monkeypatch.setattr(bench, "PRODUCT", 64)
    registries: list[dict[str, Any]] = [backbones.BLOCKS, roi.POOLS, experiments.EXPERIMENTS]
    before = [dict(registry) for registry in registries]
    yield tmp_path
    logging.getLogger("pocketrcnn").setLevel(logging.NOTSET)
    for registry, entries in zip(registries, before, strict=True):
        registry.clear()
        registry.update(entries)


@pytest.mark.timeout(600)  # a page of commands takes minutes where others keep the cores busy
@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_command_and_every_snippet_runs(document: Path, workshop: Path) -> None:
    """In the order of the page, in one folder, as a reader would."""
    main.main(["scenes", "my-images", "--objects", "0-6", "--data", "sample", "--images", "20"])
    for language, content in blocks(document, "sh", "python"):
        if language == "python":
            exec(compile(content, document.name, "exec"), {"__name__": "__main__"})
            continue
        for line in content.splitlines():
            run(shlex.split(line, comments=True))
    if document.name == "README.md":
        check_pictures(Path("runs/my-images"), Path("my-images/test"))


def check_pictures(folder: Path, images: Path) -> None:
    """The detector that the page trained draws its boxes: a picture is more than the image, enlarged."""
    hold_nothing_back(folder)
    assert main.main(["predict", str(folder), str(images), "--threshold", "0", "--out", "drawn"]) == 0
    records = json.loads(Path("drawn/predictions.json").read_text(encoding="utf-8"))
    names = {Path(one["file_name"]) for one in records}
    assert names == set(images.glob("*.png"))
    for name in names:
        drawn, image = read_image(Path("drawn/pictures", name.name)), read_image(name)
        scale = drawn.shape[0] // image.shape[0]
        plain = image.repeat(scale, 0).repeat(scale, 1)
        assert drawn.shape == plain.shape
        assert (drawn != plain).any()


def run(words: list[str]) -> None:
    """One line of a shell block, in its quick form where it would take long."""
    if words[0] == "pocketrcnn":
        assert main.main(quick(words[1:])) == 0, words
    elif words[0] == "make":
        check_make(words[1:])
    elif words[:3] == ["python", "-m", "campaigns"]:
        assert words[3] in ROWS, words
    elif words[0] == "python":
        program = ROOT / words[1]
        assert program.is_file() or (program / "__main__.py").is_file(), words
    else:
        assert shlex.join(words) in INSTALLATION, f"no test runs {words}"


def check_make(words: list[str]) -> None:
    """The target exists, and its ARGS are ones that the command line knows; `make reproduce` alone is run, too."""
    target, *settings = words
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE), target
    for setting in settings:
        name, _, value = setting.partition("=")
        assert name == "ARGS"
        main.parser().parse_args([target, *shlex.split(value)])
    if words == ["reproduce"]:
        run(["pocketrcnn", *words])


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_commands_in_sentences_and_links_are_right(document: Path) -> None:
    text = BLOCK.sub("", document.read_text(encoding="utf-8"))
    for command in INLINE.findall(text):
        main.parser().parse_args(shlex.split(command))
    for target in LINK.findall(text):
        assert (document.parent / target).exists(), target


def test_the_readme_lists_exactly_the_rooms_of_the_package() -> None:
    (tree,) = [content for _, content in blocks(ROOT / "README.md", "text") if content.startswith("src/pocketrcnn/")]
    listed = []
    for line in tree.splitlines()[1:]:
        name, *description = line.split(maxsplit=1)
        assert description, f"{name} has no description"
        listed.append(name.removesuffix("/"))
    assert set(listed) == {p.parent.name for p in PACKAGE.glob("*/__init__.py")}
    assert len(listed) <= ROOMS


def test_the_tables_are_what_the_script_makes_from_the_kept_results() -> None:
    for path, text in script["documents"]().items():
        assert path.read_text(encoding="utf-8") == text, f"{path.name} is old: run `python scripts/readme_table.py`"


def test_the_table_of_custom_detectors_is_what_the_script_makes() -> None:
    rows = json.loads((ROOT / table["KEPT"]).read_text(encoding="utf-8"))
    for name, text in table["documents"](rows).items():
        assert (ROOT / name).read_text(encoding="utf-8") == text, f"{name} is old: run `python scripts/own_table.py`"


def test_kept_results_are_light_and_named_after_what_they_are() -> None:
    for path in (ROOT / "docs" / "results").glob("*-*.json"):  # those of `reproduce`
        kept = json.loads(path.read_text(encoding="utf-8"))
        rows = kept["experiments"] if "experiments" in kept else kept["observations"]
        assert f"{kept.get('schedule', 'observations')}-{rows[0]['recipe']}" == path.stem
        assert all(not set(row) & set(script["HEAVY"]) for row in rows)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The documents with their markers, without any results."""
    (tmp_path / "docs").mkdir()
    (tmp_path / "README.md").write_text("before\n<!-- results -->\n<!-- /results -->\nafter\n")
    marked = "".join(f"<!-- results {run} -->\nold\n<!-- /results {run} -->\n" for run in script["RUNS"])
    marked += "<!-- observations -->\nold\n<!-- /observations -->\n"
    (tmp_path / "docs" / "results.md").write_text(marked)
    return tmp_path


def measured(folder: Path, **changes: Any) -> str:
    """A `results.json` as `reproduce` writes it."""
    path = folder / "results.json"
    results = fake_results.results(recipes=("pocket", "course")) | {"command": "pocketrcnn reproduce --out elsewhere"}
    path.write_text(json.dumps(results | changes))
    return str(path)


def test_results_become_tables(copy: Path) -> None:
    assert script["main"]([measured(copy)], copy) == 0
    readme, page = (copy / "README.md").read_text(), (copy / "docs" / "results.md").read_text()
    assert readme.startswith("before\n<!-- results -->\n")
    assert readme.endswith("<!-- /results -->\nafter\n")
    assert re.search(
        r"\| B1 \| ConvNet \| accuracy \| 64.6 % \| \*\*7\d\.\d\d ± \d\.\d\d %\*\* \| 2 \| 400 \| \d+ s \|", readme
    )
    assert "| R2 | Proposal regressor | regression loss | 0.000727 | **0.000" in readme
    assert "`pocketrcnn reproduce`, 2026-11-22: 2 seeds" in readme
    assert re.search(r"\| R2 \| \d\d\.\d\d ± \d\.\d\d % \| 0\.000\d+ ± 0\.0\d+ \| 0\.53\d ± 0\.\d+ px \|", page)
    assert page.count("This run has not been made yet") == 2
    assert "old" not in page
    kept = json.loads((copy / "docs" / "results" / "short-pocket.json").read_text())
    assert {row["recipe"] for row in kept["experiments"]} == {"pocket"}
    assert not {"pictures", "curves", "layers"} & set(kept["experiments"][0])
    before = readme, page
    assert script["main"]([], copy) == 0
    assert before == ((copy / "README.md").read_text(), (copy / "docs" / "results.md").read_text())


def test_observations_become_tables_whatever_their_length(copy: Path) -> None:
    made = [fake_results.observed("A2", "course", seeds=5), fake_results.observed("A2", "pocket")]
    assert script["main"]([measured(copy, schedule="custom", observations=made)], copy) == 0
    page = (copy / "docs" / "results.md").read_text()
    assert "| the report's claim | course recipe | pocket recipe |" in page
    assert "undecided (n = 5)" in page
    assert "| A2 | mean IoU: alternating < F2 ConvNet + 0.01 |" in page
    assert page.count("This run has not been made yet") == 3, "nothing else is kept of runs of another length"


def test_runs_of_experiments_leave_the_tables_of_more_observations_alone(copy: Path) -> None:
    """Runs of a whole table are arms of some observations, too; those of another call once lost their tables so."""
    made = [fake_results.observed(name, "course") for name in ("A2", "A6")]
    assert script["main"]([measured(copy, schedule="custom", observations=made)], copy) == 0
    kept = (copy / "docs" / "results" / "observations-course.json").read_text()
    assert script["main"]([measured(copy, schedule="full", observations=made[1:])], copy) == 0
    assert (copy / "docs" / "results" / "observations-course.json").read_text() == kept
    assert (copy / "docs" / "results" / "full-course.json").is_file()


def test_a_metric_that_falls_short_is_marked(copy: Path) -> None:
    rows = fake_results.results(ids=("B1",))["experiments"]
    rows[0]["report"]["beaten"] = False
    script["main"]([measured(copy, experiments=rows)], copy)
    assert "points, not beaten |" in (copy / "docs" / "results.md").read_text()
    assert "| B2 | MobileNet | accuracy | 51.6 % | – | – | – | – |" in (copy / "README.md").read_text()


@pytest.mark.parametrize("change", [{"data": "sample"}, {"schedule": "custom"}])
def test_what_may_not_be_compared_is_refused(
    copy: Path, change: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    before = (copy / "README.md").read_text()
    assert script["main"]([measured(copy, **change)], copy) == 2
    assert "is not comparable" in capsys.readouterr().err
    assert (copy / "README.md").read_text() == before
