"""The pace of messages: a queue per channel that learns Slack's limit, told by a clock that the tests move."""

import heapq
import itertools
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest

from bot.model.job import TryLater
from bot.slack.client import SlackRefused
from bot.slack.pace import Pace, Rank
from tests.support.bucket import Bucket


@dataclass
class Clock:
    """A clock that stands still unless it is moved."""

    now: float = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Replace the clock, and let nobody wait in real time."""
    clock = Clock()
    monkeypatch.setattr("bot.slack.pace.time", clock)
    monkeypatch.setattr("tests.support.bucket.time", clock)
    monkeypatch.setattr("bot.slack.pace.PATIENCE", 0.0)
    return clock


def refused(pace: Pace, seconds: float = 1.0, job: str = "first", channel: str = "C1") -> float | None:
    """Let Slack refuse a job's answer; return how long the job has to wait."""
    with pytest.raises(TryLater) as raised, pace.turn(channel, job, 0.0, Rank.ANSWER):
        raise TryLater("ratelimited", seconds)
    return raised.value.seconds


def wait(pace: Pace, job: str, rank: Rank = Rank.ANSWER, since: float = 1.0, channel: str = "C1") -> float:
    """Try to send something for a job; return how long it has to wait, 0.0 when it went through."""
    try:
        with pace.turn(channel, job, since, rank):
            return 0.0
    except TryLater as later:
        return later.seconds or -1.0


def test_each_job_gets_its_own_time(clock: Clock) -> None:
    """After a refusal the jobs come back one by one, the refused one when Slack says, the older ones first."""
    pace = Pace()
    assert refused(pace, 7.0) == 7.0
    assert [wait(pace, job, since=since) for job, since in (("b", 2.0), ("a", 1.0), ("c", 3.0))] == [8.0, 8.0, 10.0]
    assert wait(pace, "b", since=2.0) == 9.0, "it gives way to the older one"


def test_answers_go_before_roots_and_roots_leave_room_for_their_answers(clock: Clock) -> None:
    """A root with a result counts twice, since its answer follows at once; what may be left out waits for all."""
    pace = Pace()
    refused(pace, 1.0)
    assert wait(pace, "root", Rank.RESULT, since=0.5) == 2.0
    assert wait(pace, "later root", Rank.RESULT, since=0.6) == 4.0
    assert wait(pace, "spare", Rank.SPARE) == 6.0
    assert wait(pace, "answer", since=9.0) == 2.0
    assert wait(pace, "root", Rank.RESULT, since=0.5) == 3.0


def test_what_may_be_left_out_goes_only_when_nobody_waits(clock: Clock) -> None:
    """However long ago the slots of the others were, and it keeps no slot itself."""
    pace = Pace()
    refused(pace, 1.0)
    clock.now += 3
    assert wait(pace, "spare", Rank.SPARE) > 0
    assert wait(pace, "first") == 0.0
    assert wait(pace, "spare", Rank.SPARE) == 0.0


def test_a_slot_is_not_kept_for_ever(clock: Clock) -> None:
    """A job that another process carries meanwhile holds nobody up."""
    pace = Pace()
    refused(pace, 1.0)
    clock.now += 5.9
    assert wait(pace, "new", Rank.SPARE) > 0
    clock.now += 0.2
    assert wait(pace, "new", Rank.SPARE) == 0.0


def test_a_limit_is_learnt_and_forgotten(clock: Clock) -> None:
    """Nothing is limited before Slack refuses, nor a minute after the last message, nor in another channel."""
    pace = Pace()
    for _ in range(2):
        assert not any(wait(pace, f"{number}", rank) for number in range(100) for rank in Rank)
        refused(pace, 1.0)
        assert wait(pace, "a") > 0
        assert wait(pace, "a", channel="C2") == 0.0
        clock.now += 62


def test_faults_and_refusals_for_good_are_no_limit(clock: Clock) -> None:
    """They pass through as they are, and nobody slows down."""
    pace = Pace()
    with pytest.raises(SlackRefused), pace.turn("C1", "a", 1.0, Rank.ANSWER):
        raise SlackRefused("is_archived")
    with pytest.raises(TryLater) as raised, pace.turn("C1", "a", 1.0, Rank.ANSWER):
        raise TryLater("timeout")
    assert raised.value.seconds is None
    assert wait(pace, "b") == 0.0


def test_messages_of_a_channel_go_one_after_another() -> None:
    """Others wait for a moment, or are told to come back; in another channel they go at the same time."""
    pace, busy, most = Pace(), itertools.count(1), 0
    lock, sending = threading.Lock(), 0

    def send(number: int) -> None:
        nonlocal sending, most
        with pace.turn("C1", f"{number}", number, Rank.ANSWER):
            with lock:
                sending += 1
                most = max(most, sending)
            next(busy)
            assert wait(pace, f"{number}", channel="C2") == 0.0
            with lock:
                sending -= 1

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(send, range(50)))
    assert (most, next(busy)) == (1, 51)


@pytest.mark.parametrize(("per_second", "processes"), [(0.5, 1), (1.0, 1), (2.0, 1), (1.0, 2), (2.0, 2)])
@pytest.mark.parametrize("late", [0.0, 1.0])
def test_a_channel_is_used_to_its_limit_with_few_refusals(
    clock: Clock, per_second: float, processes: int, late: float
) -> None:
    """40 jobs of two messages each, at once, in one process or in several that do not know of each other.

    A job comes back up to `late` seconds after its time, to any process.
    """
    paces, limit = [Pace() for _ in range(processes)], Bucket(per_second, 5)
    turn, refusals, sent, began = itertools.count(), 0, 0, clock.now
    due = [(clock.now, next(turn), f"{number:02}", Rank.RESULT) for number in range(40)]
    while due:
        at, number, job, rank = heapq.heappop(due)
        clock.now = max(clock.now, at)
        try:
            with paces[number * 7919 % 10007 % processes].turn("C1", job, float(job), rank):
                if seconds := limit.take():
                    refusals += 1
                    raise TryLater("ratelimited", float(-(-seconds // 1)))
            sent += 1
            if rank is Rank.RESULT:
                heapq.heappush(due, (clock.now, next(turn), job, Rank.ANSWER))
        except TryLater as later:
            delay = late * ((number * 7) % 10) / 10
            heapq.heappush(due, (clock.now + (later.seconds or 0.0) + delay, next(turn), job, rank))
    assert sent == 80
    assert refusals <= 80 / 4
    assert clock.now - began <= 1.3 * 75 / per_second
