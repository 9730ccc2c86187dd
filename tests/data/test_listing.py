"""Which files are meant by what is written on a command line."""

import shlex
from pathlib import Path

import pytest

from pocketrcnn.data.listing import expand
from pocketrcnn.errors import UserError


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    names = ["b.png", "a.JPG", "c 図.tiff", ".hidden.png", "notes.txt", "sub/d.png", "sub/deep/e.bmp", "x[1].png"]
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def names(*patterns: str) -> list[str]:
    return [path.as_posix() for path in expand(patterns)]


@pytest.mark.usefixtures("folder")
def test_files_folders_and_patterns() -> None:
    assert names("b.png", "a.JPG") == ["b.png", "a.JPG"]
    assert names("notes.txt") == ["notes.txt"]
    assert names(".") == ["a.JPG", "b.png", "c 図.tiff", "x[1].png"]
    assert names("sub") == ["sub/d.png"]
    assert names("*") == ["a.JPG", "b.png", "c 図.tiff", "x[1].png"]
    assert names("?.png") == ["b.png"]
    assert names("sub/**") == ["sub/d.png", "sub/deep/e.bmp"]
    assert names("**/*.png") == ["b.png", "sub/d.png", "x[1].png"]
    assert names("x[1].png") == ["x[1].png"]


def test_absolute_paths_and_the_home_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setenv("USERPROFILE", str(folder))
    assert names(str(folder / "sub")) == names("~/sub") == [(folder / "sub/d.png").as_posix()]


def test_a_name_that_begins_like_a_home_folder(folder: Path) -> None:
    for name in ("~backup.png", "~"):
        (folder / name).touch()
    assert names("~backup.png", "~") == ["~backup.png", "~"]
    with pytest.raises(UserError, match=r"~nobody/x\.png is not there"):
        expand(["~nobody/x.png"])


@pytest.mark.usefixtures("folder")
def test_each_file_once_in_the_order_of_the_patterns() -> None:
    assert names("sub/d.png", "b.png", "*.png", "sub") == ["sub/d.png", "b.png", "x[1].png"]
    assert names() == []


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ("missing.png", "missing.png is not there"),
        ("*.webp", "*.webp matches no images"),
        ("empty", "empty holds no images"),
        ("*.txt", "matches no images"),
        ("n" * 300, "cannot be read"),
    ],
)
def test_nothing_found(pattern: str, reason: str) -> None:
    with pytest.raises(UserError) as caught:
        expand(["b.png", pattern])
    assert reason in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_pattern_of_a_remedy_finds_what_is_meant(tmp_path: Path) -> None:
    """Brackets in a folder's name were taken for a pattern, and a shell takes a space for an end."""
    folder = tmp_path / "ph [1]"
    (folder / "sub" / "deep").mkdir(parents=True)
    (folder / "sub" / "deep" / "a.png").touch()
    with pytest.raises(UserError, match="holds no images") as caught:
        expand([str(folder)])
    (pattern,) = shlex.split(str(caught.value).partition("folder, or ")[2].removesuffix(" with its subfolders"))
    assert expand([pattern]) == [folder / "sub" / "deep" / "a.png"]
