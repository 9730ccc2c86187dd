"""`pocketrcnn.scale.predict` with Ray running: the detections of `predict`, to the bit, also where a worker is killed.

Run by `make scale`. `tests/custom/test_worker.py` has what needs no Ray.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import torch
from deadly_actors import Dying
from exported_runs import builtin_exported
from PIL import Image
from pyarrow import parquet as pq

import pocketrcnn
from pocketrcnn import scale
from pocketrcnn.custom.builtin import examples_of
from pocketrcnn.custom.scale import predict
from pocketrcnn.data.images.pixels import read_image
from pocketrcnn.errors import UserError

ROOT = Path(__file__).parents[2]
COUNT, SIDE, TASK = 72, 48, 8  # images, pixels, images of a task
pytestmark = [
    pytest.mark.loopback,
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning", "ignore::FutureWarning"),
]


@pytest.fixture(autouse=True)
def small_tasks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Several for each worker."""
    monkeypatch.setattr(predict, "ROWS", TASK)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return builtin_exported(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pieces of images of nuclei in two folders, one that cannot be read, and one of two pages."""
    folder, random = tmp_path_factory.mktemp("images"), np.random.default_rng(0)
    whole = [read_image(path) for path in examples_of("nuclei")]
    for number in range(COUNT):
        one = whole[number % len(whole)]
        y, x = (int(random.integers(0, length - SIDE)) for length in one.shape[:2])
        path = folder / f"plate-{number % 2}" / f"{number:03d}.png"
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(one[y : y + SIDE, x : x + SIDE]).save(path)
    (folder / "plate-0" / "010.png").write_bytes(b"no image")
    pages = [Image.fromarray(one[:SIDE, :SIDE]) for one in whole]
    pages[0].save(folder / "plate-1" / "pages.tif", save_all=True, append_images=pages[1:])
    return folder


def predicted(model: Path | str, images: Path, out: Path) -> pa.Table:
    """What `predict` writes."""
    done = pocketrcnn.predict(model, images / "**" / "*", out=out, part_format="parquet", quiet=True)
    assert (done.images, done.skipped) == (COUNT, 1)
    return pq.read_table(out / "parts").sort_by("image")


@pytest.fixture(scope="module")
def wanted(model: Path, images: Path, tmp_path_factory: pytest.TempPathFactory) -> pa.Table:
    """What `predict` writes with the exported file, with as many threads as a worker has."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OMP_NUM_THREADS", "1")
        table = predicted(model, images, tmp_path_factory.mktemp("predicted") / "out")
    assert sum(map(len, table["scores"].drop_null())) > COUNT
    return table


def found(rows: Any) -> pa.Table:
    """What a data set of Ray has, by the names of images."""
    return pa.concat_tables(rows.iter_batches(batch_format="pyarrow", batch_size=None)).sort_by("image")


def of(names: list[str], table: pa.Table) -> list[dict[str, Any]]:
    """The rows of some images."""
    rows = {row["image"]: row for row in table.to_pylist()}
    return [rows[name] for name in names]


def test_two_workers_find_what_predict_finds(ray: Any, model: Path, images: Path, wanted: pa.Table) -> None:
    table = found(scale.predict(images / "**" / "*", model, workers=2))
    assert table.equals(wanted, check_metadata=True), "to the bit, with what is skipped and noted"


def test_it_goes_on_where_a_worker_is_killed(
    ray: Any, model: Path, images: Path, wanted: pa.Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(predict, "Worker", Dying)
    table = found(scale.predict(images / "**" / "*", model, workers=2))
    (images / "died").unlink()  # which it was
    assert table.equals(wanted, check_metadata=True)


def test_data_sets_of_bytes_arrays_and_paths(
    ray: Any, model: Path, images: Path, wanted: pa.Table, tmp_path: Path
) -> None:
    names = [f"plate-0/{number:03d}.png" for number in (0, 6, 10)]
    paths = [images / name for name in names]
    content = [path.read_bytes() for path in paths]
    pq.write_table(pa.table({"path": names, "bytes": content}), tmp_path / "images.parquet")
    assert found(scale.predict(ray.data.read_parquet(str(tmp_path)), model)).to_pylist() == of(names, wanted)
    hugging = ray.data.from_items([{"id": n, "image": {"bytes": b}} for n, b in zip(names, content, strict=True)])
    assert found(scale.predict(hugging, model, name="id")).to_pylist() == of(names, wanted)
    arrays = [read_image(path) for path in paths[:2]]
    pixels = ray.data.from_items([{"path": n, "image": a} for n, a in zip(names, arrays, strict=False)])
    assert found(scale.predict(pixels, model)).to_pylist() == [row | {"notes": None} for row in of(names[:2], wanted)]
    listed = ray.data.from_items([{"path": str(path)} for path in paths[:2]])
    assert found(scale.predict(listed, model, column="path"))["scores"] == found(scale.predict(pixels, model))["scores"]


def test_a_place_in_a_store(ray: Any, model: Path, images: Path, wanted: pa.Table, tmp_path: Path) -> None:
    """Every other file is left alone; names begin below what was given."""
    (images / "plate-0" / "notes.txt").write_text("no image")
    scale.predict(f"file://{images}", model).write_parquet(str(tmp_path / "found"))
    written = pq.read_table(tmp_path / "found")
    assert written.schema.equals(wanted.schema, check_metadata=True)
    assert written.sort_by("image").to_pylist() == wanted.to_pylist()
    one = found(scale.predict([f"file://{images}/plate-0/002.png"], model))
    assert one["image"].to_pylist() == ["002.png"]
    with pytest.raises(UserError, match=r"file:///nowhere\S* cannot be read"):
        found(scale.predict("file:///nowhere", model))


def test_a_run_is_sent_to_the_workers_as_it_is(ray: Any, images: Path, tmp_path: Path) -> None:
    torch.set_num_threads(1)  # as a worker has: the last bits depend on it
    few = tmp_path / "few"
    few.mkdir()
    for path in sorted((images / "plate-1").glob("00*.png")):
        (few / path.name).write_bytes(path.read_bytes())
    pocketrcnn.predict("nuclei", few, out=tmp_path / "out", part_format="parquet", quiet=True)
    wanted = pq.read_table(tmp_path / "out" / "parts").sort_by("image")
    assert found(scale.predict(few, "nuclei", workers=1)).equals(wanted, check_metadata=True)


def test_what_cannot_be(ray: Any, model: Path) -> None:
    rows = ray.data.from_items([{"pixels": b"x", "name": "a"}])
    for words, reason in (
        ({}, "the data set has no column bytes: it has pixels, name; name one with column="),
        ({"column": "pixel"}, r"no column pixel \(did you mean `pixels`\?\): it has"),
        ({"column": "pixels"}, "no column path: it has pixels, name; name one with name="),
    ):
        with pytest.raises(UserError, match=reason):
            scale.predict(rows, model, **words)  # type: ignore[arg-type]


def test_the_recipe_of_the_page_runs(
    ray: Any, model: Path, images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = (ROOT / "docs" / "scale.md").read_text(encoding="utf-8")
    recipe = next(text for text in re.findall(r"```py\n(.*?)```", page, re.DOTALL) if "scale.predict" in text)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "model.onnx").write_bytes(model.read_bytes())
    (tmp_path / "images").symlink_to(images / "plate-1")
    exec(compile(recipe, "scale.md", "exec"), {"__name__": "__main__"})
    assert pq.read_table(tmp_path / "found").num_rows == COUNT // 2
