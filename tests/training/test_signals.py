"""Ctrl-C and SIGTERM are noted while a run is trained, and afterwards end the program as before."""

import signal
from threading import Thread

import pytest

from pocketrcnn.training.signals import Interrupted, signals_noted

BOTH = (signal.SIGINT, signal.SIGTERM)


@pytest.mark.parametrize("number", BOTH)
def test_a_signal_is_noted_and_nothing_else_happens(number: signal.Signals) -> None:
    before = [signal.getsignal(one) for one in BOTH]
    with signals_noted() as noted:
        signal.raise_signal(number)
        assert noted == [number]
    assert [signal.getsignal(one) for one in BOTH] == before


def test_outside_of_the_main_thread_signals_are_left_alone() -> None:
    kept = []

    def work() -> None:
        with signals_noted() as noted:
            kept.append((noted, signal.getsignal(signal.SIGINT)))

    thread = Thread(target=work)
    thread.start()
    thread.join()
    assert kept == [([], signal.getsignal(signal.SIGINT))]


def test_an_interruption_has_the_exit_code_that_shells_expect() -> None:
    assert Interrupted("at iteration 3", signal.SIGTERM).code == 143
    assert str(Interrupted("at iteration 3", signal.SIGINT)) == "interrupted at iteration 3"
    saved = Interrupted("at iteration 3", signal.SIGINT, "go on")
    assert (str(saved), saved.where) == ("interrupted at iteration 3, state saved; go on", "at iteration 3")
