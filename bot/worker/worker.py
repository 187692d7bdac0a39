"""Builds the worker: the process that takes jobs from the journal, creates their groups and answers in Slack."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

from bot.iletimerkezi.client import Client
from bot.iletimerkezi.groups import Groups
from bot.journal.journal import Journal
from bot.journal.wakeup import Wakeup
from bot.settings import Settings
from bot.slack.access import Access
from bot.slack.client import slack_client
from bot.slack.delivery import Delivery
from bot.slack.users import Users
from bot.worker.create_groups import GroupCreator
from bot.worker.pool import Pool
from bot.worker.run_job import JobRunner


class Worker:
    """Carries jobs from `start` to `stop`. `stopping` is set as soon as it begins no more of them."""

    def __init__(self, settings: Settings, wakeup: Wakeup) -> None:
        self.stopping = threading.Event()
        self._journal = Journal(settings.database_url)
        slack = slack_client(settings)
        users = Users(slack, settings.language, self._journal.known_language)
        api = Client(settings.api_url, settings.api_key, settings.api_hash, settings.api_timeout)
        groups = Groups(api, self._journal.recently_created)
        audit_language = "en" if settings.language == "auto" else settings.language
        self._beside = ThreadPoolExecutor(2 * settings.api_calls, thread_name_prefix="beside")
        runner = JobRunner(
            self._journal,
            GroupCreator(self._journal, api, groups, settings.api_calls, self.stopping),
            Delivery(slack, settings.audit_channel, audit_language, settings.contact),
            Access(users, settings.channels, settings.members),
            self._beside,
        )
        jobs_at_once = 2 * settings.api_calls  # so that jobs that wait for Slack do not keep the API idle
        self._pool = Pool(self._journal, wakeup, runner, jobs_at_once, self.stopping)

    def start(self) -> None:
        """Begin to carry jobs. Raises JournalError."""
        self._journal.open()
        self._pool.start()

    def stop(self, seconds: float) -> None:
        """Begin nothing more, and let what is under way finish, for at most `seconds`."""
        self._pool.stop(seconds)
        self._beside.shutdown(wait=False)
        self._journal.close()
