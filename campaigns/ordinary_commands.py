"""Commands as people type them on an ordinary day: right ones, wrong ones, and ones with a slip."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from pocketrcnn.cli.main import COMMANDS
from pocketrcnn.course.experiments import NETWORKS
from pocketrcnn.data.formats import WRITERS

from .mutations import TOKENS

RUNS = ("run", "begun")
RUN_FILES = (
    "config.yaml",
    "env.json",
    "log.jsonl",
    "splits.json",
    "metrics.json",
    "report.html",
    "report.json",
    ".lock",
)


@dataclass
class Typed:
    """A command, and what it may do to files.

    new: folders and files that it may make, patterns of paths from the current folder. changed: files that it may
    change or remove, if they are there.
    """

    words: list[str]
    new: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)

    def of_run(self, run: str) -> Typed:
        """It goes on with a run: its files may change, and no other file in its folder."""
        files = [*RUN_FILES, "evaluation-*.json", "*.safetensors"]
        self.new += [f"{run}/{name}" for name in files]
        self.changed += [f"{run}/{name}" for name in files]
        return self


class Person:
    """Who types: what there is in the current folder, and luck."""

    def __init__(self, random: Random, folder: Path) -> None:
        self.random, self.folder, self.made = random, folder, 0

    def any_path(self) -> str:
        """Something that is there, or not."""
        there = sorted(path.relative_to(self.folder).as_posix() for path in self.folder.rglob("*"))
        there = [name for name in there if not name.startswith(("cache", "."))]
        return self.random.choice((*there, ".", "nowhere", "", "..", "no/where", "/dev/null", "a" * 300))

    def data(self) -> str:
        """A data set, mostly."""
        names = [name for name in ("data", "more data", "scenes") if (self.folder / name).is_dir()]
        return self.random.choice(names) if names and self.random.random() < 0.85 else self.any_path()

    def run(self) -> str:
        """A run, mostly."""
        names = [path.parent.relative_to(self.folder).as_posix() for path in sorted(self.folder.rglob("config.yaml"))]
        return self.random.choice(names) if names and self.random.random() < 0.85 else self.any_path()

    def target(self, typed: Typed, ending: str = "") -> str:
        """A new name, mostly."""
        if self.random.random() < 0.15:
            name = self.any_path()
            place = self.folder / name
            if os.path.isdir(place) and any(place.iterdir()):  # `Path.is_dir` refuses names that are too long
                return name  # nothing may be written into it
        else:
            self.made += 1
            name = self.random.choice((f"new{self.made}", f"new {self.made}", f"ünïcode/{self.made}")) + ending
        typed.new += [name, f"{name}/**"]
        return name

    def some(self, *groups: list[str]) -> list[str]:
        """Each of the options with a chance of one third."""
        return [word for group in groups if self.random.random() < 1 / 3 for word in group]

    def number(self, *good: object) -> str:
        """A number that fits, mostly."""
        bad = ("0", "-1", "x", "", "1e3", "999999999999", "nan", "0.5")
        return str(self.random.choice(good)) if self.random.random() < 0.9 else self.random.choice(bad)


def scenes(person: Person) -> Typed:
    """A generated data set."""
    typed = Typed(["scenes"])
    out = person.target(typed)
    typed.words += [out, "--data", "sample", "--objects", person.number("0-3", "2", "1-2"), "--side"]
    typed.words += [person.number(40, 48), "--images", person.number(3, 6)]
    return typed


def check(person: Person) -> Typed:
    """A look at data, or a mended copy."""
    typed = Typed(["check", person.data()])
    typed.words += person.some(["--json"], ["--voc-origin", person.number(0, 1)], ["--follow-outside"])
    if person.random.random() < 0.3:
        typed.words += ["--fix", person.target(typed)]
    return typed


def convert(person: Person) -> Typed:
    """A copy in another format."""
    typed = Typed(["convert", person.data()])
    return Typed([*typed.words, person.target(typed), "--to", person.random.choice((*WRITERS, "tfrecord"))], typed.new)


def train(person: Person) -> Typed:
    """A short training."""
    typed = Typed(["train", person.data(), "--iterations", person.number(1, 2), "--preset", "small"])
    settings = ("augment.paste=2", "optim.lr=0.01", "optim.lr=nan", "model.nms_iou=0.4", "optim.name=sgd", "nothing=1")
    typed.words += person.some(
        ["--batch", person.number(2, 3)],
        ["--rotate"],
        ["--seed", person.number(1, 7)],
        ["--input-size", person.number(32, 48)],
        ["--set", person.random.choice(settings)],
        ["--patience", person.number(3)],
        ["--precision", person.random.choice(("float32", "bfloat16", "auto", "int8"))],
        ["--anchors", person.random.choice(("12x12,20x10", "0x0", "a"))],
        ["--follow-outside"],
        ["--minutes", "1"],
    )
    if person.random.random() < 0.7:
        typed.words += ["--out", out := person.target(typed)]
        return typed.of_run(out) if out in RUNS else typed
    typed.new.append("runs/**")
    return typed


def resume(person: Person) -> Typed:
    """A run goes on."""
    run = person.run()
    typed = Typed(["resume", run, *person.some(["--iterations", person.number(3, 6, 7)], ["--device", "cpu"])])
    return typed.of_run(run)


def evaluate(person: Person) -> Typed:
    """How good a run is."""
    run = person.run()
    typed = Typed(["eval", run, *([person.data()] if person.random.random() < 0.3 else [])])
    typed.words += person.some(["--split", person.random.choice(("train", "val", "test", "all"))], ["--json"])
    return typed.of_run(run)


def report(person: Person) -> Typed:
    """A page on one run or several."""
    runs = [person.run() for _ in range(person.random.choice((1, 1, 1, 2)))]
    typed = Typed(["report", *runs])
    if person.random.random() < 0.3:
        typed.words += ["--out", person.target(typed, ".html")]
    typed.new.append("report.html")
    for run in runs:
        typed.of_run(run)
    return typed


def predict(person: Person) -> Typed:
    """Detections in images."""
    network = person.run() if person.random.random() < 0.7 else "run/model.onnx"
    images = [person.random.choice(("photos", "photos/*.png", "**/*.png", person.any_path())) for _ in range(2)]
    typed = Typed(["predict", network, *images[: person.random.choice((1, 1, 2))]])
    typed.words += person.some(
        ["--threshold", person.number(0.1, 0)],
        ["--save-crops"],
        ["--no-pictures"],
        ["--batch", person.number(1, 3)],
        ["--ids", person.any_path()],
        ["--device", person.random.choice(("cpu", "auto", "tpu"))],
    )
    if person.random.random() < 0.6:
        typed.words += ["--out", person.target(typed)]
    else:
        typed.new.append("predictions*/**")
    return typed


def export(person: Person) -> Typed:
    """A run as one file."""
    run = person.run() if person.random.random() < 0.3 else person.any_path()  # a run takes seconds
    typed = Typed(["export", run], [f"{run}/model.onnx"], [f"{run}/model.onnx"])
    return Typed([*typed.words, "--out", person.target(typed, ".onnx")], typed.new) if person.made % 2 else typed


def explain(person: Person) -> Typed:
    """One image on its way through a network."""
    typed = Typed(["explain", person.run(), person.random.choice(("0", person.number(1, 3), person.any_path()))])
    typed.words += person.some(["--truth"], ["--data", person.data()])
    return Typed([*typed.words, "--out", person.target(typed, ".html")], typed.new)


def download(person: Person) -> Typed:
    """A copy of CIFAR-10 that is none."""
    return Typed(["download", "cifar10", "--from", person.random.choice((person.any_path(), "archive.tar.gz"))])


def measure(person: Person) -> Typed:
    """Costs of a network."""
    words = ["costs", person.random.choice((*NETWORKS, "resnet")), *person.some(["--json"])]
    return Typed([*words, *person.some(["--input-size", person.number(32, 64)])])


def bench(person: Person) -> Typed:
    """The speed of this machine, of options that are refused: the others take long."""
    words = person.random.choice((["step", "--rounds", "0"], ["train", "--data", person.any_path(), "--rounds", "1"]))
    return Typed(["bench", *words, *person.some(["--images", "0"], ["--json"])])


def help_or_nothing(person: Person) -> Typed:
    """Help, or no command at all."""
    choices = ([], ["--help"], ["--version"], [person.random.choice(sorted(COMMANDS)), "--help"], ["frobnicate"])
    return Typed(list(person.random.choice(choices)))


SHARES: dict[Callable[[Person], Typed], int] = {
    **{scenes: 3, check: 8, convert: 6, train: 8, resume: 5, evaluate: 4, report: 4, predict: 8},
    **{export: 1, explain: 2, download: 2, measure: 2, bench: 1, help_or_nothing: 2},
}
SLIPS = 0.1  # of commands
WORDS = (
    "--outt",
    "--out",
    "--help",
    "--json",
    "--epochs",
    "-x",
    "--",
    "--minutes",
    "--images",
    "--workers",
    "--weights",
)
ENDLESS = ("download", "reproduce", "bench")  # words that, put elsewhere, ask for what takes hours or a network


def typed(person: Person) -> Typed:
    """A command, in some cases with a slip: a word is missing, is there twice, or is another one."""
    made = person.random.choice([command for command, share in SHARES.items() for _ in range(share)])(person)
    words = made.words
    if person.random.random() < SLIPS and len(words) > 1 and words[0] not in ENDLESS:
        i = person.random.randrange(1, len(words))
        slip = person.random.randrange(4)
        if slip == 0 and words[i - 1] != "--iterations" and words[i] != "--iterations":
            del words[i]
        elif slip == 1:
            words.insert(i, words[i])
        elif slip == 2:
            words.insert(i, person.random.choice(WORDS))
        elif words[i - 1] != "--iterations":
            words[i] = person.random.choice(TOKENS).replace("\0", "")[:200]
        if words != made.words or slip:
            made.new += [
                "predictions*/**",
                "runs/**",
                "report.html",
                *(one for w in words for one in (w, f"{w}/**") if w),
            ]
    made.words = [word.encode("utf-8", "replace").decode() for word in words]
    return made
