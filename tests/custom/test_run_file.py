"""An exported file in the folder of a run predicts in place of torch, where it is of the run's weights.

Covers `custom/onnx/run_file.py`.
"""

import json
import shlex
import shutil
from pathlib import Path

import pytest
from exported_runs import exported, with_metadata
from shell import Shell

from pocketrcnn.custom.onnx import run_file
from pocketrcnn.custom.onnx.runtime import NAME
from pocketrcnn.training.run import WEIGHTS


@pytest.fixture
def run(learned: Path, tmp_path: Path) -> Path:
    copy = Path(shutil.copytree(learned, tmp_path / "run"))
    exported(copy, tmp_path).rename(copy / NAME)
    return copy


def found(folder: Path) -> list[tuple[str, list[float], float]]:
    records = json.loads((folder / "predictions.json").read_text())
    return [(one["file_name"], one["bbox"], one["score"]) for one in records]


def test_the_file_predicts_what_torch_predicts_and_one_line_says_so(
    run: Path, shapes: Path, tmp_path: Path, shell: Shell
) -> None:
    words = shlex.join(map(str, ("predict", run, shapes / "**" / "*.png", "--no-pictures", "--threshold", 0.1)))
    quick = shell(words, "--out", tmp_path / "quick")
    plain = shell(words, "--out", tmp_path / "plain", "--device", "cpu")
    assert f"{run / NAME} predicts, faster than torch" in quick.out
    assert NAME not in plain.out
    results = found(tmp_path / "quick"), found(tmp_path / "plain")
    assert len(results[0]) > 5
    assert len(results[0]) == len(results[1])
    for name, box, score in results[0]:  # the order of equal scores is a matter of rounding
        near = [one for one in results[1] if one[0] == name and one[1] == pytest.approx(box, abs=1e-2)]
        assert any(one[2] == pytest.approx(score, abs=1e-3) for one in near)


def test_a_file_of_other_weights_is_not_used(run: Path, shapes: Path, tmp_path: Path, shell: Shell) -> None:
    old = with_metadata(run / NAME, tmp_path, lambda known: {k: v for k, v in known.items() if k != "weights"})
    shutil.copy(old, run / NAME)
    done = shell("predict", run, shapes / "**" / "*.png", "--out", tmp_path / "out")
    assert f"{run / NAME} is not of the present weights of the run" in done.out
    assert f"`pocketrcnn export {run}` makes it new" in done.out


def test_a_damaged_file_is_named_and_not_used(run: Path, shapes: Path, tmp_path: Path, shell: Shell) -> None:
    content = bytearray((run / NAME).read_bytes())
    content[len(content) // 2] ^= 1
    (run / NAME).write_bytes(content)
    done = shell("predict", run, shapes / "**" / "*.png", "--out", tmp_path / "out")
    assert f"{run / NAME} is damaged" in done.err
    assert "until then torch predicts" in done.err


def test_without_onnxruntime_torch_predicts(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_file, "find_spec", lambda _: None)
    assert run_file.exported(run, 60.0) is None


def test_the_hash_is_of_the_file_of_weights(run: Path) -> None:
    detector = run_file.exported(run, 60.0)
    assert detector is not None
    assert detector.made_of == run_file.hash_of(run / WEIGHTS)
