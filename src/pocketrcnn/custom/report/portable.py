"""Summaries without the folders of the machine: reports are mailed around. No torch.

Data sets become the name of their folder, and images are named from there; the home folder becomes `~`, and every other
absolute path its last part, in commands and messages, too. Data sets that differ keep names that differ: `nuclei` and
`nuclei (2)`.
"""

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePath, PurePosixPath, PureWindowsPath
from typing import Any

Summary = dict[str, Any]

START = r"(?:/|[A-Za-z]:[\\/]|\\\\)"  # of an absolute path: also of one that was written on Windows
QUOTED = re.compile(rf"(?<=')(?:{START}[^']*)(?=')|(?<=\")(?:{START}[^\"]*)(?=\")")
BARE = re.compile(rf"(?<![\w.~/\\]){START}(?:[^\s/\\'\"`]+[/\\])+")  # up to the last part
END = r"(?![^\s/\\'\"`:,;)])"  # of a path that is known, and not the beginning of another name
HOME = os.path.expanduser("~")
LEFT_ALONE = ("model.classes", "data.classes")  # names, which may look like paths


def portable(runs: Sequence[Summary]) -> list[Summary]:
    """Copies of the summaries of runs that are shown together, without a folder of this machine."""
    names = named([source for run in runs for source in sources(run)])
    return [without_folders(run, names) for run in runs]


def without_paths(about: Summary, runs: Sequence[Summary]) -> Summary:
    """What is known of a sweep of these runs, without a folder of this machine in commands and reasons."""
    names = named([source for run in runs for source in sources(run)])
    trials = [{**trial, "reason": shortened(trial["reason"], names)} for trial in about["trials"]]
    commands = {name: about[name] and shortened(about[name], names) for name in ("command", "longer")}
    return {**about, **commands, "trials": trials}


def sources(run: Summary) -> Iterator[str]:
    """Where the data of a run were and are, as its files say."""
    yield str(run["settings"].get("data.source", ""))
    yield from (one["data"] for one in run["evaluations"].values())
    yield from [run["data"]["data"]] if run["data"] else []


def named(paths: Sequence[str]) -> dict[str, str]:
    """The last part of each absolute path, numbered where another path has the same."""
    names: dict[str, str] = {}
    for path in paths:
        if path not in names and path_of(path).is_absolute():
            same = sum(path_of(other).name == path_of(path).name for other in names)
            names[path] = path_of(path).name + (f" ({same + 1})" if same else "")
    return names


def path_of(text: str) -> PurePath:
    """A path of the system that it was written on."""
    return PureWindowsPath(text) if re.match(r"[A-Za-z]:[\\/]|\\\\", text) else PurePosixPath(text)


def without_folders(run: Summary, names: Mapping[str, str]) -> Summary:
    """One summary with the names of its data in place of their paths."""
    data, pictures, roots = run["data"], run["pictures"], [path_of(path) for path in names]
    settings = {
        key: shortened(value, names) if isinstance(value, str) and key not in LEFT_ALONE else value
        for key, value in run["settings"].items()
    }
    evaluations = {
        split: {**one, "data": shortened(one["data"], names), "images": below(one["images"], roots)}
        for split, one in run["evaluations"].items()
    }
    return {
        **run,
        "settings": settings,
        "evaluations": evaluations,
        "command": shortened(run["command"], names),
        "missing": shortened(run["missing"], names),
        "data": data and {**data, "data": shortened(data["data"], names)},
        "pictures": pictures and {**pictures, "images": below(pictures["images"], roots)},
    }


def below(images: Sequence[Summary], roots: Sequence[PurePath]) -> list[Summary]:
    """Rows of images with the path of each from the folder of its data on."""
    return [{**row, "name": relative(path_of(row["name"]), roots)} for row in images]


def relative(path: PurePath, roots: Sequence[PurePath]) -> str:
    """A path from the folder of the data on, or from the folder of the file that they are; else its last part."""
    if not path.is_absolute():
        return path.as_posix()
    above = [root for root in (*roots, *(root.parent for root in roots)) if path.is_relative_to(root)]
    return path.relative_to(above[0]).as_posix() if above else path.name


def shortened(text: str, names: Mapping[str, str]) -> str:
    """A text in which paths of data have their name, and every other absolute path its last part."""
    known = {HOME: "~", **names}
    for path in sorted(known, reverse=True):  # a folder before those above it
        text = re.sub(rf"({re.escape(path)}){END}", lambda match: known[match[1]], text)
    text = QUOTED.sub(lambda match: path_of(match[0]).name, text)
    return BARE.sub("", text)
