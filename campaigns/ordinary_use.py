"""X1: days of ordinary use in minutes: commands one after the other on data of all kinds, right, wrong and interrupted.

Each ends with 0, 1 or 2, or 130 after Ctrl-C, and never with a traceback; with 2 it says why in one line. Of all the
files in the user's folder none has another content afterwards that was not asked for, and none is new elsewhere.
"""

from __future__ import annotations

import hashlib
import io
import shutil
import tarfile
from fnmatch import fnmatchcase
from pathlib import Path
from random import Random

from PIL import Image

from . import mutations
from .annotation_samples import samples
from .campaign import Broken, Campaign, Trial
from .limits import command
from .ordinary_commands import RUNS, Person, Typed, typed
from .small_run import DATA, prepare

LONGEST = 3  # commands of a trial
INTERRUPTED = 0.12  # of the commands
SECONDS = 120.0  # of the processor, for a training on a busy machine
MEMORY = 2_000_000_000  # bytes: training takes more than looking
OWN = ("cache/", "__pycache__/")  # not the user's


def trial(one: Trial) -> None:
    """A folder of a user, and a few commands in it."""
    home = one.folder / "home"
    home.mkdir()
    furnish(home, one.shared, one.random)
    person, said = Person(one.random, home), []
    for _ in range(one.random.randint(1, LONGEST)):
        what = typed(person)
        interrupt = one.random.uniform(0.02, 1.0) if one.random.random() < INTERRUPTED else None
        said.append(f"{what.words}{f' (Ctrl-C after {interrupt:.2f} s)' if interrupt else ''}")
        (one.folder / "typed.txt").write_text("\n".join(said), encoding="utf-8")
        before = contents(home)
        answer = command(what.words, home, seconds=SECONDS, memory=MEMORY, interrupt_after=interrupt)
        one.counts["commands"] += 1
        one.counts[f"with exit code {answer.code}"] += 1
        require_untouched(before, contents(home), what)


def furnish(home: Path, shared: Path, random: Random) -> None:
    """What a user has: data, runs, images, and files that are nobody's business."""
    choices = list(samples())
    for name in ("data", "more data"):
        sample = random.choice(choices)
        sample.write(home / name)
        if random.random() < 0.4:
            path = home / name / random.choice(sorted(sample.texts))
            path.write_bytes(mutations.mutated(path.read_bytes(), path.suffix, random))
    if random.random() < 0.6:
        shutil.copytree(shared / DATA, home / "scenes")
    for run in RUNS:
        if random.random() < 0.7:
            shutil.copytree(shared / run, home / run)
            (home / run / "my notes.txt").write_text("mine", encoding="utf-8")
    if (home / "run").is_dir() and random.random() < 0.2:
        path = random.choice(sorted(path for path in (home / "run").iterdir() if path.is_file()))
        path.write_bytes(mutations.mutated(path.read_bytes(), path.suffix, random))
    photos(home / "photos", random)
    (home / "notes.txt").write_text("mine", encoding="utf-8")
    (home / "report.html").write_text("<html>mine</html>", encoding="utf-8")
    (home / "empty").mkdir()
    (home / "archive.tar.gz").write_bytes(archive(random))


def photos(folder: Path, random: Random) -> None:
    """Images, of which one may be damaged."""
    folder.mkdir()
    for number in range(random.choice((0, 1, 3))):
        size = random.randrange(1, 90), random.randrange(1, 90)
        Image.new("RGB", size, (number * 60, 99, 200)).save(folder / f"photo {number}.png")
    first = folder / "photo 0.png"
    if first.exists() and random.random() < 0.5:
        (folder / "damaged.png").write_bytes(mutations.mutated(first.read_bytes(), "", random))


def archive(random: Random) -> bytes:
    """An archive that is not that of CIFAR-10."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as tar:
        for name in ("cifar-10-batches-bin/data_batch_1.bin", "../outside.bin", "/etc/outside"):
            info = tarfile.TarInfo(name)
            info.size = 3073
            tar.addfile(info, io.BytesIO(bytes(3073)))
    whole = file.getvalue()
    return mutations.mutated(whole, "", random) if random.random() < 0.5 else whole


def contents(home: Path) -> dict[str, str]:
    """A hash of every file of the user, by its path from the folder."""
    paths = [path for path in home.rglob("*") if path.is_file() or path.is_symlink()]
    named = {path.relative_to(home).as_posix(): path for path in paths}
    return {name: digest(path) for name, path in named.items() if not name.startswith(OWN)}


def digest(path: Path) -> str:
    """A hash of what is in a file."""
    return hashlib.blake2b(path.read_bytes(), digest_size=16).hexdigest()


def require_untouched(before: dict[str, str], after: dict[str, str], what: Typed) -> None:
    """Raises Broken for a file that was changed or removed, or is new, without having been asked for."""
    touched = [name for name, content in before.items() if after.get(name) != content and not fits(name, what.changed)]
    if touched:
        raise Broken(f"{what.words} has changed or removed {touched}")
    strange = [name for name in after if name not in before and not fits(name, what.new)]
    unfinished = [name for name in after if name not in before and name.endswith((".part", ".lock"))]
    if strange or unfinished:
        raise Broken(f"{what.words} has left {strange or unfinished}")


def fits(name: str, patterns: list[str]) -> bool:
    """Whether a path is one of those that are named."""
    return any(fnmatchcase(name, one) or name == one for one in patterns)


CAMPAIGN = Campaign(long=500, short=4, trial=trial, prepare=prepare)
