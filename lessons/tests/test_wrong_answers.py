"""Hidden tests find the usual wrong answers in `wrong_answers/`: `side_after__one_missing` is one to `side_after`."""

import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from making import cells, checking

FOLDER = Path(__file__).parent / "wrong_answers"


def wrong_answers() -> list[Callable[..., Any]]:
    found: list[Callable[..., Any]] = []
    for path in sorted(FOLDER.glob("*.py")):
        spec = importlib.util.spec_from_file_location(path.stem, path)
        assert spec
        assert spec.loader
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        found += [getattr(module, name) for name in vars(module) if "__" in name.strip("_")]
    return found


@pytest.mark.parametrize("answer", wrong_answers(), ids=lambda answer: answer.__name__)
def test_a_wrong_answer_is_found_and_told_what_differs(answer: Callable[..., Any]) -> None:
    name, _, mistake = answer.__name__.partition("__")
    answer.__name__ = name
    try:
        said = checking.verdict(answer)
    finally:
        answer.__name__ = f"{name}__{mistake}"
    assert said.startswith(f"{name}: "), said
    assert not said.startswith((f"{name}: right", f"{name}: not written", f"{name}: its tests")), said
    assert len(said) > len(name) + 20, said


@pytest.mark.parametrize("lesson", cells.lessons(), ids=lambda path: path.stem)
def test_each_exercise_has_wrong_answers(lesson: Path) -> None:
    names = [answer.__name__.partition("__")[0] for answer in wrong_answers()]
    for name in cells.exercises(lesson):
        assert names.count(name) >= 2, f"wrong_answers/{lesson.name} has too few wrong answers to {name}"
