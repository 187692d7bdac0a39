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


def test_long_lines_of_two_processes_do_not_mix() -> None:
    """Lines longer than a pipe takes at once stay whole, also when the pipe does not block its writers."""
    for blocking in (True, False):
        reading, writing = os.pipe()
        if not blocking:
            fcntl.fcntl(writing, fcntl.F_SETFL, os.O_NONBLOCK)
        processes = [flood(60, filler * 50_000, writing) for filler in "ab"]
        os.close(writing)
        for process in processes:
            assert process.stdin
            process.stdin.close()
        with open(reading, "rb") as pipe:  # noqa: PTH123  # a descriptor, not a path
            lines = [json.loads(line) for line in pipe]
        assert sorted(set(map(len, (line["filler"] for line in lines)))) == [50_000]
        assert [len({*line["filler"]}) for line in lines] == [1] * 120
        for process in processes:
            assert process.stdout
            process.stdout.close()
            assert process.wait(10) == 0


FORK = """
import os
from bot import log
log.configure("INFO")
log.event("parent")
pid = os.fork()
if pid == 0:
    log.event("child")
    log.flush()
    os._exit(0)
os.waitpid(pid, 0)
"""


def test_a_forked_process() -> None:
    """What a child writes is written too, and nothing twice."""
    command = [sys.executable, "-W", "ignore::DeprecationWarning", "-c", FORK]  # a fork beside the writer's thread
    ended = subprocess.run(  # noqa: S603  # our own words
        command, cwd=ROOT, env=inherited(), stderr=subprocess.PIPE, text=True, timeout=30, check=True
    )
    assert sorted(line.rpartition("=")[2] for line in ended.stderr.splitlines()) == ["child", "parent"]
