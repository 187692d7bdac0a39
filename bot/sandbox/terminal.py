"""The terminal: what is typed, pasted or piped in, the console's own sentences, and Slack's messages as plain text."""

import os
import re
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from typing import Any

from prompt_toolkit import PromptSession
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent

from bot.model.message_text import unescape

_KEYS = KeyBindings()


@_KEYS.add("escape", "enter")
def _begin_line(event: KeyPressEvent) -> None:
    event.current_buffer.insert_text("\n")


@cache
def sentences() -> dict[str, Any]:
    """Return what the console itself says: by key, then by language ("en" or "tr")."""
    return tomllib.loads(files(__package__).joinpath("console.toml").read_text(encoding="utf-8"))


class Terminal:
    """Standard input and output, for one person who reads in `language`.

    `text` is the first entry; without it, where nobody types, all that is piped in. `asks` is whether somebody types:
    then the others come from a prompt, after a `text` only with `stay`.
    """

    def __init__(self, text: str | None, stay: bool) -> None:
        names = (os.environ.get(name) for name in ("LC_ALL", "LC_MESSAGES", "LANG"))
        self.language = "tr" if next(filter(None, names), "").lower().startswith("tr") else "en"
        self.asks = sys.stdin.isatty() and (text is None or stay)
        piped = iter(sys.stdin.read, "")
        self._given: Iterator[str] = iter([text]) if text is not None else iter(()) if self.asks else piped
        os.environ.setdefault("PROMPT_TOOLKIT_NO_CPR", "1")  # a terminal that does not answer it gets a warning
        self._editor = PromptSession[str](key_bindings=_KEYS) if self.asks else None

    def read(self) -> str | None:
        """Return the next entry, None at the end of input; what a terminal pastes is one entry, as in Slack.

        Raises KeyboardInterrupt, and UnicodeError for what is no text.
        """
        print()
        entry = next(self._given, None)
        if entry is not None:
            print(f"> {entry}", flush=True)  # as a terminal shows what is typed
            return entry
        try:
            return self.ask("> ")
        except EOFError:
            return None

    def ask(self, question: str, default: str = "") -> str:
        """Return the answer to a question, shown with `default` to be changed. Raises EOFError, KeyboardInterrupt."""
        if self._editor is None:
            raise EOFError
        return self._editor.prompt(question, default=default)

    def sentence(self, key: str, /, **values: object) -> str:
        """Return a sentence of the console's own."""
        return str(sentences()[key][self.language]).strip().format_map(values)

    def say(self, key: str, /, **values: object) -> None:
        """Print a sentence of the console's own."""
        print(self.sentence(key, **values), flush=True)


def shown(text: str) -> str:
    """Return a message without Slack's marks; what is code in it stays as it is, and nothing acts on the terminal.

    Source: https://docs.slack.dev/messaging/formatting-message-text
    """
    parts = re.split("```\n?|`", re.sub("(?m)^(>|&gt;) ?", "│ ", text))
    for place in range(0, len(parts), 2):  # every other one is code
        part = re.sub(r"\*|(?<!\w)_(?=\S)|(?<=\S)_(?!\w)", "", parts[place])
        parts[place] = re.sub("<([^<>|\n]+)[|]?([^<>\n]*)>", _reference, part)
    return "".join(char for char in unescape("".join(parts)) if char.isprintable() or char == "\n")


def _reference(angle: re.Match[str]) -> str:
    target, label = angle.groups()
    if label and label != target and target[0] not in "@#!":
        return f"{label} ({target})"
    return str(label or target)
