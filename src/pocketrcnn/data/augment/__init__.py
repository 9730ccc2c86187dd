"""A batch changed at random, its boxes with it."""
