"""The screen: Slack's messages as a person would see them, whatever the terminal's width, colours and encoding."""

from __future__ import annotations

import io
import os
import re
import shutil
import sys
import tomllib
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from typing import Any

from wcwidth import wrap

from bot.sandbox.workspace import Message

PEOPLE = {"en": "U1", "tr": "U2"}
"""Who types, by language: the bot remembers a person's language for an hour, so another person types Turkish."""

LOCALES = {"U1": "en-US", "U2": "tr-TR"}

_NAMES = {"U1": "@you (en)", "U2": "@siz (tr)"}
_NARROW = 60  # columns below which indentation is small
_BOLD, _CODE, _END = "\x1b[1m", "\x1b[36m", "\x1b[0m"
_OUTCOMES = {"created": "\x1b[1;32m", "unknown": "\x1b[1;33m", "": _BOLD, "open": _BOLD}
_FAILED = "\x1b[1;31m"  # every other outcome
_SGR = re.compile(r"\x1b\[[\d;]*m")
_LEAD = re.compile(r"(?:[ \u2003•└│*-]*[ \u2003])?")  # what the lines that go on are indented by


@cache
def sentences() -> dict[str, Any]:
    """Return what the console itself says: by key, then by language ("en" or "tr")."""
    return tomllib.loads(files(__package__ or "bot.sandbox").joinpath("console.toml").read_text(encoding="utf-8"))


class Screen:
    """Prints for one person, in their `language`, on standard output."""

    def __init__(self, language: str) -> None:
        self.language = language
        self._tty = sys.stdout.isatty()
        self._colours = self._tty and not os.environ.get("NO_COLOR") and os.environ.get("TERM", "dumb") != "dumb"
        if isinstance(sys.stdout, io.TextIOWrapper):
            sys.stdout.reconfigure(errors="backslashreplace")

    def sentence(self, key: str, /, **values: object) -> str:
        """Return a sentence of the console's own."""
        return str(sentences()[key][self.language]).strip().format_map(values)

    def say(self, key: str, /, **values: object) -> None:
        """Print a sentence of the console's own."""
        self.text(self.sentence(key, **values))

    def text(self, text: str, margin: int = 0) -> None:
        """Print plain text, each line behind a margin."""
        for line in text.splitlines() or [""]:
            self._print(" " * margin + line)

    def table(self, rows: list[tuple[str, str]]) -> None:
        """Print names, each with its explanation beside it; what does not fit goes on below the explanation."""
        column = 2 + max(len(name) for name, _ in rows) + 2
        for name, explanation in rows:
            self._print(f"  {name}".ljust(column) + explanation, column)

    def end(self) -> None:
        """Leave a line empty before the prompt, which a terminal alone shows."""
        if self._tty:
            print()

    def heading(self, text: str) -> None:
        """Print a title with an empty line above."""
        print()
        self._print(f"{_BOLD}{text}{_END}")

    def message(self, message: Message, outcome: str, in_thread: bool = False) -> None:
        """Print a message, under the root message if it is in its thread, coloured by an outcome."""
        style = _OUTCOMES.get(outcome, _FAILED)
        lead = f"{' ' * self._step(4)}└ Addgroup  " if in_thread else "Addgroup  "
        margin = len(lead) if (self._room() or _NARROW) >= _NARROW else 4
        first, *others = shown(message.text, _NAMES).split("\n")
        self._print(f"{style}{lead}{_END}{first.replace(_BOLD, style)}", margin)
        for line in others:
            self._print(" " * margin + line)

    def button(self, number: int, label: str) -> None:
        """Print a button with the number that presses it."""
        self._print(f"{' ' * self._step(16)}[{number}] {label}", self._step(16) + 4)

    def _print(self, line: str, margin: int | None = None) -> None:
        """Print a line, wrapped; what goes on is indented by `margin` columns, or as the line itself is."""
        line = line if self._colours else _SGR.sub("", line)
        room = self._room()
        if room is None:
            print(line.rstrip(" "))
            return
        lead = _LEAD.match(_SGR.sub("", line))
        hang = re.sub("[^│]", " ", lead[0]) if lead and len(lead[0]) <= room // 2 else ""
        for part in wrap(line, room, subsequent_indent=hang if margin is None else " " * margin) or [""]:
            print(part.rstrip(" "))

    def _room(self) -> int | None:
        """Return the terminal's width in columns, None where the output is no terminal."""
        return max(shutil.get_terminal_size().columns, 20) if self._tty else None

    def _step(self, columns: int) -> int:
        return columns if (self._room() or _NARROW) >= _NARROW else columns // 4


def language_of_terminal() -> str:
    """Return "tr" when the terminal's locale is Turkish, else "en"."""
    names = (os.environ.get(name) for name in ("LC_ALL", "LC_MESSAGES", "LANG"))
    return "tr" if next(filter(None, names), "").lower().startswith("tr") else "en"


# Slack's mrkdwn. Source: https://docs.slack.dev/messaging/formatting-message-text

_MARKED = re.compile(
    r"""
    ```\n?(?P<block>.*?)\n?```
    | `(?P<code>[^`\n]+)`
    | <(?P<angle>[^<>\n]+)>
    | (?<![\w*])\*(?=[^\s*])(?P<bold>(?:`[^`\n]*`|[^*`\n])+)(?<=\S)\*(?![\w*])
    | (?<![\w_])_(?=[^\s_])(?P<italic>(?:`[^`\n]*`|[^_`\n])+)(?<=\S)_(?![\w_])
    """,
    re.VERBOSE | re.DOTALL,
)
_QUOTE = re.compile(r"^(?:>|&gt;) ?", re.MULTILINE)
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]")


def shown(text: str, names: Mapping[str, str]) -> str:
    """Return a message with a terminal's codes instead of its marks; `names` are what mentions show, by user id."""
    return _marked(_QUOTE.sub("│ ", text), "", names)


def _marked(text: str, style: str, names: Mapping[str, str]) -> str:
    parts, end = [], 0
    for match in _MARKED.finditer(text):
        parts.append(_leaf(text[end : match.start()]))
        end = match.end()
        kind, inside = match.lastgroup or "", match[match.lastgroup or 0]
        if kind == "angle":
            parts.append(_leaf(_reference(inside, names)))
        elif kind in ("bold", "italic"):
            parts.append(f"{_BOLD}{_marked(inside, _BOLD, names)}{_END}{style}")
        else:
            parts.append("\n".join(f"{_CODE}{line}{_END}{style}" for line in _leaf(inside).split("\n")))
    return "".join([*parts, _leaf(text[end:])])


def _leaf(text: str) -> str:
    text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    return _CONTROL.sub("", text.replace("\t", "    "))


def _reference(inside: str, names: Mapping[str, str]) -> str:
    """Return what a reference in angle brackets shows: a mention, a date, a link."""
    target, _, label = inside.partition("|")
    if date := re.match(r"!date\^(\d+)", target):
        return f"{datetime.fromtimestamp(int(date[1]), UTC).astimezone():%Y-%m-%d %H:%M}"
    if target.startswith("@"):
        return names.get(target[1:], f"@{label or target[1:]}")
    if target.startswith(("#", "!")):
        return label or target
    return f"{label} ({target})" if label and label != target else target
