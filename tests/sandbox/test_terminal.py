"""The console in a real terminal: its line editor, Ctrl-C, and its width."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support.terminal import terminal

LOCALES = [
    {"LC_ALL": "C"},
    {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    {"LC_ALL": "tr_TR.UTF-8"},
]


@pytest.mark.parametrize("environ", LOCALES, ids=["C", "C without UTF-8", "not installed"])
def test_what_is_typed_and_pasted_arrives_whole(environ: dict[str, str]) -> None:
    """No letter is lost in a locale that is C or not installed, and a paste is one entry, in a field too."""
    with terminal(environ=environ) as person:
        person.wait()
        person.type("İstanbul\r")
        person.wait("97101")
        person.wait()
        person.type("\x1b[200~Şube\r  Çarşı\r\x1b[201~\r")
        person.wait("97103")
        person.wait()
        person.type("\r")
        person.wait("  |")
        person.type("\x1b[200~Iğdır\r  Ağrı\r\x1b[201~\r")
        person.wait("  |")
        person.type("\r")
        person.wait("97105")
        person.wait()
        person.type(":en\r")
        person.wait("English")
        person.wait()
        person.type("list\r")
        shown = person.wait("(only you see this)") + person.wait()
        person.type("quit\r")
        assert person.ended() == 0
    if "PYTHONUTF8" not in environ:
        for path in ("İstanbul", "Şube › Çarşı", "Iğdır › Ağrı"):
            assert path in shown


def test_ctrl_c_while_an_answer_is_awaited_leads_back_to_the_prompt() -> None:
    """The console says so; the answer comes with the next one, and who leaves before is told that it is owed."""
    with terminal("--stay", "Early") as person:
        person.wait("97101")
        person.wait()
        person.type(":api silence\r")
        person.wait()
        person.type("Slow\r")
        person.wait("Waiting for the answer")
        person.interrupt()
        assert "You stopped waiting." in person.wait()
        person.type("Quick\r")
        shown = person.wait()
        assert shown.index("! Slow") < shown.index("✓ Quick")
        assert "97102" in shown
        person.type(":api silence\r")
        person.wait()
        person.type("Owed\r")
        person.wait("Waiting for the answer")
        person.interrupt()
        person.wait()
        person.type("\x03")
        assert person.ended() == 0
    assert "A command is still unanswered." in person.shown


def test_ctrl_c_before_the_bot_is_up_leaves_no_bot_behind(tmp_path: Path) -> None:
    """The console ends at once, says so, and removes its folder."""
    with terminal("A", environ={"TMPDIR": str(tmp_path)}) as person:
        person.wait("Customers with the")
        person.type("\x03")
        assert person.ended() == 130
    assert "You stopped waiting." in person.shown
    assert "Traceback" not in person.shown


@pytest.mark.parametrize(("columns", "language"), [(80, "en"), (40, "tr")])
def test_nothing_is_wider_than_the_terminal(columns: int, language: str) -> None:
    """Answers, help, the form and the list of faults wrap with their indentation, in both languages."""
    with terminal("--stay", "Ş" * 250, columns=columns, environ={"LC_ALL": f"{language}_XX.UTF-8"}) as person:
        person.wait()
        for keys in (":api\r", "help\r", ":api 401\r", "A few words parent=5\r"):
            person.type(keys)
            person.wait()
        person.type("\r")
        person.wait("  |")
        person.type("\x03")
        person.wait()
    drawn_again = ("> ", "  |")
    said = [line for line in person.shown.splitlines() if not line.startswith(drawn_again)]
    assert [line for line in said if len(line) > columns] == []
    assert not re.search(r"[`*]", person.shown)
    assert re.search("^(    |                )│ Üyelik bilgileri hatalı$", person.shown, re.MULTILINE)


def test_the_console_asks_in_the_chosen_language() -> None:
    """After `:tr` its own sentences and questions are Turkish, and a Turkish yes confirms."""
    with terminal() as person:
        person.wait()
        person.type(":tr\r")
        assert "Yanıtlar artık Türkçe" in person.wait()
        person.type(":api lost\r")
        assert "grup oluşur, ama bağlantı yanıttan önce kapanır" in person.wait()
        person.type("Gül\r")
        anyway = re.findall(r"\[(\d)\] Yine de", person.wait())
        person.type(f"{anyway[0]}\r")
        person.wait("(e/h)?")
        person.type("e\r")
        assert "97102" in person.wait()
        person.type("\r")
        person.wait("Alt-Enter")
        person.wait("  |")
        person.type("\x04")
        person.wait("Form kapatıldı.")
        person.type("çıkış\r")
        assert person.ended() == 0
