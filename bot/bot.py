"""The whole bot in one process: the front, which takes commands in, and the worker, which carries what was accepted."""

from collections.abc import Callable

from bot.front.front import Front
from bot.iletimerkezi.client import Client
from bot.iletimerkezi.groups import Groups
from bot.journal.journal import Journal
from bot.settings import Settings
from bot.slack.client import slack_client
from bot.slack.delivery import Delivery
from bot.slack.people import People
from bot.slack.texts import Voice
from bot.worker.worker import Worker


class Bot:
    """Works from `start` to `stop`. `front.web` is the WSGI application to serve; over Socket Mode it connects itself.

    `lost` is called when the connection of Socket Mode stays lost.
    """

    def __init__(self, settings: Settings, lost: Callable[[], None]) -> None:
        self.journal = Journal(settings.database_url, lambda job: self.worker.carry(job))  # noqa: PLW0108  # made below
        slack = slack_client(settings)
        api = Client(settings.api_url, settings.api_key, settings.api_hash, settings.api_timeout)
        groups = Groups(api, self.journal.recently_created)
        voice = Voice(settings.language, settings.contact, groups.path, channels=settings.channels)
        people = People(slack, voice, self.journal.known_language, settings.members)
        delivery = Delivery(slack, settings.audit_channel, settings.language.replace("auto", "en"), people.voice)
        self.worker = Worker(settings, self.journal, api, groups, people, delivery)
        self.front = Front(settings, self.journal, people, groups, {"worker": self.worker.alive}, lost)

    def start(self) -> None:
        """Open the journal, begin to carry what is left in it, and connect. Raises JournalError."""
        self.journal.open()
        self.worker.start()
        self.front.connect()

    def stop(self, seconds: float) -> None:
        """Take nothing more, let what is under way finish within `seconds`, and leave the rest to other processes."""
        self.front.hang_up()
        self.worker.stop(seconds)
        self.front.close()
        self.journal.close()
