"""The processes: real ones, real signals, real settings."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from collections.abc import Set as AbstractSet
from pathlib import Path

import pytest
import requests

from bot.journal.wakeup import Wakeup
from bot.sandbox.api import Api
from bot.sandbox.process import Served, inherited, variables
from bot.sandbox.workspace import Workspace
from tests.conftest import Running

ROOT = Path(__file__).parents[1]


def serve(directory: Path, environ: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run `serve` to its end."""
    return subprocess.run(
        [sys.executable, "-m", "bot", "serve"],
        cwd=directory,
        env={**inherited(), "PYTHONPATH": str(ROOT), **environ},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def test_missing_settings_are_listed_all_at_once(tmp_path: Path) -> None:
    """Exit status 2 and one message that names each variable."""
    ended = serve(tmp_path, {"ILETIMERKEZI_API_KEY": "k", "SLACK_CLIENT_ID": "1", "SLACK_CLIENT_SECRET": "2"})
    assert ended.returncode == 2
    for name in ("SLACK_BOT_TOKEN", "SLACK_SIGNING_SECRET", "ILETIMERKEZI_API_HASH", "SLACK_CLIENT_ID"):
        assert name in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_token_that_slack_refuses_ends_the_start(workspace: Workspace, api: Api, tmp_path: Path) -> None:
    """Exit status 2, Slack's word for it, and not the token."""
    ended = serve(tmp_path, {**variables(workspace, api), "SLACK_BOT_TOKEN": "xoxb-wrong"})
    assert ended.returncode == 2
    assert "invalid_auth" in ended.stderr
    assert "xoxb-wrong" not in ended.stderr


@pytest.mark.parametrize("fault", [500, "drop", "internal_error"])
def test_a_slack_that_does_not_answer_does_not_end_the_start(
    workspace: Workspace, api: Api, tmp_path: Path, fault: int | str
) -> None:
    """Slack's outage is no reason for one of the bot's."""
    workspace.faults["auth.test"].append(fault)
    served = Served(workspace, api, tmp_path)
    assert served.stop() == 0
    assert "slack_not_asked" in served.log.read_text()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_what_was_accepted_is_answered_before_the_end(
    workspace: Workspace, api: Api, tmp_path: Path, number: signal.Signals
) -> None:
    """A signal during the API call lets it finish, answers, and exits 0."""
    served = Served(workspace, api, tmp_path)
    api.delay = 0.5
    assert workspace.command(served.url, "VIP").status == 200
    assert api.called.wait(10)
    assert served.stop(number) == 0
    assert [m.outcome for m in workspace.messages if m.thread_ts] == ["created"]


# The two processes.


@pytest.fixture
def served(workspace: Workspace, api: Api, tmp_path: Path) -> Iterator[Served]:
    served = Served(workspace, api, tmp_path)
    yield served
    served.kill()


def parts(served: Served) -> tuple[set[int], set[int]]:
    """Return the ids of the processes that take commands in, and of those that carry, as the log names them."""
    children = Path(f"/proc/{served.process.pid}/task/{served.process.pid}/children").read_text(encoding="ascii")
    log = served.log.read_text()
    fronts, carriers = ({*map(int, re.findall(f"part={part} pid=(\\d+)", log))} for part in ("front", "carrier"))
    living = set(map(int, children.split()))
    return living & fronts, living & carriers


def one_of_each(served: Served, without: AbstractSet[int] = frozenset(), seconds: float = 20) -> tuple[int, int]:
    """Wait until one process takes in and one carries, none of them among `without`, and return them."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        fronts, carriers = parts(served)
        if len(fronts) == len(carriers) == 1 and not without & (fronts | carriers):
            return fronts.pop(), carriers.pop()
        time.sleep(0.02)
    raise AssertionError(f"not one of each: {parts(served)}\n{served.log.read_text()}")


def wait_for_created(workspace: Workspace, number: int) -> bool:
    """Wait until so many answers say that a group was created."""
    return workspace.wait_for(lambda: sum(m.outcome == "created" for m in workspace.messages) == number, 20)


def until_healthy(served: Served, seconds: float = 20) -> None:
    until = time.monotonic() + seconds
    while requests.get(f"{served.url}/healthz", timeout=5).status_code != 200:
        assert time.monotonic() < until, served.log.read_text()
        time.sleep(0.02)


def test_a_killed_carrier_is_replaced_while_commands_come_in(workspace: Workspace, api: Api, served: Served) -> None:
    """Its jobs are answered by the next one, none is sent twice, and the front acknowledges meanwhile."""
    front, carrier = one_of_each(served)
    api.faults.append("silence")  # the carrier is killed before there is an answer
    assert workspace.command(served.url, "A").status == 200
    assert api.called.wait(10)
    os.kill(carrier, signal.SIGKILL)
    for number in range(10):
        reply = workspace.command(served.url, f"B{number}")
        assert (reply.status, reply.text) == (200, "")
    assert wait_for_created(workspace, 10)
    assert workspace.wait_for(lambda: any(m.outcome == "unknown" for m in workspace.messages), 20)
    assert sorted(body["request"]["group"]["name"] for method, body in api.calls if method == "add-group") == [
        "A",
        *(f"B{number}" for number in range(10)),
    ]
    assert one_of_each(served)[0] == front
    assert one_of_each(served)[1] != carrier
    assert served.stop() == 0


def test_a_killed_front_is_replaced(workspace: Workspace, api: Api, served: Served) -> None:
    """Commands are taken in again, health is well again, and what is carried is not disturbed."""
    front, carrier = one_of_each(served)
    api.delay = 0.5
    assert workspace.command(served.url, "A").status == 200
    assert api.called.wait(10)
    os.kill(front, signal.SIGKILL)
    assert one_of_each(served, {front})[1] == carrier
    assert workspace.command(served.url, "B").status == 200
    until_healthy(served)
    assert wait_for_created(workspace, 2)
    assert api.made() == 2
    assert served.stop() == 0


def test_a_hangup_leaves_one_of_each(workspace: Workspace, api: Api, served: Served) -> None:
    """SIGHUP replaces both processes, twice; what was accepted before is answered, and what comes after is taken in."""
    api.delay = 0.3
    for number in range(2):
        before = set(one_of_each(served))
        assert workspace.command(served.url, f"before {number}").status == 200
        served.process.send_signal(signal.SIGHUP)
        one_of_each(served, before)
        assert workspace.command(served.url, f"after {number}").status == 200
        assert wait_for_created(workspace, 2 * number + 2)
    until_healthy(served)
    assert api.made() == 4
    assert served.stop() == 0


def test_without_a_living_carrier_it_is_not_healthy(
    start: Callable[..., Running], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Commands would be acknowledged and not carried, which who supervises the bot learns."""
    monkeypatch.setattr(Wakeup, "beat", lambda _wakeup, _until: None)
    answer = requests.get(f"{start().url}/healthz", timeout=5)
    assert (answer.status_code, answer.text) == (503, "failing")


def test_the_log_holds_no_secret_and_no_text(workspace: Workspace, api: Api, tmp_path: Path) -> None:
    """At DEBUG too: no token, key, hash, signing secret, response URL or group name."""
    served = Served(workspace, api, tmp_path, LOG_LEVEL="DEBUG")
    workspace.command(served.url, "Secret-Customers")
    assert workspace.finished()
    requests.post(f"{served.url}/slack/events", data="text=Secret-Customers", timeout=5)
    served.stop()
    log = served.log.read_text()
    assert "event=accepted" in log
    assert "event=refused status=401" in log
    for secret in ("xoxb-", "-of-tests", "/response/", "Secret-Customers"):
        assert secret not in log


def test_a_port_in_use_is_a_failure_and_not_a_hang(workspace: Workspace, api: Api, tmp_path: Path) -> None:
    """Exit status 1 and a word about the address."""
    ended = serve(tmp_path, {**variables(workspace, api), "PORT": str(api.port)})
    assert ended.returncode == 1
    assert "in use" in ended.stderr


def test_nothing_happens_at_import() -> None:
    """Importing every module reads no environment, opens no connection and starts no thread."""
    modules = [
        ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for path in sorted((ROOT / "bot").rglob("*.py"))
        if path.name != "__main__.py"
    ]
    script = (
        "import sys, threading; seen = []\n"
        "sys.addaudithook(lambda e, a: seen.append(e) if e == 'socket.connect' else None)\n"
        f"import {', '.join(modules)}\n"
        "assert threading.active_count() == 1 and not seen, (threading.enumerate(), seen)\n"
    )
    subprocess.run([sys.executable, "-c", script], cwd=ROOT, env=dict(os.environ), timeout=30, check=True)  # noqa: S603
