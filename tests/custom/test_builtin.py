"""A detector inside the package, by its name: as good as it says, small; runs of that name come first."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from shell import Shell
from tiny_detectors import tiny_run

import pocketrcnn
from pocketrcnn.custom.builtin import FOLDER, NAMES, examples_of, is_builtin, weights_of
from pocketrcnn.data.images.pixels import read_image
from pocketrcnn.errors import UserError
from pocketrcnn.training.checkpoint import load_tensors

FOUND = {"nuclei-1.png": 20, "nuclei-2.png": 56}  # nuclei that it finds in its examples; annotated are 22 and 60


@pytest.mark.parametrize("name", NAMES)
def test_its_files_are_small_and_say_how_they_were_made(name: str) -> None:
    files = [weights_of(name), FOLDER / f"{name}.json", *examples_of(name)]
    assert sum(path.stat().st_size for path in files) < 1_500_000
    facts = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    assert facts["command"].startswith(f"pocketrcnn train {name} --")
    assert facts["split"] == "test"
    _, metadata = load_tensors(weights_of(name))
    data = metadata["config"]["data"]
    assert data["source"] == name, "and no path of a machine"
    assert data["tile_overlap"] > 0, "large images are looked at in tiles"
    assert round(metadata["threshold"], 3) == facts["used"]["threshold"]


def test_it_finds_nuclei(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    detector = pocketrcnn.Detector.load("nuclei", "cpu")
    assert repr(detector).startswith("<Detector of nucleus: tiles of 256x256 px, threshold 0.306, ")
    assert {path.name: len(detector(path)[0]) for path in pocketrcnn.examples_of("nuclei")} == FOUND


def test_the_command_without_images_takes_its_examples(shell: Shell, tmp_path: Path) -> None:
    code, out, _ = shell(f"predict nuclei --device cpu --out {tmp_path / 'out'}")
    assert code == 0
    assert "no images named: 2 examples of `nuclei` that it was not trained on\n" in out
    assert "76 objects in 2 images" in out
    for path in examples_of("nuclei"):
        drawn, image = read_image(tmp_path / "out" / "pictures" / path.name), read_image(path)
        assert (drawn != image.repeat(2, 0).repeat(2, 1)).any()
    code, _, err = shell("predict elsewhere")
    assert (code, err) == (2, "pocketrcnn: predict elsewhere IMAGES: name image files, a folder or a pattern such as "
                              "FOLDER/*.png\n")  # fmt: skip


def test_a_run_of_that_name_is_what_is_meant_and_a_folder_of_data_is_not(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("nuclei").mkdir()
    assert is_builtin("nuclei")
    assert not is_builtin(Path("nuclei").absolute())
    with pytest.raises(UserError, match="is not the folder of a run"):
        pocketrcnn.Detector.load("nuclei/")
    shutil.rmtree("nuclei")
    shutil.copytree(tiny_run(tmp_path_factory), "nuclei")
    assert not is_builtin("nuclei")
    assert pocketrcnn.Detector.load("nuclei", "cpu").classes == ("cat", "dog")
