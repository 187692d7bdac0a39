"""What is typed, pasted and piped in becomes entries, and Slack's messages plain lines."""

import io
import sys

import pytest
from prompt_toolkit.input import PipeInput

from bot.sandbox.terminal import Terminal, shown

TREE = "Top\n  Below\n    Deep\n  Beside"


@pytest.mark.parametrize(
    ("typed", "entries"),
    [
        ("A\r\r5\r", ["A", "", "5"]),
        ("İstanbul ğüşıöç\r", ["İstanbul ğüşıöç"]),
        (f"\x1b[200~{TREE}\n\x1b[201~\r", [f"{TREE}\n"]),
        ("\x1b[200~A\r\nB\r\n:tr\r\nquit\x1b[201~\r", ["A\nB\n:tr\nquit"]),
        ("A\x1b\r  B\r", ["A\n  B"]),
        ("A\r\x04", ["A", None]),
    ],
)
def test_what_is_typed_and_pasted(keys: PipeInput, typed: str, entries: list[str | None]) -> None:
    """A paste is one entry, as are lines with Alt-Enter between them; Ctrl-D ends the input."""
    terminal = Terminal(None, stay=False)
    keys.send_text(typed)
    assert [terminal.read() for _ in entries] == entries


def test_an_answer_is_what_a_field_holds_and_what_is_changed(keys: PipeInput) -> None:
    """Lines that are pasted into a field are one answer; Ctrl-D and Ctrl-C give none."""
    terminal = Terminal("Given", stay=True)
    assert terminal.read() == "Given"
    keys.send_text("\r\x1b[200~\n  Silver\n\x1b[201~\r")
    held = "VIP\n  Gold"
    assert [terminal.ask("| ", held), terminal.ask("| ", held)] == [held, f"{held}\n  Silver\n"]
    for typed, error in (("\x04", EOFError), ("\x03", KeyboardInterrupt)):
        keys.send_text(typed)
        with pytest.raises(error):
            terminal.ask("| ")


@pytest.mark.parametrize(
    ("piped", "encoding", "entries"),
    [
        ("Güneş\n  İl\nA", "utf-8", ["Güneş\n  İl", "A"]),
        ("Güneş\r\n  İl\r\n", "iso-8859-9", ["Güneş\n  İl"]),
        ("A\n- B\n\tC\n\n  \nD\n", "utf-8", ["A\n- B\n\tC", "D"]),
    ],
)
def test_what_is_piped_in(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    piped: str,
    encoding: str,
    entries: list[str | None],
) -> None:
    """A line is an entry, with those below it that are indented or have a bullet, in any encoding; each is shown."""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(piped.encode(encoding)), encoding))
    terminal = Terminal(None, stay=False)
    assert [terminal.read() for _ in [*entries, None]] == [*entries, None]
    assert capsys.readouterr().out.split("\n> ")[1:] == [f"{entry}\n" for entry in entries[:-1]] + [
        f"{entries[-1]}\n\n"
    ]
    with pytest.raises(EOFError):
        terminal.ask("| ")


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("*Not created:* `A*B`, _soon_ or ~", "Not created: A*B, soon or ~"),
        ("*Ask for `a_b` or `_c_`* in not_listed_here", "Ask for a_b or _c_ in not_listed_here"),
        ("&lt;b&gt; &amp;amp; `&lt;U1&gt;`", "<b> &amp; <U1>"),
        ("<@U1> <@U9> <@U8|ayse> <#C1|ops> <!here|here>", "@you (en) @U9 ayse ops here"),
        ("<https://a.example/x|the panel> <https://a.example>", "the panel (https://a.example/x) https://a.example"),
        ("<!date^1700000000^{date_num} {time}^https://a.example/x|2023-11-14 UTC>", "2023-11-14 UTC"),
        ("> one\n&gt; two", "│ one\n│ two"),
        ("```\n- A\n  - B_\n```", "- A\n  - B_\n"),
        ("a\x1b[31mred\x07\x9b", "a[31mred"),
    ],
)
def test_marks_are_not_shown(text: str, seen: str) -> None:
    """Mentions by name, links with their address, quotes behind a line; no mark, no code of a terminal."""
    assert shown(text) == seen


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
        monkeypatch.setenv(name, environ.get(name, ""))
    assert Terminal("", stay=False).language == language
