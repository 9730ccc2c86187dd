"""A batch changed at random, its boxes with it.

augment   which changes, in which order, and how likely
geometry  size, place and mirroring
mixing    objects pasted in, mosaics
colour    colours and noise
"""
