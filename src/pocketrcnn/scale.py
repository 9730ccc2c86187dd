"""`import pocketrcnn.scale`: prediction and training on Ray, with the extra `ray`."""

from .custom.scale.predict import predict
from .custom.scale.train import train

__all__ = ["predict", "train"]
