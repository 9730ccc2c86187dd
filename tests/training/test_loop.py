"""The training loop: it learns, it is the same run however often it is interrupted, and it says what went wrong."""

import inspect
import re
from dataclasses import replace as replace_fields
from functools import lru_cache
from pathlib import Path

import pytest
import torch
from runs_in_seconds import interrupt_after, small

from pocketrcnn.config import Config, DataConfig, replace
from pocketrcnn.course.data.datasets import Images, open_dataset
from pocketrcnn.data.dataset import Dataset
from pocketrcnn.errors import UserError
from pocketrcnn.model.backbones import Backbone
from pocketrcnn.training import device, state
from pocketrcnn.training.checkpoint import load_tensors, save_tensors
from pocketrcnn.training.fit import fit
from pocketrcnn.training.loop import Trainer, order
from pocketrcnn.training.run import Run
from pocketrcnn.training.signals import Interrupted

pytestmark = pytest.mark.slow

CPU = torch.device("cpu")


@lru_cache(maxsize=8)
def datasets(config: DataConfig) -> tuple[Dataset, Dataset]:
    """The sample, opened once, with 40 test images: enough to compare runs by."""
    test = open_dataset(config, "test")
    assert isinstance(test, Images)
    first = {name: getattr(test, name)[:40] for name in ("images", "boxes", "labels")}
    return open_dataset(config, "train"), replace_fields(test, **first)


def train(folder: Path, config: Config) -> Run:
    run = Run(folder, config, CPU)
    with run:
        fit(*datasets(config.data), run)
    return run


@pytest.mark.parametrize(("pixels", "images"), [(2**24, 500), (7 * 32**2 + 1, 7)])
def test_large_images_give_the_first_filters_by_fewer_of_them(
    pixels: int, images: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The patches of 500 images of 256 pixels take 2 GB."""
    seen = []
    monkeypatch.setattr(state, "WHITENING_PIXELS", pixels)
    monkeypatch.setattr(Backbone, "whiten", lambda _, batch: seen.append(len(batch)))
    config = small("B1")
    Trainer(config, *datasets(config.data), CPU)
    assert seen == [images]


def test_an_epoch_shows_every_image_once_in_an_order_of_its_own() -> None:
    first = torch.cat([order(50, 10, 0, i)[0] for i in range(5)])
    second = torch.cat([order(50, 10, 0, i)[0] for i in range(5, 10)])
    assert sorted(first.tolist()) == sorted(second.tolist()) == list(range(50))
    assert not torch.equal(first, second)
    assert not torch.equal(first, torch.cat([order(50, 10, 1, i)[0] for i in range(5)]))
    assert [order(50, 10, 0, i)[1] for i in (0, 4, 5, 10)] == [0, 0, 1, 2]


def test_fewer_images_than_a_batch_are_all_shown() -> None:
    assert sorted(order(7, 100, 0, 3)[0].tolist()) == list(range(7))


@pytest.mark.parametrize("experiment", ["B1", "F2"])
@pytest.mark.parametrize("recipe", ["pocket", "course"])
@pytest.mark.parametrize("case", [(1, "float32"), (3, "float32"), (5, "float32"), (3, "bfloat16")])
def test_an_interrupted_run_ends_in_the_same_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, experiment: str, recipe: str, case: tuple[int, str]
) -> None:
    stop, precision = case
    config = small(experiment, recipe, train__precision=precision)
    whole = train(tmp_path / "whole", config)
    with monkeypatch.context() as patch:
        interrupt_after(patch, stop)
        with pytest.raises(Interrupted, match=f"interrupted at iteration {stop} of parts, state saved"):
            train(tmp_path / "parts", config)
    assert load_tensors(tmp_path / "parts" / "checkpoint.safetensors")[1]["iteration"] == stop
    parts = train(tmp_path / "parts", config)
    for name in ("weights.safetensors", "log.jsonl"):
        assert (parts.folder / name).read_bytes() == (whole.folder / name).read_bytes()
    assert (parts.metrics() or {})["metrics"] == (whole.metrics() or {})["metrics"]
    assert not (parts.folder / "checkpoint.safetensors").exists()


# The metadata of a checkpoint of version 0.1, but for the sums: `asked` and `judging` have other names now, and
# `earlier` came with patience that begins anew.
OLD = {"iteration", "log", "means", "seconds", "elapsed", "judging", "planned", "asked"}


def test_a_checkpoint_of_an_earlier_version_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = interrupted_run(tmp_path / "run", monkeypatch, small("B2"))
    tensors, now = load_tensors(path)
    assert now.pop("earlier") == 0
    old = {"judging": now.pop("evaluation_seconds"), "asked": now.pop("requested"), **now}
    assert set(old) == OLD
    save_tensors(path, tensors, old)
    run, whole = train(tmp_path / "run", small("B2")), train(tmp_path / "whole", small("B2"))
    assert (run.folder / "weights.safetensors").read_bytes() == (whole.folder / "weights.safetensors").read_bytes()


def test_the_same_seed_gives_the_same_weights_and_another_seed_others(tmp_path: Path) -> None:
    config = small("F3")
    files = [
        train(tmp_path / str(i), c).folder / "weights.safetensors"
        for i, c in enumerate((config, config, replace(config, train__seed=1)))
    ]
    assert files[0].read_bytes() == files[1].read_bytes()
    assert files[0].read_bytes() != files[2].read_bytes()


def test_the_loop_fits_on_a_slide() -> None:
    """At most 40 lines, without what interrupts a run: that stands around it, in `fit`."""
    loop = inspect.getsource(Trainer.train)
    assert loop.count("\n") <= 40
    assert not re.search(r"resume|restore|clock|time\.|signal|checkpoint|progress|run\.", loop)
    for word in ("self.batch(", "state.model(", "targets", "losses", "backward()", "optimiser.step()"):
        assert word in loop


def test_a_few_images_are_learned_by_heart(tmp_path: Path) -> None:
    config = small(
        "B1", train__iterations=40, train__batch=20, augment__flip="none", augment__shift=0, data__holdout=980
    )
    run = train(tmp_path / "run", config)
    assert run.log_entries()[-1]["train"]["accuracy"] > 0.9


def test_a_run_writes_what_it_promises(tmp_path: Path) -> None:
    run = train(tmp_path / "run", small("R2"))
    assert sorted(p.name for p in run.folder.iterdir()) == [
        "config.yaml",
        "env.json",
        "log.jsonl",
        "metrics.json",
        "weights.safetensors",
    ]
    assert [p["iteration"] for p in run.log_entries()] == [3, 6]
    metrics = (run.metrics() or {})["metrics"]
    assert {"objectness_accuracy", "box_loss", "pixel_error", "mean_iou", "recall_90", "loss_box"} <= set(metrics)
    assert run.environment()["versions"]["torch"] == torch.__version__
    before = run.load_model()
    assert all(torch.isfinite(p).all() for p in before.parameters())


def test_what_is_done_is_not_done_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = small("B2")
    before = train(tmp_path / "run", config).metrics()
    monkeypatch.setattr(Trainer, "__init__", lambda *_: pytest.fail("trained again"))
    assert train(tmp_path / "run", config).metrics() == before


def test_other_settings_are_refused_and_named(tmp_path: Path) -> None:
    train(tmp_path / "run", small("B2"))
    with pytest.raises(UserError, match=r"run was started with train.seed = 0, now it is 1.*--out"):
        Run(tmp_path / "run", small("B2", train__seed=1), CPU)


def test_a_run_goes_on_in_the_number_format_that_it_began_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`auto` is measured, and another moment may measure something else."""
    config = small("B2", train__precision="auto")
    monkeypatch.setattr(device, "bfloat16_gain", lambda: 2.0)
    interrupted_run(tmp_path / "run", monkeypatch, config)
    monkeypatch.setattr(device, "bfloat16_gain", lambda: 0.5)
    run = train(tmp_path / "run", config)
    assert run.metrics() is not None
    assert run.config.train.precision == "bfloat16"
    assert Run(tmp_path / "other", config, CPU).config.train.precision == "float32"


def test_the_time_between_checkpoints_may_change(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    interrupted_run(tmp_path / "run", monkeypatch, small("B2"))
    run = train(tmp_path / "run", small("B2", train__checkpoint_seconds=1.5))
    assert run.metrics() is not None


def test_metrics_without_figures_are_named(tmp_path: Path) -> None:
    run = train(tmp_path / "run", small("B2"))
    (run.folder / "metrics.json").write_text("{}")
    with pytest.raises(UserError, match=r"metrics\.json is damaged \(metrics are missing\): delete the folder"):
        run.metrics()


def test_a_curve_has_no_more_points_than_promised(tmp_path: Path) -> None:
    run = train(tmp_path / "run", small("B2", train__iterations=7, train__evaluations=4))
    assert [point["iteration"] for point in run.log_entries()] == [2, 4, 6, 7]


def test_a_folder_with_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("precious")
    with pytest.raises(UserError, match="holds something else than a run"):
        Run(tmp_path, small("B2"), CPU)
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.tex"]


def test_two_processes_do_not_write_to_one_run(tmp_path: Path) -> None:
    config = small("B2")
    with (
        Run(tmp_path / "run", config, CPU),
        pytest.raises(UserError, match="in use by another program"),
        Run(tmp_path / "run", config, CPU),
    ):
        pass


def interrupted_run(folder: Path, monkeypatch: pytest.MonkeyPatch, config: Config) -> Path:
    with monkeypatch.context() as patch:
        interrupt_after(patch, 2)
        with pytest.raises(Interrupted):
            train(folder, config)
    return folder / "checkpoint.safetensors"


def test_a_damaged_checkpoint_is_named_with_its_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = interrupted_run(tmp_path / "run", monkeypatch, small("B2"))
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(UserError, match=r"checkpoint\.safetensors is damaged.*delete it to start over"):
        train(tmp_path / "run", small("B2"))


def test_a_checkpoint_of_another_network_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = interrupted_run(tmp_path / "mine", monkeypatch, small("B2"))
    other = interrupted_run(tmp_path / "other", monkeypatch, small("B1"))
    mine.write_bytes(other.read_bytes())
    with pytest.raises(UserError, match="belongs to another network"):
        train(tmp_path / "mine", small("B2"))


def test_a_configuration_of_another_version_is_refused(tmp_path: Path) -> None:
    run = train(tmp_path / "run", small("B2"))
    path = run.folder / "config.yaml"
    path.write_text(path.read_text().replace("schema: 2", "schema: 99"))
    with pytest.raises(UserError, match=r"config\.yaml was written by another version"):
        Run(run.folder, small("B2"), CPU)


@pytest.mark.parametrize(
    "content", ["", "schema: 2\ndata: 5", "schema: 2\noptim:\n  lrr: 1", "a: [", "schema: 2\noptim:\n  lr: fast"]
)
def test_a_broken_configuration_is_named(tmp_path: Path, content: str) -> None:
    (tmp_path / "config.yaml").write_text(content)
    with pytest.raises(UserError, match=r"config\.yaml") as caught:
        Run(tmp_path, small("B2"), CPU)
    assert "\n" not in str(caught.value)


def test_a_loss_that_is_not_finite_stops_the_run(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"loss.* is no longer a finite number at iteration 3: lower optim.lr"):
        train(tmp_path / "run", small("R2", "course", optim__lr=1e30))


def test_bfloat16_trains_too(tmp_path: Path) -> None:
    run = train(tmp_path / "run", small("F2", train__precision="bfloat16"))
    assert all(p.dtype == torch.float32 for p in run.load_model().parameters())
