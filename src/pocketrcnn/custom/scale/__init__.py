"""On the engines of others: what `pocketrcnn.scale` hands on. No file here imports Ray before it is used.

predict   detections by a pipeline of Ray Data
sources   files, places and data sets, as rows
engine    Ray itself
worker    what each of its actors does
train     training by workers of Ray Train
"""
