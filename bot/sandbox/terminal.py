"""The terminal: what is typed, pasted or piped in, and Slack's messages as plain lines."""

from __future__ import annotations

import codecs
import io
import os
import re
import sys
import tomllib
from collections import deque
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.resources import files
from typing import Any

from prompt_toolkit import PromptSession
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent

_CONTINUES = re.compile(r"\s+\S|[-*•◦▪‣]+\s")  # how a line begins that belongs to the one before
_COLOURS = {"✓": "\x1b[1;32m", "!": "\x1b[1;33m", "✗": "\x1b[1;31m"}
_KEYS = KeyBindings()


@cache
def sentences() -> dict[str, Any]:
    """Return what the console itself says: by key, then by language ("en" or "tr")."""
    return tomllib.loads(files(__package__).joinpath("console.toml").read_text(encoding="utf-8"))


class Terminal:
    """Standard input and output, for one person who reads in `language`.

    The entries are `text` alone; with `stay`, those typed at a terminal after it; without `text`, those that are typed
    or piped in. `asks` is whether questions can be asked: whether somebody types.
    """

    def __init__(self, text: str | None, stay: bool) -> None:
        names = (os.environ.get(name) for name in ("LC_ALL", "LC_MESSAGES", "LANG"))
        self.language = "tr" if next(filter(None, names), "").lower().startswith("tr") else "en"
        if isinstance(sys.stdin, io.TextIOWrapper):  # a C locale knows ASCII alone; what is typed there is UTF-8
            ascii_only = codecs.lookup(sys.stdin.encoding).name == "ascii"
            sys.stdin.reconfigure(encoding="utf-8" if ascii_only else None, errors="surrogateescape")
        self.asks = sys.stdin.isatty() and (text is None or stay)
        self._given = deque([] if text is None else [text])
        self._piped = _entries(sys.stdin if text is None and not self.asks else ())
        os.environ.setdefault("PROMPT_TOOLKIT_NO_CPR", "1")  # a terminal that does not answer it gets a warning
        self._editor = PromptSession[str](key_bindings=_KEYS) if self.asks else None
        self._colours = sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"

    def read(self) -> str | None:
        """Return the next entry, None at the end of input.

        What a terminal pastes is one entry, as in Slack; of a pipe, a line with those after it that are indented or
        begin with a bullet. Raises KeyboardInterrupt, and UnicodeError for what is no text.
        """
        print()
        if self.asks and not self._given:
            try:
                return self.ask("> ")
            except EOFError:
                return None
        entry = self._given.popleft() if self._given else next(self._piped, None)
        if entry is not None:  # a terminal shows what is typed
            print(f"> {_text(entry)}")
        return entry and _text(entry)

    def ask(self, question: str, default: str = "") -> str:
        """Return the answer to a question, shown with `default` to be changed. Raises EOFError, and as `read` does."""
        if self._editor is None:
            raise EOFError
        return _text(self._editor.prompt(question, default=default))

    def sentence(self, key: str, /, **values: object) -> str:
        """Return a sentence of the console's own."""
        return str(sentences()[key][self.language]).strip().format_map(values)

    def say(self, key: str, /, **values: object) -> None:
        """Print a sentence of the console's own."""
        print(self.sentence(key, **values), flush=True)

    def message(self, title: str, text: str, margin: int = 0) -> None:
        """Print one of Slack's messages under a title, its first line in the colour of its mark."""
        first, *others = shown(text).rstrip().split("\n")
        colour = _COLOURS.get(first[:1]) if self._colours else None
        lines = [f"{colour}{first}\x1b[0m" if colour else first, *others]
        print("", " " * margin + title, *(" " * (margin + 2) + line for line in lines), sep="\n")


@_KEYS.add("escape", "enter")
def _begin_line(event: KeyPressEvent) -> None:
    event.current_buffer.insert_text("\n")


def _entries(lines: Iterable[str]) -> Iterator[str]:
    entry = ""
    for line in map(str.rstrip, lines):
        if entry and not _CONTINUES.match(line):
            yield entry
            entry = ""
        entry += f"\n{line}" if entry else line
    if entry:
        yield entry


def _text(entry: str) -> str:
    """Return text whose bytes were not in the locale's encoding, if they are UTF-8. Raises UnicodeError."""
    return entry.encode("utf-8", "surrogateescape").decode()


def shown(text: str) -> str:
    """Return a message without Slack's marks; what is code in it stays as it is, and nothing acts on the terminal.

    Source: https://docs.slack.dev/messaging/formatting-message-text
    """
    parts = re.split("```\n?|`", re.sub("(?m)^(>|&gt;) ?", "│ ", text))
    for place in range(0, len(parts), 2):  # every other one is code
        part = re.sub(r"\*|(?<!\w)_(?=\S)|(?<=\S)_(?!\w)", "", parts[place])
        parts[place] = re.sub("<([^<>|\n]+)[|]?([^<>\n]*)>", _reference, part)
    text = "".join(parts).replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    return "".join(char for char in text if char.isprintable() or char == "\n")


def _reference(angle: re.Match[str]) -> str:
    target, label = angle.groups()
    if target[0] in "@#!":
        return {"@U1": "@you (en)", "@U2": "@siz (tr)"}.get(target, label or target)
    return f"{label} ({target})" if label and label != target else str(target)
