"""The writer of the log: standard error that is slow, stuck, closed or shared stops nothing and mixes nothing."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
from pathlib import Path

from bot.log import MOST_WAITING
from tests.support.served import inherited

ROOT = Path(__file__).parents[1]

FLOOD = """
import os, sys
from bot.log import configure, event
configure("INFO", "json")
for number in range(int(sys.argv[1])):
    event("told", number=number, filler=sys.argv[2])
os.write(1, b"done\\n")
sys.stdin.readline()
"""


def flood(count: int, filler: str, stderr: int) -> subprocess.Popen[bytes]:
    """Start a process that logs so many events with a filler, says that it is done, and waits for a line."""
    return subprocess.Popen(  # noqa: S603  # our own words
        [sys.executable, "-c", FLOOD, str(count), filler],
        cwd=ROOT,
        env=inherited(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=stderr,
    )


def test_standard_error_that_nobody_reads() -> None:
    """The process goes on; once somebody reads, the lines come, and how many were dropped is told."""
    reading, writing = os.pipe()
    process = flood(MOST_WAITING + 3000, "x" * 100, writing)
    os.close(writing)
    assert process.stdout
    assert process.stdout.readline() == b"done\n"
    assert process.stdin
    lines = []
    with open(reading, "rb") as pipe:  # noqa: PTH123  # a descriptor, not a path
        for line in pipe:
            lines.append(json.loads(line))
            if lines[-1]["event"] == "log_lines_dropped":
                process.stdin.close()
    assert process.wait(30) == 0
    process.stdout.close()
    (dropped,) = [line["count"] for line in lines if line["event"] == "log_lines_dropped"]
    numbers = [line["number"] for line in lines if line["event"] == "told"]
    assert dropped > 0
    assert numbers == list(range(len(numbers)))
    assert dropped + len(numbers) == MOST_WAITING + 3000


def test_the_end_of_the_process_is_not_held_up() -> None:
    """A process whose lines nobody ever reads still ends, and with its own exit status."""
    reading, writing = os.pipe()
    process = flood(5000, "x" * 100, writing)
    os.close(writing)
    assert process.communicate(b"\n", timeout=30)[0] == b"done\n"
    assert process.returncode == 0
    os.close(reading)


def test_a_standard_error_that_is_closed() -> None:
    """Without a standard error, and with one whose reader is gone, the process goes on."""
    reading, writing = os.pipe()
    os.close(reading)
    gone = flood(3, "x", writing)
    os.close(writing)
    assert gone.communicate(b"\n", timeout=30)[0] == b"done\n"
    assert gone.returncode == 0
    shell = ["/bin/sh", "-c", 'exec "$0" -c "$1" 3 x 2>&-', sys.executable, FLOOD]
    closed = subprocess.run(  # noqa: S603  # our own words
        shell, cwd=ROOT, env=inherited(), input=b"\n", stdout=subprocess.PIPE, timeout=30, check=True
    )
    assert closed.stdout == b"done\n"


def test_a_standard_error_that_does_not_block() -> None:
    """Where the process that started this one made it so, every line comes, whole."""
    reading, writing = os.pipe()
    fcntl.fcntl(writing, fcntl.F_SETFL, os.O_NONBLOCK)
    process = flood(60, "x" * 15_000, writing)
    os.close(writing)
    with open(reading, "rb") as pipe:  # noqa: PTH123  # a descriptor, not a path
        assert process.stdin
        process.stdin.close()
        lines = [json.loads(line) for line in pipe]
    assert [(line["number"], len(line["filler"])) for line in lines] == [(number, 15_000) for number in range(60)]
    assert process.stdout
    process.stdout.close()
    assert process.wait(30) == 0


UNCAUGHT = """
import threading
from bot.log import configure
configure("INFO", "json", ["a-secret"])
def fail():
    raise ValueError("a-secret https://hooks.slack.com/commands/hidden")
thread = threading.Thread(target=fail)
thread.start()
thread.join()
fail()
"""


def test_what_no_part_catches() -> None:
    """It is an event as well, without secrets, in the form that was asked for; the process ends with status 1."""
    command = [sys.executable, "-c", UNCAUGHT]
    ended = subprocess.run(  # noqa: S603  # our own words
        command, cwd=ROOT, env=inherited(), stderr=subprocess.PIPE, text=True, timeout=30, check=False
    )
    lines = [json.loads(line) for line in ended.stderr.splitlines()]
    assert [(line["event"], line["traceback"].rpartition("\n")[2]) for line in lines] == [
        (event, "ValueError: … https://hooks.slack.com/…") for event in ("thread_crashed", "crashed")
    ]
    assert ended.returncode == 1
