"""A trained detector as one ONNX file: written, compared with torch, and run without torch.

export   a network to one ONNX file
parity   whether the file says what torch says
runtime  the file at work, without torch
"""
