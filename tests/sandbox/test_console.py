"""The console: the real command line, as a person would run it."""

from __future__ import annotations

import contextlib
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bot.sandbox.api import Api
from bot.sandbox.bot import Bot
from bot.sandbox.keyboard import Keyboard, leaves
from bot.sandbox.prompt import Prompt
from bot.sandbox.terminal import Screen
from bot.sandbox.workspace import Workspace
from tests.support.console import ROOT, console
from tests.support.served import inherited

Start = Callable[..., Bot]


@pytest.mark.parametrize(
    ("text", "status", "shown"),
    [
        ("Customers parent=5", 0, "ID: 97101"),
        ("/addgroup Customers parent=5", 0, "new group: Customers under 5"),
        ("Customers", 0, "already there, ID 5"),
        ("/addgroups", 2, "/addgroup"),
        ("Customers parent=99", 1, "463"),
        ("Customers paernt=5", 2, "paernt=5"),
        ("help", 0, "Create contact groups"),
    ],
)
def test_one_command_and_its_exit_status(
    start: Start,
    workspace: Workspace,
    api: Api,
    capsys: pytest.CaptureFixture[str],
    text: str,
    status: int,
    shown: str,
) -> None:
    """0 when the group is there now or help was asked for, 1 when it was not made, 2 when the usage is wrong."""
    prompt = Prompt(workspace, api, start(ADDGROUP_LANGUAGE="en").url, Screen("en"), Keyboard())
    assert prompt.run(text) == status
    assert shown in capsys.readouterr().out


def test_a_wrong_usage_ends_the_process_with_its_status() -> None:
    """One command as an argument, without a prompt."""
    ended = console("Customers paernt=5")
    assert (ended.returncode, ended.stderr) == (2, "")
    assert "paernt=5" in ended.stdout


def test_lines_of_a_pipe_are_commands_with_what_is_indented_below() -> None:
    """An indented line, or one with a bullet, belongs to the command above it; every other one is a command."""
    ended = console(
        typed="Top\n  Below\n\tBeside\nOther\n- Bullet\n\n2025\n  Ocak\n5\n:foo\n  \nA\r\nLast\nquit\n  Below\n"
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "There is no button with this number" in ended.stdout
    asked = re.findall(r"@you \(en\) asked for (?:a|(\d+)) new groups?: ([^\s,]+)", ended.stdout)
    assert asked == [("3", "Top"), ("2", "Other"), ("2", "2025"), ("", "A"), ("", "Last")]


@pytest.mark.parametrize("word", ["quit", "exit", "Q", "ÇIKIŞ", "çık", " :quit ", "Quit", "cikis"])
def test_words_that_leave(word: str) -> None:
    """In both languages and in any case."""
    assert leaves(word)
    assert not leaves(f'"{word}"'), "a group may be called so"


def test_a_proxy_of_the_machine_is_not_asked() -> None:
    """What the console requests of its own processes stays on this machine, where no NO_PROXY says so."""
    ended = console("Customers parent=5", HTTP_PROXY="http://127.0.0.1:9", all_proxy="http://127.0.0.1:9")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "ID: 97101" in ended.stdout


def test_a_prompt_runs_lines_until_quit() -> None:
    """Commands with and without /addgroup, the language and the API's mood can be typed; the last status counts."""
    ended = console(typed="/addgroup A\n:tr\n:api 461\nB\n:nonsense\nquit\ngroup: C\n")
    assert ended.returncode == 1
    assert "ID: 97101" in ended.stdout
    assert "grup adı boş" in ended.stdout
    assert ":api 401" in ended.stdout, "what can be typed"
    assert "group: C" not in ended.stdout


def test_the_form_and_the_buttons_can_be_used() -> None:
    """The form's fields are asked for one by one, a mistake is shown and asked again, and a number presses a button."""
    tree, no_name, form = "Top\n  Below\n\nnone\ncust\n1\n", "\n\n", "/addgroup\n"
    ended = console(typed=f"{form}{no_name}{tree}:api 461\nRefused\n1\nFixed\n\n\nhistory\nquit\n")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "Name: The group's name is missing." in ended.stdout
    assert "No group matches.\n" in ended.stdout
    assert "2 of 2 groups created" in ended.stdout
    assert "@you (en) edited the command (" in ended.stdout
    assert "Fixed · created, ID 97103" in ended.stdout


def test_a_button_that_asks_first_does_nothing_on_no() -> None:
    """*Create anyway* says what it risks; `n` leaves everything as it is, `y` creates."""
    ended = console(typed=":api close\nA\n2\nn\n2\ny\nquit\n")
    assert ended.returncode == 0
    assert "there will be two groups with this name" in ended.stdout
    assert ended.stdout.count("pressed Create anyway") == 1


@contextlib.contextmanager
def typing(lines: str, shown: str, folder: Path) -> Iterator[subprocess.Popen[str]]:
    """Start a console with its temporary files in `folder`, type lines, and wait until something is shown."""
    environ = {**inherited(), "TMPDIR": str(folder), "PYTHONUNBUFFERED": "1"}
    pipe = subprocess.PIPE
    with subprocess.Popen(
        [sys.executable, "-m", "bot", "console"],
        cwd=ROOT,
        env=environ,
        stdin=pipe,
        stdout=pipe,
        stderr=pipe,
        text=True,
    ) as started:
        assert started.stdin
        assert started.stdout
        started.stdin.write(lines)
        started.stdin.flush()
        while shown not in started.stdout.readline():
            assert started.poll() is None
        yield started


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGTERM])
def test_a_terminal_that_is_closed_leaves_no_bot_behind(number: int, tmp_path: Path) -> None:
    """On SIGHUP and SIGTERM the console stops its bot and removes the folder of its journal, as on quit."""
    with typing("Customers\n", "Add a subgroup", tmp_path) as started:
        assert list(tmp_path.glob("addgroup-*/*.db"))
        started.send_signal(number)
        assert started.wait(30) == 128 + number
        assert list(tmp_path.iterdir()) == []


def test_ctrl_c_leaves_while_an_answer_is_awaited(tmp_path: Path) -> None:
    """Ctrl-C ends the wait and the console, without a traceback and with a shell's exit status."""
    with typing(":api silence\nSilent\n", "The next API call", tmp_path) as started:
        time.sleep(1)  # nothing tells when the command is on its way: it is answered ten seconds later
        started.send_signal(signal.SIGINT)
        _, errors = started.communicate(timeout=30)
        assert (started.returncode, errors) == (130, "")
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


def test_the_shortcut_takes_a_message() -> None:
    """What is pasted after `shortcut` fills the form, and the answer comes in the message's thread."""
    ended = console(typed="shortcut\n- Gold\n  - Ankara\n\n\n:tr\nkısayol\n- Silver\n\n\nquit\n")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "    - Gold\n      - Ankara\n" in ended.stdout
    assert "in the thread of the message" in ended.stdout
    assert "Ankara under Gold — ID 97102" in ended.stdout
    assert "ID: 97103" in ended.stdout
