"""What torchrun, or Ray, tells a process of the others that it started with it. No torch when this is imported."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from ..errors import require

NAMES = ("RANK", "WORLD_SIZE", "LOCAL_WORLD_SIZE")
OPTIONAL = ("LOCAL_RANK", "TORCHELASTIC_RESTART_COUNT")
GRACE = 5.0  # seconds in which the first process says why all end
FOLDER = "pocketrcnn/folder"  # of the run, in the store that torchrun keeps


@dataclass(frozen=True)
class Launch:
    """One process of several: its rank among `count` in all, and `local` among `here` on its machine, and how often
    they were started again. A process by itself is the first of one."""

    rank: int = 0
    count: int = 1
    here: int = 1
    local: int = 0
    restarts: int = 0


def launch() -> Launch:
    """What the environment says. Other programs set some of the names, too; only all of them together count."""
    words = [os.environ.get(name, "") for name in NAMES] + [os.environ.get(name, "0") for name in OPTIONAL]
    return Launch(*map(int, words)) if all(map(str.isdecimal, words)) else Launch()


def require_one_process(what: str) -> None:
    """Ends a process of several with a line, that of the first one, where `what` is not for them together."""
    ours = launch()
    if ours.rank:
        leave(2)
    several = f"{what} is not for several processes, and torchrun has started {ours.count}"
    require(ours.count == 1, f"{several}: start it by itself")


def leave(code: int) -> NoReturn:
    """Ends a process besides the first one, which says why. Not at once: torchrun ends all as soon as one has ended,
    and the first one may not have said it."""
    if code:
        time.sleep(GRACE)
    raise SystemExit(code)


def keep_folder(folder: Path) -> None:
    """Tell torchrun, which lives on when its processes are started again, where this run is."""
    if store := store_of_torchrun():
        store.set(FOLDER, str(folder))


def kept_folder() -> Path | None:
    """The folder of the run that was begun before torchrun started its processes again."""
    if not launch().restarts or not (store := store_of_torchrun()) or not store.check([FOLDER]):
        return None
    return Path(store.get(FOLDER).decode())


def store_of_torchrun() -> Any:
    """Where torchrun keeps values for its processes, a torch.distributed.TCPStore; None without it."""
    if os.environ.get("TORCHELASTIC_USE_AGENT_STORE") != "True":
        return None
    from torch import distributed

    return distributed.TCPStore(  # type: ignore[attr-defined]
        os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"]), is_master=False
    )
