"""Under torchrun each process has a rank, from which its share of the parts follows. No torch here."""

from __future__ import annotations

import dataclasses

from ...terminal import say
from ...training.launch import launch
from ..options import PredictOptions


def shared_by_rank(options: PredictOptions) -> PredictOptions:
    """The options of one of several processes of torchrun: its share is that of its rank, unless one is named, which
    the processes then make together."""
    ours = launch()
    if options.shard is not None or ours.count < 2:
        return options
    say(f"torchrun: shard {ours.rank}/{ours.count}")
    return dataclasses.replace(options, shard=(ours.rank, ours.count))
