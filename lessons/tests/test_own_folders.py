"""Lesson 8 writes to disk: it leaves alone whatever is there, and the folder that a student names as the data set."""

import os
from pathlib import Path
from typing import Any

import pytest

from making import cells
from pocketrcnn.errors import UserError

LESSON = next(lesson for lesson in cells.lessons() if lesson.stem.startswith("08"))


def run_cell(starts: str, namespace: dict[str, Any], replaced: tuple[str, str] = ("", "")) -> None:
    """Run the only code cell that has this text, with one part of it replaced."""
    (source,) = (cell.python for cell in cells.read(LESSON) if cell.kind == "code" and starts in cell.source)
    assert replaced[0] in source
    exec(source.replace(*replaced) if replaced[0] else source, namespace)


@pytest.fixture
def namespace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The names of the lesson's imports, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(cells.LESSONS))
    names: dict[str, Any] = {"__name__": "__main__"}
    run_cell("import pocketrcnn\n", names)
    names["write_crowded"] = few(names["write_crowded"])
    return names


def few(write_crowded: Any) -> Any:
    """As many images as have the numbers that the lesson names."""
    return lambda folder, source, crowd, images: write_crowded(folder, source, crowd, images=20)


def content(folder: Path) -> dict[str, bytes | None]:
    return {str(path): path.read_bytes() if path.is_file() else None for path in sorted(folder.rglob("*"))}


def own(folder: Path) -> dict[str, bytes | None]:
    """Data with the names of files that the lesson changes in its own."""
    for part, name in (("images", "train_00011.png"), ("labels", "train_00003.txt"), ("labels", "train_00009.txt")):
        (folder / part / "train").mkdir(parents=True, exist_ok=True)
        (folder / part / "train" / name).write_text("0 0.5 0.5 0.25 0.25\n" * 60)
    return content(folder)


def test_whatever_is_in_its_folder_stays(namespace: dict[str, Any]) -> None:
    before = own(Path("lesson-8")) | own(Path("lesson-8/1"))
    for number in ("2", "3"):
        run_cell("write_crowded(", namespace)
        assert namespace["work"] == Path("lesson-8", number), "each run makes a folder of its own"
    run_cell("holiday.png", namespace)
    assert content(Path("lesson-8")).items() >= before.items()
    assert Path("lesson-8/3/fixed").is_dir()


def test_data_of_a_student_are_not_written_to(namespace: dict[str, Any]) -> None:
    before = own(Path("my-data"))
    with pytest.raises(UserError, match="my-data"):
        run_cell("write_crowded(", namespace, ('work / "my-images"', 'Path("my-data")'))
    assert content(Path("my-data")) == before


def test_faults_go_into_a_copy_of_what_a_student_names(namespace: dict[str, Any]) -> None:
    run_cell("write_crowded(", namespace)
    os.rename(namespace["mine"], "my-data")
    namespace["mine"] = Path("my-data")
    before = content(Path("my-data"))
    run_cell("holiday.png", namespace)
    assert content(Path("my-data")) == before
