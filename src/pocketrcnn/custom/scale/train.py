"""`pocketrcnn.scale.train`: the training of `pocketrcnn.train` by several workers of Ray Train."""

from __future__ import annotations

import dataclasses
import shutil
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...errors import UserError, require
from ..options import TrainOptions
from .engine import require_ray, say_what_lacks

if TYPE_CHECKING:
    from ..commands.training import TrainedRun

WAITS = 10  # times that Ray waits a minute for machines
SECONDS = 1800  # as for processes under torchrun: see `training/joining.py`


def train(
    data: str | PathLike[str],
    *,
    out: str | PathLike[str],
    num_workers: int,
    use_gpu: bool = False,
    threads: int = 1,
    max_failures: int = 0,
    **options: Any,
) -> TrainedRun:
    """Train on a Ray cluster, or on this machine: as under torchrun with as many processes, to the bit.

    data: annotated images, which all workers see below the same path, or at least the same images. out: folder of the
    run, which the first worker writes, and which this program sees, too. num_workers: processes. use_gpu: each has one
    of its own. threads: processors of each. max_failures: how often all are started again where one dies, from the last
    checkpoint. options: those of `pocketrcnn.train`, as `iterations` and `batch` (images of all workers together).

    Raises UserError where Ray is not installed, for data or options that cannot be trained with, and where a worker
    fails more often.
    """
    require_ray()
    from ray.train import FailureConfig, RunConfig, ScalingConfig
    from ray.train.torch import TorchConfig, TorchTrainer

    from ...training.run import saved
    from ..commands.training import TrainedRun

    known = {field.name for field in dataclasses.fields(TrainOptions)} - {"data", "out", "seeds", "workers", "command"}
    unknown = sorted(set(options) - known)
    require(not unknown, f"scale.train has no option {', '.join(unknown)}: use those of `pocketrcnn.train` for one run")
    require(num_workers >= 1, f"num_workers={num_workers}: use 1 or more")
    require(threads >= 1, f"threads={threads}: use 1 or more")
    folder = Path(out).absolute()
    asked = TrainOptions(Path(data).absolute(), out=folder, **{"device": "cuda" if use_gpu else "cpu", **options})
    store = folder.with_name(f".{folder.name}.ray")  # what Ray writes of its own, which nobody needs afterwards
    each = {"CPU": threads} | ({"GPU": 1} if use_gpu else {})
    trainer = TorchTrainer(
        work,
        train_loop_config={"options": asked, "again": saved(folder) is None},
        scaling_config=ScalingConfig(num_workers=num_workers, use_gpu=use_gpu, resources_per_worker=each),
        torch_config=TorchConfig(backend="cpu:gloo,cuda:nccl" if use_gpu else "gloo", timeout_s=SECONDS),
        run_config=RunConfig(
            name="train",
            storage_path=str(store),
            failure_config=FailureConfig(max_failures=max_failures, controller_failure_limit=WAITS),
            worker_runtime_env={"env_vars": {"RAY_TRAIN_ENABLE_PRINT_PATCH": "0"}},  # else each line comes twice
        ),
    )
    say_what_lacks(num_workers, each)
    try:
        trainer.fit()
    except Exception as error:
        raise reason(error) from error
    finally:
        shutil.rmtree(store, ignore_errors=True)
    return TrainedRun(folder, "auto")


def work(given: dict[str, Any]) -> None:
    """What each worker does. given: `options` of the training, and `again`: whether a run in the folder is one that
    these workers began before Ray started them again."""
    from ..train import train as train_together

    try:
        train_together(given["options"], again=given["again"])
    except SystemExit as end:  # in a worker besides the first, which says more
        if end.code:
            raise RuntimeError(f"ended with exit code {end.code}") from end


def reason(error: Exception) -> Exception:
    """What a worker, or Ray, has to say to the user, else the error of Ray."""
    from ray.train import ControllerError

    if isinstance(error, ControllerError) and "startup timed out" in str(error):
        return UserError("the cluster had no room for the workers: use a smaller num_workers, or start more machines")
    failures = getattr(error, "worker_failures", None) or {}
    for _, failure in sorted(failures.items()):
        cause: BaseException | None = failure
        while cause is not None:
            if isinstance(cause, UserError):
                return cause
            cause = getattr(cause, "cause", None) or cause.__cause__
    return error
