"""Finds the unknown outcomes that nobody has settled yet."""

from __future__ import annotations

from collections import defaultdict

from sqlalchemy import Connection

from bot.journal import queries
from bot.model.outcome import FollowUp

LOOKED_AT = 200
"""How many jobs with an unknown outcome are looked at, newest first."""

_LEAVE_IT = {FollowUp.AGAIN, FollowUp.ANOTHER, FollowUp.EDIT, FollowUp.SUBGROUP}
"""The buttons that leave an unknown outcome as it is."""


def ids(connection: Connection, most: int, reader: str) -> list[str]:
    """Return the ids of at most so many jobs with an unknown outcome from which no other job went on, newest first.

    Those of conversations that are not public are only for the person who asked, the `reader`.
    """
    unknown = connection.execute(queries.UNKNOWN, {"most": LOOKED_AT, "reader": reader}).all()
    chains = _chains(connection, [row.origin for row in unknown])
    return [row.id for row in unknown if not chains.gone_on(row.id)][:most]


class _Chains:
    """Which jobs went on from which answers. A look-up goes on where the job does that it looks up."""

    def __init__(self) -> None:
        self._next: defaultdict[str, set[str]] = defaultdict(set)
        self._looks: dict[str, str] = {}

    def add(self, job: str, followup: str, follows: str) -> None:
        if followup == FollowUp.LOOK:
            self._looks[job] = follows
        if followup not in _LEAVE_IT:
            self._next[follows].add(followup)

    def gone_on(self, job: str) -> bool:
        """Tell whether another job went on from this one's answer, or sent what this one looked up."""
        if self._next[job]:
            return True
        while job := self._looks.get(job, ""):
            if self._next[job] - {FollowUp.LOOK}:
                return True
        return False


def _chains(connection: Connection, origins: list[str]) -> _Chains:
    chains = _Chains()
    for row in connection.execute(queries.GONE_ON, {"origins": origins}):
        chains.add(row.id, row.followup, row.follows)
    return chains
