"""Ray itself: whether it is here, and actors of Ray Data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...data.overview import counted
from ...errors import UserError
from ...terminal import warn

if TYPE_CHECKING:
    from ray.data import Dataset


def require_ray() -> None:
    """Raises UserError where Ray, or what Ray Data needs, is not installed."""
    try:
        import ray.data  # noqa: F401
    except ImportError as error:
        raise UserError("ray is not installed: `pip install '.[ray]'` in a clone of the project") from error


def say_what_lacks(workers: int, each: dict[str, int]) -> None:
    """A line where the cluster has less now than so many workers need: Ray waits for more, or for others to end."""
    import ray

    if not ray.is_initialized():
        ray.init()
    there = ray.cluster_resources()
    for name, number in each.items():
        if (needed := workers * number) > there.get(name, 0):
            problem = f"{counted(workers, 'worker')} need {needed} {name}, the cluster has {there.get(name, 0):g}"
            warn(f"{problem}: waiting for more; with fewer workers, it begins at once")


def with_actors(rows: Any, worker: type, arguments: tuple[Any, ...], size: int, count: int | None) -> Dataset:
    """Rows through actors, `size` at a time."""
    from ray.data import ActorPoolStrategy

    pool = ActorPoolStrategy(size=count) if count else ActorPoolStrategy()
    given = {"batch_size": size, "batch_format": "numpy", "compute": pool, "num_cpus": 1}
    return rows.map_batches(worker, fn_constructor_args=arguments, **given)
