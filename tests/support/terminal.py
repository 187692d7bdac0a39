"""A program in a terminal: a pseudo-terminal of a given width, what it shows, and what is typed."""

import contextlib
import fcntl
import io
import os
import pty
import re
import select
import struct
import sys
import termios
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.support.program import BOT, ROOT, Program
from tests.support.served import children, inherited, state
from tests.support.until import until

PROMPT = "\n>"  # the line editor moves the cursor behind it instead of writing a space
EXECUTE = "import os, sys; os.execvp(sys.argv[1], sys.argv[1:])"
_CODES = re.compile(r"\x1b\[[?0-9;]*[a-zA-Z]|\r")


class Tty(io.TextIOWrapper):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


class Terminal:
    """A started program; `shown` is what it has printed, without colours, changes of mode and carriage returns."""

    def __init__(self, code: str, arguments: Sequence[str], folder: Path, more: dict[str, str]) -> None:
        self._bytes = b""
        self._read = 0  # characters of `shown` that were waited for
        self._fd, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 80, 0, 0))
        self._program = Program(code, (*arguments,), folder, {**_environ(), **more}, (theirs, theirs, theirs))
        os.close(theirs)
        self.pid = self._program.pid

    @property
    def raw(self) -> str:
        return self._bytes.decode(errors="replace")

    @property
    def shown(self) -> str:
        return _CODES.sub("", self.raw)

    def wait(self, text: str = PROMPT, seconds: float = 60) -> str:
        """Wait until a text is shown; return what came since the last wait, up to its end."""
        end = time.monotonic() + seconds
        while text not in self.shown[self._read :]:
            assert self._more(end), f"{text!r} was not shown:\n{self.shown}"
        begin, self._read = self._read, self.shown.index(text, self._read) + len(text)
        return self.shown[begin : self._read]

    def type(self, keys: str | bytes) -> None:
        """Type keys; Enter is a carriage return."""
        os.write(self._fd, keys.encode() if isinstance(keys, str) else keys)

    def interrupt(self) -> None:
        """Press Ctrl-C while the program waits for a key: Python misses one that comes just before it waits."""
        until(lambda: state(_innermost(self.pid)) == "S")
        self.type("\x03")

    def ended(self, seconds: float = 60) -> int:
        """Wait for the end and return the exit status."""
        end = time.monotonic() + seconds
        while self._more(end):
            pass
        return self._program.wait()

    def _more(self, end: float) -> bool:
        """Read what is printed next; False at the end."""
        assert select.select([self._fd], [], [], max(end - time.monotonic(), 0))[0], f"stuck:\n{self.shown}"
        with contextlib.suppress(OSError):  # Linux reports the end as an error
            if data := os.read(self._fd, 65536):
                self._bytes += data
                return True
        return False

    def close(self) -> None:
        """Close the terminal, on which the program ends."""
        os.close(self._fd)
        self._program.wait()


def _innermost(process: int) -> int:
    """Return the console's process, which make may have started."""
    below = children(process)
    return _innermost(below[-1]) if below else process


def _environ() -> dict[str, str]:
    """Return the variables of a terminal that has colours and its own width."""
    bare = {name: value for name, value in inherited().items() if name not in {"COLUMNS", "LINES", "NO_COLOR"}}
    return {**bare, "TERM": "xterm-256color"}


@contextlib.contextmanager
def terminal(
    *arguments: str,
    environ: dict[str, str] | None = None,
    program: Sequence[str] = (),
    folder: Path = ROOT,
) -> Iterator[Terminal]:
    """Start the console with arguments, or another program, in a terminal.

    What is for Python's own start needs one: then the console is a program of its own too.
    """
    if not program and any(name.startswith(("LC_", "PYTHON")) for name in environ or {}):
        program = sys.executable, "-m", "bot", "console"
    code, begin = (EXECUTE, program) if program else (BOT, ("console",))
    started = Terminal(code, [*begin, *arguments], folder, environ or {})
    try:
        yield started
    finally:
        started.close()
