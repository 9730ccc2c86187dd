"""`from pocketrcnn.runtime import Detector`: an exported detector, without torch."""

from .custom.detections import Detections
from .custom.onnx.runtime import Detector

__all__ = ["Detections", "Detector"]
