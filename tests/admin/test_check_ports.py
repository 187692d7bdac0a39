"""The self-check of the ports: free, used by the bot itself, used by something else."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.sandbox.api import Api
from bot.sandbox.workspace import Workspace
from tests.support.check import Checked
from tests.support.served import Served, free_port

PORTS = ("PORT", "METRICS_PORT")


def test_free_ports_are_well(environ: dict[str, str]) -> None:
    """Nobody listens there; without METRICS_PORT there is nothing to look at."""
    assert Checked(environ).states(*PORTS) == ["ok", "skipped"]
    checked = Checked({**environ, "METRICS_PORT": str(free_port())})
    assert (checked.status, checked.states(*PORTS, "metrics")) == (0, ["ok", "ok", "ok"])


def test_the_ports_of_the_running_bot_are_well(
    environ: dict[str, str], workspace: Workspace, api: Api, tmp_path: Path
) -> None:
    """The check may be run beside the bot."""
    environ["METRICS_PORT"] = str(free_port())
    served = Served(workspace, api, tmp_path, PORT=environ["PORT"], METRICS_PORT=environ["METRICS_PORT"])
    try:
        checked = Checked(environ)
    finally:
        served.stop()
    assert checked.states(*PORTS) == ["ok", "ok"]
    assert "a bot that runs" in checked.lines["PORT"].text
    assert "a bot that runs" in checked.lines["METRICS_PORT"].text


def test_what_the_running_bot_says_of_itself_counts(
    environ: dict[str, str], workspace: Workspace, api: Api, tmp_path: Path
) -> None:
    """The check by itself is content with a database that can be made, and does not see the worker."""
    served = Served(workspace, api, tmp_path, PORT=environ["PORT"])
    (tmp_path / "addgroup.db").rename(tmp_path / "elsewhere.db")
    try:
        checked = Checked(environ)
    finally:
        served.kill()
    assert checked.wrong == ["PORT"]
    assert "failing: journal" in checked.lines["PORT"].text
    assert "docs/operate.md" in checked.lines["PORT"].remedy


@pytest.mark.parametrize("name", PORTS)
def test_a_port_of_another_program_is_wrong(environ: dict[str, str], api: Api, name: str) -> None:
    """What listens there is no bot: serve would not start."""
    checked = Checked({**environ, name: str(api.port)})
    assert checked.wrong == [name]
    assert "in use" in checked.lines[name].text
    assert name in checked.lines[name].remedy


def test_an_address_of_another_machine_is_wrong(environ: dict[str, str]) -> None:
    """A HOST that this machine does not have."""
    checked = Checked({**environ, "HOST": "192.0.2.1"})
    assert checked.wrong == ["PORT"]
    assert "HOST" in checked.lines["PORT"].remedy


def test_the_metrics_need_a_temporary_folder(environ: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """A read-only container without a /tmp is found before the start."""
    monkeypatch.setattr("tempfile.tempdir", "/proc/nowhere")
    checked = Checked({**environ, "METRICS_PORT": str(free_port()), "DATABASE_URL": environ["DATABASE_URL"]})
    assert "metrics" in checked.wrong
    assert "TMPDIR" in checked.lines["metrics"].remedy
