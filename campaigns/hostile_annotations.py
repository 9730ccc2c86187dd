"""C3: annotations that are damaged, or made to do harm, in every format that is read: nothing is dropped in silence.

A valid data set, in most trials with one file changed, is read, checked, converted and read again. Every object that
its files name is in the set, in a fault, or in a note that counts it; no box leads outside of its image; what was
converted has the same objects when it is read again.
"""

from __future__ import annotations

import re
import shutil
from collections import Counter, defaultdict
from functools import partial
from pathlib import Path
from typing import Any

from pocketrcnn.data.annotations import Annotations, Fault, Report
from pocketrcnn.data.check import inspect
from pocketrcnn.data.formats import WRITERS, read, write
from pocketrcnn.errors import UserError

from . import mutations
from .annotation_samples import OBJECTS, Sample, samples
from .campaign import Broken, Campaign, Trial
from .limits import command, limited

VALID, IMAGES, MIXED, COMMANDS = 0.06, 0.06, 0.06, 0.04  # parts of the trials
DESCRIPTIONS = ("data.yaml", "classes.txt")  # they name no objects
CROWDLESS = ("yolo",)


def trial(one: Trial) -> None:
    """One data set, changed, read, converted, read again."""
    random, data = one.random, one.folder / "data"
    sample = random.choice(list(samples()))
    sample.write(data)
    chance = random.random()
    valid = chance < VALID
    if not valid:
        change(sample, data, one, chance)
    if random.random() < COMMANDS:
        as_commands(one)
        return
    target = random.choice(sorted(WRITERS))
    ended = limited(partial(work, data, one.folder / "out", target), one.folder)
    one.counts[f"of {sample.format}"] += 1
    one.counts["refused in one line"] += bool(ended.refused)
    if list(one.folder.rglob(mutations.CANARY)):
        raise Broken("something in the data was run")
    if valid and (ended.refused or ended.value["clean"] != OBJECTS or ended.value["drops"]):
        raise Broken(f"a valid data set is not read whole: {ended}")
    if not ended.refused:
        claimed = claims(sample, data)
        require_all(claimed, ended.value)
        one.counts["with objects counted independently"] += claimed is not None
    elif "\n" in ended.refused:
        raise Broken(f"the message is not one line: {ended.refused!r}")


def change(sample: Sample, data: Path, one: Trial, chance: float) -> None:
    """Damage one file of the data, or mix in those of another format."""
    random = one.random
    if chance < VALID + IMAGES:
        path = random.choice(sorted((data / sample.images).glob("*.png")))
        kind = random.randrange(4)
        if kind == 0:
            path.unlink()
        elif kind == 1:
            path.rename(
                path.with_name(random.choice(("A.PNG", "d.png", "a.jpg", "b.png", ".hidden.png", "\udcff.png")))
            )
        elif kind == 2:
            shutil.copyfile(path, path.with_name("copy.png"))
        else:
            path.write_bytes(mutations.mutated(path.read_bytes(), ".png", random))
        return
    if chance < VALID + IMAGES + MIXED:
        random.choice(list(samples())).write(random.choice((data, data / "more")))
    path = data / random.choice(sorted(sample.texts))
    path.write_bytes(mutations.mutated(path.read_bytes(), path.suffix, random))


def as_commands(one: Trial) -> None:
    """The same by the command line: checked, converted, mended."""
    one.counts["by the command line"] += 1
    words = one.random.choice(
        (
            ["check", "data"],
            ["check", "data", "--json"],
            ["check", "data", "--fix", "out"],
            *(["convert", "data", "out", "--to", kind] for kind in sorted(WRITERS)),
        )
    )
    answer = command(words, one.folder)
    if answer.code != 2 and answer.ended.err:
        raise Broken(f"something is written to standard error: {answer.ended.err[:300]!r}")
    if list(one.folder.rglob(mutations.CANARY)):
        raise Broken("something in the data was run")


def work(data: Path, out: Path, target: str) -> dict[str, Any]:
    """Numbers about data that were read, checked, converted and read again."""
    annotations = read(data)
    report = inspect(annotations)
    require_inside_of_images(report)
    require_kept(annotations, report)
    found = {
        "format": annotations.format,
        "read": sum(len(example.objects) for example in annotations.examples),
        "clean": sum(len(example.objects) for example in report.clean.examples),
        "drops": report.drops,
        "accounted": accounted(annotations),
    }
    try:
        write(report.clean, out, target)
    except UserError as error:
        return found | {"not written": str(error)}
    require_same(report.clean, inspect(read(out)), target)
    return found


def require_inside_of_images(report: Report) -> None:
    """Raises Broken for a box that leads out of its image, or has no area."""
    for example in report.clean.examples:
        assert example.size
        for obj in example.objects:
            x1, y1, x2, y2 = obj.box
            if not (0 <= x1 < x2 <= example.size[0] and 0 <= y1 < y2 <= example.size[1]):
                raise Broken(f"{example.path.name} of {example.size} has the box {obj.box}")


def require_kept(annotations: Annotations, report: Report) -> None:
    """Raises Broken where `inspect` loses an object of an image that stays, or an image, without a fault for it."""
    before, after = len(annotations.examples), len(report.clean.examples)
    new = report.faults[len(annotations.faults) :]
    lost = sum(fault.drops and not before_image(fault, annotations) for fault in new)
    merged = sum(int(count) - 1 for count in re.findall(r"is listed (\d+) times", " ".join(f.reason for f in new)))
    merged += sum("it is read once" in fault.reason for fault in new)
    objects_before = sum(len(example.objects) for example in annotations.examples)
    objects_after = sum(len(example.objects) for example in report.clean.examples)
    of_images = sum(before_image(fault, annotations) for fault in new)
    if before - after - merged > of_images:
        raise Broken(f"{before} images became {after}, with {of_images} faults of images: {list(map(str, new))}")
    kept = {example.path for example in report.clean.examples}
    gone = sum(len(example.objects) for example in annotations.examples if example.path not in kept)
    if objects_before - objects_after > lost + gone + repeated(annotations):
        raise Broken(f"{objects_before} objects became {objects_after}, with these faults: {list(map(str, new))}")


def before_image(fault: Fault, annotations: Annotations) -> bool:
    """Whether a fault costs an image as a whole, or says which other one stands for it."""
    paths = {example.path for example in annotations.examples}
    return (fault.drops or "left out" in fault.reason) and not fault.where and fault.file in paths


def repeated(annotations: Annotations) -> int:
    """The objects of further records of an image, which may be those of its fullest one again."""
    records: defaultdict[Path, list[int]] = defaultdict(list)
    for example in annotations.examples:
        records[example.path].append(len(example.objects))
    return sum(sum(counts) - max(counts) for counts in records.values())


def accounted(annotations: Annotations) -> int | None:
    """How many objects are in the set, in faults, or in notes; None where a whole file is in a fault or in a note."""
    whole_files = [f for f in annotations.faults if f.drops and (not f.where or "nothing of it is used" in f.reason)]
    if whole_files or annotations.unnamed or annotations.outside:
        return None
    several = [fault for fault in annotations.faults if fault.kind in ("several-formats", "predictions")]
    if several:
        return None
    found = sum(len(example.objects) for example in annotations.examples)
    return found + sum(map(counted_in, annotations.faults))


def counted_in(fault: Fault) -> int:
    """How many objects a fault says that it is about; 1 where it gives no number and costs something."""
    numbers = re.findall(r"(\d[\d,]*) (?:other |more )?[a-z]+", fault.reason)
    return max([int(fault.drops), *(int(number.replace(",", "")) for number in numbers if len(number) < 5)])


def require_same(clean: Annotations, again: Report, target: str) -> None:
    """Raises Broken where what was written is not what is read."""
    wanted = [
        (obj.name, obj.crowd)
        for one in clean.examples
        for obj in one.objects
        if not (obj.crowd and target in CROWDLESS)
    ]
    found = [(obj.name, obj.crowd) for one in again.clean.examples for obj in one.objects]
    if Counter(wanted) != Counter(found) or len(clean.examples) != len(again.clean.examples):
        faults = list(map(str, again.faults))
        raise Broken(
            f"written as {target}: {len(wanted)} objects {wanted[:4]} became {len(found)} {found[:4]}: {faults}"
        )


def claims(sample: Sample, data: Path) -> int | None:
    """How many objects the files of a sample name; None where one of them cannot be taken apart in a simple way."""
    total = 0
    for name in sample.texts:
        path = data / name
        if path.name in DESCRIPTIONS:
            continue
        try:
            total += sample.claims(path.read_bytes().decode("utf-8"))
        except Exception:  # a damaged file
            return None
    return total


def require_all(claimed: int | None, found: dict[str, Any]) -> None:
    """Raises Broken where objects that files name are nowhere."""
    total: int | None = found["accounted"]
    if claimed is not None and total is not None and claimed > total:
        raise Broken(f"the files name {claimed} objects, {total} are in the set, in faults and in notes: {found}")


CAMPAIGN = Campaign(long=6_000, short=50, trial=trial)
