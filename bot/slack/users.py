"""Who somebody is: the language they read, and whether they are a full member of the workspace."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from concurrent.futures import TimeoutError as FutureTimeoutError
from dataclasses import dataclass
from typing import Any

from bot.cache import Cache
from bot.model.job import TryLater
from bot.slack.client import SlackClient, SlackRefused
from bot.slack.texts import Language, Voice, of_locale, voice_of

KEPT = 3600.0
"""How long what Slack said of a person is used, in seconds."""

MEMBERS_KEPT = 300.0
"""How long what Slack said of a user group's members is used, in seconds."""

FULL_MEMBER = ""

TURKISH_TIME = {"Europe/Istanbul", "Asia/Istanbul", "Turkey"}  # one zone and its other names


@dataclass(frozen=True)
class Person:
    """Somebody in Slack: `language` is "en" or "tr", `kind` FULL_MEMBER, guest, foreign, bot or deactivated.

    `name` is what Slack shows, "" when it is not known.
    """

    language: str
    kind: str
    name: str = ""


class Users:
    """Asks Slack about people, through `slack`, and remembers the answers."""

    def __init__(self, slack: SlackClient, language: Language, chosen: Callable[[str], str] = lambda _user: "") -> None:
        """Use `language` for everybody, or each person's own where it is "auto".

        As a Voice it also has what the bot names when it speaks. `chosen` returns the language that a person has chosen
        ("en", "tr"), or "", and raises nothing.
        """
        self.slack = slack
        self._voice = voice_of(language)._replace(name=self.known_name, workspace=self.workspace)
        self._fixed = "" if self._voice.language == "auto" else self._voice.language
        self._chosen = chosen
        self._users: Cache[str, Person] = Cache(self._ask, KEPT)
        self._members: Cache[str, frozenset[str]] = Cache(self._ask_members, MEMBERS_KEPT)
        self._team: Cache[str, tuple[str, str]] = Cache(self._ask_team, 24 * KEPT)

    def voice(self, language: str) -> Voice:
        """Return how the bot speaks a language to people: it names what is at hand."""
        return self._voice._replace(language=language)

    def known_name(self, user: str) -> str:
        """Return a person's name as Slack shows it without asking anybody; "" when it is not known."""
        known = self._users.known(user)
        return known.name if known else ""

    def workspace(self) -> str:
        """Return the workspace's address without asking anybody; "" when it is not known."""
        return (self._team.known("") or ("", ""))[1]

    def prefetch(self, user: str) -> None:
        """Begin to ask who somebody is, so that it is known sooner; never waits."""
        self._users.prefetch(user)

    def forget(self, user: str) -> None:
        """Ask again who somebody is: they have changed their language."""
        self._users.forget(user)

    def known_language(self, user: str) -> str:
        """Return the language of a person without asking anybody; "" when it is not known."""
        known = self._users.known(user)
        return self._fixed or (known.language if known else "")

    def language(self, user: str, seconds: float | None = None) -> str:
        """Return the language of a person; English when Slack does not say, or not within `seconds`.

        What they have chosen is looked up each time, because another process may have taken their choice.
        """
        try:
            return self._fixed or self._chosen(user) or self.person(user, seconds).language
        except (SlackRefused, TryLater):
            return "en"

    def person(self, user: str, seconds: float | None = None) -> Person:
        """Return who somebody is. Raises SlackRefused or TryLater, the latter also after `seconds`."""
        with _in_time():
            return self._users.get(user, seconds)

    def members(self, usergroup: str, seconds: float | None = None) -> frozenset[str]:
        """Return the user ids of a user group's members. Raises SlackRefused or TryLater."""
        with _in_time():
            return self._members.get(usergroup, seconds)

    def _ask(self, user: str) -> Person:
        self._team.prefetch("")
        found = self.slack.call("users.info", user=user, include_locale=True).get("user")
        if not isinstance(found, dict) or not found:
            raise SlackRefused("user_not_found")
        return Person(self._chosen(user) or _language(found), self._kind(found), _name(found))

    def _ask_team(self, _: str) -> tuple[str, str]:
        """Return the workspace's id and its address.

        Source: https://docs.slack.dev/reference/methods/auth.test
        """
        answer = self.slack.call("auth.test")
        team, address = answer.get("team_id"), answer.get("url")
        if not isinstance(team, str) or not team:
            raise TryLater("no_team")
        return team, address if isinstance(address, str) else ""

    def _ask_members(self, usergroup: str) -> frozenset[str]:
        return frozenset(_texts(self.slack.call("usergroups.users.list", usergroup=usergroup).get("users")))

    def _kind(self, user: dict[str, Any]) -> str:
        """Say what somebody is.

        Source: https://docs.slack.dev/reference/objects/user-object
        """
        if user.get("deleted"):
            return "deactivated"
        if user.get("is_bot"):
            return "bot"
        team, _ = self._team.get("")
        enterprise = user.get("enterprise_user")
        teams = {user.get("team_id"), *_texts((enterprise if isinstance(enterprise, dict) else {}).get("teams"))}
        if user.get("is_stranger") or team not in teams:
            return "foreign"
        return "guest" if user.get("is_restricted") or user.get("is_ultra_restricted") else FULL_MEMBER


def _language(user: dict[str, Any]) -> str:
    """Return the language that somebody probably reads: Slack itself cannot be set to Turkish, so the time zone tells.

    Source: https://docs.slack.dev/reference/objects/user-object
    """
    return "tr" if of_locale(str(user.get("locale"))) == "tr" or str(user.get("tz")) in TURKISH_TIME else "en"


def _texts(value: object) -> list[str]:
    """Return the texts in what Slack answered as a list, which may be anything."""
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else []


def _name(user: dict[str, Any]) -> str:
    profile = user.get("profile")
    profile = profile if isinstance(profile, dict) else {}
    names = (profile.get("display_name"), profile.get("real_name"), user.get("real_name"), user.get("name"))
    return next((str(name) for name in names if name), "")


@contextlib.contextmanager
def _in_time() -> Iterator[None]:
    try:
        yield
    except FutureTimeoutError as error:
        raise TryLater("timeout") from error
