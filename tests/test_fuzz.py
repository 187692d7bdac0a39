"""Hostile input: signed nonsense and unsigned requests against a real process, the same ones in every run.

With FUZZ_SECONDS, as `make fuzz` sets it, others for that long; FUZZ_SEED chooses which.
"""

import json
import os
import random
import re
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import requests
from slack_sdk.signature import SignatureVerifier
from sqlalchemy import text

from bot.journal.database import connect
from bot.model.outcome import FollowUp
from bot.slack.messages import VERSION
from tests.support.provider import Api
from tests.support.served import Served
from tests.support.slack import answered
from tests.support.workspace import Workspace

SECONDS, REQUESTS = float(os.environ.get("FUZZ_SECONDS", "0")), 80
"""How long each of the clients sends at least, and how many requests."""

SEED = int(os.environ.get("FUZZ_SEED", "0")) or (random.SystemRandom().randrange(1, 10**6) if SECONDS else 1)

BUTTONS = (*FollowUp, "under_0", "edit_text", "more", "new", "language", "rename")
KINDS = ("block_actions", "view_submission", "view_closed", "block_suggestion", "message_action", "event_callback")
TEXTS = ("", " ", "\x00", "\u202e", "\ud800", "payload", "parent=", "help", "history", '"', "<!channel>", "{}", "1e999")
LONG_TEXTS = ("x" * 3000, "ı" * 256, "\n" * 200, "A\n B\n  C")
OTHERS: tuple[Any, ...] = (-1, 0, 10**30, None, True, [], {}, [[]], {"id": "U1"}, "U1", "C1")
SCRAPS = (*TEXTS, *LONG_TEXTS, *OTHERS)


class Fuzz:
    """Makes requests that are nearly right."""

    def __init__(self, workspace: Workspace, seed: int) -> None:
        self.random = random.Random(seed)
        self.workspace = workspace

    def scrap(self) -> Any:
        return self.random.choice(SCRAPS)

    def spoiled(self, value: Any) -> Any:
        """Return a payload in which something is missing, doubled or of another kind."""
        if self.random.random() < 0.12:
            return self.scrap()
        if isinstance(value, dict):
            kept = {key: self.spoiled(item) for key, item in value.items() if self.random.random() > 0.06}
            return {**kept, **({"extra": self.scrap()} if self.random.random() < 0.1 else {})}
        if isinstance(value, list):
            return [self.spoiled(item) for item in value if self.random.random() > 0.1]
        return value

    def command(self) -> bytes:
        text = self.random.choice(["", "help", "history", "Fuzz", f"F{self.random.random()}", str(self.scrap())])
        form = {"command": "/addgroup", "text": text, "user_id": "U1", "channel_id": "C1", **self.way_back()}
        spoiled = {key: self.spoiled(value) for key, value in form.items() if self.random.random() > 0.06}
        return urlencode({key: str(value).encode("utf-8", "replace") for key, value in spoiled.items()}).encode()

    def payload(self) -> bytes:
        button = {"action_id": self.random.choice(BUTTONS), "value": json.dumps({"v": VERSION, "job": "x"})}
        field = {"name": {"name": {"value": "F"}}, "parent": {"parent": {"selected_option": {"value": "id:5"}}}}
        kept = json.dumps({"channel": "C1", "response_url": "", "job": ""})
        view = {"id": f"V{self.random.random()}", "callback_id": "addgroup", "private_metadata": kept}
        place = {"team": {"id": "T1"}, "channel": {"id": "C1"}, "container": {"channel_id": "C1"}}
        wanted = {"action_id": "parent", "value": self.scrap(), "actions": [button]}
        form = {"view": {"type": "modal", **view, "state": {"values": field}}}
        whole = {"type": self.random.choice(KINDS), "user": {"id": "U1"}, **place, **wanted, **form, **self.way_back()}
        return urlencode({"payload": json.dumps(self.spoiled(whole))}).encode()

    def way_back(self) -> dict[str, str]:
        return {"trigger_id": str(self.random.random()), "response_url": f"{self.workspace.url}/response/U1/C1/1"}

    def noise(self) -> bytes:
        return self.random.randbytes(self.random.randrange(200))


def memory(served: Served) -> int:
    """Return the resident memory of the process, in KiB."""
    return int(re.findall(r"VmRSS:\s+(\d+)", Path(f"/proc/{served.process.pid}/status").read_text())[0])


def bombard(workspace: Workspace, url: str, seed: int) -> int:
    """Send requests until there were enough and the time is up; return how many."""
    fuzz, until, sent = Fuzz(workspace, seed), time.monotonic() + SECONDS, 0
    with requests.Session() as session:
        while sent < REQUESTS or time.monotonic() < until:
            body = fuzz.random.choice([fuzz.command, fuzz.payload, fuzz.noise])()
            headers = {"Content-Type": "application/x-www-form-urlencoded"}
            if fuzz.random.random() < 0.9:
                now, verifier = str(int(time.time())), SignatureVerifier(workspace.signing_secret)
                headers["X-Slack-Request-Timestamp"] = now
                headers["X-Slack-Signature"] = (
                    verifier.generate_signature(timestamp=now, body=body.decode("utf-8", "replace")) or ""
                )
            answer = session.post(f"{url}/slack/events", data=body, headers=headers, timeout=30)
            assert answer.status_code in (200, 400, 401, 404), f"seed {SEED}: {answer.status_code} for {body!r}"
            sent += 1
    return sent


def test_hostile_input_harms_nothing(workspace: Workspace, api: Api, tmp_path: Path) -> None:
    """The process stays up, answers with a right status, keeps memory and journal, and logs no stray traceback."""
    served = Served(workspace, api, tmp_path, DATABASE_URL=f"sqlite:///{tmp_path}/journal.db")
    try:
        bombard(workspace, served.url, SEED)  # warm
        before = memory(served)
        with ThreadPoolExecutor(4) as pool:
            sent = sum(pool.map(lambda seed: bombard(workspace, served.url, SEED + seed), range(1, 5)))
        grown = memory(served) - before
        assert requests.get(f"{served.url}/healthz", timeout=30).status_code == 200
        workspace.command(served.url, "Sane")
        assert answered(workspace, "Sane", 60)
    finally:
        assert served.stop() == 0
    # An id of 3,000 characters makes a form that Slack would refuse; no person's doing makes such an id.
    workspace.problems = [problem for problem in workspace.problems if problem != "private_metadata is too long"]
    assert grown < 80 * 1024, f"seed {SEED}: grew by {grown} KiB in {sent} requests"
    for line in served.log.read_text().splitlines():
        assert "Traceback" not in line or re.search(r"reference=|job=", line), f"seed {SEED}: {line}"
    engine = connect(f"sqlite:///{tmp_path}/journal.db")
    with engine.connect() as journal:
        assert journal.scalar(text("SELECT count(*) FROM jobs WHERE id NOT IN (SELECT job FROM steps)")) == 0
        assert journal.scalar(text("SELECT count(DISTINCT trigger) - count(*) FROM jobs")) == 0
        made = set(journal.scalars(text("SELECT group_id FROM steps WHERE state = 'created'")))
    engine.dispose()
    assert made == set(api.groups) - {"5"}, f"seed {SEED}"
