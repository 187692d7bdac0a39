"""What is typed, pasted or piped in: lines of text, and which of them are one entry at the prompt."""

from __future__ import annotations

import contextlib
import io
import os
import re
import select
import sys
from collections import deque

from bot.model.names import fold

_LEAVE = {fold(word) for word in ("quit", "exit", "q", ":q", ":quit", "çık", "çıkış", "cik", "cikis")}
_SHORTCUT = {fold(word) for word in ("shortcut", "kısayol", "kisayol")}
_CONTINUES = re.compile(r"\s+\S|[-*•◦▪‣]+\s")  # how a line begins that belongs to the one before
_TOGETHER = 0.05  # seconds within which lines that follow each other have arrived together


class NotText(Exception):
    """What came in is not in the `encoding` of the input."""

    def __init__(self) -> None:
        super().__init__()
        self.encoding = _encoding()


class Keyboard:
    """Standard input, line by line. What reads raises NotText, and goes on behind it when it is called again."""

    def __init__(self) -> None:
        self.tty = sys.stdin is not None and sys.stdin.isatty()
        self._lines: deque[str] = deque()
        self._rest = b""
        self._ended = sys.stdin is None
        if self.tty:
            _edit_lines()

    def line(self, question: str) -> str | None:
        """Return one line, None at the end of input and on Ctrl-C; a terminal shows the question."""
        if not self._lines and not self._fetch(question):
            return None
        return _text(self._lines.popleft())

    def entry(self, question: str) -> str | None:
        """Return what is one entry at the prompt, None at the end of input and on Ctrl-C.

        Lines that a terminal delivers together are one, as a paste into Slack is; of a pipe, a line with those after it
        that are indented or begin with a bullet. The console's own words are always entries by themselves.
        """
        if not self._lines and not self._fetch(question):
            return None
        if "\n" not in self._lines[0]:  # else the terminal has marked it as pasted
            while self._arrived() and self.tty:
                pass
        if not self._lines:  # Ctrl-C in what was pasted: nothing of it is run
            return ""
        entry = [self._lines.popleft()]
        while "\n" not in entry[0] and self._belongs(entry[0]):
            entry.append(self._lines.popleft())
        return _text("\n".join(entry).rstrip("\n"))

    def _belongs(self, first: str) -> bool:
        """Tell whether the next line is part of the entry that begins with `first`."""
        if not self._lines and (self.tty or not self._arrived()):
            return False
        following, *after = [*self._lines, ""][:2] if self.tty else [self._lines[0]]
        if _CONTINUES.match(following):
            return not _own(first) or first.strip().isdecimal()
        alone = _own(following) and not any(map(_CONTINUES.match, after))
        return self.tty and not alone and not _own(first)

    def _arrived(self) -> bool:
        """Take a further line if it is there already."""
        if self._ended or (b"\n" not in self._rest and not select.select([sys.stdin], [], [], _TOGETHER)[0]):
            return False
        return self._fetch("| ")

    def _fetch(self, question: str) -> bool:
        """Wait for a line; return False at the end of input and on Ctrl-C."""
        if self._ended:
            return False
        try:
            self._lines.append(self._typed(question) if self.tty else self._piped())
        except EOFError:
            self._ended = True
        except KeyboardInterrupt:
            self._lines.clear()
        else:
            return True
        if self.tty:
            print()
        return False

    @staticmethod
    def _typed(question: str) -> str:
        return decoded(input(question).encode(_encoding(), "surrogateescape"))

    def _piped(self) -> str:
        while b"\n" not in self._rest:
            data = os.read(sys.stdin.fileno(), 65536)
            self._rest += data or b"\n" * bool(self._rest)
            if not data and not self._rest:
                raise EOFError
        line, _, self._rest = self._rest.partition(b"\n")
        return decoded(line.removesuffix(b"\r"))


def decoded(data: bytes) -> str:
    """Return the text of bytes in the input's encoding, or else in UTF-8; what is neither becomes halves of pairs."""
    for encoding in (_encoding(), "utf-8"):
        with contextlib.suppress(UnicodeDecodeError):
            return data.decode(encoding)
    return data.decode("utf-8", "surrogateescape")


def given(argument: str) -> str:
    """Return an argument of the command line as text. Raises NotText."""
    return _text(decoded(os.fsencode(argument)))


def leaves(entry: str) -> bool:
    """Tell whether an entry is a word that leaves the console."""
    return fold(entry) in _LEAVE


_SETTING = re.compile(r":[a-z]*(?!\S)")  # an emoji's code has a second colon


def uses_shortcut(entry: str) -> bool:
    """Tell whether an entry stands for the message shortcut; in quotes it is a group's name."""
    return fold(entry) in _SHORTCUT


def is_setting(entry: str) -> bool:
    """Tell whether an entry is meant to be a setting of the console, such as `:tr`; `:tada: Party` is not."""
    return _SETTING.match(entry) is not None


def _own(line: str) -> bool:
    """Tell whether a line is the console's own: a setting, a button, the shortcut, a word that leaves."""
    return is_setting(line) or line.rstrip().isdecimal() or uses_shortcut(line) or leaves(line)


def _text(line: str) -> str:
    try:
        line.encode()
    except UnicodeEncodeError:
        raise NotText from None
    return line


def _encoding() -> str:
    return sys.stdin.encoding if sys.stdin is not None else "utf-8"


def _edit_lines() -> None:
    """Let people edit and recall what they type, and let the terminal mark what is pasted, where it can."""
    if isinstance(sys.stdin, io.TextIOWrapper):
        sys.stdin.reconfigure(errors="surrogateescape")
    with contextlib.suppress(ImportError):  # a Python built without it
        import readline

        readline.parse_and_bind("set enable-bracketed-paste on")
