"""The console in a terminal: what is pasted, what is pressed, how it looks."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support.terminal import PROMPT, terminal

SGR = re.compile(r"\x1b\[[0-9;]*m")
TREE = "Top\r  Below\r    Deep\r  Beside"


@pytest.mark.parametrize(
    ("pasted", "environ"),
    [
        (f"{TREE}\r", {}),
        (f"\x1b[200~/addgroup {TREE}\r\r\x1b[201~\r", {}),
        (f"/addgroup\r{TREE}\r", {"TERM": "dumb"}),
    ],
    ids=["unmarked", "marked", "dumb"],
)
def test_lines_that_are_pasted_are_one_command(pasted: str, environ: dict[str, str]) -> None:
    """Whether the terminal marks a paste or only delivers its lines at once."""
    with terminal(environ=environ) as person:
        person.wait()
        person.type(pasted)
        shown = person.wait()
        assert all(f"9710{digit}" in shown for digit in "1234")
        person.type("history\r")
        person.wait("(only you see this)")
        assert person.wait().count("•") == 1


def test_what_is_typed_ahead_is_taken_line_by_line() -> None:
    """Settings, buttons and words that leave are entries of their own, in a paste too; a numbered tree is not."""
    with terminal() as person:
        person.wait()
        person.type(":api 461\rA\r5\r2025\r  Ocak\rquit\r")
        assert person.ended() == 0
    assert "461  the name is missing" in person.shown
    assert "There is no button with this number" in person.shown
    assert person.shown.count("\n#ops\n") == 2
    assert "97102" in person.shown
    assert "97103" not in person.shown


def test_only_known_words_with_a_colon_are_settings() -> None:
    """A name may begin with an emoji's code, also above subgroups; a setting with a mistake makes no group."""
    with terminal() as person:
        person.wait()
        person.type(":tada: Party\r  :) Guests\r:aip 461\r:\rquit\r")
        assert person.ended() == 0
    assert ":tada: Party — ID 97101" in person.shown
    assert ":) Guests under :tada: Party — ID 97102" in person.shown
    assert "97103" not in person.shown


def test_ctrl_c_in_what_was_pasted_runs_nothing_of_it() -> None:
    """The last line of a paste may have no end yet: who stops there wants none of it."""
    with terminal() as person:
        person.wait()
        person.type("A\r  B\r  C")
        person.wait("|   C")
        person.interrupt()
        person.wait()
        person.type("history\r")
        shown = person.wait()
    assert "•" not in shown


def test_a_number_without_a_button_makes_nothing() -> None:
    """With no button on the screen, and with fewer; the name in quotes makes the group."""
    with terminal() as person:
        person.wait()
        for number in ("5", "0", "[5]", "１"):
            person.type(f"{number}\r")
            assert "There is no button with this number" in person.wait(PROMPT)
        person.type('"5"\r')
        assert "[1] " in person.wait()
        person.type("2\r")
        assert "There is no button with this number" in person.wait(PROMPT)
        person.type("1\r")
        person.wait("(an empty line ends it)")


def test_ctrl_c_while_an_answer_is_awaited_leads_back_to_the_prompt() -> None:
    """The console says so, and the answer that was not awaited comes with the next one, not instead of it."""
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
        assert shown.index("asked for a new group: Slow") < shown.index("asked for a new group: Quick")
        assert "97102" in shown
        person.interrupt()
        assert person.ended() == 0


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
        for keys in (":api\r", "help\r", ":api 401\r", "A name of several words that goes on and on parent=5\r"):
            person.type(keys)
            person.wait()
        person.type("/addgroup\r")
        person.wait("  | ")
        person.interrupt()
        person.wait()
    said = [line for line in person.shown.splitlines() if not line.startswith(PROMPT)]
    assert max(map(len, said)) <= columns
    assert not re.search(r"[`*]", person.shown)
    assert re.search("^(    |                )│ Üyelik bilgileri hatalı$", person.shown, re.MULTILINE)


@pytest.mark.parametrize(
    ("environ", "coloured"),
    [({"NO_COLOR": ""}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)],
)
def test_outcomes_have_colours_where_they_are_wanted(environ: dict[str, str], coloured: bool) -> None:
    """Green, yellow and red beside the words that say the same; none with NO_COLOR or on a dumb terminal."""
    with terminal("--stay", "A", environ=environ) as person:
        person.wait()
        for keys in (":api 461\r", "B\r", ":api lost\r", "C\r"):
            person.type(keys)
            person.wait()
    found = re.findall(r"\x1b\[1;3([123])m    └ Addgroup  ", person.raw)
    assert found == (["2", "1", "3"] if coloured else [])
    assert bool(SGR.search(person.raw)) == coloured


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
        person.wait("(e/h)? ")
        person.type("e\r")
        assert "97102" in person.wait()
        person.type("/addgroup\r")
        person.wait("boş bir satır bitirir")
        person.wait("  | ")
        person.type("\x04")
        person.wait("Form kapatıldı.")
        person.type("çıkış\r")
        assert person.ended() == 0
