"""`pocketrcnn export --page`: a detector as one HTML file, which needs a browser and nothing else.

engine  ONNX Runtime for browsers, from the cache
"""
