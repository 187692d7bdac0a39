"""The wakeup: what one thread or process rings, another hears, also one that listens only later."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.journal.wakeup import Wakeup
from bot.sandbox.process import inherited

PATIENCE = 10.0  # seconds after which a broken wakeup fails a test
LONG = 30.0  # a wait that ends within PATIENCE was woken


@pytest.fixture
def wakeup() -> Iterator[Wakeup]:
    wakeup = Wakeup()
    yield wakeup
    wakeup._listening.close()
    wakeup._ringing.close()


def listen(wakeup: Wakeup) -> threading.Thread:
    thread = threading.Thread(target=wakeup.wait, args=(LONG,), daemon=True)
    thread.start()
    return thread


def woken(listener: threading.Thread) -> bool:
    listener.join(PATIENCE)
    return not listener.is_alive()


def in_processes(script: str) -> str:
    """Run a script with a Wakeup in a process that may fork, and return what it and its children print."""
    head = (
        "import os, time\nfrom bot.journal.wakeup import Wakeup\nbell = Wakeup()\n"
        "def fork(do):\n"
        "    child = os.fork()\n"
        "    if child == 0:\n"
        "        try: do()\n"
        "        finally: os._exit(0)\n"
        "    return child\n"
        "def end(child): os.waitpid(child, 0)\n"
        "def say(word): os.write(1, word.encode() + b' ')\n"
    )
    return subprocess.run(  # noqa: S603  # our own interpreter and script
        [sys.executable, "-c", head + script],
        cwd=Path(__file__).parents[2],
        env=inherited(),
        stdout=subprocess.PIPE,
        text=True,
        timeout=PATIENCE,
        check=True,
    ).stdout


def test_a_ring_wakes_who_waits(wakeup: Wakeup) -> None:
    """Each time anew."""
    for _ in range(3):
        listener = listen(wakeup)
        wakeup.ring()
        assert woken(listener)


def test_nobody_is_woken_without_a_ring(wakeup: Wakeup) -> None:
    """However often it rang before, the wait after that is a whole one."""
    for _ in range(100):
        wakeup.ring()
    wakeup.wait(LONG)
    listener = listen(wakeup)
    listener.join(0.05)
    assert listener.is_alive()
    wakeup.ring()
    assert woken(listener)


def test_a_wait_ends_by_itself(wakeup: Wakeup) -> None:
    """Nobody has to ring."""
    wakeup.wait(0.01)


def test_a_ring_before_the_wait_is_not_lost(wakeup: Wakeup) -> None:
    """Who comes back from work is woken at once by what rang meanwhile."""
    wakeup.ring()
    assert woken(listen(wakeup))


def test_rings_without_a_listener_hold_nobody_up(wakeup: Wakeup) -> None:
    """Thousands of them, from many threads; the next who listens is woken still."""
    ringers = [
        threading.Thread(target=lambda: [wakeup.ring() for _ in range(5000)], daemon=True)  # type: ignore[func-returns-value]
        for _ in range(4)
    ]
    for ringer in ringers:
        ringer.start()
    assert all(map(woken, ringers)), "a ring was held up"
    assert woken(listen(wakeup))


def test_it_rings_from_process_to_process() -> None:
    """Between two that were forked from the one that made it, whichever of them came first."""
    script = (
        "carrier = fork(lambda: (wakeup.beat(time.monotonic() + 60), wakeup.wait(60), say('woken')))\n"
        "while not wakeup.alive(): pass\n"
        "fork(wakeup.ring)\n"
        "end(carrier)\n"
    )
    assert in_processes(script) == "woken "


def test_a_ring_outlives_the_processes() -> None:
    """The one that rang has ended, and the one that did not hear it was killed: the next one is woken."""
    script = (
        "killed = fork(lambda: time.sleep(60))\n"
        "end(fork(wakeup.ring))\n"
        "os.kill(killed, 9)\n"
        "end(killed)\n"
        "end(fork(lambda: (wakeup.wait(60), say('woken'))))\n"
    )
    assert in_processes(script) == "woken "


def test_it_beats_until_the_time_that_was_named(wakeup: Wakeup, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not before the first beat, and not from then on; the last beat counts, also an earlier one."""
    now = 1000.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    assert not wakeup.alive()
    for until in (1010.0, 1005.0):
        wakeup.beat(until)
        now = until - 0.1
        assert wakeup.alive()
        now = until
        assert not wakeup.alive()


def test_a_beat_is_seen_in_other_processes() -> None:
    """Those that were forked before it, and those after, also when the one that beat was killed."""
    script = (
        "def look(): say('alive' if wakeup.alive() else 'silent')\n"
        "end(fork(look))\n"
        "def beat():\n"
        "    wakeup.beat(time.monotonic() + 60)\n"
        "    os.kill(os.getpid(), 9)\n"
        "end(fork(beat))\n"
        "look()\n"
        "end(fork(look))\n"
        "end(fork(lambda: wakeup.beat(0)))\n"
        "look()\n"
    )
    assert in_processes(script).split() == ["silent", "alive", "alive", "silent"]
