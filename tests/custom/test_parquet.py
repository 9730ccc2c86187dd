"""Parts as Parquet files: the same results as from JSON lines, the same bytes when made again, whole or absent."""

from __future__ import annotations

import io
import json
import os
import sys
from pathlib import Path
from unittest import mock

import bright_scenes
import numpy as np
import pytest
from bright_scenes import COUNT, IMAGES, last_line, merged
from disks import full
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet as pq
from shell import Shell

import pocketrcnn
from pocketrcnn.custom.parts import parquet
from pocketrcnn.custom.parts.plan import PARTS
from pocketrcnn.custom.parts.records import Record, record_of
from pocketrcnn.data.images.notes import Note
from pocketrcnn.errors import UserError
from pocketrcnn.model.interchange import Detections

WORDS = f"predict run '{IMAGES}' --part-format parquet --part-size 4 --out out"
PART = Path("out", PARTS, "part-000001.parquet")


@pytest.fixture
def shell(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    """In a folder with images in folders, and a detector of white objects."""
    return bright_scenes.opened(tmp_path, capsys, monkeypatch)


def test_they_are_merged_into_what_json_lines_are_merged_into(shell: Shell) -> None:
    assert shell(WORDS).code == 1
    assert shell(f"predict run '{IMAGES}' --part-size 4 --out lines").code == 1
    assert merged("out") == merged("lines")
    assert sorted(os.listdir(Path("out", PARTS))) == [f"part-00000{part}.parquet" for part in range(3)]
    assert "out" not in shell("merge out").err, "what is not read is called by its name"


def test_the_same_command_makes_the_same_bytes(shell: Shell) -> None:
    shell(WORDS)
    before = {path.name: path.read_bytes() for path in Path("out", PARTS).iterdir()}
    PART.unlink()
    assert "3 parts of 4: 1 to make" in shell(WORDS).out
    assert {path.name: path.read_bytes() for path in Path("out", PARTS).iterdir()} == before


def test_other_programs_read_a_row_an_image(shell: Shell) -> None:
    shell(f"predict run '{IMAGES}' --part-format parquet --part-size {COUNT} --out out")
    table = pq.read_table(Path("out", PARTS, "part-000000.parquet"))
    assert str(table.schema.remove_metadata()) == (
        "image: string not null\nwidth: int32\nheight: int32\nboxes: list<element: list<element: float>>\n"
        "  child 0, element: list<element: float>\n      child 0, element: float\nscores: list<element: float>\n"
        "  child 0, element: float\nclasses: list<element: string>\n  child 0, element: string\n"
        "notes: list<element: list<element: string>>\n  child 0, element: list<element: string>\n"
        "      child 0, element: string\nskipped: string"
    )
    facts = json.loads(table.schema.metadata[b"pocketrcnn"])
    plan = json.loads(Path("out/plan.json").read_text())
    assert facts == {"schema": 1} | {name: plan[name] for name in ("classes", "fingerprint", "threshold")}
    rows = {row["image"]: row for row in table.to_pylist()}
    assert list(rows)[:2] == ["0/0.png", "0/3.png"]
    assert rows["0/3.png"] == {
        **{"image": "0/3.png", "width": 43, "height": 30, "boxes": [[3.0, 4.0, 18.0, 20.0]], "scores": [0.75]},
        **{"classes": ["dog"], "notes": None, "skipped": None},
    }
    assert rows["1/4.png"]["skipped"].startswith("1/4.png is not an image")
    assert {rows["1/4.png"][name] for name in ("width", "boxes", "scores")} == {None}


def test_a_folder_has_parts_of_one_format(shell: Shell) -> None:
    shell(WORDS)
    shell(f"predict run '{IMAGES}' --part-size 4 --out lines")
    other = "made with --part-format {}, and this would be with --part-format {}: repeat what made"
    assert other.format("parquet", "jsonl") in shell.refused(f"predict run '{IMAGES}' --part-size 4 --out out")
    assert other.format("jsonl", "parquet") in shell.refused(WORDS.replace("--out out", "--out lines"))
    with pytest.raises(UserError, match="--part-format csv: use jsonl, parquet"):
        pocketrcnn.predict("run", "in", part_format="csv", out="new")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda content: content[:-20], "part-000001.parquet is damaged (row 1: "),
        (lambda content: b"", "part-000001.parquet is damaged (row 1: "),
        (lambda content: content.replace(b"skipped", b"shipped"), "part-000001.parquet is damaged (row 3: "),
        (lambda content: Path("out", PARTS, "part-000002.parquet").read_bytes(), "has 3 images and not 4: remove it"),
    ],
)
def test_a_damaged_part_is_named_and_made_again(shell: Shell, change: object, reason: str) -> None:
    shell(WORDS)
    before = merged("out")
    PART.write_bytes(change(PART.read_bytes()))  # type: ignore[operator]
    message = last_line(shell("merge out"))
    assert reason in message
    assert message.endswith("remove it, and the same `predict` makes it again")
    PART.unlink()
    shell(WORDS)
    assert merged("out") == before


def test_without_pyarrow_the_extra_is_named(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    shell(WORDS)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.delitem(sys.modules, "pyarrow.parquet")
    wanted = (
        "pyarrow is not installed: `pip install '.[parquet]'` in a clone of the project, or leave out --part-format"
    )
    assert wanted in shell.refused(WORDS)
    assert wanted in shell.refused("merge out")
    assert wanted in shell.refused(WORDS.replace("--out out", "--out new"))
    assert not Path("new").exists()


def test_a_name_that_is_no_text_is_refused_before_anything_is_made(shell: Shell) -> None:
    Path("in/0/0.png").rename("in/0/\udce9.png")
    assert "\\udce9.png is not UTF-8: rename the file, or leave out --part-format" in shell.refused(WORDS)
    assert not Path("out").exists()
    assert shell(f"predict run '{IMAGES}' --part-size 4 --out lines").code == 1


@pytest.mark.parametrize("rows", [1, 1000])
def test_a_full_disk_in_the_middle_of_a_part(shell: Shell, monkeypatch: pytest.MonkeyPatch, rows: int) -> None:
    """Whether it is noticed when a group of rows is written, or in the end."""
    monkeypatch.setattr(parquet, "IMAGES", rows)
    written = parquet.writing

    def failing(file: object, plan: object) -> object:
        return written(mock.Mock(closed=False, write=lambda _: full(), tell=lambda: 0), plan)  # type: ignore[arg-type]

    form = "pocketrcnn.custom.parts.records.FORMS"
    with mock.patch.dict(form, parquet=mock.Mock(mode="wb", writing=failing)):
        assert "part-000000.parquet cannot be written (No space left on device)" in last_line(shell(WORDS))
    assert os.listdir(Path("out", PARTS)) == []
    assert "3 to make" in shell(WORDS).out


def test_groups_of_rows_are_small(monkeypatch: pytest.MonkeyPatch) -> None:
    """By images, and by objects: so many are in memory."""
    monkeypatch.setattr(parquet, "IMAGES", 4)
    monkeypatch.setattr(parquet, "OBJECTS", 10)
    file = io.BytesIO()
    plan = mock.Mock(classes=["cat"], fingerprint="f", threshold=0.5)
    with parquet.writing(file, plan) as write:
        for objects in (0, 0, 0, 0, 4, 4, 4, 12, 1):
            found = Detections(np.zeros((objects, 4), np.float32), np.zeros(objects), np.zeros(objects, int))
            write(Record(str(objects), (8, 8), found).content(["cat"]))
    metadata = pq.read_metadata(file)
    assert [metadata.row_group(i).num_rows for i in range(metadata.num_row_groups)] == [4, 3, 1, 1]


numbers = st.floats(0, 4096, width=32)


@settings(deadline=None, max_examples=30)
@given(st.lists(st.tuples(st.tuples(numbers, numbers, numbers, numbers), st.floats(0, 1, width=32), st.integers(0, 1))))
def test_numbers_come_back_exactly(rows: list[tuple[tuple[float, ...], float, int]]) -> None:
    boxes = np.array([box for box, *_ in rows], np.float32).reshape(-1, 4)
    found = Detections(boxes, np.array([row[1] for row in rows], np.float32), np.array([row[2] for row in rows], int))
    record = Record("ё 1.png", (7, 5), found, (Note("pages", "holds 3"),))
    content = record.content(("cat", "dog"))
    (row,) = parquet.table_of([content], parquet.schema_of(("cat", "dog"), "f", 0.5)).to_pylist()
    back = record_of({name: value for name, value in row.items() if value is not None}, {"cat": 0, "dog": 1})
    assert back.detections is not None
    assert back.detections.rows() == found.rows()
    assert (back.name, back.size, back.notes) == (record.name, record.size, record.notes)
