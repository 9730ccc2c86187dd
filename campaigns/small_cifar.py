"""A CIFAR-10 of a few records, as a folder and as an archive, for commands that download it from a copy."""

from __future__ import annotations

import gzip
import hashlib
import io
import random
import tarfile
from functools import partial
from pathlib import Path

from pocketrcnn.course.data import cifar

from .commands import Before

RECORDS = 12  # in each of the six files


def records() -> dict[str, bytes]:
    """The files: labels below ten, pixels of noise."""
    noise, size = random.Random(0), cifar.PIXEL_BYTES
    rows = {name: [bytes([i % 10]) + noise.randbytes(size) for i in range(RECORDS)] for name in cifar.CHECKSUMS}
    return {name: b"".join(lines) for name, lines in rows.items()}


def archive(path: Path) -> Path:
    """All files in one, as the official archive has them."""
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w") as file:
        for name, content in records().items():
            member = tarfile.TarInfo(f"cifar-10-batches-bin/{name}")
            member.size = len(content)
            file.addfile(member, io.BytesIO(content))
    path.write_bytes(gzip.compress(plain.getvalue(), mtime=0))
    return path


def official() -> Before:
    """In the process of a command: these files are the official ones."""
    return partial(expect, {name: hashlib.md5(content).hexdigest() for name, content in records().items()})


def expect(checksums: dict[str, str]) -> None:
    """Put other checksums in place of those of CIFAR-10."""
    cifar.RECORDS, cifar.CHECKSUMS = RECORDS, checksums
