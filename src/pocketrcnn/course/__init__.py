"""The 2017 course report, reproduced."""
