"""The comparison with other programs, without any of them: scores, the rule for "passed for good", one split for all,
files that go on, and the tables that are made of a file of results."""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import datasets_on_disk
import fake_peers
import pytest
from random_detections import random_set

from pocketrcnn.errors import UserError
from pocketrcnn.evaluation.average_precision import average_precision
from pocketrcnn.model.interchange import coco_record

ROOT = Path(__file__).parents[2]
BENCHMARK = ROOT / "benchmarks" / "peers"
PLACES = (BENCHMARK, BENCHMARK / "programs", ROOT / "scripts", ROOT / "scripts" / "pictures")


@pytest.fixture(scope="module")
def programs() -> Iterator[Any]:
    """Imports files of the benchmark and of the scripts by name, as these import each other."""
    before, names = list(sys.path), set(sys.modules)
    sys.path[:0] = map(str, PLACES)
    yield importlib.import_module
    sys.path[:] = before
    for name in {path.stem for place in PLACES for path in place.glob("*.py")} & (set(sys.modules) - names):
        del sys.modules[name]


@pytest.mark.parametrize("seed", range(20))
def test_the_scorer_gives_the_metrics_of_the_package(programs: Any, seed: int) -> None:
    truth, detected, classes = random_set(seed)
    listing = listing_of(truth, classes)
    rows = [
        coco_record(image, label + 1, box, score)
        for image, one in enumerate(detected, 1)
        for box, score, label in zip(one.boxes.tolist(), one.scores.tolist(), one.labels.tolist(), strict=True)
    ]
    found = programs("score").score(listing, "test", rows)
    expected = average_precision(truth, detected, classes)
    assert found == {name: expected[name] and pytest.approx(expected[name], abs=1e-9) for name in found}


def listing_of(truth: Any, classes: int) -> Any:
    """As `listing.py` writes it."""
    rows = [
        {"id": i, "boxes": one.boxes.tolist(), "labels": one.labels.tolist(), "crowd": one.crowd.astype(int).tolist()}
        for i, one in enumerate(truth, 1)
    ]
    return {"classes": [str(label) for label in range(classes)], "limit": {"test": 100}, "images": {"test": rows}}


def test_detections_beyond_the_limit_of_the_data_do_not_count(programs: Any) -> None:
    """150 objects in an image: pycocotools' own limit of 100 would cap what can be found."""
    boxes = [[10.0 * i, 0.0, 10.0 * i + 8, 8.0] for i in range(150)]
    row = {"id": 1, "boxes": boxes, "labels": [0] * 150, "crowd": [0] * 150}
    listing = {"classes": ["a"], "limit": {"test": 300}, "images": {"test": [row]}}
    found = programs("exchange").coco(1, boxes, [0.5] * 150, [0] * 150)
    score = programs("score").score
    assert score(listing, "test", found)["AP"] == pytest.approx(1)
    assert score(listing | {"limit": {"test": 100}}, "test", found)["AP"] == pytest.approx(67 / 101)
    assert score(listing, "test", [])["AP50"] == 0


@pytest.mark.parametrize(
    ("accuracies", "first"),
    [
        ([0.5, 0.7, 0.7], 2),
        ([0.7, 0.7, 0.7], 1),
        ([0.7, 0.5, 0.7], 3),
        ([0.7, 0.7, 0.6], None),
        ([0.5, 0.646, 0.647], 3),
        ([], None),
    ],
)
def test_passed_for_good_is_the_first_evaluation_above_without_one_below_after_it(
    programs: Any, accuracies: list[float], first: int | None
) -> None:
    curve = [(26 * i, 1.5 * i, accuracy) for i, accuracy in enumerate(accuracies, 1)]
    assert programs("rows").passed(curve) == (first and (26 * first, 1.5 * first))


@pytest.fixture
def nuclei(tmp_path: Path) -> Path:
    """A small data set with a split."""
    objects = [("cat", (1.0, 2.0, 11.0, 22.0)), ("dog", (5.5, 6.25, 20.0, 25.0))]
    for number, split in enumerate(("train", "val", "test")):
        scenes = {f"{split}-{i}.png": ((64 - 2 * i - number, 48), objects) for i in range(3)}
        datasets_on_disk.coco(tmp_path / "nuclei" / split, scenes)
    return tmp_path / "nuclei"


def test_all_programs_get_the_same_images_in_the_same_split(programs: Any, nuclei: Path, tmp_path: Path) -> None:
    listing = programs("listing")
    made = listing.prepare("nuclei", nuclei, tmp_path / "data")
    content = json.loads(made.listing.read_text())
    assert made.about["images"] == {"train": 3, "val": 3, "test": 3, "curve": 3}
    assert content["images"]["curve"] == content["images"]["val"]
    for split in ("train", "val", "test"):
        rows = content["images"][split]
        assert {Path(one["path"]).parent.name for one in rows} == {split}
        assert [one["id"] for one in rows] == [1, 2, 3]
        assert all(one["boxes"] == [[1, 2, 11, 22], [5.5, 6.25, 20, 25]] for one in rows)
    ours, theirs = listing.opened(nuclei), listing.opened(made.yolo)
    assert ours.split_of == theirs.split_of
    assert ours.annotations.classes == theirs.annotations.classes == tuple(content["classes"])
    assert listing.prepare("nuclei", nuclei, tmp_path / "data") == made, "a second call finds it"


def test_another_split_is_refused(programs: Any, nuclei: Path, tmp_path: Path) -> None:
    listing = programs("listing")
    yolo = listing.prepare("nuclei", nuclei, tmp_path / "data").yolo
    for kind, suffix in (("images", "png"), ("labels", "txt")):
        (yolo / kind / "test" / f"test-0.{suffix}").rename(yolo / kind / "train" / f"test-0.{suffix}")
    with pytest.raises(UserError, match="1 of 9 images are in another split"):
        listing.prepare("nuclei", nuclei, tmp_path / "data")
    with pytest.raises(UserError, match="names no train images: name data with a split"):
        listing.prepare("other", nuclei / "train", tmp_path / "data")


@pytest.fixture
def run(programs: Any, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The benchmark, whose programs train nothing and find every object."""
    module: ModuleType = programs("run")
    called: list[str] = []

    def program(environment: str, name: str, words: Any, work: Path, log: Path) -> str:
        if environment == module.SCORER:
            listing, split, *files = words
            content = json.loads(listing.read_text())
            return json.dumps([programs("score").score(content, split, json.loads(one.read_text())) for one in files])
        given = dict(zip(map(str, words[::2]), words[1::2], strict=True))
        called.append(f"{log.parent.name} {given['--seed']}")
        images = json.loads(given["--listing"].read_text())["images"]
        for split, file in (("test", "test.json"), ("curve", "curve-1.json")):
            rows = [programs("exchange").coco(o["id"], o["boxes"], [0.9, 0.8], o["labels"]) for o in images[split]]
            (log.parent / file).write_text(json.dumps([row for one in rows for row in one]))
        result = {"seconds": 1, "iterations": 9, "milliseconds": {"torch": 1}, "versions": {}, "threads": 2}
        points = [{"minutes": 1, "detections": "curve-1.json"}]
        (log.parent / "result.json").write_text(json.dumps(result | {"points": points}))
        return ""

    monkeypatch.setattr(module, "program", program)
    monkeypatch.setattr(module.environments, "install", lambda *_: None)
    module.called = called  # type: ignore[attr-defined]
    return module


def test_rounds_take_turns_and_go_on_where_they_stopped(run: Any, nuclei: Path, tmp_path: Path) -> None:
    out, work = tmp_path / "peers.json", tmp_path / "work"
    shared = ["--nuclei", str(nuclei), "--work", str(work), "--out", str(out), "--minutes-scale", "0.1"]
    assert run.main([*shared, "--rounds", "1", "--rows", "nuclei/ours,nuclei/torchvision"]) == 0
    rows = ["nuclei-ours", "nuclei-yolo26n", "nuclei-torchvision", "nuclei-torchvision-320"]
    assert run.called == ["nuclei-ours-1-quick 0", "nuclei-torchvision-1-quick 0"]
    names = ",".join(row.replace("-", "/", 1) for row in rows)
    assert run.main([*shared, "--rounds", "2", "--rows", names]) == 0
    assert run.called[2:] == [
        *("nuclei-yolo26n-1-quick 0", "nuclei-torchvision-320-1-quick 0"),
        *(f"{row}-2-quick 1" for row in rows),
    ]
    content = json.loads(out.read_text())
    assert content["quick"] is True
    assert len(content["rounds"]) == 8
    assert str(tmp_path) not in out.read_text(), "a path of this machine"
    for one in content["rounds"]:
        assert " --data nuclei" in one["command"]
        assert one["AP50"] == one["AP"] == 1
        assert one["points"] == [{"minutes": 1, "AP50": 1.0}]
        assert one["side"] == (320 if one["row"].endswith("320") else content["data"]["nuclei"]["side"])


def test_a_file_holds_one_kind_of_measurement(
    run: Any, nuclei: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "peers.json"
    shared = ["--work", str(tmp_path / "work"), "--out", str(out), "--rows", "nuclei/ours"]
    assert run.main([*shared, "--quick", "--nuclei", str(nuclei)]) == 0
    for more, words in (
        (["--nuclei", str(nuclei)], "was measured with quick = True, now it is False"),
        (["--nuclei", str(nuclei), "--minutes-scale", "0.5"], "was measured with minutes = "),
        (["--nuclei", str(nuclei / "train"), "--quick"], "names no train images"),
        (["--quick"], "--rows nuclei/ours: name the folder with --nuclei"),
        (["--quick", "--out", str(run.KEPT)], "peers.json holds full measurements"),
        (["--rows", "b1/other"], "--rows b1/other: there are b1/ours, b1/loop"),
    ):
        before = out.read_bytes()
        assert run.main([*shared, *more]) == 2
        error = capsys.readouterr().err
        assert words in error
        assert error.count("\n") == 1
        assert out.read_bytes() == before


def test_a_program_that_fails_is_named_with_its_log(
    programs: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = programs("run")
    (tmp_path / "broken.py").write_text("import sys\nprint('why', file=sys.stderr)\nsys.exit(3)\n")
    monkeypatch.setattr(run, "PROGRAMS", tmp_path)
    with pytest.raises(UserError, match="broken failed with exit code 3"):
        run.program(run.environments.OURS, "broken", [], tmp_path, tmp_path / "log.txt")
    assert "why" in (tmp_path / "log.txt").read_text()


def test_every_row_has_its_program_and_every_environment_its_versions(programs: Any) -> None:
    rows = programs("rows").ROWS
    assert len({row.id for row in rows}) == len(rows)
    assert all((BENCHMARK / "programs" / f"{row.program}.py").is_file() for row in rows)
    needed = {row.environment for row in rows} - {programs("environments").OURS} | {programs("run").SCORER}
    files = {path.stem: path.read_text().splitlines() for path in (BENCHMARK / "requirements").iterdir()}
    assert set(files) == needed
    assert all("==" in line for lines in files.values() for line in lines)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The documents with their markers alone."""
    (tmp_path / "docs" / "results").mkdir(parents=True)
    for name in ("README.md", "docs/results.md"):
        (tmp_path / name).write_text("before\n<!-- peers -->\noutdated\n<!-- /peers -->\nafter\n")
    return tmp_path


def test_results_become_tables(programs: Any, copy: Path) -> None:
    table = programs("peers_table")
    assert table.main(copy) == 0
    assert "have not been measured" in (copy / "README.md").read_text()
    (copy / table.KEPT).write_text(json.dumps(fake_peers.results()))
    assert table.main(copy) == 0
    readme, page = (copy / name for name in ("README.md", "docs/results.md"))
    assert "| nuclei, 5 min | 0.910 ± 0.014 | 0.800 ± 0.000 |" in readme.read_text()
    assert "64.6 %: 6 s with pocket-rcnn and not within" in readme.read_text()
    assert "not within 20 min in 1 of 1 runs with a plain loop" in readme.read_text()
    assert "in float32 (above for the first time: 4 s). All" in readme.read_text()
    assert "means of up to 2 runs of each" in readme.read_text()
    text = page.read_text()
    assert "| nuclei | pocket-rcnn | 5 min | 256 px | 0.910 ± 0.014 | 0.455 ± 0.007 |" in text
    assert "| 1,500 | 12.0 | 3.0 | 2 |" in text
    assert "| nuclei | ultralytics yolo26n |" in text
    assert "| 20.0 | – | 2 |" in text, "no ONNX"
    assert "Ahead of pocket-rcnn: none." in text
    assert "(pictures/peers-nuclei.svg)" in text
    assert "peers-scenes.svg" not in text
    assert "2026-11-21 to 2026-11-22. Some Processor, 2 cores (2 threads used)" in text
    assert text.startswith("before\n")
    assert text.endswith("after\n")
    assert "outdated" not in text


def test_whoever_is_ahead_is_named(programs: Any) -> None:
    table, results = programs("peers_table"), fake_peers.results()
    fast = {"milliseconds": {"torch": 11.0, "onnx": 2.0}}
    results["rounds"] += [fake_peers.detector("nuclei/yolo11n", number, 0.95, **fast) for number in (1, 2)]
    results["rounds"] += [fake_peers.detector("scenes/yolo11n", 1, 0.99), fake_peers.detector("scenes/ours", 1, 0.9)]
    results["rounds"] += [fake_peers.detector("nuclei/torchvision", 1, 0.5, AP=None)]
    assert table.behind(results) == (
        "Ahead of pocket-rcnn: in AP50 ultralytics yolo11n (nuclei and scenes); in AP ultralytics yolo11n (nuclei and "
        "scenes); in time an image ultralytics yolo11n (nuclei); in time an image of the exported file ultralytics "
        "yolo11n (nuclei). A network of one stage has no proposals to cut out and classify."
    )


def test_every_round_says_of_what_and_when_it_is(run: Any, nuclei: Path, tmp_path: Path) -> None:
    out = tmp_path / "peers.json"
    words = ["--work", str(tmp_path / "work"), "--out", str(out), "--rows", "nuclei/ours", "--quick"]
    assert run.main([*words, "--nuclei", str(nuclei)]) == 0
    (one,) = json.loads(out.read_text())["rounds"]
    assert one["started"] <= one["date"]
    assert one["installer"] == "uv"
    assert one["revision"] == run.revision()


def test_a_dry_run_never_becomes_a_table(programs: Any, copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = programs("peers_table")
    (copy / table.KEPT).write_text(json.dumps(fake_peers.results(quick=True)))
    assert table.main(copy) == 2
    assert "is a dry run" in capsys.readouterr().err
    assert "outdated" in (copy / "README.md").read_text()


def test_the_documents_are_what_the_script_makes(programs: Any) -> None:
    table = programs("peers_table")
    for path, text in table.documents(table.load(ROOT / table.KEPT)).items():
        assert path.read_text(encoding="utf-8") == text, f"{path.name} is old: run `python scripts/peers_table.py`"


def test_curves_are_drawn_of_every_round(programs: Any, tmp_path: Path) -> None:
    path = tmp_path / "peers.json"
    path.write_text(json.dumps(fake_peers.results()))
    draw, given = programs("peers").pictures(path)
    assert given["peers-nuclei.svg"]["ours"][1] == {"minutes": [2.5, 5.0], "AP50": [0.46, 0.92]}
    svg = draw["peers-nuclei.svg"]()
    assert svg.startswith(b"<svg")
    assert b"pocket-rcnn" in svg
    assert svg == draw["peers-nuclei.svg"]()
    assert programs("peers").pictures(tmp_path / "nothing.json") == ({}, {})
