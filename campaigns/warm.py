"""What every command of the command line needs first, loaded once: the server of `commands` imports this, then forks.

Loaded: torch, the package, and what matplotlib reads when it draws for the first time. One thread: none can be forked.
"""

import torch

import pocketrcnn.cli.main
import pocketrcnn.custom.detector
import pocketrcnn.custom.predict
import pocketrcnn.custom.report.summary
import pocketrcnn.custom.seeds  # noqa: F401 - all of them are for the processes that are forked
from pocketrcnn.report.charts import svg

torch.set_num_threads(1)
svg(lambda axes: axes.plot([0, 1], label="1"))
