"""How Slack's messages look in a terminal: its marks, its lines, its colours, in any encoding."""

from __future__ import annotations

import contextlib
import io
import re
import shutil

import pytest

from bot.sandbox.screen import Screen, language_of_terminal, shown
from bot.sandbox.workspace import Message

SGR = re.compile(r"\x1b\[[0-9;]*m")


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("*Not created:* `A*B`, _soon_ or ~", "Not created: A*B, soon or ~"),
        ("*Ask for `a_b` or `_c_`*", "Ask for a_b or _c_"),
        ("2*3*4 and not_listed_here and * this *", "2*3*4 and not_listed_here and * this *"),
        ("&lt;b&gt; &amp;amp; `&lt;U1&gt;`", "<b> &amp; <U1>"),
        ("<@U1> <@U9> <@U8|ayse> <#C1|ops> <!subteam^S1|@ops> <!here|here>", "@you @U9 @ayse ops @ops here"),
        ("<https://a.example/x|the panel> <https://a.example>", "the panel (https://a.example/x) https://a.example"),
        ("> one\n&gt; two", "│ one\n│ two"),
        ("```\n- A\n  - `B`\n```", "- A\n  - `B`"),
        ("a\x1b[31mred\x07\ttab", "a[31mred    tab"),
    ],
)
def test_marks_are_not_shown(text: str, seen: str) -> None:
    """Mentions by name, links with their address, quotes behind a line; no mark, no code of a terminal."""
    assert SGR.sub("", shown(text, {"U1": "@you"})) == seen


def test_a_mark_within_a_mark_goes_on_behind_it() -> None:
    """What follows code in bold is bold again."""
    assert shown("*a `b` c*", {}) == "\x1b[1ma \x1b[36mb\x1b[0m\x1b[1m c\x1b[0m"


class Terminal(io.StringIO):
    """Standard output that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    return Terminal()


@pytest.mark.parametrize(
    ("text", "room", "wrapped"),
    [
        ("one two three four five six", 20, ["one two three four", "five six"]),
        ("    one two three four five", 20, ["    one two three", "    four five"]),
        ("• one two three four five", 20, ["• one two three four", "  five"]),
        ("\u2003└ one two three four", 20, ["\u2003└ one two three", "   four"]),
        ("│ one two three four five", 20, ["│ one two three four", "│ five"]),
        ("abcdefgh" * 3, 20, ["abcdefghabcdefghabcd", "efgh"]),
        ("日本語日本語日本語 日本", 20, ["日本語日本語日本語", "日本"]),
        ("e\u0301" * 20, 20, ["e\u0301" * 20]),
        ("", 20, [""]),
    ],
)
def test_long_lines_go_on_with_their_indentation(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch, text: str, room: int, wrapped: list[str]
) -> None:
    """At a space where there is one, by the columns that a terminal needs."""
    monkeypatch.setenv("COLUMNS", str(room))
    assert shutil.get_terminal_size().columns == room
    with contextlib.redirect_stdout(terminal):
        Screen("en").text(text)
    assert SGR.sub("", terminal.getvalue()).splitlines() == wrapped


@pytest.mark.parametrize(
    ("environ", "coloured"),
    [({}, True), ({"NO_COLOR": ""}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)],
)
def test_outcomes_have_colours_where_they_are_wanted(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch, environ: dict[str, str], coloured: bool
) -> None:
    """Green, yellow and red beside the words that say the same; none with NO_COLOR or on a dumb terminal."""
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    with contextlib.redirect_stdout(terminal):
        for outcome in ("created", "unknown", "rejected"):
            Screen("en").message(Message("C1", "1.1", "*Title*\nmore"), outcome, in_thread=True)
    found = re.findall(r"\x1b\[1;3([123])m", terminal.getvalue())
    assert found == (["2", "2", "3", "3", "1", "1"] if coloured else [])
    assert bool(SGR.search(terminal.getvalue())) == coloured


@pytest.mark.parametrize(
    ("encoding", "written"),
    [
        ("ascii", rb"\u2022 G\xfcl \u2013 x"),
        ("iso-8859-9", rb"\u2022 G" + "ü".encode("iso-8859-9") + rb"l \u2013 x"),
        ("utf-8", "• Gül – x".encode()),
    ],
)
def test_any_encoding_is_written(encoding: str, written: bytes) -> None:
    """What the encoding has not is escaped, as Python escapes it."""
    output = io.BytesIO()
    with io.TextIOWrapper(output, encoding) as stdout, contextlib.redirect_stdout(stdout):
        Screen("en").text("• Gül – x")
        stdout.flush()
        line = output.getvalue()
    assert line.strip() == written


@pytest.mark.parametrize(
    ("environ", "language"),
    [
        ({"LC_ALL": "tr_TR.UTF-8"}, "tr"),
        ({"LC_ALL": "C", "LANG": "tr_TR.UTF-8"}, "en"),
        ({"LANG": "tr"}, "tr"),
        ({}, "en"),
    ],
)
def test_the_language_is_the_terminals(monkeypatch: pytest.MonkeyPatch, environ: dict[str, str], language: str) -> None:
    """Whether the locale is installed or not."""
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    assert language_of_terminal() == language
