"""The pace of messages: nothing is limited before Slack refuses, then one a second; by a clock that the tests move."""

import heapq
import itertools
from types import SimpleNamespace

import pytest

from bot.model.job import TryLater
from bot.slack.client import SlackRefused
from bot.slack.pace import SPARE, Pace
from tests.support.bucket import Bucket
from tests.support.worker import Start
from tests.support.workspace import Workspace


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Replace the clock by one that stands still unless it is moved."""
    clock = [1000.0]
    for module in ("bot.slack.pace.time", "tests.support.bucket.time"):
        monkeypatch.setattr(module, SimpleNamespace(monotonic=lambda: clock[0]))
    return clock


def refused(pace: Pace, seconds: float = 1.0, job: str = "first", channel: str = "C1") -> float | None:
    """Let Slack refuse a job's answer; return how long the job has to wait."""
    with pytest.raises(TryLater) as raised, pace.turn(channel, job, 1):
        raise TryLater("ratelimited", seconds)
    return raised.value.seconds


def wait(pace: Pace, job: str, messages: int = 1, channel: str = "C1") -> float:
    """Try to send something for a job; return how long it has to wait, 0.0 when it went through."""
    try:
        with pace.turn(channel, job, messages):
            return 0.0
    except TryLater as later:
        return later.seconds or -1.0


def test_each_job_gets_its_own_time(clock: list[float]) -> None:
    """After a refusal the jobs come back one by one, the refused one when Slack says; a root's answer comes next."""
    pace = Pace()
    assert refused(pace, 7.0) == 7.0
    assert [wait(pace, "a"), wait(pace, "root", 2), wait(pace, "b"), wait(pace, "a")] == [8.0, 9.0, 11.0, 8.0]
    clock[0] += 7
    assert (wait(pace, "first"), wait(pace, "first")) == (0.0, 5.0), "a second message of it comes last"
    clock[0] += 2
    assert (wait(pace, "root", 2), wait(pace, "root"), wait(pace, "b")) == (0.0, 1.0, 2.0)
    clock[0] += 1
    assert wait(pace, "root") == 0.0
    assert refused(pace, 3.0, "a") == 3.0
    assert (wait(pace, "b"), wait(pace, "c")) == (4.0, 5.0), "whose slots Slack closed take their places again"


def test_what_may_be_left_out_goes_only_when_nobody_waits(clock: list[float]) -> None:
    """And it keeps no slot itself."""
    pace = Pace()
    refused(pace)
    assert (wait(pace, "spare", SPARE), wait(pace, "root", 2)) == (2.0, 2.0)
    clock[0] += 2
    assert (wait(pace, "spare", SPARE), wait(pace, "root", 2)) == (2.0, 0.0)
    clock[0] += 2
    assert (wait(pace, "spare", SPARE), wait(pace, "answer")) == (0.0, 1.0)


def test_a_limit_is_learnt_and_forgotten(clock: list[float]) -> None:
    """Nothing is limited before Slack refuses, nor a minute after the last slot, nor in another channel."""
    pace = Pace()
    for _ in range(2):
        assert not any(wait(pace, f"{number}", left) for number in range(100) for left in (SPARE, 1, 2))
        refused(pace)
        assert wait(pace, "a") > 0
        assert wait(pace, "a", channel="C2") == 0.0
        clock[0] += 64


def test_faults_and_refusals_for_good_are_no_limit(clock: list[float]) -> None:
    """They pass through as they are, and nobody slows down."""
    pace = Pace()
    for error in (SlackRefused("is_archived"), TryLater("timeout")):
        with pytest.raises(type(error)) as raised, pace.turn("C1", "a", 1):
            raise error
        assert raised.value is error
    assert wait(pace, "b") == 0.0


@pytest.mark.parametrize(
    ("per_second", "processes", "most"), [(0.5, 1, 1.5), (1.0, 1, 0.25), (2.0, 1, 0.25), (1.0, 2, 1.5)]
)
@pytest.mark.parametrize("late", [0.0, 1.0])
def test_all_get_through(clock: list[float], per_second: float, processes: int, most: float, late: float) -> None:
    """40 jobs of two messages each, at once, in one process or in several that do not know of each other.

    A job comes back up to `late` seconds after its time, to any process. Where Slack takes what it documents, it has to
    refuse little.
    """
    paces, limit = [Pace() for _ in range(processes)], Bucket(per_second, 5)
    turn, refusals, sent, began = itertools.count(), 0, 0, clock[0]
    due = [(clock[0], next(turn), f"{number:02}", 2) for number in range(40)]
    while due:
        at, number, job, left = heapq.heappop(due)
        clock[0] = max(clock[0], at)
        try:
            with paces[number * 7919 % 10007 % processes].turn("C1", job, left):
                if seconds := limit.take():
                    refusals += 1
                    raise TryLater("ratelimited", float(-(-seconds // 1)))
            sent += 1
            if left == 2:
                heapq.heappush(due, (clock[0], next(turn), job, 1))
        except TryLater as later:
            delay = late * ((number * 7) % 10) / 10
            heapq.heappush(due, (clock[0] + (later.seconds or 0.0) + delay, next(turn), job, left))
    assert sent == 80
    assert refusals <= most * 80
    assert clock[0] - began <= 1.5 * 75 / min(1.0, per_second)


COMMANDS = 20


def test_commands_at_once_get_through(start: Start, workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each has its root and its answer, and another channel waits for nothing.

    Anyone who has a root gets the answer next: nobody waits until all the others have their roots.
    """
    monkeypatch.setattr("bot.slack.pace.INTERVAL", 0.05)
    workspace.limit("C1", per_second=20, burst=5)
    bot = start(ADDGROUP_LANGUAGE="en")
    for number in range(COMMANDS):
        workspace.command(bot.url, f"G{number}")
        if number == COMMANDS // 2:
            workspace.command(bot.url, "Elsewhere", channel="C2")
    assert workspace.wait_for(lambda: sum(bool(m.thread_ts) for m in workspace.messages) == COMMANDS + 1, 60)
    first = [message.channel for message in workspace.messages if message.thread_ts].index("C2")
    assert first < COMMANDS
    assert len(workspace.roots("C1")) == COMMANDS
    assert not workspace.refusals["C2"]
    open_roots = [0]
    for message in (message for message in workspace.messages if message.channel == "C1"):
        open_roots.append(open_roots[-1] + (-1 if message.thread_ts else 1))
    assert max(open_roots) <= COMMANDS // 2
