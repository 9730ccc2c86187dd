"""How the words of a command line are taken apart: argparse, with errors of one line that name the remedy."""

import argparse
from collections.abc import Callable, Sequence
from typing import NoReturn

from ..errors import UserError, nearest

LENGTHS = ("--epochs", "--epoch", "--max-epochs", "--steps", "--max-steps", "--iters", "--max-iter", "--time")
HINTS = (  # words of other tools, and of older versions; the option that the command must have; what to do
    (("--turn", "--rotation", "--degrees"), "--rotate", "use --rotate"),
    (("--size", "--imgsz", "--img", "--img-size", "--image-size", "--imsize"), "--input-size", "use --input-size"),
    (LENGTHS, "--minutes", "use --minutes or --iterations to set the length of training"),
    (LENGTHS, "--iterations", "use --iterations to set the length of training"),
    (("--lr", "--lr0", "--learning-rate"), "--set", "use --set optim.lr=0.005"),
    (("--weight-decay", "--momentum", "--warmup"), "--set", "use --set optim.NAME=VALUE"),
    (("--iou", "--iou-thres", "--nms", "--nms-iou"), "--set", "use --set model.nms_iou=0.6"),
    (("--iou", "--iou-thres", "--nms", "--nms-iou"), "--threshold", "train with --set model.nms_iou=0.6"),
    (("--conf", "--conf-thres", "--score", "--min-score", "--confidence"), "--threshold", "use --threshold"),
    (("--batch-size", "--bs"), "--batch", "use --batch"),
    (("--gpu", "--gpus", "--cuda"), "--device", "use --device cuda"),
    (("--cpu",), "--device", "use --device cpu"),
    (("--model", "--arch", "--backbone"), "--preset", "use --preset"),
    (("--weights", "--pretrained", "--ckpt"), "--preset", "leave it out, every network is trained from scratch"),
    (("--weights", "--model", "--ckpt"), "", "name the folder of the run, without an option"),
    (("--resume",), "--preset", "use the command `pocketrcnn resume RUN`"),
    (("--num-workers",), "", "leave it out, images are not read by processes of their own"),
    (("--data", "--source", "--images", "--dataset", "--input"), "", "write the path without an option"),
    (("--project", "--name", "--output", "--output-dir", "--save-dir"), "--out", "use --out"),
    (("--format",), "--to", "use --to"),
)


def hint(word: str, known: Sequence[str]) -> str:
    """What to do instead of an unknown option: `: use --rotate`, ` (did you mean `--out`?)`, or nothing."""
    name = word.lower().replace("_", "-")
    fitting = (text for words, needed, text in HINTS if name in words and needed in ("", *known))
    return next((f": {text}" for text in fitting), None) or nearest(word, known)


class Parser(argparse.ArgumentParser):
    """argparse with errors of one line that name the nearest known word."""

    meant: Callable[[list[str]], str] | None = None
    """What words without an option were meant as, for the end of the error; empty where that is not known."""

    def error(self, message: str) -> NoReturn:
        raise UserError(f"{message} (see `{self.prog} --help`)")

    def parse_known_args(self, args=None, namespace=None):  # type: ignore[no-untyped-def]
        """As in argparse, but unknown options are refused here, where the known ones are at hand."""
        arguments, rest = super().parse_known_args(args, namespace)
        for word in (word.split("=")[0] for word in rest):
            if word.startswith("-"):
                options = [option for action in self._actions for option in action.option_strings]
                self.error(f"unknown option {word}{hint(word, options)}")
        rest = self.taken_later(arguments, rest)
        if rest and self.meant:
            self.error(f"unrecognized arguments: {' '.join(rest)}{self.meant(rest)}")
        return arguments, rest

    def taken_later(self, arguments: argparse.Namespace, words: list[str]) -> list[str]:
        """Words behind an option, which argparse gives to no argument that can do without any, or has some already.

        Each such argument gets them, in order: `predict RUN --out DIR IMAGES`. Returns the words that are left.
        """
        for action in self._get_positional_actions():
            given, several = getattr(arguments, action.dest, None), action.nargs in ("*", "+")
            if not words or not (several or (action.nargs == "?" and given is None)):
                continue
            mine, words = (words, []) if several else (words[:1], words[1:])
            try:
                values = self._get_values(action, mine)
            except argparse.ArgumentError as error:
                self.error(str(error))
            setattr(arguments, action.dest, [*(given or ()), *values] if several else values)
        return words

    def _check_value(self, action: argparse.Action, value: object) -> None:
        if action.choices is not None and value not in action.choices:
            words = [str(choice) for choice in action.choices]
            what = "/".join(action.option_strings) or action.metavar or action.dest
            self.error(f"{what}: unknown word `{value}`{nearest(str(value), words)}; there are {', '.join(words)}")
