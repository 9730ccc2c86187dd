"""A trained detector as one ONNX file: written, compared with torch, and run without torch.

export    a network to one ONNX file
parity    whether the file says what torch says
checksum  whether the file is as it was written
runtime   the file at work, without torch
run_file  the file in the folder of a run, in place of torch
"""
