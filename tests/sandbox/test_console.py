"""The console: what is entered at its prompt, and what people see of the answers; then the real command line."""

import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from prompt_toolkit.input import PipeInput

from bot.sandbox.api import FAULTS, MESSAGES, Api
from bot.sandbox.bot import Bot
from bot.sandbox.console import PEOPLE, Console
from bot.sandbox.terminal import Terminal, sentences
from tests.support.console import console
from tests.support.program import ROOT
from tests.support.served import inherited
from tests.support.terminal import terminal
from tests.support.workspace import Workspace

Person = Callable[..., str]


@pytest.fixture
def prompt(start: Callable[..., Bot], workspace: Workspace, api: Api) -> Callable[[Terminal], Console]:
    workspace.locales[PEOPLE["tr"]] = "tr-TR"
    return lambda at: Console(workspace, api, start(), at)


@pytest.fixture
def person(prompt: Callable[[Terminal], Console], keys: PipeInput, capsys: pytest.CaptureFixture[str]) -> Person:
    """Return what somebody at a terminal is shown for what they type, who then leaves."""

    def typing(*entries: str) -> str:
        typed = "".join(f"{entry}\r" for entry in (*entries, "quit")) + "\x04" * 3
        keys.send_bytes(typed.encode(errors="surrogateescape"))
        prompt(Terminal(None, stay=False)).loop()
        return capsys.readouterr().out

    return typing


@pytest.mark.parametrize(
    ("text", "status", "shown"),
    [
        ("VIP parent=5", 0, "ID 97101"),
        ("/addgroup VIP parent=5", 0, "VIP created under Customers (5)"),
        ("Customers", 0, "is already there · ID 5"),
        ("Customers parent=99", 1, "463"),
        ("help", 0, "Create contact groups"),
        ("Top\n  Below", 0, "Top and 1 subgroup created"),
        (":tada: Party", 0, "🎉 Party created"),
        (":api 401", 0, "ends with 401"),
        (":aip", 0, "Type a command"),
        ("QUIT", 0, ""),
        ("7", 2, 'type it in quotes: "7"'),
        ("Customers paernt=5", 2, "Please check the parent: 5 was read as the parent."),
        ("", 2, "Group name: "),
    ],
)
def test_one_entry_and_its_exit_status(
    prompt: Callable[[Terminal], Console], capsys: pytest.CaptureFixture[str], text: str, status: int, shown: str
) -> None:
    """0 when the group is there now or none was asked for, 1 when it was not made, 2 when the usage is wrong.

    What is the console's own is so as an argument too, and makes no group. A form is shown, and closed.
    """
    assert prompt(Terminal(text, stay=False)).loop() == status
    assert shown in capsys.readouterr().out


def test_the_settings_are_chosen(person: Person) -> None:
    """A failure meets the next call, and after `:tr` everything is Turkish."""
    shown = person("A", ":tr", ":api", ":api 461", "B", "Müşteriler üst=99")
    assert shown.index("ID 97101") < shown.index("Yanıtlar artık Türkçe.") < shown.index("bakiye yetersizdir")
    assert "grup adı boş" in shown
    assert "463" in shown


def test_the_form(person: Person, api: Api) -> None:
    """Its fields show what is in them; a mistake is told and asked again; a parent is found by a part of its name."""
    tree = ("Top\x1b\r  Below", "\x15none", "cust", "2", "cust", "1")
    shown = person("/addgroup", "", "", *tree, "Gold paernt=5", "", "")
    assert "Group name: The group's name is missing." in shown
    assert "Nothing was chosen." in shown
    assert "[1] Customers (5)" in shown
    assert "5 was read as the parent" in shown
    made = {group.name: group.parent for group in api.groups.values()}
    assert made == {"Customers": "", "Top": "5", "Below": "97101", "Gold": "5"}


def test_a_form_that_is_emptied_and_one_that_is_left(person: Person, api: Api) -> None:
    """Without a parent it makes a main group; Ctrl-D and Ctrl-C close it, and the text is given back.

    What is no text ends it too.
    """
    shown = person("A paernt=5", "", "\x15", "B paernt=5", "\x03/addgroup", "\x04:", "", "C\udcfc", "")
    assert [shown.count(told) for told in ("The form was closed.", "/addgroup B parent=5")] == [2, 1]
    assert "This is not text" in shown
    assert {group.name: group.parent for group in api.groups.values()} == {"Customers": "", "A": ""}


def test_the_buttons(person: Person) -> None:
    """A number presses one, by its short label; one that asks first does nothing on no; one that is gone says so."""
    shown = person(
        ":api close", "A", "2", "n", "2", "\x042", "y", ":api 461", "Refused", "1", "Fixed", "", "history", "9"
    )
    assert shown.count("there will be two groups with this name") == 3
    assert shown.count("pressed Create anyway") == 1
    assert "[1] Edit and try again\n" in shown
    assert "@you (en) edited it" in shown
    assert "Fixed — created, ID 97102" in shown
    assert 'type it in quotes: "9"' in shown


@pytest.mark.parametrize("fault", ["internal_error", "not_in_channel"])
def test_nobody_waits_for_ever(
    prompt: Callable[[Terminal], Console],
    workspace: Workspace,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    fault: str,
) -> None:
    """Where nothing comes of an acknowledged command, whether the bot tries again or not: it is said, with status 1."""
    monkeypatch.setattr("bot.sandbox.console.PATIENCE", 0.3)
    workspace.mood = lambda: fault
    assert prompt(Terminal("A", stay=False)).loop() == 1
    assert "Nothing came for a minute" in capsys.readouterr().out


def test_every_way_to_fail_is_explained_and_every_sentence_is_there_twice() -> None:
    """The API's codes and faults stand in the list, and both languages have the same sentences."""
    told = {key: entry for key, entry in sentences().items() if key != "account"}
    assert all(set(entry) == {"en", "tr"} for entry in told.values())
    for language in ("en", "tr"):
        listed = re.findall(r"^  (\w+) ", told["api"][language], re.MULTILINE)
        assert listed == [*(str(code) for code in MESSAGES if code != 200), *FAULTS]


@pytest.mark.parametrize(
    ("environ", "text", "status", "shown"),
    [
        ({"LC_ALL": "C"}, "İstanbul".encode(), 0, "İstanbul created".encode()),
        ({"LC_ALL": "tr_TR.UTF-8"}, "İstanbul".encode(), 0, "İstanbul oluşturuldu".encode()),
        ({"HTTP_PROXY": "http://127.0.0.1:9", "all_proxy": "http://127.0.0.1:9"}, b"G\xfcl", 2, b"not text"),
    ],
    ids=["C", "not installed", "no text"],
)
def test_an_argument_in_any_encoding(environ: dict[str, str], text: bytes, status: int, shown: bytes) -> None:
    """No letter of it is lost, and what is no text makes nothing; a proxy of the machine is not asked."""
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
    ("number", "typed", "shown"),
    [(signal.SIGHUP, "Customers\n\n", "Add a subgroup"), (signal.SIGINT, ":api silence\nSilent\n\n", "> Silent")],
)
def test_a_signal_leaves_no_bot_behind(number: int, typed: str, shown: str, tmp_path: Path) -> None:
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
        assert (started.returncode, errors) == (128 + number, "")
        assert list(tmp_path.iterdir()) == []


def test_live_says_so_and_uses_the_real_address(api: Api) -> None:
    """`--live` warns before anything is sent, names no whole key, and calls the API of the environment."""
    address = {"ILETIMERKEZI_API_URL": f"{api.url}/v1", "ILETIMERKEZI_API_KEY": api.key}
    ended = console("--live", "VIP parent=5", ILETIMERKEZI_API_HASH=api.hash, **address)
    assert ended.returncode == 0
    assert ended.stdout.index("REAL") < ended.stdout.index("created")
    assert api.key not in ended.stdout
    assert api.made() == 1
    ended = console("--live", "VIP", **address)
    assert (ended.returncode, "ILETIMERKEZI_API_HASH" in ended.stderr, api.made()) == (2, True, 1)


def test_live_reaches_the_api_through_a_proxy() -> None:
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
        address = f"http://127.0.0.1:{proxy.getsockname()[1]}"
        ended = console(
            *("--live", "VIP parent=5"),
            **credentials,
            ILETIMERKEZI_API_URL="https://api.example.com/v1",
            **dict.fromkeys(("https_proxy", "HTTP_PROXY"), address),
        )
        assert (ended.returncode, ended.stderr) == (1, "")
        assert {line.rpartition(b" ")[0] for line in asked} == {b"CONNECT api.example.com:443"}


@pytest.mark.parametrize("locale", ["C", "tr_TR.UTF-8"])
def test_a_real_terminal(locale: str) -> None:
    """No letter is lost in a locale that is C or not installed, and a paste is one entry, in a field too.

    Ctrl-C while an answer is awaited leads back to the prompt, and who leaves is told that it is owed.
    """
    with terminal("--stay", "Çarşı", environ={"LC_ALL": locale}) as person:
        person.wait("97101")
        person.wait()
        person.type("İstanbul\r")
        person.wait("97102")
        person.wait()
        person.type("\r")
        person.wait("  |")
        person.type("\x1b[200~Iğdır\r  Ağrı\r\x1b[201~\r")
        person.wait("  |")
        person.type("\r")
        person.wait("97104")
        person.wait()
        person.type(":en\r")
        person.wait("English")
        person.wait()
        person.type("list\r")
        shown = person.wait("(only you see this)") + person.wait()
        person.type(":api silence\r")
        person.wait()
        person.type("Owed\r")
        person.wait("Waiting for the answer")
        person.interrupt()
        person.wait("Stopped.")
        person.wait()
        person.type("quit\r")
        assert person.ended() == 0
    assert "A command is still unanswered." in person.shown
    assert all(path in shown for path in ("Çarşı", "İstanbul", "Iğdır › Ağrı"))
