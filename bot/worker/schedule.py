"""The jobs that this process carries: which of them is next, shared fairly among the people who asked."""

import threading
import time
from collections import Counter
from collections.abc import Callable

from bot.model.job import Job


class Schedule:
    """Jobs that wait and jobs that are carried, in memory. Safe to use from many threads.

    Of the jobs that are due, the next is one of the person who has the fewest in work; nobody has more than half of
    the `threads`, so that somebody else's command is always begun at once.
    """

    def __init__(self, threads: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._most_each = max(1, threads // 2)
        self._clock = clock
        self._waiting: dict[str, tuple[float, Job]] = {}  # with when each is due, in the order in which they came
        self._carried: dict[str, Job] = {}
        self._closed = False
        self._changed = threading.Condition()

    def put(self, job: Job, seconds: float = 0.0) -> None:
        """Add a job, to be carried in so many seconds, in place of a copy that waits; one that is carried stays."""
        with self._changed:
            if job.id not in self._carried:
                self._waiting[job.id] = (self._clock() + seconds, job)
                self._changed.notify_all()

    def take(self) -> Job | None:
        """Wait for the next job that is due, and return it; None once the schedule is closed."""
        with self._changed:
            while not self._closed:
                now = self._clock()
                if job := self._next(now):
                    del self._waiting[job.id]
                    self._carried[job.id] = job
                    return job
                later = min((due for due, _ in self._waiting.values() if due > now), default=None)
                self._changed.wait(None if later is None else later - now)
            return None

    def done(self, job: Job, again_in: float | None = None) -> None:
        """Let go of a job that was taken, or put it back to be carried in so many seconds."""
        with self._changed:
            del self._carried[job.id]
            self._changed.notify_all()
            if again_in is not None:
                self.put(job, again_in)

    def ids(self) -> list[str]:
        """Return the ids of all jobs, those that are carried included."""
        with self._changed:
            return [*self._waiting, *self._carried]

    def busy(self) -> bool:
        """Tell whether a job is carried, or waits unanswered."""
        with self._changed:
            return bool(self._carried) or any(not job.answered for _, job in self._waiting.values())

    def close(self, seconds: float) -> int:
        """Give out no more jobs, and wait until none is carried, for at most so long; return how many are."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
            self._changed.wait_for(lambda: not self._carried, seconds)
            return len(self._carried)

    def _next(self, now: float) -> Job | None:
        each = Counter(job.user for job in self._carried.values())
        due = [job for at, job in self._waiting.values() if at <= now and each[job.user] < self._most_each]
        return min(due, key=lambda job: (each[job.user], job.answered), default=None)  # of equals, who came first
