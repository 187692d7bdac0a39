"""What a job says of itself."""

from __future__ import annotations

import pytest

from bot.model.job import Job, Step, Thread
from bot.model.outcome import Created, Duplicate, Outcome, Skipped

TWIN = Duplicate("U2", 3.0, "waiting")


@pytest.mark.parametrize(
    ("outcomes", "thread", "refused"),
    [
        ([TWIN], None, True),
        ([TWIN, Skipped()], None, True),
        ([TWIN, Skipped()], Thread("C1", "1.1"), False),
        ([Created("97101"), TWIN], None, False),  # carried where the bot may not post: its answer tells of both
        ([None, TWIN], None, False),
    ],
)
def test_a_job_is_refused_when_nothing_of_it_was_begun(
    outcomes: list[Outcome | None], thread: Thread | None, refused: bool
) -> None:
    """At acceptance, because somebody has just asked for one of its groups."""
    steps = [Step(place, f"G{place}", outcome=outcome) for place, outcome in enumerate(outcomes)]
    assert Job("U1", "C1", "1.1", "typed", steps, thread=thread).refused == refused
