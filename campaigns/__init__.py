"""Promises of reliability, each put to the test by one command: `python -m campaigns ROW`. Not installed.

__main__  the command line
campaign  what a campaign is: seeded trials, counted; failures are kept
rows      the campaigns by name, with the module of each
limits    a piece of work, or a command, in a forked child with limits of time and memory
mutations, crafted, image_bombs      damaged files, and files that are made to do harm
annotation_samples, small_run        valid data in every format, and a small run, for what damages them
ordinary_commands                    what people type

Those in which commands are killed, stopped and refused (K1 to K4, P1, D1) share:

commands         commands of the command line in processes of their own
warm             what these processes have loaded
file_operations  noted, counted, stopped, refused
prepared         data and a run that they begin with
jobs             every command that writes, and what it leaves behind
run_folders      what folders hold, without times
small_cifar      a CIFAR-10 of a few records
"""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "tests" / "support"))  # data sets and oracles that the tests use, too
