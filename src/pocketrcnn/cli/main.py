"""The command line. Each command imports what it needs when it runs, so that `--help` answers at once."""

from __future__ import annotations

import io
import os
import shlex
import sys
from collections.abc import Sequence

from ..errors import UserError
from ..version import __version__
from . import course, data, detector, measure
from .parsing import Parser

FAILURE = 2
GOES_ON = ("download", "reproduce")  # commands that leave alone what is done


def parser() -> Parser:
    """All commands and options."""
    top = Parser(
        prog="pocketrcnn",
        description="Object detectors for small images, trained from scratch on a CPU.",
        allow_abbrev=False,
    )
    top.add_argument("--version", action="version", version=f"pocketrcnn {__version__}")
    commands = top.add_subparsers(dest="verb", metavar="COMMAND", parser_class=Parser)
    for add in (*data.ADD, *detector.ADD, *course.ADD, *measure.ADD):
        add(commands)
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command line; returns the exit code: 0 or the command's own, 2 for the user's errors, 130 after Ctrl-C."""
    words = list(sys.argv[1:] if argv is None else argv)
    if isinstance(sys.stdout, io.TextIOWrapper) and sys.stdout.errors == "strict":
        sys.stdout.reconfigure(errors="backslashreplace")  # names of files need not be text
    try:
        arguments = parser().parse_args(words)
        if arguments.verb is None:
            parser().print_help()
            return FAILURE
        arguments.command = shlex.join(["pocketrcnn", *words])
        return arguments.run(arguments) or 0
    except UserError as error:
        print(f"pocketrcnn: {' '.join(str(error).split())}", file=sys.stderr)
        return FAILURE
    except KeyboardInterrupt as error:
        told = "interrupted; the same command goes on from here" if words[0] in GOES_ON else "interrupted"
        print(f"\npocketrcnn: {str(error) or told}", file=sys.stderr)  # the training loop has words of its own
        return getattr(error, "code", 130)
    except BrokenPipeError:  # `pocketrcnn costs convnet | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:  # a path into a locked folder, a name that is too long
        print(f"pocketrcnn: {told_of(error)}", file=sys.stderr)
        return FAILURE


def told_of(error: OSError) -> str:
    """What the system refused, in one line, with the file where it is known."""
    if error.filename is None:
        return f"the system refused ({error.strerror or error}): put that right and try again"
    name = os.fsdecode(error.filename)  # the stream escapes what is no text
    return f"{name} cannot be used ({error.strerror}): check the name, and that you may read and write there"
