"""The records of results.json: everything that `report.html` shows, made from finished runs."""

import shlex
from typing import Any

from ..config import Config, DataConfig, TrainConfig
from ..data.dataset import Dataset
from ..model import costs
from ..training.machine import peak_memory_gb
from ..training.run import METRICS, Run
from .experiments import Experiment
from .pictures import detections, rois
from .report.metrics import spread
from .report.records import Compared, Curve, Record


def record(experiment: Experiment, recipe: str, runs: list[Run], train: Dataset, test: Dataset) -> Record:
    """One experiment: metrics over its seeds, curves, costs, pictures, and how to repeat it."""
    config, finished = runs[0].config, [run.metrics() or {} for run in runs]
    for run, one in zip(runs, finished, strict=True):
        run.require(METRICS, one["metrics"], {experiment.published.metric})
    metrics = {name: spread([one["metrics"][name] for one in finished]) for name in finished[0]["metrics"]}
    published, layers, environment = experiment.published, costs.layers(config.model), runs[0].environment()
    beaten = published.beaten_by(metrics[published.metric].mean)
    return Record(
        id=experiment.id,
        title=experiment.title,
        network=experiment.network,
        recipe=recipe,
        iterations=config.train.iterations,
        batch=config.train.batch,
        seeds=[run.config.train.seed for run in runs],
        data={"train": train.name, "test": test.name},
        metrics=metrics,
        headline=published.metric,
        published=Compared(published.value, published.better, beaten) if comparable(config.data) else None,
        seconds=spread([one["seconds"] for one in finished]),
        multiplications=costs.multiplications(layers),
        parameters=costs.parameters(config.model),
        layers=layers,
        curves=curves([run.log_entries() for run in runs]),
        pictures=pictures(experiment, runs[0], train, test),
        command=command(experiment.id, recipe, config, len(runs)),
        versions=environment["versions"],
        hardware=environment["hardware"],
    )


def command(id: str, recipe: str, config: Config, seeds: int, iterations: bool = True) -> str:
    """The command that makes the runs of an experiment or an observation again. iterations: whether it names them."""
    return (
        f"pocketrcnn reproduce --only {id} --recipe {recipe}"
        + (f" --iterations {config.train.iterations}" if iterations else "")
        + (f" --batch {config.train.batch}" if config.train.batch != TrainConfig.batch else "")
        + (f" --seed {config.train.seed}" if config.train.seed else "")
        + (f" --seeds {seeds}" if seeds > 1 else "")
        + f" --precision {config.train.precision}"
        + ("" if config.data.source == "cifar10" else f" --data {data_option(config.data.source)}")
    )


def comparable(data: DataConfig) -> bool:
    """Whether results on these data may stand beside the report's: on the test images of CIFAR-10, not a hold-out."""
    return data.parts[0] == "cifar10" and not data.holdout


def data_option(source: str) -> str:
    """A source as the command line names it behind `--data`: `cifar10`, or `cifar10 --backgrounds FOLDER`."""
    return " --backgrounds ".join(shlex.quote(part) for part in DataConfig(source).parts if part)


def totals(runs: list[Run]) -> dict[str, Any]:
    """Seconds of all runs, evaluation included, and peak memory of runs and this process in GB; None where unknown."""
    finished = [run.metrics() or {} for run in runs]
    peaks = [one["peak_memory_gb"] for one in finished if one.get("peak_memory_gb") is not None]
    peak = max(*peaks, peak_memory_gb() or 0.0) if peaks else None
    seconds = sum(one.get("elapsed", one.get("seconds", 0.0)) for one in finished)
    return {"seconds_total": round(seconds, 1), "peak_memory_gb": peak}


def curves(logs: list[list[dict[str, Any]]]) -> dict[str, Curve]:
    """The evaluations of all seeds by name: `accuracy_train`, `loss_box_test`, ..., with iterations x, one y a seed."""
    x = [entry["iteration"] for entry in logs[0]]
    return {
        f"{name}_{split}": Curve(x, [[entry[split][name] for entry in log] for log in logs])
        for split in ("train", "test")
        for name in (logs[0][0][split] if x else ())
    }


def pictures(experiment: Experiment, run: Run, train: Dataset, test: Dataset) -> dict[str, Any]:
    """What the first seed's network sees, as far as the experiment shows it."""
    if not experiment.pictures:
        return {}
    model, _ = run.load_model()
    if experiment.pictures == "detections":
        return {"detections": detections(model, test)}
    return {"rois": {"train": rois(model, train), "test": rois(model, test)}}
