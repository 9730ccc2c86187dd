"""C1: files of a run that are damaged, or made to do harm, used as a user would use them.

A file of a run is changed: weights, checkpoint, settings, splits, metrics, environment, log, evaluation, the cache of
images, the exported file. Then somebody predicts, resumes, evaluates or reports. That ends as it should or in one line;
nothing in the file is run; a flipped bit of what has a checksum is always noticed.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from pocketrcnn.custom.detector import Detector
from pocketrcnn.custom.onnx.runtime import Detector as Exported
from pocketrcnn.custom.report.summary import evaluation, recorded
from pocketrcnn.data.custom_data import open_custom_data
from pocketrcnn.training.checkpoint import load_tensors
from pocketrcnn.training.run import Run, open_run, saved_splits

from . import crafted, mutations
from .campaign import Broken, Campaign, Trial
from .limits import Ended, command, limited
from .small_run import BEGUN, DATA, RUN, prepare

IMAGE = f"{DATA}/test/test_00000.png"
WHOLE = 0.3  # of the trials of a file with a checksum: one flipped bit and nothing else
COMMAND_SHARE = 0.08  # of the trials: by a command, which takes ten times as long
LONG = 30.0  # seconds of the processor for commands that train or draw
COMMANDS = {
    "predict": ["predict", RUN, IMAGE, "--no-pictures", "--out", "found"],
    "exported": ["predict", f"{RUN}/model.onnx", IMAGE, "--no-pictures", "--out", "found"],
    "report": ["report", RUN],
    "eval": ["eval", RUN, "--split", "val"],
    "resume": ["resume", BEGUN],
    "longer": ["resume", RUN, "--iterations", "6"],
}


def detect(folder: Path) -> int:
    """The detections of the weights in one image."""
    return len(Detector.load(folder / RUN, "cpu")(folder / IMAGE, threshold=0.0).scores[0])


def detect_exported(folder: Path) -> int:
    """Those of the exported file."""
    return len(Exported.load(folder / RUN / "model.onnx", threads=1)(folder / IMAGE, threshold=0.0).scores[0])


def load_states(folder: Path) -> None:
    """The states and the last weights of both runs."""
    for name in (f"{BEGUN}/checkpoint", f"{RUN}/checkpoint", f"{RUN}/last"):
        load_tensors(folder / f"{name}.safetensors")


def read_all(folder: Path) -> None:
    """All that a report says of a run, and its splits."""
    recorded(opened(folder))
    evaluation(folder / RUN, "test")
    saved_splits(folder / RUN)


def opened(folder: Path) -> Run:
    """The run by its settings."""
    return open_run(folder / RUN, "cpu")


def begun(folder: Path) -> Run:
    """The run that was stopped, by its settings."""
    return open_run(folder / BEGUN, "cpu")


def frames(folder: Path) -> list[int]:
    """The training images as the network gets them, by way of the cache: a sum over each."""
    run = opened(folder)
    data = open_custom_data(run.config.data, saved_splits(run.folder))
    images = data.folder("train", run.config.model.input_size)
    pixels = images.batch(torch.arange(len(images))).images
    return [int(total) for total in pixels.flatten(1).long().sum(1)]


Use = Callable[[Path], Any] | str
USES: dict[str, tuple[tuple[Use, ...], tuple[Use, ...]]] = {  # a file, the functions that read it, and the commands
    f"{RUN}/weights.safetensors": ((detect,), ("predict", "report")),
    f"{RUN}/last.safetensors": ((load_states,), ("longer",)),
    f"{BEGUN}/checkpoint.safetensors": ((load_states,), ("resume",)),
    f"{RUN}/checkpoint.safetensors": ((load_states,), ("longer",)),
    f"{RUN}/config.yaml": ((opened, opened, detect, read_all), ("predict", "report", "eval")),
    f"{BEGUN}/config.yaml": ((begun,), ("resume",)),
    f"{RUN}/splits.json": ((read_all,), ("eval",)),
    f"{RUN}/metrics.json": ((read_all,), ("predict", "report", "longer")),
    f"{RUN}/env.json": ((read_all,), ("report",)),
    f"{RUN}/log.jsonl": ((read_all,), ("report",)),
    f"{RUN}/evaluation-test.json": ((read_all,), ("report",)),
    f"{RUN}/evaluation-val.json": ((read_all,), ("report", "eval")),
    "cache/folders/*.frames": ((frames,), ("eval",)),
    f"{RUN}/model.onnx": ((detect_exported,), ("exported",)),
}
SHARES = dict.fromkeys(USES, 2) | {
    f"{RUN}/weights.safetensors": 6,
    f"{RUN}/config.yaml": 6,
    f"{RUN}/model.onnx": 6,
    f"{RUN}/last.safetensors": 1,
    f"{RUN}/checkpoint.safetensors": 1,
}


def trial(one: Trial) -> None:
    """Change one file, use it once."""
    random = one.random
    names = [name for name, share in SHARES.items() for _ in range(share)]
    name = random.choice(names)
    lay_out(one.shared, one.folder)
    path = random.choice(sorted(one.folder.glob(name)))
    whole = path.read_bytes()
    has_checksum = path.suffix in (".safetensors", ".onnx", ".frames")
    flipped = has_checksum and random.random() < WHOLE
    path.unlink()  # it has the name of another one
    path.write_bytes(mutations.flip(whole, random) if flipped else changed(whole, path, one))
    unlike = path.read_bytes() != whole
    use = random.choice(USES[name][random.random() < COMMAND_SHARE])
    ended = used(use, one.folder)
    one.counts["flipped bits"] += flipped
    one.counts["by a command"] += isinstance(use, str)
    one.counts["refused in one line"] += bool(ended.refused or ended.value == 2)
    if found := list(one.folder.rglob(mutations.CANARY)):
        raise Broken(f"something in {name} was run: {found}")
    if flipped and unlike:
        require_noticed(use, name, ended, one)


def lay_out(shared: Path, folder: Path) -> None:
    """The data set, the runs and the cache, under other names of the same files: whatever is written is a new file."""
    for name in (RUN, BEGUN, DATA, "cache"):
        shutil.copytree(shared / name, folder / name, copy_function=os.link)


def changed(whole: bytes, path: Path, one: Trial) -> bytes:
    """What a file holds after somebody had it."""
    random = one.random
    if path.suffix == ".safetensors" and random.random() < 0.5:
        if random.random() < 0.5:
            return crafted.own_header(whole, random)
        return crafted.own_facts(whole, random, one.folder / "made.safetensors")
    if path.suffix == ".onnx" and random.random() < 0.6:
        return random.choice(crafted.ONNX)(whole, random)
    return mutations.mutated(whole, path.suffix, random)


def used(use: Use, folder: Path) -> Ended:
    """What became of one use of the run."""
    if isinstance(use, str):
        return command(COMMANDS[use], folder, seconds=LONG).ended
    return limited(lambda: use(folder), folder)


def require_noticed(use: Use, name: str, ended: Ended, one: Trial) -> None:
    """Raises Broken where a flipped bit was taken for what had been written."""
    if name.endswith(".frames"):
        if use is frames and (ended.refused or ended.value != frames_of(one.shared)):
            raise Broken(f"a flipped bit of {name} is trained on: {ended}")
    elif use == "report":  # the page is made, and says what is missing
        if "is damaged" not in (one.folder / RUN / "report.html").read_text(encoding="utf-8"):
            raise Broken(f"a flipped bit of {name} is not noticed: {ended}")
    elif not (ended.refused or ended.value == 2 or (use == "longer" and name.endswith("last.safetensors"))):
        raise Broken(f"a flipped bit of {name} is not noticed: {ended}")


def frames_of(shared: Path) -> list[int]:
    """What `frames` gives for the files as they were."""
    if shared not in KNOWN:
        KNOWN[shared] = limited(lambda: frames(shared), shared).value
    return KNOWN[shared]


KNOWN: dict[Path, list[int]] = {}
CAMPAIGN = Campaign(long=10_000, short=20, trial=trial, prepare=prepare)
