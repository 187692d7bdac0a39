"""Who may use the command, and where. What cannot be found out is a refusal."""

from __future__ import annotations

import logging
from collections.abc import Collection

from bot.log import event
from bot.model.job import TryLater
from bot.slack.client import SlackRefused, TokenRefused
from bot.slack.users import FULL_MEMBER, Users

# Source: https://docs.slack.dev/reference/methods/users.info#errors
_NO_SUCH_PERSON = {"user_not_found", "users_not_found", "user_not_visible"}


class Access:
    """Decides by `channels` and `members` (user ids and user-group ids); an empty list means all of them.

    Guests, people of other workspaces, bots and deactivated people may never, listed or not.
    """

    def __init__(self, users: Users, channels: Collection[str], members: Collection[str]) -> None:
        self._channels = frozenset(channels)
        self.users = users
        self._listed = {member for member in members if not member.startswith("S")}
        self._usergroups = [member for member in members if member.startswith("S")]

    def refusal(self, user: str, channel: str, seconds: float | None = None) -> str:
        """Return why somebody may not use the command in a channel, "" when they may.

        The reason is channel, guest, foreign, bot, deactivated, not_listed, or that it cannot be found out: unknown
        (Slack does not say for now), unknown_person (Slack does not know them) or no_scope (Slack does not let the bot
        ask). With 0 `seconds` only what is known already counts. Without `seconds`, for a job that can wait, a token
        that Slack refuses raises TokenRefused.
        """
        try:
            return self.look(user, channel, seconds)
        except TokenRefused:
            if seconds is None:
                raise
            return "unknown"
        except TryLater as error:
            if seconds != 0:
                event("person_not_looked_up", level=logging.WARNING, user=user, error=error.why)
            return "unknown"

    def look(self, user: str, channel: str, seconds: float | None = None) -> str:
        """Return the same, but raise TryLater when Slack does not say for a passing reason."""
        if self._channels and channel not in self._channels:
            return "channel"
        try:
            kind = self.users.person(user, seconds).kind
        except SlackRefused as error:
            event("person_not_looked_up", level=logging.ERROR, user=user, error=error.error)
            return "unknown_person" if error.error in _NO_SUCH_PERSON else "no_scope"
        if kind != FULL_MEMBER:
            return kind
        if user in self._listed or not (self._listed or self._usergroups):
            return ""
        return self._by_usergroup(user, seconds)

    def _by_usergroup(self, user: str, seconds: float | None) -> str:
        reason = "not_listed"
        for usergroup in self._usergroups:
            try:
                if user in self.users.members(usergroup, seconds):
                    return ""
            except SlackRefused as error:
                event("usergroup_not_read", level=logging.ERROR, usergroup=usergroup, error=error.error)
                reason = "no_scope"
        return reason
