"""`from pocketrcnn.runtime import Detector`: an exported detector, without torch."""

from .custom.onnx.runtime import Detector
from .model.interchange import Detections

__all__ = ["Detections", "Detector"]
