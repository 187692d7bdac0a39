"""Containerfile, compose.yaml and the unit against the code: ports, paths, times, users, and what the image holds."""

import fnmatch
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import yaml

from bot import __main__ as command_line
from bot import serve, settings
from bot.front.http import HEALTH
from bot.front.server import Server, listen

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "Containerfile").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
BOT: dict[str, Any] = COMPOSE["services"]["bot"]
DB: dict[str, Any] = COMPOSE["services"]["db"]

LINES = [
    re.sub(r"\s+", " ", line) if not line.startswith("HEALTHCHECK") else line
    for line in re.sub(r"\\\n", "", re.sub(r"(?m)^#.*\n", "", TEXT)).splitlines()
    if line.strip()
]
STAGES = [
    [line for line in stage.splitlines() if line] for stage in re.split(r"(?m)^(?=FROM )", "\n".join(LINES)) if stage
]
FINAL = STAGES[-1]


def instruction(name: str) -> str:
    """Return what stands behind an instruction that the final stage has once."""
    (line,) = [line for line in FINAL if line.startswith(f"{name} ")]
    return line.removeprefix(f"{name} ")


def health_command() -> list[str]:
    """Return the command of the health check."""
    command: list[str] = json.loads(instruction("HEALTHCHECK").partition("CMD ")[2])
    return command


@pytest.mark.parametrize(
    ("status", "host", "written", "quoted"),
    [
        (200, "127.0.0.1", "", "{}"),
        (503, "127.0.0.1", "0.0.0.0", "{}"),  # noqa: S104
        (404, "127.0.0.1", "localhost", " {} "),
        (200, "127.0.0.2", "127.0.0.2", '"{}"'),
        (200, "::1", "::", "'{}'"),
    ],
)
def test_the_health_check_believes_the_bot(status: int, host: str, written: str, quoted: str) -> None:
    """It asks at HOST and PORT, as an env file wrote them, and through no proxy."""

    def answer(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        start_response(f"{status if environ['PATH_INFO'] == HEALTH else 500} -", [])
        return []

    server = Server(answer, listen(host, 0), threads=1)
    thread = Thread(target=server.run)
    thread.start()
    environ = {**os.environ, "HOST": quoted.format(written), "PORT": quoted.format(server.port)}
    environ |= dict.fromkeys(("HTTP_PROXY", "http_proxy"), "http://127.0.0.1:9")
    command = [sys.executable, *health_command()[1:]]
    ended = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)  # noqa: S603
    server.stop()
    thread.join()
    server.close()
    assert (ended.returncode == 0) == (status == 200), ended.stderr


def test_the_image_fits_the_code() -> None:
    """Port, path and folder of the journal are the code's; the stop has its time, and no shell keeps signals away."""
    port = settings.read({}, slack=False, api=False).port
    assert f"'{HEALTH}'" in health_command()[2]
    assert f"port or {port}" in health_command()[2]
    assert int(instruction("EXPOSE")) == port
    assert BOT["ports"] == [f"127.0.0.1:{port}:{port}"]
    assert instruction("STOPSIGNAL") == "SIGTERM"
    assert float(BOT["stop_grace_period"].removesuffix("s")) >= serve.END + 5
    assert f"--time {BOT['stop_grace_period'].removesuffix('s')}" in TEXT
    command = json.loads(instruction("ENTRYPOINT")) + json.loads(instruction("CMD"))
    assert command[:3] == ["python", "-m", "bot"]
    assert command_line._parser().parse_args(command[3:]).command
    assert not {"command", "entrypoint", "init"} & BOT.keys()
    (url,) = re.findall(r"DATABASE_URL=(\S+)", instruction("ENV"))
    chosen = settings.read({"DATABASE_URL": url}, slack=False, api=False)
    assert chosen.database_url == f"sqlite:///{instruction('VOLUME')}/addgroup.db"


def test_the_image_is_made_of_locked_dependencies_and_runs_as_nobody_in_particular() -> None:
    """By their hashes, without building any; what installs them stays in the stage before.

    A user by number, as `runAsNonRoot` wants it, owns the journal's folder and nothing else. COPY keeps the modes of a
    checkout: the image's user may read the bot, whatever they were.
    """
    (install,) = [line for line in STAGES[0] if "pip" in line]
    assert {"--require-hashes", "--no-deps", "--only-binary"} < set(install.split())
    assert install.endswith("-r /requirements.txt")
    assert not [line for line in FINAL if line.startswith("RUN") and ("pip" in line or "apt" in line)]
    assert STAGES[0][0].split()[1] == FINAL[0].split()[1]
    assert "http" not in "".join(STAGES[0])
    user = instruction("USER")
    assert re.fullmatch(r"[1-9]\d{3,}:[1-9]\d{3,}", user)
    assert f"chown {user} {instruction('VOLUME')}" in TEXT
    assert TEXT.count("chown") == 1
    assert "user" not in BOT
    assert STAGES[0][-1].endswith("chmod -R a+rX /app /opt/venv")


def test_only_what_the_bot_needs_is_sent_to_the_builder() -> None:
    """.dockerignore lets in what the Containerfile copies: no .env, no secrets, no journal, no history of git."""
    rules = [rule for rule in (ROOT / ".dockerignore").read_text().splitlines() if rule and not rule.startswith("#")]
    assert rules[0] == "*"
    let_in = {rule[1:] for rule in rules if rule.startswith("!")}
    copied = {line.split()[1] for line in STAGES[0] if line.startswith("COPY ")}
    assert copied == let_in
    assert all((ROOT / path).exists() for path in let_in)
    for path in (".env", "secrets", "addgroup.db", ".git", "tests"):
        assert not any(fnmatch.fnmatch(path, rule) for rule in let_in)


def test_the_composed_bot_has_its_secrets_in_files(tmp_path: Path) -> None:
    """Each is declared, mounted where its variable says, and kept out of git; with them serve starts."""
    files = {name: value for name, value in BOT["environment"].items() if name.endswith("_FILE")}
    assert sorted(files.values()) == sorted(f"/run/secrets/{name}" for name in BOT["secrets"])
    assert {name for service in (BOT, DB) for name in service["secrets"]} == COMPOSE["secrets"].keys()
    assert all(secret["file"] == f"secrets/{name}" for name, secret in COMPOSE["secrets"].items())
    assert {name: value for name, value in BOT["environment"].items() if name not in files} == {"DATABASE_URL": ""}
    assert "secrets/" in (ROOT / ".gitignore").read_text().splitlines()
    values = {"slack_bot_token": "xoxb-1", "slack_app_token": "xapp-1", "iletimerkezi_api_key": "key"}
    values |= {"iletimerkezi_api_hash": "hash", "database_url": "postgres://addgroup:0123@db/addgroup"}
    for name, value in values.items():
        (tmp_path / name).write_text(f"{value}\n")
    chosen = settings.read({n: v.replace("/run/secrets", str(tmp_path)) for n, v in BOT["environment"].items()})
    assert (chosen.socket_mode, chosen.database_url) == (True, values["database_url"])


def test_the_composed_bot_may_do_little_and_waits_for_its_database() -> None:
    """Nobody writes to its root file system; PostgreSQL is healthy before it starts, its data in a named volume."""
    assert (BOT["read_only"], BOT["tmpfs"], BOT["cap_drop"]) == (True, "/tmp", ["ALL"])  # noqa: S108  # the container's
    assert BOT["security_opt"] == DB["security_opt"] == ["no-new-privileges:true"]
    assert BOT["depends_on"] == {"db": {"condition": "service_healthy"}}
    assert "--host=127.0.0.1" in DB["healthcheck"]["test"]
    names = {DB["environment"]["POSTGRES_USER"], DB["environment"]["POSTGRES_DB"]}
    assert all(any(name in word for word in DB["healthcheck"]["test"]) for name in names)
    (volume,) = DB["volumes"]
    assert volume.partition(":")[0] in COMPOSE["volumes"]


UNIT = (ROOT / "addgroup.service").read_text()


def test_the_unit(tmp_path: Path) -> None:
    """It gives a stop its time, does not repeat a start that cannot succeed, and systemd understands every line."""
    values = dict(re.findall(r"^(\w+)=(.*)$", UNIT, re.MULTILINE))
    assert float(values["TimeoutStopSec"]) >= serve.END + 5
    assert values["ExecStart"].startswith(f"{values['WorkingDirectory']}/.venv/bin/python -m bot ")
    assert command_line._parser().parse_args(values["ExecStart"].split()[3:]).command
    assert values["RestartPreventExitStatus"].split() == ["2", "200", "203"]
    if analyze := shutil.which("systemd-analyze"):
        unit = tmp_path / "addgroup.service"
        unit.write_text(UNIT.replace(values["ExecStart"].split()[0], sys.executable).replace("=/opt/addgroup", "=/tmp"))
        ended = subprocess.run([analyze, "verify", str(unit)], capture_output=True, text=True, check=False)  # noqa: S603
        assert (ended.returncode, ended.stdout + ended.stderr) == (0, "")
