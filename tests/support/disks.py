"""Disks that are full."""

from __future__ import annotations

import errno
from typing import NoReturn


def full(*_: object, **__: object) -> NoReturn:
    """In place of a function that writes."""
    raise OSError(errno.ENOSPC, "No space left on device")
