"""Detectors for your own images."""
