"""One process among those that share a journal: it holds its jobs by a lease, and sees which of the others are dead."""

from __future__ import annotations

import uuid

from bot.journal import lease, queries
from bot.journal.reader import Reader

LEASE = 30.0
"""How long a process holds its jobs without renewing its lease, in seconds."""

RESPONSE_URL_LIVES = 1800.0
"""How long Slack honours a response_url, in seconds. Source: https://docs.slack.dev/interactivity/handling-user-interaction"""


class Member(Reader):
    """A process that writes into the journal in the database at `url`; `process` is its id."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self._writing = self._transactions.writing
        self.process = uuid.uuid4().hex
        self._sign_of_life = lease.show(self.process)
        self._watch = lease.Watch()

    def close(self) -> None:
        """Close the connections; to others this process is dead from now on."""
        self._transactions.close()
        if self._sign_of_life:
            self._sign_of_life.close()

    def heartbeat(self) -> None:
        """Hold this process's jobs for another LEASE seconds, and drop what is of no use any more."""
        with self._writing() as connection:
            mine = {"me": self.process, "lease": LEASE}
            if connection.execute(queries.RENEW, mine).rowcount == 0:
                connection.execute(queries.ENTER, {"id": self.process, "machine": lease.machine(), **mine})
            connection.execute(queries.FORGET_URLS, {"old": RESPONSE_URL_LIVES})

    def drop_dead_processes(self) -> None:
        """End the leases of processes that are dead, so that their jobs are free; to be called every LEASE / 6 seconds.

        Those of this machine are seen to be dead at once, others by their lease, which nobody renews.
        """
        with self._writing() as connection:
            leases = connection.execute(queries.LEASES, {"me": self.process}).all()
            gone = [row.id for row in leases if row.machine == lease.machine() and not lease.alive(row.id)]
            if dead := {*gone, *self._watch.over(leases)}:
                connection.execute(queries.LEAVE, {"processes": list(dead)})

    def deregister(self) -> None:
        """Let go of everything this process holds, for the next one to take at once."""
        with self._writing() as connection:
            connection.execute(queries.LEAVE, {"processes": [self.process]})
