"""results.json: everything that `report.html` shows, as plain data made from finished runs."""

from __future__ import annotations

import shlex
import statistics
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from ..config import TrainConfig
from ..data.dataset import Dataset
from ..model import costs
from ..training.machine import peak_memory_gb
from ..training.run import METRICS, Run
from ..version import __version__
from .experiments import Experiment
from .pictures import detections, rois

SCHEMA = 1


def spread(values: Sequence[float]) -> dict[str, Any]:
    """n, mean, standard deviation of the sample (0 for one value), and the values."""
    deviation = statistics.stdev(values) if len(values) > 1 else 0.0
    return {"n": len(values), "mean": statistics.fmean(values), "std": deviation, "values": list(values)}


def record(experiment: Experiment, recipe: str, runs: list[Run], train: Dataset, test: Dataset) -> dict[str, Any]:
    """One experiment: metrics over its seeds, curves, costs, pictures, and how to repeat it."""
    config, found = runs[0].config, [run.metrics() or {} for run in runs]
    for run, figures in zip(runs, found, strict=True):
        run.require(METRICS, figures["metrics"], {experiment.published.metric})
    metrics = {name: spread([f["metrics"][name] for f in found]) for name in found[0]["metrics"]}
    published, cost = experiment.published, costs.summary(experiment.network, config.model)
    mean = metrics[published.metric]["mean"]
    compared = {"value": published.value, "better": published.better, "beaten": published.beaten_by(mean)}
    return {
        "id": experiment.id,
        "title": experiment.title,
        "network": experiment.network,
        "recipe": recipe,
        "iterations": config.train.iterations,
        "batch": config.train.batch,
        "seeds": [run.config.train.seed for run in runs],
        "data": {"train": train.name, "test": test.name},
        "metrics": metrics,
        "headline": published.metric,
        "report": compared if test.official else None,
        "seconds": spread([f["seconds"] for f in found]),
        "multiplications": cost["multiplications"],
        "parameters": cost["parameters"],
        "layers": cost["layers"],
        "curves": curves([run.log_entries() for run in runs]),
        "pictures": pictures(experiment, runs[0], train, test),
        "command": f"pocketrcnn reproduce --only {experiment.id} --recipe {recipe}"
        + f" --iterations {config.train.iterations}"
        + (f" --batch {config.train.batch}" if config.train.batch != TrainConfig.batch else "")
        + (f" --seeds {len(runs)}" if len(runs) > 1 else "")
        + (f" --data {shlex.quote(config.data.source)}" if config.data.source != "cifar10" else "")
        + (f" --backgrounds {shlex.quote(config.data.backgrounds)}" if config.data.backgrounds else ""),
        **runs[0].environment(),
    }


def totals(runs: list[Run]) -> dict[str, Any]:
    """Seconds of all runs, evaluation included, and the most memory that a process held, in GB.

    The seconds are of the runs, not of the call that writes them down: an earlier call may have done the work. Memory
    is that of the runs and of this process up to now, pictures for the report included; None where no run says its own.
    """
    found = [run.metrics() or {} for run in runs]
    peaks = [f["peak_memory_gb"] for f in found if f.get("peak_memory_gb") is not None]
    peak = max(*peaks, peak_memory_gb() or 0.0) if peaks else None
    seconds = sum(f.get("elapsed", f.get("seconds", 0.0)) for f in found)
    return {"seconds_total": round(seconds, 1), "peak_memory_gb": peak}


def curves(logs: list[list[dict[str, Any]]]) -> dict[str, Any]:
    """The points of all seeds by name: `accuracy_train`, `loss_box_test`, ..., each with iterations x, one y a seed."""
    found = {}
    for split in ("train", "test"):
        for name in logs[0][0][split] if logs[0] else ():
            x = [point["iteration"] for point in logs[0]]
            found[f"{name}_{split}"] = {"x": x, "y": [[point[split][name] for point in log] for log in logs]}
    return found


def pictures(experiment: Experiment, run: Run, train: Dataset, test: Dataset) -> dict[str, Any]:
    """What the first seed's network sees, as far as the experiment shows it."""
    if not experiment.pictures:
        return {}
    (model, _), found = run.load_model(), {}
    if "rois" in experiment.pictures:
        found["rois"] = {"train": rois(model, train), "test": rois(model, test)}
    if "detections" in experiment.pictures:
        found["detections"] = detections(model, test)  # type: ignore[assignment]
    return found


def results(records: list[dict[str, Any]], **facts: Any) -> dict[str, Any]:
    """The whole file; `facts` are command, schedule, data, seconds_total, peak_memory_gb and the environment."""
    created = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {"schema": SCHEMA, "version": __version__, "created": created, **facts, "experiments": records}
