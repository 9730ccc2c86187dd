"""Actors of `pocketrcnn.scale.predict` that are killed: in place of `Worker`, in processes that know no test."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

from pocketrcnn.custom.scale.worker import Worker

MARK = "POCKETRCNN_TEST_DIED"  # the variable with the file that says that one has died


class Dying(Worker):
    """Is killed in the middle of its work, once."""

    calls = 0

    def __call__(self, rows: Any) -> Any:
        """The same."""
        found = super().__call__(rows)
        self.calls += 1
        mark = Path(self.folder, "died")
        if self.calls == 2 and not mark.exists():
            mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return found
