"""What a process does to files is noted, and can be stopped, killed and refused at each operation; folders are compared
but for times.

Covers `run_folders.py` of the campaigns. Short forms of their rows cover `commands.py`, `jobs.py`, `prepared.py`,
`small_cifar.py` and `warm.py`.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from campaigns import run_folders
from campaigns.campaign import Broken
from campaigns.file_operations import STOPPED

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="open files are named by /proc")

ROOT = Path(__file__).parents[2]
PROGRAM = """
import errno, os, sys
from pathlib import Path
from campaigns.file_operations import killed, noted, refused, stopped
place = Path(sys.argv[1])
{watch}()
Path(place, "read").exists()
Path(place, "made").mkdir(exist_ok=True)
Path(place, "made").mkdir(exist_ok=True)
with open(place / "made" / "a", "wb") as file:
    file.write(b"1")
    os.fsync(file.fileno())
Path(place, "gone").unlink(missing_ok=True)
Path(place, "made", "a").replace(place / "made" / "b")
Path(place, "made", "b").unlink()
print("done")
"""
OPERATIONS = ["mkdir made", "open a", "fsync a", "rename a", "remove b"]


def result(place: Path, watch: str) -> subprocess.CompletedProcess[str]:
    """The program, watched."""
    code = PROGRAM.format(watch=watch)
    command = [sys.executable, "-c", code, str(place)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_what_changes_files_is_noted_once(tmp_path: Path) -> None:
    place = tmp_path / "place"
    place.mkdir()
    assert result(place, "noted((place,), place.parent / 'notes')").stdout == "done\n"
    lines = (tmp_path / "notes").read_text().splitlines()
    assert [f"{name} {Path(path).name}" for name, path in (line.split(" ", 1) for line in lines)] == OPERATIONS


@pytest.mark.parametrize("number", range(len(OPERATIONS)))
def test_a_process_is_stopped_before_an_operation(tmp_path: Path, number: int) -> None:
    assert result(tmp_path, f"stopped((place,), {number})").returncode == STOPPED
    names = sorted(path.name for path in tmp_path.rglob("*"))
    assert names == [[], ["made"], ["a", "made"], ["a", "made"], ["b", "made"]][number]


def test_operations_are_refused_and_a_process_is_killed_at_one(tmp_path: Path) -> None:
    refused = result(tmp_path, "refused((place,), errno.ENOSPC, 'rename', 0)")
    assert "OSError: [Errno 28] No space left on device" in refused.stderr
    assert (tmp_path / "made" / "a").exists()
    assert result(tmp_path, "killed((place,), 'fsync', 'a', 0)").returncode == -9


def test_folders_are_compared_but_for_times(tmp_path: Path) -> None:
    for name, seconds, value in (("one", 1.0, 3), ("two", 2.0, 3), ("three", 1.0, 4)):
        (tmp_path / name).mkdir()
        content = {"seconds": seconds, "metrics": {"AP": value}}
        (tmp_path / name / "metrics.json").write_text(json.dumps(content))
        (tmp_path / name / ".b.png.12.part").touch()
    one, two, three = (run_folders.contents(tmp_path / name) for name in ("one", "two", "three"))
    run_folders.require_same(one, two, "the same")
    assert one[".b.png.12.part"] == "unfinished"
    assert list(run_folders.finished(one)) == ["metrics.json"]
    with pytest.raises(Broken, match=r"another: metrics.json \(other\)"):
        run_folders.require_same(one, three, "another")
    with pytest.raises(Broken, match=r"less: .b.png.12.part \(missing\)"):
        run_folders.require_same(run_folders.finished(one), one, "less")
