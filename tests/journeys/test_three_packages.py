"""An environment of its own with numpy, Pillow and onnxruntime alone: an exported detector works, by command and class.

Nothing is hidden: the environment has the folders of these three packages, and that of this project, and no others.
"""

from __future__ import annotations

import csv
import os
import subprocess
import tomllib
from pathlib import Path

import pytest
from exported_runs import made_by_hand
from packaging.requirements import Requirement
from PIL import Image
from three_packages import environment

from pocketrcnn.cli.main import COMMANDS, PACKAGES

pytestmark = pytest.mark.slow  # it starts processes

ROOT = Path(__file__).parents[2]
PROGRAM = """
import sys
from pocketrcnn.runtime import Detector
detector = Detector.load(sys.argv[1])
print(detector(sys.argv[2])[0].to_coco())
print(*sorted({name.split(".")[0] for name in sys.modules} & set(sys.argv[3:])))
"""


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of a new environment."""
    return environment(tmp_path_factory.mktemp("environment"))


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made_by_hand(tmp_path_factory.mktemp("exported") / "model.onnx")


def run(python: Path, *words: object, where: Path) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    command = [str(python), "-W", "error", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=clean, cwd=where)


def test_the_names_are_those_of_the_project() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert {Requirement(line).name for line in project["dependencies"]} == set(PACKAGES.values())


def test_the_environment_has_nothing_else(python: Path, tmp_path: Path) -> None:
    code = "import importlib.util as u, sys; print(*[n for n in sys.argv[1:] if u.find_spec(n)])"
    assert run(python, "-c", code, *PACKAGES, where=tmp_path).stdout.split() == ["PIL", "numpy"]


def test_the_command_predicts(python: Path, file: Path, tmp_path: Path) -> None:
    Image.new("RGB", (8, 8)).save(tmp_path / "a.png")
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n")
    done = run(
        python, "-m", "pocketrcnn", "predict", file, "a.png", "broken.png", "--batch", "1", "--save-crops",
        where=tmp_path,
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    assert done.stderr.startswith("skipped: broken.png is not an image")
    assert done.stderr.count("\n") == 1
    with (tmp_path / "predictions/predictions.csv").open(encoding="utf-8") as table:
        assert [row["x2"] for row in csv.DictReader(table)] == ["3.00"]
    assert (tmp_path / "predictions/pictures/a.png").is_file()


def test_the_command_predicts_in_parts(python: Path, file: Path, tmp_path: Path) -> None:
    for i in range(5):
        Image.new("RGB", (8, 8)).save(tmp_path / f"{i}.png")
    words = ["-m", "pocketrcnn", "predict", file, ".", "--batch", "1", "--part-size", "2", "--out", "out"]
    done = run(python, *words, "--workers", "2", where=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("5 objects in 5 images: out\n")
    merged = run(python, "-m", "pocketrcnn", "merge", "out", where=tmp_path)
    assert merged.stdout.endswith("5 objects in 5 images: out\n"), merged.stderr


def test_the_class_predicts(python: Path, file: Path, tmp_path: Path) -> None:
    Image.new("RGB", (8, 8)).save(tmp_path / "a.png")
    done = run(python, "-c", PROGRAM, file, "a.png", *PACKAGES, where=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "[{'image_id': 1, 'category_id': 1, 'bbox': [1.0, 2.0, 2.0, 2.0], 'score': 0.5}]",
        "PIL numpy",
    ]


WORDS = {
    "check": "data", "convert": "data out --to coco", "train": "data", "sweep": "data", "resume": "run",
    "eval": "run", "export": "run",
    "predict": "run a.png", "explain": "run a.png", "report": "run", "reproduce": "--data sample",
    "download": "cifar10", "scenes": "out --data sample", "costs": "convnet", "bench": "step",
}  # fmt: skip


@pytest.mark.parametrize("verb", [verb for verb in COMMANDS if verb != "merge"])
def test_every_other_command_names_the_missing_packages(verb: str, python: Path, tmp_path: Path) -> None:
    Image.new("RGB", (8, 8)).save(tmp_path / "a.png")
    (tmp_path / "data").mkdir()
    (tmp_path / "run").mkdir()
    done = run(python, "-m", "pocketrcnn", verb, *WORDS[verb].split(), where=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"pocketrcnn: `{verb}` needs packages that are not installed (PyYAML, rich, ")
    assert done.stderr.endswith(
        "`pip install .` in a clone of the project; "
        "`predict` with an exported file needs numpy, pillow and onnxruntime alone\n"
    )
    assert done.stderr.count("\n") == 1
