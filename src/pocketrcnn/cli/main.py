"""The command line. Each command imports what it needs when it runs, so that `--help` answers at once."""

import io
import logging
import os
import shlex
import shutil
import sys
import warnings
from argparse import Namespace
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from typing import NoReturn

from ..errors import UserError, out_of_memory
from ..training.launch import launch, leave, require_one_process
from ..training.signals import interrupts_repeated
from ..version import __version__
from . import course, data, detector, measure, options
from .parsing import Parser

FAILURE = 2
COMMANDS: dict[str, Callable[..., int | None]] = {
    "check": data.check,
    "convert": data.convert,
    "train": detector.train,
    "resume": detector.resume,
    "sweep": detector.sweep,
    "eval": detector.evaluate,
    "predict": detector.predict,
    "merge": detector.merge,
    "export": detector.export,
    "explain": detector.explain,
    "report": measure.report,
    "reproduce": course.reproduce,
    "download": course.download,
    "scenes": course.scenes,
    "costs": measure.costs,
    "bench": measure.bench,
}
LIGHT = ("numpy", "rich", "msgspec", "jinja2", "platformdirs", "filelock")
PACKAGES = {"PIL": "pillow", "yaml": "PyYAML"} | {
    name: name for name in (*LIGHT, "torch", "safetensors", "matplotlib", "hotcoco")
}
"""What `pip install .` brings: names of modules and of what is installed."""
TOGETHER = ("train", "resume", "predict")  # commands that several processes of torchrun do together
REPEATABLE = ("download", "reproduce", "sweep")  # commands that skip what is already done


def parser() -> Parser:
    """All commands and options."""
    top = Parser(
        prog="pocketrcnn",
        description="Object detectors for small images, trained from scratch on a CPU.",
        allow_abbrev=False,
    )
    top.add_argument("--version", action="version", version=f"pocketrcnn {__version__}")
    commands = top.add_subparsers(dest="verb", metavar="COMMAND", parser_class=Parser)
    for name, function in COMMANDS.items():
        text = " ".join((function.__doc__ or "").split())
        command = commands.add_parser(name, help=text.split(". ")[0].rstrip("."), description=text, allow_abbrev=False)
        options.add_arguments(command, function)
        command.set_defaults(function=function)
        command.meant = {"reproduce": course.experiments, "export": detector.file_to_write}.get(name)
    return top


def run() -> NoReturn:
    """The command `pocketrcnn`: the process ends with the exit code of its command line.

    One of several processes ends at once. In a process that is being taken down bit by bit a thread of gloo may still
    hold a tensor of Python's, and abort the process when it lets go of it (pytorch#190489).
    """
    try:
        code: str | int | None = main()
    except SystemExit as error:
        code = error.code
    if launch().count == 1 or isinstance(code, str):
        sys.exit(code)
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(code or 0)


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command line; returns the exit code: that of the command, 2 for errors of the user, 130 after Ctrl-C."""
    words = list(sys.argv[1:] if argv is None else argv)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and stream.errors in ("strict", "surrogateescape"):  # C locales: ASCII
            stream.reconfigure(errors="backslashreplace")  # names of files need not be text
    warnings.filterwarnings("ignore", module=r"PIL\.")  # of damaged files: what matters is said in one line
    logging.getLogger("PIL").addHandler(logging.NullHandler())
    try:
        return answered(words)
    except KeyboardInterrupt as error:  # also while `answered` says what went wrong
        remedy = "interrupted; the same command goes on from here" if words[0] in REPEATABLE else "interrupted"
        complain(f"\npocketrcnn: {str(error) or remedy}")  # the training loop says more
        return getattr(error, "code", 130)


def answered(words: list[str]) -> int:
    """Run a command line and say what went wrong; returns the exit code. Ctrl-C is left to `main`."""
    try:
        with interrupts_repeated():
            arguments = parsed(words)
            if arguments.verb is None:
                parser().print_help()
                return FAILURE
            if arguments.verb not in TOGETHER:
                require_one_process(f"`{arguments.verb}`")
            arguments.command = shlex.join(["pocketrcnn", *words])
            return options.call(arguments.function, arguments) or 0
    except UserError as error:
        complain(f"pocketrcnn: {' '.join(str(error).split())}")
        return FAILURE
    except BrokenPipeError:  # `pocketrcnn costs convnet | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (OSError, UnicodeEncodeError, MemoryError, RuntimeError, ModuleNotFoundError) as error:
        if not (reason := lacking(error, words[0]) if isinstance(error, ModuleNotFoundError) else described(error)):
            raise
        complain(f"pocketrcnn: {reason}")
        return FAILURE


def parsed(words: list[str]) -> Namespace:
    """The command and its options. What is wrong is said by one of the processes that torchrun starts on a machine: all
    have the same words."""
    try:
        return parser().parse_args(words)
    except UserError:
        if launch().local:
            leave(FAILURE)
        raise


def complain(text: str) -> None:
    """Print an error, one line; on a terminal it is wrapped between words."""
    from ..terminal import usable, warn

    warn(text, usable(shutil.get_terminal_size()).width)


def lacking(error: ModuleNotFoundError, verb: str) -> str:
    """The packages of the project that are not installed, in one line; empty where another one is missing."""
    if (error.name or "").partition(".")[0] not in PACKAGES:
        return ""
    names = ", ".join(name for module, name in PACKAGES.items() if find_spec(module) is None)
    alone = "`predict` with an exported file needs numpy, pillow and onnxruntime alone"
    return (
        f"`{verb}` needs packages that are not installed ({names}): `pip install .` in a clone of the project; {alone}"
    )


def described(error: Exception) -> str:
    """What the system refused, in one line, with the file where it is known: a path into a locked folder, a name that
    is too long, memory. Empty for other errors."""
    if isinstance(error, UnicodeEncodeError):  # the name of a file, under a locale that lacks its letters
        letters = ascii(error.object[error.start : error.end])
        remedy = "set PYTHONUTF8=1 in the environment, and try again"
        return f"the system's encoding, {error.encoding}, lacks the letters {letters} of a name: {remedy}"
    if not isinstance(error, OSError):
        if not out_of_memory(error):
            return ""
        reason = (str(error).splitlines() or ["all of it is used"])[0]
        return f"memory is not enough ({reason}): use a smaller --input-size, --batch or --preset"
    if error.filename is None:
        return f"the system refused ({error.strerror or error}): correct that and try again"
    name = os.fsdecode(error.filename)  # the stream escapes what is no text
    return f"{name} cannot be used ({error.strerror}): check the name, and that you may read and write there"
