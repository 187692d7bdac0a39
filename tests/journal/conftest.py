"""Journals on the test's database, one of each kind."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bot.journal.journal import Journal
from tests.support.journal import Open


@pytest.fixture
def open_journal(database_url: str) -> Iterator[Open]:
    """Open journals on the test's database, each registered as a process of its own."""
    opened: list[Journal] = []

    def _open() -> Journal:
        book = Journal(database_url)
        opened.append(book)
        book.open()
        book.keep()
        return book

    yield _open
    for book in opened:
        book.close()


@pytest.fixture
def book(open_journal: Open) -> Journal:
    return open_journal()
