"""The processes: real ones, real signals, real settings."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from bot.sandbox.api import Api
from bot.sandbox.process import Served, inherited, variables
from bot.sandbox.workspace import Workspace

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


@pytest.mark.parametrize("fault", [500, "drop", "internal_error"])
def test_a_slack_that_does_not_answer_does_not_end_the_start(
    workspace: Workspace, api: Api, tmp_path: Path, fault: int | str
) -> None:
    """Slack's outage is no reason for one of the bot's."""
    workspace.faults["auth.test"].append(fault)
    served = Served(workspace, api, tmp_path)
    assert served.stop() == 0
    assert "slack_not_asked" in served.log.read_text()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_what_was_accepted_is_answered_before_the_end(
    workspace: Workspace, api: Api, tmp_path: Path, number: signal.Signals
) -> None:
    """A signal during the API call lets it finish, answers, and exits 0."""
    served = Served(workspace, api, tmp_path)
    api.delay = 0.5
    assert workspace.command(served.url, "VIP").status == 200
    assert api.called.wait(10)
    assert served.stop(number) == 0
    assert [m.outcome for m in workspace.messages if m.thread_ts] == ["created"]


def test_the_log_holds_no_secret_and_no_text(workspace: Workspace, api: Api, tmp_path: Path) -> None:
    """At DEBUG too: no token, key, hash, signing secret, response URL or group name."""
    served = Served(workspace, api, tmp_path, LOG_LEVEL="DEBUG")
    workspace.command(served.url, "Secret-Customers")
    assert workspace.wait_for(lambda: any(m.earlier for m in workspace.messages))
    requests.post(f"{served.url}/slack/events", data="text=Secret-Customers", timeout=5)
    served.stop()
    log = served.log.read_text()
    assert "event=accepted" in log
    assert "event=refused status=401" in log
    for secret in ("xoxb-", "-of-tests", "/response/", "Secret-Customers"):
        assert secret not in log


def test_a_port_in_use_is_a_failure_and_not_a_hang(workspace: Workspace, api: Api, tmp_path: Path) -> None:
    """Exit status 1 and a word about the address."""
    ended = serve(tmp_path, {**variables(workspace, api), "PORT": str(api.port)})
    assert ended.returncode == 1
    assert "in use" in ended.stderr


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
