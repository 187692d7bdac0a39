"""The Makefile: a set-up that recovers, and the demo as a person starts and leaves it."""

import contextlib
import fcntl
import os
import pty
import re
import select
import shutil
import struct
import subprocess
import sys
import termios
from pathlib import Path
from typing import Self

import pytest

from tests.support.program import ROOT, Program
from tests.support.served import children, inherited, state
from tests.support.until import until

MAKE = shutil.which("make") or ""

# A python3 whose venv makes a copy of it, and whose pip fails while a file says so.
PYTHON = """\
#!/bin/sh
echo "$*" >>"{log}"
case "$1 $2" in
"-m venv")
    mkdir -p "$3/bin" && cp "$0" "$3/bin/python" && ! test -e "{folder}/no-ensurepip" && touch "$3/pip" ;;
"-m pip")
    test -e .venv/pip && ! test -e "{folder}/no-network" || test "$3" = --version ;;
"-m bot")
    exit 0 ;;
esac
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with the Makefile, the locks, and `python3` in `bin`."""
    for name in ("Makefile", "requirements.txt", "requirements-dev.txt"):
        shutil.copy(ROOT / name, tmp_path)
    (tmp_path / "bin").mkdir()
    python = tmp_path / "bin" / "python3"
    python.write_text(PYTHON.format(log=tmp_path / "log", folder=tmp_path))
    python.chmod(0o755)
    return tmp_path


def make(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run make in a folder whose `bin` comes first in the path."""
    return subprocess.run(  # noqa: S603  # make, and our own words
        [MAKE, *arguments],
        cwd=folder,
        env={**inherited(), "PATH": f"{folder}/bin:{os.environ['PATH']}"},
        input="",
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def calls(folder: Path, begin: str) -> int:
    return sum(line.startswith(begin) for line in (folder / "log").read_text().splitlines())


@pytest.mark.parametrize("fault", ["no-ensurepip", "no-network"])
def test_a_set_up_that_failed_half_way_recovers(folder: Path, fault: str) -> None:
    """Without python3-venv, or interrupted while packages are installed: the next make begins again and is done."""
    (folder / fault).touch()
    assert make(folder, "demo").returncode == 2
    assert make(folder, "demo").returncode == 2
    (folder / fault).unlink()
    assert make(folder, "demo").returncode == 0
    assert calls(folder, "-m venv") == 3
    assert make(folder, "demo").returncode == 0
    assert calls(folder, "-m venv") == 3, "it is set up once"


@pytest.mark.parametrize("left", ["nothing", "no pip", "no python"])
def test_a_virtual_environment_that_is_broken_is_made_again(folder: Path, left: str) -> None:
    """An empty folder, one without pip, one whose Python was removed from the machine."""
    (folder / ".venv" / "bin").mkdir(parents=True)
    if left == "no pip":
        (folder / ".venv" / "bin" / "python").symlink_to("/bin/false")
    if left == "no python":
        (folder / ".venv" / "run").touch()
        (folder / ".venv" / "bin" / "python").symlink_to("/nonexistent/python3")
    assert make(folder, "demo").returncode == 0
    assert calls(folder, "-m venv") == 1


def test_a_virtual_environment_that_works_is_kept(folder: Path) -> None:
    """One that a person made by hand is only given the packages."""
    assert make(folder, "demo").returncode == 0
    (folder / ".venv" / "run").unlink()
    (folder / ".venv" / "own").touch()
    assert make(folder, "demo").returncode == 0
    assert (folder / ".venv" / "own").exists()


@pytest.mark.parametrize("text", ["Bob's friends", 'Say "A" parent=5', "$HOME $(x) a;b #c", "--help", "Top\n  Below"])
def test_the_text_arrives_as_it_is(folder: Path, text: str) -> None:
    """Quotes, dollars and lines of TEXT are neither the shell's nor make's."""
    assert make(folder, "demo", f"TEXT={text}").returncode == 0
    assert (folder / "log").read_text().endswith(f"-m bot console --stay -- {text}\n")


PROMPT = "\n>"  # the line editor moves the cursor behind it instead of writing a space


class Demo:
    """`make demo` in a terminal of its own, in a locale without letters; `with` closes it."""

    def __init__(self, folder: Path, text: str) -> None:
        self._printed = b""
        self._read = 0  # characters of `shown` that were waited for
        self._fd, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 80, 0, 0))
        code = "import os, sys; os.execvp(sys.argv[1], sys.argv[1:])"
        environ = {**inherited(), "TERM": "xterm-256color", "LC_ALL": "C"}
        self.program = Program(code, (MAKE, "demo", f"TEXT={text}"), folder, environ, (theirs, theirs, theirs))
        os.close(theirs)

    @property
    def shown(self) -> str:
        """What it has printed, without colours, changes of mode and carriage returns."""
        return re.sub(r"\x1b\[[?0-9;]*[a-zA-Z]|\r", "", self._printed.decode(errors="replace"))

    def does(self, keys: str, *shown: str) -> None:
        """Type keys, of which Enter is a carriage return, and wait for what is shown then, one after the other."""
        os.write(self._fd, keys.encode())
        for text in shown:
            while text not in self.shown[self._read :]:
                assert self._more(), f"{text!r} was not shown:\n{self.shown}"
            self._read = self.shown.index(text, self._read) + len(text)

    def ended(self) -> None:
        """Wait for the end; make's own status is that of the signal."""
        while self._more():
            pass

    def _more(self) -> bool:
        """Read what is printed next; False at the end."""
        assert select.select([self._fd], [], [], 60)[0], f"stuck:\n{self.shown}"
        with contextlib.suppress(OSError):  # Linux reports the end as an error
            data = os.read(self._fd, 65536)
            self._printed += data
            return bool(data)
        return False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        os.close(self._fd)  # on which the program ends
        self.program.wait()


def innermost(process: int) -> int:
    """Return the console's process, which make has started."""
    below = children(process)
    return innermost(below[-1]) if below else process


def test_make_demo_in_a_real_terminal(folder: Path) -> None:
    """No letter is lost where the locale has none, and a paste is one entry, in a field too.

    Ctrl-C while an answer is awaited reaches make too, which waits for the console: that leads back to the prompt. Who
    leaves is told what is owed, and make complains neither of that nor of a command that failed.
    """
    python = folder / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(f'#!/bin/sh\nPYTHONPATH="{ROOT}" exec "{sys.executable}" "$@"\n')
    python.chmod(0o755)
    (folder / ".venv" / "run").touch()
    with Demo(folder, "Çarşı") as demo:
        demo.does("", "Çarşı created · ID 97101", "[1]", PROMPT)
        demo.does("\r", "  |")
        demo.does("\x1b[200~Iğdır\r  Ağrı\r\x1b[201~\r", "  |")
        demo.does("\r", "97103", PROMPT)
        demo.does("list\r", "(only you see this)", "Iğdır › Ağrı", "Çarşı — ID", PROMPT)
        demo.does("VIP parent=404\r", "[1]", PROMPT)
        demo.does(":api silence\r", PROMPT)
        demo.does("Owed\r", "Waiting for the answer")
        until(lambda: state(innermost(demo.program.pid)) == "S")  # Python misses a signal that comes just before
        demo.does("\x03", "Stopped.", PROMPT)
        demo.does("quit\r", "A command is still unanswered.")
        demo.ended()
        assert "***" not in demo.shown
