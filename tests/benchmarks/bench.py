"""Run the measurements: all, or those named on the command line (`python -m tests.benchmarks.bench burst answer`)."""

import argparse
import os
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

import requests

from bot.journal.database import connect
from bot.journal.journal import Journal
from bot.model.job import Job, Step
from tests.benchmarks.answer import LEAST, LEAST_AFTER_SILENCE, SLACK_CALL, Times, report, slow_down, timed
from tests.benchmarks.textbook import SECRET, add_group
from tests.support.postgresql import server
from tests.support.program import BOT
from tests.support.provider import Api
from tests.support.served import Served, free_port, listens
from tests.support.until import until
from tests.support.workspace import Reply, Workspace

ROOT = Path(__file__).parents[2]

Send = Callable[..., Reply]


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


@contextmanager
def neighbours() -> Iterator[tuple[Workspace, Api]]:
    with Workspace(SECRET) as workspace, Api() as api:
        api.key, api.hash = "k", "h"  # the textbook's
        yield workspace, api


STARTED = "import os, sys; os.execv(sys.executable, [sys.executable, '-m', 'bot', 'serve'])"
"""A serve that is not forked from what has imported it: its start and its memory are its own."""

AGING = (
    "import signal, time; real, aged = time.monotonic, []; time.monotonic = lambda: real() + 3000 * len(aged)\n"
    f"signal.signal(signal.SIGUSR1, lambda *_: aged.append(1))\n{BOT}"
)
"""A serve that becomes fifty minutes older with each SIGUSR1."""


@contextmanager
def bot(workspace: Workspace, api: Api, code: str = STARTED, **more: str) -> Iterator[Served]:
    with tempfile.TemporaryDirectory() as directory:
        settings = {"ADDGROUP_LANGUAGE": "en", "LOG_LEVEL": "ERROR", "PYTHONPATH": str(ROOT), **more}
        served = Served(workspace, api, Path(directory), code, **settings)
        try:
            yield served
        finally:
            served.kill()


@contextmanager
def served(kind: str, workspace: Workspace, api: Api) -> Iterator[tuple[str, int]]:
    """Serve the textbook's Bolt app or the bot; yield its address and process id."""
    if kind == "bot":
        with bot(workspace, api) as target:
            yield target.url, target.process.pid
        return
    port = free_port()
    command = [sys.executable, "-m", "tests.benchmarks.textbook", str(port), api.url]
    process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL)  # noqa: S603
    try:
        until(lambda: listens(port), 60)
        yield f"http://127.0.0.1:{port}", process.pid
    finally:
        process.terminate()
        process.wait()


def burst() -> None:
    """Send 100 commands at once while each API call takes 2 s: the textbook Bolt app (ack, then the call), the bot."""
    for kind in ("textbook", "bot"):
        with neighbours() as (workspace, api), served(kind, workspace, api) as (url, _):
            api.delay = 2.0
            gate = threading.Barrier(100)

            def one(
                number: int, send: Send = workspace.command, url: str = url, gate: threading.Barrier = gate
            ) -> tuple[bool, float]:
                gate.wait()
                begun = time.perf_counter()
                answered = send(url, f"burst-{number}", user=f"U{number}").status == 200
                return answered, time.perf_counter() - begun

            with ThreadPoolExecutor(100) as pool:
                results = list(pool.map(one, range(100)))
            until(lambda api=api: api.made() == 100, 60)  # type: ignore[misc]
        in_time, slowest = sum(ok and took < 3 for ok, took in results), max(took for _, took in results)
        say(f"  {kind:8} acknowledged in 3 s: {in_time:3}%  slowest {slowest:5.2f} s  API calls made {api.made()}")


def worker() -> None:
    """Count groups a second: 16 threads that only post, and the worker with 16 calls at once, in jobs and in trees."""
    count = 400
    for delay in (0.3, 0.1, 0.0):
        with neighbours() as (workspace, api):
            api.delay = delay
            session = requests.Session()
            session.mount("http://", requests.adapters.HTTPAdapter(pool_maxsize=16))

            def plain(number: int, session: requests.Session = session, api: Api = api) -> None:
                url, body = f"{api.url}/v1/add-group/json", add_group(f"plain-{number}")
                session.post(url, json=body, timeout=30).raise_for_status()

            begun = time.perf_counter()
            with ThreadPoolExecutor(16) as pool:
                list(pool.map(plain, range(count)))
            loop = count / (time.perf_counter() - begun)
            say(f"  API in {1000 * delay:3.0f} ms: requests.Session loop                   {loop:5.0f}/s")
            for label, groups in (("the worker, a group a command", 1), ("the worker, 50 groups a command", 50)):
                rate = _carried(workspace, api, count, groups)
                ratio = f"ratio {rate / loop:.2f}  (aim 0.80)"
                say(f"  API in {1000 * delay:3.0f} ms: {label:40}{rate:5.0f}/s  {ratio}")


def _carried(workspace: Workspace, api: Api, count: int, groups: int) -> float:
    """Return how many groups a second the bot makes of as many that wait for it, from the first to the last."""
    with _sqlite() as (url,):
        _leave(url, count, groups)
        before = api.made()
        with bot(workspace, api, DATABASE_URL=url):
            until(lambda: api.made() > before)
            begun = time.perf_counter()
            until(lambda: api.made() >= before + count, 300)
            return count / (time.perf_counter() - begun)


def _leave(url: str, count: int, groups: int = 1) -> None:
    """Leave jobs behind as a process does that dies after it has taken them: so many groups, so many in a job."""
    journal = Journal(url)
    journal.open()
    journal.keep()
    for first in range(0, count, groups):
        names = [Step(place, f"orphan-{groups}-{first + place}") for place in range(groups)]
        journal.accept(Job(f"U{first // groups % 50}", "C1", f"t{first}", "x", names, language="en"))
    journal.close()


def size() -> None:
    """Accept a command with 0, 10,000 and 1,000,000 jobs in the journal, each in turn."""
    sizes = (0, 10_000, 1_000_000)
    for kind, urls_of in (("SQLite", _sqlite), ("PostgreSQL", _postgresql)):
        with urls_of(len(sizes)) as urls, ExitStack() as stack:
            books = []
            for count, url in zip(sizes, urls, strict=True):
                books.append(Journal(url))
                stack.callback(books[-1].close)
                books[-1].open()
                _fill(url, count)
            took: list[list[float]] = [[] for _ in sizes]
            for number in range(500):
                for book, its in zip(books, took, strict=True):
                    job = Job(f"U{number % 50}", "C1", f"s{number}", "x", [Step(0, f"size-{number}")])
                    begun = time.perf_counter()
                    book.accept(job)
                    its.append(1000 * (time.perf_counter() - begun))
        first = statistics.median(took[0])
        for count, its in zip(sizes, took, strict=True):
            median = statistics.median(its)
            say(f"  {kind:10} {count:9,} jobs: median {median:5.2f} ms  ratio {median / first:.2f}  (aim 1.25)")


def _fill(url: str, count: int) -> None:
    """Write finished jobs straight into the tables."""
    engine = connect(url)
    for first in range(0, count, 50_000):
        last = min(first + 50_000, count) - 1
        numbers = f"WITH RECURSIVE n(i) AS (SELECT {first} UNION ALL SELECT i + 1 FROM n WHERE i < {last})"
        job = "'j' || i, 'f' || i, 'j' || i, 'U1', 'U1', 'C1', 'x', 'en', i, i, 0, 0, 0, i, i"
        with engine.begin() as connection:
            connection.exec_driver_sql(
                f'{numbers} INSERT INTO jobs (id, "trigger", origin, "user", asker, channel, typed, language, '
                f"accepted_at, due_at, attempts, faults, root_final, answered_at, closed_at) SELECT {job} FROM n"
            )
            connection.exec_driver_sql(
                f"{numbers} INSERT INTO steps (job, position, name, name_key, parent_key, state, group_id, settled_at) "
                "SELECT 'j' || i, 0, 'Old ' || i, 'old ' || i, '', 'created', CAST(i AS TEXT), i FROM n"
            )
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT", reading=True) as connection:
        connection.exec_driver_sql("ANALYZE")
    engine.dispose()


@contextmanager
def _sqlite(count: int = 1) -> Iterator[list[str]]:
    with tempfile.TemporaryDirectory() as directory:
        yield [f"sqlite:///{directory}/journal{number}.db" for number in range(count)]


@contextmanager
def _postgresql(count: int) -> Iterator[list[str]]:
    with server() as running:
        for number in range(count):
            running.psql(f"CREATE DATABASE journal{number}")
        yield [str(running.get_uri(f"journal{number}")) for number in range(count)]


def orphans() -> None:
    """Take up 1,000 jobs that a crash left."""
    with neighbours() as (workspace, api), _sqlite() as (url,):
        _leave(url, 1000)
        begun = time.perf_counter()
        with bot(workspace, api, DATABASE_URL=url):
            until(api.made)
            first = time.perf_counter() - begun
            until(lambda: api.made() >= 1000, 300)
            last = time.perf_counter() - begun
            say(f"  1,000 orphans: the first is sent {first:.2f} s after the start, the last {last:.1f} s")


def start() -> None:
    """Start to first ack, and memory at rest and after 10,000 commands: the textbook's Bolt app, the bot."""
    figures: dict[str, tuple[float, int, int]] = {}
    for kind in ("textbook", "bot"):
        with neighbours() as (workspace, api):
            begun = time.perf_counter()
            with served(kind, workspace, api) as (url, pid), ThreadPoolExecutor(8) as pool:
                workspace.command(url, "first")
                first = time.perf_counter() - begun
                rest = _memory(pid)
                for turn in range(25):
                    for number in range(400):
                        pool.submit(workspace.command, url, f"start-{turn}-{number}", user=f"U{number % 50}")
                    until(lambda most=400 * turn + 401, api=api: api.made() >= most, 300)  # type: ignore[misc]
                figures[kind] = first, rest, _memory(pid)
        first, rest, later = figures[kind]
        say(f"  {kind:14} first ack after {first:.2f} s  memory {rest} MB at rest, {later} MB after 10,000 commands")
    ratios = " ".join(f"{mine / its:.1f}" for mine, its in zip(figures["bot"], figures["textbook"], strict=True))
    say(f"  ratios, the bot : the textbook's app     {ratios}")


def _memory(pid: int) -> int:
    """Return what a process has of the memory, shared pages by their share, in MB."""
    (found,) = re.findall(r"^Pss:\s+(\d+)", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.MULTILINE)
    return int(found) // 1024


def limits() -> None:
    """Send 40 commands at once in a channel that takes one message a second, 5 at once; another channel beside it."""
    with neighbours() as (workspace, api):
        workspace.limit("C1", per_second=1.0, burst=5)
        api.delay = 0.25
        with bot(workspace, api) as served:
            begun = time.perf_counter()
            with ThreadPoolExecutor(40) as pool:
                list(pool.map(lambda number: workspace.command(served.url, f"limits-{number}"), range(40)))
            workspace.command(served.url, "elsewhere", channel="C2")
            workspace.wait_for(lambda: any(m.channel == "C2" and m.thread_ts for m in workspace.messages), 60)
            elsewhere = time.perf_counter() - begun
            workspace.wait_for(lambda: sum(bool(m.thread_ts) for m in workspace.messages) == 41, 300)
            took = time.perf_counter() - begun
    posts = sum(m.channel == "C1" for m in workspace.messages)
    refusals = workspace.refusals["C1"]
    say(f"  {posts} messages in {took:.1f} s, the least is 75 s: ratio {took / 75:.2f}")
    say(f"  refusals {refusals}: {refusals / posts:.2f} for each message  (aim 0.25)")
    say(f"  the answer in another channel came after {elsewhere:.1f} s")
    say(f"  connections to Slack: {workspace.connections} for {len(workspace.calls)} calls")


def answer() -> None:
    """Measure from Enter to root, answer and final root: for a known and an unknown person and a tree of 50."""
    with neighbours() as (workspace, api), bot(workspace, api, AGING, ADDGROUP_LANGUAGE="auto") as served:
        slow_down(workspace, api)
        timed(workspace, served.url, "warm")
        before = workspace.connections, len(workspace.calls)
        known = [timed(workspace, served.url, f"known-{number}") for number in range(10)]
        unknown = [timed(workspace, served.url, f"unknown-{n}", f"U{100 + n}") for n in range(5)]
        trees = [timed(workspace, served.url, "\n".join(f"tree-{n}-{i:02}" for i in range(50))) for n in range(3)]
        opened, calls = workspace.connections - before[0], len(workspace.calls) - before[1]
    say(report("a known person", known, LEAST, 1.1))
    say(report("an unknown one", unknown, LEAST, 1.75))
    say(report("a tree of 50", trees, 4 * (LEAST - SLACK_CALL) + SLACK_CALL, 1.5))
    say(f"  connections to Slack: {opened} more for {calls} calls")


def silence() -> None:
    """Measure the same for the first command after fifty minutes in which nobody asked for anything."""
    for label, user, aim in (("a known person", "U1", 1.08), ("an unknown one", "U2", 1.15)):
        times: list[Times] = []
        for number in range(5):
            more = {"ADDGROUP_LANGUAGE": "auto", "LOG_LEVEL": "INFO"}
            with neighbours() as (workspace, api), bot(workspace, api, AGING, **more) as served:
                slow_down(workspace, api)
                timed(workspace, served.url, "before")
                until(lambda log=served.log: "event=done" in log.read_text())  # type: ignore[misc]
                served.process.send_signal(signal.SIGUSR1)
                workspace.hang_up()
                times.append(timed(workspace, served.url, f"after-{number}", user))
        say(report(label, times, LEAST_AFTER_SILENCE, aim))


MEASUREMENTS: dict[str, Callable[[], None]] = {
    function.__name__: function for function in (burst, answer, silence, limits, worker, size, orphans, start)
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*MEASUREMENTS, []])
    for name in parser.parse_args().names or MEASUREMENTS:
        say(f"{name}: {MEASUREMENTS[name].__doc__}")
        say(f"  alone: python -m tests.benchmarks.bench {name}   ({os.cpu_count()} cores, {time.strftime('%Y-%m-%d')})")
        MEASUREMENTS[name]()


if __name__ == "__main__":
    main()
