"""How fast messages may follow each other in a channel: a queue that learns Slack's limit from its refusals.

Nothing is limited until Slack refuses something (HTTP 429). From then on the messages of that channel take turns:
each has a slot of its own, and a job that is not due is sent away until then. The time between two slots shrinks a
little with each message that goes through and grows much with each refusal, so that several processes find their
shares without a word to each other. Source: https://docs.slack.dev/apis/web-api/rate-limits
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import IntEnum

from bot.model.job import TryLater

FIRST_INTERVAL = 1.0
"""Seconds between two messages after the first refusal: Slack documents about one message a second in a channel."""

LONGEST_INTERVAL = 30.0
FASTER, SLOWER = 0.97, 1.5
"""By what the interval is multiplied when a message went through, and when one was refused."""
BURST = 5
"""How many messages may go at once after a pause: what was not used of a limit may be caught up."""

PATIENCE = 0.5
"""How long a thread waits for its turn, in seconds; who would wait longer is sent away."""

SHORTEST_WAIT = 0.1
"""How long somebody is sent away at least, in seconds."""

LOOK_AGAIN = 10.0
"""Within how many seconds a slot is near."""

LATE = 5.0
"""How long a slot is kept for a job that does not come back, in seconds: another process may carry it meanwhile."""

FORGOTTEN = 60.0
"""How long after the last message a channel's pace is forgotten, in seconds."""

MOST_LANES = 1000


class Bucket:
    """Lets `burst` through at once and `per_second` after that. Safe to use from many threads."""

    def __init__(self, per_second: float, burst: float) -> None:
        self._per_second = per_second
        self._burst = burst
        self._full_at = 0.0
        self._lock = threading.Lock()

    def take(self) -> float:
        """Return 0.0 and count one, or return in how many seconds one will be let through."""
        with self._lock:
            now = time.monotonic()
            full_at = max(self._full_at, now) + 1 / self._per_second
            wait = full_at - now - self._burst / self._per_second
            if wait <= 0:
                self._full_at = full_at
            return max(wait, 0.0)


class Rank(IntEnum):
    """Who goes first; the value is how many slots the job still needs."""

    ANSWER = 1
    """What a job has to tell, where its root is."""
    RESULT = 2
    """The root of a job that has something to tell; its answer follows."""
    SPARE = 3
    """What may be left out: it goes only when nobody waits, and keeps no slot."""


Place = tuple[Rank, float, str]
"""The place of a job in the queue: its rank, since when it waits, its id."""


@dataclass
class _Lane:
    interval: float = 0.0  # 0.0: no limit is known
    free_at: float = 0.0
    under_way: int = 0
    used_at: float = 0.0
    refused_at: float = 0.0
    waiting: dict[str, tuple[Place, float]] = field(default_factory=dict)  # by job, and until when its slot is kept

    def forgotten(self, now: float) -> bool:
        """Tell whether what was learnt is too old to be of use."""
        return not self.under_way and now > max(self.used_at, self.free_at) + FORGOTTEN

    def wait(self, me: Place, now: float) -> float:
        """Return how long until the slot of a message, in seconds; 0.0 or less when it may go."""
        self.waiting = {job: kept for job, kept in self.waiting.items() if kept[1] >= now}
        ahead = [other for other, _ in self.waiting.values() if other < me and other[2] != me[2]]
        slot = self.free_at + self.interval * sum(int(rank) for rank, _, _ in ahead)
        return max(slot - now, SHORTEST_WAIT if ahead and me[0] == Rank.SPARE and self.interval else 0.0)

    def leave(self, me: Place, now: float) -> float:
        """Return when a job comes back, in seconds: half-way to a far slot, as it may be nearer by then."""
        wait = self.wait(me, now)
        back = max(SHORTEST_WAIT, self.free_at - now, min(wait, max(wait / 2, LOOK_AGAIN)))
        self.waiting.pop(me[2], None)
        if me[0] != Rank.SPARE:
            self.waiting[me[2]] = me, now + back + LATE
        return back


class Pace:
    """Gives turns to what is sent to Slack, `width` at once in a channel. Safe to use from many threads."""

    def __init__(self, width: int = 1) -> None:
        self._width = width
        self._lanes: dict[str, _Lane] = {}
        self._changed = threading.Condition()

    @contextmanager
    def turn(self, channel: str, job: str, since: float, rank: Rank) -> Iterator[None]:
        """Wait for the turn of a message; in the `with`, send it. The older job (`since`) of the same rank goes first.

        Raises TryLater with the time until the job's own slot when the wait is long, or when Slack refuses.
        """
        me = (rank, since, job)
        lane = self._enter(channel, me)
        began = time.monotonic()
        try:
            yield
        except TryLater as later:
            if later.seconds is None:  # not a limit, but a fault
                raise
            raise TryLater(later.why, self._refused(lane, me, began, later.seconds)) from None
        else:
            lane.interval = lane.interval * FASTER if lane.interval > 0.01 else 0.0
        finally:
            with self._changed:
                lane.under_way -= 1
                self._changed.notify_all()

    def _enter(self, channel: str, me: Place) -> _Lane:
        with self._changed:
            lane = self._lane(channel)
            until = time.monotonic() + PATIENCE
            while True:
                now = time.monotonic()
                wait, full = lane.wait(me, now), lane.under_way >= self._width
                if wait <= 0 and not full:
                    break
                if now + wait > until or now >= until or (me[0] == Rank.SPARE and lane.interval):
                    raise TryLater("ratelimited", lane.leave(me, now))
                lane.waiting[me[2]] = me, until
                self._changed.wait(until - now if full else wait)
            lane.waiting.pop(me[2], None)
            lane.under_way += 1
            lane.used_at = now
            if lane.interval:
                lane.free_at = max(lane.free_at, now - (BURST - 1) * lane.interval) + lane.interval
            return lane

    def _refused(self, lane: _Lane, me: Place, began: float, seconds: float) -> float:
        """Slow down, and return how long the refused message has to wait."""
        with self._changed:
            now = time.monotonic()
            if began >= lane.refused_at:  # those that were under way together are refused for the same reason
                lane.interval = min(lane.interval * SLOWER or FIRST_INTERVAL, LONGEST_INTERVAL)
                lane.refused_at = now
            lane.free_at = max(lane.free_at, now + seconds)
            return lane.leave(me, now)

    def _lane(self, channel: str) -> _Lane:
        now = time.monotonic()
        if len(self._lanes) >= MOST_LANES:
            self._lanes = {name: lane for name, lane in self._lanes.items() if not lane.forgotten(now)}
        lane = self._lanes.setdefault(channel, _Lane())
        lane.interval = 0.0 if lane.forgotten(now) else lane.interval
        return lane
