"""Secrets: a response_url is kept as long as it is of use."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Engine, select, update

from bot.journal.journal import Journal
from bot.journal.tables import jobs
from tests.support.journal import (
    accepted,
    held,
    typed,
)


def response_urls(engine: Engine) -> list[Any]:
    with engine.connect() as connection:
        return list(connection.scalars(select(jobs.c.response_url).where(jobs.c.response_url.is_not(None))))


@pytest.mark.parametrize(("age", "kept"), [(0, 1), (1700, 1), (1801, 0)])
def test_a_response_url_is_kept_for_half_an_hour(book: Journal, engine: Engine, age: int, kept: int) -> None:
    """As long as Slack honours it, of a job that waits."""
    accepted(book, typed())
    with engine.begin() as connection:
        connection.execute(update(jobs).values(accepted_at=jobs.c.accepted_at - age))
    book.keep()
    assert len(response_urls(engine)) == kept


def test_a_response_url_is_not_kept_after_the_answer(book: Journal, engine: Engine) -> None:
    """Anyone who was answered is not written to again."""
    job = held(book)
    book.mark_answered(job)
    assert not response_urls(engine)
