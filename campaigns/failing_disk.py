"""K3: disks that are full or read-only, and single operations that fail, under every command that writes.

It ends with exit code 2 and one line, or, where what failed is not needed, in the files that it should make; it never
ends well without them. What was there before is there still, and once there is room the same command does its work.
Full and read-only disks are real ones (tmpfs) where the campaign may mount them; else files may not grow beyond a size.
"""

from __future__ import annotations

import errno
import os
import resource
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from . import prepared, run_folders
from .campaign import Broken, Campaign, Trial
from .commands import Answer, Before, Desk
from .file_operations import refused
from .jobs import JOBS, reference, require_done, require_old_or_new

OPERATIONS = ("open", "fsync", "rename", "remove", "mkdir")
ERRORS = (errno.ENOSPC, errno.EACCES, errno.EIO, errno.EROFS, errno.EDQUOT)
WAYS = ("operation", "full", "too large", "operation", "read-only")
ROOMY = "256m"


def trial(one: Trial) -> None:
    """One command on a disk that fails, and again on one that does not."""
    name, way = list(JOBS)[one.number % len(JOBS)], WAYS[one.number % len(WAYS)]
    reference(name)
    if way in ("full", "read-only") and not may_mount():
        way = "too large"
    one.counts[way] += 1
    folder = one.folder / "desk"
    folder.mkdir()
    if way in ("operation", "too large"):
        failing, desk = before(one, way, name, folder), JOBS[name].desk(folder)
        tried(one, name, desk, desk.run(*JOBS[name].words(), before=[*JOBS[name].before(), *failing]))
    else:
        on_a_disk(one, name, way, folder)


def before(one: Trial, way: str, name: str, folder: Path) -> tuple[Before, ...]:
    """What makes writing fail in the process of a command."""
    if way == "too large":
        largest = max((path.stat().st_size for path in prepared.run().iterdir()), default=0)
        return (partial(limit_size, int(2 ** one.random.uniform(8, largest.bit_length()))),)
    operations = reference(name).operations
    kind = one.random.choice(sorted({operation.name for operation in operations} & set(OPERATIONS)))
    first = one.random.randrange(sum(operation.name == kind for operation in operations))
    return (refused((folder,), one.random.choice(ERRORS), kind, first),)


def limit_size(most: int) -> None:
    """In the process of a command: no file may be larger than so many bytes."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))


def on_a_disk(one: Trial, name: str, way: str, folder: Path) -> None:
    """The command on a small disk, which is made roomy and writable again."""
    with disk(folder):
        desk = JOBS[name].desk(folder)
        used = os.statvfs(folder)
        held = (used.f_blocks - used.f_bfree) * used.f_frsize
        size = held + 4096 * one.random.randrange(1, max(2, needed(name) // 4096))
        mount("-o", f"remount,{'ro' if way == 'read-only' else f'size={size}'}", folder)
        answer = desk.run(*JOBS[name].words(), before=JOBS[name].before())
        mount("-o", f"remount,rw,size={ROOMY}", folder)
        tried(one, name, desk, answer)


def needed(name: str) -> int:
    """Bytes that a command adds to its folder, about."""
    return 8_000_000 if JOBS[name].steps else 300_000


def tried(one: Trial, name: str, desk: Desk, answer: Answer) -> None:
    """Raises Broken where a command that could not write said nothing or broke something, or does not work now."""
    known, found = reference(name), run_folders.finished(run_folders.contents(desk.folder))
    answer.require(2, known.code)
    one.counts["refused" if answer.code == 2 else "done in spite of it"] += 1
    if answer.code != 2:
        run_folders.require_same(found, run_folders.finished(known.new), f"{name} ended well")
        return
    require_old_or_new(name, desk.folder)
    left = [path.name for path in desk.folder.rglob(".*.part")]
    if left:
        raise Broken(f"{name} left {', '.join(left)}")
    require_done(name, desk)


def mount(*words: object) -> bool:
    """`mount`; false where it is not allowed, or not there."""
    try:
        return subprocess.run(["mount", *map(str, words)], capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False


def may_mount() -> bool:
    """Whether this process may have disks of its own."""
    place = prepared.place() / "mounted"
    place.mkdir(exist_ok=True)
    if allowed := mount("-t", "tmpfs", "tmpfs", place):
        unmount(place)
    return allowed


@contextmanager
def disk(folder: Path) -> Iterator[None]:
    """A disk of its own in a folder, in memory."""
    if not mount("-t", "tmpfs", "-o", f"size={ROOMY}", "tmpfs", folder):
        raise Broken("no disk could be mounted")
    try:
        yield
    finally:
        unmount(folder)


def unmount(folder: Path) -> None:
    """Take a disk away, also where somebody still stands in it."""
    subprocess.run(["umount", "--lazy", folder], check=True)


CAMPAIGN = Campaign(long=60, short=4, trial=trial)
