"""The API's client: what is sent, what comes of it, and that nothing is ever sent twice."""

import json
import traceback
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from bot import __version__
from bot.iletimerkezi.answers import MAX_MESSAGE
from bot.iletimerkezi.client import MAX_ANSWER, Client, NotSent, Rejected, Unknown
from bot.journal.database import connect
from bot.journal.history import entries
from bot.model.names import Group
from bot.sandbox.api import FAULTS, MESSAGES
from bot.slack.texts import say
from bot.slack.wording import as_typed
from tests.support.peer import AMPLE, LEFT, hear, http, peer, says
from tests.support.provider import ANSWERS, Api, client, content, outcome, side_by_side
from tests.support.served import free_port
from tests.support.workspace import Workspace

Call = Callable[[Client], object]

SENT: dict[str, tuple[Call, str, dict[str, Any]]] = {
    "main group": (lambda c: c.add_group("Müşteriler"), "add-group", {"group": {"name": "Müşteriler", "parent": ""}}),
    "subgroup": (lambda c: c.add_group("VIP", "5"), "add-group", {"group": {"name": "VIP", "parent": "5"}}),
    "list": (Client.get_groups, "get-groups", {}),
    "balance": (Client.check_credentials, "get-balance", {}),
}


@pytest.mark.parametrize(("call", "method", "fields"), SENT.values(), ids=SENT)
def test_a_method_sends_its_documented_request(call: Call, method: str, fields: dict[str, Any]) -> None:
    """The body alone holds the credentials, with the method's fields; a main group's parent is "", never left out."""
    with peer(hear) as server:
        for slash in ("", "/"):
            outcome(call, client(f"{server.url}/v1{slash}"))
    for heard in server.heard:
        head, _, body = (heard or b"").partition(b"\r\n\r\n")
        first, *lines = head.decode().split("\r\n")
        assert first == f"POST /v1/{method}/json HTTP/1.1"
        assert {"Content-Type: application/json", f"User-Agent: addgroup-bot/{__version__}", "Connection: close"} <= {
            *lines
        }
        assert b"-of-tests" not in head
        authentication = {"key": "key-of-tests", "hash": "hash-of-tests"}
        assert json.loads(body) == {"request": {"authentication": authentication, **fields}}
    assert len(server.heard) == 2


def test_no_text_shows_a_secret() -> None:
    """Neither the credentials' and the client's own text nor a failure's traceback shows the key or the hash."""
    broken = client(f"http://127.0.0.1:{free_port()}")
    with pytest.raises(NotSent) as error:
        broken.check_credentials()
    for text in (repr(broken), "".join(traceback.format_exception(error.value))):
        assert "-of-tests" not in text


# What an answer means


def test_documented_answers_become_results(api: Api) -> None:
    """Groups and their subgroups come back as they are at the provider."""
    bot = client(api)
    main = bot.add_group("Müşteriler")
    below = bot.add_group("VIP", main.id)
    assert (main, below) == (Group("97101", "Müşteriler"), Group("97102", "VIP", "97101"))
    assert bot.get_groups() == (Group("5", "Customers"), main, below)
    bot.check_credentials()


def test_a_code_is_a_refusal(api: Api) -> None:
    """Every documented code, and one that is not, comes back with its number and the provider's own sentence."""
    codes = [*(code for code in MESSAGES if code != 200), 499]
    for code in codes:
        api.faults.append(code)
        details = "; name: Geçersiz değer." if code == 422 else ""
        assert outcome(client(api).add_group, "A") == Rejected(code, MESSAGES.get(code, "Bilinmeyen hata") + details)
    assert len(api.calls) == len(codes)
    for name, parent, key, code in (("", "", api.key, 461), ("A", "6", api.key, 463), ("A", "", "other", 401)):
        bot = Client(f"{api.url}/v1", key, api.hash, AMPLE)
        assert outcome(bot.add_group, name, parent) == Rejected(code, MESSAGES[code])
    assert list(api.groups) == ["5"]


ENDINGS = {
    "silence": "timeout",
    "close": "closed",
    "half": "truncated",
    "html": "server_error",
    "shape": "undocumented",
    "text": "unreadable",
    "oversized": "too_large",
    "lost": "closed",
    "late": "timeout",
}


def test_a_broken_answer_is_unknown_and_nothing_is_sent_twice() -> None:
    """Whatever breaks after the request left, the group may exist, and there was one call."""
    assert set(ENDINGS) == {*FAULTS, *ANSWERS}
    with ExitStack() as stack:
        apis = {fault: stack.enter_context(Api()) for fault in ENDINGS}
        calls: dict[str, Callable[[], object]] = {}
        for fault, api in apis.items():
            api.faults.append(fault)
            calls[fault] = partial(client(api, LEFT if ENDINGS[fault] == "timeout" else AMPLE).add_group, "A")
        found = side_by_side(calls)
    assert found == {fault: Unknown(reason) for fault, reason in ENDINGS.items()}
    assert {fault: len(api.calls) for fault, api in apis.items()} == dict.fromkeys(ENDINGS, 1)
    assert {fault for fault, api in apis.items() if api.groups} == {"lost", "late"}


# What may not come back

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
    answers = {}
    for name, said in {**QUOTES, "none": like}.items():
        for place, errors in {"message": None, "errors": {"name": said}, "nested": {said: [said]}}.items():
            message = said if place == "message" else "Mesaj"
            answers[f"{name}, {place}"] = http(content(422, message=message, errors=errors))
    with peer(*map(says, answers.values())) as server:
        bot = Client(server.url, LONG_KEY, LONG_HASH, AMPLE)
        for name in answers:
            refused = outcome(bot.add_group, "A")
            assert isinstance(refused, Rejected), name
            assert len(refused.message) <= MAX_MESSAGE, name
            assert not any(part.lower() in refused.message.lower() for part in (LONG_KEY[:8], LONG_HASH[:8])), name
            assert ("…" in refused.message) != name.startswith("none"), name
        assert outcome(Client(server.url, "k", "h", AMPLE).add_group, "A") == Rejected(422, f"Mesaj; {like}: {like}")


# Lists and stored names


def test_an_account_of_many_groups_is_read() -> None:
    """A list of groups may be longer than any other answer: 12,000 groups take about 2 MB."""
    with peer(says(http(content(groups=[{"id": 7, "name": "A"}]).ljust(2 * MAX_ANSWER)))) as server:
        assert client(server.url).get_groups() == (Group("7", "A"),)


def test_a_name_that_was_stored_otherwise_is_kept(
    start: Callable[..., Any], workspace: Workspace, api: Api, tmp_path: Path
) -> None:
    """The answer and the history have the name that the provider answered with."""
    running = start(ADDGROUP_LANGUAGE="en")
    api.stored = escape
    workspace.command(running.url, '"R&D"')
    assert workspace.finished()
    (answer,) = [message for message in workspace.messages if message.is_answer]
    assert say("en", "created.stored.finding", stored=as_typed("R&amp;D")) in answer.text
    engine = connect(f"sqlite:///{tmp_path}/journal.db")
    assert [entry["steps"][0]["reason"] for entry in entries(engine)] == ["stored as R&amp;D"]
    engine.dispose()
