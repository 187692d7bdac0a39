"""The log: one line an event, for people and machines, without secrets; whatever its reader does, it stops nothing."""

import json
import logging
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.log import LONGEST, configure, event
from tests.support.served import inherited

ROOT = Path(__file__).parents[1]
HEAD = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} "


@pytest.fixture(autouse=True)
def _undo() -> Iterator[None]:
    """Leave the loggers as they were."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    for handler in set(root.handlers) - set(handlers):
        handler.close()
    root.handlers[:] = handlers
    root.setLevel(level)


def written(
    *actions: Callable[[], object], level: str = "INFO", form: str = "text", secrets: tuple[str, ...] = ()
) -> list[str]:
    """Return the lines that actions log, text without their times."""
    with tempfile.TemporaryFile() as file:
        configure(level, form, secrets, file.fileno())
        for action in actions:
            action()
        logging.shutdown()
        file.seek(0)
        lines = file.read().decode().split("\n")
    assert lines.pop() == ""
    if form == "json":
        return lines
    assert all(re.match(HEAD, line) for line in lines)
    return [re.sub(HEAD, "", line, count=1) for line in lines]


PLAIN: tuple[object, ...] = ("C1", "grubu-5", "Müşteri", "http://h:80", 5, True, 0)
VALUES: list[tuple[object, str]] = [
    *((value, str(value)) for value in PLAIN),
    (1.23456, "1.235"),
    ("", '""'),
    ("a=b", '"a=b"'),
    ('say "x\\"', r'"say \"x\\\""'),
    ("a\nb\r\n\tc\x00", r'"a\nb\r\n\tc\u0000"'),
    (["a", "b"], "\"['a', 'b']\""),
    *((f"a{char}b", rf'"a\u{ord(char):04x}b"') for char in "\x1b\x7f\x85\x9b\u2028\u2029"),
]


def test_values() -> None:
    """A line is time, level, name and facts. A plain value stands as it is; any other is quoted and escaped as in JSON.

    A fact that is None is left out, one that is empty or zero is not.
    """
    lines = written(*(partial(event, "told", none=None, value=value) for value, _ in VALUES))
    assert lines == [f"INFO event=told value={shown}" for _, shown in VALUES]
    line = written(lambda: event("refused", level=logging.WARNING, status=401, mode="http"))
    assert line == ["WARNING event=refused status=401 mode=http"]


@given(st.text(st.characters(exclude_categories=[])), st.text())
@example('"\n', "x y=z")
def test_any_value_can_be_read_back(first: str, second: str) -> None:
    """Whatever the values are, the event is one line, and a machine gets them back."""
    (line,) = written(lambda: event("told", first=first, second=second))
    pattern = r'INFO event=told first=("(?:[^"\\]|\\.)*"|[^" ]+) second=("(?:[^"\\]|\\.)*"|[^" ]+)'
    values = re.fullmatch(pattern, line)
    assert values
    assert [json.loads(text) if text.startswith('"') else text for text in values.groups()] == [first, second]
    (line,) = written(lambda: event("told", first=first, second=second), form="json")
    assert not re.search("[\x00-\x1f\x7f-\x9f\u2028\u2029]", line)
    told = json.loads(line)
    assert (told["first"], told["second"]) == (first, second)


def broken() -> Exception:
    """Return an exception that was raised."""
    try:
        raise ValueError('first\n"second"')
    except ValueError as error:
        return error


def test_tracebacks_and_foreign_messages() -> None:
    """A traceback stands in the line of its event; what another library logs becomes an event of its own."""
    foreign = logging.getLogger("gunicorn.error")
    told, *traced = written(
        lambda: foreign.info("Listening at: %s", "http://h\n2"),
        lambda: event("failed", level=logging.ERROR, job="ab12", trace=broken()),
        lambda: foreign.error("Failed", exc_info=broken()),
        lambda: foreign.debug("chatter"),
    )
    assert told == r'INFO event=log logger=gunicorn.error message="Listening at: http://h\n2"'
    heads = "ERROR event=failed job=ab12", "ERROR event=log logger=gunicorn.error message=Failed"
    for line, head in zip(traced, heads, strict=True):
        start, _, traceback = line.partition(" traceback=")
        lines = json.loads(traceback).splitlines()
        assert (start, lines[0], lines[-2:]) == (
            head,
            "Traceback (most recent call last):",
            ["ValueError: first", '"second"'],
        )


def test_json() -> None:
    """With LOG_FORMAT=json a line is an object with the same facts, and the time has its zone."""
    fields: dict[str, Any] = {"status": 401, "seconds": 1.235, "text": "a\nb\u2028 Ş", "fresh": True}
    (line,) = written(
        lambda: event("refused", level=logging.WARNING, none=None, **{**fields, "seconds": 1.23456}), form="json"
    )
    told = json.loads(line)
    assert datetime.fromisoformat(told.pop("time")).tzinfo
    assert told == {"level": "WARNING", "event": "refused", **fields}


HOOK = "hooks.slack.com/commands/T1/2/hidden"
HIDDEN = {
    "xoxb-1-hidden": "…",
    "Bearer xoxe.xoxb-1-hidden, xapp-1-A1-hidden": "Bearer …, …",
    f"{{'response_url': 'https://{HOOK}'}}": "{'response_url': 'https://hooks.slack.com/…'}",
    '"https:\\/\\/' + HOOK.replace("/", r"\/") + '"': r'"https:\/\/hooks.slack.com/…"',
    f"response_url=https%3A%2F%2F{HOOK.replace('/', '%2F')}&text=x": "response_url=https%3A%2F%2Fhooks.slack.com/…",
    f"HTTPSConnectionPool: failed with url: /{HOOK} (Caused": "HTTPSConnectionPool: failed with url: … (Caused",
    "GET wss://wss-primary.slack.com/link/?ticket=hidden&app_id=1": "GET wss://wss-primary.slack.com/…",
    "GET /link/?ticket=hidden&app_id=1 HTTP/1.1": "GET /link/?ticket=…&app_id=1 HTTP/1.1",
    "DETAIL: row (1, http://127.0.0.1:80/response/hidden, x).": "DETAIL: row (1, http://127.0.0.1:80/… x).",
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
    foreign, known = logging.getLogger("a.library"), ("known-one", "known-one-longer")
    actions: list[Callable[[], object]] = []
    for text in HIDDEN:
        actions += [partial(event, "failed", reason=text), partial(foreign.error, "%s", text)]
        actions += [partial(event, "failed", trace=ValueError(text))]
    lines = written(*actions, form=form, secrets=known)
    assert len(lines) == 3 * len(HIDDEN)
    assert not [line for line in lines if re.search("hidden|den@|known|0f0f", line)]
    if form == "json":
        facts = [json.loads(line) for line in lines]
        told = [
            (one["reason"], two["message"], three["traceback"])
            for one, two, three in zip(*[iter(facts)] * 3, strict=True)
        ]
        assert told == [(shown, shown, f"ValueError: {shown}") for shown in HIDDEN.values()]


def test_a_long_value_is_cut() -> None:
    """Of a text that is too long the middle is left out."""
    texts = "x" * LONGEST, f"begin{'x' * LONGEST}end"
    whole, short = (
        json.loads(line)["text"]
        for line in written(*(partial(event, "told", text=text) for text in texts), form="json")
    )
    assert whole == texts[0]
    assert (short[:5], short[-3:], short.count(" […] "), len(short)) == ("begin", "end", 1, LONGEST + 5)


def test_an_event_that_comes_again_and_again() -> None:
    """With `every`, an event is written once in a while, whatever other events come."""
    actions = [partial(event, name, every=every) for name, every in [("one", 600.0)] * 3 + [("other", 1e-9)] * 2]
    assert written(*actions) == ["INFO event=one", "INFO event=other", "INFO event=other"]


def test_level() -> None:
    """Events below the chosen level are not written; of the libraries that log bodies and addresses, only errors."""
    names = ("addgroup", "slack_sdk.web.base_client", "slack_bolt", "urllib3.connectionpool")
    actions = [partial(logging.getLogger(name).log, level, "x") for name in names for level in (10, 20, 30, 40)]
    for level, counts in {"DEBUG": [4, 1, 1, 1], "WARNING": [2, 1, 1, 1], "CRITICAL": [0, 0, 0, 0]}.items():
        lines = written(*actions, level=level)
        assert [sum(f"logger={name} " in line for line in lines) for name in names] == counts, level


# The writer.

FLOOD = """
import os, sys
from bot import log
from bot.log import configure, event
log.MOST_WAITING, log.AT_EXIT = 500, float(sys.argv[2])
configure("INFO", "json")
for number in range(int(sys.argv[1])):
    event("told", number=number, filler="x" * 200)
os.write(1, b"done\\n")
sys.stdin.readline()
"""


@contextmanager
def flood(count: int, stderr: int, at_exit: float = 60) -> Iterator[subprocess.Popen[bytes]]:
    """Run a process that logs so many events, says that it is done, and ends with status 0 after a line."""
    # For a `stderr` of -1 it begins with none.
    command = ["/bin/sh", "-c", f'exec "$0" "$@" {"2>&-" if stderr < 0 else ""}', sys.executable, "-c", FLOOD]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": stderr if stderr > 0 else None}
    process = subprocess.Popen([*command, str(count), str(at_exit)], cwd=ROOT, env=inherited(), **pipes)  # type: ignore[call-overload]  # noqa: S603
    if stderr > 0:
        os.close(stderr)
    with process:
        assert process.stdout.readline() == b"done\n"
        yield process
    assert process.returncode == 0


def test_standard_error_that_nobody_reads() -> None:
    """The process goes on; once somebody reads, the lines come, and how many were dropped is told."""
    reading, writing = os.pipe()
    lines = []
    with flood(1500, writing) as process, open(reading, "rb") as pipe:  # noqa: PTH123  # a descriptor, not a path
        for line in pipe:
            lines.append(json.loads(line))
            if lines[-1]["event"] == "log_lines_dropped" and process.stdin:
                process.stdin.close()
    (dropped,) = [line["count"] for line in lines if line["event"] == "log_lines_dropped"]
    numbers = [line["number"] for line in lines if line["event"] == "told"]
    assert dropped > 0
    assert numbers == sorted(set(numbers))
    assert dropped + len(numbers) == 1500


def test_the_end_of_the_process_is_not_held_up() -> None:
    """It ends, and well, without a standard error, with one whose reader is gone, and with one that nobody reads."""
    with flood(3, -1):
        pass
    reading, writing = os.pipe()
    os.close(reading)
    with flood(3, writing):
        pass
    reading, writing = os.pipe()
    with flood(1500, writing, at_exit=0.5):
        pass
    os.close(reading)


UNCAUGHT = """
from bot.log import configure
configure("INFO", "json", ["a-secret"])
raise ValueError("a-secret https://hooks.slack.com/commands/hidden")
"""


def test_what_no_part_catches() -> None:
    """It is an event as well, without secrets, in the form that was asked for; the process ends with status 1."""
    command = [sys.executable, "-c", UNCAUGHT]
    ended = subprocess.run(  # noqa: S603  # our own words
        command, cwd=ROOT, env=inherited(), stderr=subprocess.PIPE, text=True, timeout=30, check=False
    )
    line = json.loads(ended.stderr)
    assert (line["event"], ended.returncode) == ("crashed", 1)
    assert line["traceback"].endswith("\nValueError: … https://hooks.slack.com/…")
