"""How the words of a command line are taken apart: argparse, with errors of one line that name the nearest word."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import NoReturn, TypeAlias

from ..errors import UserError, nearest


class Parser(argparse.ArgumentParser):
    """argparse with errors of one line that name the nearest known word."""

    meant: Callable[[list[str]], str] | None = None
    """What words that belong to no option were meant as, for the end of the error; empty where that is not known."""

    def error(self, message: str) -> NoReturn:
        raise UserError(f"{message} (see `{self.prog} --help`)")

    def parse_known_args(self, args=None, namespace=None):  # type: ignore[no-untyped-def]
        """As in argparse, but unknown options are refused here, where the known ones are at hand."""
        found, rest = super().parse_known_args(args, namespace)
        for word in rest:
            if word.startswith("-"):
                options = [option for action in self._actions for option in action.option_strings]
                self.error(f"unknown option {word.split('=')[0]}{nearest(word.split('=')[0], options)}")
        if rest and self.meant:
            self.error(f"unrecognized arguments: {' '.join(rest)}{self.meant(rest)}")
        return found, rest

    def _check_value(self, action: argparse.Action, value: object) -> None:
        if action.choices is not None and value not in action.choices:
            words = [str(choice) for choice in action.choices]
            what = "/".join(action.option_strings) or action.metavar or action.dest
            self.error(f"{what}: unknown word `{value}`{nearest(str(value), words)}; there are {', '.join(words)}")


Commands: TypeAlias = "argparse._SubParsersAction[Parser]"  # subscripted for the type checker alone
Run = Callable[[argparse.Namespace], int | None]


def command(commands: Commands, name: str, run: Run, text: str) -> Parser:
    """A command with its function, which returns None or an exit code, and its line of help."""
    made = commands.add_parser(name, help=text, description=text, allow_abbrev=False)
    made.set_defaults(run=run)
    return made
