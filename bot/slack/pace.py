"""How fast messages may follow each other in a channel: as Slack documents it, from Slack's first refusal there on.

Nothing is limited until Slack refuses something (HTTP 429). From then on nothing is sent to that channel for as long as
Slack said, and then one message a second: each has a slot of its own, and a job that is not due is sent away until
then. Source: https://docs.slack.dev/apis/web-api/rate-limits
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from bot.model.job import TryLater

INTERVAL = 1.0
"""Seconds between two messages: Slack documents about one message a second in a channel."""

FORGOTTEN = 60.0
"""How long after the last slot that was given away a channel's limit is forgotten, in seconds."""

SPARE = 0
"""The number of messages of what may be left out: it goes only when nobody waits."""


@dataclass
class _Limited:
    """A channel in which Slack refused a message; times are by time.monotonic."""

    closed_until: float = 0.0
    free_at: float = 0.0
    slots: dict[str, float] = field(default_factory=dict)  # when the next message of a job is due


class Pace:
    """Gives turns to what is sent to Slack. Safe to use from many threads."""

    def __init__(self) -> None:
        self._limited: dict[str, _Limited] = {}
        self._lock = threading.Lock()

    @contextmanager
    def turn(self, channel: str, job: str, messages: int) -> Iterator[None]:
        """Send a message in the `with`: the first of so many `messages` that the job has for this channel, or SPARE.

        The slots of a job's messages follow each other. Raises TryLater with the time until the job's slot when it has
        to wait, or when Slack refuses.
        """
        if wait := self._wait(channel, job, messages):
            raise TryLater("ratelimited", wait)
        try:
            yield
        except TryLater as later:
            if later.seconds is None:  # not a limit, but a fault
                raise
            self._refused(channel, job, later.seconds)
            raise TryLater(later.why, self._wait(channel, job, messages)) from None

    def _wait(self, channel: str, job: str, messages: int) -> float:
        """Return how long a message has to wait for its slot, in seconds; 0.0, and the slot is used, when it may go."""
        with self._lock:
            now, lane = time.monotonic(), self._limited.get(channel)
            if not lane or now > lane.free_at + FORGOTTEN:
                self._limited.pop(channel, None)
                return 0.0
            slot = lane.slots.pop(job, 0.0)
            if slot < lane.closed_until:  # it has none, or had one before Slack refused another message
                slot = max(now, lane.free_at)
                if slot <= now or messages != SPARE:
                    lane.free_at = slot + INTERVAL * max(1, messages)
            if slot > now and messages != SPARE:
                lane.slots[job] = slot
            elif messages > 1:
                lane.slots[job] = slot + INTERVAL
            return max(0.0, slot - now)

    def _refused(self, channel: str, job: str, seconds: float) -> None:
        """Send nothing to a channel for so long."""
        with self._lock:
            lane = self._limited.setdefault(channel, _Limited())
            lane.slots.pop(job, None)
            lane.closed_until = max(lane.closed_until, time.monotonic() + seconds)
            lane.free_at = max(lane.free_at, lane.closed_until)
