"""Pixels: image files read, rotated upright, padded to a square, kept in a cache."""
