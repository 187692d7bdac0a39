"""The API's client: what is sent, what comes of it, and that nothing is ever sent twice."""

import json
import traceback
from collections.abc import Callable
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from bot import __version__
from bot.iletimerkezi.answers import MAX_MESSAGE
from bot.iletimerkezi.client import Client, NotSent, Rejected, Unknown
from bot.journal.database import connect
from bot.journal.history import entries
from bot.model.names import Group
from bot.sandbox.api import FAULTS, MESSAGES
from bot.sandbox.loopback import local_request
from bot.slack.texts import say
from bot.slack.wording import as_typed
from tests.support.peer import AMPLE, SHORT, hear, http, peer, says
from tests.support.provider import ACTS, SHAPES, Api, client, content, outcome
from tests.support.served import free_port
from tests.support.workspace import Workspace

Call = Callable[[Client], object]

# What is sent


@pytest.mark.parametrize(
    ("call", "method", "fields"),
    [
        (lambda c: c.add_group("Müşteriler"), "add-group", {"group": {"name": "Müşteriler", "parent": ""}}),
        (lambda c: c.add_group("VIP", "5"), "add-group", {"group": {"name": "VIP", "parent": "5"}}),
        (Client.get_groups, "get-groups", {}),
        (Client.check_credentials, "get-balance", {}),
    ],
)
def test_a_method_sends_its_documented_body(api: Api, call: Call, method: str, fields: dict[str, Any]) -> None:
    """The body holds the credentials and the method's fields; a main group's parent is "", never left out."""
    call(client(api))
    authentication = {"key": "key-of-tests", "hash": "hash-of-tests"}
    assert api.calls == [(method, {"request": {"authentication": authentication, **fields}})]


@pytest.mark.parametrize(
    ("call", "path"),
    [
        (lambda c: c.add_group("A"), "/v1/add-group/json"),
        (Client.get_groups, "/v1/get-groups/json"),
        (Client.check_credentials, "/v1/get-balance/json"),
    ],
)
@pytest.mark.parametrize("slash", ["", "/"])
def test_a_request_has_its_documented_head(call: Call, path: str, slash: str) -> None:
    """It is a POST of JSON that names the bot and its version, and holds no credentials but those of the body."""
    with peer(hear) as server:
        outcome(call, client(f"{server.url}/v1{slash}"))
    head, _, body = (server.heard[0] or b"").partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    headers = dict(line.split(": ", 1) for line in lines)
    assert first == f"POST {path} HTTP/1.1"
    assert headers["Content-Type"] == "application/json"
    assert headers["User-Agent"] == f"addgroup-bot/{__version__}"
    assert headers["Connection"] == "close"
    assert b"hash-of-tests" not in head
    assert body.count(b"hash-of-tests") == 1


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


@pytest.mark.parametrize("code", [*(code for code in MESSAGES if code != 200), 499])
def test_a_code_is_a_refusal(api: Api, code: int) -> None:
    """Every documented code, and one that is not, comes back with its number and the provider's own sentence."""
    api.faults.append(code)
    details = "; name: Geçersiz değer." if code == 422 else ""
    assert outcome(client(api).add_group, "A") == Rejected(code, MESSAGES.get(code, "Bilinmeyen hata") + details)
    assert len(api.calls) == 1


@pytest.mark.parametrize(
    ("name", "parent", "key", "code"),
    [("", "", "key-of-tests", 461), ("A", "6", "key-of-tests", 463), ("A", "", "other", 401)],
)
def test_what_was_sent_is_refused(api: Api, name: str, parent: str, key: str, code: int) -> None:
    """An empty name, a parent that does not exist and wrong credentials are refused, and nothing is made."""
    bot = Client(f"{api.url}/v1", key, api.hash, AMPLE)
    assert outcome(bot.add_group, name, parent) == Rejected(code, MESSAGES[code])
    assert list(api.groups) == ["5"]


ENDINGS = {
    "silence": "timeout",
    "close": "closed",
    "half": "truncated",
    "drip": "timeout",
    "html": "server_error",
    "shape": "undocumented",
    "text": "unreadable",
    "oversized": "too_large",
    "redirect": "unreadable",
    "code": "undocumented",
    "id": "undocumented",
    "lost": "closed",
    "late": "timeout",
}


@pytest.mark.parametrize("fault", ENDINGS)
def test_a_broken_answer_is_unknown_and_nothing_is_sent_twice(api: Api, fault: str) -> None:
    """Whatever breaks after the request left, the group may exist, and there was one call."""
    api.faults.append(fault)
    bot = client(api, SHORT if ENDINGS[fault] == "timeout" else AMPLE)
    assert outcome(bot.add_group, "A") == Unknown(ENDINGS[fault])
    assert set(ENDINGS) == {*FAULTS, *ACTS} - {"quote"}
    assert len(api.calls) == 1
    assert ("A" in [group.name for group in api.groups.values()]) == (fault in ("lost", "late"))


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


@pytest.mark.parametrize("said", QUOTES.values(), ids=QUOTES)
@pytest.mark.parametrize("place", ["message", "errors", "nested errors"])
def test_a_quoted_request_comes_back_without_the_credentials(said: str, place: str) -> None:
    """However the provider quotes what it was sent, neither key nor hash is in a refusal, not even in part."""
    errors: dict[str, object] = {"message": None, "errors": {"name": said}, "nested errors": {said: [said]}}
    status = {"code": 422, "message": said if place == "message" else "Mesaj"}
    answer = http(json.dumps({"response": {"status": status, "errors": errors[place]}}).encode())
    with peer(says(answer)) as server:
        refused = outcome(Client(server.url, LONG_KEY, LONG_HASH, AMPLE).add_group, "A")
    assert isinstance(refused, Rejected)
    assert refused.code == 422
    assert len(refused.message) <= MAX_MESSAGE
    assert not any(part.lower() in refused.message.lower() for part in (LONG_KEY[:8], LONG_HASH[:8]))
    assert "…" in refused.message


def test_a_refusal_without_credentials_stays_as_it_is() -> None:
    """Words that look a little like a key are not hidden, nor is anything for a key of a letter."""
    said = "key k h hash Ab3/+-9 0f0f0f"  # too little of the long ones, and the short ones are ordinary words
    with peer(says(http(content(499, message=said)))) as server:
        for key, secret in ((LONG_KEY, LONG_HASH), ("k", "h")):
            assert outcome(Client(server.url, key, secret, AMPLE).add_group, "A") == Rejected(499, said)


# Lists and stored names


def test_an_account_of_many_groups_is_read(api: Api) -> None:
    """A list of groups may be longer than any other answer: 12,000 groups take about 2 MB."""
    for number in range(12_000):
        api.add(f"Müşteriler {number} " + "x" * 90, "5" if number % 2 else "")
    groups = client(api, 30).get_groups()
    assert (len(groups), sum(group.parent == "5" for group in groups)) == (12_001, 6000)


@pytest.mark.parametrize("shape", [name for name in SHAPES if name not in ("unknown", "empty")])
def test_the_stand_in_shows_the_account_in_each_shape(api: Api, shape: str) -> None:
    """Every shape that can be read for certain brings the same groups."""
    api.add("VIP", "5", "6")
    api.add("Ankara", "6", "7")
    api.shape = SHAPES[shape]
    found = client(api).get_groups()
    assert set(found) == {Group("5", "Customers"), Group("6", "VIP", "5"), Group("7", "Ankara", "6")}


def test_the_stand_in_ignores_what_is_misnamed(api: Api) -> None:
    """As the provider does: a parent in the wrong place makes a main group, without a word."""
    authentication = {"key": api.key, "hash": api.hash}
    for group in ({"name": "A", "Parent": "5"}, {"name": "B", "parent": ["5"]}, {"name": "C"}):
        asked = {"request": {"authentication": authentication, "group": group, "parent": "5"}}
        assert local_request("POST", f"{api.url}/v1/add-group/json", json=asked).status_code == 200
    assert [group.parent for group in api.groups.values()] == [""] * 4
    wrong: tuple[tuple[object, int], ...] = (({}, 400), ({"request": {"group": {"name": "A"}}}, 401), ([], 400))
    for body, code in wrong:
        assert local_request("POST", f"{api.url}/v1/add-group/json", json=body).status_code == code
    assert local_request("POST", f"{api.url}/v1/add-group/json", data=b"{").status_code == 400


def test_a_name_that_was_stored_otherwise_is_kept(
    start: Callable[..., Any], workspace: Workspace, api: Api, tmp_path: Path
) -> None:
    """Cut or escaped: the history has the name that the provider answered with; where it is the same, nothing."""
    running = start(ADDGROUP_LANGUAGE="en")
    changes: list[tuple[Callable[[str], str], str]] = [
        (escape, '"R&D"'),
        (lambda n: n[:5], "Kampanya"),
        (str, "VIP"),
    ]
    for number, (change, typed) in enumerate(changes, 1):
        api.stored = change
        workspace.command(running.url, typed)
        assert workspace.finished(number)
        answer = next(m for m in workspace.messages if m.is_answer and f"ID `{97100 + number}`" in m.text)
        stored = as_typed(api.groups[str(97100 + number)].name)
        assert (say("en", "created.stored.finding", stored=stored) in answer.text) is (change is not str)
    engine = connect(f"sqlite:///{tmp_path}/journal.db")
    assert [entry["steps"][0]["reason"] for entry in entries(engine)] == ["", "stored as Kampa", "stored as R&amp;D"]
    engine.dispose()
