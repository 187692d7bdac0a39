"""The console: what is entered at its prompt, and what people see of the answers; then the real command line."""

import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from prompt_toolkit.input import PipeInput

from bot.sandbox.api import FAULTS, MESSAGES
from bot.sandbox.bot import Bot
from bot.sandbox.console import Console
from bot.sandbox.terminal import Terminal, sentences
from tests.support.peer import CONNECT, hear, http, peer
from tests.support.program import BOT, ROOT, Program, run_to_end
from tests.support.provider import Api
from tests.support.served import inherited
from tests.support.workspace import Workspace

Prompt = Callable[[Terminal], Console]
Person = Callable[..., str]


@pytest.fixture
def prompt(start: Callable[..., Bot], workspace: Workspace, api: Api) -> Prompt:
    return lambda at: Console(workspace, api, start(), at)


@pytest.fixture
def person(prompt: Prompt, keys: PipeInput, capsys: pytest.CaptureFixture[str]) -> Person:
    """Return what somebody at a terminal is shown for what they type, who then leaves."""

    def typing(*entries: str) -> str:
        typed = "".join(f"{entry}\r" for entry in (*entries, "quit")) + "\x04" * 3
        keys.send_bytes(typed.encode(errors="surrogateescape"))
        prompt(Terminal(None, stay=False)).loop()
        return capsys.readouterr().out

    return typing


ENTRIES = {
    "VIP parent=5": (0, "ID 97101"),
    "/addgroup Gold parent=5": (0, "Gold created under Customers (5)"),
    "Customers": (0, "is already there · ID 5"),
    "Silver parent=99": (1, "463"),
    "help": (0, "Create contact groups"),
    "Top\n  Below": (0, "Top and 1 subgroup created"),
    ":tada: Party": (0, "🎉 Party created"),
    ":api 461": (0, "ends with 461"),
    "Refused": (1, "461"),
    ":aip": (0, "Type a command"),
    "QUIT": (0, ""),
    "007": (2, 'type it in quotes: "007"'),
    "G\udcfcl": (2, "This is not text"),
    "Customers paernt=5": (2, "Please check the parent: “5” was read as the parent."),
    "": (2, "Group name: "),
}


def test_one_entry_and_its_exit_status(prompt: Prompt, capsys: pytest.CaptureFixture[str]) -> None:
    """0 when the group is there now or none was asked for, 1 when it was not made, 2 when the usage is wrong.

    What is the console's own is so as an argument too, and makes no group. A form is shown, and closed.
    """
    console = prompt(Terminal(None, stay=False))
    for text, (status, shown) in ENTRIES.items():
        console._terminal = Terminal(text, stay=False)
        assert console.loop() == status, text
        assert shown in capsys.readouterr().out, text


def test_turkish(person: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    """At a Turkish terminal everything is Turkish, and the other language is asked for as in Slack."""
    monkeypatch.setenv("LC_ALL", "tr_TR.UTF-8")
    shown = person("A", ":api", ":api 461", "B", "dil en", "Customers üst=99")
    told = ["oluşturuldu", "bakiye yetersizdir", "@siz", "grup adı boş", "not created"]
    assert [word for word in told if word not in shown] == []


def test_the_form(person: Person, api: Api) -> None:
    """Its fields show what is in them; a mistake is told and asked again; a parent is found by its name or ID."""
    api.add("Customs", identifier="50")
    shown = person(
        *("/addgroup", "", ""),
        *("Top\x1b\r  Below", "none", "custom", "5"),
        *("", "Beside", "customs"),
        *("Gold paernt=5", "", ""),
    )
    told = ["Group name: The group's name is missing.", "as much of its name as no other has", "    Customs (50)"]
    assert [part for part in (*told, "“5” was read as the parent") if part not in shown] == []
    made = {group.name: group.parent for group in api.groups.values()}
    assert made == {"Customers": "", "Customs": "", "Top": "5", "Below": "97101", "Beside": "50", "Gold": "5"}


def test_a_form_that_is_emptied_and_one_that_is_left(person: Person, api: Api) -> None:
    """Without a parent it makes a main group; Ctrl-D and Ctrl-C close it; what is no text ends it too."""
    shown = person("A paernt=5", "", "\x15", "B paernt=5", "\x03/addgroup", "\x04:", "", "C\udcfc", "")
    assert shown.count("The form was closed.") == 2
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
    assert "@you edited it" in shown
    assert "Fixed — created, ID 97102" in shown
    assert 'type it in quotes: "9"' in shown


def test_every_way_to_fail_is_explained_and_every_sentence_is_there_twice() -> None:
    """The API's codes and faults stand in the list, and both languages have the same sentences."""
    told = {key: entry for key, entry in sentences().items() if key != "account"}
    assert all(set(entry) == {"en", "tr"} for entry in told.values())
    for language in ("en", "tr"):
        listed = re.findall(r"^  (\w+) ", told["api"][language], re.MULTILINE)
        assert listed == [*(str(code) for code in MESSAGES if code != 200), *FAULTS]


# The real command line.


PROXY = "http://127.0.0.1:9"


@pytest.mark.parametrize(
    ("environ", "text", "piped", "shown"),
    [
        ({"LC_ALL": "C", "HTTP_PROXY": PROXY, "all_proxy": PROXY}, ["İstanbul"], "", "İstanbul created"),
        ({"LC_ALL": "tr_TR.UTF-8"}, [], "İstanbul\n  Şişli\n", "1 alt grup oluşturuldu"),
    ],
    ids=["C", "not installed"],
)
def test_any_encoding(environ: dict[str, str], text: list[str], piped: str, shown: str) -> None:
    """No letter of an argument or a pipe is lost, and no proxy is asked."""
    ended = subprocess.run(  # noqa: S603  # our own interpreter and module
        [sys.executable.encode(), b"-m", b"bot", b"console", *(word.encode() for word in text)],
        cwd=ROOT,
        env={**inherited(), **environ},
        input=piped.encode(),
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert (ended.returncode, ended.stderr) == (0, b"")
    assert shown in ended.stdout.decode()


def live(api: Api) -> dict[str, str]:
    """Return the variables with which `--live` calls the stand-in."""
    ours = {"ILETIMERKEZI_API_KEY": api.key, "ILETIMERKEZI_API_HASH": api.hash}
    return {**inherited(), **ours, "ILETIMERKEZI_API_URL": f"{api.url}/v1"}


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGINT])
def test_a_signal_leaves_no_bot_behind(number: int, api: Api, tmp_path: Path) -> None:
    """What is under way comes to its end, and the folder of the journal is removed, as on quit, without a traceback.

    A terminal that is closed sends SIGHUP; Ctrl-C, while an answer is awaited, SIGINT.
    """
    api.gates["add-group"] = threading.Event()
    with tempfile.TemporaryFile() as errors, tempfile.TemporaryFile() as out:
        streams = out.fileno(), out.fileno(), errors.fileno()
        program = Program(BOT, ("console", "--live", "VIP"), ROOT, {**live(api), "TMPDIR": str(tmp_path)}, streams)
        assert api.called.wait(60)
        assert list(tmp_path.glob("addgroup-*/*.db"))
        program.send_signal(number)
        api.gates["add-group"].set()
        assert program.wait() == 128 + number
        errors.seek(0)
        assert (errors.read(), list(tmp_path.iterdir())) == (b"", [])


def test_live_says_so_and_uses_the_real_address(api: Api) -> None:
    """`--live` warns before anything is sent, names no whole key, and calls the API of the environment."""
    ended = run_to_end("console", "--live", "VIP parent=5", env=live(api))
    assert ended.returncode == 0
    assert ended.stdout.index("REAL") < ended.stdout.index("created")
    assert api.key not in ended.stdout
    assert api.made() == 1
    ended = run_to_end("console", "--live", "VIP", env={**live(api), "ILETIMERKEZI_API_HASH": ""})
    assert (ended.returncode, "ILETIMERKEZI_API_HASH" in ended.stderr, api.made()) == (2, True, 1)


def test_live_reaches_the_api_through_a_proxy(api: Api) -> None:
    """A machine that calls out through a proxy does so in `--live` too, but for its own processes."""

    def refuse(connection: socket.socket) -> bytes:
        heard = hear(connection, CONNECT)
        connection.sendall(http(b"", status=b"403 Forbidden"))
        return heard

    with peer(refuse) as proxy:
        proxies = {"https_proxy": proxy.url, "HTTP_PROXY": proxy.url}
        there = {"ILETIMERKEZI_API_URL": "https://api.example.com/v1"}
        ended = run_to_end("console", "--live", "VIP parent=5", env={**live(api), **there, **proxies})
        assert (ended.returncode, ended.stderr) == (1, "")
        assert {(heard or b"").split()[1] for heard in proxy.heard} == {b"api.example.com:443"}
