"""Which files are meant by what is written on a command line."""

import os
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
    return [Path(name).as_posix() for name in expand(patterns)]


@pytest.mark.usefixtures("folder")
def test_files_folders_and_patterns() -> None:
    assert names("b.png", "a.JPG") == ["b.png", "a.JPG"]
    Path("b.dat").touch()
    assert names("b.dat") == ["b.dat"]
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


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_list_names_images_below_its_folder(
    encoding: str, tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = ["d.png", "", "deep\\e.bmp ", '"d.png"', str(folder / "b.png"), "a.JPG", "gone.png"]
    (folder / "sub" / "list.TXT").write_bytes("\r\n".join(lines).encode(encoding))
    wanted = ["sub/d.png", "sub/deep/e.bmp", (folder / "b.png").as_posix(), "a.JPG", "sub/gone.png"]
    assert names("sub/list.TXT") == wanted
    monkeypatch.chdir(tmp_path / "sub")
    assert names("list.TXT", "d.png")[:2] == ["d.png", "deep/e.bmp"]


def test_names_in_a_list_need_not_be_text(folder: Path) -> None:
    name = os.fsdecode("caf\xe9.png".encode("latin-1"))
    try:
        (folder / name).touch()
    except OSError:
        pytest.skip("this file system wants text")
    (folder / "list.txt").write_bytes(b"caf\xe9.png\n")
    assert names("list.txt") == [name]


def test_what_cannot_be_a_name_is_not_there(folder: Path) -> None:
    """No system has names so long: one does not stop the list, and a file that is no list has nothing else."""
    long = "x" * 5000
    (folder / "list.txt").write_text(f"{long}\nb.png\n")
    assert names("list.txt") == [long, "b.png"]
    (folder / "list.txt").write_text(long)
    with pytest.raises(UserError, match=r"lists 1 files, and none is there: x+… is not there"):
        names("list.txt")


def test_what_is_not_read_is_added_to_a_list(folder: Path) -> None:
    for name in ("phone.HEIC", "clip.mp4", "sub/b.heic", ".c.heic"):
        (folder / name).touch()
    foreign: list[str] = []
    expand([".", "sub/*", "b.png"], foreign=foreign)
    assert [Path(name).as_posix() for name in foreign] == ["clip.mp4", "phone.HEIC", "sub/b.heic"]


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ("missing.png", "missing.png is not there"),
        ("*.webp", "*.webp matches no images"),
        ("empty", "empty holds no images"),
        ("*.txt", "matches no images"),
        ("notes.txt", "notes.txt lists no images: write the path of one in each line"),
        ("foreign.txt", "foreign.txt lists 2 files, and none is there: /content/a.png is not there, nor in ."),
        ("links.txt", "none is there: https://example.com/a.png is an address: download it first"),
        ("https://example.com/a.png", "https://example.com/a.png is an address: download it first, and name the file"),
        ("phones", "phones holds no images: a.heic is a HEIC photograph, which is not read: save it as JPEG"),
        ("phones/*", "phones/* matches no images: a.heic is a HEIC photograph"),
        ("n" * 300, "cannot be read"),
    ],
)
def test_nothing_found(pattern: str, reason: str) -> None:
    Path("foreign.txt").write_text("/content/a.png\n/content/b.png\n")
    Path("links.txt").write_text("https://example.com/a.png\n")
    Path("phones").mkdir()
    Path("phones/a.heic").touch()
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
    assert expand([pattern]) == [str(folder / "sub" / "deep" / "a.png")]
