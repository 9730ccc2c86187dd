"""`pocketrcnn.scale.train` with Ray running: two of its workers end in the bytes of two processes of torchrun.

Run by `make scale`.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import ranked

from pocketrcnn import scale
from pocketrcnn.custom.scale import train as scale_train
from pocketrcnn.errors import UserError

pytestmark = [
    pytest.mark.loopback,
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning", "ignore::FutureWarning"),
]
OPTIONS: dict[str, Any] = {"iterations": 6, "preset": "small", "batch": 8, "input_size": 48, "precision": "float32"}


@pytest.fixture
def place(shapes: Path, tmp_path: Path) -> Path:
    """A folder with data, in which to train."""
    shutil.copytree(shapes, tmp_path / "shapes")
    return tmp_path


def test_two_workers_of_ray_are_two_processes_of_torchrun(place: Path, ray: Any) -> None:
    run = scale.train(place / "shapes", out=place / "ray", num_workers=2, **OPTIONS)
    words = [f"--{name.replace('_', '-')}={value}" for name, value in OPTIONS.items()]
    command = ranked.torchrun(2, "train", "shapes", "--out", "torchrun", "--device", "cpu", *words)
    code, _, err = ranked.finish(command, place)
    assert code == 0, err
    for name in ("last.safetensors", "weights.safetensors"):
        assert (run.path / name).read_bytes() == (place / "torchrun" / name).read_bytes()
    assert sorted(path.name for path in place.iterdir()) == ["ray", "shapes", "torchrun"], "Ray leaves nothing behind"
    assert "AP50" in run.metrics


def test_what_a_worker_refuses_is_said_as_by_train(place: Path, ray: Any) -> None:
    with pytest.raises(UserError, match="2 images an iteration are too few for 2 processes"):
        scale.train(place / "shapes", out=place / "ray", num_workers=2, **OPTIONS | {"batch": 2})
    assert not (place / "ray" / "metrics.json").exists()
    with pytest.raises(UserError, match="no option seeds: use those of"):
        scale.train(place / "shapes", out=place / "ray", num_workers=2, seeds=2)
    with pytest.raises(UserError, match="num_workers=0"):
        scale.train(place / "shapes", out=place / "ray", num_workers=0)


def test_more_workers_than_there_is_room_for(
    place: Path, ray: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(scale_train, "WAITS", 0)
    monkeypatch.setenv("RAY_TRAIN_WORKER_GROUP_START_TIMEOUT_S", "2")
    with pytest.raises(UserError, match="the cluster had no room for the workers: use a smaller num_workers"):
        scale.train(place / "shapes", out=place / "ray", num_workers=50, **OPTIONS | {"batch": 100})
    assert "50 workers need 50 CPU, the cluster has " in capsys.readouterr().err
    assert [path.name for path in place.iterdir()] == ["shapes"]
