"""What is printed on a terminal: nothing is broken within a word, or between a number and its unit."""

import io
import re
import sys
from collections.abc import Callable
from contextlib import redirect_stdout

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.table import Table

from pocketrcnn import screen as screens
from pocketrcnn.screen import ROWS, Screen, print_table, table_of
from pocketrcnn.terminal import say, shows_bars, silent, warn, wrapped

WORDS = "input 208x208 px; 1,201 objects of 12.5 px in 20 images, 3 of 1,201 are less than 2 px wide: 0.876 ± 0.006"


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """A terminal 80 characters wide."""
    out = Tty()
    console = Screen(file=out, width=80, force_terminal=True, soft_wrap=True, color_system=None, markup=False)
    monkeypatch.setattr(screens, "console", console)
    monkeypatch.setenv("COLUMNS", "80")
    return out


class Tty(io.StringIO):
    """What is printed on a terminal."""

    def isatty(self) -> bool:
        return True


@given(st.integers(20, 200))
def test_lines_end_between_words_and_not_after_a_number(width: int) -> None:
    lines = wrapped(WORDS, width).split("\n")
    assert all(len(line) <= width for line in lines)
    assert " ".join(line.strip() for line in lines) == WORDS
    assert all(not line.endswith(tuple("0123456789")) for line in lines[:-1])


def test_what_is_longer_than_a_line_stays_whole() -> None:
    path = "/".join(["folder"] * 20)
    assert wrapped(f"run: {path}", 40) == f"run:\n  {path}"
    assert wrapped("  one two", 7) == "  one\n    two", "an indented line goes on further to the right"


def test_lines_are_wrapped_on_a_terminal_alone(screen: io.StringIO) -> None:
    with redirect_stdout(screen):
        say(WORDS)
        assert max(map(len, screen.getvalue().splitlines())) <= 80
        say(WORDS, wrap=False)
    assert WORDS in screen.getvalue()


def test_elsewhere_lines_stay_whole(capsys: pytest.CaptureFixture[str]) -> None:
    say(WORDS * 3)
    assert capsys.readouterr().out == f"{WORDS * 3}\n"


def table(numbers: int, meaning: bool) -> Table:
    """Three rows with so many columns of numbers."""
    columns = ["name", *(f"#number {i}" for i in range(numbers)), *(["meaning"] if meaning else [])]
    cells = [[f"{row}{i:02},345,678" for i in range(numbers)] for row in range(3)]
    rows = [(f"row {row}", *cells[row], *(["words " * 20] if meaning else [])) for row in range(3)]
    return table_of(columns, rows, "A title")


@pytest.mark.parametrize("numbers", [1, 3, 5, 12])
@pytest.mark.parametrize("meaning", [False, True])
def test_no_number_of_a_table_is_cut_or_broken(screen: io.StringIO, numbers: int, meaning: bool) -> None:
    print_table(table(numbers, meaning))
    out = screen.getvalue()
    assert max(len(line.rstrip()) for line in out.splitlines()) <= 80
    assert "…" not in out
    for row in range(3):
        for i in range(numbers):
            assert len(re.findall(rf"\b{row}{i:02},345,678\b", out)) == 1
    assert out.count("words") == (60 if meaning else 0)
    blocks = out.count("name")
    assert out.count("row 1") == blocks, "each block begins with the first column"
    assert (blocks > 1) == (numbers > 5 or (numbers > 3 and meaning))


STEERING = "do\x1b[31mg\x9b2J\r\b\x07\u202etxt"


def test_names_do_not_steer_the_terminal(screen: io.StringIO, capsys: pytest.CaptureFixture[str]) -> None:
    with redirect_stdout(screen):
        say(f"class {STEERING}\tand\nmore, ёжик 日本")
    print_table(table_of(("class", "#objects"), [(STEERING, "1"), ("two\nlines", "2")], STEERING))
    warn(STEERING)
    out = screen.getvalue()
    for text in (out, capsys.readouterr().err):
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]", text)
        assert r"do\x1b[31mg\x9b2J\r\x08\x07\u202etxt" in text
    assert "\nmore, ёжик 日本\n" in out
    assert r"two\nlines" in out


@pytest.mark.parametrize(("said", "columns"), [(0, 80), (1, 80), (19, 80), (20, 20), (132, 132)])
def test_a_terminal_of_no_width_is_one_of_80_characters(said: int, columns: int) -> None:
    """Where programs are built COLUMNS is 0, and rich printed nothing at all."""
    out = io.StringIO()
    for environment in ({"COLUMNS": str(said), "LINES": "0"}, {}):
        size = {} if environment else {"width": said, "height": 0}
        console = Screen(file=out, force_terminal=True, _environ={"TERM": "xterm"} | environment, **size)
        assert (console.width, console.height, console.options.max_width) == (columns, 25, columns)
    console.print("something")
    assert "something" in out.getvalue()


@pytest.mark.parametrize("errors", ["strict", "surrogateescape"])
def test_letters_that_an_encoding_lacks_are_escaped(errors: str, monkeypatch: pytest.MonkeyPatch) -> None:
    streams = [io.TextIOWrapper(io.BytesIO(), "ascii", errors) for _ in range(2)]
    monkeypatch.setattr("sys.stdout", streams[0])
    monkeypatch.setattr("sys.stderr", streams[1])
    say("class 猫")
    print_table(table_of(("class", "#objects"), [("кот", "1")], "図"))
    warn("café \udce9")
    out, err = (stream.buffer.getvalue() for stream in streams if not stream.flush())  # type: ignore[attr-defined]
    assert b"class \\u732b" in out
    assert rb"\u043a\u043e\u0442" in out
    assert rb"\u56f3" in out
    assert err == b"caf\\xe9 \\udce9\n"


def test_of_a_long_table_the_rest_is_counted(screen: io.StringIO) -> None:
    """Measuring 40,000 classes took 15 s."""
    print_table(table_of(("class", "#objects"), ((f"class {i}", "1") for i in range(ROWS + 1234))))
    lines = screen.getvalue().splitlines()
    assert len(lines) == 1 + ROWS + 1
    assert lines[-1].strip() == "and 1,234 more"


def test_lines_and_tables_go_to_the_logger_that_somebody_asked(
    caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    with caplog.at_level("INFO", "pocketrcnn"):
        say("one line")
        print_table(table_of(("class", "#objects"), [("cat", "1"), ("dog", "22")]))
        warn("careful")
        assert not shows_bars()
    kinds = [(record.levelname, record.getMessage().split()) for record in caplog.records]
    assert kinds == [
        ("INFO", ["one", "line"]),
        ("INFO", ["class", "objects", "cat", "1", "dog", "22"]),
        ("WARNING", ["careful"]),
    ]
    say("and back")
    assert capsys.readouterr() == ("and back\n", "")


def test_a_notebook_shows_no_table_that_is_for_the_logger_or_for_nobody(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """There rich shows what is printed itself, and took no notice of the file."""
    monkeypatch.setattr("rich.console._is_jupyter", lambda: True)
    monkeypatch.setattr("rich.jupyter.display", lambda *_: pytest.fail("it was shown"))
    with caplog.at_level("INFO", "pocketrcnn"):
        print_table(table_of(("class",), [("cat",)]))
    assert "cat" in caplog.text
    with silent():
        print_table(table_of(("class",), [("cat",)]))


@pytest.mark.parametrize("function", [say, warn])
def test_a_line_is_one_piece_of_writing(function: Callable[[str], None], monkeypatch: pytest.MonkeyPatch) -> None:
    """torchrun starts processes with `python -u`, which writes each piece at once: their lines ran into one another."""
    pieces: list[str] = []

    class Pieces(io.StringIO):
        def write(self, text: str) -> int:
            pieces.append(text)
            return len(text)

    for name in ("stdout", "stderr"):
        monkeypatch.setattr(sys, name, Pieces())
    function("shard 0/2")
    assert [piece for piece in pieces if piece] == ["shard 0/2\n"]


def test_silence_keeps_warnings(screen: io.StringIO, capsys: pytest.CaptureFixture[str]) -> None:
    with redirect_stdout(screen):
        assert shows_bars()
    with redirect_stdout(screen), silent():
        say("one line")
        print_table(table_of(("class",), [("cat",)]))
        warn("careful")
        assert not shows_bars()
    assert screen.getvalue() == ""
    assert capsys.readouterr().err == "careful\n"
