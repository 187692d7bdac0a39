"""Calls to Slack: what is sent, what the answers mean, and that nothing secret is in an error or in the log."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable
from typing import Any

import pytest

from bot.model.job import TryLater
from bot.slack.client import LONGEST_RETRY_AFTER, SlackClient, SlackRefused, TokenRefused
from tests.support.peer import AMPLE, SHORT, drips, hear, http, peer, says
from tests.support.workspace import BOT_TOKEN, Workspace

POST = "chat.postMessage"


@pytest.fixture
def slack(workspace: Workspace) -> SlackClient:
    return SlackClient(BOT_TOKEN, f"{workspace.url}/api/", AMPLE)


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
    """Slack takes no JSON for the methods that read."""
    workspace.locales["U1"] = "tr-TR"
    assert slack.call("users.info", user="U1", include_locale=1)["user"]["locale"] == "tr-TR"
    assert workspace.calls == [("users.info", {"user": "U1", "include_locale": "1"})]


def test_an_id_that_is_no_text_is_sent(workspace: Workspace, slack: SlackClient) -> None:
    """Half a surrogate pair, as JSON can carry it, is sent as a question mark."""
    slack.call("users.info", user="\ud800")
    assert workspace.calls == [("users.info", {"user": "?"})]


def test_only_the_web_api_gets_the_token() -> None:
    """A response_url is a secret of its own, and may be of another host."""
    seen = []
    for call in (CALLS[POST], CALLS["response_url"]):
        with peer(lambda connection: seen.append(hear(connection, b"}"))) as server, pytest.raises(TryLater):
            call(SlackClient("xoxb-of-tests", f"{server.url}/api/", SHORT), server.url)
    assert [b"Authorization: Bearer xoxb-of-tests" in request for request in seen] == [True, False]
    assert seen[0].startswith(b"POST /api/chat.postMessage HTTP/1.1\r\n")
    assert b"User-Agent: addgroup-bot/" in seen[0]


def test_a_private_message_is_for_one_person(workspace: Workspace, slack: SlackClient) -> None:
    """It replaces nothing, and shows no previews."""
    slack.respond(workspace.response_url("U1", "C1"), {"text": "Hello"})
    alone = {"response_type": "ephemeral", "replace_original": False, "unfurl_links": False, "unfurl_media": False}
    assert workspace.calls == [("response_url", {**alone, "text": "Hello"})]


# What answers mean.


def _patience(fault: int | str) -> float:
    """Return how long a call may take, in seconds."""
    return SHORT if fault == "silence" else AMPLE


@every_call
@pytest.mark.parametrize(
    ("fault", "why", "seconds"),
    [
        ("ratelimited:7", "ratelimited", 7.0),
        ("ratelimited:0.5", "ratelimited", 0.5),
        ("ratelimited:soon", "ratelimited", None),
        ("ratelimited:0", "ratelimited", None),
        ("ratelimited:-5", "ratelimited", None),
        (500, "http_500", None),
        (503, "http_503", None),
        ("drop", "closed", None),
        ("silence", "timeout", None),
    ],
)
def test_what_passes_is_for_later(
    workspace: Workspace, method: str, fault: int | str, why: str, seconds: float | None
) -> None:
    """Limits, and failures of Slack and of the way there, have a word for the log; nothing is repeated."""
    workspace.faults[method].append(fault)
    with pytest.raises(TryLater) as raised:
        CALLS[method](SlackClient(BOT_TOKEN, f"{workspace.url}/api/", _patience(fault)), workspace.url)
    limited = method == "response_url" and why == "ratelimited"
    assert (raised.value.why, raised.value.seconds) == ("http_429" if limited else why, seconds)
    assert [called for called, _ in workspace.calls] == [method]


@pytest.mark.parametrize("word", ["internal_error", "fatal_error", "rate_limited", "team_added_to_org"])
def test_some_of_slacks_words_mean_later(workspace: Workspace, slack: SlackClient, word: str) -> None:
    """They come with HTTP 200."""
    workspace.faults[POST].append(word)
    with pytest.raises(TryLater, match=word):
        CALLS[POST](slack, workspace.url)


@pytest.mark.parametrize("word", ["invalid_auth", "account_inactive", "token_revoked", "token_expired"])
def test_a_refused_token_says_nothing_about_the_call(workspace: Workspace, slack: SlackClient, word: str) -> None:
    """It waits for another token."""
    workspace.faults[POST].append(word)
    with pytest.raises(TokenRefused, match=f"^{word}$"):
        CALLS[POST](slack, workspace.url)


@pytest.mark.parametrize("word", ["not_in_channel", "missing_scope", "a_word_of_tomorrow"])
def test_slacks_other_words_mean_never(workspace: Workspace, slack: SlackClient, word: str) -> None:
    """The word comes with the error."""
    workspace.faults[POST].append(word)
    with pytest.raises(SlackRefused) as raised:
        CALLS[POST](slack, workspace.url)
    assert raised.value.error == word


@pytest.mark.parametrize("said", ["301", "86400", "9" * 400])
def test_a_retry_after_of_hours_is_bounded(workspace: Workspace, slack: SlackClient, said: str) -> None:
    """It is a mistake somewhere: the channel is not silent for a day."""
    workspace.faults[POST].append(f"ratelimited:{said}")
    with pytest.raises(TryLater) as raised:
        CALLS[POST](slack, workspace.url)
    assert raised.value.seconds == LONGEST_RETRY_AFTER


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
    with peer(says(page, end=b"}")) as server:
        with pytest.raises(TryLater, match=r"^http_(200|302)$"):
            CALLS[POST](SlackClient(BOT_TOKEN, server.url), server.url)
        assert server.connections == 1


def test_an_answer_without_end_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """The memory that an answer may take is bounded."""
    monkeypatch.setattr("bot.slack.client.MAX_ANSWER", 100_000)
    with peer(says(http(b"x" * 200_000), end=b"}")) as server, pytest.raises(TryLater, match="too_large"):
        CALLS[POST](SlackClient(BOT_TOKEN, server.url), server.url)


DRIPS = {
    "status line": b"",
    "headers": b"HTTP/1.1 200 OK\r\nX: ",
    "body": b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n",
    "chunks": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n999\r\n",
    "redirect": b"HTTP/1.1 307 Moved\r\nLocation: /\r\nContent-Length: 9999\r\n\r\n",
}


@pytest.mark.parametrize("head", DRIPS.values(), ids=DRIPS)
def test_an_answer_that_drips_ends_in_time(head: bytes) -> None:
    """Each read is in time, and the call ends at its deadline, whatever part of the answer drips."""
    with peer(drips(head, end=b"}")) as server, pytest.raises(TryLater, match="timeout"):
        CALLS[POST](SlackClient(BOT_TOKEN, server.url, SHORT), server.url)
    assert server.heard == []


# Nothing secret.


@every_call
@pytest.mark.parametrize("fault", ["drop", "silence", "refused", 500, "ratelimited:9", 404, "not_in_channel"])
def test_no_error_holds_a_secret(
    workspace: Workspace, caplog: pytest.LogCaptureFixture, method: str, fault: int | str
) -> None:
    """Neither the token nor a response_url is in the error, in its traceback, or in the log at DEBUG."""
    caplog.set_level(logging.DEBUG)
    url = workspace.url if fault != "refused" else "http://127.0.0.1:9"
    if fault != "refused":
        workspace.faults[method].append(fault)
    slack = SlackClient(BOT_TOKEN, f"{url}/api/", _patience(fault))
    try:
        CALLS[method](slack, url)
    except (SlackRefused, TryLater) as error:
        written = "".join(traceback.format_exception(error)) + repr(error) + repr(slack) + caplog.text
        assert BOT_TOKEN not in written
        assert f"{url.rpartition(':')[2]}/response" not in written


@pytest.mark.parametrize("address", ["", "no address", "ftp://127.0.0.1/secret", True])
def test_what_is_no_address_is_refused(slack: SlackClient, address: Any) -> None:
    """A form that was opened long ago has no response_url: nobody is told, and nothing breaks."""
    with pytest.raises((SlackRefused, TryLater)) as raised:
        slack.respond(address, {"text": "Hello"})
    assert "secret" not in str(raised.value)
