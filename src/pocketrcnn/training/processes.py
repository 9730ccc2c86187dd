"""Child processes of one thread each, which do what comes through a pipe, and end with their parent.

A child prints nothing on standard output. SIGTERM ends it: a run in it saves its state first. No torch here.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
import types
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout, suppress
from multiprocessing.connection import Connection
from typing import Any

from ..errors import UserError
from .signals import Interrupted
from .watchers import heard_by

CONTEXT = multiprocessing.get_context("spawn")  # a fork of a process that has used threads may never answer

Work = Callable[[Any], Any]


class Child:
    """A process that calls `work` with whatever is sent to it, and sends back, in this order, any number of
    ("progress", (iterations done, iterations planned)), then ("done", result) or ("failed", UserError or OSError).

    `work` and what it takes and returns can be pickled. Where the process ends instead, reading raises EOFError.
    """

    def __init__(self, work: Work) -> None:
        self.connection, theirs = CONTEXT.Pipe()
        self.process = CONTEXT.Process(target=serve, args=(theirs, work), daemon=True)
        with beginning_of_a_child():
            self.process.start()
        theirs.close()

    def end(self) -> str:
        """Why a process that no longer answers has ended, in words."""
        self.process.join()
        code = self.process.exitcode or 0
        number = -code if code < 0 else code - 128  # Interrupted: the state is saved
        return f"killed by signal {number}" if number > 0 else f"exit code {code}"


@contextmanager
def children(work: Work, count: int) -> Iterator[list[Child]]:
    """So many processes, which end with the block; where it fails, what they are doing is saved first."""
    made: list[Child] = []
    try:
        for _ in range(count):
            made.append(Child(work))
        yield made
    except BaseException:
        for child in made:
            child.process.terminate()
        raise
    finally:
        for child in made:
            child.connection.close()  # a child that waits for work reads the end, one that reports is not kept waiting
        for child in made:
            child.process.join()


@contextmanager
def beginning_of_a_child() -> Iterator[None]:
    """What a process begins with: one thread, deaf to Ctrl-C (its parent tells it), without the caller's `__main__`.

    A new process would run that script again, as far as `if __name__ == "__main__"`, which a script may not have.
    """
    main, threads = sys.modules["__main__"], os.environ.get("OMP_NUM_THREADS")
    sys.modules["__main__"] = types.ModuleType("__main__")
    os.environ["OMP_NUM_THREADS"] = "1"  # before the child imports torch
    handler = None
    with suppress(ValueError):  # not the main thread
        handler = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        if handler is not None:
            signal.signal(signal.SIGINT, handler)
        sys.modules["__main__"] = main
        if threads is None:
            del os.environ["OMP_NUM_THREADS"]
        else:
            os.environ["OMP_NUM_THREADS"] = threads


def serve(connection: Connection, work: Work) -> None:
    """What a child does until the connection is closed."""
    with open(os.devnull, "w") as nowhere, redirect_stdout(nowhere):
        answer_all(connection, work)


def answer_all(connection: Connection, work: Work) -> None:
    """Work on what comes, one after the other, as a child of one thread that ends with its parent."""
    if torch := sys.modules.get("torch"):  # with `work`; where it comes later, it finds OMP_NUM_THREADS
        torch.set_num_threads(1)
    threading.Thread(target=end_with_parent, daemon=True).start()

    def tell(kind: str, content: Any) -> None:
        with suppress(OSError):  # the parent is gone, or no longer listens
            connection.send((kind, content))

    while True:
        try:
            given = connection.recv()
        except (EOFError, OSError):
            return
        try:
            with heard_by(lambda done, planned: tell("progress", (done, planned))):
                result = work(given)
        except Interrupted as error:
            sys.exit(error.code)
        except (UserError, OSError) as error:
            tell("failed", error)
        else:
            tell("done", result)


def end_with_parent() -> None:
    """Where the parent is killed, end as if it had said so."""
    parent = multiprocessing.parent_process()
    assert parent is not None, "this is a child"
    parent.join()
    os.kill(os.getpid(), signal.SIGTERM)
