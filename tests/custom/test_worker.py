"""`pocketrcnn.scale` where Ray does not run: what an actor does, and what is refused before anything begins.

Covers `custom/scale/worker.py`, `custom/scale/predict.py`, `custom/scale/sources.py`, `custom/scale/engine.py` and
`scale.py`. `tests/scale/scale_ray.py` has the rest.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pyarrow import parquet as pq
from tiny_detectors import bright_detector, saved, scene

import pocketrcnn
from pocketrcnn import scale
from pocketrcnn.custom.commands import detecting
from pocketrcnn.custom.options import PredictOptions
from pocketrcnn.custom.scale import predict
from pocketrcnn.custom.scale.worker import Column, Files, Rows, Worker
from pocketrcnn.errors import UserError

NAMES = ["a/0.png", "a/1.png", "b/2.png", "b/3.png", "b/4.png"]
OPTIONS = PredictOptions(batch=2)


@pytest.fixture
def wanted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """The rows that `predict` writes of images below `in`, of which one is broken."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(detecting, "load_detector", lambda *_: bright_detector())
    for number, name in enumerate(NAMES):
        saved(Path("in", name), scene((40 + number, 30), (number, 4, 12 + 2 * number, 20)))
    Path("in", NAMES[2]).write_bytes(b"no image")
    pocketrcnn.predict("run", "in/**/*", out="out", part_format="parquet", batch=2, quiet=True)
    return pq.read_table("out/parts").to_pylist()  # type: ignore[no-any-return]


def rows(sources: Any, given: Rows, folder: str = "") -> list[dict[str, Any]]:
    """What an actor says of some rows."""
    table = Worker(bright_detector(), sources, OPTIONS, folder)(given)
    return table.to_pylist()  # type: ignore[no-any-return]


def test_names_of_files(wanted: list[dict[str, Any]]) -> None:
    folder = f"{Path('in').resolve()}/"
    assert rows(Files(folder, "first"), {"names": [NAMES[:4], NAMES[4:]]}, folder) == wanted


def test_bytes_arrays_and_paths(wanted: list[dict[str, Any]]) -> None:
    content = [Path("in", name).read_bytes() for name in NAMES]
    column = Column("bytes", "path", "bucket/")
    given = {"path": [f"bucket/{name}" for name in NAMES], "bytes": np.array(content, object)}
    assert rows(column, given) == wanted
    assert rows(column, given | {"bytes": [{"bytes": one, "path": None} for one in content]}) == wanted
    arrays = [scene((40 + n, 30), (n, 4, 12 + 2 * n, 20)) for n in (0, 1)]
    assert rows(column, {"path": NAMES[:2], "bytes": arrays}) == wanted[:2]
    assert rows(column, {"path": NAMES[:2], "bytes": [f"in/{name}" for name in NAMES[:2]]}) == wanted[:2]


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        (None, "a.png is nothing: give bytes of an image file, an array or a path"),
        ({"path": "a"}, "a.png is nothing: give"),
        (np.float32("nan"), "a.png is nothing: give"),  # as Ray writes None where a batch has no other value
        (7, "a.png is an object of type `int`: give"),
        (b"", "a.png is empty"),
        (np.zeros((2, 2, 5), np.uint8), "a.png: an array of shape (2, 2, 5) is not an image"),
        ("nowhere.png", "nowhere.png is not there"),
    ],
)
def test_what_is_no_image_is_skipped_with_its_name(source: object, reason: str) -> None:
    found = rows(Column("bytes", "path"), {"path": ["a.png", "b.png"], "bytes": [source, scene((8, 8), (1, 1, 5, 5))]})
    assert reason in found[0]["skipped"]
    assert (found[1]["skipped"], len(found[1]["boxes"])) == (None, 1)


def test_pages_are_images_of_their_own(tmp_path: Path) -> None:
    images = [scene((40, 30), (n, 4, 12, 20)) for n in (0, 3)]
    from PIL import Image

    first, second = map(Image.fromarray, images)
    first.save(tmp_path / "a.tif", save_all=True, append_images=[second])
    found = rows(Files(f"{tmp_path}/", "all"), {"names": [["a.tif"]]})
    assert [row["image"] for row in found] == ["a.tif[1]", "a.tif[2]"]


@pytest.fixture
def refused(wanted: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch) -> Any:
    """Why a call is refused, where Ray could be used."""
    monkeypatch.setattr(predict, "require_ray", lambda: None)

    def call(*given: Any, **more: Any) -> str:
        with pytest.raises(UserError) as error:
            scale.predict(*given, **more)
        return str(error.value)

    return call


def test_what_cannot_be(refused: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "gone.onnx cannot be read" in refused("in/a", "gone.onnx")
    assert "gone" in refused("in/a", "gone")
    monkeypatch.setattr(predict, "load_detector", lambda *_: bright_detector())
    assert "workers=0: use 1 or more" in refused("in/a", "run", workers=0)
    assert "timeout=0: use a time above 0" in refused("in/a", "run", timeout=0)
    assert "--threshold 2: use a score from 0 to 1" in refused("in/a", "run", threshold=2)
    assert refused([], "run").startswith("no images: name files, folders or patterns")
    assert "images[1]: an object of type `int` is no path" in refused(["in/a", 7], "run")
    assert "images[0]: an object of type `NoneType` is no path" in refused(None, "run")
    assert "in holds no images" in refused("in", "run")
    assert "images here and in an object store" in refused(["in/a", "s3://bucket/b"], "run")
    Path("in/a/0.png").rename("in/a/\udce9.png")
    assert "is not UTF-8: rename the file, or predict without Ray" in refused("in/a", "run")


def test_without_ray_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    monkeypatch.setitem(sys.modules, "ray.data", None)
    with pytest.raises(UserError, match=r"ray is not installed: `pip install '\.\[ray\]'` in a clone of the project"):
        scale.predict("in", "run")


HEAVY = ("ray", "pyarrow", "pandas", "optuna", "dask", "onnx", "onnxruntime", "tensorboardX")


@pytest.mark.parametrize("name", ["pocketrcnn", "pocketrcnn.scale", "pocketrcnn.cli.main"])
def test_nothing_of_this_is_imported_unless_used(name: str) -> None:
    code = f"import sys, {name}; print(*(one for one in {HEAVY} if one in sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "\n"
