"""CIFAR-10, and the scenes that are made of it."""
