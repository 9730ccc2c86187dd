"""Under torchrun each process has a rank, from which its share of the parts follows. No torch here."""

from __future__ import annotations

import dataclasses
import os

from ...terminal import say
from ..options import PredictOptions

NAMES = ("RANK", "WORLD_SIZE", "LOCAL_WORLD_SIZE")  # what torchrun tells its processes


def shared_by_rank(options: PredictOptions) -> PredictOptions:
    """The options of one of several processes of torchrun: its share is that of its rank, unless one is named, which
    the processes then make together."""
    words = [os.environ.get(name, "") for name in NAMES]
    if options.shard is not None or not all(map(str.isdecimal, words)):
        return options
    rank, count, _ = map(int, words)
    if count < 2:
        return options
    say(f"torchrun: shard {rank}/{count}")
    return dataclasses.replace(options, shard=(rank, count))
