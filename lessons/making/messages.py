"""What a student is told when a test fails: a line that names the place, and does not give the answer away."""

from __future__ import annotations

import _thread
import linecache
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import CodeType, TracebackType
from typing import Literal, NamedTuple

from .work import NotUsable, Work

SECONDS = 10.0  # that a test may take: exercises take milliseconds, and a computer may be busy
State = Literal["right", "not written", "wrong", "error", "endless"]


class TooLong(Exception):
    """A test was interrupted since it took more than SECONDS.

    Its own traceback has no line of the student's: an interrupt may strike where Python knows no line, and pytest
    breaks down on such a traceback. `interrupted` is the one of the interrupt.
    """

    def __init__(self, interrupted: TracebackType | None = None) -> None:
        super().__init__()
        self.interrupted = interrupted


class Outcome(NamedTuple):
    """How a test ended: `not written` if the gap is still there, `error` if the function fails, `endless` if it does
    not come to an end."""

    state: State
    message: str = ""


@contextmanager
def limited() -> Iterator[None]:
    """Interrupts what is in the block after SECONDS, as Ctrl-C does, and raises TooLong; on the main thread alone."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    late = threading.Event()
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # jobs in the background may ignore it

    def interrupt() -> None:
        late.set()
        if hasattr(signal, "pthread_kill"):  # wakes up what waits, too
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
        else:
            _thread.interrupt_main()

    timer = threading.Timer(SECONDS, interrupt)
    timer.daemon = True
    timer.start()
    try:
        try:
            yield
        finally:
            timer.cancel()
            timer.join()  # an interrupt that is on its way arrives here, not later
    except KeyboardInterrupt as error:
        if late.is_set():
            raise TooLong(error.__traceback__) from None
        raise
    finally:
        signal.signal(signal.SIGINT, before)


def outcome(error: BaseException, name: str, work: Work | None) -> Outcome:
    """What a failed test of an exercise says."""
    place = where(error, work)
    if isinstance(error, NotImplementedError) and place:
        return Outcome("not written", f"not written yet. {error}".strip())
    if isinstance(error, NotUsable):
        return Outcome("error", str(error))
    if isinstance(error, TooLong):
        inputs = called(work) if place else ""
        return Outcome("endless", f"`{name}` was still busy after {SECONDS:g} s{place}{inputs}: does a loop never end?")
    if isinstance(error, AssertionError) and not place:
        return Outcome("wrong", str(error).strip())
    reason = f"{type(error).__name__}: {shortened(error)}"
    text = f"`{name}` fails{place} ({reason})"
    if not place:
        text = f"what `{name}` returns cannot be compared ({reason}{called(work)}): look at its docstring again"
    elif not is_of_global(error):
        text += called(work)
    else:
        text += ". A function may use what the first code cell imports, and what it makes itself"
        text += "".join(f"; {said}" for key, said in (work.problems if work else {}).items() if " " in key)
    return Outcome("error", text)


def is_of_global(error: BaseException) -> bool:
    """Whether a name is not known at all: no local variable without a value yet, of this function or around it."""
    return type(error) is NameError and str(error).startswith("name ")


def called(work: Work | None) -> str:
    """The arguments of the student's function when it was called last, as `, called with box = [0, 2]`."""
    arguments = work.called if work else ""
    return arguments and f", called with {arguments[:200]}{'...' if len(arguments) > 200 else ''}"


def where(error: BaseException, work: Work | None) -> str:
    """The last line of the student's own that an error went through, as ` in line 12: code`; empty for none."""
    found, entry = "", error.interrupted if isinstance(error, TooLong) else error.__traceback__
    while work is not None and entry is not None:
        code = entry.tb_frame.f_code
        if code.co_filename in work.files:
            line = line_of(code, entry.tb_lasti)
            source = linecache.getline(code.co_filename, line, entry.tb_frame.f_globals).strip()
            found = f" in line {line}{work.files[code.co_filename]}" + (f" (`{source}`)" if source else "")
        entry = entry.tb_next
    return found


def line_of(code: CodeType, instruction: int) -> int:
    """The line of an instruction, or of the last one before it that has a line."""
    lines = [line for start, _, line in code.co_lines() if start <= instruction and line is not None]
    return lines[-1] if lines else code.co_firstlineno


def shortened(error: BaseException) -> str:
    """The first line of an error's text, of at most 200 characters."""
    lines = str(error).strip().splitlines()
    return (lines[0] if lines else "no more is said")[:200]
