"""Summaries without the folders of the machine, whoever wrote them and wherever: custom/report/portable.py."""

from __future__ import annotations

import json
from typing import Any

import fake_runs
import pytest

from pocketrcnn.custom.report.compare import compare
from pocketrcnn.custom.report.portable import named, portable, relative, shortened

DATA = "/srv/jane doe/lab/nuclei"
NAMES = {DATA: "nuclei"}


def of(source: str, seed: int = 0) -> dict[str, Any]:
    """A run on the data at a path."""
    run = fake_runs.run(name="a", seed=seed)
    run["settings"]["data.source"] = run["data"]["data"] = run["evaluations"]["val"]["data"] = source
    for row in (*run["evaluations"]["val"]["images"], *run["pictures"]["images"]):
        row["name"] = f"{source}/val/{row['name'].removeprefix('val/')}"
    return run


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"pocketrcnn train '{DATA}' --out /srv/x/run --minutes 5", "pocketrcnn train 'nuclei' --out run --minutes 5"),
        ("pocketrcnn.train('/srv/my lab/x y', out='/srv/r')", "pocketrcnn.train('x y', out='r')"),
        (f"{DATA} does not exist: name it", "nuclei does not exist: name it"),
        (f"{DATA}/val/a.png is broken", "nuclei/val/a.png is broken"),
        (f"{DATA}-2 and {DATA}", "lab/nuclei-2 and nuclei"),
        ("`pocketrcnn resume '/srv/it is/r' --data FOLDER`", "`pocketrcnn resume 'r' --data FOLDER`"),
        ("--out=/srv/x/run", "--out=run"),
        (r"train C:\people\jane\nuclei --out 'D:/x y/run'", "train nuclei --out 'run'"),
        (r"\\server\share\nuclei", "nuclei"),
        ("1/2 and/or https://example.org/a/b n/a ./runs/x ~/y", "1/2 and/or https://example.org/a/b n/a ./runs/x ~/y"),
        ("10 images / 20 objects, /", "10 images / 20 objects, /"),
    ],
)
def test_paths_become_names(text: str, expected: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pocketrcnn.custom.report.portable.HOME", "/srv/jane doe")
    assert shortened(text, NAMES).replace("~/lab", "lab") == expected


def test_no_text_of_a_summary_keeps_a_folder() -> None:
    run = of(DATA) | {"command": f"pocketrcnn train '{DATA}'", "missing": f"{DATA}/x is gone"}
    (shown,) = portable([run])
    assert "jane" not in json.dumps(shown)
    assert shown["settings"]["data.source"] == shown["data"]["data"] == shown["evaluations"]["val"]["data"] == "nuclei"
    assert {row["name"] for row in shown["evaluations"]["val"]["images"]} == {f"val/{i}.png" for i in range(4)}
    assert run["settings"]["data.source"] == DATA, "the summary itself stays"
    assert portable([shown]) == [shown]


def test_names_of_classes_are_no_paths() -> None:
    run = of(DATA)
    run["settings"] |= {"data.classes": ["/a/b", "c"]}
    assert portable([run])[0]["settings"]["data.classes"] == ["/a/b", "c"]


def test_data_that_differ_keep_names_that_differ() -> None:
    """Two folders of one name had a mean over seeds, as if they were the same images."""
    assert named(["/a/nuclei", "/b/nuclei", "/a/nuclei", "there"]) == {"/a/nuclei": "nuclei", "/b/nuclei": "nuclei (2)"}
    runs = compare(portable([of("/a/nuclei"), of("/b/nuclei")]))
    assert not runs.same_images
    assert runs.differing["data.source"] == ["nuclei", "nuclei (2)"]
    assert compare(portable([of("/a/nuclei"), of("/a/nuclei")])).same_images


def test_images_are_named_from_the_folder_of_their_data_on() -> None:
    from pathlib import PurePosixPath as Path

    roots = [Path("/srv/voc/Annotations"), Path("/srv/coco/train.json")]
    assert relative(Path("/srv/voc/Annotations/a.jpg"), roots) == "a.jpg"
    assert relative(Path("/srv/voc/JPEGImages/a.jpg"), roots) == "JPEGImages/a.jpg"
    assert relative(Path("/srv/coco/images/a.jpg"), roots) == "images/a.jpg"
    assert relative(Path("/srv/jane/a.jpg"), roots) == "a.jpg"
    assert relative(Path("val/a.jpg"), roots) == "val/a.jpg"
