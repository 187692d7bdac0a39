"""The HTTP front: who is let in, what each refusal is, and that no body reaches the log."""

import http.client
import json
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
from tests.support.workspace import Workspace

Start = Callable[..., Bot]
SECRET_WORDS = "word-that-no-log-may-hold"


def test_a_command_with_the_word_payload_is_understood(start: Start, workspace: Workspace, api: Api) -> None:
    """Bolt's own decoding loses every form that contains the word; a group of that name is made anyway."""
    reply = workspace.command(start().url, "The payload team", channel_name="payload")
    assert (reply.status, reply.text) == (200, "")
    assert workspace.wait_for(lambda: any(m.outcome == "created" for m in workspace.messages))
    assert [group.name for group in api.groups.values()] == ["Customers", "The payload team"]


def test_what_slack_did_not_sign_is_refused(
    start: Start, workspace: Workspace, api: Api, caplog: pytest.LogCaptureFixture
) -> None:
    """A wrong, missing, malformed or old signature or timestamp is a 401; nothing is done and nothing of it logged."""
    body = urlencode({"command": "/addgroup", "text": SECRET_WORDS}).encode()
    url, signature, timestamp = start().url, "X-Slack-Signature", "X-Slack-Request-Timestamp"
    old = str(int(time.time()) - 360)
    replayed = SignatureVerifier(workspace.signing_secret).generate_signature(timestamp=old, body=body) or ""
    for headers in (
        {signature: "v0=" + "0" * 64},
        {signature: ""},
        {signature: "v0=\xfc"},
        {timestamp: "yesterday"},
        {timestamp: ""},
        {timestamp: "9" * 5000},
        {timestamp: "-1"},
        {timestamp: old, signature: replayed},
    ):
        assert workspace.post(url, body, **headers).status == 401, headers
    assert not api.calls
    assert SECRET_WORDS not in caplog.text
    assert "Traceback" not in caplog.text


def test_a_long_body_is_refused_unread(start: Start) -> None:
    """The size is told by the header; the answer does not wait for the rest."""
    parts = urlsplit(start().url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=30)
    connection.putrequest("POST", "/slack/events")
    connection.putheader("Content-Length", str(MAX_BODY + 1))
    connection.endheaders(b"text=" + SECRET_WORDS.encode())
    assert connection.getresponse().status == 413
    connection.close()


def test_a_body_at_the_limit_is_read(start: Start, workspace: Workspace) -> None:
    """Up to the limit a body is read; this one is signed but has no command, so it gets a clear 4xx."""
    assert workspace.post(start().url, b"a=" + b"x" * (MAX_BODY - 2)).status == 404


JSON = {"Content-Type": "application/json"}


def test_a_body_that_is_neither_a_form_nor_json_is_refused(
    start: Start, workspace: Workspace, caplog: pytest.LogCaptureFixture
) -> None:
    """Signed nonsense is a 400, not a traceback; what is not UTF-8 cannot be Slack's."""
    url = start().url
    assert requests.post(f"{url}/slack/events", data=b"\xff\xfe", timeout=30).status_code == 401
    for body in (b"{", b"no form", b"payload=%7B", b"payload=[1]", b"payload=" + b"[" * 100_000, b"a&b" * 99):
        assert workspace.post(url, body).status == 400, body[:20]
    for body in (b"{", b"[]", b'"text"', b"payload={}", b"[" * 100_000):
        assert workspace.post(url, body, **JSON).status == 400, body[:20]
    assert "Traceback" not in caplog.text


def test_paths_and_methods(start: Start) -> None:
    """Only the two documented addresses exist, Slack's for what is signed; HEAD is GET without the body."""
    url = start().url
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


def test_slacks_question_for_the_address_is_answered(start: Start, workspace: Workspace) -> None:
    """Slack asks once, signed, before it sends events, and wants its own word back."""
    asked = json.dumps({"type": "url_verification", "challenge": "word-of-slack", "token": "x"}).encode()
    url = start().url
    reply = workspace.post(url, asked, **JSON)
    assert (reply.status, reply.body["challenge"]) == (200, "word-of-slack")
    assert workspace.post(url, asked, **JSON, **{"X-Slack-Signature": "v0=" + "0" * 64}).status == 401


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


def test_what_nobody_listens_to_is_a_404(start: Start, workspace: Workspace, caplog: pytest.LogCaptureFixture) -> None:
    """Signed payloads of a kind that the bot does not serve get a clear answer and leave nothing in the log."""
    url = start().url
    for payload in ({"type": "event_callback", "event": {"type": "message"}}, {"type": SECRET_WORDS}):
        assert workspace.post(url, urlencode({"payload": json.dumps(payload)}).encode()).status == 404
    assert SECRET_WORDS not in caplog.text


def test_a_payload_that_bolt_stumbles_over_is_refused(
    start: Start, workspace: Workspace, caplog: pytest.LogCaptureFixture
) -> None:
    """A signed payload without the fields that Slack always sends is a 400 whose log line has a reference."""
    payload = json.dumps({"type": "view_submission", "view": {"callback_id": "addgroup"}})
    assert workspace.post(start().url, urlencode({"payload": payload}).encode()).status == 400
    failed = next(record for record in caplog.records if record.getMessage() == "request_failed")
    assert failed.__dict__["fields"]["reference"]


@pytest.mark.parametrize(
    ("fixed", "locale", "told"),
    [("auto", "", LANGUAGES), ("auto", "tr-TR", ("tr",)), ("auto", "en-GB", ("en",)), ("tr", "", ("tr",))],
)
def test_in_which_language_a_fault_is_told(
    start: Start,
    workspace: Workspace,
    caplog: pytest.LogCaptureFixture,
    fixed: str,
    locale: str,
    told: tuple[str, ...],
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
    failed = next(record for record in caplog.records if record.getMessage() == "request_failed")
    reference = failed.__dict__["fields"]["reference"]
    assert failed.exc_info
    assert text == "\n\n".join(say(language, "failure.internal", reference=reference) for language in told)
    assert len(workspace.calls) == calls


def test_slacks_check_of_the_certificate_is_answered(start: Start, workspace: Workspace) -> None:
    """Slack sends it without a signature, in a body or a query, and wants a 200; nothing else is let in so."""
    url = f"{start().url}/slack/events"
    for body in (b"ssl_check=1", b"token=x&ssl_check=1", b"ssl_check=1&token=x"):
        assert requests.post(url, data=body, timeout=30).status_code == 200, body
        assert requests.get(url, params=body, timeout=30).status_code == 200, body
    for body in (b"ssl_check=0", b"xssl_check=1", b"text=ssl_check%3D1", b"ssl_check=11"):
        assert requests.post(url, data=body, timeout=30).status_code == 401, body
        assert requests.get(url, params=body, timeout=30).status_code == 401, body
    assert not workspace.calls


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
