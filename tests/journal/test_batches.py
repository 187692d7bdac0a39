"""Accepting many jobs in one transaction: each as if it had come alone."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine

from bot.journal import accepting
from bot.journal.database import metadata
from bot.journal.journal import Accepted, Busy, Journal
from bot.model.followup import FollowUp
from bot.model.job import Job
from bot.model.outcome import Duplicate
from tests.support.journal import (
    accepted,
    batch,
    count,
    shape,
    typed,
)


def test_a_batch_is_answered_as_if_one_had_come_after_the_other(book: Journal, engine: Engine) -> None:
    """Any mixture of twins, repeated triggers and forced ones gets the answers that it would get one by one."""

    def some() -> list[Job]:
        names = ["A", "B", "a", "A parent=5", "B", "Top\n  A", "C", "top"]
        jobs = [typed(name, f"U{number}") for number, name in enumerate(names)]
        jobs += [
            typed("A", "U8", followup=FollowUp.ANOTHER),
            typed("D", "U9", followup=FollowUp.ANOTHER),
            typed("D", "U10"),
        ]
        for n, trigger, followup in ((4, "again:b", FollowUp.AGAIN), (7, "once", None), (10, "edit:d", FollowUp.EDIT)):
            jobs[n].trigger, jobs[n].followup = trigger, followup
        repeated = [typed("Z", "U11"), typed("Z", "U12"), typed("B", "U13"), typed("Z", "U14"), typed("a", "U2")]
        for job, n in zip(repeated, (0, 7, 4, 10, 2), strict=True):
            job.trigger = jobs[n].trigger
        return [*jobs, *repeated]

    together = [shape(answer) for answer in batch(engine, *some())]
    claimed_together = [job.typed for job in book.claim(99)]
    metadata.drop_all(engine)
    book.open()
    one_by_one = [shape(book.accept(job)) for job in some()]
    assert together == one_by_one
    assert sorted(claimed_together) == sorted(job.typed for job in book.claim(99))


def test_a_trigger_that_comes_twice_in_a_batch_is_one_job(book: Journal, engine: Engine) -> None:
    """The second finds the first one's, and who that was."""
    first, second = typed("A", "U1"), typed("B", "U2")
    second.trigger = first.trigger
    assert batch(engine, first, second) == [Accepted(), Accepted(fresh=False, user="U1")]
    assert count(engine) == 1


def test_a_twin_that_is_delivered_twice_in_a_batch_harms_nobody(book: Journal, engine: Engine) -> None:
    """It is written once, as a duplicate; what else is in the batch is accepted."""
    twins = [typed("A", "U2"), typed("A", "U2")]
    twins[1].trigger = twins[0].trigger
    answers = batch(engine, typed("A", "U1"), *twins, typed("B", "U3"))
    assert [shape(answer) for answer in answers] == [
        Accepted(),
        ("U1", "waiting"),
        Accepted(fresh=False, user="U2"),
        Accepted(),
    ]
    assert count(engine) == 3


def test_of_twins_in_a_batch_the_first_is_accepted(book: Journal, engine: Engine) -> None:
    """The second is told of the first; one that is wanted anyway is accepted, and told to the next."""
    answers = batch(
        engine,
        typed("VIP", "U1"),
        typed("vip", "U2"),
        typed("VIP", "U3", followup=FollowUp.ANOTHER),
        typed("VIP", "U4"),
    )
    assert [shape(answer) for answer in answers] == [Accepted(), ("U1", "waiting"), Accepted(), ("U3", "waiting")]
    assert sorted(job.user for job in book.claim(9)) == ["U1", "U3"]


def test_a_batch_fills_the_bound_exactly(book: Journal, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there is room for two more, two are accepted, though a repeated trigger and a twin are among them."""
    accepted(book, typed("A"))
    monkeypatch.setattr(accepting, "MOST_OPEN", 3)
    first = typed("B", "U1")
    again = typed("B", "U1")
    again.trigger = first.trigger
    answers = batch(engine, first, again, typed("a", "U2"), typed("C"), typed("D"), typed("E"), again)
    assert [type(answer) for answer in answers] == [Accepted, Accepted, Duplicate, Accepted, Busy, Busy, Accepted]
    assert sorted(job.typed for job in book.claim(9)) == ["A", "B", "C"]
    assert isinstance(book.accept(typed("F")), Busy)


def test_subgroups_under_new_groups_keep_nobody_away(book: Journal, engine: Engine) -> None:
    """Each tree has a group of its own above them, in a batch as one by one; their tops are twins."""
    trees = [typed("North\n  Shops"), typed("South\n  Shops"), typed("Shops")]
    assert batch(engine, *trees) == [Accepted()] * 3
    (answer,) = batch(engine, typed("East\n  Shops\nnorth", "U2"))
    assert shape(answer) == ("U1", "waiting")
    assert batch(engine, typed("East\n  Shops\n  Offices")) == [Accepted()]
