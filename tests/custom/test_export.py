"""The ONNX file finds what torch finds, holds nothing of this machine, and is not written where it would be wrong.

Covers `custom/onnx/parity.py`.
"""

from __future__ import annotations

import gc
import hashlib
import json
import shutil
import sys
from pathlib import Path
from typing import Any

import chromium
import numpy as np
import onnx
import painted
import pytest
import torch
from detector_pages import READY, assert_same, give, wait_for
from exported_runs import content_of_run
from runs_in_seconds import small
from shell import Shell
from tiny_detectors import saved
from torch import Tensor, nn

from pocketrcnn.cli.detector import frames_of_the_course
from pocketrcnn.config import DataConfig, replace
from pocketrcnn.course.data.cifar import CLASSES
from pocketrcnn.course.experiments import NETWORKS
from pocketrcnn.custom.commands.detecting import verification_frames
from pocketrcnn.custom.detector import Detector
from pocketrcnn.custom.onnx import export, parity, runtime
from pocketrcnn.custom.onnx.parity import Agreement, Whole, compare, readable
from pocketrcnn.custom.onnx.runtime import KEY, open_session, run_session
from pocketrcnn.custom.page import engine
from pocketrcnn.custom.page.export import page
from pocketrcnn.data.custom_data import RunData
from pocketrcnn.data.images.pixels import Pixels, read_image
from pocketrcnn.errors import UserError
from pocketrcnn.model import boxes
from pocketrcnn.model.faster_rcnn import FasterRCNN
from pocketrcnn.model.interchange import Detections
from pocketrcnn.training.run import Run, open_run

pytestmark = pytest.mark.slow
INSTALLED = None if engine.wanted().faults() else engine.engine_files()  # before the tests get caches of their own


@pytest.fixture
def run(learned: Path, tmp_path: Path) -> Path:
    """A copy of a finished run that a test may change."""
    return Path(shutil.copytree(learned, tmp_path / "run"))


@pytest.fixture
def ready(learned: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The graph of the run is not made again: that takes seconds."""
    content = content_of_run(learned)
    monkeypatch.setattr(export, "onnx_file", lambda detector: content)


def frames_of(shapes: Path) -> Pixels:
    """Images of objects, noise and one grey."""
    painted = list(readable(sorted((shapes / "train").glob("*.png")), 48))
    noise = np.random.default_rng(0).integers(0, 256, (6, *painted[0].shape), np.uint8)
    return np.stack([*painted, *noise, np.full_like(painted[0], 128)])


def test_one_by_one_the_file_finds_what_torch_finds(learned_in_both: Path, shapes: Path) -> None:
    detector = Detector.load(learned_in_both, "cpu")
    side = detector.side
    frames = np.full((31, side, side, 3), 128, np.uint8)
    frames[:, :48, :48] = frames_of(shapes)
    agreement = compare(content_of_run(learned_in_both), Whole(detector), frames, "the file")
    assert agreement.total > 31
    assert agreement.same == agreement.total
    assert agreement.box < 0.01
    assert agreement.score < 1e-4


@pytest.mark.parametrize("count", [0, 1, 3, 7])
def test_any_batch_is_its_images_one_by_one(count: int, learned: Path) -> None:
    session = open_session(content_of_run(learned), "the file")
    side = Detector.load(learned, "cpu").side
    frames = np.random.default_rng(count).integers(0, 256, (count, side, side, 3), np.uint8)
    together = columns(run_session(session, frames))
    assert [output.shape[0] for output in together] == [count] * 3
    for i in range(count):
        for whole, part in zip(together, columns(run_session(session, frames[i : i + 1])), strict=True):
            np.testing.assert_allclose(whole[i], part[0], atol=1e-3)


def test_types_shapes_and_facts_of_the_file(learned: Path, shapes: Path) -> None:
    detector = Detector.load(learned, "cpu")
    most = detector.model.config.detections
    session = open_session(content_of_run(learned), "the file")
    described = {value.name: (value.type, value.shape) for value in (*session.get_inputs(), *session.get_outputs())}
    assert described == {
        "images": ("tensor(uint8)", ["batch", detector.side, detector.side, 3]),
        "boxes": ("tensor(float)", ["batch", most, 4]),
        "scores": ("tensor(float)", ["batch", most]),
        "labels": ("tensor(int64)", ["batch", most]),
    }
    model = onnx.load_from_string(content_of_run(learned))
    onnx.checker.check_model(model)
    assert (model.producer_name, model.opset_import[0].version) == ("pocketrcnn", 18)
    metadata = json.loads({entry.key: entry.value for entry in model.metadata_props}[KEY])
    assert (metadata["schema"], metadata["classes"], metadata["side"]) == (1, ["cat", "dog"], detector.side)
    assert metadata["threshold"] == detector.threshold
    assert metadata["pages"] == detector.pages == "first"


def test_nothing_of_this_machine_is_in_the_file(learned: Path, shapes: Path) -> None:
    content = content_of_run(learned)
    paths = (Path.cwd(), Path.home(), learned, shapes, Path(sys.prefix), Path(torch.__file__).parent)
    assert [path for path in paths if len(path.parts) > 1 and str(path).encode() in content] == []
    assert b".py" not in content
    assert b"stack_trace" not in content


class Suppressed(nn.Module):
    def forward(self, candidates: Tensor, valid: Tensor) -> Tensor:
        return boxes.nms(candidates, valid, 0.5)


def test_onnx_suppresses_the_very_boxes_that_torch_suppresses() -> None:
    """Also boxes without area, inverted, twice the same, and overlapping by exactly the limit."""
    generator = torch.Generator().manual_seed(0)
    corners = torch.randint(0, 12, (300, 24, 2, 2), generator=generator).float()
    corners[100:] = corners[100:].sort(2).values  # upright; the first hundred are as they come
    corners[200:, 12:] = corners[200:, :12]
    candidates, valid = corners.flatten(2), torch.rand(300, 24, generator=generator) < 0.8
    model = export.onnx_model(Suppressed(), (candidates[:2], valid[:2]), ["candidates", "valid"], ["kept"])
    session = open_session(model.SerializeToString(), "the model")
    (kept,) = session.run(["kept"], {"candidates": candidates.numpy(), "valid": valid.numpy()})
    expected = boxes.nms(candidates, valid, 0.5)
    assert (kept == expected.numpy()).all()
    assert 0.1 < kept.mean() < valid.float().mean()  # some go, some stay


def test_what_torch_remembers_of_an_export_does_not_pile_up() -> None:
    """It kept over 1 MB each time: a process that exports often grew for ever."""

    def remembered() -> int:
        gc.collect()
        return sum(type(one).__name__ == "_DispatchCacheEntryOutputInfo" for one in gc.get_objects())

    given = torch.rand(2, 24, 4), torch.ones(2, 24, dtype=torch.bool)
    before = remembered()
    for _ in range(2):
        export.onnx_model(Suppressed(), given, ["candidates", "valid"], ["kept"])
    assert remembered() <= before


def test_suppression_takes_part_in_no_gradient() -> None:
    candidates = torch.tensor([[[0.0, 0, 10, 10], [0, 0, 10, 9]]], requires_grad=True)
    kept = boxes.nms(candidates, torch.ones(1, 2, dtype=torch.bool), 0.5)
    assert kept.tolist() == [[True, False]]
    assert not kept.requires_grad
    (candidates * kept[..., None]).sum().backward()
    assert candidates.grad is not None


@pytest.mark.parametrize("name", ["convnet", "detector-max"])
def test_networks_of_the_course_can_be_exported(name: str) -> None:
    torch.manual_seed(0)
    model = FasterRCNN(NETWORKS[name]).eval()
    detector, side = Detector(model, CLASSES), model.config.input_size
    frames = np.random.default_rng(0).integers(0, 256, (4, side, side, 3), np.uint8)
    agreement = compare(export.onnx_file(detector), Whole(detector), frames, "the file")
    assert (agreement.same, agreement.total) == (4, 4)


@pytest.mark.usefixtures("ready")
def test_the_command_says_what_was_compared(run: Path, shell: Shell) -> None:
    code, out, _ = shell("export", run)
    assert code == 0
    assert "verified on 6 test images" in out
    assert "detections are the same" in out
    assert "ms an image" in out
    assert (run / "model.onnx").read_bytes() == export.onnx_file(Detector.load(run, "cpu"))
    assert shell("export", run, "--out", run / "mine.onnx").code == 0
    assert (run / "mine.onnx").is_file()


@pytest.mark.usefixtures("ready")
def test_a_file_that_finds_something_else_is_not_written(
    run: Path, shapes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Moved(Whole):
        def forward(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
            corners, scores, labels = super().forward(images)
            return corners + 0.02, scores, labels

    before, images = sorted(run.iterdir()), sorted((shapes / "val").glob("*.png"))
    monkeypatch.setattr(export, "Whole", Moved)
    with pytest.raises(
        UserError, match=r"and torch differ: only 0 of \d+ detections are the same; nothing was written"
    ):
        export.export(run, lambda side: (np.stack(list(readable(images, side))), "images"))
    assert sorted(run.iterdir()) == before


@pytest.mark.parametrize("name", ["onnx", "onnxscript", "onnxruntime"])
def test_a_missing_package_is_named(name: str, run: Path, shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, name, None)
    assert f"{name} is not installed: `pip install '.[export]'` in a clone of the project" in shell.refused(
        "export", run
    )


def test_what_cannot_be_exported_is_refused_at_once(run: Path, tmp_path: Path, shell: Shell) -> None:
    assert "name a file in a folder that exists" in shell.refused("export", run, "--out", tmp_path / "no" / "m.onnx")
    assert "ends in .onnx" in shell.refused("export", run, "--out", run / "weights.safetensors")
    (tmp_path / "a.onnx").mkdir()
    assert "name a file in a folder that exists" in shell.refused("export", run, "--out", tmp_path / "a.onnx")
    assert "is not the folder of a run" in shell.refused("export", tmp_path)
    (run / "metrics.json").unlink()
    assert "is not finished" in shell.refused("export", run)


def test_where_the_data_have_gone_noise_takes_their_place(run: Path) -> None:
    config = replace(open_run(run, "cpu").config, data__source=str(run / "gone"))
    frames, words = verification_frames(RunData(config.data), 64)
    assert frames.shape == (16, 64, 64, 3)
    assert words.startswith("images of noise, since the data of the run cannot be read (")


def test_images_are_those_that_the_run_was_not_trained_on(tmp_path: Path) -> None:
    """Data without splits were divided anew, and training images replaced test images."""
    data = painted.write(tmp_path / "data", train=12) / "train"
    files = sorted(data.glob("*.png"))
    digests = {hashlib.blake2b(file.read_bytes(), digest_size=16).hexdigest(): file for file in files}
    known = {digest: "test" if file == files[5] else "train" for digest, file in digests.items()}
    frames, words = verification_frames(RunData(DataConfig(str(data), "folder"), known), 64)
    assert words == "test images"
    assert np.array_equal(frames, np.stack(list(readable([files[5]], 64))))


def test_networks_of_the_course_are_verified_on_their_scenes(tmp_path: Path) -> None:
    config = small("F2")
    with Run(tmp_path / "run", config, torch.device("cpu")):
        frames, words = verification_frames(RunData(config.data), config.model.input_size, frames_of_the_course)
        noise, reason = verification_frames(RunData(config.data), config.model.input_size)
    assert frames.shape == (16, 48, 48, 3)
    assert "sample of CIFAR-10" in words
    assert (noise.shape, reason) == (frames.shape, "images of noise, since those of the run are made by `reproduce`")


def test_a_broken_image_is_skipped(shapes: Path, tmp_path: Path) -> None:
    good = next((shapes / "val").glob("*.png"))
    (tmp_path / "broken.png").write_bytes(good.read_bytes()[:200])
    assert len(list(readable([tmp_path / "broken.png", good], 64))) == 1


def columns(detections: Detections) -> list[Any]:
    return [detections.boxes, detections.scores, detections.labels]


def some(*rows: tuple[float, float, int]) -> Detections:
    """Boxes of 10 pixels at x, with a score and a label."""
    corners = np.array([(x, 0, x + 10, 10) for x, _, _ in rows], np.float32).reshape(-1, 4)
    return Detections(corners, np.array([r[1] for r in rows], np.float32), np.array([r[2] for r in rows], np.int64))


def test_agreement_counts_one_for_one_whatever_the_order() -> None:
    agreement = Agreement()
    agreement.add(some((0, 0.5, 0), (5, 0.5, 0)), some((5.001, 0.50001, 0), (0, 0.5, 0)))
    assert (agreement.same, agreement.total) == (2, 2)
    assert agreement.box == pytest.approx(0.001, rel=1e-2)
    agreement.add(some((0, 0.5, 0), (0, 0.5, 0)), some((0, 0.5, 0)))  # twice in one, once in the other
    assert (agreement.same, agreement.total) == (3, 4)
    for other in (some((0, 0.5, 1)), some((0.02, 0.5, 0)), some((0, 0.5002, 0)), some()):
        agreement = Agreement()
        agreement.add(some((0, 0.5, 0)), other)
        assert (agreement.same, agreement.total) == (0, 1)
    agreement = Agreement()
    agreement.add(some(), some())
    assert (agreement.same, agreement.total) == (0, 0)


def test_the_tolerance_is_what_the_project_promises() -> None:
    assert (parity.BOX, parity.SCORE) == (0.01, 1e-4)


def test_the_command_writes_a_page(
    ready: None, learned: Path, tmp_path: Path, shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pocketrcnn.custom.page.export.engine_files", lambda: {engine.SCRIPT: b"", engine.PROGRAM: b""})
    code, out, err = shell("export --page --out", tmp_path / "a.html", learned)
    assert code == 0, err
    assert "verified on" in out
    assert "it holds 3 images of the data (--no-examples: none)" in out
    assert "<h1>Object detector: run</h1>" in (tmp_path / "a.html").read_text(encoding="utf-8")
    assert "use a name that ends in .html" in shell.refused("export --page --out", tmp_path / "a.onnx", learned)
    assert "--no-examples belongs to --page" in shell.refused("export --no-examples", learned)


@pytest.mark.loopback  # to the driver of the browser
@pytest.mark.skipif(not (chromium.CHROMIUM and chromium.DRIVER), reason="no Chromium here")
@pytest.mark.skipif(INSTALLED is None, reason="ONNX Runtime is not in the cache: pocketrcnn download onnxruntime-web")
def test_a_trained_detector_runs_in_the_page(browser: Any, learned: Path, shapes: Path, tmp_path: Path) -> None:
    """The file of `export`, unchanged, with the same labels and boxes as `predict` with that file."""
    assert INSTALLED is not None
    content = content_of_run(learned)
    (tmp_path / "model.onnx").write_bytes(content)
    (tmp_path / "page.html").write_text(page(content, INSTALLED, "shapes"), encoding="utf-8")
    chromium.open_page(browser, tmp_path / "page.html")
    wait_for(browser, READY)
    paths = sorted((shapes / "val").glob("*.png"))
    large = saved(tmp_path / "zz.png", read_image(paths[0]).repeat(5, 0).repeat(5, 1))
    give(browser, *paths, large)
    theirs = runtime.Detector.load(tmp_path / "model.onnx")([*paths, large], threshold=0.0)
    assert_same(browser, [*paths, large], [theirs[i] for i in range(len(paths) + 1)], 0.01)
    assert browser.get_log("browser") == []
