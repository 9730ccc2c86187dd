"""Numbers that are not finite: they reach neither the weights nor a file, and the images they come from are named."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
import torch
from runs_in_seconds import CPU, interrupt_after, sample_sets, small, train_on_sample
from torch import Tensor

from pocketrcnn.config import Config, DataConfig, replace
from pocketrcnn.custom.options import TrainOptions
from pocketrcnn.custom.train import train
from pocketrcnn.errors import UserError
from pocketrcnn.model.structures import Batch
from pocketrcnn.training import finite, loop
from pocketrcnn.training.checkpoint import load_tensors
from pocketrcnn.training.finite import NotFinite, not_finite, require_finite
from pocketrcnn.training.loop import Trainer
from pocketrcnn.training.signals import Interrupted

pytestmark = pytest.mark.slow


def poisoned(patch: pytest.MonkeyPatch, *iterations: int) -> None:
    """Losses that are not finite in these iterations."""
    batch, total_loss, now = Trainer.batch, loop.total_loss, [0]

    def noted(self: Trainer, iteration: int) -> Batch:
        now[0] = iteration
        return batch(self, iteration)

    def total(*given: object) -> Tensor:
        return total_loss(*given) * (float("nan") if now[0] in iterations else 1)  # type: ignore[arg-type]

    patch.setattr(Trainer, "batch", noted)
    patch.setattr(loop, "total_loss", total)


def trainer_of(config: Config) -> Trainer:
    return Trainer(config, *sample_sets(config.data), CPU)


@pytest.mark.parametrize(("experiment", "recipe"), [("B1", "course"), ("F2", "pocket")])
def test_a_batch_that_is_left_out_changes_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], experiment: str, recipe: str
) -> None:
    """Neither weights and momenta, nor the statistics of BatchNorm, which the forward pass has changed by then."""
    trainer = trainer_of(small(experiment, recipe))
    trainer.train(range(2))
    before = {name: tensor.clone() for name, tensor in trainer.state.tensors().items()}
    means = trainer.state.means.plain()
    poisoned(monkeypatch, 2)
    trainer.train(range(2, 3))
    after = trainer.state.tensors()
    assert [name for name in before if not torch.equal(before[name], after[name])] == []
    assert (trainer.state.iteration, trainer.state.means.plain()) == (3, means)
    line = capsys.readouterr().out
    assert line.startswith("iteration 3: the loss is not finite; its batch is left out (images ")
    assert line.endswith(" and 2 more), 1 so far\n")


def test_a_run_with_batches_left_out_is_the_same_however_often_it_is_interrupted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    poisoned(monkeypatch, 1, 3, 4, 5)
    config = small("B2", train__evaluations=6, train__iterations=8)
    whole = train_on_sample(tmp_path / "whole", config)
    assert [entry["iteration"] for entry in whole.log_entries()] == [2, 4, 8], "none where nothing was learned"
    for stop in (4, 5):
        with monkeypatch.context() as patch:
            interrupt_after(patch, stop)
            with pytest.raises(Interrupted):
                train_on_sample(tmp_path / str(stop), config)
        parts = train_on_sample(tmp_path / str(stop), config)
        for name in ("weights.safetensors", "log.jsonl"):
            assert (parts.folder / name).read_bytes() == (whole.folder / name).read_bytes()


def test_many_in_a_row_stop_the_run_and_name_the_images(
    shapes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was saved before them is finite; the remedy is for another folder, since this one keeps its settings."""
    poisoned(monkeypatch, *range(2, 30))
    settings = ("train.checkpoint_seconds=0",)
    options = TrainOptions(shapes, iterations=30, preset="small", batch=2, out=tmp_path / "run", settings=settings)
    with pytest.raises(
        UserError, match=r"the loss is not finite in 10 batches in a row \(images .*\.png, .*\.png\)"
    ) as e:
        train(options)
    assert "train in a new folder at a lower rate, as with --set optim.lr=" in str(e.value)
    tensors, metadata = load_tensors(tmp_path / "run" / "checkpoint.safetensors")
    assert all(torch.isfinite(tensor).all() for tensor in tensors.values())
    assert metadata["iteration"] == 11


def test_weights_that_are_not_finite_stop_the_run_at_the_next_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    """No batch helps them; the images of the last step are named."""
    trainer = trainer_of(small("B2"))

    def numbers() -> object:
        yield 0
        next(trainer.state.model.parameters()).data.fill_(float("inf"))
        yield 1
        pytest.fail("went on")

    first = trainer.batch(0).ids
    with pytest.raises(
        NotFinite, match=f"the weights are not finite after 1 iterations .images {first[0]}, {first[1]}, "
    ):
        trainer.train(numbers())  # type: ignore[arg-type]


@pytest.mark.parametrize("recipe", ["pocket", "course"])
@pytest.mark.parametrize("rate", [1e4, 1e30])
def test_a_rate_that_is_too_high_leaves_only_finite_files(tmp_path: Path, rate: float, recipe: str) -> None:
    changes = {"optim__lr": rate, "optim__final_lr": 1.0, "train__iterations": 12, "train__checkpoint_seconds": 0}
    with suppress(NotFinite):
        train_on_sample(tmp_path / "run", small("B2", recipe, **changes))
    for path in (tmp_path / "run").glob("*.safetensors"):
        assert all(torch.isfinite(tensor).all() for tensor in load_tensors(path)[0].values())


def test_a_state_that_is_not_finite_is_not_saved(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sums of an optimiser, too, while the weights are finite."""
    trainer = trainer_of(small("B2"))
    trainer.step()
    require_finite(trainer.state, trainer.config)
    sums = next(t for name, t in trainer.state.tensors().items() if name.startswith("optimiser") and t.ndim)
    sums.fill_(float("inf"))
    with pytest.raises(NotFinite, match=r"`optimiser.*` is not finite after 1 iterations: lower optim\.lr"):
        require_finite(trainer.state, trainer.config)


def test_remedies_are_those_of_the_command() -> None:
    config = small("B2", optim__lr=0.5)
    assert str(not_finite("it is not finite", config)) == (
        "it is not finite: lower optim.lr (now 0.5), in a new folder"
    )
    mine = replace(config, data=DataConfig("x", "folder", ("a",)))
    assert str(not_finite("it", mine)).endswith(": train in a new folder at a lower rate, as with --set optim.lr=0.05")
    assert finite.PATIENCE == 10
