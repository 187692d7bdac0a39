"""The HTTP front: who is let in, what each refusal is, and that no body reaches the log."""

import http.client
import json
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
import requests
from slack_sdk.signature import SignatureVerifier

from bot.front import server
from bot.front.http import MAX_BODY, HttpApp
from bot.slack.texts import LANGUAGES, say
from tests.support.provider import Api
from tests.support.slack import Start, reference
from tests.support.workspace import Workspace

SECRET_WORDS = "word-that-no-log-may-hold"


def signed(workspace: Workspace, body: bytes, timestamp: str) -> str:
    return SignatureVerifier(workspace.signing_secret).generate_signature(timestamp=timestamp, body=body) or ""


def test_a_command_with_the_word_payload_is_understood(url: str, workspace: Workspace, api: Api) -> None:
    """Bolt's own decoding loses every form that contains the word; and the command may have another name."""
    reply = workspace.command(url, "The payload team", channel_name="payload", command="/grup-ekle")
    assert (reply.status, reply.text) == (200, "")
    assert workspace.wait_for(lambda: any(m.outcome == "created" for m in workspace.messages))
    assert [group.name for group in api.groups.values()] == ["Customers", "The payload team"]


def test_what_slack_did_not_sign_is_refused(
    url: str, workspace: Workspace, api: Api, caplog: pytest.LogCaptureFixture
) -> None:
    """A wrong, missing, malformed or old signature or timestamp is a 401; nothing is done and nothing of it logged."""
    body = urlencode({"command": "/addgroup", "text": SECRET_WORDS}).encode()
    signature, timestamp, old = "X-Slack-Signature", "X-Slack-Request-Timestamp", str(int(time.time()) - 360)
    for headers in (
        {signature: "v0=" + "0" * 64},
        {signature: ""},
        {signature: "v0=\xfc"},
        {timestamp: "yesterday"},
        {timestamp: ""},
        {timestamp: "9" * 5000},
        {timestamp: "-1"},
        {timestamp: old, signature: signed(workspace, body, old)},
    ):
        assert workspace.post(url, body, **headers).status == 401, headers
    assert not api.calls
    assert SECRET_WORDS not in caplog.text
    assert "Traceback" not in caplog.text


def test_a_body_is_read_up_to_the_limit(url: str, workspace: Workspace) -> None:
    """The size of a longer one is told by the header, and its answer does not wait for the rest."""
    assert workspace.post(url, b"a=" + b"x" * (MAX_BODY - 2)).status == 404, "signed, but no command"
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=30)
    connection.putrequest("POST", "/slack/events")
    connection.putheader("Content-Length", str(MAX_BODY + 1))
    connection.endheaders(b"text=")
    assert connection.getresponse().status == 413
    connection.close()


JSON = {"Content-Type": "application/json"}
FIELDLESS = {"type": "view_submission", "view": {"callback_id": "addgroup"}}

NO_FORM = (b"{", b"no form", b"payload=%7B", b"payload=[1]", b"payload=" + b"[" * 100_000, b"a&b" * 99)
NO_JSON = (b"{", b"[]", b'"text"', b"payload={}", b"[" * 100_000)
UNKNOWN: tuple[Any, ...] = ({"type": "event_callback", "event": {"type": "message"}}, {"type": SECRET_WORDS})


def test_signed_nonsense_is_refused(url: str, workspace: Workspace, caplog: pytest.LogCaptureFixture) -> None:
    """With a 400, not a traceback; what nobody listens to is a 404. What Bolt stumbles over is logged, for once."""
    assert requests.post(f"{url}/slack/events", data=b"\xff\xfe", timeout=30).status_code == 401
    for bodies, headers in ((NO_FORM, {}), (NO_JSON, JSON)):
        for body in bodies:
            assert workspace.post(url, body, **headers).status == 400, body[:20]
    for payload in UNKNOWN:
        assert workspace.post(url, urlencode({"payload": json.dumps(payload)}).encode()).status == 404, payload
    assert not [text for text in ("Traceback", "request_failed", SECRET_WORDS) if text in caplog.text]
    assert workspace.post(url, urlencode({"payload": json.dumps(FIELDLESS)}).encode()).status == 400
    assert reference(caplog)


def test_paths_and_methods(url: str) -> None:
    """Only the two documented addresses exist, Slack's for what is signed; HEAD is GET without the body."""
    for method, path, status in (
        ("GET", "/slack/events", 401),
        ("PUT", "/slack/events", 401),
        ("POST", "/", 404),
        ("POST", "/slack/events/", 404),
        ("GET", "/slack/install", 404),
        ("GET", "/healthz", 200),
        ("HEAD", "/healthz", 200),
    ):
        answer = requests.request(method, url + path, timeout=30)
        assert answer.status_code == status, (method, path)
        assert answer.headers["Content-Length"] != "0"
        assert bool(answer.content) == (method != "HEAD")


def test_what_slack_asks_of_the_address(url: str, workspace: Workspace) -> None:
    """Before it sends events, signed, for its own word back; of the certificate without a signature, for a 200."""
    asked = json.dumps({"type": "url_verification", "challenge": "word-of-slack", "token": "x"}).encode()
    reply = workspace.post(url, asked, **JSON)
    assert (reply.status, reply.body["challenge"]) == (200, "word-of-slack")
    assert workspace.post(url, asked, **JSON, **{"X-Slack-Signature": "v0=" + "0" * 64}).status == 401
    certificate = (b"ssl_check=1", b"token=x&ssl_check=1", b"ssl_check=1&token=x")
    for body in (*certificate, b"ssl_check=0", b"xssl_check=1", b"text=ssl_check%3D1", b"ssl_check=11"):
        status = requests.post(f"{url}/slack/events", data=body, timeout=30).status_code
        assert status == (200 if body in certificate else 401), body
    assert not workspace.calls


def health(web: HttpApp) -> tuple[str, str]:
    """Return the status and the text of the health check."""
    begun: list[str] = []
    environ = {"PATH_INFO": "/healthz", "REQUEST_METHOD": "GET"}
    body = b"".join(web(environ, lambda status, _headers: begun.append(status)))  # type: ignore[arg-type]
    return begun[0], body.decode()


def test_the_health_check_names_what_fails() -> None:
    """Each part that says no."""
    assert health(HttpApp(None, "", {"worker": lambda: True})) == ("200 OK", "ok")
    web = HttpApp(None, "", {"journal": lambda: False, "worker": lambda: True, "connection to Slack": lambda: False})
    assert health(web) == ("503 Service Unavailable", "failing: journal, connection to Slack")


@pytest.mark.parametrize(
    ("fixed", "locale", "told"),
    [("auto", "", LANGUAGES), ("auto", "tr-TR", ("tr",)), ("auto", "en-GB", ("en",)), ("tr", "", ("tr",))],
)
def test_in_which_language_a_fault_is_told(
    start: Start, workspace: Workspace, caplog: pytest.LogCaptureFixture, fixed: str, locale: str, told: tuple[str, ...]
) -> None:
    """That of the settings, or of who is known by now; else all: nobody is asked where something went wrong already.

    A command without a channel is such a fault: HTTP 200, with the reference under which the log has its traceback.
    """
    url = start(ADDGROUP_LANGUAGE=fixed).url
    if locale:
        workspace.locales["U1"] = locale
        workspace.command(url, "help")
        assert workspace.wait_for(lambda: bool(workspace.private()))
    calls = len(workspace.calls)
    faulty = {"command": "/addgroup", "text": "A", "user_id": "U1", "response_url": "https://x"}  # without a channel
    text = workspace.post(url, urlencode(faulty).encode()).text
    said = [say(language, "failure.internal", reference=reference(caplog)) for language in told]
    assert text == "\n\n".join(said)
    assert "Traceback" in caplog.text
    assert len(workspace.calls) == calls


def test_a_body_in_chunks_is_read(url: str, workspace: Workspace) -> None:
    """Tunnels send bodies with Transfer-Encoding: chunked."""
    typed = {"command": "/addgroup", "text": "VIP", "user_id": "U1", "channel_id": "C1", "trigger_id": "1"}
    body = urlencode({**typed, "response_url": workspace.response_url("U1", "C1")}).encode()
    stamp = str(int(time.time()))
    headers = {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": signed(workspace, body, stamp)}
    answer = requests.post(f"{url}/slack/events", data=iter([body[:20], body[20:]]), headers=headers, timeout=30)
    assert (answer.status_code, answer.text) == (200, "")
    assert workspace.wait_for(lambda: any(m.outcome == "created" for m in workspace.messages))


def test_a_refused_request_is_logged_with_its_path(url: str, caplog: pytest.LogCaptureFixture) -> None:
    """As much of it as is of use, printable, and without its query."""
    assert requests.get(f"{url}/%0Aevent=fake%C3%A9/{'x' * 5000}?token=secret", timeout=30).status_code == 404
    (refused,) = [record.__dict__["fields"] for record in caplog.records if record.getMessage() == "refused"]
    assert len(refused["path"]) < 200
    assert refused["path"].isascii()
    assert "secret" not in refused["path"]


def test_forms_that_wait_for_slack_leave_threads_for_commands(
    start: Start, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of many forms at once some open, the others are told at once to type the command, and commands go through."""
    monkeypatch.setattr("bot.sandbox.bot.THREADS", server.THREADS)
    monkeypatch.setattr("bot.front.form.LOOKED_UP", 0.5)
    monkeypatch.setattr("bot.front.form.OPENED", 1.0)
    url = start().url
    workspace.mood = lambda: "silence"
    with ThreadPoolExecutor(60) as people:
        forms = [people.submit(workspace.command, url, "", user=f"U{number}") for number in range(60)]
        assert workspace.command(url, "VIP").status == 200
        told = [form.result().text for form in forms]
    refused = [text for text in told if all(say(language, "form.not_opened") in text for language in LANGUAGES)]
    assert len(refused) >= 20, told
    workspace.mood = lambda: None
    workspace.hang_up()
