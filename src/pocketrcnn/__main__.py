"""`python -m pocketrcnn` is the command `pocketrcnn`."""

import sys

from .cli import main

sys.exit(main())
