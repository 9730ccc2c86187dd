"""`from pocketrcnn.runtime import Detector`: an exported detector, without torch."""

from .custom.onnx.runtime import Detections, Detector

__all__ = ["Detections", "Detector"]
