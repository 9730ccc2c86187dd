"""JSON of anybody: read, or refused with a ValueError, whatever it does to the reader."""

import pytest

from pocketrcnn.data.json_text import decoded


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000, '{"a":' * 100_000, '"\\ud800"', '["a", {"\\uD9ab": 1}]'])
def test_what_is_no_json_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        decoded(text)


@pytest.mark.parametrize(
    ("text", "content"),
    [("3", 3), ('{"a": [null, 1e3]}', {"a": [None, 1000.0]}), ('"\\ud83d\\ude00"', "\N{GRINNING FACE}")],
)
def test_json_is_read(text: str, content: object) -> None:
    assert decoded(text) == content


def test_names_of_files_need_not_be_text() -> None:
    """An evaluation holds them as Python does."""
    assert decoded('"\\udcff.png"') == "\udcff.png"
    assert decoded('["\\ud83d\\ude00", "\\udcff.png"]')[1] == "\udcff.png"
