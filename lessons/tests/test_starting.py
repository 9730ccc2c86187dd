"""How students start: tests from any folder, lessons as notebooks and as scripts."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from making import cells, notebooks

TINY = """# %% [markdown]
# # Lesson 9: Nothing

# %% tags=["imports"]
from classroom import check, show
from matplotlib import pyplot as plt


# %% tags=["exercise"]
def convolved(image: object, kernel: object) -> object:
    raise NotImplementedError("Exercise 1: as in lesson 1.")


# %%
check(convolved)
figure, axes = plt.subplots()
show(figure, "empty", "Axes.")
"""


def ended(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(
        [sys.executable, *command], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("place", ["outside", "project", "lessons"])
def test_hidden_tests_from_any_folder(place: str, tmp_path: Path) -> None:
    folder, path = {
        "outside": (tmp_path, str(cells.LESSONS / "01")),
        "project": (cells.LESSONS.parent, "lessons/01"),
        "lessons": (cells.LESSONS, "01"),
    }[place]
    told = ended(folder, "-m", "pytest", path, "--work", str(cells.LESSONS / "solutions" / "01_convolutions.py"))
    assert told.returncode == 0, told.stdout
    assert "+ receptive_field: right" in told.stdout
    assert "passed" in told.stdout


def test_hidden_tests_say_what_is_left_to_do() -> None:
    told = ended(cells.LESSONS.parent, "-m", "pytest", "lessons/01", "--work", "lessons/01_convolutions.py")
    assert told.returncode == 1
    lines = [line for line in told.stdout.splitlines() if line.startswith("  . ")]
    assert lines[0].startswith("  . convolved: not written yet. Exercise 1: ")
    assert len(lines) == 5
    assert "Error" not in told.stdout


def test_the_file_with_more_exercises_is_tested(tmp_path: Path) -> None:
    """Whatever was touched last: an update of the project changes its lessons, and not a student's notebook."""
    for name in ("01", "making"):
        shutil.copytree(cells.LESSONS / name, tmp_path / name, ignore=shutil.ignore_patterns("figures", "__pycache__"))
    for name in ("conftest.py", "pytest.ini", "classroom.py"):
        shutil.copy(cells.LESSONS / name, tmp_path)
    lesson = tmp_path / "01_convolutions.py"
    lesson.write_text((cells.LESSONS / "solutions" / lesson.name).read_text(encoding="utf-8"), encoding="utf-8")
    notebooks.write(lesson)
    lesson.write_text((cells.LESSONS / lesson.name).read_text(encoding="utf-8"), encoding="utf-8")
    told = ended(tmp_path, "-m", "pytest", "01")
    assert "01_convolutions.ipynb" in told.stdout
    assert told.returncode == 0, told.stdout


def test_a_work_that_is_not_there_is_said() -> None:
    told = ended(cells.LESSONS, "-m", "pytest", "01", "--work", "nowhere.py")
    assert "nowhere.py cannot be read (No such file or directory): give the path of a lesson" in told.stdout
    assert told.returncode == 2


def test_a_script_shows_and_checks_in_any_folder(tmp_path: Path) -> None:
    """A copy of a lesson outside of the project, which finds it by PYTHONPATH: figures go where they can be found."""
    path = tmp_path / "99_tiny.py"
    path.write_text(TINY, encoding="utf-8")
    environment = {"PYTHONPATH": os.pathsep.join([str(cells.LESSONS), *filter(None, [os.environ.get("PYTHONPATH")])])}
    told = subprocess.run(
        [sys.executable, str(path)], cwd="/", env=os.environ | environment, capture_output=True, text=True, check=False
    )
    assert told.returncode == 0, told.stderr
    checked, shown = told.stdout.splitlines()
    assert checked == "convolved: not written yet. Exercise 1: as in lesson 1."
    figure = Path(shown.removeprefix("[figure ").removesuffix("] Axes."))
    assert figure == tmp_path / "99" / "figures" / "empty.png"
    assert figure.is_file()


def tiny(folder: Path) -> Path:
    path = folder / "99_tiny.py"
    path.write_text(TINY, encoding="utf-8")
    return path


def test_a_notebook_has_the_cells_of_its_lesson_and_finds_the_classroom(tmp_path: Path) -> None:
    said = notebooks.write(tiny(tmp_path))
    notebook = json.loads((tmp_path / "99_tiny.ipynb").read_text(encoding="utf-8"))
    assert said == str(tmp_path / "99_tiny.ipynb")
    assert [cell["cell_type"] for cell in notebook["cells"]] == ["markdown", "code", "code", "code", "code"]
    assert f"sys.path.insert(0, {str(cells.LESSONS)!r})" in "".join(notebook["cells"][1]["source"])
    assert notebook["cells"][3]["metadata"]["tags"] == ["exercise"]
    assert notebook["metadata"]["kernelspec"]["name"] == "python3"
    again = (tmp_path / "99_tiny.ipynb").read_bytes()
    notebooks.write(tmp_path / "99_tiny.py")
    assert (tmp_path / "99_tiny.ipynb").read_bytes() == again


def test_a_notebook_with_work_in_it_is_not_written_over(tmp_path: Path) -> None:
    path = tiny(tmp_path)
    notebooks.write(path)
    notebook = tmp_path / "99_tiny.ipynb"
    content = json.loads(notebook.read_text(encoding="utf-8"))
    content["cells"][3]["source"] = "def convolved(image, kernel):\n    return 1\n"
    content["cells"][4]["outputs"] = [{"output_type": "stream", "name": "stdout", "text": "x"}]
    notebook.write_text(json.dumps(content), encoding="utf-8")
    kept = notebook.read_bytes()
    assert "holds work, and stays as it is" in notebooks.write(path)
    assert notebook.read_bytes() == kept


def test_a_new_lesson_replaces_a_notebook_without_work(tmp_path: Path) -> None:
    path = tiny(tmp_path)
    notebooks.write(path)
    path.write_text(TINY.replace("Nothing", "Something"), encoding="utf-8")
    notebooks.write(path)
    assert "Something" in (tmp_path / "99_tiny.ipynb").read_text(encoding="utf-8")
