"""The terminal: Slack's messages as a person would see them, whatever its width, colours and encoding."""

from __future__ import annotations

import codecs
import io
import os
import shutil
import sys

from bot.sandbox.layout import coloured, plain, uncoloured, wrap
from bot.sandbox.markup import Cell, lines
from bot.sandbox.sentences import say
from bot.sandbox.workspace import Message

PEOPLE = {"en": "U1", "tr": "U2"}
"""Who types, by language: the bot remembers a person's language for an hour, so another person types Turkish."""

LOCALES = {"U1": "en-US", "U2": "tr-TR"}

_NAMES = {"U1": "@you (en)", "U2": "@siz (tr)"}
_NARROW = 60  # columns below which indentation is small
_STYLES = {"created": "created", "unknown": "unclear", "": "", "open": ""}  # of an outcome; every other one failed
_ASCII = str.maketrans({"—": "-", "–": "-", "‘": "'", "’": "'", "“": '"', "”": '"', "…": "...", "•": "*", "└": "+"})
_ASCII |= str.maketrans({"│": "|", "─": "-", "→": "->", "\u00a0": " ", "\u2003": "  "})


class Screen:
    """Prints for one person, in their `language`, on standard output."""

    def __init__(self, language: str) -> None:
        self.language = language
        self._tty = sys.stdout.isatty()
        self._colours = self._tty and not os.environ.get("NO_COLOR") and os.environ.get("TERM", "dumb") != "dumb"
        codecs.register_error("addgroup.console", _replaced)
        if isinstance(sys.stdout, io.TextIOWrapper):
            sys.stdout.reconfigure(errors="addgroup.console")

    def say(self, key: str, /, **values: object) -> None:
        """Print a sentence of the console's own."""
        self.text(say(self.language, key, **values))

    def text(self, text: str, margin: int = 0) -> None:
        """Print plain text, each line behind a margin."""
        for line in text.splitlines() or [""]:
            self._print(plain(" " * margin + line))

    def table(self, rows: list[tuple[str, str]]) -> None:
        """Print names, each with its explanation beside it; what does not fit goes on below the explanation."""
        column = 2 + max(len(name) for name, _ in rows) + 2
        for name, explanation in rows:
            self._behind(plain(f"  {name}".ljust(column)), [plain(explanation)], column)

    def end(self) -> None:
        """Leave a line empty before the prompt, which a terminal alone shows."""
        if self._tty:
            print()

    def heading(self, text: str) -> None:
        """Print a title with an empty line above."""
        print()
        self._print(plain(text, "bold"))

    def message(self, message: Message, outcome: str, in_thread: bool = False) -> None:
        """Print a message, under the root message if it is in its thread, coloured by an outcome."""
        style = _STYLES.get(outcome, "failed")
        author = "Addgroup  "
        lead = f"{' ' * self._step(4)}└ {author}" if in_thread else author
        body = lines(message.text, _NAMES)
        if style:
            body[0] = [(char, style if was == "bold" else was) for char, was in body[0]]
        self._behind(plain(lead, style or "bold"), body, self._margin(lead))

    def button(self, number: int, label: str) -> None:
        """Print a button with the number that presses it."""
        self._behind(plain(" " * self._step(16) + f"[{number}] "), [plain(label)], self._step(16) + 4)

    def _behind(self, lead: list[Cell], body: list[list[Cell]], margin: int) -> None:
        """Print lines behind `lead`, from the second on behind a margin."""
        first, *others = body
        self._print(lead + first, margin)
        for line in others:
            self._print(plain(" " * margin) + line)

    def _print(self, line: list[Cell], margin: int | None = None) -> None:
        show = coloured if self._colours else uncoloured
        for part in wrap(line, self._room(), margin):
            print(show(part).rstrip(" "))

    def _room(self) -> int | None:
        """Return the terminal's width in columns, None where the output is no terminal."""
        return max(shutil.get_terminal_size().columns, 20) if self._tty else None

    def _step(self, columns: int) -> int:
        return columns if (self._room() or _NARROW) >= _NARROW else columns // 4

    def _margin(self, lead: str) -> int:
        return len(lead) if (self._room() or _NARROW) >= _NARROW else 4


def _replaced(error: UnicodeError) -> tuple[str, int]:
    """Write what an encoding does not have: signs as ASCII has them, letters as Python escapes them."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    missing = error.object[error.start : error.end].translate(_ASCII)
    return missing.encode("ascii", "backslashreplace").decode("ascii"), error.end
