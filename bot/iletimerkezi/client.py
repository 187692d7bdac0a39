"""The client of iletiMerkezi's group API: what is sent, and what comes of it.

A call that was answered as documented returns its result; every other ending is an ApiError: NotSent, Rejected or
Unknown. What separates NotSent from Unknown is one fact, whether the connection stood: before that no byte of the
request left.
"""

import html
from collections.abc import Callable, Mapping
from typing import Any, TypeVar
from urllib.parse import unquote

import requests

from bot.iletimerkezi import answers
from bot.iletimerkezi.answers import ApiError, Hide, NotSent, Rejected, Unknown
from bot.metrics import API_CALLS, API_REFUSALS
from bot.model.names import Group
from bot.network import Connections, Failed
from bot.settings import SHORTEST_SECRET

__all__ = ["ApiError", "Client", "NotSent", "Rejected", "Unknown"]

MAX_ANSWER = 1024 * 1024
"""Longest answer that is read unless a call allows more, in bytes."""

MAX_LIST = 32 * MAX_ANSWER
"""Longest list of groups that is read, in bytes; 20,000 groups take about 3 MB."""

HIDDEN = "…"
"""What stands for a text that quotes a credential."""

_HEAD = 8  # characters of a secret that give it away where a quotation is cut off

T = TypeVar("T")


class Client:
    """Calls the API at `base`, each call within `timeout` seconds all in all. Safe to use from many threads.

    Neither `key` nor `hash` is in anything that a call returns or raises, even if the provider quotes them.
    """

    def __init__(self, base: str, key: str, hash: str, timeout: float) -> None:  # noqa: A002  # the provider's word
        self._base = base.rstrip("/")
        self._authentication = {"key": key, "hash": hash}
        self._hide = _hiding(key, hash)
        self._timeout = timeout
        self._connections = Connections()

    def add_group(self, name: str, parent: str = "", may_send: Callable[[], bool] = lambda: True) -> Group:
        """Create a group under the group with the id `parent`, or a main group; return it with its id and stored name.

        `may_send` is asked once, when the connection stands and before the first byte of the request leaves: when it
        says no, or the time is over by then, nothing is sent. It must not raise.
        Raises ApiError; after Unknown the group may exist.
        Source: the provider's page of the method, https://www.a2psmsapi.com/en/rehber/grup/ekle/json
        """
        fields = {"group": {"name": name, "parent": parent}}
        added = self._call("add-group", fields, answers.decode_added, may_send=may_send)
        return Group(added.id, added.name or name, parent)

    def get_groups(self) -> tuple[Group, ...]:
        """Return every group of the account, parents before their subgroups. Raises ApiError."""
        return self._call("get-groups", {}, answers.decode_groups, MAX_LIST)

    def check_credentials(self) -> None:
        """Ask for the balance: the provider's own advice for checking credentials. Raises ApiError."""
        self._call("get-balance", {}, answers.check_balance)

    def _call(
        self,
        method: str,
        fields: Mapping[str, Any],
        decode: Callable[[int, bytes, Hide], T],
        most: int = MAX_ANSWER,
        may_send: Callable[[], bool] = lambda: True,
    ) -> T:
        """Send one request and return what its answer of up to `most` bytes means. Raises ApiError."""
        content = {"request": {"authentication": self._authentication, **fields}}
        # On a kept connection that a firewall has dropped, a request would vanish and its outcome be unknown.
        request = requests.Request("POST", f"{self._base}/{method}/json", {"Connection": "close"}, json=content)
        try:
            with API_CALLS.labels(method).time():
                status, _, body = self._connections.exchange(request, self._timeout, most, may_send)
            return decode(status, body, self._hide)
        except Failed as error:
            raise (Unknown if error.connected else NotSent)(error.reason) from error
        except Rejected as error:
            API_REFUSALS.labels(error.code).inc()
            raise


def _hiding(*secrets: str) -> Hide:
    """Return a function that leaves out a text with a secret in it: a refusal may quote the request.

    It is found in any case, escaped as in JSON, in an address or in HTML, and cut off.
    """
    heads = [secret[:_HEAD].lower() for secret in secrets if len(secret) >= SHORTEST_SECRET]

    def hide(text: str) -> str:
        plain = html.unescape(unquote(text.replace("\\", ""))).lower()
        return HIDDEN if any(head in plain for head in heads) else text

    return hide
