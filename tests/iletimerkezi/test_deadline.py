"""The deadline of a call: each connection is shut in its own time, by one thread for all."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from bot.iletimerkezi.deadline import Deadline, Watch

AMPLE = 5.0  # seconds, for what happens by itself
SHORT = 0.1


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as opened:
        yield opened


def watched(stack: ExitStack, watch: Watch, seconds: float) -> tuple[Deadline, socket.socket]:
    """Begin a call, and return its deadline and the other side of its connection."""
    ours, theirs = socket.socketpair()
    stack.enter_context(ours)
    stack.enter_context(theirs).settimeout(AMPLE)
    deadline = stack.enter_context(Deadline(seconds, watch))
    deadline.watch(ours)
    return deadline, theirs


def watching(before: set[threading.Thread]) -> set[threading.Thread]:
    """Return the threads that have begun."""
    return set(threading.enumerate()) - before


def test_each_is_shut_in_its_own_time(stack: ExitStack) -> None:
    """Also one that comes last and ends first, and one that ends while another has long to go; one thread does it."""
    watch, before = Watch(), set(threading.enumerate())
    late, _ = watched(stack, watch, AMPLE)
    for seconds in (2 * SHORT, SHORT):
        soon, heard = watched(stack, watch, seconds)
        assert (heard.recv(1), soon.cut, soon.passed) == (b"", True, True)
        assert len(watching(before)) == 1
    assert not late.cut


def test_what_is_over_is_not_shut(stack: ExitStack) -> None:
    """A call that has ended keeps its connection as it is, whatever it had left."""
    watch = Watch()
    over, heard = watched(stack, watch, SHORT)
    over.__exit__()
    _, heard_later = watched(stack, watch, 2 * SHORT)
    assert heard_later.recv(1) == b""
    heard.setblocking(False)
    with pytest.raises(BlockingIOError):
        heard.recv(1)
    assert over.passed
    assert not over.cut


def test_the_thread_goes_and_comes_again(stack: ExitStack) -> None:
    """Without calls there is no thread; the next call is watched all the same."""
    watch, before = Watch(), set(threading.enumerate())
    for _ in range(2):
        _, heard = watched(stack, watch, SHORT)
        (thread,) = watching(before)
        assert heard.recv(1) == b""
        thread.join(AMPLE)
        assert not thread.is_alive()


def test_a_connection_does_not_stand_after_the_end() -> None:
    """What comes about when the time is up must not be sent on."""
    with Deadline(0.0, Watch()) as deadline:
        with pytest.raises(TimeoutError):
            deadline.stand()
        assert not deadline.connected
