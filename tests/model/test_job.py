"""What a job says of itself, and which steps the buttons under its answer start."""

import pytest

from bot.model.job import Job, Step, Thread
from bot.model.next_job import left_unclear, next_job
from bot.model.outcome import (
    Created,
    Denied,
    Duplicate,
    Exists,
    FollowUp,
    NoParent,
    NotSent,
    Outcome,
    Rejected,
    Skipped,
    Unknown,
)

TWIN = Duplicate("U2", 3.0, "waiting")


def test_a_job_is_refused_when_nothing_of_it_was_begun() -> None:
    """At acceptance, because somebody has just asked for one of its groups."""
    rows: list[tuple[list[Outcome | None], Thread | None, bool]] = [
        ([TWIN], None, True),
        ([TWIN, Skipped()], None, True),
        ([TWIN, Skipped()], Thread("C1", "1.1"), False),
        ([Created("97101"), TWIN], None, False),  # carried where the bot may not post: its answer tells of both
        ([None, TWIN], None, False),
    ]
    for outcomes, thread, refused in rows:
        steps = [Step(place, f"G{place}", outcome=outcome) for place, outcome in enumerate(outcomes)]
        assert Job("U1", "C1", "1.1", "typed", steps, thread=thread).refused == refused, outcomes


TREE = [
    Step(0, "A", outcome=Created("1")),
    Step(1, "B", above=0, outcome=Rejected(503, "")),
    Step(2, "C", above=1, outcome=Skipped()),
    Step(3, "D", above=0, parent_id="1", outcome=Unknown("timeout", ("7",))),
    Step(4, "E", above=3, outcome=Skipped()),
    Step(5, "F", outcome=Unknown("closed", ())),
    Step(6, "G", outcome=Exists("9")),
]


@pytest.mark.parametrize(
    ("way", "started"),
    [
        (FollowUp.AGAIN, ["B under 1", "C under B"]),
        (FollowUp.ANYWAY, ["D under 1", "E under D", "F"]),
        (FollowUp.LOOK, ["D under 1 sent", "F sent"]),
        (FollowUp.CONFIRM, ["D under 1 sent 7", "E under D", "F sent"]),
        (FollowUp.ANOTHER, ["B under 1", "C under B", "D under 1", "E under D", "F", "G"]),
    ],
)
def test_the_steps_that_a_button_starts(way: FollowUp, started: list[str]) -> None:
    """Under the groups that exist; only what was sent is looked up, and only a person's yes settles it."""
    steps = next_job(Job("U1", "C1", "1.1", "typed", TREE), way, "U2", "en").steps

    def shown(step: Step) -> str:
        over = steps[step.above].name if step.above is not None else step.parent_id
        return f"{step.name}{f' under {over}' * bool(over)}{' sent' * (step.stage == 'sending')} {step.confirmed_id}"

    assert [shown(step).strip() for step in steps] == started
    assert [step.position for step in steps] == list(range(len(steps)))


def test_what_nobody_tried_says_nothing_of_a_group() -> None:
    """An unclear group stays unclear, and no edit sends it, until an outcome says what became of it."""
    unclear = Unknown("timeout", ())
    tried: list[Outcome] = [Created("1"), Exists("1"), Rejected(503, ""), NotSent("tls")]
    for later in (*tried, NoParent("missing"), TWIN, Skipped(), Denied("guest")):
        jobs = [Job("U1", "C1", "1.1", "A", [Step(0, "A", parent_id="", outcome=each)]) for each in (unclear, later)]
        assert left_unclear(jobs, "A", "") == (None if later in tried else unclear), later
