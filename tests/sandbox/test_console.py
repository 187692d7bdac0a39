"""The console as a process: the real command line, as a person would run it."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from bot.sandbox.api import Api
from tests.support.console import console
from tests.support.program import ROOT
from tests.support.served import inherited

C = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}


def test_a_wrong_usage_ends_the_process_with_its_status() -> None:
    """One command as an argument, without a prompt."""
    ended = console("Customers paernt=5")
    assert (ended.returncode, ended.stderr) == (2, "")
    assert "Please check the parent: I read 5 as the parent." in ended.stdout


def test_a_proxy_of_the_machine_is_not_asked() -> None:
    """What the console requests of its own processes stays on this machine, where no NO_PROXY says so."""
    ended = console("Customers parent=5", HTTP_PROXY="http://127.0.0.1:9", all_proxy="http://127.0.0.1:9")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "ID 97101" in ended.stdout


def test_the_accounts_groups_are_in_both_languages() -> None:
    """Who answers in Turkish finds Turkish groups."""
    ended = console(typed="VIP parent=Customers\n:tr\nVIP parent=Müşteriler\n")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "Müşteriler" in ended.stdout


@pytest.mark.parametrize(
    ("environ", "text", "status", "shown"),
    [
        (C, "İstanbul".encode(), 0, rb"\u0130stanbul created"),
        ({"LC_ALL": "tr_TR.UTF-8"}, "İstanbul".encode(), 0, "İstanbul oluşturuldu".encode()),
        ({"PYTHONIOENCODING": "iso-8859-9"}, "Güneş".encode("iso-8859-9"), 0, "Güneş created".encode("iso-8859-9")),
        ({"PYTHONIOENCODING": "utf-8"}, b"G\xfcl", 2, b"PYTHONIOENCODING"),
    ],
    ids=["C", "not installed", "latin-5", "no text"],
)
def test_an_argument_in_any_encoding(environ: dict[str, str], text: bytes, status: int, shown: bytes) -> None:
    """No letter of it is lost, and what is no text makes nothing."""
    ended = subprocess.run(  # noqa: S603  # our own interpreter and module
        [sys.executable.encode(), b"-m", b"bot", b"console", text],
        cwd=ROOT,
        env={**inherited(), **environ},
        input=b"",
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert (ended.returncode, ended.stderr) == (status, b"")
    assert shown in ended.stdout


@pytest.mark.parametrize(
    ("number", "typed", "shown", "status"),
    [
        (signal.SIGHUP, "Customers\n\n", "Add a subgroup", 128 + signal.SIGHUP),
        (signal.SIGTERM, "Customers\n\n", "Add a subgroup", 128 + signal.SIGTERM),
        (signal.SIGINT, ":api silence\nSilent\n\n", "> /addgroup Silent", 128 + signal.SIGINT),
    ],
)
def test_a_signal_leaves_no_bot_behind(number: int, typed: str, shown: str, status: int, tmp_path: Path) -> None:
    """The console stops its bot and removes the folder of its journal, as on quit, without a traceback.

    A terminal that is closed sends SIGHUP; Ctrl-C, while an answer is awaited, SIGINT.
    """
    pipe = subprocess.PIPE
    with subprocess.Popen(
        [sys.executable, "-m", "bot", "console"],
        cwd=ROOT,
        env={**inherited(), "TMPDIR": str(tmp_path), "PYTHONUNBUFFERED": "1"},
        stdin=pipe,
        stdout=pipe,
        stderr=pipe,
        text=True,
    ) as started:
        assert started.stdin
        assert started.stdout
        started.stdin.write(typed)
        started.stdin.flush()
        while shown not in started.stdout.readline():
            assert started.poll() is None
        assert list(tmp_path.glob("addgroup-*/*.db"))
        started.send_signal(number)
        _, errors = started.communicate(timeout=60)
        assert (started.returncode, errors) == (status, "")
        assert list(tmp_path.iterdir()) == []


def test_live_says_so_and_uses_the_real_address(api: Api) -> None:
    """`--live` warns before anything is sent, names no whole key, and calls the API of the environment."""
    ended = console(
        "--live",
        "VIP parent=5",
        ILETIMERKEZI_API_URL=f"{api.url}/v1",
        ILETIMERKEZI_API_KEY=api.key,
        ILETIMERKEZI_API_HASH=api.hash,
    )
    assert ended.returncode == 0
    assert ended.stdout.index("REAL") < ended.stdout.index("created")
    assert api.key not in ended.stdout
    assert api.made() == 1


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy"])
def test_live_reaches_the_api_through_a_proxy(name: str) -> None:
    """A machine that calls out through a proxy does so in `--live` too, but for its own processes."""
    with socket.create_server(("127.0.0.1", 0)) as proxy:
        asked: list[bytes] = []

        def refuse() -> None:
            while True:
                connection, _ = proxy.accept()
                with connection:
                    asked.append(connection.recv(4096).partition(b"\r\n")[0])
                    connection.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")

        threading.Thread(target=refuse, daemon=True).start()
        credentials = {"ILETIMERKEZI_API_KEY": "key-of-tests", "ILETIMERKEZI_API_HASH": "hash-of-tests"}
        address = {
            "ILETIMERKEZI_API_URL": "https://api.example.com/v1",
            name: f"http://127.0.0.1:{proxy.getsockname()[1]}",
        }
        ended = console("--live", "VIP parent=5", **credentials, **address)
        assert (ended.returncode, ended.stderr) == (1, "")
        assert {line.rpartition(b" ")[0] for line in asked} == {b"CONNECT api.example.com:443"}


def test_live_without_credentials_is_a_wrong_setting(tmp_path: Path) -> None:
    """Exit status 2 and the names of the variables."""
    ended = console("--live", "VIP", PYTHONPATH=str(ROOT))
    assert ended.returncode == 2
    assert "ILETIMERKEZI_API_KEY" in ended.stderr
