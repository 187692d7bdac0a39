"""Builds the front, which takes in what people do in Slack, and tells people of its faults.

Each fault gets a reference, for the log and for the person, who is told in a way that Slack shows. Slack ignores a text
in the answer to a form or a button; it shows an error at a field, or a message sent through the response_url.
"""

import logging
from collections.abc import Callable, Mapping
from typing import Any

from slack_bolt import Ack, App
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.context import BoltContext
from slack_bolt.response import BoltResponse

from bot.front.commands import Commands
from bot.front.form import Form
from bot.front.http import HttpApp
from bot.front.reply import Intake, Origin, Reply
from bot.front.socket_mode import Connection
from bot.iletimerkezi.groups import Groups
from bot.journal import JournalError
from bot.journal.journal import Journal
from bot.log import event
from bot.model.job import new_id
from bot.settings import Settings
from bot.slack.client import SlackClient
from bot.slack.people import People


class Front:
    """Takes in over HTTP or, with an app token, over Socket Mode. `web` is the WSGI application."""

    def __init__(  # noqa: PLR0913, PLR0917  # the parts that it shares with the worker
        self,
        settings: Settings,
        journal: Journal,
        people: People,
        groups: Groups,
        checks: Mapping[str, Callable[[], bool]],
        lost: Callable[[], None],
    ) -> None:
        """Call `lost` when the connection of Socket Mode stays lost.

        `checks` tell of the bot's other parts, by name, whether they work: for the health check.
        """
        self._intake = Intake(journal, people)
        bolt = _bolt(settings)
        form = Form(self._intake, groups)
        form.register(bolt)
        Commands(self._intake, groups, form, settings.docs_url).register(bolt)
        bolt.error(self._failed)
        all_checks = {"journal": journal.works, **checks}
        self._connection: Connection | None = None
        if settings.socket_mode:
            app = SlackClient(settings.slack_app_token, settings.slack_api_url)
            self._connection = Connection(bolt, lambda: str(app.call("apps.connections.open").get("url", "")), lost)
            all_checks["connection to Slack"] = self._connection.connected
        self.web = HttpApp(None if settings.socket_mode else bolt, settings.slack_signing_secret, all_checks)

    def connect(self) -> None:
        """Connect to Slack, in Socket Mode."""
        if self._connection:
            self._connection.open()

    def hang_up(self) -> None:
        """Take nothing more from Slack over Socket Mode."""
        if self._connection:
            self._connection.close()

    def close(self) -> None:
        """Let what is being told finish. Nothing may come in any more."""
        self._intake.close()

    def _failed(self, error: Exception, body: dict[str, Any]) -> BoltResponse:
        """Log an unexpected fault, or that the journal could not be read, and tell it to the person, in HTTP 200.

        Nobody is asked for their language where something went wrong already: else it is told in all of them.
        """
        reference, kind = new_id(), body.get("type")
        event("request_failed", level=logging.ERROR, reference=reference, trace=error)
        user = str(body.get("user_id") or (body.get("user") or {}).get("id") or "")
        origin = Origin("", str(body.get("response_url") or ""))
        if kind == "block_suggestion" or not (user or origin.response_url):
            return BoltResponse(status=200, body={"options": []})
        blocks = body["view"].get("blocks") or () if kind == "view_submission" else ()
        field = next((each["block_id"] for each in blocks if each.get("type") == "input"), "")
        acknowledge = Ack()  # type: ignore[no-untyped-call]
        reply = Reply(self._intake, acknowledge, user, origin, in_words=kind is None, field=field)
        reply.decline("failure.journal" if isinstance(error, JournalError) else "failure.internal", reference=reference)
        return acknowledge.response or BoltResponse(status=200)


def _bolt(settings: Settings) -> App:
    """Return a Bolt app whose listeners run in the server's own thread, so that no command waits for another.

    There is one workspace and one token, so nothing is asked of Slack to authorize a request.
    """

    def authorize(context: BoltContext) -> AuthorizeResult:
        token = settings.slack_bot_token
        return AuthorizeResult(enterprise_id=context.enterprise_id, team_id=context.team_id, bot_token=token)

    return App(
        name="slack_bolt",  # of a logger; else Bolt looks for one through all loaded modules
        logger=logging.getLogger("slack_bolt"),  # else Bolt sets the levels of its loggers itself
        authorize=authorize,
        process_before_response=True,
        token_verification_enabled=False,
    )
