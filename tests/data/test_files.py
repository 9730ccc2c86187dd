"""Files and folders that are there whole or not at all, locks, and that only one file of the package makes them."""

import ast
import errno
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import filelock
import pytest

from pocketrcnn.data.files import (
    being_made,
    first_free,
    is_unfinished,
    locked,
    machine,
    new_folder,
    open_atomically,
    temporary_folder,
    unfinished,
    write_errors,
)
from pocketrcnn.errors import UserError

SOURCE = Path(__file__).parents[2] / "src" / "pocketrcnn"
SCRATCH = {
    f"custom/{name}.py": {"tempfile"} for name in ("bench", "growth")
}  # draw images to be measured and thrown away: nobody's output


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def made_here(path: Path) -> Iterator[str]:
    """What a file takes to lock, to rename or to make temporary files."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from {alias.name for alias in node.names} & {"filelock", "tempfile"}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield from {node.module} & {"filelock", "tempfile"}
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            call = ast.unparse(node.func)
            alone = len(node.args) == 1 and not node.keywords  # the `replace` of a text takes two
            if call in ("os.replace", "os.rename", "shutil.move") or (
                node.func.attr in ("replace", "rename") and alone and call != "dataclasses.replace"
            ):
                yield call


def test_only_one_file_locks_renames_and_makes_temporary_files() -> None:
    made = {path.relative_to(SOURCE).as_posix(): set(made_here(path)) for path in SOURCE.rglob("*.py")}
    assert made.pop("data/files.py") == {"filelock", "tempfile", "temporary.replace", "path.replace", "made.replace"}
    assert {name: calls for name, calls in made.items() if calls} == SCRATCH


def test_a_file_is_whole_or_not_there(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"

    def interrupted() -> None:
        with open_atomically(path, "w") as file:
            file.write("half")
            assert names(tmp_path) == [unfinished(path).name]
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert names(tmp_path) == []
    with open_atomically(path, "w") as file:
        file.write("é\r\n")
    assert path.read_bytes() == "é\r\n".encode()


def test_a_link_under_the_temporary_name_is_not_followed(tmp_path: Path) -> None:
    """Others who may write to the folder could have a file of the user overwritten."""
    path, victim = tmp_path / "report.html", tmp_path / "victim"
    victim.write_text("precious")
    try:
        unfinished(path).symlink_to(victim)
    except OSError:
        pytest.skip("links need rights here")
    with open_atomically(path, "w") as file:
        file.write("page")
    assert (victim.read_text(), path.read_text(), path.is_symlink()) == ("precious", "page", False)

    def planted_again() -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Path, "unlink", lambda *_, **__: None)  # as where it is laid there once more
            unfinished(path).symlink_to(victim)
            with open_atomically(path, "w") as file:
                file.write("page")

    with pytest.raises(UserError, match=r"report.html cannot be written \(File exists\)"):
        planted_again()
    assert victim.read_text() == "precious"


def test_several_programs_never_get_the_same_folder(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        folders = set(pool.map(first_free, [tmp_path / "runs" / "cats"] * 20))
    assert len(folders) == 20
    assert all(folder.is_dir() for folder in folders)
    assert tmp_path / "runs" / "cats-20" in folders


@pytest.mark.parametrize("before", ["nothing", "empty", "current"])
def test_a_new_folder_is_whole_or_as_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, before: str) -> None:
    out = tmp_path / "deep" / "out"
    if before != "nothing":
        out.mkdir(parents=True)
    if before == "current":
        monkeypatch.chdir(out)

    def fails() -> None:
        with new_folder(out, tmp_path / "data") as folder:
            (folder / "a").touch()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fails()
    assert names(out.parent) == ([] if before == "nothing" else ["out"])
    with new_folder(out, tmp_path / "data") as folder:
        (folder / "a").touch()
        (folder / "b").mkdir()
    assert names(out) == ["a", "b"]
    assert names(out.parent) == ["out"]
    with pytest.raises(UserError, match="is not empty"), new_folder(out, tmp_path / "data"):
        pass


@pytest.mark.parametrize("where", ["new", "empty", "current"])
def test_the_faster_of_two_programs_has_a_new_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    out = tmp_path / "out"
    if where != "new":
        out.mkdir()
    if where == "current":
        monkeypatch.chdir(out)

    def slower() -> None:
        with new_folder(out, tmp_path / "data") as folder:
            (folder / "b").touch()
            out.mkdir(exist_ok=True)
            (out / "a").touch()  # by the other program

    with pytest.raises(UserError, match="out is not empty: name an empty or a new folder"):
        slower()
    assert names(out) == ["a"]
    assert names(tmp_path) == ["out"]


def test_one_program_at_a_time_and_killed_ones_leave_nothing(tmp_path: Path) -> None:
    with temporary_folder(tmp_path / "x") as folder:
        assert is_unfinished(folder.name)
    (tmp_path / ".x.4711.part").mkdir()
    (tmp_path / ".x.4711.part" / "half").touch()
    (tmp_path / ".y.json.4711.part").touch()
    (tmp_path / "film.part").touch()
    with locked(tmp_path / ".lock"):
        assert names(tmp_path) == [".lock", "film.part"]
        refused = pytest.raises(UserError, match="in use by another program: wait for it, or choose another --out")
        with refused, locked(tmp_path / ".lock"):
            pass
    assert names(tmp_path) == ["film.part"]


def test_waiting_for_another_program_is_reported_once_and_its_lock_stays(tmp_path: Path) -> None:
    reported: list[str] = []
    held = filelock.FileLock(tmp_path / "a.lock", thread_local=False)
    held.acquire()
    with (
        pytest.raises(UserError, match=r"in use by another program after 0\.01 s: wait for it, or pray"),
        locked(tmp_path / "a.lock", 0.01, "pray", reported.append, keep=True),
    ):
        pass
    timer = threading.Timer(0.05, held.release)
    timer.start()
    with locked(tmp_path / "a.lock", 60, report=reported.append, keep=True):
        assert len(reported) == 2
    timer.join()
    assert names(tmp_path) == ["a.lock"]


def test_what_the_system_refuses_is_one_line_but_a_pipe_is_no_file(tmp_path: Path) -> None:
    refused = pytest.raises(UserError, match=r"x cannot be written \(Read-only file system\): free some space, allow")
    with refused, write_errors(tmp_path / "x"):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))
    with pytest.raises(BrokenPipeError), write_errors(tmp_path / "x"):
        raise BrokenPipeError


def test_a_file_is_made_by_one_program_at_a_time(tmp_path: Path) -> None:
    path = tmp_path / "part"
    with being_made(path) as mine, being_made(path) as another, being_made(tmp_path / "other") as other:
        assert (mine, another, other) == (True, False, True)
        path.touch()
    assert names(tmp_path) == ["part"], "locks are gone"
    with being_made(path) as again:
        assert not again, "it is there"


def test_a_killed_program_stops_nobody(tmp_path: Path) -> None:
    path, code = (
        tmp_path / "part",
        "import sys, os\nfrom pathlib import Path\nfrom pocketrcnn.data.files import being_made",
    )
    code += "\nwith being_made(Path(sys.argv[1])) as mine:\n    os.kill(os.getpid(), 9)\n"
    subprocess.run([sys.executable, "-c", code, path], check=False)
    assert [is_unfinished(name) for name in names(tmp_path)] == [True], "who tidies up finds it"
    with being_made(path) as mine:
        assert mine
    assert names(tmp_path) == []


def test_what_is_not_finished_is_called_otherwise_on_another_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two containers whose processes have the same number wrote to one file."""
    here = unfinished(tmp_path / "a")
    assert is_unfinished(here.name)
    monkeypatch.setattr("platform.node", lambda: "elsewhere")
    machine.cache_clear()
    there = unfinished(tmp_path / "a")
    machine.cache_clear()
    assert is_unfinished(there.name)
    assert here != there
