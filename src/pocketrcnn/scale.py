"""`import pocketrcnn.scale`: prediction on Ray, with the extra `ray`."""

from .custom.scale.predict import predict

__all__ = ["predict"]
