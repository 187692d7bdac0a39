"""Changes to the jobs that a process holds: what comes together is one transaction, and a lost job stays as it is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from sqlalchemy import Connection, Executable

from bot.journal import queries
from bot.journal.errors import BadValue, JournalError
from bot.journal.group_commit import GroupCommit
from bot.journal.member import Member
from bot.model.job import Job

AT_ONCE = 32
"""How many jobs are accepted, or changes made, in one transaction at most."""

R = TypeVar("R")


class LostLease(Exception):
    """Another process has taken the job over: leave it alone."""


class Holder(Member):
    """A process that holds jobs in the journal in the database at `url`, and changes them."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self._changing: GroupCommit[Callable[[Connection], Any], Any] = GroupCommit(
            self._change_some, AT_ONCE, JournalError, BadValue
        )

    def _change(self, job: Job, statement: Executable, **values: Any) -> None:
        """Change a job by a CHANGE, if this process holds it. Raises LostLease when it does not."""

        def change(connection: Connection) -> None:
            if connection.execute(statement, {**self._mine(job), **values}).rowcount != 1:
                raise LostLease

        self._changed(change)

    def _change_steps(self, job: Job, change: Callable[[Connection], R]) -> R:
        """Change the steps of a job that this process holds, and return the result. Raises LostLease as above."""

        def change_if_held(connection: Connection) -> R:
            if connection.scalar(queries.HOLD, self._mine(job)) is None:
                raise LostLease
            return change(connection)

        return self._changed(change_if_held)

    def _mine(self, job: Job) -> dict[str, Any]:
        return {"this": job.id, "me": self.process}

    def _changed(self, change: Callable[[Connection], R]) -> R:
        """Make a change, perhaps more than once, and return its result; it may raise LostLease before it changes."""
        result: R | LostLease = self._changing.do(change)
        if isinstance(result, LostLease):
            raise result
        return result

    def _change_some(self, changes: list[Callable[[Connection], Any]]) -> list[Any]:
        """Make changes in one transaction; return the result of each, or that this process has lost the lease."""
        with self._writing() as connection:
            results: list[Any] = []
            for change in changes:
                try:
                    results.append(change(connection))
                except LostLease as error:
                    results.append(error)
            return results
