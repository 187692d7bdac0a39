"""`serve`: a real process, real signals, real settings."""

import contextlib
import itertools
import os
import re
import shutil
import signal
import socket
import sqlite3
import stat
import threading
from pathlib import Path

import pytest
import requests

from bot.sandbox.bot import variables
from bot.slack.texts import say
from tests.support.program import Program, run_to_end
from tests.support.provider import Api
from tests.support.served import Served, free_port, inherited
from tests.support.slack import answered
from tests.support.until import until
from tests.support.workspace import Workspace


def test_a_token_that_slack_refuses_ends_the_start(workspace: Workspace, api: Api, tmp_path: Path) -> None:
    """Exit status 2, Slack's word for it, and not the token."""
    environ = {**inherited(), **variables(workspace, api), "SLACK_BOT_TOKEN": "xoxb-wrong"}
    ended = run_to_end("serve", cwd=tmp_path, env=environ)
    assert ended.returncode == 2
    assert "invalid_auth" in ended.stderr
    assert not [word for word in ("xoxb-wrong", "Traceback") if word in ended.stderr]


@pytest.mark.parametrize("fault", [500, "drop", "internal_error", "some_new_error"])
def test_a_slack_that_does_not_answer_does_not_end_the_start(
    workspace: Workspace, api: Api, tmp_path: Path, fault: int | str
) -> None:
    """Slack's outage, or a word that nobody knows yet, is no reason for one of the bot's."""
    workspace.faults["auth.test"] += [fault] * 3  # a connection that was dropped is tried once more
    served = Served(workspace, api, tmp_path)
    assert served.stop() == 0
    assert "slack_not_asked" in served.log.read_text()


def wait_for_add_group(api: Api) -> None:
    """Wait until the API has a request to make a group, the one call that must not be cut off."""
    until(lambda: any(method == "add-group" for method, _ in api.calls))


def wait_for_health(served: Served, status: int) -> str:
    """Wait until the health check has this HTTP status, and return what it says."""

    def said() -> str:
        answer = requests.get(f"{served.url}/healthz", timeout=30)
        return answer.text if answer.status_code == status else ""

    return until(said, failed=served.log.read_text)


@pytest.mark.parametrize("method", ["Journal.keep", "Schedule.take", "Journal._write_together"])
def test_a_thread_that_dies_ends_the_process(workspace: Workspace, api: Api, tmp_path: Path, method: str) -> None:
    """Half a bot would hold what it does not carry: status 1 and a line that says why; a supervisor starts another."""
    script = (
        "import sys, time\n"
        "from bot.journal.journal import Journal\n"
        "from bot.worker.schedule import Schedule\nfrom bot.__main__ import main\n"
        f"real, calls = {method}, []\n"
        "def dies(*a, **b):\n    calls.append(a)\n    return real(*a, **b) if len(calls) < 3 else 1 / 0\n"
        f"{method} = dies\nsys.exit(main(['serve']))"
    )
    environ = {**inherited(), **variables(workspace, api), "PORT": str(free_port())}
    log = tmp_path / "log"
    with log.open("w") as errors:
        process = Program(script, (), tmp_path, environ, (errors.fileno(), errors.fileno(), errors.fileno()))
    url, sent = f"http://127.0.0.1:{environ['PORT']}", itertools.count()

    def ended() -> bool:
        with contextlib.suppress(requests.RequestException):
            workspace.command(url, f"G{next(sent)}")
        return process.poll() is not None

    until(ended, seconds=60, failed=log.read_text)
    assert process.returncode == 1
    assert "event=thread_died" in log.read_text()
    assert "ZeroDivisionError" in log.read_text()


def shown(journal: sqlite3.Connection) -> object:
    """Return the bot's last sign of life."""
    return journal.execute("SELECT lease_until FROM processes").fetchall()


@pytest.mark.parametrize("damage", ["copied over", "replaced", "without -wal", "without -shm"])
def test_a_file_that_is_not_the_journals_any_more(
    workspace: Workspace, served: Served, tmp_path: Path, damage: str
) -> None:
    """What would be written is lost with the process: commands are refused, and the health check fails."""
    file, copy = tmp_path / "addgroup.db", tmp_path / "copy.db"
    workspace.command(served.url, "A")
    assert answered(workspace, "A")
    with contextlib.closing(sqlite3.connect(file)) as journal, contextlib.closing(sqlite3.connect(copy)) as other:
        journal.backup(other)
        before = shown(journal)
        until(lambda: shown(journal) != before)  # a copy of this very moment would do no harm
        workspace.command(served.url, "B")
        assert answered(workspace, "B")
        until(lambda: journal.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0)
    if damage == "copied over":
        shutil.copyfile(copy, file)
    elif damage == "replaced":
        copy.replace(file)
    else:
        Path(f"{file}{damage.removeprefix('without ')}").unlink()
    until(lambda: say("en", "failure.journal") in workspace.command(served.url, "Another").text)
    assert "journal" in wait_for_health(served, 503)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600 or damage == "replaced"


# Slack.


def test_a_token_that_slack_refuses_meanwhile_loses_no_answer(
    workspace: Workspace, api: Api, served: Served, tmp_path: Path
) -> None:
    """Who asked waits, known or not, and gets the answer in the thread once the bot has a token again."""
    workspace.command(served.url, "A")
    until(lambda: "event=done" in served.log.read_text())
    workspace.bot_token = "xoxb-another"  # of the tests
    for name, user in [("B", "U1"), ("C", "U2")]:
        assert workspace.command(served.url, name, user=user).status == 200
    until(lambda: len(set(re.findall(r"event=postponed job=(\w+) why=invalid_auth", served.log.read_text()))) == 2)
    assert not workspace.private("U1") + workspace.private("U2")
    assert served.stop() == 0
    again = Served(workspace, api, tmp_path, SLACK_BOT_TOKEN=workspace.bot_token)
    assert answered(workspace, "B")
    assert answered(workspace, "C")
    assert sorted(group.name for group in api.groups.values()) == ["A", "B", "C", "Customers"]
    assert again.stop() == 0


# The stop.


@pytest.mark.parametrize(
    "signals",
    [
        (signal.SIGTERM,),
        (signal.SIGINT,),
        (signal.SIGSTOP, signal.SIGINT, signal.SIGTERM, signal.SIGCONT),  # Ctrl-C under a wrapper that passes it on
    ],
    ids=["SIGTERM", "SIGINT", "both at once"],
)
def test_what_was_accepted_is_answered_before_the_end(
    workspace: Workspace, api: Api, served: Served, signals: tuple[signal.Signals, ...]
) -> None:
    """During the API call, as Ctrl-C, systemd and Heroku send them: the call ends, and the status is 0."""
    api.delay = 0.5
    assert workspace.command(served.url, "A").status == 200
    wait_for_add_group(api)
    for number in signals:
        os.killpg(served.process.pid, number)
    assert served.process.wait() == 0
    assert [m.outcome for m in workspace.messages if m.thread_ts] == ["created"]
    assert "Traceback" not in served.log.read_text()
    assert served.log.read_text().count("event=stopped") == 1


def test_a_second_signal_ends_it_at_once(workspace: Workspace, api: Api, served: Served) -> None:
    """A person who does not want to wait presses Ctrl-C again."""
    api.gates["add-group"] = threading.Event()
    assert workspace.command(served.url, "A").status == 200
    wait_for_add_group(api)
    served.process.send_signal(signal.SIGINT)
    wait_until_refused(served)

    def ended() -> bool:
        served.process.send_signal(signal.SIGINT)
        return served.process.poll() is not None

    until(ended)
    assert served.process.returncode == 1


def wait_until_refused(served: Served) -> None:
    """Wait until nothing listens at the bot's port any more."""

    def refused() -> bool:
        with socket.socket() as probe:
            return bool(probe.connect_ex(("127.0.0.1", served.port)))

    until(refused, failed=served.log.read_text)


def test_requests_that_are_half_there_at_the_stop(served: Served) -> None:
    """One whose second half comes after the signal is still acknowledged; one that never comes holds nothing up."""
    address = ("127.0.0.1", served.port)
    with socket.create_connection(address) as silent, socket.create_connection(address, timeout=60) as client:
        silent.sendall(b"POST /slack/events HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf")
        client.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\nContent-Le")
        wait_for_health(served, 200)
        served.process.send_signal(signal.SIGTERM)
        wait_until_refused(served)
        client.sendall(b"ngth: 0\r\n\r\n")
        assert client.recv(4096).startswith(b"HTTP/1.1 ")
        assert served.process.wait() == 0


# What is kept.


def test_neither_log_nor_journal_holds_a_secret(workspace: Workspace, api: Api, tmp_path: Path) -> None:
    """No token, key, hash, signing secret or signature, also not of what was deleted from the journal.

    The log, at DEBUG too, holds no response URL and no group name either.
    """
    served = Served(workspace, api, tmp_path, LOG_LEVEL="DEBUG")
    workspace.closed["C2"] = "not_in_channel"
    for channel in ("C1", "C2"):
        workspace.command(served.url, f"Secret-Customers {channel}", channel=channel)
    assert workspace.finished()
    assert workspace.wait_for(lambda: bool(workspace.private()))
    requests.post(f"{served.url}/slack/events", data="text=Secret-Customers", timeout=30)
    stored = b"".join(file.read_bytes() for file in tmp_path.glob("addgroup.db*"))
    served.stop()
    log = served.log.read_text()
    assert "event=accepted" in log
    assert "event=refused status=401" in log
    assert b"Secret-Customers" in stored
    for secret in ("xoxb-", "-of-tests", "0123456789abcdef0123456789abcdef", "v0="):
        assert secret not in log
        assert secret.encode() not in stored
    assert not [text for text in ("/response/", "Secret-Customers") if text in log]
