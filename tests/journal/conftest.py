"""Journals on the test's database, one of each kind."""

from collections.abc import Callable, Iterator

import pytest

from bot.journal.journal import Journal
from tests.support.journal import Open


@pytest.fixture
def opened() -> Iterator[Callable[[str], Journal]]:
    """Open journals, which are closed afterwards, also where one could not be opened."""
    books: list[Journal] = []

    def _open(url: str) -> Journal:
        books.append(Journal(url))
        books[-1].open()
        return books[-1]

    yield _open
    for book in books:
        book.close()


@pytest.fixture
def open_journal(database_url: str, opened: Callable[[str], Journal]) -> Open:
    """Open journals on the test's database, each registered as a process of its own."""

    def _open() -> Journal:
        book = opened(database_url)
        book.keep()
        return book

    return _open


@pytest.fixture
def book(open_journal: Open) -> Journal:
    return open_journal()
