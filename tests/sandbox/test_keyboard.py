"""What is typed and pasted at the console's line editor, and what a pipe delivers in any encoding."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Iterator

import pytest
from prompt_toolkit.application import create_app_session
from prompt_toolkit.input import PipeInput, create_pipe_input
from prompt_toolkit.output import DummyOutput

from bot.sandbox.keyboard import Keyboard, NotText


class Tty(io.TextIOWrapper):
    """Standard input that says it is a terminal; what is typed comes from the line editor's own input."""

    def isatty(self) -> bool:
        return True


def question(typed: str) -> str:
    return f"{typed}> "


@pytest.fixture
def keys(monkeypatch: pytest.MonkeyPatch) -> Iterator[PipeInput]:
    monkeypatch.setattr(sys, "stdin", Tty(io.BytesIO(), "utf-8"))
    with create_pipe_input() as typed, create_app_session(input=typed, output=DummyOutput()):
        yield typed


TREE = "Top\n  Below\n    Deep\n  Beside"


@pytest.mark.parametrize(
    ("typed", "entries"),
    [
        ("A\r", ["A"]),
        ("\r", [""]),
        ("İstanbul ğüşıöç\r", ["İstanbul ğüşıöç"]),
        (f"\x1b[200~{TREE}\n\x1b[201~\r", [f"{TREE}\n"]),
        ("\x1b[200~A\r\nB\r\n:tr\r\nquit\x1b[201~\r", ["A\nB\n:tr\nquit"]),
        (TREE.replace("\n", "\r") + "\r", [TREE]),
        ("A\x1b\r  B\r", ["A\n  B"]),
        ("A\r5\r2025\r  Ocak\r- Mart\rquit\r  B\r", ["A", "5", "2025\n  Ocak\n- Mart", "quit", "  B"]),
        (":api 461\r  B\r/addgroup\rquit\r", [":api 461", "  B", "/addgroup", "quit"]),
        ("A\x03B\r", ["B"]),
        ("A\r\x03", ["A", None]),
        ("A\r\x04", ["A", None]),
    ],
)
def test_what_is_one_entry(keys: PipeInput, typed: str, entries: list[str | None]) -> None:
    """A paste, marked by the terminal or not, is; what was typed ahead is taken line by line.

    Ctrl-C drops what is typed, and leaves where nothing is, as Ctrl-D does.
    """
    keyboard = Keyboard()
    keys.send_text(typed)
    assert [keyboard.entry(question) for _ in entries] == entries


@pytest.mark.parametrize(
    ("typed", "answer"),
    [
        ("\r", "VIP\n  Gold"),
        ("\x1b[200~\n  Silver\n\x1b[201~\r", "VIP\n  Gold\n  Silver\n"),
        ("\x03", None),
    ],
)
def test_an_answer_is_what_a_field_holds_and_what_is_changed(keys: PipeInput, typed: str, answer: str | None) -> None:
    """Lines that are pasted into a field are one answer; Ctrl-C gives none."""
    keyboard = Keyboard()
    keys.send_text(typed)
    assert keyboard.answer("| ", "VIP\n  Gold") == answer


def test_bytes_that_a_terminal_does_not_mean_as_text(keys: PipeInput) -> None:
    """They are refused, and the next entry is read."""
    keyboard = Keyboard()
    keys.send_bytes(b"G\xfcl\rA\r")
    with pytest.raises(NotText):
        keyboard.entry(question)
    assert keyboard.entry(question) == "A"


@pytest.fixture
def pipe(monkeypatch: pytest.MonkeyPatch) -> Callable[[bytes, str], Keyboard]:
    def piped(data: bytes, encoding: str) -> Keyboard:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data), encoding))
        return Keyboard()

    return piped


@pytest.mark.parametrize("encoding", ["utf-8", "iso-8859-9", "cp1254"])
@pytest.mark.parametrize("end", ["\n", "\r\n", ""])
def test_a_pipe_in_any_encoding(pipe: Callable[[bytes, str], Keyboard], encoding: str, end: str) -> None:
    """Its lines end as they like, the last one with its end."""
    keyboard = pipe(f"Güneş\n  İl{end}".encode(encoding), encoding)
    assert [keyboard.entry(question), keyboard.entry(question)] == ["Güneş\n  İl", None]


def test_utf_8_is_read_where_the_locale_knows_only_ascii(pipe: Callable[[bytes, str], Keyboard]) -> None:
    """Whole: no letter is lost at the beginning."""
    assert pipe("İstanbul\n".encode(), "ascii").entry(question) == "İstanbul"


def test_bytes_that_are_no_text_are_refused_with_the_lines_below(pipe: Callable[[bytes, str], Keyboard]) -> None:
    """The error names the encoding that was expected."""
    keyboard = pipe(b"G\xfcl\n  Below\nA\n", "utf-8")
    with pytest.raises(NotText) as error:
        keyboard.entry(question)
    assert error.value.encoding == "utf-8"
    assert keyboard.entry(question) == "A"


def test_a_pipes_answer_is_its_next_line_and_an_empty_one_keeps_what_is_there(
    pipe: Callable[[bytes, str], Keyboard],
) -> None:
    """Lines that belong together are one answer here too."""
    keyboard = pipe(b"\nA\n  B\n", "utf-8")
    assert [keyboard.answer("| ", "VIP"), keyboard.answer("| ", "VIP"), keyboard.answer("| ", "VIP")] == [
        *("VIP", "A\n  B", None)
    ]
