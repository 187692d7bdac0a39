"""The log: an event is one line that a person and a machine can read, and foreign libraries say no secret in it."""

from __future__ import annotations

import json
import logging
import re
import tempfile
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial

import pytest
import requests
from hypothesis import example, given
from hypothesis import strategies as st

from bot.log import LONGEST, configure, event, flush
from bot.sandbox.api import Api
from bot.sandbox.bot import Bot
from bot.slack.client import SlackClient
from tests.support.workspace import BOT_TOKEN, Workspace

HEAD = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} "


@pytest.fixture(autouse=True)
def _undo() -> Iterator[None]:
    """Leave the loggers as they were."""
    root = logging.getLogger()
    levels = {name: logging.getLogger(name).level for name in ("slack_bolt", "slack_sdk", "urllib3", "sqlalchemy")}
    handlers, level = root.handlers[:], root.level
    yield
    for handler in set(root.handlers) - set(handlers):
        handler.close()
    root.handlers[:] = handlers
    root.setLevel(level)
    for name, before in levels.items():
        logging.getLogger(name).setLevel(before)


def written(
    *actions: Callable[[], object], level: str = "INFO", form: str = "text", secrets: tuple[str, ...] = ()
) -> list[str]:
    """Return the lines that actions log, text without their times."""
    with tempfile.TemporaryFile() as file:
        configure(level, form, secrets, file.fileno())
        for action in actions:
            action()
        flush()
        file.seek(0)
        lines = file.read().decode().split("\n")
    assert lines.pop() == ""
    if form == "json":
        return lines
    assert all(re.match(HEAD, line) for line in lines)
    return [re.sub(HEAD, "", line, count=1) for line in lines]


def test_one_line_an_event() -> None:
    """An event is a line of time, level, name and facts."""
    assert written(
        lambda: event("started", version="0.1.0", mode="http"),
        lambda: event("refused", level=logging.WARNING, status=401),
        lambda: event("stopped"),
    ) == ["INFO event=started version=0.1.0 mode=http", "WARNING event=refused status=401", "INFO event=stopped"]


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("C1", "C1"),
        ("grubu-5", "grubu-5"),
        ("Müşteri", "Müşteri"),
        ("http://h:80", "http://h:80"),
        (5, "5"),
        (True, "True"),
        (1.23456, "1.235"),
        ("", '""'),
        ("iki söz", '"iki söz"'),
        ("a=b", '"a=b"'),
        ('say "x"', r'"say \"x\""'),
        ("back\\slash", r'"back\\slash"'),
        ("a\nb\r\n\tc\x00", r'"a\nb\r\n\tc\u0000"'),
        ("\x1b[31m", r'"\u001b[31m"'),
        (["a", "b"], "\"['a', 'b']\""),
    ],
)
def test_values(value: object, shown: str) -> None:
    """A plain value stands as it is; any other is quoted and escaped as in JSON."""
    assert written(lambda: event("told", value=value)) == [f"INFO event=told value={shown}"]


def test_nothing_is_left_out_but_none() -> None:
    """A fact that is None is left out, one that is empty or zero is not."""
    assert written(lambda: event("told", job=None, count=0, text="")) == ['INFO event=told count=0 text=""']


@given(st.text(st.characters(exclude_categories=[])), st.text())
@example('"\n', "x y=z")
def test_any_value_can_be_read_back(first: str, second: str) -> None:
    """Whatever the values are, the event is one line, and a machine gets them back."""
    (line,) = written(lambda: event("told", first=first, second=second))
    pattern = r'INFO event=told first=("(?:[^"\\]|\\.)*"|[^" ]+) second=("(?:[^"\\]|\\.)*"|[^" ]+)'
    values = re.fullmatch(pattern, line)
    assert values
    assert [json.loads(text) if text.startswith('"') else text for text in values.groups()] == [first, second]


@pytest.mark.parametrize("char", ["\x7f", "\x85", "\x9b", "\u2028", "\u2029"])
def test_no_other_line_ends(char: str) -> None:
    """Characters that some readers take for the end of a line, or a terminal for a command, are escaped too."""
    assert written(lambda: event("told", text=f"a{char}b")) == [rf'INFO event=told text="a\u{ord(char):04x}b"']


def broken() -> Exception:
    """Return an exception that was raised."""
    try:
        raise ValueError('first\n"second"')
    except ValueError as error:
        return error


def test_traceback() -> None:
    """A traceback stands in the line of its event."""
    (line,) = written(lambda: event("failed", level=logging.ERROR, job="ab12", trace=broken()))
    head, _, traceback = line.partition(" traceback=")
    assert head == "ERROR event=failed job=ab12"
    first, *rest = json.loads(traceback).splitlines()
    assert first == "Traceback (most recent call last):"
    assert rest[-2:] == ["ValueError: first", '"second"']


def test_foreign_messages() -> None:
    """What another library logs becomes an event of its own, on one line, its traceback too."""
    foreign = logging.getLogger("gunicorn.error")
    lines = written(
        lambda: foreign.info("Listening at: %s", "http://h\n2"),
        lambda: foreign.error("Failed", exc_info=broken()),
        lambda: foreign.debug("chatter"),
    )
    assert lines[0] == r'INFO event=log logger=gunicorn.error message="Listening at: http://h\n2"'
    assert lines[1].startswith(r'ERROR event=log logger=gunicorn.error message=Failed traceback="Traceback (most')
    assert len(lines) == 2


def test_a_message_whose_placeholders_do_not_fit() -> None:
    """A library's own mistake in logging stops nobody, and is written as it is."""
    assert written(lambda: logging.getLogger("a.library").info("%s and %s", "one")) == [  # noqa: PLE1206
        'INFO event=log logger=a.library message="%s and %s"'
    ]


def test_json() -> None:
    """With LOG_FORMAT=json a line is an object with the same facts, and the time has its zone."""
    fields = {"status": 401, "seconds": 1.23456, "text": "a\nb\u2028 Ş", "fresh": True, "ids": ["1", 2], "none": None}
    told, foreign = map(
        json.loads,
        written(
            lambda: event("refused", level=logging.WARNING, **fields),  # type: ignore[arg-type]
            lambda: logging.getLogger("waitress").error("Failed", exc_info=broken()),
            form="json",
        ),
    )
    time = datetime.fromisoformat(told.pop("time"))
    assert abs((datetime.now(UTC) - time).total_seconds()) < 60
    del fields["none"]
    assert told == {"level": "WARNING", "event": "refused", **fields, "seconds": 1.235}
    assert (foreign["event"], foreign["logger"], foreign["message"]) == ("log", "waitress", "Failed")
    assert foreign["traceback"].startswith("Traceback (most recent call last):")


@given(st.text(st.characters(exclude_categories=[])))
def test_any_value_can_be_read_back_from_json(value: str) -> None:
    """Whatever a value is, the line is one, and a machine gets it back."""
    (line,) = written(lambda: event("told", value=value), form="json")
    assert line.isprintable() or not re.search("[\x00-\x1f\x7f-\x9f\u2028\u2029]", line)
    assert json.loads(line)["value"] == value


HOOK = "hooks.slack.com/commands/T1/2/hidden"
ESCAPED = HOOK.replace("/", r"\/")
HIDDEN = {
    "xoxb-1-hidden": "…",
    "Bearer xoxe.xoxb-1-hidden, xapp-1-A1-hidden": "Bearer …, …",
    f"POST https://{HOOK} failed": "POST https://hooks.slack.com/… failed",
    f"{{'response_url': 'https://{HOOK}'}}": "{'response_url': 'https://hooks.slack.com/…'}",
    rf'{{"response_url":"https:\/\/{ESCAPED}"}}': r'{"response_url":"https:\/\/hooks.slack.com/…"}',
    f"response_url=https%3A%2F%2F{HOOK.replace('/', '%2F')}&text=x": "response_url=https%3A%2F%2Fhooks.slack.com/…",
    f"HTTPSConnectionPool(host='h', port=443): Max retries exceeded with url: /{HOOK} (Caused": "HTTPSConnectionPool("
    "host='h', port=443): Max retries exceeded with url: … (Caused",
    "GET wss://wss-primary.slack.com/link/?ticket=hidden&app_id=1": "GET wss://wss-primary.slack.com/…",
    "GET /link/?ticket=hidden&app_id=1 HTTP/1.1": "GET /link/?ticket=…&app_id=1 HTTP/1.1",
    "DETAIL:  Failing row contains (1, http://127.0.0.1:80/response/hidden, x).": "DETAIL:  Failing row contains (1, "
    "http://127.0.0.1:80/… x).",
    "proxy http://user:hidden@proxy:80 refused": "proxy http://proxy:80 refused",
    "postgresql://u:hid%40den@h:5432/d": "postgresql://h:5432/…",
    f"v0={'0f' * 32} is wrong": "v0=… is wrong",
    "the known-one and the known-one-longer": "the … and the …",
    "at 10:30, https://h:80 and C1/U1 stay": "at 10:30, https://h:80 and C1/U1 stay",
}
"""What a part might write, and what is written."""


@pytest.mark.parametrize("form", ["text", "json"])
def test_secrets_are_hidden(form: str) -> None:
    """No token, hash, ticket, response URL or password reaches the log, no matter which part writes it, or how."""
    known = ("known-one", "known-one-longer")
    for text, shown in HIDDEN.items():
        lines = written(
            partial(event, "failed", reason=text, ids=[text]),
            partial(logging.getLogger("a.library").error, "%s", text),
            partial(event, "failed", trace=ValueError(text)),
            form=form,
            secrets=known,
        )
        assert not re.search("hidden|den@|known|0f0f", "".join(lines)), text
        if form == "json":
            told, foreign, traced = map(json.loads, lines)
            assert (told["reason"], told["ids"], foreign["message"]) == (shown, [shown], shown)
            assert traced["traceback"] == f"ValueError: {shown}"


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_long_line_is_cut(form: str) -> None:
    """A line stays below the 16 KiB at which container runtimes split it: of its values the middle is left out."""
    for filler in ("x", "Ş", "\x1b", "😀"):
        for count in (1, 12):
            fields = {f"field{number}": f"begin{filler * 20_000}end" for number in range(count)}
            (line,) = written(partial(event, "told", **fields), form=form)  # type: ignore[arg-type]
            assert 500 < len(line.encode()) <= LONGEST
            assert (line.count("begin"), line.count("[…]"), line.count("end")) == (count, count, count)
            assert form == "text" or json.loads(line)["event"] == "told"
    (line,) = written(lambda: event("told", text="x" * 15_000, ids=["a"]), form="json")
    assert json.loads(line)["text"] == "x" * 15_000


def test_an_event_that_comes_again_and_again() -> None:
    """With `every`, an event is written once in a while, with the count of those that were left out."""
    every = uuid.uuid4().hex  # the counts are kept for the whole process
    assert written(
        *[lambda: event(f"failed_{every}", every=600, job="J1")] * 3,
        lambda: event(f"other_{every}", every=600, job="J2"),
        lambda: event(f"failed_{every}", every=1e-9, job="J1"),
    ) == [
        f"INFO event=failed_{every} job=J1",
        f"INFO event=other_{every} job=J2",
        f"INFO event=failed_{every} job=J1 repeated=2",
    ]


@pytest.mark.parametrize(("level", "count"), [("DEBUG", 4), ("INFO", 3), ("WARNING", 2), ("ERROR", 1), ("CRITICAL", 0)])
def test_level(level: str, count: int) -> None:
    """Events below the chosen level are not written."""
    levels = (logging.DEBUG, logging.INFO, logging.WARNING, logging.ERROR)
    assert len(written(*(partial(event, "told", level=each) for each in levels), level=level)) == count


def test_configured_twice() -> None:
    """Configuring again replaces what was before: an event is written once."""
    with tempfile.TemporaryFile() as file:
        for _ in range(2):
            configure("INFO", fd=file.fileno())
        event("told")
        flush()
        file.seek(0)
        assert file.read().count(b"event=told") == 1


@pytest.mark.parametrize("name", ["slack_sdk", "slack_sdk.web.base_client", "slack_bolt", "urllib3.connectionpool"])
def test_libraries_with_secrets(name: str) -> None:
    """Of the libraries that log bodies and addresses, only errors are written, at whatever level."""
    actions = [partial(logging.getLogger(name).log, severity, "x") for severity in (10, 20, 30, 40)]
    for level in ("DEBUG", "ERROR"):
        assert written(*actions, level=level) == [f"ERROR event=log logger={name} message=x"]


def test_libraries_at_critical() -> None:
    """At CRITICAL their errors are not written either."""
    assert written(lambda: logging.getLogger("slack_sdk").error("x"), level="CRITICAL") == []


def test_calls_are_silent(workspace: Workspace) -> None:
    """Calls to Slack and through requests leave nothing in the log, even at DEBUG."""
    client = SlackClient(BOT_TOKEN, f"{workspace.url}/api/")
    assert not written(
        lambda: client.call("auth.test"),
        lambda: client.call("chat.postMessage", channel="C1", text="secret"),
        lambda: client.respond(f"{workspace.url}/response/U1/C1/1", {"text": "secret"}),
        lambda: requests.post(f"{workspace.url}/api/auth.test", data=b"", timeout=5),
        level="DEBUG",
    )
    assert len(workspace.calls) == 4


def test_whole_bot_says_no_secret(start: Callable[..., Bot], workspace: Workspace, api: Api) -> None:
    """A bot at work at DEBUG writes its own events alone: no credential, no response URL, nothing that was typed."""

    def work() -> None:
        url = start().url
        assert workspace.command(url, "Typed").status == 200
        assert workspace.command(url, "typed parent=").status == 200
        assert workspace.command(url, "typed parent=", command="/other").status == 200
        assert workspace.finished()

    lines = written(work, level="DEBUG")
    assert any(line.startswith("INFO event=accepted ") for line in lines)
    assert not [line for line in lines if "event=log " in line]
    secrets = (BOT_TOKEN, workspace.signing_secret, api.key, api.hash, "response/", "typed")
    assert not [secret for secret in secrets if secret in "\n".join(lines).lower()]
