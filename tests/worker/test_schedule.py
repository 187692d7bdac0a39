"""Which job is next: fairly by person, when it is due, and each once."""

from __future__ import annotations

import threading

from bot.worker.schedule import Schedule
from tests.support.journal import typed


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_next_is_who_has_the_fewest_in_work() -> None:
    """One person's forty came first: another's is next; one person alone has half of the threads at most."""
    schedule = Schedule(8)
    forty = [typed(f"G{number}", "U1") for number in range(40)]
    for job in forty:
        schedule.put(job)
    taken = [schedule.take() for _ in range(2)]
    other = typed("other", "U2")
    schedule.put(other)
    assert taken == forty[:2]
    assert schedule.take() is other
    assert [schedule.take() for _ in range(2)] == forty[2:4]
    waiting = threading.Thread(target=schedule.take, daemon=True)
    waiting.start()
    assert len(schedule.ids()) == 41
    schedule.done(forty[0])
    waiting.join(10)
    assert not waiting.is_alive()
    schedule.close(0)


def test_what_is_answered_already_comes_last() -> None:
    """Of one person's jobs, those that nobody waits for."""
    schedule = Schedule(8)
    answered, open_job = typed("A"), typed("B")
    answered.answered_at = 1.0
    schedule.put(answered)
    schedule.put(open_job)
    assert [schedule.take(), schedule.take()] == [open_job, answered]


def test_a_job_is_due_when_its_time_has_come() -> None:
    """By a clock that nobody sets; what was put back keeps its place among those that wait."""
    clock = Clock()
    schedule = Schedule(8, clock)
    late, soon = typed("late"), typed("soon", "U2")
    schedule.put(late, 5.0)
    schedule.put(soon)
    assert schedule.take() is soon
    schedule.done(soon, 1.0)
    clock.now = 1.5
    assert schedule.take() is soon
    clock.now = 6.0
    assert schedule.take() is late


def test_a_job_is_carried_once() -> None:
    """However often it is found: while it waits, and while it is carried."""
    schedule = Schedule(8)
    job = typed("A")
    for _ in range(2):
        schedule.put(job)
    assert schedule.take() is job
    schedule.put(job)
    assert schedule.ids() == [job.id]
    schedule.done(job)
    assert schedule.ids() == []
    schedule.close(0)
    assert schedule.take() is None


def test_the_end_waits_for_what_is_carried() -> None:
    """For at most so long; what waits is not begun."""
    schedule = Schedule(8)
    job = typed("A")
    schedule.put(job)
    schedule.put(typed("B"))
    assert schedule.take() is job
    schedule.close(0)
    assert schedule.take() is None
    assert schedule.close(0.01) == 1
    threading.Timer(0.05, schedule.done, [job]).start()
    assert schedule.close(10) == 0


def test_busy_is_what_is_carried_or_unanswered() -> None:
    """What is only to be closed later keeps nobody waiting."""
    schedule = Schedule(8)
    job = typed("A")
    assert not schedule.busy()
    schedule.put(job)
    assert schedule.busy()
    assert schedule.take() is job
    job.answered_at = 1.0
    assert schedule.busy()
    schedule.done(job, 60.0)
    assert not schedule.busy()
