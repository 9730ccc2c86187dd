"""On the engines of others: what `pocketrcnn.scale` hands on. No file here imports Ray before it is used.

predict   detections by a pipeline of Ray Data
worker    what each of its actors does
train     training by workers of Ray Train
"""
