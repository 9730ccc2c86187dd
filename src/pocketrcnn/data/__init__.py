"""The data rooms: what is fetched, kept, composed and handed out as batches."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .datasets import Dataset, open_dataset

__all__ = ["Dataset", "open_dataset"]


def __getattr__(name: str) -> Any:
    """Data sets hold tensors; whoever reads images alone does not wait for torch."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from . import datasets

    return getattr(datasets, name)
