"""Run the measurements: all, or those named on the command line (`python -m tests.benchmarks.bench ack burst`)."""

from __future__ import annotations

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

import requests

from bot.journal.database import connect
from bot.journal.journal import Journal
from bot.model.job import Job, Step
from bot.sandbox.api import Api
from tests.benchmarks.answer import LEAST, SLACK_CALL, report, slow_down, timed
from tests.benchmarks.apps import SECRET, add_group
from tests.benchmarks.client import signed
from tests.support.postgresql import server
from tests.support.served import Served, free_port
from tests.support.workspace import Workspace

ROOT = Path(__file__).parents[2]


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


@contextmanager
def neighbours() -> Iterator[tuple[Workspace, Api]]:
    with Workspace(SECRET) as workspace, Api("k", "h") as api:
        yield workspace, api


@contextmanager
def bolt(kind: str, api: str = "") -> Iterator[tuple[str, int]]:
    """Serve a bare Bolt app; yield its address and process id."""
    port = free_port()
    command = [sys.executable, "-m", "tests.benchmarks.apps", kind, str(port), api]
    process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL)  # noqa: S603
    try:
        while True:
            try:
                requests.get(f"http://127.0.0.1:{port}/", timeout=1)
                break
            except requests.RequestException:
                time.sleep(0.01)
        yield f"http://127.0.0.1:{port}", process.pid
    finally:
        process.terminate()
        process.wait()


@contextmanager
def bot(workspace: Workspace, api: Api, **more: str) -> Iterator[Served]:
    with tempfile.TemporaryDirectory() as directory:
        settings = {"ADDGROUP_LANGUAGE": "en", "LOG_LEVEL": "ERROR", **more}
        served = Served(workspace, api, Path(directory), **settings)
        try:
            yield served
        finally:
            served.kill()


def acks(url: str, connections: int, each: int, label: str) -> tuple[list[float], float]:
    """Send commands from a process of their own; return the sorted latencies, in ms, and commands a second."""
    command = [sys.executable, "-m", "tests.benchmarks.client", url, str(connections), str(each), label]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, check=True)  # noqa: S603
    took, seconds = json.loads(done.stdout)
    return sorted(took), len(took) / seconds


def ack() -> None:
    """Compare acks: bare Bolt apps, and the bot with its journal while it carries what it has taken in."""
    kinds = ("default", "before", "durable", "bot", "busy")
    took: dict[tuple[str, int], list[float]] = defaultdict(list)
    rates: dict[tuple[str, int], list[float]] = defaultdict(list)
    for connections, each in ((1, 200), (32, 25)):
        for kind in kinds * 3:  # in turns, so that all of them have the same luck with the machine
            with neighbours() as (workspace, api):
                api.delay = 0.3 if kind == "bot" else 0.0
                with bot(workspace, api) if kind in ("bot", "busy") else bolt(kind) as target:
                    url = target.url if isinstance(target, Served) else target[0]
                    acks(url, 1, 30, f"warm{connections}")
                    more, rate = acks(url, connections, each, f"run{connections}")
            took[kind, connections] += more
            rates[kind, connections].append(rate)
    labels = {
        "default": "bare Bolt app, Bolt's defaults",
        "before": "bare Bolt app, process_before_response",
        "durable": "the same, with one synced insert by hand",
        "bot": "the bot; an API call takes 0.3 s",
        "busy": "the bot; the API answers at once",
    }
    median = {key: statistics.median(values) for key, values in took.items()}
    tail = {key: sorted(values)[int(0.99 * len(values))] for key, values in took.items()}
    rate_of = {key: statistics.median(values) for key, values in rates.items()}
    for (kind, connections), value in median.items():
        figures = f"median {value:6.2f} ms  p99 {tail[kind, connections]:6.2f} ms  {rate_of[kind, connections]:5.0f}/s"
        say(f"  {labels[kind]:40} {connections:2} connections: {figures}")
    for kind in ("bot", "busy"):
        say(f"  {labels[kind]}:")
        say(f"    median at 1  : Bolt's defaults  {median[kind, 1] / median['default', 1]:.2f}  (aim 0.10)")
        say(f"    median at 1  : synced insert    {median[kind, 1] / median['durable', 1]:.2f}")
        say(f"    rate at 32   : before_response  {rate_of[kind, 32] / rate_of['before', 32]:.2f}  (aim 0.70)")
        say(f"    p99 at 32    : before_response  {tail[kind, 32] / tail['before', 32]:.2f}  (aim 3)")


def burst() -> None:
    """Send 100 commands at once while each API call takes 2 s: the textbook Bolt app (ack, then the call), the bot."""
    for kind in ("textbook", "bot"):
        with neighbours() as (workspace, api):
            api.delay = 2.0
            with bot(workspace, api) if kind == "bot" else bolt("default", api.url) as target:
                url = target.url if isinstance(target, Served) else target[0]
                gate = threading.Barrier(100)

                def one(number: int, url: str = url, gate: threading.Barrier = gate) -> tuple[int, float]:
                    body, headers = signed(f"burst-{number}")
                    gate.wait()
                    begun = time.perf_counter()
                    answer = requests.post(f"{url}/slack/events", data=body, headers=headers, timeout=60)
                    return answer.status_code, time.perf_counter() - begun

                with ThreadPoolExecutor(100) as pool:
                    results = list(pool.map(one, range(100)))
                in_time = sum(status == 200 and took < 3 for status, took in results)
                until = time.monotonic() + 60
                while api.made() < 100 and time.monotonic() < until:
                    time.sleep(0.1)
        slowest = max(took for _, took in results)
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
            while api.made() == before:
                time.sleep(0.001)
            begun = time.perf_counter()
            while api.made() < before + count:
                time.sleep(0.005)
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
            while api.made() < 1:
                time.sleep(0.005)
            first = time.perf_counter() - begun
            while api.made() < 1000:
                time.sleep(0.01)
            last = time.perf_counter() - begun
            say(f"  1,000 orphans: the first is sent {first:.2f} s after the start, the last {last:.1f} s")


def start() -> None:
    """Start to first ack, and memory at rest and after 10,000 commands: the bare Bolt app, the bot."""
    figures: dict[str, tuple[float, int, int]] = {}
    for kind in ("default", "bot"):
        with neighbours() as (workspace, api):
            begun = time.perf_counter()
            with bot(workspace, api) if kind == "bot" else bolt(kind) as target:
                url, pids = (target.url, target.pids()) if isinstance(target, Served) else (target[0], [target[1]])
                _first_ack(url)
                first = time.perf_counter() - begun
                rest = _memory(pids)
                for turn in range(25):
                    acks(url, 8, 50, f"turn{turn}")
                    while kind == "bot" and api.made() < 400 * (turn + 1) + 1:
                        time.sleep(0.05)
                figures[kind] = first, rest, _memory(pids)
        first, rest, later = figures[kind]
        label = "bare Bolt app" if kind == "default" else "the bot"
        say(f"  {label:14} first ack after {first:.2f} s  memory {rest} MB at rest, {later} MB after 10,000 commands")
    ratios = " ".join(f"{mine / its:.1f}" for mine, its in zip(figures["bot"], figures["default"], strict=True))
    say(f"  ratios, the bot : the bare app           {ratios}")


def _first_ack(url: str) -> None:
    body, headers = signed("first")
    requests.post(f"{url}/slack/events", data=body, headers=headers, timeout=30).raise_for_status()


def _memory(pids: list[int]) -> int:
    """Return what processes have of the memory, shared pages by their share, in MB."""
    found = re.findall(
        r"^Pss:\s+(\d+)", "".join(Path(f"/proc/{pid}/smaps_rollup").read_text() for pid in pids), re.MULTILINE
    )
    return sum(map(int, found)) // 1024


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
    """Measure from Enter to root, answer and final root, for a known and an unknown person and a tree of 50."""
    with neighbours() as (workspace, api), bot(workspace, api, ADDGROUP_LANGUAGE="auto") as served:
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


MEASUREMENTS: dict[str, Callable[[], None]] = {
    function.__name__: function for function in (ack, burst, answer, limits, worker, size, orphans, start)
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
