"""Splits that names of folders and files stand for, where they mean splits: `train` may be a class. No torch here."""

import re
from collections import defaultdict
from collections.abc import Collection, Sequence
from pathlib import Path

WORDS = {
    "train": ("train", "training"),
    "val": ("val", "valid", "validation", "dev"),
    "test": ("test", "testing"),
}
Level = tuple[str, ...]  # the folders down to one in which names stand beside each other


def split_of(*names: str) -> str:
    """The split that a word of these names stands for, as `train` in instances_train2017; empty where none does."""
    for name in names:
        words = re.split(r"[^a-z]+", name.lower())
        for split, known in WORDS.items():
            if set(words) & set(known):
                return split
    return ""


def split_below(root: Path, path: Path) -> str:
    """The split that the folders between `root` and a file stand for. What is above `root` says nothing."""
    return split_of(*reversed(path.relative_to(root).parts[:-1]))


def splits_by_name(
    root: Path, files: Sequence[Path], stems: bool = False, stated: Collection[str] = ()
) -> tuple[list[str], str]:
    """The split of each file by the folders between `root` and it, and what to tell the user, if anything.

    stems: whether the name of the file counts, too; it comes before those of folders, and inner folders before others.
    stated: splits that annotations give to other images.
    A word counts where all that stands beside it are words of splits or two of them are different, else where
    different splits are found in the whole set; files without a word are for training then. So `train` beside `bus` and
    `car` is none. A set that would have no training images has no splits.
    """
    levels = [levels_of(file.relative_to(root), stems) for file in files]
    beside: defaultdict[Level, set[str]] = defaultdict(set)
    for level, name in (pair for pairs in levels for pair in pairs):
        beside[level].add(name)
    clear = {level for level, names in beside.items() if are_splits(names)}
    words = [split_of(*(name for _, name in pairs)) for pairs in levels]
    different = len({*stated, *(word or "train" for word in words)}) > 1
    splits = [
        split_of(*(name for level, name in pairs if level in clear)) or (word if different else "")
        for pairs, word in zip(levels, words, strict=True)
    ]
    if any(splits) and not {"train", ""} & {*splits, *stated}:
        there = " and ".join(split for split in WORDS if split in splits)
        reason = f"the names of its folders and files are of {there} alone, not of train: its images are divided anew"
        return [""] * len(files), reason
    if lost := next((file for file, word, split in zip(files, words, splits, strict=True) if word and not split), None):
        reason = f"`train` in {lost.relative_to(root)} is no split, since what stands beside it is none"
        return splits, reason
    return splits, ""


def levels_of(path: Path, stems: bool) -> list[tuple[Level, str]]:
    """The names in a relative path that may be splits, the innermost first, each with its level."""
    folders = path.parts[:-1]
    pairs = [(folders[:i], name) for i, name in enumerate(folders)]
    return [*([((*folders, ""), path.stem)] if stems else []), *reversed(pairs)]  # "": files, not folders


def are_splits(names: set[str]) -> bool:
    """Whether names beside each other are those of splits."""
    splits = {split_of(name) for name in names}
    return "" not in splits or len(splits) > 2
