"""What is typed, pasted or piped in, and which lines of it are one entry."""

from __future__ import annotations

import codecs
import io
import os
import re
import sys
from collections import deque
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from bot.model.names import fold

if TYPE_CHECKING:
    from prompt_toolkit import PromptSession
    from prompt_toolkit.key_binding import KeyPressEvent

_LEAVE = {fold(word) for word in ("quit", "exit", "q", ":q", ":quit", "çık", "çıkış", "cik", "cikis")}
_SHORTCUT = {fold(word) for word in ("shortcut", "kısayol", "kisayol")}
_SETTING = re.compile(r"\s*:[a-z]*(?!\S)[^\n]*\s*")  # an emoji's code has a second colon
_NUMBER = re.compile(r"\s*\[?\d+\]?\s*")
_CONTINUES = re.compile(r"\s+\S|[-*•◦▪‣]+\s")  # how a line begins that belongs to the one before


class NotText(Exception):
    """What came in is not in the `encoding` of the input."""

    def __init__(self) -> None:
        super().__init__()
        self.encoding = _encoding()


def leaves(entry: str) -> bool:
    """Tell whether an entry is a word that leaves the console."""
    return fold(entry) in _LEAVE


def uses_shortcut(entry: str) -> bool:
    """Tell whether an entry stands for the message shortcut; in quotes it is a group's name."""
    return fold(entry) in _SHORTCUT


def is_setting(entry: str) -> bool:
    """Tell whether an entry is meant to be a setting of the console, such as `:tr`; `:tada: Party` is not."""
    return _SETTING.fullmatch(entry) is not None


def is_own(entry: str) -> bool:
    """Tell whether an entry is the console's own and no command: a setting, a button's number, a word of its own."""
    return is_setting(entry) or bool(_NUMBER.fullmatch(entry)) or uses_shortcut(entry) or leaves(entry)


def given(argument: str) -> str:
    """Return an argument of the command line as text. Raises NotText."""
    return _text(_decoded(os.fsencode(argument)))


class Keyboard:
    """Standard input: a terminal with a line editor, or lines of a pipe. What reads raises NotText, and can go on."""

    def __init__(self) -> None:
        self.tty = sys.stdin is not None and sys.stdin.isatty()
        self._ahead: deque[str] = deque()
        self._lines = _piped()
        if self.tty:
            os.environ.setdefault("PROMPT_TOOLKIT_NO_CPR", "1")  # a terminal that does not answer it gets a warning
            if isinstance(sys.stdin, io.TextIOWrapper) and codecs.lookup(sys.stdin.encoding).name == "ascii":
                sys.stdin.reconfigure(encoding="utf-8", errors="surrogateescape")
            self._commands, self._answers = _line_editor(), _line_editor()

    def entry(self, question: Callable[[str], str]) -> str | None:
        """Return what is one entry at the prompt; None at the end of input, and on Ctrl-C where nothing is typed.

        What a terminal pastes is one, as in Slack; of a pipe, and of what was typed ahead, a line with those after it
        that are indented or begin with a bullet. `question` is asked with what is typed so far.
        """
        if not self.tty:
            return self._piped_entry()
        session = self._commands
        while True:
            try:
                return _text(session.prompt(lambda: question(session.default_buffer.text)))
            except EOFError:
                return None
            except KeyboardInterrupt:
                if not session.default_buffer.text:
                    return None

    def answer(self, question: str, default: str = "") -> str | None:
        """Return an answer to a question, which a terminal shows with `default` to change, and an empty line keeps.

        None at the end of input and on Ctrl-C.
        """
        if not self.tty:
            entry = self._piped_entry()
            return entry if entry is None else entry or default
        try:
            return _text(self._answers.prompt(question, default=default))
        except (EOFError, KeyboardInterrupt):
            return None

    def _piped_entry(self) -> str | None:
        first = self._next()
        if first is None:
            return None
        lines = [first]
        while (line := self._next()) is not None:
            if not _continues(first, line):
                self._ahead.append(line)
                break
            lines.append(line)
        return _text("\n".join(lines))

    def _next(self) -> str | None:
        return self._ahead.popleft() if self._ahead else next(self._lines, None)


def _continues(first: str, following: str) -> bool:
    """Tell whether a line belongs to the entry that begins with `first`; a number may be the name of a group."""
    return bool(_CONTINUES.match(following)) and (not is_own(first) or first.strip().isdecimal())


def _line_editor() -> PromptSession[str]:
    """Return an editor whose Alt-Enter begins a new line, as does Enter where one was typed ahead that belongs here.

    The library is imported here, since a pipe does without it and it takes a fifth of a second.
    """
    from prompt_toolkit import PromptSession
    from prompt_toolkit.application import get_app
    from prompt_toolkit.filters import Condition
    from prompt_toolkit.key_binding import KeyBindings

    bindings = KeyBindings()

    def typed_ahead() -> bool:
        ahead = "".join(key.data for key in get_app().key_processor.input_queue)
        return _continues(get_app().current_buffer.text.partition("\n")[0], ahead)

    @bindings.add("enter", filter=Condition(typed_ahead))
    @bindings.add("escape", "enter")
    def _(event: KeyPressEvent) -> None:
        event.current_buffer.insert_text("\n")

    return PromptSession(key_bindings=bindings)


def _piped() -> Iterator[str]:
    for line in sys.stdin.buffer if sys.stdin is not None else ():
        yield _decoded(line.removesuffix(b"\n").removesuffix(b"\r"))


def _decoded(data: bytes) -> str:
    """Return the text of bytes in the input's encoding, or else in UTF-8; what is neither becomes halves of pairs."""
    try:
        return data.decode(_encoding())
    except UnicodeDecodeError:
        return data.decode("utf-8", "surrogateescape")


def _text(line: str) -> str:
    try:
        line.encode()
    except UnicodeEncodeError:
        raise NotText from None
    return line


def _encoding() -> str:
    return sys.stdin.encoding if sys.stdin is not None else "utf-8"
