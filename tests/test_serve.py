"""The processes: real ones, real signals, real settings."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from bot.sandbox.api import Api
from bot.sandbox.bot import variables
from bot.sandbox.workspace import Workspace
from bot.serve import WorkerProcess
from tests.support.served import Served, inherited, state
from tests.support.slack import answered
from tests.support.until import until

ROOT = Path(__file__).parents[1]


def serve(directory: Path, environ: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run `serve` to its end."""
    return subprocess.run(
        [sys.executable, "-m", "bot", "serve"],
        cwd=directory,
        env={**inherited(), "PYTHONPATH": str(ROOT), **environ},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def test_missing_settings_are_listed_all_at_once(tmp_path: Path) -> None:
    """Exit status 2 and one message that names each variable."""
    ended = serve(tmp_path, {"ILETIMERKEZI_API_KEY": "k", "SLACK_CLIENT_ID": "1", "SLACK_CLIENT_SECRET": "2"})
    assert ended.returncode == 2
    for name in ("SLACK_BOT_TOKEN", "SLACK_SIGNING_SECRET", "ILETIMERKEZI_API_HASH", "SLACK_CLIENT_ID"):
        assert name in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_token_that_slack_refuses_ends_the_start(workspace: Workspace, api: Api, tmp_path: Path) -> None:
    """Exit status 2, Slack's word for it, and not the token."""
    ended = serve(tmp_path, {**variables(workspace, api), "SLACK_BOT_TOKEN": "xoxb-wrong"})
    assert ended.returncode == 2
    assert "invalid_auth" in ended.stderr
    assert "xoxb-wrong" not in ended.stderr


@pytest.mark.parametrize("fault", [500, "drop", "internal_error", "some_new_error"])
def test_a_slack_that_does_not_answer_does_not_end_the_start(
    workspace: Workspace, api: Api, tmp_path: Path, fault: int | str
) -> None:
    """Slack's outage, or a word that nobody knows yet, is no reason for one of the bot's."""
    workspace.faults["auth.test"].append(fault)
    served = Served(workspace, api, tmp_path)
    assert served.stop() == 0
    assert "slack_not_asked" in served.log.read_text()


def wait_for_add_group(api: Api) -> None:
    """Wait until the API has a request to make a group, the one call that must not be cut off."""
    until(lambda: any(method == "add-group" for method, _ in api.calls))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_what_was_accepted_is_answered_before_the_end(
    workspace: Workspace, api: Api, tmp_path: Path, number: signal.Signals
) -> None:
    """A signal during the API call lets it finish, answers, and exits 0."""
    served = Served(workspace, api, tmp_path)
    api.delay = 0.5
    assert workspace.command(served.url, "VIP").status == 200
    wait_for_add_group(api)
    assert served.stop(number) == 0
    assert [m.outcome for m in workspace.messages if m.thread_ts] == ["created"]


# The two processes.


@pytest.fixture
def served(workspace: Workspace, api: Api, tmp_path: Path) -> Iterator[Served]:
    served = Served(workspace, api, tmp_path)
    yield served
    served.kill()


def worker_of(served: Served, without: int = 0) -> int:
    """Wait until a worker other than `without` has started, and return its process id."""

    def last() -> int:
        pids = [int(pid) for pid in re.findall(r"part=worker pid=(\d+)", served.log.read_text())]
        return pids[-1] if pids and pids[-1] != without else 0

    return until(last, failed=served.log.read_text)


def wait_for_health(served: Served, status: int) -> str:
    """Wait until the health check has this HTTP status, and return what it says."""

    def said() -> str:
        answer = requests.get(f"{served.url}/healthz", timeout=5)
        return answer.text if answer.status_code == status else ""

    return until(said, failed=served.log.read_text)


def wait_for_end(pid: int, served: Served) -> None:
    """Wait until a process is gone, or has nothing left but its exit status."""
    until(lambda: state(pid) in ("", "Z"), seconds=30, failed=served.log.read_text)


def wait_for_created(workspace: Workspace, number: int) -> bool:
    """Wait until so many answers say that a group was created."""
    return workspace.wait_for(lambda: sum(m.outcome == "created" for m in workspace.messages) == number, 20)


def test_a_killed_worker_is_replaced_while_commands_come_in(workspace: Workspace, api: Api, served: Served) -> None:
    """The next worker answers its jobs and sends none twice; the front acknowledges meanwhile."""
    worker = worker_of(served)
    api.faults.append("silence")  # the worker is killed before there is an answer
    assert workspace.command(served.url, "A").status == 200
    wait_for_add_group(api)
    os.kill(worker, signal.SIGKILL)
    for number in range(10):
        reply = workspace.command(served.url, f"B{number}")
        assert (reply.status, reply.text) == (200, "")
    assert wait_for_created(workspace, 10)
    assert workspace.wait_for(lambda: any(m.outcome == "unknown" for m in workspace.messages), 20)
    assert sorted(body["request"]["group"]["name"] for method, body in api.calls if method == "add-group") == [
        "A",
        *(f"B{number}" for number in range(10)),
    ]
    assert worker_of(served, worker) != worker
    assert served.stop() == 0


def test_a_killed_front_takes_the_worker_with_it(
    workspace: Workspace, api: Api, served: Served, tmp_path: Path
) -> None:
    """The worker answers what is under way and ends by itself; the next bot does the rest, on the same port."""
    worker = worker_of(served)
    api.delay = 0.5
    assert workspace.command(served.url, "A").status == 200
    wait_for_add_group(api)
    os.kill(served.process.pid, signal.SIGKILL)
    again = Served(workspace, api, tmp_path, PORT=str(served.port))
    assert wait_for_created(workspace, 1)
    wait_for_end(worker, served)
    assert workspace.command(again.url, "B").status == 200
    assert wait_for_created(workspace, 2)
    assert api.made() == 2
    assert again.stop() == 0


def test_a_frozen_worker_makes_the_health_check_fail(served: Served) -> None:
    """Commands would be acknowledged and not carried: whatever supervises the bot must know."""
    worker = worker_of(served)
    os.kill(worker, signal.SIGSTOP)
    assert wait_for_health(served, 503) == "failing: worker"
    os.kill(worker, signal.SIGCONT)
    assert wait_for_health(served, 200) == "ok"


def test_a_worker_that_stays_silent_is_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Nobody has to restart the bot because something in the worker hangs."""
    silent = tmp_path / "python"
    silent.write_text(f"#!/bin/sh\necho $$ >>{tmp_path}/started\nexec sleep 60\n")
    silent.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(silent))
    monkeypatch.setattr("bot.journal.wakeup.HUNG_AFTER", 0.2)
    monkeypatch.setattr("bot.serve.LAST_WORDS", 0.1)
    worker = WorkerProcess(inherited())
    worker.start()
    until(lambda: (tmp_path / "started").exists() and len((tmp_path / "started").read_text().split()) > 1)
    worker.stop()
    worker.join()
    worker.bell.close()
    first = int((tmp_path / "started").read_text().split()[0])
    assert not Path(f"/proc/{first}").exists()
    assert "hung" in [record.__dict__["fields"].get("status") for record in caplog.records]


def test_a_worker_that_dies_while_the_journal_is_locked_comes_back(
    workspace: Workspace, api: Api, served: Served, tmp_path: Path
) -> None:
    """The bot goes on and says that it fails, until the journal can be written again."""
    worker = worker_of(served)
    with contextlib.closing(sqlite3.connect(tmp_path / "addgroup.db", isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        os.kill(worker, signal.SIGKILL)
        until(lambda: "event=worker_not_started" in served.log.read_text())
        assert "worker" in wait_for_health(served, 503)
        other.execute("ROLLBACK")
    assert wait_for_health(served, 200) == "ok"
    assert workspace.command(served.url, "A").status == 200
    assert wait_for_created(workspace, 1)
    assert served.stop() == 0


# Slack.


def test_a_token_that_slack_refuses_meanwhile_loses_no_answer(
    workspace: Workspace, api: Api, served: Served, tmp_path: Path
) -> None:
    """Who asked waits, known or not, and gets the answer in the thread once the bot has a token again."""
    workspace.command(served.url, "A")
    until(lambda: "event=done" in served.log.read_text())
    workspace.token = "xoxb-another"  # of the tests
    for name, user in [("B", "U1"), ("C", "U2")]:
        assert workspace.command(served.url, name, user=user).status == 200
    until(lambda: len(set(re.findall(r"event=postponed job=(\w+) why=invalid_auth", served.log.read_text()))) == 2)
    assert not workspace.private("U1") + workspace.private("U2")
    assert served.stop() == 0
    again = Served(workspace, api, tmp_path, SLACK_BOT_TOKEN=workspace.token)
    assert answered(workspace, "B", 30)
    assert answered(workspace, "C", 30)
    assert sorted(group.name for group in api.groups.values()) == ["A", "B", "C", "Customers"]
    assert again.stop() == 0


# The stop.


def test_a_signal_to_all_processes_stops_both_in_order(workspace: Workspace, api: Api, served: Served) -> None:
    """As Ctrl-C in a terminal, systemd and Heroku send it: what is under way is answered, and the status is 0."""
    api.delay = 0.5
    assert workspace.command(served.url, "A").status == 200
    wait_for_add_group(api)
    for number in (signal.SIGINT, signal.SIGTERM):  # Ctrl-C under a wrapper that passes it on in its own way
        os.killpg(served.process.pid, number)
    assert served.process.wait(25) == 0
    assert [m.outcome for m in workspace.messages if m.thread_ts] == ["created"]
    assert "Traceback" not in served.log.read_text()
    assert served.log.read_text().count("event=stopped") == 2


def test_a_second_signal_ends_both_at_once(workspace: Workspace, api: Api, served: Served) -> None:
    """A person who does not want to wait presses Ctrl-C again."""
    worker = worker_of(served)
    api.delay = 60.0
    assert workspace.command(served.url, "A").status == 200
    wait_for_add_group(api)
    served.process.send_signal(signal.SIGINT)
    wait_until_refused(served)

    def ended() -> bool:
        served.process.send_signal(signal.SIGINT)
        return served.process.poll() is not None

    until(ended, seconds=10)
    assert served.process.returncode == 1
    wait_for_end(worker, served)


def wait_until_refused(served: Served) -> None:
    """Wait until nothing listens at the bot's port any more."""

    def refused() -> bool:
        with socket.socket() as probe:
            return bool(probe.connect_ex(("127.0.0.1", served.port)))

    until(refused, failed=served.log.read_text)


def test_half_a_request_does_not_hold_up_the_stop(served: Served) -> None:
    """The bot ends in time beside a client that sends only a part of its request."""
    with socket.create_connection(("127.0.0.1", served.port)) as client:
        client.sendall(b"POST /slack/events HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf")
        wait_for_health(served, 200)
        assert served.stop(seconds=25) == 0


def test_a_request_in_flight_is_answered_at_the_stop(served: Served) -> None:
    """A request whose second half comes after the signal is still acknowledged."""
    with socket.create_connection(("127.0.0.1", served.port), timeout=10) as client:
        client.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\nContent-Le")
        wait_for_health(served, 200)
        served.process.send_signal(signal.SIGTERM)
        wait_until_refused(served)
        client.sendall(b"ngth: 0\r\n\r\n")
        assert client.recv(4096).startswith(b"HTTP/1.1 ")
    assert served.process.wait(25) == 0


# What is logged, and the port.


def test_the_log_holds_no_secret_and_no_text(workspace: Workspace, api: Api, tmp_path: Path) -> None:
    """At DEBUG too: no token, key, hash, signing secret, response URL or group name."""
    served = Served(workspace, api, tmp_path, LOG_LEVEL="DEBUG")
    workspace.command(served.url, "Secret-Customers")
    assert workspace.finished()
    requests.post(f"{served.url}/slack/events", data="text=Secret-Customers", timeout=5)
    served.stop()
    log = served.log.read_text()
    assert "event=accepted" in log
    assert "event=refused status=401" in log
    for secret in ("xoxb-", "-of-tests", "/response/", "Secret-Customers"):
        assert secret not in log


def test_a_port_in_use_is_a_failure_and_not_a_hang(workspace: Workspace, api: Api, tmp_path: Path) -> None:
    """Exit status 1 and one line that names what to change."""
    ended = serve(tmp_path, {**variables(workspace, api), "PORT": str(api.port)})
    assert ended.returncode == 1
    assert "PORT" in ended.stderr
    assert "in use" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_nothing_happens_at_import() -> None:
    """Importing every module reads no environment, opens no connection and starts no thread."""
    modules = [
        ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for path in sorted((ROOT / "bot").rglob("*.py"))
        if path.name != "__main__.py"
    ]
    script = (
        "import sys, threading; seen = []\n"
        "sys.addaudithook(lambda e, a: seen.append(e) if e == 'socket.connect' else None)\n"
        f"import {', '.join(modules)}\n"
        "assert threading.active_count() == 1 and not seen, (threading.enumerate(), seen)\n"
    )
    subprocess.run([sys.executable, "-c", script], cwd=ROOT, env=dict(os.environ), timeout=30, check=True)  # noqa: S603
