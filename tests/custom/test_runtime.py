"""The exported file without torch: the same detections, and one clear line for whatever is no such file.

Covers `runtime.py` and `custom/onnx/checksum.py`.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from exported_runs import endless, exported, made_by_hand, with_metadata
from numpy.typing import NDArray
from PIL import Image

from pocketrcnn.cli.main import main
from pocketrcnn.custom import detector as predictor
from pocketrcnn.custom.onnx.checksum import START, with_checksum
from pocketrcnn.custom.onnx.runtime import Detector, run_session
from pocketrcnn.errors import UserError
from pocketrcnn.model.interchange import Detections

SIZES = ((48, 48), (30, 48), (200, 90), (1, 1), (33, 500))  # width, height

Captured = pytest.CaptureFixture[str]

BLOCKED = """
import sys
sys.modules["torch"] = None
from pocketrcnn.runtime import Detector
detections = Detector.load(sys.argv[1])(sys.argv[2])
print(len(detections[0]))
print(" ".join({name.split(".")[0] for name in sys.modules}))
"""
COMMAND = "import sys; sys.modules['torch'] = None; from pocketrcnn.cli.main import main; sys.exit(main(sys.argv[1:]))"


@pytest.fixture(scope="module")
def file(learned: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return exported(learned, tmp_path_factory.mktemp("exported"))


@pytest.fixture(scope="module")
def detector(file: Path) -> Detector:
    return Detector.load(file, threads=1)


@pytest.fixture(scope="module")
def in_torch(learned: Path) -> predictor.Detector:
    return predictor.Detector.load(learned, "cpu")


def noise(size: tuple[int, int]) -> NDArray[np.uint8]:
    return np.random.default_rng(sum(size)).integers(0, 256, (size[1], size[0], 3), np.uint8)


def same(ours: Detections, theirs: Any) -> None:
    """The detections of torch, to the last one."""
    np.testing.assert_array_equal(ours.labels, theirs.labels.numpy())
    np.testing.assert_allclose(ours.boxes, theirs.boxes.numpy(), atol=0.01)
    np.testing.assert_allclose(ours.scores, theirs.scores.numpy(), atol=1e-4)


@pytest.mark.parametrize("threshold", [None, 0.05, 1.0])
def test_paths_give_what_torch_gives(
    threshold: float | None, shapes: Path, detector: Detector, in_torch: predictor.Detector
) -> None:
    paths = sorted((shapes / "test").glob("*.png"))
    ours, theirs = detector(paths, threshold), in_torch(paths, threshold)
    same(ours, theirs)
    assert (len(ours), ours.boxes.dtype, ours.labels.dtype) == (len(paths), np.float32, np.int64)
    assert (ours.labels.size == 0) == (threshold == 1.0)


def test_images_of_any_size_get_boxes_in_their_own_pixels(detector: Detector, in_torch: predictor.Detector) -> None:
    images = [noise(size) for size in SIZES]
    detections = detector(images, threshold=0.0, batch=2)
    theirs = in_torch(images, threshold=0.0)
    for i, (width, height) in enumerate(SIZES):
        one = detections[i]
        assert (one.boxes >= 0).all()
        assert (one.boxes <= [width, height, width, height]).all()
        assert abs(len(one) - len(theirs[i].labels)) <= 1  # of noise, two may be equal but for rounding


def test_kinds_of_images_and_sizes_of_batches_make_no_difference(detector: Detector, shapes: Path) -> None:
    path = next((shapes / "test").glob("*.png"))
    array = np.asarray(Image.open(path).convert("RGB"))
    one = detector(path, 0.05)
    assert one.labels.size > 0
    for images in (str(path), Image.open(path), array, [path], array[None], iter([array])):
        again = detector(images, 0.05)
        np.testing.assert_array_equal(again.boxes, one.boxes)
    three = detector([array, np.zeros((20, 30), np.uint8), array], 0.05, batch=2)
    assert len(three) == 3
    for i in (0, 2):
        np.testing.assert_allclose(three[i].boxes, one[0].boxes, atol=1e-3)


def test_the_example_of_the_page_gives_the_same_in_plain_onnxruntime(
    file: Path, shapes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: Captured
) -> None:
    """docs/onnx.md says what goes in and what comes out, for programs in any language."""
    page = (Path(__file__).parents[2] / "docs" / "onnx.md").read_text(encoding="utf-8")
    example = page.partition("```python\n")[2].partition("```")[0]
    (tmp_path / "runs/my-images").mkdir(parents=True)
    (tmp_path / "my-images/test").mkdir(parents=True)
    shutil.copy(file, tmp_path / "runs/my-images/model.onnx")
    monkeypatch.chdir(tmp_path)
    detector, total = Detector.load(file, threads=1), 0
    image = Image.open(next((shapes / "test").glob("*.png")))
    for size in SIZES:
        image.resize(size).save("my-images/test/test_00000.png")
        exec(compile(example.replace('facts["threshold"]', "0.02"), "onnx.md", "exec"), {})
        found = detector("my-images/test/test_00000.png", 0.02)
        rows = found[0].rows()
        lines = [[detector.classes[label], f"{score:.3f}", *np.float64(np.round(box, 1))] for box, score, label in rows]
        printed = [line.split() for line in capfd.readouterr().out.splitlines()]
        assert [line[:2] for line in printed] == [line[:2] for line in lines]
        corners = [np.array([line[2:] for line in found_by], float) for found_by in (printed, lines)]
        np.testing.assert_allclose(*corners, atol=0.11)
        total += len(lines)
    assert total > 0


def of(found: Detections) -> tuple[Any, ...]:
    """Its arrays."""
    return found.boxes, found.scores, found.labels


def test_threads_that_wait_sleep_and_change_nothing(file: Path, shapes: Path) -> None:
    one, several = (Detector.load(file, threads=count) for count in (1, 3))
    assert several.session.get_session_options().get_session_config_entry("session.intra_op.allow_spinning") == "0"
    images = sorted((shapes / "test").glob("*.png"))[:4]
    for ours, theirs in zip(of(one(images, 0.0)), of(several(images, 0.0)), strict=True):
        assert np.array_equal(ours, theirs)


def test_no_images_no_detections(detector: Detector) -> None:
    assert len(detector([])) == 0
    assert detector([]).to_coco([]) == []


def test_coco_results_have_width_and_height() -> None:
    corners = np.array([[[1, 2, 4, 8], [0, 0, 0, 0]]], np.float32)
    detections = Detections(corners, np.array([[0.5, 0]], np.float32), np.array([[1, -1]]))
    assert detections.to_coco([7]) == [{"image_id": 7, "category_id": 2, "bbox": [1, 2, 3, 6], "score": 0.5}]
    assert detections.to_coco() == detections[0].to_coco() == detections.to_coco([1])


def test_facts_are_those_of_the_run(detector: Detector, in_torch: predictor.Detector) -> None:
    assert detector.classes == in_torch.classes == ("cat", "dog")
    assert (detector.threshold, detector.side) == (in_torch.threshold, in_torch.side)


def python(*words: object) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"NO_COLOR": "1", "PYTHONIOENCODING": "utf-8"}
    return subprocess.run(
        [sys.executable, "-W", "error", *map(str, words)], capture_output=True, text=True, check=False, env=environment
    )


def test_it_predicts_where_torch_cannot_be_imported(file: Path, shapes: Path, detector: Detector) -> None:
    path = next((shapes / "test").glob("*.png"))
    done = python("-c", BLOCKED, file, path)
    assert done.returncode == 0, done.stderr
    count, loaded = done.stdout.splitlines()
    assert int(count) == len(detector(path)[0])
    assert {"numpy", "PIL", "onnxruntime"} <= set(loaded.split())
    assert not {"yaml", "rich", "hotcoco", "matplotlib", "onnx", "safetensors"} & set(loaded.split())


def test_so_does_the_command(file: Path, shapes: Path, tmp_path: Path) -> None:
    done = python("-c", COMMAND, "predict", file, shapes / "test", "--out", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    assert "6 images" in done.stdout
    assert (tmp_path / "out" / "predictions.json").is_file()


def refused(path: Path) -> str:
    with pytest.raises(UserError) as caught:
        Detector.load(path)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_file_that_is_not_ours(tmp_path: Path) -> None:
    value = onnx.helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, [1])
    out = onnx.helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, [1])
    graph = onnx.helper.make_graph([onnx.helper.make_node("Identity", ["x"], ["y"])], "other", [value], [out])
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 18)], ir_version=8)
    onnx.save(model, tmp_path / "other.onnx")
    assert refused(tmp_path / "other.onnx") == (
        f"{tmp_path / 'other.onnx'} is not a detector of pocketrcnn: name a file that `pocketrcnn export` wrote"
    )


@pytest.mark.parametrize("part", [0, 10, 1000, -1000])
def test_a_damaged_file(part: int, file: Path, tmp_path: Path) -> None:
    (tmp_path / "half.onnx").write_bytes(file.read_bytes()[:part])
    assert "half.onnx is damaged or no ONNX file" in refused(tmp_path / "half.onnx")


def flipped(content: bytes, place: int, bit: int) -> bytes:
    return content[:place] + bytes([content[place] ^ 1 << bit]) + content[place + 1 :]


def test_every_flipped_bit_is_noticed(file: Path, tmp_path: Path) -> None:
    """Of 301 files with one flipped bit 297 were accepted, 243 of them with other detections."""
    content, path = file.read_bytes(), tmp_path / "flipped.onnx"
    random = np.random.default_rng(0)
    end = len(content)
    for place in (*random.integers(0, end, 60).tolist(), *range(end - 64, end, 9), *range(end - 400, end - 90, 31)):
        path.write_bytes(flipped(content, place, int(random.integers(8))))
        assert "is damaged (its checksum differs from its content)" in refused(path)


def test_a_checksum_that_is_damaged_or_cut_off_is_missed(file: Path, tmp_path: Path) -> None:
    content, path = file.read_bytes(), tmp_path / "flipped.onnx"
    assert content[-64 - len(START) : -64] == START
    cut = [content[: -64 - len(START)], content + b"\x72\x00"]
    for changed in (*cut, *(flipped(content, len(content) - 64 - back, back % 8) for back in (3, 10, 20))):
        path.write_bytes(changed)
        assert "is damaged" in refused(path)


def test_a_file_from_before_checksums_is_read_with_a_note(
    file: Path, tmp_path: Path, shapes: Path, detector: Detector, capsys: pytest.CaptureFixture[str]
) -> None:
    changed = with_metadata(file, tmp_path, lambda metadata: {k: v for k, v in metadata.items() if k != "checksum"})
    changed.write_bytes(changed.read_bytes()[: -64 - len(START)])
    old = Detector.load(changed, threads=1)
    note = "has no checksum, so that damage to it is not noticed: export the run again to give it one"
    assert capsys.readouterr().err == f"{changed} {note}\n"
    path = next((shapes / "test").glob("*.png"))
    np.testing.assert_array_equal(old(path, 0.0).boxes, detector(path, 0.0).boxes)


def test_onnxruntime_itself_prints_nothing(
    file: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], shapes: Path
) -> None:
    """For files without a checksum, which reach it; it announced other tries on standard output."""
    content, path = file.read_bytes()[: -64 - len(START)], tmp_path / "flipped.onnx"
    for place in np.random.default_rng(1).integers(0, 6000, 12).tolist():
        path.write_bytes(flipped(content, place, 5))
        with suppress(UserError):
            Detector.load(path, threads=1)(next((shapes / "test").glob("*.png")))
    out, err = capfd.readouterr()
    assert out == ""
    assert [line for line in err.splitlines() if "has no checksum" not in line] == []


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"labels": 2}, "gives labels, scores or boxes that cannot be"),
        ({"labels": -2}, "gives labels, scores or boxes that cannot be"),
        ({"scores": 7}, "gives labels, scores or boxes that cannot be"),
        ({"scores": float("nan")}, "gives labels, scores or boxes that cannot be"),
        ({"boxes": float("nan")}, "gives labels, scores or boxes that cannot be"),
        ({"names": ("boxes", "scores")}, "has other inputs or outputs"),
        ({"names": ("boxes", "scores", "classes")}, "has other inputs or outputs"),
        ({"side": 16}, "has other inputs or outputs"),
        ({"pixels": "side"}, "has other inputs or outputs"),
        ({"side": 0}, "does not say what it holds"),
        ({"side": 10**8, "pixels": 10**8}, "does not say what it holds"),
        ({"side": 16_384, "pixels": 16_384}, "does not say what it holds"),  # one image would take 1.6 GB
        ({"side": 8.0}, "does not say what it holds"),
        ({"threshold": float("nan")}, "does not say what it holds"),
        ({"threshold": 9}, "does not say what it holds"),
        ({"classes": []}, "does not say what it holds"),
        ({"classes": "cat"}, "does not say what it holds"),
        ({"classes": [[1]]}, "does not say what it holds"),
        ({"classes": ["\ud800"]}, "does not say what it holds"),
    ],
)
def test_a_file_that_was_made_by_hand(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    image = np.zeros((8, 8, 3), np.uint8)
    assert len(Detector.load(made_by_hand(tmp_path / "whole.onnx"))(image)[0]) == 1
    path = made_by_hand(tmp_path / "made.onnx", **changes)
    with pytest.raises(UserError, match=message) as caught:
        Detector.load(path)(image)
    assert str(caught.value).startswith(f"{path} ")
    assert "\n" not in str(caught.value)


def test_what_onnxruntime_refuses_and_other_shapes(tmp_path: Path) -> None:
    image = np.zeros((8, 8, 3), np.uint8)
    detector = Detector.load(made_by_hand(tmp_path / "made.onnx"))
    with pytest.raises(UserError, match=r"made\.onnx gives arrays of other shapes than an exported detector: export"):
        detector([image, image])  # of which it knows nothing
    with pytest.raises(UserError, match=r"the file cannot be run \(.*\): export the run again"):
        run_session(detector.session, image, "the file")


def test_a_loop_without_an_end_is_stopped(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, image = endless(made_by_hand(tmp_path / "made.onnx")), tmp_path / "image.png"
    with pytest.raises(UserError, match=r"made\.onnx was stopped after 0\.2 s for a batch: allow it more with --time"):
        Detector.load(path, seconds=0.2)(np.zeros((8, 8, 3), np.uint8))
    Image.new("RGB", (8, 8)).save(image)
    for seconds, message in (("0.2", "was stopped after 0.2 s for a batch"), ("0", "--timeout 0: use a time above 0")):
        out = tmp_path / "out"
        assert main(["predict", str(path), str(image), "--timeout", seconds, "--out", str(out)]) == 2
        assert message in capsys.readouterr().err
        assert list(out.iterdir()) == []


def test_pages_of_files_are_read_as_in_training(file: Path, tmp_path: Path) -> None:
    """Files of older versions say nothing, and read the first."""
    said = Detector.load(with_metadata(file, tmp_path, lambda metadata: metadata | {"pages": "max"}))
    older = with_metadata(file, tmp_path, lambda metadata: {k: v for k, v in metadata.items() if k != "pages"})
    assert (said.pages, Detector.load(older).pages) == ("max", "first")


def test_metadata_of_deep_brackets(tmp_path: Path) -> None:
    path = made_by_hand(tmp_path / "made.onnx")
    model = onnx.load(path)
    model.metadata_props[0].value = "[" * 100_000
    onnx.save(model, path)
    path.write_bytes(with_checksum(path.read_bytes()))
    assert "is damaged (it does not say what it holds)" in refused(path)


def test_something_else_than_a_file(tmp_path: Path) -> None:
    (tmp_path / "page.onnx").write_text("<!doctype html><title>not found</title>")
    assert "is damaged or no ONNX file" in refused(tmp_path / "page.onnx")
    assert "is a folder" in refused(tmp_path)
    assert "cannot be read (No such file or directory)" in refused(tmp_path / "gone.onnx")


def test_a_file_of_a_newer_version(file: Path, tmp_path: Path) -> None:
    newer = with_metadata(file, tmp_path, lambda metadata: metadata | {"schema": 3, "version": "9.1"})
    assert "was written by pocketrcnn 9.1, which is newer than this one" in refused(newer)


@pytest.mark.parametrize(
    "metadata",
    [
        *([], {}, {"schema": "x"}, {"schema": 1, "classes": 3, "threshold": 0.5, "side": 8}),
        {"schema": 1, "classes": ["cat"], "threshold": 0.5, "side": 8, "pages": "some"},
    ],
)
def test_a_file_that_does_not_say_what_it_holds(metadata: object, file: Path, tmp_path: Path) -> None:
    assert "is damaged (it does not say what it holds)" in refused(with_metadata(file, tmp_path, lambda _: metadata))


def test_a_missing_onnxruntime_is_named(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    assert "onnxruntime is not installed: `pip install onnxruntime`" in refused(file)


def test_what_is_no_image_no_threshold_no_batch(detector: Detector, tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"nothing")
    for images, options, reason in (
        (tmp_path / "a.png", {}, "a.png is not an image"),
        ([], {"threshold": 1.5}, "a threshold of 1.5 is no score"),
        ([], {"batch": 0}, "a batch of 0 images: use 1 or more"),
    ):
        with pytest.raises(UserError, match=reason):
            detector(images, **options)  # type: ignore[arg-type]
