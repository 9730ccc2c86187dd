"""How good a detector is: metrics on arrays, and a network on a data set. No files, no run."""
