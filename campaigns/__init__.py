"""Promises of reliability, each put to the test by one command: `python -m campaigns ROW`. Not installed.

__main__  the command line
campaign  what a campaign is: seeded trials, counted; failures are kept
rows      the campaigns by name, with the module of each
limits    a piece of work, or a command, in a forked child with limits of time and memory
mutations, crafted, image_bombs      damaged files, and files that are made to do harm
annotation_samples, small_run        valid data in every format, and a small run, for what damages them
ordinary_commands                    what people type
"""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "tests" / "support"))  # data sets and oracles that the tests use, too
