"""How many threads of the processor a command uses. No torch when this is imported.

They do not follow the load of the machine: sums are split by thread, so that another number changes the last digits.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

from ..errors import require

SENSIBLE = 8  # threads that are allowed everywhere, as runs of another machine go on with their number
Threads = Annotated[
    int | None,
    "N",
    "threads of the processor (default: OMP_NUM_THREADS, else one a core); 1 is fastest beside other programs; "
    "another number changes the last digits of results",
]


def require_threads(threads: int | None, workers: int | None = None) -> None:
    """Raises UserError for a number of threads that cannot be, or beside processes that have one each."""
    require(threads is None or threads >= 1, f"--threads {threads}: use 1 or more")
    cores = os.cpu_count() or 1
    many = f"--threads {threads}: this machine has {cores} core{'s' if cores > 1 else ''}, use at most"
    most = max(cores, SENSIBLE)
    require(threads is None or threads <= most, f"{many} {most}, more would wait for each other")
    both = f"--threads {threads} and --workers {workers}: leave one out, each of the workers has one thread"
    require(threads is None or workers is None, both)


@contextmanager
def torch_threads(count: int | None) -> Iterator[None]:
    """So many threads for torch while the block lasts; None, and where torch is not loaded: nothing changes."""
    torch = sys.modules.get("torch")
    if torch is None or count is None:
        yield
        return
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
