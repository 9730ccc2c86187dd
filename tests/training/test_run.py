"""The folder of a run: what it holds, and what it refuses."""

from pathlib import Path

import pytest
import torch
from runs_in_seconds import CPU, interrupted, small, train_on_sample

from pocketrcnn.config import Config, replace
from pocketrcnn.errors import UserError
from pocketrcnn.training import device
from pocketrcnn.training import run as run_module
from pocketrcnn.training.config_file import dump
from pocketrcnn.training.run import Run, open_run

pytestmark = pytest.mark.slow


def test_a_run_writes_what_it_promises(tmp_path: Path) -> None:
    run = train_on_sample(tmp_path / "run", small("R2"))
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
    before, _ = run.load_model()
    assert all(torch.isfinite(p).all() for p in before.parameters())


def test_other_settings_are_refused_and_named(tmp_path: Path) -> None:
    train_on_sample(tmp_path / "run", small("B2"))
    with pytest.raises(UserError, match=r"run was started with train.seed = 0, now it is 1.*--out"):
        Run(tmp_path / "run", small("B2", train__seed=1), CPU)


def test_a_run_goes_on_in_the_number_format_that_it_began_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`auto` is measured, and another moment may measure something else."""
    config = small("B2", train__precision="auto")
    monkeypatch.setattr(device, "bfloat16_gain", lambda: 2.0)
    interrupted(tmp_path / "run", monkeypatch, config)
    monkeypatch.setattr(device, "bfloat16_gain", lambda: 0.5)
    run = train_on_sample(tmp_path / "run", config)
    assert run.metrics() is not None
    assert run.config.train.precision == "bfloat16"
    assert Run(tmp_path / "other", config, CPU).config.train.precision == "float32"


def test_a_run_that_is_extended_while_it_is_opened_is_the_one_that_was_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`eval` beside `resume --iterations` said that it had been started with other settings."""
    with Run(tmp_path / "run", small("B1"), CPU):
        pass
    read = run_module.saved

    def and_then_replaced(folder: Path) -> Config | None:
        config = read(folder)
        assert config is not None
        (folder / "config.yaml").write_text(dump(replace(config, train__iterations=99)), encoding="utf-8")
        return config

    monkeypatch.setattr(run_module, "saved", and_then_replaced)
    assert open_run(tmp_path / "run", "cpu").config.train.iterations == small("B1").train.iterations


def test_a_file_that_lacks_metrics_is_named(tmp_path: Path) -> None:
    run = train_on_sample(tmp_path / "run", small("B2"))
    (run.folder / "metrics.json").write_text("{}")
    with pytest.raises(UserError, match=r"metrics\.json is damaged \(metrics are missing\): delete the folder"):
        run.metrics()


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


def test_a_configuration_of_another_version_is_refused(tmp_path: Path) -> None:
    run = train_on_sample(tmp_path / "run", small("B2"))
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
