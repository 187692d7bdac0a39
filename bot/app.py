"""Puts the parts together; the only module that knows them all."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from slack_bolt import App
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.context import BoltContext
from slack_sdk import WebClient

from bot import tls
from bot.front.buttons import Buttons
from bot.front.commands import Commands
from bot.front.form import Form
from bot.front.http import HttpApp
from bot.front.intake import Intake
from bot.iletimerkezi.client import Client
from bot.iletimerkezi.groups import Groups
from bot.journal.journal import Journal, JournalError
from bot.journal.wakeup import Wakeup
from bot.settings import Settings
from bot.slack.access import Access
from bot.slack.client import TIMEOUT
from bot.slack.delivery import Delivery
from bot.slack.users import Users
from bot.worker.create_groups import GroupCreator
from bot.worker.pool import Worker
from bot.worker.run_job import JobRunner

FORM = 1
"""How long opening a form may take, in seconds: with what comes before, less than the three that Slack waits."""


def web_client(settings: Settings, seconds: int = TIMEOUT) -> WebClient:
    """Return the client of Slack's Web API. It repeats nothing by itself: a repeated post would be seen twice."""
    tls.open_urls()
    slack = WebClient(settings.slack_bot_token, base_url=settings.slack_api_url, timeout=seconds, retry_handlers=[])
    if slack.proxy:  # for which slack_sdk opens URLs by itself
        slack.ssl = tls.of_machine()
    return slack


class Bot:
    """The bot: `bolt` answers Slack, `web` is its HTTP front, `worker` carries the jobs.

    In processes of their own, what takes commands in and what carries them are each a Bot, joined by the same `wakeup`.
    """

    def __init__(self, settings: Settings, wakeup: Wakeup) -> None:
        slack = web_client(settings)
        people = Users(slack, settings.language)
        self._errands = ThreadPoolExecutor(4, thread_name_prefix="errand")
        api = Client(settings.api_url, settings.api_key, settings.api_hash, settings.api_timeout)
        self._wakeup = wakeup
        self._journal = journal = Journal(settings.database_url)
        groups = Groups(api, journal.recently_created)
        access = Access(people, settings.channels, settings.members)
        audit_language = "en" if settings.language == "auto" else settings.language
        delivery = Delivery(slack, settings.audit_channel, audit_language)
        stopping = threading.Event()
        steps = GroupCreator(journal, api, groups, settings.api_calls, stopping)
        self._beside = ThreadPoolExecutor(2 * settings.api_calls, thread_name_prefix="beside")
        walk = JobRunner(journal, steps, delivery, access, self._beside)
        carriers = 2 * settings.api_calls  # more than calls, so that jobs that wait for Slack do not keep the API idle
        self.worker = Worker(journal, wakeup, walk, carriers, stopping)
        self.bolt = _bolt(settings, slack)
        intake = Intake(journal, wakeup, people, access, self._errands)
        form = Form(web_client(settings, FORM), intake, groups, journal)
        for listeners in (Commands(intake, groups, journal, form), form, Buttons(intake, form, journal)):
            listeners.register(self.bolt)
        served = None if settings.socket_mode else self.bolt
        self.also_healthy: Callable[[], bool] = lambda: True  # what serves it may have a say
        self.web = HttpApp(served, settings.slack_signing_secret, self._healthy)

    def start(self) -> None:
        """Prepare the journal and begin to carry. Raises JournalError."""
        self._journal.open()
        self.worker.start()

    def _healthy(self) -> bool:
        """Tell whether the journal answers and the carriers live."""
        try:
            self._journal.ping()
        except JournalError:
            return False
        return self._wakeup.alive() and self.also_healthy()

    def stop(self, seconds: float) -> None:
        """Carry what is under way to its end, for at most `seconds`, and close."""
        self.worker.stop(seconds)
        self.close()

    def close(self) -> None:
        """Let go of the journal. Nothing new may come in any more."""
        self._errands.shutdown(wait=False)
        self._beside.shutdown(wait=False)
        self._journal.close()


def _bolt(settings: Settings, slack: WebClient) -> App:
    """Return a Bolt app whose listeners run in the server's own thread, so that no command waits for another.

    There is one workspace and one token, so nothing is asked of Slack to authorize a request.
    """

    def authorize(context: BoltContext) -> AuthorizeResult:
        return AuthorizeResult(
            enterprise_id=context.enterprise_id, team_id=context.team_id, bot_token=settings.slack_bot_token
        )

    return App(
        client=slack,
        logger=logging.getLogger("slack_bolt"),  # else Bolt sets the levels of its loggers itself
        authorize=authorize,
        signing_secret=settings.slack_signing_secret,
        process_before_response=True,
        listener_executor=ThreadPoolExecutor(1),
        token_verification_enabled=False,
    )
