"""argparse from annotated parameters: what each kind of parameter becomes, and that the values come back."""

from dataclasses import KW_ONLY, dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest

from pocketrcnn.cli.options import add_arguments, call
from pocketrcnn.cli.parsing import Parser
from pocketrcnn.errors import UserError


def parse_pair(text: str) -> tuple[int, int]:
    low, _, high = text.partition("-")
    return int(low), int(high)


@dataclass(frozen=True)
class Inner:
    data: Annotated[Path, "DATA", "where"]
    _: KW_ONLY
    input_size: Annotated[int | None, "PX", "side"] = None
    pair: Annotated[tuple[int, int] | None, parse_pair, "LOW-HIGH", "two numbers"] = None
    settings: Annotated[tuple[str, ...], "--set", "NAME=VALUE", "settings"] = ()
    speed: Annotated[float, "S", "how fast"] = 20.0
    origin: Annotated[Literal[0, 1], "N", "first"] = 0
    command: str = ""


def work(
    names: Annotated[list[str], "NAME", "names"],
    options: Inner,
    *,
    kind: Annotated[str, ("one", "two"), "kind"] = "one",
    loud: Annotated[bool, "speak up"] = False,
    pictures: Annotated[bool, "no pictures"] = True,
    to: Annotated[Literal["a", "b"], "FORMAT", "format"],
    split: Annotated[Literal["val", "test"] | None, "images"] = None,
) -> tuple[Any, ...]:
    """Do it."""
    return names, options, kind, loud, pictures, to, split


def run(words: str) -> Any:
    parser = Parser(prog="work", allow_abbrev=False)
    add_arguments(parser, work)
    return call(work, parser.parse_args(words.split()))


def test_defaults_are_those_of_the_function() -> None:
    assert run("x y there --to a") == (["x", "y"], Inner(Path("there")), "one", False, True, "a", None)


def later(
    run: Annotated[Path, "RUN", "run"],
    length: Annotated[int | None, "N", "length"] = None,
    images: Annotated[list[str], "IMAGE", "images"] = (),  # type: ignore[assignment]
    *,
    out: Annotated[Path | None, "DIR", "place"] = None,
) -> tuple[Any, ...]:
    """Do it later."""
    return run, length, tuple(images), out


@pytest.mark.parametrize(
    "words", ["r 1 a b --out o", "r 1 --out o a b", "r --out o 1 a b", "--out o r 1 a b", "r 1 a --out o b"]
)
def test_arguments_that_can_be_left_out_may_stand_behind_options(words: str) -> None:
    parser = Parser(prog="later", allow_abbrev=False)
    add_arguments(parser, later)
    assert call(later, parser.parse_args(words.split())) == (Path("r"), 1, ("a", "b"), Path("o"))
    with pytest.raises(UserError, match="argument N: invalid int value: 'x'"):
        parser.parse_args(["r", "--out", "o", "x"])


def test_values_come_back_with_their_types() -> None:
    words = "x there --to b --kind two --loud --no-pictures --input-size 16 --pair 2-5 --set a=1 --set b=2 --speed 2"
    inner = Inner(Path("there"), input_size=16, pair=(2, 5), settings=("a=1", "b=2"), speed=2.0, origin=1)
    assert run(f"{words} --origin 1 --split test") == (["x"], inner, "two", True, False, "b", "test")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("x there", "required: --to"),
        ("x there --to a --split whole", "--split: unknown word `whole`; there are val, test"),
        ("x there --to c", "--to: unknown word `c`"),
        ("x there --to a --kind three", "--kind: unknown word `three`; there are one, two"),
        ("x there --to a --origin 2", "--origin: unknown word `2`; there are 0, 1"),
        ("x there --to a --command ls", "unknown option --command"),
    ],
)
def test_what_does_not_fit_is_refused(words: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        run(words)


def test_help_names_defaults_once() -> None:
    parser = Parser(prog="work")
    add_arguments(parser, work)
    text = " ".join(parser.format_help().split())
    assert "--speed S how fast (default: 20)" in text
    assert "--input-size PX side --pair LOW-HIGH two numbers --set NAME=VALUE settings --speed" in text
    assert "--loud speak up --no-pictures no pictures" in text
