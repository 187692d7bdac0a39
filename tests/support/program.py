"""Python programs as processes of their own, forked from one that has imported the bot: to start one takes no time.

What depends on how Python itself starts, such as its encoding, needs a process of `subprocess`.
"""

import atexit
import ctypes
import fcntl
import logging
import multiprocessing
import os
import pkgutil
import re
import signal
import subprocess
import sys
import tempfile
import termios
import threading
import time
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from importlib import import_module
from multiprocessing.connection import Connection
from multiprocessing.forkserver import _forkserver
from pathlib import Path
from typing import Self

import bot
from bot.journal import database

ROOT = Path(__file__).parents[2]

BOT = "import sys\nfrom bot.__main__ import main\nsys.exit(main())"
"""What `python -m bot` runs."""

LIMITS: dict[str, object] = {
    "bot.journal.journal.PATIENCE": 30.0,
    "bot.journal.journal.SILENT": 60.0,
    "bot.journal.holding.READ": 30.0,
    "bot.journal.database._BEGIN": re.sub(r"timeout = \d+", "timeout = 30000", database._BEGIN, count=2).replace(
        "lock_timeout = 2000", "lock_timeout = 10000"
    ),
    "bot.iletimerkezi.groups.WITHIN": 30.0,
    "bot.front.form.SOON": 30.0,
    "bot.front.form.LOOKED_UP": 20.0,
    "bot.front.form.OPENED": 30.0,
}
"""The bot's limits that a machine busy with tests may exceed, and how long they are in tests of anything else."""

PATIENT = f"from tests.support.program import wait_longer\nwait_longer()\n{BOT}"
"""What `python -m bot` runs, with LIMITS."""

_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(
    [
        *(module.name for module in pkgutil.walk_packages(bot.__path__, "bot.")),
        *("psycopg", "sqlalchemy.dialects.postgresql.psycopg", "sqlalchemy.dialects.sqlite.pysqlite"),
        __name__,
    ]
)


class Program:
    """A process that runs `code` with `arguments`; as of `subprocess.Popen`, whose names its methods have.

    It leads a session. `streams` are the files of its input, output and errors.
    """

    def __init__(
        self, code: str, arguments: tuple[str, ...], cwd: Path, env: Mapping[str, str], streams: tuple[int, int, int]
    ) -> None:
        passed = [Connection(os.dup(number)) for number in streams]
        self._process = _FORKS.Process(target=_become, args=(code, arguments, cwd, {**env}, passed), daemon=True)
        self._process.start()
        for one in passed:
            one.close()
        self.pid = self._process.pid or 0

    @property
    def returncode(self) -> int | None:
        """The exit status, a signal's number below zero, or None while it runs."""
        return self._process.exitcode

    def poll(self) -> int | None:
        return self.returncode

    def wait(self, seconds: float = 60) -> int:
        """Wait for its end, and return the exit status. Raises TimeoutExpired."""
        self._process.join(seconds)
        if self.returncode is None:
            raise subprocess.TimeoutExpired(str(self.pid), seconds)
        return self.returncode

    def send_signal(self, number: int) -> None:
        if self.returncode is None:
            with suppress(ProcessLookupError):  # it has just ended, and nobody has said so yet
                os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)
        self.wait()


class Piped(Program):
    """A program whose input and output are pipes; the end of a `with` kills it."""

    def __init__(self, code: str, *arguments: str, env: Mapping[str, str]) -> None:
        read, written = os.pipe(), os.pipe()
        super().__init__(code, arguments, ROOT, env, (read[0], written[1], 2))
        os.close(read[0])
        os.close(written[1])
        self.stdin, self.stdout = os.fdopen(read[1], "w", 1), os.fdopen(written[0])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.kill()
        self.stdin.close()
        self.stdout.close()


def wait_longer() -> None:
    """Give the bot of this process its LIMITS."""
    for name, seconds in LIMITS.items():
        module, _, constant = name.rpartition(".")
        setattr(import_module(module), constant, seconds)


def run_to_end(
    *arguments: str, code: str = BOT, cwd: Path = ROOT, env: Mapping[str, str], typed: str = "", seconds: float = 60
) -> subprocess.CompletedProcess[str]:
    """Run a program to its end with what is typed, as `subprocess.run` does."""
    with ExitStack() as stack:
        given, out, errors = (stack.enter_context(tempfile.TemporaryFile("w+")) for _ in range(3))
        given.write(typed)
        given.seek(0)
        program = Program(code, arguments, cwd, env, (given.fileno(), out.fileno(), errors.fileno()))
        stack.callback(program.kill)
        status = program.wait(seconds)
        out.seek(0)
        errors.seek(0)
        return subprocess.CompletedProcess(arguments, status, out.read(), errors.read())


def _end_with_the_tests() -> None:
    """Let the system kill this process, on Linux, with the one that forked it, which ends as its pipe closes."""
    os.close(_forkserver._forkserver_alive_fd)  # type: ignore[attr-defined]
    with suppress(AttributeError):
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


def _become(code: str, arguments: tuple[str, ...], cwd: Path, env: dict[str, str], streams: list[Connection]) -> None:
    """Make of this fork a process as it is after the start of Python, and run the program in it."""
    _end_with_the_tests()
    os.setsid()
    for number, stream in enumerate(streams):
        os.dup2(stream.fileno(), number)
        stream.close()
    if os.isatty(0):
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(env)
    time.tzset()
    sys.argv = ["-c", *arguments]
    sys.stdin = os.fdopen(0, closefd=False)
    sys.stdout = os.fdopen(1, "w", encoding=env.get("PYTHONIOENCODING"), closefd=False)
    sys.stderr = os.fdopen(2, "w", 1, errors="backslashreplace", closefd=False)
    atexit.unregister(logging.shutdown)  # from Python 3.13 on a fork forgets what was registered before it
    atexit.register(logging.shutdown)
    try:
        exec(code, {"__name__": "__main__"})  # noqa: S102  # our own words
    finally:
        threading._shutdown()  # type: ignore[attr-defined]  # which waits for threads; a fork ends without either
        atexit._run_exitfuncs()
