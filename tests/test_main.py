"""The command line with real settings: what serve says of them, and how each command ends."""

import json
import logging
import subprocess
from pathlib import Path

import pytest

from bot.__main__ import main
from bot.sandbox.bot import variables
from tests.support.program import run_to_end
from tests.support.provider import Api
from tests.support.served import Served, free_port, inherited
from tests.support.workspace import Workspace

ROOT = Path(__file__).parents[1]


def ended(command: str, directory: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return run_to_end(*command.split(), cwd=directory, env={**inherited(), **environ})


@pytest.mark.parametrize(
    "wrong",
    [
        {"ADDGROUP_MEMBER": "U1"},
        {"ADDGROUP_ALLOWED_USERS": "U1"},
        {"ADDGROUP_MEMBERS": ","},
        {"SLACK_SIGNING_SECRET": "abc"},
        {"HTTP_PROXY": "http://bot:hid/den@proxy:8080"},
        {"all_proxy": "socks5h://proxy:1080"},
        {"SSL_CERT_FILE": "/none/authorities.pem"},
        {"DATABASE_URL": "postgresql+asyncpg://u:p@h/d"},
        {"SLACK_BOT_TOKEN": "", "SLACK_BOT_TOKEN_FILE": "/none"},
    ],
    ids=lambda wrong: next(reversed(wrong)),
)
def test_serve_and_check_judge_alike(
    workspace: Workspace,
    api: Api,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    wrong: dict[str, str],
) -> None:
    """What check calls wrong in the settings ends serve with status 2, and in the same words."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(logging, "disable", lambda: None)
    for name, value in {**variables(workspace, api), **wrong}.items():
        monkeypatch.setenv(name, value)
    assert (main(["serve"]), main(["check"])) == (2, 1)
    said = capsys.readouterr()
    (problem,) = [line.removeprefix("  - ") for line in said.err.splitlines() if line.startswith("  - ")]
    assert f"WRONG    settings: {problem.partition('. ')[0].rstrip('.')}" in said.out


def test_a_start_that_fails_in_a_log_for_machines(workspace: Workspace, api: Api, tmp_path: Path) -> None:
    """With LOG_FORMAT=json what ends the start with status 1 or 2 is an event too, also from a `.env`."""
    (tmp_path / ".env").write_text("LOG_FORMAT='json'\n")
    taken = workspace.url.rpartition(":")[2]
    environ = {**variables(workspace, api), "PORT": str(free_port()), "DATABASE_URL": f"sqlite:///{tmp_path}/a.db"}
    for wrong, status, told in (
        ({"PORT": "http", "LOG_LEVEL": "CRITICAL"}, 2, "PORT must be"),
        ({"PORT": taken}, 1, "HOST and PORT: cannot listen"),
        ({"DATABASE_URL": f"sqlite:///{tmp_path}/none/a.db"}, 2, "The journal cannot be used"),
    ):
        failed = ended("serve", tmp_path, **{**environ, **wrong})
        lines = [json.loads(line) for line in failed.stderr.splitlines()]
        assert failed.returncode == status
        assert [line["reason"] for line in lines if line.get("reason", "").startswith(told)], failed.stderr


def test_a_log_for_machines(workspace: Workspace, api: Api, tmp_path: Path) -> None:
    """With LOG_FORMAT=json every line is an object; a name that the bot does not know is pointed out in it."""
    oauth = {"SLACK_CLIENT_ID": "1", "SLACK_CLIENT_SECRET": "2"}  # with which Bolt prepares an OAuth that nobody uses
    served = Served(workspace, api, tmp_path, LOG_FORMAT="json", ADDGROUP_LANG="tr", **oauth)
    assert [workspace.command(served.url, "VIP", trigger_id="1.1").status for _ in range(2)] == [200, 200]
    assert workspace.wait_for(lambda: any(m.outcome == "created" for m in workspace.messages))
    assert served.stop() == 0
    lines = [json.loads(line) for line in served.log.read_text().splitlines()]
    met = [line.get("how") for line in lines if line["event"] in ("started", "accepted")]
    assert met == [None, "accepted", "repeated"]
    unknown = [(line["variable"], line.get("nearest")) for line in lines if line["event"] == "unknown_setting"]
    assert unknown[0] == ("ADDGROUP_LANG", "ADDGROUP_LANGUAGE")
    assert {name for name, _ in unknown[1:]} == {*oauth}


def test_usage_on_a_terminal_of_another_encoding(tmp_path: Path) -> None:
    """The help of each command can be printed anywhere; wrong usage ends with status 2, without a traceback."""
    wrong = ("", "nothing", "serve --fast", "history --limit many", "history --user ayşe", "manifest --url x")
    for command in (*wrong, "--help", "serve --help", "history --help"):
        shown = ended(command, tmp_path, PYTHONIOENCODING="ascii", DATABASE_URL="")
        assert (shown.returncode, "Traceback" in shown.stderr) == (2 if command in wrong else 0, False), command
