"""A trained detector as one ONNX file: written, compared with torch, and run without torch."""
