"""Who somebody is: the language they read."""

from __future__ import annotations

from concurrent.futures import TimeoutError as FutureTimeoutError
from typing import Any

from slack_sdk import WebClient
from slack_sdk.errors import SlackClientError

from bot.cache import Cache
from bot.texts import of_locale

KEPT = 3600.0
"""How long what Slack said of a person is used, in seconds."""


class People:
    """Asks Slack about people and remembers the answers for an hour."""

    def __init__(self, client: WebClient, language: str) -> None:
        """Use `language` for everybody, or each person's own where it is "auto"."""
        self._client = client
        self._fixed = "" if language == "auto" else language
        self._languages: Cache[str, str] = Cache(self._ask, KEPT)

    def known_language(self, user: str) -> str:
        """Return the language of a person without asking anybody; "" when it is not known."""
        return self._fixed or self._languages.known(user) or ""

    def language(self, user: str, seconds: float | None = None) -> str:
        """Return the language of a person; English when Slack does not say, or not within `seconds`."""
        try:
            return self._fixed or self._languages.get(user, seconds)
        except (SlackClientError, OSError, FutureTimeoutError):
            return "en"

    def _ask(self, user: str) -> str:
        person: dict[str, Any] = self._client.users_info(user=user, include_locale=True).get("user") or {}
        return of_locale(str(person.get("locale", "")))
