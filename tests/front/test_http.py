"""The HTTP front: who is let in, what each refusal is, and that no body reaches the log."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlencode, urlsplit

import pytest
import requests
from slack_sdk.signature import SignatureVerifier

from bot.front import server
from bot.front.http import MAX_BODY, HttpApp
from bot.sandbox.api import Api
from bot.sandbox.bot import Bot
from bot.slack.texts import LANGUAGES, say
from tests.support.until import until
from tests.support.workspace import Workspace

Start = Callable[..., Bot]
SECRET_WORDS = "word-that-no-log-may-hold"


def test_a_command_with_the_word_payload_is_understood(start: Start, workspace: Workspace, api: Api) -> None:
    """Bolt's own decoding loses every form that contains the word; a group of that name is made anyway."""
    reply = workspace.command(start().url, "The payload team", channel_name="payload")
    assert (reply.status, reply.text) == (200, "")
    assert workspace.wait_for(lambda: any(m.outcome == "created" for m in workspace.messages))
    assert [group.name for group in api.groups.values()] == ["Customers", "The payload team"]


def test_a_command_without_text_is_answered(start: Start, workspace: Workspace) -> None:
    """Slack may leave `text` out of the form."""
    assert workspace.command(start(ADDGROUP_LANGUAGE="en").url, None).status == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Slack-Signature": "v0=" + "0" * 64},
        {"X-Slack-Signature": ""},
        {"X-Slack-Signature": "v0=\xfc"},
        {"X-Slack-Request-Timestamp": "yesterday"},
        {"X-Slack-Request-Timestamp": ""},
        {"X-Slack-Request-Timestamp": "9" * 5000},
        {"X-Slack-Request-Timestamp": "-1"},
    ],
)
def test_what_slack_did_not_sign_is_refused(
    start: Start, workspace: Workspace, api: Api, headers: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    """A wrong, missing or malformed signature or timestamp is a 401; nothing is done and nothing of it logged."""
    body = urlencode({"command": "/addgroup", "text": SECRET_WORDS}).encode()
    assert workspace.post(start().url, body, **headers).status == 401
    assert not api.calls
    assert SECRET_WORDS not in caplog.text
    assert "Traceback" not in caplog.text


def test_a_signature_of_six_minutes_ago_is_refused(start: Start, workspace: Workspace) -> None:
    """What Slack signed counts for five minutes, so that nobody can replay it later."""
    body = b"command=%2Faddgroup&text=A"
    old = str(int(time.time()) - 360)
    signature = SignatureVerifier(workspace.signing_secret).generate_signature(timestamp=old, body=body) or ""
    headers = {"X-Slack-Request-Timestamp": old, "X-Slack-Signature": signature}
    assert workspace.post(start().url, body, **headers).status == 401


@pytest.mark.parametrize("length", [MAX_BODY + 1, 10 * MAX_BODY])
def test_a_long_body_is_refused_unread(start: Start, length: int) -> None:
    """The size is told by the header; the answer does not wait for the rest."""
    parts = urlsplit(start().url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=30)
    connection.putrequest("POST", "/slack/events")
    connection.putheader("Content-Length", str(length))
    connection.endheaders(b"text=" + SECRET_WORDS.encode())
    assert connection.getresponse().status == 413
    connection.close()


def test_a_body_at_the_limit_is_read(start: Start, workspace: Workspace) -> None:
    """Up to the limit a body is read; this one is signed but has no command, so it gets a clear 4xx."""
    assert workspace.post(start().url, b"a=" + b"x" * (MAX_BODY - 2)).status == 404


def test_a_body_that_is_no_text_is_refused(start: Start) -> None:
    """What is not UTF-8 cannot be Slack's."""
    assert requests.post(start().url + "/slack/events", data=b"\xff\xfe", timeout=30).status_code == 400


@pytest.mark.parametrize(
    "body",
    [b"{", b"no form", b"payload=%7B", b"payload=[1]", b"payload=" + b"[" * 100_000, b"a&b" * 99],
)
def test_a_signed_body_that_is_no_form_is_refused(
    start: Start, workspace: Workspace, body: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    """Signed nonsense is a 400, not a traceback."""
    assert workspace.post(start().url, body).status == 400
    assert "Traceback" not in caplog.text


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/slack/events", 405),
        ("PUT", "/slack/events", 405),
        ("POST", "/", 404),
        ("POST", "/slack/events/", 404),
        ("GET", "/slack/install", 404),
        ("POST", "/healthz", 405),
        ("GET", "/healthz", 200),
    ],
)
def test_paths_and_methods(start: Start, method: str, path: str, status: int) -> None:
    """Only the two documented addresses exist, each with its one method."""
    answer = requests.request(method, start().url + path, timeout=30)
    assert answer.status_code == status
    assert (answer.headers.get("Allow") is not None) == (status == 405)


JSON = {"Content-Type": "application/json"}


def test_slacks_question_for_the_address_is_answered(start: Start, workspace: Workspace) -> None:
    """Slack asks once, signed, before it sends events, and wants its own word back."""
    asked = json.dumps({"type": "url_verification", "challenge": "word-of-slack", "token": "x"}).encode()
    url = start().url
    reply = workspace.post(url, asked, **JSON)
    assert (reply.status, reply.body["challenge"]) == (200, "word-of-slack")
    assert workspace.post(url, asked, **JSON, **{"X-Slack-Signature": "v0=" + "0" * 64}).status == 401


@pytest.mark.parametrize("body", [b"{", b"[]", b'"text"', b"payload={}", b"[" * 100_000])
def test_a_signed_body_that_is_no_json_is_refused(start: Start, workspace: Workspace, body: bytes) -> None:
    """Signed nonsense is a 400."""
    assert workspace.post(start().url, body, **JSON).status == 400


def health(web: HttpApp) -> tuple[str, str]:
    """Return the status and the text of the health check."""
    begun: list[str] = []
    environ = {"PATH_INFO": "/healthz", "REQUEST_METHOD": "GET"}
    body = b"".join(web(environ, lambda status, _headers: begun.append(status)))  # type: ignore[arg-type]
    return begun[0], body.decode()


def test_the_health_check_asks_each_part_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many want to know; one that fails or hangs is named, and nobody waits for it beyond the bound."""
    monkeypatch.setattr("bot.front.http.PATIENCE", 0.3)
    asked, go = [], threading.Event()

    def works() -> bool:
        asked.append(threading.get_ident())
        return go.wait(30)

    web = HttpApp(None, "", {"first": lambda: True, "journal": works, "worker": go.is_set})
    with ThreadPoolExecutor(40) as people:
        told = list(people.map(lambda _: health(web), range(40)))
    assert told == [("503 Service Unavailable", "failing: journal, worker")] * 40
    assert len(asked) <= 3, "they share an answer"
    go.set()
    until(lambda: health(web) == ("200 OK", "ok"))


@pytest.mark.parametrize(
    "payload",
    [
        {"type": "event_callback", "event": {"type": "message"}},
        {"type": SECRET_WORDS},
    ],
)
def test_what_nobody_listens_to_is_a_404(
    start: Start, workspace: Workspace, payload: dict[str, object], caplog: pytest.LogCaptureFixture
) -> None:
    """Signed payloads of a kind that the bot does not serve get a clear answer and leave nothing in the log."""
    assert workspace.post(start().url, urlencode({"payload": json.dumps(payload)}).encode()).status == 404
    assert SECRET_WORDS not in caplog.text


def test_a_payload_that_bolt_stumbles_over_is_refused(
    start: Start, workspace: Workspace, caplog: pytest.LogCaptureFixture
) -> None:
    """A signed payload without the fields that Slack always sends is a 400 whose log line has a reference."""
    payload = json.dumps({"type": "view_submission", "view": {"callback_id": "addgroup"}})
    assert workspace.post(start().url, urlencode({"payload": payload}).encode()).status == 400
    failed = next(record for record in caplog.records if record.getMessage() == "request_failed")
    assert failed.__dict__["fields"]["reference"]


def test_a_fault_in_a_listener_becomes_a_sentence_with_a_reference(
    start: Start, workspace: Workspace, api: Api, caplog: pytest.LogCaptureFixture
) -> None:
    """A command without a channel is a fault: HTTP 200 with a reference that the log holds beside the traceback."""
    body = urlencode({"command": "/addgroup", "text": "A", "user_id": "U1", "response_url": "https://x"}).encode()
    reply = workspace.post(start().url, body)
    assert reply.status == 200
    assert "Nothing was created" in reply.text
    reference = reply.text.split()[-1]
    failed = next(record for record in caplog.records if record.getMessage() == "request_failed")
    assert failed.__dict__["fields"]["reference"] == reference
    assert failed.exc_info
    assert not api.calls


def faulty(user: str) -> bytes:
    """Return the body of a command without a channel, which is a fault."""
    return urlencode({"command": "/addgroup", "text": "A", "user_id": user, "response_url": "https://x"}).encode()


def test_a_fault_is_told_in_both_languages_to_who_is_not_known(start: Start, workspace: Workspace) -> None:
    """Nobody is asked for the language of a person where something went wrong already."""
    workspace.locales["U1"] = "tr-TR"
    text = workspace.post(start().url, faulty("U1")).text
    reference = text.split()[-1]
    assert text == "\n".join(say(language, "failure.internal", reference=reference) for language in LANGUAGES)
    assert not workspace.calls


@pytest.mark.parametrize(("locale", "language"), [("tr-TR", "tr"), ("en-GB", "en")])
def test_a_fault_is_told_in_the_language_of_who_is_known(
    start: Start, workspace: Workspace, locale: str, language: str
) -> None:
    """That of the person's Slack, in which the bot has spoken to them before."""
    workspace.locales["U1"] = locale
    url = start().url
    workspace.command(url, "help")
    assert workspace.wait_for(lambda: bool(workspace.private()))
    text = workspace.post(url, faulty("U1")).text
    assert text == say(language, "failure.internal", reference=text.split()[-1])


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_fault_is_told_in_the_one_language_of_all(start: Start, workspace: Workspace, language: str) -> None:
    """That of ADDGROUP_LANGUAGE, for whomever."""
    text = workspace.post(start(ADDGROUP_LANGUAGE=language).url, faulty("U1")).text
    assert text == say(language, "failure.internal", reference=text.split()[-1])


@pytest.mark.parametrize("body", [b"ssl_check=1", b"token=x&ssl_check=1", b"ssl_check=1&token=x"])
def test_slacks_check_of_the_certificate_is_answered(start: Start, workspace: Workspace, body: bytes) -> None:
    """Slack sends it without a signature, and wants a 200."""
    url = f"{start().url}/slack/events"
    assert requests.post(url, data=body, timeout=30).status_code == 200
    assert requests.get(url, params=body.decode(), timeout=30).status_code == 200
    assert not workspace.calls


@pytest.mark.parametrize("body", [b"ssl_check=0", b"xssl_check=1", b"text=ssl_check%3D1", b"ssl_check=11"])
def test_what_only_resembles_the_check_needs_a_signature(start: Start, body: bytes) -> None:
    """Nothing else is let in without one."""
    assert requests.post(f"{start().url}/slack/events", data=body, timeout=30).status_code == 401


def test_a_body_in_chunks_is_read(start: Start, workspace: Workspace, api: Api) -> None:
    """Tunnels send bodies with Transfer-Encoding: chunked."""
    body = urlencode({"command": "/addgroup", "text": "VIP", "user_id": "U1", "channel_id": "C1", "trigger_id": "1"})
    body += f"&response_url={workspace.url}/response/U1/C1/1"
    stamp = str(int(time.time()))
    signature = SignatureVerifier(workspace.signing_secret).generate_signature(timestamp=stamp, body=body) or ""
    answer = requests.post(
        f"{start().url}/slack/events",
        data=iter([body[:20].encode(), body[20:].encode()]),
        headers={"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": signature},
        timeout=30,
    )
    assert (answer.status_code, answer.text) == (200, "")
    assert workspace.wait_for(lambda: any(m.outcome == "created" for m in workspace.messages))


def test_the_health_check_answers_head(start: Start) -> None:
    """As GET, without the body."""
    url = f"{start().url}/healthz"
    asked, told = requests.head(url, timeout=30), requests.get(url, timeout=30)
    assert (asked.status_code, asked.content) == (told.status_code, b"")
    assert asked.headers["Content-Length"] == told.headers["Content-Length"]


def test_a_refused_request_is_logged_with_its_path(start: Start, caplog: pytest.LogCaptureFixture) -> None:
    """As much of it as is of use, printable, and without its query."""
    assert requests.get(f"{start().url}/%0Aevent=fake%C3%A9/{'x' * 5000}?token=secret", timeout=30).status_code == 404
    (refused,) = [record.__dict__["fields"] for record in caplog.records if record.getMessage() == "refused"]
    assert len(refused["path"]) < 200
    assert refused["path"].isascii()
    assert "secret" not in refused["path"]


def test_a_command_of_another_name_works(start: Start, workspace: Workspace) -> None:
    """Anyone who manages the Slack app may give the command another name."""
    assert workspace.command(start().url, "VIP", command="/grup-ekle").status == 200
    assert workspace.wait_for(lambda: any(m.outcome == "created" for m in workspace.messages))


def test_forms_that_wait_for_slack_leave_threads_for_commands(
    start: Start, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of many forms at once some open, the others are told at once to type the command, and commands go through."""
    monkeypatch.setattr("bot.sandbox.bot.THREADS", server.THREADS)
    url = start().url
    workspace.mood = lambda: "silence"
    with ThreadPoolExecutor(60) as people:
        forms = [people.submit(workspace.command, url, "", user=f"U{number}") for number in range(60)]
        assert workspace.command(url, "VIP").status == 200
        told = [form.result().text for form in forms]
    refused = [text for text in told if all(say(language, "form.not_opened") in text for language in LANGUAGES)]
    assert len(refused) >= 20, told
