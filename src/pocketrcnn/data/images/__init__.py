"""Pixels: files of images read, turned upright, fitted into a square, kept in a cache."""
