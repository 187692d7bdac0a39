"""One thread writes for all: what waits is done in one transaction, in the order in which it came."""

from __future__ import annotations

import queue
import threading
import time
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
"""Makes a change, perhaps more than once; it may raise TakenOver before it writes anything."""


class Writer:
    """Makes changes to a database, several in one transaction. Safe to use from many threads."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._changes: queue.SimpleQueue[tuple[Change[Any], Future[Any]] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="writer", daemon=True)
        self._starting = threading.Lock()
        self._began: float | None = None

    def submit(self, change: Change[R]) -> Future[R]:
        """Queue a change. The future can be cancelled until it is this change's turn to be written.

        It gets the change's result, TakenOver, or the JournalError of its transaction. After BadValue each change of
        the transaction is tried alone, so that only that one fails which caused it.
        """
        future: Future[R] = Future()
        self._changes.put((change, future))
        if not self._thread.is_alive():
            with self._starting:
                if not self._thread.ident:
                    self._thread.start()
        return future

    @property
    def busy_for(self) -> float:
        """For how long nothing was written although something waits, in seconds."""
        began = self._began
        return 0.0 if began is None else time.monotonic() - began

    def close(self) -> None:
        """Write what waits, and nothing that comes later."""
        self._changes.put(None)
        if self._thread.ident:
            self._thread.join()

    def _run(self) -> None:
        while first := self._changes.get():
            some = [first]
            while len(some) < AT_ONCE and not self._changes.empty():
                if not (another := self._changes.get()):
                    self._changes.put(None)
                    break
                some.append(another)
            self._began = self._began or time.monotonic()
            self._write(some)
            if not self._database.failing or self._changes.empty():
                self._began = None

    def _write(self, some: list[tuple[Change[Any], Future[Any]]]) -> None:
        try:
            with self._database.writing() as connection:
                lock(connection)
                some = [(change, future) for change, future in some if _begun(future)]
                results = [_made(change, connection) for change, _ in some]
        except BadValue as error:
            if len(some) > 1:
                for one in some:
                    self._write([one])
            elif _begun(some[0][1]):
                some[0][1].set_exception(error)
        except JournalError as error:
            for _, future in some:
                if _begun(future):
                    future.set_exception(error)
        else:
            for (_, future), result in zip(some, results, strict=True):
                if isinstance(result, TakenOver):
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
