"""The recipe for Dask in docs/scale.md, as it stands there, run by `make scale`."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

from exported_runs import builtin_exported

import pocketrcnn
from pocketrcnn.custom.builtin import examples_of

ROOT = Path(__file__).parents[2]


def recipe() -> str:
    """The program that begins by importing Dask."""
    page = (ROOT / "docs" / "scale.md").read_text(encoding="utf-8")
    return next(text for text in re.findall(r"```py\n(.*?)```", page, re.DOTALL) if "import dask" in text)


def test_the_recipe_finds_what_predict_finds(tmp_path: Path) -> None:
    model = builtin_exported(tmp_path)
    (tmp_path / "images").mkdir()
    for example in examples_of("nuclei"):
        (tmp_path / "images" / example.name).write_bytes(example.read_bytes())
    (tmp_path / "recipe.py").write_text(recipe(), encoding="utf-8")
    subprocess.run([sys.executable, "recipe.py"], cwd=tmp_path, check=True, timeout=120)
    files = sorted((tmp_path / "found").iterdir())
    found = [json.loads(line) for file in files for line in file.read_text().splitlines()]
    done = pocketrcnn.predict(model, tmp_path / "images", out=tmp_path / "predicted", quiet=True)
    records = json.loads((done.path / "predictions.json").read_text())
    assert [Path(one["image"]).name for one in found] == ["nuclei-1.png", "nuclei-2.png"]
    assert [thing["score"] for one in found for thing in one["objects"]] == [record["score"] for record in records]
