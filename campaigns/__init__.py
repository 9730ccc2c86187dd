"""Promises of reliability, each put to the test by one command: `python -m campaigns ROW`. Not installed.

__main__  the command line
campaign  what a campaign is: seeded trials, counted; failures are kept
rows      the campaigns by name, with the module of each
"""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "tests" / "support"))  # data sets and oracles that the tests use, too
