"""Who somebody is: which language they read, and whether they may use the command. What cannot be found out is no."""

import logging
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from bot.cache import Cache
from bot.log import event
from bot.model.job import TryLater
from bot.slack.client import SlackClient, SlackRefused
from bot.slack.texts import Language, Voice, voice_of

KEPT = 3600.0
"""How long what Slack said of a person is used, in seconds."""

MEMBERS_KEPT = 300.0
"""How long what Slack said of a user group's members is used, in seconds."""

TURKISH_TIME = {"Europe/Istanbul", "Asia/Istanbul", "Turkey"}  # one zone and its other names

# Source: https://docs.slack.dev/reference/methods/users.info#errors
_NO_SUCH_PERSON = {"user_not_found", "users_not_found", "user_not_visible"}


@dataclass(frozen=True)
class Person:
    """Somebody in Slack: `language` is "en" or "tr"; `kind` is guest, foreign, bot, deactivated, "" a full member.

    `name` is what Slack shows, "" when it is not known.
    """

    language: str
    kind: str
    name: str = ""


class People:
    """Asks Slack about people, through `slack`, and remembers the answers. Safe to use from many threads."""

    def __init__(
        self, slack: SlackClient, language: Language, chosen: Callable[[str], str], members: Collection[str] = ()
    ) -> None:
        """Use `language` for everybody, or each person's own where it is "auto".

        As a Voice it also has what the bot names when it speaks. `chosen` returns the language that a person has chosen
        ("en", "tr"), or "", and raises nothing. The command may be used in the channels that the Voice names, by
        `members` (user ids and user-group ids); none are all.
        """
        self.slack = slack
        self._voice = voice_of(language)._replace(name=self.known_name, workspace=self.workspace)
        self._fixed = "" if self._voice.language == "auto" else self._voice.language
        self._chosen = chosen
        self._listed = members
        self._people: Cache[str, Person] = Cache(self._ask, KEPT)
        self._members: Cache[str, frozenset[str]] = Cache(self._ask_members, MEMBERS_KEPT)
        self._team: Cache[str, tuple[str, str]] = Cache(self._ask_team, 24 * KEPT)

    # Language and names.

    def voice(self, language: str) -> Voice:
        """Return how the bot speaks a language to people: it names what is at hand."""
        return self._voice._replace(language=language)

    def known_name(self, user: str) -> str:
        """Return a person's name as Slack shows it without asking anybody; "" when it is not known."""
        return self._known(user).name

    def known_language(self, user: str) -> str:
        """Return the language of a person without asking anybody; "" when it is not known."""
        return self._fixed or self._known(user).language

    def _known(self, user: str) -> Person:
        return self._people.known(user) or Person("", "")

    def workspace(self) -> str:
        """Return the workspace's address without asking anybody; "" when it is not known."""
        return (self._team.known("") or ("", ""))[1]

    def forget(self, user: str) -> None:
        """Ask again who somebody is: they have changed their language."""
        self._people.forget(user)

    def language(self, user: str, seconds: float | None = None) -> str:
        """Return the language of a person; English when Slack does not say, or not within `seconds`.

        What they have chosen is looked up each time, because another process may have taken their choice.
        """
        try:
            return self._fixed or self._chosen(user) or self._people.get(user, seconds).language
        except (SlackRefused, TryLater, TimeoutError):
            return "en"

    # Permission.

    def refusal(self, user: str, channel: str, seconds: float | None = None) -> str:
        """Return why somebody may not use the command in a channel, "" when they may.

        Guests, people of other workspaces, bots and deactivated people may never. The reason is channel, guest,
        foreign, bot, deactivated, not_listed, or that it cannot be found out: unknown (Slack does not say for now),
        unknown_person (Slack does not know them) or no_scope (Slack does not let the bot ask). With 0 `seconds` only
        what is known already counts. Without `seconds`, TryLater is raised in place of unknown.
        """
        try:
            return self._refusal(user, channel, seconds)
        except SlackRefused as error:
            event("person_not_looked_up", level=logging.ERROR, user=user, error=str(error))
            return "unknown_person" if str(error) in _NO_SUCH_PERSON else "no_scope"
        except (TryLater, TimeoutError) as error:
            if seconds is None:
                raise
            if seconds != 0:
                event("person_not_looked_up", level=logging.WARNING, user=user, error=str(error) or "timeout")
            return "unknown"

    def _refusal(self, user: str, channel: str, seconds: float | None) -> str:
        if self._voice.channels and channel not in self._voice.channels:
            return "channel"
        if kind := self._people.get(user, seconds).kind:
            return kind
        if not self._listed or user in self._listed:
            return ""
        reason = "not_listed"
        for usergroup in (member for member in self._listed if member.startswith("S")):
            try:
                if user in self._members.get(usergroup, seconds):
                    return ""
            except SlackRefused as error:
                event("usergroup_not_read", level=logging.ERROR, usergroup=usergroup, error=str(error))
                reason = "no_scope"
        return reason

    # What Slack is asked.

    def _ask(self, user: str) -> Person:
        """Return who somebody is. The time zone tells who reads Turkish, because Slack itself cannot be set to it.

        Source: https://docs.slack.dev/reference/objects/user-object
        """
        self._team.prefetch("")
        found = self.slack.call("users.info", user=user, include_locale=1)["user"]
        turkish = str(found.get("locale")).lower().startswith("tr") or str(found.get("tz")) in TURKISH_TIME
        profile = found.get("profile") or {}
        names = (profile.get("display_name"), profile.get("real_name"), found.get("real_name"), found.get("name"))
        name = next((str(name) for name in names if name), "")
        return Person(self._chosen(user) or ("tr" if turkish else "en"), self._kind(found), name)

    def _kind(self, user: dict[str, Any]) -> str:
        if user.get("deleted"):
            return "deactivated"
        if user.get("is_bot"):
            return "bot"
        team, _ = self._team.get("")
        teams = [user.get("team_id"), *((user.get("enterprise_user") or {}).get("teams") or ())]
        if user.get("is_stranger") or team not in teams:
            return "foreign"
        return "guest" if user.get("is_restricted") or user.get("is_ultra_restricted") else ""

    def _ask_team(self, _: str) -> tuple[str, str]:
        """Return the workspace's id and its address. Source: https://docs.slack.dev/reference/methods/auth.test."""
        answer = self.slack.call("auth.test")
        return str(answer["team_id"]), str(answer.get("url") or "")

    def _ask_members(self, usergroup: str) -> frozenset[str]:
        return frozenset(self.slack.call("usergroups.users.list", usergroup=usergroup).get("users") or ())
