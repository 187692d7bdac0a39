"""A dead process that left jobs behind, and what tests of the worker wait for."""

import contextlib
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path

import pytest

from bot.journal.journal import Journal
from bot.model.job import Job
from bot.model.outcome import Outcome, Rejected, Unknown
from bot.sandbox.bot import Bot
from bot.slack.client import SlackClient
from bot.slack.delivery import Delivery
from tests.support.journal import held, typed
from tests.support.until import until
from tests.support.workspace import BOT_TOKEN, Message, Workspace

Start = Callable[..., Bot]
Outage = Callable[[], AbstractContextManager[None]]

CALL = 60.0
"""How long a call of a test's bot to the API may take, in seconds: no test waits for that."""

FOUND = Unknown("timeout", ("97101",))
REJECTED = Rejected(463, "Böyle bir grup bulunamadı.")


@contextlib.contextmanager
def locked(file: Path) -> Iterator[None]:
    """Let another program write into an SQLite file for the length of a `with`."""
    with contextlib.closing(sqlite3.connect(file, isolation_level=None, check_same_thread=False)) as writer:
        writer.execute("BEGIN EXCLUSIVE")
        yield


class Past:
    """A process that is dead by now: brings jobs as far as the tests want them."""

    def __init__(self, url: str, workspace: Workspace) -> None:
        self.journal = Journal(url)
        self._dead = False
        self.journal.open()
        self.journal.keep()
        self._workspace = workspace
        self._slack = Delivery(SlackClient(BOT_TOKEN, f"{workspace.url}/api/"))

    def accept(self, what: str = "VIP", language: str = "en") -> Job:
        """Accept a job, which is then held."""
        url = f"{self._workspace.url}/response/U1/C1/1"
        return held(self.journal, replace(typed(what, language=language), response_url=url))

    def root(self, job: Job) -> Message:
        """Post the root."""
        self.journal.set_root(job, self._slack.post_root(job), final=False)
        return self._workspace.roots(job.channel)[-1]

    def send(self, job: Job, outcome: Outcome | None = None) -> None:
        """Write down that the request left, and what came of it."""
        assert self.journal.mark_sending(job, job.steps[0])
        if outcome:
            job.steps[0].outcome = outcome
            self.journal.settle(job, job.steps[0])

    def answer(self, job: Job) -> None:
        """Post the final answer."""
        assert job.thread
        job.answer_ts = self._slack.post_answer(job, job.thread)
        self.journal.mark_answered(job)

    def die(self) -> None:
        """Leave everything as it is, for the next process."""
        if self._dead:
            return
        self._dead = True
        self.journal.let_go()
        self.journal.close()


class Logged:
    """The events of the log, which nothing announces."""

    def __init__(self, log: pytest.LogCaptureFixture) -> None:
        self._log = log

    def wait_for(self, event: str, times: int = 1) -> bool:
        """Wait until an event has happened so many times, and return True."""
        return until(lambda: self._log.messages.count(event) >= times)


def answer(workspace: Workspace, root: Message) -> str:
    """Return the one answer in the thread under a root."""
    (message,) = workspace.thread(root)
    return message.text
