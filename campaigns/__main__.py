"""`python -m campaigns ROW [--trials N] [--seed S] [--short]`: run a campaign, print its counts.

Exit code 0 if no trial failed, 1 if some did, 2 for a row that is not there. Failures lie in folders below --keep, each
with what the trial had made, its message, and the command that repeats it.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from .campaign import load, run
from .rows import ROWS


def main(words: list[str] | None = None) -> int:
    """Parse options, run the campaign, print its counts."""
    parser = argparse.ArgumentParser(
        prog="python -m campaigns", description=rows(), formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("row", choices=ROWS, metavar="ROW", help=", ".join(ROWS))
    parser.add_argument("--trials", type=int, help="as many trials as this (default: the long form's)")
    parser.add_argument("--seed", type=int, default=0, help="of all that is random (default: 0)")
    parser.add_argument("--short", action="store_true", help="the few trials of the project's tests")
    parser.add_argument("--first", type=int, default=0, metavar="N", help="begin with trial N, to repeat one")
    parser.add_argument("--keep", type=Path, default=Path("campaign-failures"), help="where failures are kept")
    options = parser.parse_args(words)
    campaign = load(options.row)
    trials = options.trials or (campaign.short if options.short else number(campaign.long))
    outcome = run(campaign, options.row, trials, options.seed, keep=options.keep, first=options.first)
    print(outcome)
    return 1 if outcome.failures else 0


def number(long: int | Callable[[], int]) -> int:
    """The trials of the long form."""
    return long if isinstance(long, int) else long()


def rows() -> str:
    """The campaigns and their promises, a line each."""
    return "\n".join(f"{name}  {promise}" for name, (promise, _) in ROWS.items())


if __name__ == "__main__":
    sys.exit(main())
