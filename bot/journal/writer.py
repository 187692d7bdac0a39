"""One thread writes for all: what waits is done in one transaction, in the order in which it came."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

from sqlalchemy import Connection

from bot.journal.database import Database
from bot.journal.errors import BadValue, JournalError, TakenOver
from bot.journal.tables import lock

AT_ONCE = 32
"""How many changes are made in one transaction at most."""

R = TypeVar("R")
Change = Callable[[Connection], R]
"""Makes a change, perhaps more than once; it may raise TakenOver before it changes anything."""

_Waiting = tuple[Change[Any], Future[Any]]


class Writer:
    """Makes changes to a database, several in one transaction. Safe to use from many threads."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.busy = False
        """Whether it writes at this moment."""
        self._queue: queue.SimpleQueue[_Waiting | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="writer", daemon=True)
        self._thread.start()

    def submit(self, change: Change[R]) -> Future[R]:
        """Queue a change. The future can be cancelled until it is this change's turn to be written.

        It gets the change's result, TakenOver, or the JournalError of its transaction. After BadValue each change of
        the transaction is tried alone, so that only that one fails which caused it.
        """
        future: Future[R] = Future()
        self._queue.put((change, future))
        return future

    def close(self) -> None:
        """Write what waits, and nothing that comes later."""
        self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        while first := self._queue.get():
            some = [first]
            while len(some) < AT_ONCE and not self._queue.empty():
                if not (another := self._queue.get()):
                    self._queue.put(None)
                    break
                some.append(another)
            self.busy = True
            self._write(some)
            self.busy = False

    def _write(self, some: list[_Waiting]) -> None:
        results: list[tuple[Future[Any], object]] = []
        try:
            with self._database.writing() as connection:
                lock(connection)
                some = [(change, future) for change, future in some if _begun(future)]
                results = [(future, _made(change, connection)) for change, future in some]
        except JournalError as error:
            if isinstance(error, BadValue) and len(some) > 1:
                for one in some:
                    self._write([one])
                return
            results = [(future, error) for _, future in some if _begun(future)]
        for future, result in results:
            if isinstance(result, Exception):
                future.set_exception(result)
            else:
                future.set_result(result)


def _begun(future: Future[Any]) -> bool:
    """Let a future not be cancelled any more; False when it was."""
    return future.running() or (not future.cancelled() and future.set_running_or_notify_cancel())


def _made(change: Change[R], connection: Connection) -> R | TakenOver:
    try:
        return change(connection)
    except TakenOver as error:
        return error
