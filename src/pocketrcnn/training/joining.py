"""Joining the processes that torchrun, or Ray, started together, and leaving them: each ends with the right exit code.

torch.distributed is only imported where there are several.
"""

from __future__ import annotations

import os
import platform
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import Any

import torch

from ..errors import UserError, require
from .device import choose_device
from .finite import NotFinite
from .group import ALONE, Group, member_of
from .launch import Launch, launch, leave, store_of_torchrun
from .signals import Interrupted

LIMIT = timedelta(minutes=30)  # a process that ends is noticed at once; this is for a machine that just goes silent
TICK = 1.0  # seconds until the end of torchrun itself is noticed
FAILURE = 2
ON = "the run goes on from its last checkpoint with `pocketrcnn resume`, or by itself with torchrun --max-restarts"


@contextmanager
def joined(device: str) -> Iterator[Group]:
    """The group of this process, as long as the block; by itself it is one of one. device: `auto`, `cpu` or `cuda`.

    The others are released where the first one leaves. Where a process is lost, or fails, all end: the first one and
    the one that failed with a UserError, the others without a word.
    """
    launched = launch()
    if launched.count == 1:
        yield ALONE
        return
    import torch.distributed as dist

    from .ranks import Ranks, is_loss_of_a_process

    ours = not dist.is_initialized()  # else Ray has done it
    backend = backend_for(device, launched)
    try:
        if ours:
            threading.Thread(target=end_with_parent, args=(os.getppid(),), daemon=True).start()
            dist.init_process_group(backend, timeout=LIMIT, **meeting(launched))
        with member_of(group := Ranks()), ended_by(group):
            yield group
    except RuntimeError as error:
        if not is_loss_of_a_process(error):
            raise
        if launched.rank:
            raise SystemExit(1) from error
        raise UserError(f"another process of this training has ended, or cannot be reached: {ON}") from error
    finally:
        if ours and dist.is_initialized():
            dist.destroy_process_group()


@contextmanager
def ended_by(group: Group) -> Iterator[None]:
    """The others are released at the end of the block, with an exit code. In a process other than the first, what it
    alone knows is said, with its rank; what the first one says, too, is not."""
    code = 1
    try:
        yield
        code = 0
    except KeyboardInterrupt as error:
        code = error.code if isinstance(error, Interrupted) else 128 + signal.SIGINT
        if group.rank:
            raise SystemExit(code) from error
        raise
    except UserError as error:
        code = FAILURE
        if group.rank == 0:
            raise
        if isinstance(error, NotFinite):
            leave(code)
        raise UserError(f"rank {group.rank} ({platform.node()}): {error}") from error
    finally:
        with suppress(RuntimeError):  # they have ended by themselves
            group.release(code)


def meeting(launched: Launch) -> dict[str, Any]:
    """Where the processes find each other: in the store of torchrun, by a name of this attempt, as addresses of those
    that died stand there, too; without torchrun by what torch reads in the environment."""
    from torch import distributed

    store = store_of_torchrun()
    if store is None:
        return {}
    attempt = distributed.PrefixStore(f"pocketrcnn/{launched.restarts}", store)  # type: ignore[attr-defined]
    return {"store": attempt, "rank": launched.rank, "world_size": launched.count}


def backend_for(device: str, launched: Launch) -> str:
    """What adds up and carries words. On GPUs this process takes the one of its place on the machine."""
    if choose_device(device).type == "cpu":
        return "gloo"
    count = torch.cuda.device_count()
    few = f"{launched.here} processes on {platform.node()}, which has {count} GPUs: each needs one of its own"
    require(launched.here <= count, f"{few}; start fewer, or use --device cpu")
    torch.cuda.set_device(launched.local)
    return "cpu:gloo,cuda:nccl"


def end_with_parent(parent: int) -> None:
    """Where torchrun is killed, end as if it had said so: the state is saved."""
    while os.getppid() == parent:
        time.sleep(TICK)
    os.kill(os.getpid(), signal.SIGTERM)
