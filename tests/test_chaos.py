"""The proof of the promises: real processes killed at random moments under load, with failing neighbours.

`make chaos` runs it for longer; CHAOS_SEED and CHAOS_SECONDS choose the run.
"""

from __future__ import annotations

import os
import random
import re
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import requests

from bot.sandbox.api import Api
from bot.sandbox.process import Served
from bot.sandbox.workspace import Workspace

SEED = int(os.environ.get("CHAOS_SEED", "0")) or random.SystemRandom().randrange(1, 10**6)
SECONDS = float(os.environ.get("CHAOS_SECONDS", "8"))
SENDERS = 4

API_FAULTS = ("close", "lost", "late", "half", "html", "shape", 503, 463)
SLACK_FAULTS = ("drop", 500, "ratelimited:1", "internal_error")


class Chaos:
    """Sends commands to bots that it kills and restarts, and remembers what was acknowledged."""

    def __init__(self, workspace: Workspace, api: Api, directory: Path, database: str, processes: int) -> None:
        self.random = random.Random(SEED)
        self.workspace, self.api, self.directory = workspace, api, directory
        self.more = {
            "DATABASE_URL": database,
            "ILETIMERKEZI_TIMEOUT": "1",
            "ADDGROUP_LANGUAGE": "en",
            "ADDGROUP_WORKERS": "8",
        }
        self.acknowledged: set[str] = set()
        self.sent = 0
        self.kills = 0
        self.bots = [self.start() for _ in range(processes)]

    def start(self) -> Served:
        return Served(self.workspace, self.api, self.directory, **self.more)

    @contextmanager
    def trouble(self) -> Iterator[None]:
        """Let the neighbours drop, delay and break a share of the calls."""
        rolls = random.Random(SEED + 1)
        self.api.delay = 0.05
        self.api.mood = lambda: rolls.choice(API_FAULTS) if rolls.random() < 0.3 else None
        self.workspace.mood = lambda: rolls.choice(SLACK_FAULTS) if rolls.random() < 0.2 else None
        yield
        self.api.mood = self.workspace.mood = lambda: None

    def send(self, until: float) -> None:
        """Type commands, some of them delivered twice, each for a group of its own."""
        rolls = random.Random(self.random.random())
        while time.monotonic() < until:
            self.sent += 1
            name = f"G-{threading.get_ident()}-{self.sent}"
            trigger = f"trigger-{name}"
            for _ in range(2 if rolls.random() < 0.2 else 1):
                bot = rolls.choice(self.bots)
                try:
                    reply = self.workspace.command(bot.url, name, trigger_id=trigger)
                except requests.RequestException:
                    time.sleep(0.05)  # nobody listens while a process restarts
                    continue
                if reply.status == 200 and not reply.text:
                    self.acknowledged.add(name)
            time.sleep(rolls.uniform(0, 0.1))

    def kill(self, until: float) -> None:
        """Kill a process at a random moment and start another in its place."""
        while time.monotonic() < until:
            time.sleep(self.random.uniform(0.2, 1.2))
            victim = self.random.randrange(len(self.bots))
            self.bots[victim].kill()
            self.kills += 1
            self.bots[victim] = self.start()

    def run(self) -> None:
        until = time.monotonic() + SECONDS
        with self.trouble(), ThreadPoolExecutor(SENDERS + 1) as pool:
            for future in [*[pool.submit(self.send, until) for _ in range(SENDERS)], pool.submit(self.kill, until)]:
                future.result()
        assert self.workspace.wait_for(lambda: self.acknowledged <= self.answers().keys(), 90), self.missing()

    def answers(self) -> dict[str, set[str]]:
        """Return the different final answers to each group's command."""
        found: dict[str, set[str]] = defaultdict(set)
        for message in tuple(self.workspace.messages):
            if message.thread_ts or message.private_to:
                found[named(message.text)].add(message.text.partition("\n\n")[0])
        return found

    def missing(self) -> str:
        return f"seed {SEED}: acknowledged but not answered: {sorted(self.acknowledged - self.answers().keys())}"


def named(text: str) -> str:
    found = re.search(r"`(G-\d+-\d+)`", text)
    return found[1] if found else ""


def test_the_promises_are_kept_through_kills(workspace: Workspace, api: Api, tmp_path: Path, database_url: str) -> None:
    """Every acknowledged command is answered, without contradiction; nothing is sent twice; every group is told."""
    chaos = Chaos(workspace, api, tmp_path, database_url, processes=1 if "sqlite" in database_url else 2)
    try:
        chaos.run()
    finally:
        for bot in chaos.bots:
            bot.kill()
    answers = chaos.answers()
    assert chaos.kills
    assert len(chaos.acknowledged) > 10, "the run was too short to prove anything"

    contradictory = {name: texts for name, texts in answers.items() if len(texts) > 1}
    assert not contradictory, f"seed {SEED}"

    sent = Counter(body["request"]["group"]["name"] for method, body in api.calls if method == "add-group")
    assert max(sent.values()) == 1, f"seed {SEED}: sent twice: {[name for name, times in sent.items() if times > 1]}"

    for group in tuple(api.groups.values()):
        if group.name != "Customers":
            (text,) = answers[group.name]
            unclear = "Unclear whether" in text
            assert unclear or ("was created" in text and f"`{group.id}`" in text), f"seed {SEED}: not told: {group}"
    for name, (text,) in answers.items():
        made = [group for group in api.groups.values() if group.name == name]
        assert ("*The group was created.*" in text) <= bool(made), f"seed {SEED}: told but not made: {name}"
