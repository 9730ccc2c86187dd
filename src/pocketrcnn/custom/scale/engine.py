"""Ray itself: whether it is here, and actors of Ray Data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...errors import UserError

if TYPE_CHECKING:
    from ray.data import Dataset


def require_ray() -> None:
    """Raises UserError where Ray, or what Ray Data needs, is not installed."""
    try:
        import ray.data  # noqa: F401
    except ImportError as error:
        raise UserError("ray is not installed: `pip install '.[ray]'` in a clone of the project") from error


def with_actors(rows: Any, worker: type, arguments: tuple[Any, ...], size: int, count: int | None) -> Dataset:
    """Rows through actors, `size` at a time."""
    from ray.data import ActorPoolStrategy

    pool = ActorPoolStrategy(size=count) if count else ActorPoolStrategy()
    given = {"batch_size": size, "batch_format": "numpy", "compute": pool, "num_cpus": 1}
    return rows.map_batches(worker, fn_constructor_args=arguments, **given)
