"""Which job is next: fairly by person, when it is due, and each once."""

import threading
from dataclasses import replace

from bot.worker.schedule import Schedule
from tests.support.journal import typed


def test_next_is_who_has_the_fewest_in_work() -> None:
    """One person's forty came first: another's is next; one person alone has half of the threads at most."""
    schedule = Schedule(8)
    forty = [typed(f"G{number}", "U1") for number in range(40)]
    for job in forty:
        schedule.put(job)
    assert [schedule.take() for _ in range(2)] == forty[:2]
    other = typed("other", "U2")
    schedule.put(other)
    assert [schedule.take() for _ in range(3)] == [other, *forty[2:4]]
    waiting = threading.Thread(target=schedule.take, daemon=True)
    waiting.start()
    assert len(schedule.ids()) == 41
    schedule.done(forty[0])
    waiting.join(30)
    assert not waiting.is_alive()


def test_what_is_answered_already_comes_last_and_keeps_nobody_waiting() -> None:
    """Of one person's jobs; a bot is busy with those that are carried, or that somebody waits for."""
    schedule = Schedule(8)
    assert not schedule.busy()
    answered, open_job = typed("A"), typed("B")
    answered.answered_at = 1.0
    schedule.put(answered)
    assert not schedule.busy()
    schedule.put(open_job)
    assert schedule.busy()
    assert [schedule.take(), schedule.take()] == [open_job, answered]
    schedule.done(open_job)
    assert schedule.busy()
    schedule.done(answered, 60.0)
    assert not schedule.busy()


def test_a_job_is_due_when_its_time_has_come() -> None:
    """By a clock that nobody sets; what was put back keeps its place among those that wait."""
    now = [0.0]
    schedule = Schedule(8, lambda: now[0])
    late, soon = typed("late"), typed("soon", "U2")
    schedule.put(late, 5.0)
    schedule.put(soon)
    assert schedule.take() is soon
    schedule.done(soon, 1.0)
    for now[0], job in ((1.5, soon), (6.0, late)):
        assert schedule.take() is job


def test_a_job_is_carried_once_and_the_end_waits_for_it() -> None:
    """However often it is found, while it waits, as the newer copy, and while it is carried.

    What waits at the end is not begun.
    """
    schedule = Schedule(8)
    old = typed("A")
    job = replace(old, language="tr")
    schedule.put(old, 60.0)
    schedule.put(job)
    assert schedule.take() is job
    schedule.put(old)
    assert schedule.ids() == [job.id]
    schedule.put(typed("B"))
    assert schedule.close(0.01) == 1
    assert schedule.take() is None
    threading.Timer(0.05, schedule.done, [job]).start()
    assert schedule.close(30) == 0
