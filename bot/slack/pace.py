"""How fast messages may follow each other in a channel: a queue that learns Slack's limit from its refusals.

Nothing is limited until Slack refuses something (HTTP 429). From then on the messages of that channel take turns:
each has a slot of its own, and a job that is not due is sent away until then. The time between two slots shrinks a
little with each message that goes through and grows much with each refusal, so that several processes find their
shares without a word to each other. Source: https://docs.slack.dev/apis/web-api/rate-limits
"""

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
"""How long a thread waits for those that are sending, in seconds; then its job is sent away."""

SHORTEST_WAIT = 0.1
"""How long somebody is sent away at least, in seconds."""

LOOK_AGAIN = 10.0
"""Within how many seconds a slot is near; for one that is far, a job looks again half-way, as it may be nearer then."""

LATE = 5.0
"""How long a slot is kept for a job that does not come back, in seconds: another process may carry it meanwhile."""

FORGOTTEN = 60.0
"""How long after the last message a channel's pace is forgotten, in seconds."""


class Rank(IntEnum):
    """Who goes first; the value is how many slots the job still needs.

    ANSWER is what a job has to tell, where its root is; RESULT the root of a job that has something to tell, whose
    answer follows. SPARE may be left out: it goes only when nobody waits, and keeps no slot.
    """

    ANSWER = 1
    RESULT = 2
    SPARE = 3


Place = tuple[Rank, float, str]
"""The place of a job in the queue: its rank, since when it waits, its id."""


@dataclass
class _Lane:
    busy: threading.BoundedSemaphore
    interval: float = 0.0  # 0.0: no limit is known
    free_at: float = 0.0
    refused_at: float = 0.0
    waiting: dict[str, tuple[Place, float]] = field(default_factory=dict)  # by job, and until when its slot is kept

    def wait(self, me: Place, now: float) -> float:
        """Return how long until the slot of a message, in seconds; 0.0 or less when it may go."""
        self.waiting = {job: kept for job, kept in self.waiting.items() if kept[1] >= now}
        ahead = [place[0] for place, _ in self.waiting.values() if place < me and place[2] != me[2]]
        slot = self.free_at + self.interval * sum(ahead)
        return max(slot - now, SHORTEST_WAIT if ahead and me[0] == Rank.SPARE else 0.0)

    def leave(self, me: Place, now: float) -> float:
        """Keep a job's slot, and return when it comes back, in seconds."""
        wait = self.wait(me, now)
        back = max(SHORTEST_WAIT, self.free_at - now, min(wait, max(wait / 2, LOOK_AGAIN)))
        if me[0] != Rank.SPARE:
            self.waiting[me[2]] = me, now + back + LATE
        return back


class Pace:
    """Gives turns to what is sent to Slack, `width` at once in a channel. Safe to use from many threads."""

    def __init__(self, width: int = 1) -> None:
        self._width = width
        self._lanes: dict[str, _Lane] = {}
        self._lock = threading.Lock()

    @contextmanager
    def turn(self, channel: str, job: str, since: float, rank: Rank) -> Iterator[None]:
        """Wait for the turn of a message; in the `with`, send it. The older job (`since`) of the same rank goes first.

        Raises TryLater with the time until the job's own slot when it has to wait, or when Slack refuses.
        """
        me, lane = (rank, since, job), self._lane(channel)
        if not lane.busy.acquire(timeout=PATIENCE):
            raise TryLater("ratelimited", SHORTEST_WAIT)
        try:
            began = self._begin(lane, me)
            try:
                yield
            except TryLater as later:
                if later.seconds is None:  # not a limit, but a fault
                    raise
                raise TryLater(later.why, self._refused(lane, me, began, later.seconds)) from None
            lane.interval = lane.interval * FASTER if lane.interval > 0.01 else 0.0
        finally:
            lane.busy.release()

    def _begin(self, lane: _Lane, me: Place) -> float:
        """Take a slot, and return when that was; or raise TryLater with when to come back."""
        with self._lock:
            now = time.monotonic()
            if lane.interval and lane.wait(me, now) > 0:
                raise TryLater("ratelimited", lane.leave(me, now))
            lane.waiting.pop(me[2], None)
            lane.free_at = max(lane.free_at, now - (BURST - 1) * lane.interval) + lane.interval
            return now

    def _refused(self, lane: _Lane, me: Place, began: float, seconds: float) -> float:
        """Slow down, and return how long the refused message has to wait."""
        with self._lock:
            now = time.monotonic()
            if began >= lane.refused_at:  # those that were under way together are refused for the same reason
                lane.interval = min(lane.interval * SLOWER or FIRST_INTERVAL, LONGEST_INTERVAL)
                lane.refused_at = now
            lane.free_at = max(lane.free_at, now + seconds)
            return lane.leave(me, now)

    def _lane(self, channel: str) -> _Lane:
        with self._lock:
            lane = self._lanes.setdefault(channel, _Lane(threading.BoundedSemaphore(self._width)))
            if time.monotonic() > lane.free_at + FORGOTTEN:
                lane.interval = 0.0
            return lane
