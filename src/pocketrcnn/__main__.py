"""`python -m pocketrcnn` is the command `pocketrcnn`."""

from .cli.main import run

run()
