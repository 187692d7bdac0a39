"""Every command on the pages is run as it stands, by a shell, between the stand-ins; what is not run says why."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from bot.sandbox.bot import variables
from bot.sandbox.workspace import Workspace
from tests.support.pages import PAGES, ROOT, commands, shell_blocks
from tests.support.program import run_to_end
from tests.support.provider import Api
from tests.support.served import Served, free_port, inherited

NOT_RUN = (
    *("python3 -m venv", ".venv/bin/python -m pip", "make"),  # tests/sandbox/test_makefile.py runs the Makefile
    "git",  # changes the checkout, or needs an address to push to
    *("docker", "heroku", "useradd", "chgrp", "systemctl", "journalctl"),  # need Docker, an account, root, systemd
    *("pg_dump", "pg_restore"),  # need a database, and a client as new as its server
)
"""How commands begin that are not run here, and why."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder like that of a checkout, as /opt/addgroup."""
    folder = tmp_path / "opt"
    for name in ("bot", "manifest.yml", "requirements.txt", ".env.example", "addgroup.service"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).symlink_to(ROOT / name)
    (folder / ".venv").symlink_to(Path(sys.prefix))
    for name in ("var", "etc", "bin"):
        (tmp_path / name).mkdir()
    runuser = tmp_path / "bin/runuser"
    runuser.write_text('#!/bin/sh\nshift 3\nexec "$@"\n')
    runuser.chmod(0o755)
    return folder


def run(script: str, folder: Path, port: int) -> subprocess.CompletedProcess[str]:
    """Run commands in bash, with the places of the pages moved into the test's folder; the first failure ends it."""
    for place, there in (
        ("/opt/addgroup", str(folder)),
        ("/var/lib/addgroup", str(folder.parent / "var")),
        ("/etc/systemd/system", str(folder.parent / "etc")),
        (":3000", f":{port}"),
        ("-o addgroup -g addgroup ", ""),
        ("python3 ", f"{shlex.quote(sys.executable)} "),
    ):
        script = script.replace(place, there)
    path = f"{folder}/.venv/bin:{folder.parent}/bin:{os.environ['PATH']}"
    return subprocess.run(  # noqa: S603
        ["/bin/bash", "-euc", f"umask 077; {script}"],
        cwd=folder,
        env={**inherited(), "PATH": path},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def test_the_commands_of_the_pages(workspace: Workspace, api: Api, folder: Path) -> None:
    """The installation from its first command to a bot that runs; then what its operators type, block by block."""
    port = free_port()
    state = folder.parent / "var"
    wanted = {**variables(workspace, api), "DATABASE_URL": f"sqlite:///{state}/addgroup.db", "PORT": str(port)}
    served: Served | None = None
    for page in ("docs/install.md", "docs/night.md", "docs/operate.md", "docs/upgrade.md"):
        for block in shell_blocks(PAGES[page]):
            lines = [line for line in block.splitlines() if line and not line.startswith(NOT_RUN)]
            if "rm -f addgroup.db-wal addgroup.db-shm" in lines and served:  # as the page says
                assert served.stop() == 0
                (backup,) = state.glob("backup-*.db")
                backup.replace(state / "backup.db")
            ended = run("\n".join(line for line in lines if not line.endswith("-m bot serve")), folder, port)
            assert ended.returncode == 0, f"{page}: {block}{ended.stdout}{ended.stderr}"
            if "cp .env.example .env" in lines:  # what the page says to write into it
                (folder / ".env").write_text("".join(f"{name}={value}\n" for name, value in wanted.items()))
            if not served and ".venv/bin/python -m bot serve" in lines:
                served = Served(workspace, api, folder, **wanted)
    assert served
    assert served.process.returncode == 0
    assert "Deneme 1" in {group.name for group in api.groups.values()}
    assert {path.stat().st_mode & 0o777 for path in (folder / "secrets").iterdir()} == {0o644}, "a container reads them"
    assert (folder / "secrets").stat().st_mode & 0o777 == 0o700, "and nobody else"
    assert {(state / name).stat().st_mode & 0o777 for name in ("addgroup.db", "backup.db")} == {0o600}
    assert (folder.parent / "etc/addgroup.service").read_text() == (ROOT / "addgroup.service").read_text()


def test_the_commands_in_sentences(workspace: Workspace, api: Api, folder: Path) -> None:
    """Each `python -m bot …` within a sentence or an example ends well, or as the page says."""
    wanted = {**variables(workspace, api), "DATABASE_URL": f"sqlite:///{folder}/addgroup.db"}
    Served(workspace, api, folder, DATABASE_URL=wanted["DATABASE_URL"]).stop()  # which makes the journal
    found = {command.strip() for text in PAGES.values() for command in commands(text, "python -m bot")}
    for command in sorted(found):
        if re.match("serve|console$|console .*TEXT", command):  # these are run above, and in tests/sandbox
            continue
        ended = run_to_end(*shlex.split(command, comments=True), cwd=folder, env={**inherited(), **wanted})
        assert ended.returncode == 0, f"{command}\n{ended.stdout}{ended.stderr}"
