"""Calls to Slack: what is sent, what the answers mean, and that nothing secret is in an error or in the log."""

import logging
import socket
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from bot.model.job import TryLater
from bot.slack.client import LONGEST_RETRY_AFTER, SlackClient, SlackRefused
from tests.support.peer import AMPLE, SHORT, Act, hear, http, over_tls, peer, says, tunnel
from tests.support.workspace import BOT_TOKEN, Workspace

POST = "chat.postMessage"


CALLS: dict[str, Callable[[SlackClient, str], object]] = {
    POST: lambda slack, _url: slack.call(POST, channel="C1", text="Hello"),
    "users.info": lambda slack, _url: slack.call("users.info", user="U1"),
    "response_url": lambda slack, url: slack.respond(f"{url}/response/U1/C1/1", {"text": "Hello"}),
}

every_call = pytest.mark.parametrize("method", CALLS)


# What is sent.


@pytest.mark.parametrize("base", ["/api/", "/api"])
def test_what_writes_is_sent_as_json(workspace: Workspace, base: str) -> None:
    """Texts go out as they are; the address may end with a slash or not."""
    slack = SlackClient(BOT_TOKEN, workspace.url + base)
    slack.call(POST, channel="C1", text="Müşteri “<&>”", unfurl_links=False)
    arguments = {"channel": "C1", "text": "Müşteri “<&>”", "unfurl_links": False}
    assert workspace.calls == [(POST, arguments)]


def test_what_reads_is_sent_as_a_form(workspace: Workspace, slack: SlackClient) -> None:
    """Slack takes no JSON for the methods that read. Half a surrogate pair, as in JSON, is a question mark."""
    workspace.locales["U1"] = "tr-TR"
    assert slack.call("users.info", user="U1", include_locale=1)["user"]["locale"] == "tr-TR"
    slack.call("users.info", user="\ud800")
    assert workspace.calls == [("users.info", {"user": "U1", "include_locale": "1"}), ("users.info", {"user": "?"})]


def test_only_the_web_api_gets_the_token() -> None:
    """A response_url is a secret of its own, and may be of another host."""
    seen = []
    for call in (CALLS[POST], CALLS["response_url"]):
        with peer(lambda connection: seen.append(hear(connection, b"}"))) as server, pytest.raises(TryLater):
            call(SlackClient("xoxb-of-tests", f"{server.url}/api/", AMPLE), server.url)
    assert [b"Authorization: Bearer xoxb-of-tests" in request for request in seen] == [True, False]
    assert seen[0].startswith(b"POST /api/chat.postMessage HTTP/1.1\r\n")
    assert b"User-Agent: addgroup-bot/" in seen[0]


def test_a_private_message_is_for_one_person(workspace: Workspace, slack: SlackClient) -> None:
    """It replaces nothing, and shows no previews."""
    slack.respond(workspace.response_url("U1", "C1"), {"text": "Hello"})
    alone = {"response_type": "ephemeral", "replace_original": False, "unfurl_links": False, "unfurl_media": False}
    assert workspace.calls == [("response_url", {**alone, "text": "Hello"})]


# What answers mean.


def failed(slack: SlackClient, method: str, url: str, caplog: pytest.LogCaptureFixture) -> Any:
    """Return the error of a call: neither the token nor a response_url is in it, its traceback, or the log at DEBUG."""
    caplog.set_level(logging.DEBUG)
    with pytest.raises((SlackRefused, TryLater)) as raised:
        CALLS[method](slack, url)
    written = "".join(traceback.format_exception(raised.value)) + repr(raised.value) + repr(slack) + caplog.text
    assert BOT_TOKEN not in written
    assert f"{url.rpartition(':')[2]}/response" not in written
    return raised.value


FAULTS: list[tuple[int | str, str, float | None]] = [
    ("ratelimited:7", "ratelimited", 7.0),
    ("ratelimited:0.5", "ratelimited", 0.5),
    (f"ratelimited:{'9' * 400}", "ratelimited", LONGEST_RETRY_AFTER),  # a mistake: no channel is silent so long
    *((f"ratelimited:{wrong}", "ratelimited", None) for wrong in ("soon", "0", "-5")),
    (500, "http_500", None),
    (503, "http_503", None),
    ("drop", "closed", None),
    ("silence", "timeout", None),
]
"""With the word for the log, and for how many seconds Slack wants to hear nothing, where it says so."""


@every_call
@pytest.mark.parametrize(("fault", "why", "seconds"), FAULTS)
def test_what_passes_is_for_later(
    workspace: Workspace,
    caplog: pytest.LogCaptureFixture,
    method: str,
    fault: int | str,
    why: str,
    seconds: float | None,
) -> None:
    """Limits, and failures of Slack and of the way there, have a word for the log; only a lost question is repeated."""
    times = 2 if (method, fault) == ("users.info", "drop") else 1
    workspace.faults[method].extend([fault] * times)
    slack = SlackClient(BOT_TOKEN, f"{workspace.url}/api/", SHORT if fault == "silence" else AMPLE)
    error = failed(slack, method, workspace.url, caplog)
    limited = method == "response_url" and why == "ratelimited"
    assert (type(error), error.why, error.seconds) == (TryLater, "http_429" if limited else why, seconds)
    assert [called for called, _ in workspace.calls] == [method] * times


@every_call
def test_no_other_failure_holds_a_secret(
    workspace: Workspace, slack: SlackClient, caplog: pytest.LogCaptureFixture, method: str
) -> None:
    """Nobody listens at the address, or nothing is there."""
    failed(SlackClient(BOT_TOKEN, "http://127.0.0.1:9/api/", AMPLE), method, "http://127.0.0.1:9", caplog)
    workspace.faults[method].append(404)
    failed(slack, method, workspace.url, caplog)


LATER = ("internal_error", "fatal_error", "rate_limited", "team_added_to_org", "invalid_auth", "token_expired")
"""What passes; and what is wrong with the token, which may be put right, says nothing about what was asked for."""


@pytest.mark.parametrize("word", [*LATER, "not_in_channel", "missing_scope", "a_word_of_tomorrow"])
def test_slacks_words(workspace: Workspace, slack: SlackClient, caplog: pytest.LogCaptureFixture, word: str) -> None:
    """They come with HTTP 200, and the word comes with the error."""
    workspace.faults[POST].append(word)
    error = failed(slack, POST, workspace.url, caplog)
    assert (type(error), str(error)) == (TryLater if word in LATER else SlackRefused, word)


PAGES = {
    "a login page": http(b"<html>Sign in</html>"),
    "an empty answer": http(b""),
    "no object": http(b"[true]"),
    "not ok": http(b'{"ok": 1}'),
    "half a character": http(b'{"ok": true, "x": "\xff"}'),
    "a redirect": http(b"", b"Location: /elsewhere", status=b"302 Found"),
    "an error of a proxy": http(b'{"ok": false, "error": "Sign in at http://proxy?password=x"}'),
}


@pytest.mark.parametrize("page", PAGES.values(), ids=PAGES)
def test_what_is_not_slack_is_for_later(page: bytes) -> None:
    """Its words are not passed on, and a redirect is not followed."""
    with peer(says(page, end=b"}")) as server, closing(SlackClient(BOT_TOKEN, server.url)) as slack:
        with pytest.raises(TryLater, match=r"^http_(200|302)$"):
            CALLS[POST](slack, server.url)
        assert server.connections == 1


def test_an_answer_without_end_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """The memory that an answer may take is bounded."""
    monkeypatch.setattr("bot.slack.client.MAX_ANSWER", 100_000)
    with peer(says(http(b"x" * 200_000), end=b"}")) as server, pytest.raises(TryLater, match="too_large"):
        CALLS[POST](SlackClient(BOT_TOKEN, server.url), server.url)


@pytest.mark.parametrize("address", ["", "no address", "ftp://127.0.0.1/secret", True])
def test_what_is_no_address_is_refused(slack: SlackClient, address: Any) -> None:
    """A form that was opened long ago has no response_url: nobody is told, and nothing breaks."""
    with pytest.raises((SlackRefused, TryLater)) as raised:
        slack.respond(address, {"text": "Hello"})
    assert "secret" not in str(raised.value)


# Kept connections.

OK = http(b'{"ok": true}', b"Content-Type: application/json")


def answers(times: int, then: Act = lambda connection: hear(connection, b"}")) -> Act:
    """Answer so many requests on one connection and keep it, then do something else to it."""

    def act(connection: socket.socket) -> bytes | None:
        for _ in range(times):
            if not hear(connection, b"}"):
                return None
            connection.sendall(OK)
        return then(connection)

    return act


def post(slack: SlackClient, text: str = "Hello") -> object:
    return slack.call(POST, channel="C1", text=text)


def test_calls_share_connections(workspace: Workspace, slack: SlackClient) -> None:
    """One after another needs one, also after a refusal; of many at once, those that were made are used again."""
    for fault in (500, "ratelimited:1", "internal_error"):
        slack.respond(workspace.response_url("U1", "C1"), {"text": "Hello"})
        workspace.faults[POST].append(fault)
        with pytest.raises(TryLater):
            post(slack)
    assert (len(workspace.calls), workspace.connections) == (6, 1)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: post(slack, f"{number}"), range(200)))
    assert len(workspace.messages) == 203
    assert workspace.connections <= 8


def test_a_connection_that_slack_closed_is_replaced_before_use(workspace: Workspace, slack: SlackClient) -> None:
    """Nothing was sent on it, so a message goes out once, at once."""
    for number in range(3):
        post(slack, f"{number}")
        workspace.hang_up()
    post(slack, "3")
    assert [message.text for message in workspace.messages] == ["0", "1", "2", "3"]
    assert workspace.connections == 4


def test_a_server_that_hangs_up_on_everybody() -> None:
    """It is not asked once more, on a new connection or on one that was kept: what was sent may have arrived."""
    for kept in (0, 1):
        with peer(answers(kept)) as server, closing(SlackClient(BOT_TOKEN, server.url)) as slack:
            for _ in range(kept):
                post(slack)
            with pytest.raises(TryLater, match="closed"):
                post(slack)
            assert server.connections == 1


def test_a_form_opens_although_the_kept_connection_breaks() -> None:
    """Opening it twice changes nothing, so it is tried once more."""
    with peer(answers(1), answers(1, lambda _: None)) as server, closing(SlackClient(BOT_TOKEN, server.url)) as slack:
        for _ in range(2):
            slack.call("views.open", view={})
        assert server.connections == 2


@pytest.mark.parametrize("through", [lambda act: act, tunnel], ids=["direct", "proxy"])
def test_kept_over_tls(certificate: Path, monkeypatch: pytest.MonkeyPatch, through: Callable[[Act], Act]) -> None:
    """Also the one through a proxy."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with peer(through(over_tls(answers(3), certificate))) as server:
        if through is tunnel:
            monkeypatch.setenv("HTTPS_PROXY", server.url)
        slack = SlackClient(BOT_TOKEN, server.url.replace("http:", "https:"))
        for _ in range(3):
            post(slack)
        slack.close()
    assert server.connections == 1
