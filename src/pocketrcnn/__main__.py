"""`python -m pocketrcnn` is the command `pocketrcnn`."""

import sys

from .cli.main import main

sys.exit(main())
