"""What is typed, pasted and piped in becomes entries, and Slack's messages plain lines."""

import io
import sys

import pytest
from prompt_toolkit.input import PipeInput

from bot.sandbox.terminal import Terminal, shown

TREE = "Top\n  Below\n    Deep\n  Beside"
TYPED: list[tuple[str, list[str | None]]] = [
    ("A\r\r5\r", ["A", "", "5"]),
    ("İstanbul ğüşıöç\r", ["İstanbul ğüşıöç"]),
    (f"\x1b[200~{TREE}\n\x1b[201~\r", [f"{TREE}\n"]),
    ("\x1b[200~A\r\nB\r\n:tr\r\nquit\x1b[201~\r", ["A\nB\n:tr\nquit"]),
    ("A\x1b\r  B\r", ["A\n  B"]),
    ("A\r\x04", ["A", None]),
]


def test_what_is_typed_and_pasted(keys: PipeInput) -> None:
    """A paste is one entry, as are lines with Alt-Enter between them; Ctrl-D ends the input."""
    terminal = Terminal("Given", stay=True)
    assert terminal.read() == "Given"
    for typed, entries in TYPED:
        keys.send_text(typed)
        assert [terminal.read() for _ in entries] == entries
    keys.send_text("\r\x1b[200~\n  Silver\n\x1b[201~\r")
    held = "VIP\n  Gold"
    assert [terminal.ask("| ", held), terminal.ask("| ", held)] == [held, f"{held}\n  Silver\n"], "fields hold a text"
    for key, error in (("\x04", EOFError), ("\x03", KeyboardInterrupt)):
        keys.send_text(key)
        with pytest.raises(error):
            terminal.ask("| ")


@pytest.mark.parametrize("encoding", ["utf-8", "iso-8859-9"])
def test_what_is_piped_in(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], encoding: str) -> None:
    """All of it is one entry, in any encoding, and is shown; nobody can be asked."""
    piped = io.BytesIO("Güneş\r\n  İl\nA".encode(encoding))
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(piped, encoding))
    terminal = Terminal(None, stay=False)
    assert [terminal.read(), terminal.read()] == ["Güneş\n  İl\nA", None]
    assert capsys.readouterr().out == "\n> Güneş\n  İl\nA\n\n"
    with pytest.raises(EOFError):
        terminal.ask("| ")


SHOWN = {
    "*Not created:* `A*B`, _soon_ or ~": "Not created: A*B, soon or ~",
    "*Ask for `a_b` or `_c_`* in not_listed_here": "Ask for a_b or _c_ in not_listed_here",
    "&lt;b&gt; &amp;amp; `&lt;U1&gt;`": "<b> &amp; <U1>",
    "<@U9> <@U8|ayse> <#C1|ops> <!here|here>": "@U9 ayse ops here",
    "<https://a.example/x|the panel> <https://a.example>": "the panel (https://a.example/x) https://a.example",
    "<!date^1700000000^{date_num} {time}^https://a.example/x|2023-11-14 UTC>": "2023-11-14 UTC",
    "> one\n&gt; two": "│ one\n│ two",
    "```\n- A\n  - B_\n```": "- A\n  - B_\n",
    "a\x1b[31mred\x07\x9b": "a[31mred",
}


def test_marks_are_not_shown() -> None:
    """Mentions by name, links with their address, quotes behind a line; no mark, no code of a terminal."""
    assert {text: shown(text) for text in SHOWN} == SHOWN


LANGUAGES = {
    ("tr_TR.UTF-8", "", ""): "tr",
    ("C", "", "tr_TR.UTF-8"): "en",
    ("", "", "tr"): "tr",
    ("", "tr_TR", "en"): "tr",
    ("", "", ""): "en",
}


def test_the_language_is_the_terminals(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether the locale is installed or not."""
    for values, language in LANGUAGES.items():
        for name, value in zip(("LC_ALL", "LC_MESSAGES", "LANG"), values, strict=True):
            monkeypatch.setenv(name, value)
        assert Terminal("", stay=False).language == language, values
