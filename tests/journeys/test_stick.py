"""The USB stick of a class: what `scripts/stick` refuses, and what its `install.py` leaves alone on a laptop.

That it installs without a network is tried by hand (docs/teaching.md): it takes minutes and hundreds of megabytes.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from stick import install

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def stick(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A stick with two files of the project, for this machine."""
    folder = tmp_path / "stick"
    (folder / "pocket-rcnn" / "lessons").mkdir(parents=True)
    (folder / "pocket-rcnn" / "lessons" / "01.py").write_text("gap")
    (folder / "pocket-rcnn" / "README.md").write_text("new")
    (folder / "stick.json").write_text(json.dumps(install.here()))
    monkeypatch.setattr(install, "STICK", folder)
    monkeypatch.setattr(sys, "argv", ["install.py", str(tmp_path / "laptop")])
    return folder


def test_a_second_installation_leaves_the_work_of_students(stick: Path, tmp_path: Path) -> None:
    laptop = tmp_path / "laptop"
    install.copy_project(laptop)
    (laptop / "lessons" / "01.py").write_text("written")
    (laptop / "README.md").write_text("old")
    install.copy_project(laptop)
    assert (laptop / "lessons" / "01.py").read_text() == "written"
    assert (laptop / "README.md").read_text() == "new"


@pytest.mark.parametrize("other", [("python", ["3", "9"], "3.9"), ("system", "Amiga", "Amiga")])
def test_a_stick_for_other_machines_says_so(
    stick: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], other: tuple[str, object, str]
) -> None:
    name, value, said = other
    (stick / "stick.json").write_text(json.dumps(install.here() | {name: value}))
    assert install.main() == 2
    assert f"this stick is for {name} {said}, here is" in capsys.readouterr().out
    assert not (tmp_path / "laptop").exists()


def test_a_folder_with_files_is_not_filled(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    words = [sys.executable, str(ROOT / "scripts" / "stick"), str(tmp_path)]
    ended = subprocess.run(words, capture_output=True, text=True, check=False)
    assert ended.returncode == 2
    assert "is not empty" in ended.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]
