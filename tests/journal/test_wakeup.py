"""The link between the two processes: rings, heartbeats, and how each end learns that the other is gone."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from bot.journal.wakeup import SILENT_FOR, Bell, Wakeup
from tests.support.served import inherited
from tests.support.until import until

PATIENCE = 10.0  # seconds after which a broken link fails a test
LONG = 30.0  # a wait that ends within PATIENCE was woken


@dataclass
class Linked:
    """Both ends in this process, each with the thread that listens."""

    bell: Bell
    link: socket.socket
    wakeup: Wakeup
    threads: list[threading.Thread] = field(default_factory=list)

    def listen(self, end: Callable[[], None]) -> threading.Thread:
        thread = threading.Thread(target=end, daemon=True)
        thread.start()
        self.threads.append(thread)
        return thread

    def wait(self) -> threading.Thread:
        """Let a thread wait until it is woken."""
        return self.listen(lambda: self.wakeup.wait(LONG))


@pytest.fixture
def linked() -> Iterator[Linked]:
    bell = Bell()
    with bell.connect() as link:
        linked = Linked(bell, link, Wakeup(link))
        yield linked
        bell.close()
        linked.wakeup.ring()
        for thread in linked.threads:
            thread.join(PATIENCE)


def ended(thread: threading.Thread) -> bool:
    thread.join(PATIENCE)
    return not thread.is_alive()


def test_a_ring_wakes_the_thread_that_waits(linked: Linked) -> None:
    """Each time, whether the front rings or the worker's own thread."""
    linked.listen(linked.wakeup.listen)
    for ring in (linked.bell.ring, linked.wakeup.ring) * 2:
        waiting = linked.wait()
        ring()
        assert ended(waiting)


def test_nobody_is_woken_without_a_ring(linked: Linked) -> None:
    """However often it rang before, the wait after that lasts until the next ring."""
    for _ in range(100):
        linked.wakeup.ring()
    linked.wakeup.wait(LONG)
    waiting = linked.wait()
    waiting.join(0.05)
    assert waiting.is_alive()
    linked.wakeup.ring()
    assert ended(waiting)


def test_a_ring_before_the_wait_is_not_lost(linked: Linked) -> None:
    """A worker that comes back from its work, or that has just started, is woken by what rang meanwhile."""
    linked.bell.ring()
    linked.listen(linked.wakeup.listen)
    assert ended(linked.wait())


def test_rings_that_nobody_hears_hold_nobody_up(linked: Linked) -> None:
    """Thousands of rings from many threads to a worker that does not listen; the next one wakes it still."""

    def ring_often() -> None:
        for _ in range(5000):
            linked.bell.ring()

    ringers = [linked.listen(ring_often) for _ in range(4)]
    assert all(map(ended, ringers)), "a ring was held up"
    linked.listen(linked.wakeup.listen)
    assert ended(linked.wait())


def test_a_ring_without_a_worker_does_nothing() -> None:
    """Before the first worker, and after the last."""
    bell = Bell()
    bell.ring()
    bell.connect().close()
    bell.ring()
    bell.close()
    bell.ring()


def test_a_heartbeat_counts_for_a_while(linked: Linked, monkeypatch: pytest.MonkeyPatch) -> None:
    """The worker is dead before its first beat, alive after it, and dead again when no more come."""
    now = 1000.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    assert not linked.bell.alive()
    linked.listen(linked.bell.listen)
    linked.wakeup.beat()
    until(linked.bell.alive)
    now += SILENT_FOR - 0.1
    assert linked.bell.alive()
    now += 0.2
    assert not linked.bell.alive()
    linked.wakeup.beat()
    until(linked.bell.alive)


def test_a_front_that_is_gone_is_noticed(linked: Linked) -> None:
    """The worker's end comes to its end, also when heartbeats of its own were never read."""
    linked.wakeup.beat()
    listening = linked.listen(linked.wakeup.listen)
    linked.bell.close()
    assert ended(listening)


def test_a_worker_that_is_killed_is_noticed_and_followed_by_another() -> None:
    """The front knows at once, with rings that the worker never read; the next worker is alive again."""
    bell = Bell()
    script = (
        "import socket, time\n"
        "from bot.journal.wakeup import Wakeup\n"
        "wakeup = Wakeup(socket.socket(fileno=0))\n"
        "wakeup.beat()\n"
        "time.sleep(60)\n"
    )
    for _ in range(2):
        with bell.connect() as link:
            worker = subprocess.Popen(  # noqa: S603  # our own interpreter and script
                [sys.executable, "-c", script],
                cwd=Path(__file__).parents[2],
                env=inherited(),
                stdin=link.fileno(),
            )
        listening = threading.Thread(target=bell.listen, daemon=True)
        listening.start()
        bell.ring()
        until(bell.alive)
        worker.kill()
        assert ended(listening)
        assert not bell.alive()
        worker.wait()
    bell.close()
