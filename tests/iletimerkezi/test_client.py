"""The API's client: what is sent, what comes of it, and that no credential comes back."""

import json
import traceback
from collections.abc import Callable
from html import escape
from typing import Any
from urllib.parse import urlencode

import pytest

from bot import __version__
from bot.iletimerkezi.answers import MAX_MESSAGE
from bot.iletimerkezi.client import MAX_ANSWER, Client, NotSent, Rejected
from bot.model.names import Group
from bot.sandbox.api import MESSAGES
from bot.slack.texts import say
from bot.slack.wording import as_typed
from tests.support.peer import AMPLE, hear, http, peer, says
from tests.support.provider import Api, client, content, outcome
from tests.support.served import free_port
from tests.support.slack import answers
from tests.support.workspace import Workspace

Call = Callable[[Client], object]

SENT: dict[str, tuple[Call, dict[str, Any]]] = {
    "add-group": (lambda c: c.add_group("Müşteriler"), {"group": {"name": "Müşteriler", "parent": ""}}),
    "add-group below": (lambda c: c.add_group("VIP", "5"), {"group": {"name": "VIP", "parent": "5"}}),
    "get-groups": (Client.get_groups, {}),
    "get-balance": (Client.check_credentials, {}),
}


@pytest.mark.parametrize("method", SENT)
def test_a_method_sends_its_documented_request(method: str) -> None:
    """The body alone holds the credentials, with the method's fields; a main group's parent is "", never left out."""
    call, fields = SENT[method]
    with peer(hear) as server:
        for slash in ("", "/"):
            outcome(call, client(f"{server.url}/v1{slash}"))
    for heard in server.heard:
        head, _, body = (heard or b"").partition(b"\r\n\r\n")
        first, *lines = head.decode().split("\r\n")
        assert first == f"POST /v1/{method.split(maxsplit=1)[0]}/json HTTP/1.1"
        told = ["Content-Type: application/json", f"User-Agent: addgroup-bot/{__version__}", "Connection: close"]
        assert {*told} <= {*lines}
        assert b"-of-tests" not in head
        authentication = {"key": "key-of-tests", "hash": "hash-of-tests"}
        assert json.loads(body) == {"request": {"authentication": authentication, **fields}}
    assert len(server.heard) == 2


# What comes of it


def test_documented_answers_become_results(api: Api) -> None:
    """Groups and their subgroups come back as they are at the provider, and a refusal with its number and sentence."""
    bot = client(api)
    main = bot.add_group("Müşteriler")
    below = bot.add_group("VIP", main.id)
    assert (main, below) == (Group("97101", "Müşteriler"), Group("97102", "VIP", "97101"))
    assert bot.get_groups() == (Group("5", "Customers"), main, below)
    bot.check_credentials()
    stranger = Client(f"{api.url}/v1", "other", api.hash, AMPLE)
    for caller, name, parent, code in ((bot, "", "", 461), (bot, "A", "6", 463), (stranger, "A", "", 401)):
        assert outcome(caller.add_group, name, parent) == Rejected(code, MESSAGES[code])


def test_an_account_of_many_groups_is_read() -> None:
    """A list of groups may be longer than any other answer: 12,000 groups take about 2 MB."""
    with peer(says(http(content(groups=[{"id": 7, "name": "A"}]).ljust(2 * MAX_ANSWER)))) as server:
        assert client(server.url).get_groups() == (Group("7", "A"),)


def test_a_name_that_was_stored_otherwise_is_told(
    start: Callable[..., Any], workspace: Workspace, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answer has the name that the provider answered with."""
    add = api.add
    monkeypatch.setattr(api, "add", lambda name, parent: add(escape(name), parent))
    workspace.command(start(ADDGROUP_LANGUAGE="en").url, '"R&D"')
    assert say("en", "created.stored.finding", stored=as_typed("R&amp;D")) in answers(workspace, 1)[0].text


# What may not come back


def test_no_text_shows_a_secret() -> None:
    """Neither the client's own text nor a failure's traceback shows the key or the hash."""
    broken = client(f"http://127.0.0.1:{free_port()}")
    with pytest.raises(NotSent) as error:
        broken.check_credentials()
    assert "-of-tests" not in repr(broken) + "".join(traceback.format_exception(error.value))


LONG_KEY, LONG_HASH = "Ab3/+-9xQ_7=Lm0pTy5w", "0f" * 32
REQUEST = f'{{"request": {{"authentication": {{"key": "{LONG_KEY}", "hash": "{LONG_HASH}"}}}}}}'
QUOTES = {
    "as it was sent": REQUEST,
    "upper case": REQUEST.upper(),
    "JSON in JSON": json.dumps(json.dumps(REQUEST)).replace("/", "\\/"),
    "an address": urlencode({"key": LONG_KEY, "hash": LONG_HASH}),
    "HTML": escape(REQUEST).replace("/", "&#x2F;"),
    "cut off": REQUEST[: REQUEST.index(LONG_HASH) + 20],
    "cut off in the key": REQUEST[: REQUEST.index(LONG_KEY) + 12],
    "where the message is cut": "." * (MAX_MESSAGE - 30) + LONG_HASH,
    "glued to words": f"x{LONG_HASH}y{LONG_KEY}z",
}


def test_a_quoted_request_comes_back_without_the_credentials() -> None:
    """However and wherever the provider quotes what it was sent, not even a part of key or hash is in a refusal.

    Words that look a little like a key are not hidden, nor is anything for a key of a letter.
    """
    like = "key k h hash Ab3/+-9 0f0f0f"  # too little of the long ones, and the short ones are ordinary words
    refusals = {
        f"{name}, {place}": http(content(422, message=said if place == "message" else "Mesaj", errors=errors))
        for name, said in {**QUOTES, "none": like}.items()
        for place, errors in {"message": None, "errors": {"name": said}, "nested": {said: [said]}}.items()
    }
    with peer(*map(says, refusals.values())) as server:
        bot = Client(server.url, LONG_KEY, LONG_HASH, AMPLE)
        for name in refusals:
            refused = outcome(bot.add_group, "A")
            assert isinstance(refused, Rejected), name
            assert len(refused.message) <= MAX_MESSAGE, name
            assert not any(part.lower() in refused.message.lower() for part in (LONG_KEY[:8], LONG_HASH[:8])), name
            assert ("…" in refused.message) != name.startswith("none"), name
        assert outcome(Client(server.url, "k", "h", AMPLE).add_group, "A") == Rejected(422, f"Mesaj; {like}: {like}")
