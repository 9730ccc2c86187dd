"""Workers of `predict --workers` that die: in place of `team.work`, in processes that know no test."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

from pocketrcnn.custom.parts.team import work

ONCE, ALWAYS = "dies-once.png", "dies-always.png"  # images in whose parts a worker dies


def dying(source: Any, job: Any, given: tuple[int, list[str]]) -> Any:
    """The work on a part, where no image of it is one of these."""
    names = {name.rpartition("/")[2] for name in given[1]}
    mark = Path(job.out, "died")
    if ALWAYS in names or (ONCE in names and not mark.exists()):
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return work(source, job, given)
