"""The API's client: what is sent, what each answer means, and that nothing is ever sent twice."""

from __future__ import annotations

import json
import shutil
import socket
import ssl
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from socketserver import BaseRequestHandler, ThreadingTCPServer
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from requests.utils import DEFAULT_CA_BUNDLE_PATH

from bot import __version__
from bot.iletimerkezi.client import (
    ApiError,
    Balance,
    Client,
    Credentials,
    NotSent,
    Rejected,
    Unknown,
    decode_added,
    decode_balance,
    decode_groups,
)
from bot.iletimerkezi.transport import MAX_ANSWER
from bot.model.group import Group
from bot.sandbox.api import FAULTS, MESSAGES, Api
from bot.sandbox.process import free_port

CREDENTIALS = Credentials("key-of-tests", "hash-of-tests")
AMPLE = 5.0  # seconds, for calls that end by themselves
SHORT = 0.3  # seconds, for calls that must run out of time

Call = Callable[[Client], object]


def client(api: Api, timeout: float = AMPLE) -> Client:
    return Client(f"{api.url}/v1", api.credentials, timeout)


def content(code: object = 200, **fields: object) -> bytes:
    """Return an answer's body as the provider words it."""
    return json.dumps({"response": {"status": {"code": code, "message": "Mesaj"}, **fields}}).encode()


def outcome(call: Callable[..., object], *arguments: object) -> object:
    """Return what a call returns, or the ApiError that it raises."""
    try:
        return call(*arguments)
    except ApiError as error:
        return error


# What is sent


@pytest.mark.parametrize(
    ("call", "method", "fields"),
    [
        (lambda c: c.add_group("Müşteriler"), "add-group", {"group": {"name": "Müşteriler", "parent": ""}}),
        (lambda c: c.add_group("VIP", "5"), "add-group", {"group": {"name": "VIP", "parent": "5"}}),
        (Client.get_groups, "get-groups", {}),
        (Client.get_balance, "get-balance", {}),
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
        (Client.get_balance, "/v1/get-balance/json"),
    ],
)
@pytest.mark.parametrize("slash", ["", "/"])
def test_a_request_has_its_documented_head(call: Call, path: str, slash: str) -> None:
    """It is a POST of JSON that names the bot and its version, and holds no credentials but those of the body."""
    with peer(hear) as server:
        outcome(call, Client(f"{server.url}/v1{slash}", CREDENTIALS, AMPLE))
    head, _, body = (server.heard[0] or b"").partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    headers = dict(line.split(": ", 1) for line in lines)
    assert first == f"POST {path} HTTP/1.1"
    assert headers["Content-Type"] == "application/json"
    assert headers["User-Agent"] == f"addgroup-bot/{__version__}"
    assert headers["Connection"] == "close"
    assert b"hash-of-tests" not in head
    assert body.count(b"hash-of-tests") == 1


def test_the_hash_is_computed_from_a_secret() -> None:
    """The secret is the HMAC's key and the API key its message; the vector is RFC 4231's test case 2."""
    credentials = Credentials.from_secret("what do ya want for nothing?", "Jefe")
    assert credentials.key == "what do ya want for nothing?"
    assert credentials.hash == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"


def test_no_text_shows_a_secret() -> None:
    """Neither the credentials' and the client's own text nor a failure's traceback shows the key or the hash."""
    broken = Client(f"http://127.0.0.1:{free_port()}", CREDENTIALS, AMPLE)
    with pytest.raises(NotSent) as error:
        broken.get_balance()
    for text in (repr(CREDENTIALS), str(CREDENTIALS), repr(broken), "".join(traceback.format_exception(error.value))):
        assert "-of-tests" not in text


# What an answer means, by its HTTP status and body


@pytest.mark.parametrize("code", [200, "200"])
@pytest.mark.parametrize("identifier", [97101, "97101", " 97101 "])
def test_a_new_group_has_its_id_as_text(code: object, identifier: object) -> None:
    """Codes and ids come as text and as numbers; an id leaves as text."""
    assert decode_added(200, content(code, group={"id": identifier, "name": "A"})) == "97101"


NESTED: list[dict[str, object]] = []
for _number in range(100, 0, -1):
    NESTED = [{"id": _number, "name": str(_number), "children": NESTED}]


@pytest.mark.parametrize(
    ("groups", "expected"),
    [
        ([], []),
        (None, []),
        ({}, []),
        ({"group": []}, []),
        ([{"id": "1", "name": "A", "count": "0"}], [("1", "A", "")]),
        ([{"id": 1, "name": "A", "count": 1, "children": []}], [("1", "A", "")]),
        ([{"id": 1}], [("1", "", "")]),
        ({"group": [{"id": "1", "name": "A"}, {"id": "2", "name": "B"}]}, [("1", "A", ""), ("2", "B", "")]),
        ({"group": {"id": "1", "name": "A"}}, [("1", "A", "")]),
        (
            [{"id": "1", "name": "A", "children": {"group": {"id": 2, "name": "B"}}}, {"id": "3", "name": "C"}],
            [("1", "A", ""), ("3", "C", ""), ("2", "B", "1")],
        ),
        (NESTED, [(str(i), str(i), str(i - 1) if i > 1 else "") for i in range(1, 101)]),
    ],
)
def test_groups_come_in_both_published_shapes(groups: object, expected: list[tuple[str, str, str]]) -> None:
    """A list, an object that holds one, or a single group; of any depth, parents before their subgroups."""
    assert decode_groups(200, content(groups=groups)) == tuple(Group(*group) for group in expected)


@pytest.mark.parametrize("amount", [10.584, "10.584"])
@pytest.mark.parametrize("sms", [67, "67"])
def test_a_balance_is_text(amount: object, sms: object) -> None:
    """Amounts, too, come as text and as numbers."""
    assert decode_balance(200, content(balance={"amount": amount, "sms": sms})) == Balance("10.584", "67")


NO_GROUP: tuple[object, ...] = (None, [], "5", {}, [{"id": 5}])
NO_ID: tuple[object, ...] = (None, "", " ", True, 1.5, [], {})
NO_GROUPS: tuple[object, ...] = ("A", 5, ["A"], [None], [{"name": "A"}], {"group": "A"}, [{"id": 1, "children": "A"}])
NO_CODE: tuple[object, ...] = (None, "", "OK", [], {}, float("nan"), float("inf"))


@pytest.mark.parametrize(
    ("decode", "fields"),
    [
        (decode_added, {}),
        *((decode_added, {"group": group}) for group in NO_GROUP),
        *((decode_added, {"group": {"id": wrong}}) for wrong in NO_ID),
        (decode_groups, {}),
        *((decode_groups, {"groups": groups}) for groups in NO_GROUPS),
        (decode_balance, {}),
        (decode_balance, {"balance": [10]}),
    ],
)
def test_a_success_of_another_shape_is_unknown(decode: Callable[[int, bytes], object], fields: dict[str, Any]) -> None:
    """An answer that says 200 and does not hold what is documented leaves open what was done."""
    assert outcome(decode, 200, content(**fields)) == Unknown("undocumented")


@pytest.mark.parametrize(
    ("status", "body", "meaning"),
    [
        (200, content(401), Rejected(401, "Mesaj")),
        (502, content(463), Rejected(463, "Mesaj")),
        (503, content("503"), Rejected(503, "Mesaj")),
        (499, content("499"), Rejected(499, "Mesaj")),
        (
            422,
            content(422, errors={"name": "çok uzun", "parent": "yok"}),
            Rejected(422, "Mesaj; name: çok uzun; parent: yok"),
        ),
        (422, content(422, errors=["name"]), Rejected(422, "Mesaj")),
        (400, b'{"response": {"status": {"code": 400}}}', Rejected(400, "")),
        (500, content(200, group={"id": 5}), Unknown("contradiction")),
        (404, content(200, group={"id": 5}), Unknown("contradiction")),
        (302, content(200, group={"id": 5}), Unknown("contradiction")),
        (500, content(500), Unknown("server_error")),
        (200, content("599"), Unknown("server_error")),
        *((200, content(code), Unknown("undocumented")) for code in (-1, 0, 100, 201, 302, 399)),
        *((200, content(code), Unknown("unreadable")) for code in NO_CODE),
        *((404, body, Unknown("unreadable")) for body in (b"", b"OK", b"<html>", b"\xff", b"[]", b"null", b"{}")),
        (200, b'{"response": {}}', Unknown("unreadable")),
        (200, b'{"response": {"status": 200}}', Unknown("unreadable")),
        (200, b'{"response": {"status": {}}}', Unknown("unreadable")),
        (200, content()[:-1], Unknown("unreadable")),
        (502, b"<html>", Unknown("server_error")),
        (599, b"", Unknown("server_error")),
    ],
)
def test_the_number_in_the_body_decides(status: int, body: bytes, meaning: ApiError) -> None:
    """A code refuses whatever the HTTP status says; only success needs both, and a failing server leaves it open."""
    for decode in (decode_added, decode_groups, decode_balance):
        assert outcome(decode, status, body) == meaning


VALUES = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
JSON = st.recursive(VALUES, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=8)
GROUPS = st.recursive(
    JSON,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.fixed_dictionaries({}, optional={"id": VALUES, "name": JSON, "children": inner, "group": inner})
    ),
    max_leaves=8,
)
STATUSES = JSON | st.fixed_dictionaries({"code": st.sampled_from([200, "200", 422]) | JSON, "message": JSON})
FIELDS = {"group": GROUPS, "groups": GROUPS, "balance": st.fixed_dictionaries({"amount": JSON}) | JSON, "errors": JSON}
ANSWERS = st.fixed_dictionaries({"response": st.fixed_dictionaries({"status": STATUSES}, optional=FIELDS)})


@settings(deadline=None)
@given(status=st.integers(100, 599), body=st.binary() | (JSON | ANSWERS).map(lambda value: json.dumps(value).encode()))
@example(200, b"[" * 100_000)
@example(200, b'{"response":' * 100_000)
@example(200, b'{"response": {"status": {"code": 200}, "groups": ' + b"[" * 400 + b"]" * 400 + b"}}")
@example(200, b'{"response": {"status": {"code": ' + b"9" * 5000 + b"}}}")
@example(200, b'{"response": {"status": {"code": 1e999}}}')
def test_any_answer_is_a_result_or_an_api_error(status: int, body: bytes) -> None:
    """No bytes, and no JSON of whatever shape and depth, raise anything but an ApiError."""
    results: tuple[tuple[Callable[[int, bytes], object], type], ...] = (
        (decode_added, str),
        (decode_groups, tuple),
        (decode_balance, Balance),
    )
    for decode, documented in results:
        with suppress(ApiError):
            assert isinstance(decode(status, body), documented)


def test_errors_are_told_apart() -> None:
    """Errors are equal when both kind and contents are."""
    assert len({NotSent("tls"), Unknown("tls"), Unknown("closed"), Unknown("closed"), Rejected(401, "")}) == 4


# What an answer means, over real connections


def test_documented_answers_become_results(api: Api) -> None:
    """Groups, their subgroups and the balance come back as they are at the provider."""
    bot = client(api)
    main = bot.add_group("Müşteriler")
    below = bot.add_group("VIP", main.id)
    assert (main, below) == (Group("97101", "Müşteriler"), Group("97102", "VIP", "97101"))
    assert bot.get_groups() == (Group("5", "Customers"), main, below)
    assert bot.get_balance() == Balance("10.584", "67")


@pytest.mark.parametrize("code", [*(code for code in MESSAGES if code != 200), 499])
def test_a_code_is_a_refusal(api: Api, code: int) -> None:
    """Every documented code, and one that is not, comes back with its number and the provider's own sentence."""
    api.faults.append(code)
    assert outcome(client(api).add_group, "A") == Rejected(code, MESSAGES.get(code, "Bilinmeyen hata"))
    assert len(api.calls) == 1


@pytest.mark.parametrize(
    ("name", "parent", "key", "code"),
    [("", "", "key-of-tests", 461), ("A", "6", "key-of-tests", 463), ("A", "", "other", 401)],
)
def test_what_was_sent_is_refused(api: Api, name: str, parent: str, key: str, code: int) -> None:
    """An empty name, a parent that does not exist and wrong credentials are refused, and nothing is made."""
    bot = Client(f"{api.url}/v1", Credentials(key, "hash-of-tests"), AMPLE)
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
    "lost": "closed",
    "late": "timeout",
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_broken_answer_is_unknown_and_nothing_is_sent_twice(api: Api, fault: str) -> None:
    """Whatever breaks after the request left, the group may exist, and there was one call."""
    api.faults.append(fault)
    bot = client(api, SHORT if ENDINGS[fault] == "timeout" else AMPLE)
    assert outcome(bot.add_group, "A") == Unknown(ENDINGS[fault])
    assert len(api.calls) == 1
    assert ("A" in [group.name for group in api.groups.values()]) == (fault in ("lost", "late"))


# What servers do that the stand-in does not

Act = Callable[[socket.socket], bytes | None]
"""What a server does to a connection; it returns what it heard, where that matters."""


@dataclass
class Peer:
    """A server on loopback: its port, how many connections it had, and what its acts heard."""

    port: int
    connections: int = 0
    heard: list[bytes | None] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def peer(*acts: Act) -> Iterator[Peer]:
    """Run a server that does to each connection the next of `acts` (the last again and again), then closes it."""

    class Handler(BaseRequestHandler):
        def handle(self) -> None:
            act = acts[min(server.connections, len(acts) - 1)]
            server.connections += 1
            self.request.settimeout(AMPLE)
            with suppress(OSError):
                server.heard.append(act(self.request))

    with ThreadingTCPServer(("127.0.0.1", 0), Handler) as listener:
        server = Peer(listener.server_address[1])
        threading.Thread(target=listener.serve_forever, args=(0.02,), daemon=True).start()
        yield server
        listener.shutdown()


CONNECT = b"\r\n\r\n"


def hear(connection: socket.socket, end: bytes = b"}}") -> bytes:
    """Return a request, read to its `end`: that of the JSON, or CONNECT."""
    heard = b""
    while not heard.endswith(end) and (part := connection.recv(65536)):
        heard += part
    return heard


def silent(connection: socket.socket) -> None:
    while connection.recv(65536):
        pass


def closes(connection: socket.socket) -> None:
    hear(connection)


def says(answer: bytes, end: bytes = b"}}", keep: bool = False) -> Act:
    """Answer, end the answer unless the connection is to be kept, and return what comes after the request."""

    def act(connection: socket.socket) -> bytes:
        hear(connection, end)
        connection.sendall(answer)
        if not keep:
            connection.shutdown(socket.SHUT_WR)
        return connection.recv(65536)

    return act


OUTLIVED = b"nobody hung up"


def drips(head: bytes, end: bytes = b"}}") -> Act:
    """Send `head`, then a byte now and then, each in time; for some seconds, unless the client hangs up before."""

    def act(connection: socket.socket) -> bytes:
        hear(connection, end)
        connection.sendall(head)
        for _ in range(150):
            time.sleep(0.02)
            connection.sendall(b"x")
        return OUTLIVED

    return act


def http(body: bytes, *lines: bytes, status: bytes = b"200 OK") -> bytes:
    return b"\r\n".join((b"HTTP/1.1 " + status, b"Content-Length: %d" % len(body), *lines, b"", body))


ADDED = http(content(group={"id": 7, "name": "A"}))
DRIPS = {
    "status line": b"",
    "headers": b"HTTP/1.1 200 OK\r\nX: ",
    "body": b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n",
    "body without length": b"HTTP/1.1 200 OK\r\n\r\n",
    "chunks": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n999\r\n",
    "redirect": b"HTTP/1.1 307 Moved\r\nLocation: /\r\nContent-Length: 9999\r\n\r\n",
}


@pytest.mark.parametrize("head", DRIPS.values(), ids=DRIPS)
def test_an_answer_that_drips_ends_at_the_deadline(head: bytes) -> None:
    """Each read is in time, and the call ends all the same, whatever part of the answer drips."""
    with peer(drips(head)) as server:
        assert outcome(Client(server.url, CREDENTIALS, SHORT).add_group, "A") == Unknown("timeout")
    assert (server.connections, server.heard) == (1, [])


BROKEN = {
    "another protocol": (b"SSH-2.0-OpenSSH\r\n", "closed"),
    "endless header": (b"HTTP/1.1 200 OK\r\nX: " + b"x" * 70_000, "closed"),
    "two lengths": (b"HTTP/1.1 200 OK\r\nContent-Length: 5, 6\r\n\r\n", "closed"),
    "half a chunk": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n99\r\n{", "truncated"),
    "no gzip": (http(b"abc", b"Content-Encoding: gzip"), "closed"),
    "nothing": (http(b"", status=b"204 No Content"), "unreadable"),
    "redirect": (http(b"", b"Location: /elsewhere", status=b"307 Moved"), "unreadable"),
    "redirect to no address": (http(b"", b"Location: http://[", status=b"302 Moved"), "unreadable"),
    "redirect to no text": (http(b"", b"Location: \xff", status=b"308 Moved"), "unreadable"),
}


@pytest.mark.parametrize(("answer", "reason"), BROKEN.values(), ids=BROKEN)
def test_an_answer_that_is_no_http_is_unknown(answer: bytes, reason: str) -> None:
    """What breaks HTTP's own rules, or leads elsewhere, leaves it open what was done; nothing more is sent."""
    with peer(says(answer)) as server:
        assert outcome(Client(server.url, CREDENTIALS, AMPLE).add_group, "A") == Unknown(reason)
    assert server.heard == [b""]


def test_the_longest_answer_is_read() -> None:
    """An answer of the greatest length that is allowed counts."""
    answer = http(content(group={"id": 7}).ljust(MAX_ANSWER))
    with peer(says(answer)) as server:
        assert Client(server.url, CREDENTIALS, AMPLE).add_group("A") == Group("7", "A")


def test_an_answer_is_not_read_beyond_the_longest() -> None:
    """The rest of an answer that is too long is left unread."""
    with peer(says(b"HTTP/1.1 200 OK\r\nContent-Length: 9999999\r\n\r\n" + b" " * 2 * MAX_ANSWER)) as server:
        assert outcome(Client(server.url, CREDENTIALS, AMPLE).add_group, "A") == Unknown("too_large")
    assert server.connections == 1


def test_a_connection_that_the_server_keeps_is_not_used_again() -> None:
    """Every call opens a connection of its own, also when `Connection: close` is ignored, and has its own deadline."""
    with peer(says(ADDED, keep=True), says(ADDED, keep=True), drips(DRIPS["body"])) as server:
        bot = Client(server.url, CREDENTIALS, 2 * SHORT)
        assert bot.add_group("A") == bot.add_group("A") == Group("7", "A")
        assert outcome(bot.add_group, "A") == Unknown("timeout")
    assert (server.connections, server.heard) == (3, [b"", b""])


def test_many_threads_share_a_client(api: Api) -> None:
    """Calls at the same time do not disturb each other: each has its own answer and its own deadline."""
    api.faults.extend(["silence"] * 8)
    bot = client(api, 1.0)
    with ThreadPoolExecutor(48) as pool:
        outcomes = list(pool.map(lambda number: outcome(bot.add_group, f"group {number}"), range(48)))
    made = [group for group in outcomes if isinstance(group, Group)]
    assert outcomes.count(Unknown("timeout")) == 8
    assert len(made) == 40
    assert all(api.groups[group.id].name == group.name for group in made)
    assert len(api.calls) == 48


# What fails before the request leaves


ADDRESSES = {
    "unknown host": ("https://api.invalid/v1", "unreachable"),
    "refused": (f"http://127.0.0.1:{free_port()}/v1", "unreachable"),
    "refused TLS": (f"https://127.0.0.1:{free_port()}/v1", "unreachable"),
    "no scheme": ("api.iletimerkezi.com/v1", "address"),
    "another scheme": ("ftp://127.0.0.1/v1", "address"),
    "no port": ("http://127.0.0.1:99999/v1", "address"),
    "empty label": ("http://api..invalid/v1", "address"),
    "long label": (f"http://{'a' * 64}.invalid/v1", "address"),
}


@pytest.mark.parametrize(("base", "reason"), ADDRESSES.values(), ids=ADDRESSES)
def test_without_a_connection_nothing_is_sent(base: str, reason: str) -> None:
    """A refused port, an unknown host and an address that is none are told apart from what may have been done."""
    assert outcome(Client(base, CREDENTIALS, AMPLE).add_group, "A") == NotSent(reason)


def test_a_connection_that_does_not_come_about_is_not_sent() -> None:
    """A server whose queue is full lets a connection wait until the time is up."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        url = f"http://127.0.0.1:{full.getsockname()[1]}"
        with socket.create_connection(full.getsockname()):
            assert outcome(Client(url, CREDENTIALS, SHORT).add_group, "A") == NotSent("connect_timeout")


def over_tls(act: Act, certificate: Path) -> Act:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)

    def secured(connection: socket.socket) -> bytes | None:
        with context.wrap_socket(connection, server_side=True) as tls:
            return act(tls)

    return secured


def tunnel(act: Act) -> Act:
    """Accept a proxy's CONNECT, then be the server behind it."""

    def act_behind(connection: socket.socket) -> bytes | None:
        hear(connection, CONNECT)
        connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        return act(connection)

    return act_behind


def test_a_server_without_tls_gets_nothing(api: Api) -> None:
    """Over https, a server that speaks plain HTTP does not see the request."""
    bot = Client(f"https://127.0.0.1:{api.port}/v1", api.credentials, AMPLE)
    assert outcome(bot.add_group, "A") == NotSent("tls")
    assert not api.calls


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_server_that_cannot_be_trusted_gets_nothing(
    certificate: Path, monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    """A certificate that nobody vouches for, or of another host, ends the call before the request leaves."""
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    if host == "localhost":
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    with peer(over_tls(says(ADDED), certificate)) as server:
        bot = Client(f"https://{host}:{server.port}", CREDENTIALS, AMPLE)
        assert outcome(bot.add_group, "A") == NotSent("tls")
    assert (server.connections, server.heard) == (1, [])


def test_authorities_are_read_once_and_again_when_they_change(
    certificate: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Many threads share what was read; who is taken out of the file is not trusted any more."""
    reads: list[str] = []
    read = ssl.SSLContext.load_verify_locations

    def counted(context: ssl.SSLContext, bundle: str) -> None:
        reads.append(bundle)
        read(context, bundle)

    monkeypatch.setattr(ssl.SSLContext, "load_verify_locations", counted)
    bundle = tmp_path / "authorities.pem"
    shutil.copy(certificate, bundle)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(bundle))
    with peer(over_tls(says(ADDED), certificate)) as server:
        bot = Client(f"https://127.0.0.1:{server.port}", CREDENTIALS, AMPLE)
        assert bot.add_group("A") == Group("7", "A")
        with ThreadPoolExecutor(8) as pool:
            assert list(pool.map(bot.add_group, "A" * 40)) == [Group("7", "A")] * 40
        assert reads == [str(bundle)]
        shutil.copy(DEFAULT_CA_BUNDLE_PATH, bundle)
        assert outcome(bot.add_group, "A") == NotSent("tls")
    assert reads == [str(bundle)] * 2


def test_authorities_that_are_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A file without certificates is a fault of TLS, and nothing is sent."""
    (tmp_path / "authorities.pem").write_text("Dear diary")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "authorities.pem"))
    with peer(silent) as server:
        bot = Client(f"https://127.0.0.1:{server.port}", CREDENTIALS, AMPLE)
        assert outcome(bot.add_group, "A") == NotSent("tls")
    assert not any(server.heard)


@pytest.mark.parametrize("act", [silent, drips(b"\x16\x03\x03\x40\x00", end=b"")], ids=["silence", "drip"])
def test_tls_that_does_not_come_about_is_not_sent(act: Act) -> None:
    """A server that does not finish TLS's handshake in time never sees the request."""
    with peer(act) as server:
        bot = Client(f"https://127.0.0.1:{server.port}", CREDENTIALS, SHORT)
        assert outcome(bot.add_group, "A") == NotSent("connect_timeout")
    assert not any(server.heard)


@pytest.mark.parametrize("through", [lambda act: act, tunnel], ids=["direct", "proxy"])
@pytest.mark.parametrize(
    ("act", "timeout", "expected"),
    [
        (says(ADDED, keep=True), AMPLE, Group("7", "A")),
        (closes, AMPLE, Unknown("closed")),
        (silent, 2 * SHORT, Unknown("timeout")),
        (drips(DRIPS["body"]), 2 * SHORT, Unknown("timeout")),
    ],
    ids=["answer", "close", "silence", "drip"],
)
def test_over_tls_a_call_ends_as_without(
    certificate: Path,
    monkeypatch: pytest.MonkeyPatch,
    through: Callable[[Act], Act],
    act: Act,
    timeout: float,
    expected: object,
) -> None:
    """Neither TLS nor a proxy's tunnel changes what an answer means, or lets one outlive the deadline."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    with peer(through(over_tls(act, certificate))) as server:
        if through is tunnel:
            monkeypatch.setenv("HTTPS_PROXY", server.url)
        bot = Client(f"https://127.0.0.1:{server.port}", CREDENTIALS, timeout)
        assert outcome(bot.add_group, "A") == expected
    assert server.connections == 1
    assert not any(server.heard)


PROXIES = {
    "407": (says(http(b"", status=b"407 Proxy Authentication Required"), end=CONNECT), AMPLE, "proxy"),
    "403": (says(http(b"", status=b"403 Forbidden"), end=CONNECT), AMPLE, "proxy"),
    "silence": (silent, SHORT, "connect_timeout"),
    "drip": (drips(DRIPS["headers"], end=CONNECT), SHORT, "connect_timeout"),
}


@pytest.mark.parametrize(("act", "timeout", "reason"), PROXIES.values(), ids=PROXIES)
def test_a_proxy_that_opens_no_way_gets_nothing(
    monkeypatch: pytest.MonkeyPatch, act: Act, timeout: float, reason: str
) -> None:
    """A proxy that refuses, or does not answer in time, sees the host's name and not the request."""
    with peer(act) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        assert outcome(Client("https://api.invalid/v1", CREDENTIALS, timeout).add_group, "A") == NotSent(reason)
    assert proxy.connections == 1
    assert not any(proxy.heard)


def test_a_proxy_that_is_not_there_is_not_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    """A refused connection to the proxy is the proxy's fault, not the server's."""
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{free_port()}")
    assert outcome(Client("https://api.invalid/v1", CREDENTIALS, AMPLE).add_group, "A") == NotSent("proxy")


def test_a_proxy_that_is_spoken_to_over_tls_is_trusted_as_a_server_is(
    certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The authorities that the environment names count for the proxy too: it is asked, and its refusal counts."""
    with peer(over_tls(PROXIES["403"][0], certificate)) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"https://127.0.0.1:{proxy.port}")
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
        assert outcome(Client("https://api.invalid/v1", CREDENTIALS, AMPLE).add_group, "A") == NotSent("proxy")
    assert (proxy.connections, proxy.heard) == (1, [b""])
