"""The data rooms: what is fetched, kept, composed and handed out as batches."""

from .datasets import Dataset, open_dataset

__all__ = ["Dataset", "open_dataset"]
