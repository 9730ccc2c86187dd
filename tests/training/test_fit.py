"""A run from beginning to end: it is the same run however often it is interrupted, and it names what went wrong."""

from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from disks import full
from runs_in_seconds import interrupt_after, interrupted, small, train_on_sample

from pocketrcnn.config import replace
from pocketrcnn.data import files
from pocketrcnn.errors import UserError
from pocketrcnn.model.structures import Batch
from pocketrcnn.training import fit
from pocketrcnn.training.checkpoint import load_tensors, save_tensors
from pocketrcnn.training.loop import Trainer
from pocketrcnn.training.signals import Interrupted

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("experiment", ["B1", "F2"])
@pytest.mark.parametrize("recipe", ["pocket", "course"])
@pytest.mark.parametrize("case", [(1, "float32"), (3, "float32"), (5, "float32"), (3, "bfloat16")])
def test_an_interrupted_run_ends_in_the_same_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, experiment: str, recipe: str, case: tuple[int, str]
) -> None:
    stop, precision = case
    config = small(experiment, recipe, train__precision=precision)
    whole = train_on_sample(tmp_path / "whole", config)
    with monkeypatch.context() as patch:
        interrupt_after(patch, stop)
        with pytest.raises(Interrupted, match=f"interrupted at iteration {stop} of parts, state saved"):
            train_on_sample(tmp_path / "parts", config)
    assert load_tensors(tmp_path / "parts" / "checkpoint.safetensors")[1]["iteration"] == stop
    parts = train_on_sample(tmp_path / "parts", config)
    for name in ("weights.safetensors", "log.jsonl"):
        assert (parts.folder / name).read_bytes() == (whole.folder / name).read_bytes()
    assert (parts.metrics() or {})["metrics"] == (whole.metrics() or {})["metrics"]
    assert not (parts.folder / "checkpoint.safetensors").exists()


# The metadata of a checkpoint of version 0.1, but for the sums: `asked` and `judging` have other names now, and
# `earlier` came with patience that begins anew, `phase` and `phase_began` with training in phases, `processes` with
# several of them.
OLD = {"iteration", "log", "means", "seconds", "elapsed", "judging", "planned", "asked"}


def test_a_checkpoint_of_an_earlier_version_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = interrupted(tmp_path / "run", monkeypatch, small("B2"))
    tensors, now = load_tensors(path)
    assert [now.pop(name) for name in ("earlier", "phase", "phase_began", "processes")] == [0, 0, 0, 1]
    old = {"judging": now.pop("evaluation_seconds"), "asked": now.pop("requested"), **now}
    assert set(old) == OLD
    save_tensors(path, tensors, old)
    run, whole = train_on_sample(tmp_path / "run", small("B2")), train_on_sample(tmp_path / "whole", small("B2"))
    assert (run.folder / "weights.safetensors").read_bytes() == (whole.folder / "weights.safetensors").read_bytes()


def test_the_same_seed_gives_the_same_weights_and_another_seed_others(tmp_path: Path) -> None:
    config = small("F3")
    files = [
        train_on_sample(tmp_path / str(i), c).folder / "weights.safetensors"
        for i, c in enumerate((config, config, replace(config, train__seed=1)))
    ]
    assert files[0].read_bytes() == files[1].read_bytes()
    assert files[0].read_bytes() != files[2].read_bytes()


def test_another_default_number_format_of_torch_changes_no_byte(tmp_path: Path) -> None:
    usual = train_on_sample(tmp_path / "usual", small("F2"))
    torch.set_default_dtype(torch.float64)
    try:
        other = train_on_sample(tmp_path / "other", small("F2"))
        assert torch.get_default_dtype() == torch.float64
    finally:
        torch.set_default_dtype(torch.float32)
    assert (other.folder / "weights.safetensors").read_bytes() == (usual.folder / "weights.safetensors").read_bytes()


def test_what_is_done_is_not_done_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = small("B2")
    before = train_on_sample(tmp_path / "run", config).metrics()
    monkeypatch.setattr(Trainer, "__init__", lambda *_: pytest.fail("trained again"))
    assert train_on_sample(tmp_path / "run", config).metrics() == before


def test_a_curve_has_no_more_points_than_promised(tmp_path: Path) -> None:
    run = train_on_sample(tmp_path / "run", small("B2", train__iterations=7, train__evaluations=4))
    assert [point["iteration"] for point in run.log_entries()] == [2, 4, 6, 7]


def test_a_loss_that_is_not_finite_stops_the_run(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"not finite.*: lower optim\.lr \(now 1e\+30\), in a new folder"):
        train_on_sample(tmp_path / "run", small("R2", "course", optim__lr=1e30))


@pytest.mark.parametrize("failing", ["batch", "evaluation"])
def test_where_the_data_have_gone_the_run_goes_on_from_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: str
) -> None:
    """Up to 20 seconds were lost. What an evaluation could not finish is done again with the iterations before it."""
    config = small("B2")
    whole = train_on_sample(tmp_path / "whole", config)
    batch = Trainer.batch

    def gone(self: Trainer, iteration: int) -> Batch:
        if iteration == 4:
            raise UserError("x.frames cannot be read: delete it")
        return batch(self, iteration)

    def no_evaluation(*_: object) -> None:
        raise UserError("x.frames cannot be read: delete it")

    with monkeypatch.context() as patch:
        patch.setattr(*((Trainer, "batch", gone) if failing == "batch" else (fit, "evaluate", no_evaluation)))
        wanted = r"cannot be read: delete it; state saved at iteration 4, the same command goes on from here$"
        with pytest.raises(UserError, match=wanted if failing == "batch" else "cannot be read: delete it$"):
            train_on_sample(tmp_path / "parts", config)
    path = tmp_path / "parts" / "checkpoint.safetensors"
    assert path.is_file() == (failing == "batch")
    parts = train_on_sample(tmp_path / "parts", config)
    for name in ("weights.safetensors", "log.jsonl"):
        assert (parts.folder / name).read_bytes() == (whole.folder / name).read_bytes()


def test_a_disk_without_room_for_a_run_is_noticed_before_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files.shutil, "disk_usage", lambda _: SimpleNamespace(free=1000))
    monkeypatch.setattr(Trainer, "train", lambda *_: pytest.fail("trained first"))
    with pytest.raises(
        UserError, match=r"run: the run takes .* MB, and .* has 0 MB free: make room, or choose another"
    ):
        train_on_sample(tmp_path / "run", small("B2"))


def test_a_run_that_goes_on_has_no_other_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    interrupted(tmp_path / "run", monkeypatch, small("B2"))
    monkeypatch.setattr(files.os, "fsync", full)
    with pytest.raises(
        UserError, match=r"cannot be written .*: free some space, .*, or copy the run to another place$"
    ):
        train_on_sample(tmp_path / "run", small("B2"))


def test_a_damaged_checkpoint_is_named_with_its_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = interrupted(tmp_path / "run", monkeypatch, small("B2"))
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(UserError, match=r"checkpoint\.safetensors is damaged.*delete it to start over"):
        train_on_sample(tmp_path / "run", small("B2"))


def test_a_checkpoint_of_another_network_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = interrupted(tmp_path / "mine", monkeypatch, small("B2"))
    other = interrupted(tmp_path / "other", monkeypatch, small("B1"))
    mine.write_bytes(other.read_bytes())
    with pytest.raises(UserError, match="belongs to another network"):
        train_on_sample(tmp_path / "mine", small("B2"))


def test_the_time_between_checkpoints_may_change(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    interrupted(tmp_path / "run", monkeypatch, small("B2"))
    run = train_on_sample(tmp_path / "run", small("B2", train__checkpoint_seconds=1.5))
    assert run.metrics() is not None
