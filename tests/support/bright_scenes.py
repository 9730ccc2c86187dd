"""A folder of images with bright objects, and the command line there with a detector that finds them."""

from __future__ import annotations

from pathlib import Path

import pytest
from shell import Shell
from tiny_detectors import bright_detector, saved, scene

from pocketrcnn.custom.commands import detecting

FILES = ("predictions.json", "predictions.csv", "counts.csv")
IMAGES = "in/**/*"
COUNT = 11  # images below `in`, of which one is broken


def opened(folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Shell:
    """Images in folders of `folder`, where the command line is then."""
    monkeypatch.chdir(folder)
    monkeypatch.setattr(detecting, "load_detector", lambda *_: bright_detector())
    for i in range(COUNT):
        saved(Path("in", f"{i % 3}", f"{'=é' if i == 5 else ''}{i}.png"), scene((40 + i, 30), (i, 4, 12 + 2 * i, 20)))
    Path("in/1/4.png").write_bytes(b"no image")
    return Shell(capsys)


def merged(out: str) -> dict[str, bytes]:
    """The result files of a folder."""
    return {name: Path(out, name).read_bytes() for name in FILES}


def last_line(answer: object) -> str:
    """Why a command refuses, after lines about images."""
    code, _, err = answer  # type: ignore[misc]
    assert code == 2, answer
    return str(err).splitlines()[-1]
