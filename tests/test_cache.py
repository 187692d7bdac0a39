"""The cache: one load for all who ask at the same time, nothing too old, no failure, and not too much."""

import threading
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest

from bot.cache import Cache

PATIENCE = 30  # seconds after which a broken cache fails a test instead of hanging it


class Source:
    """What a cache loads from: records each key that was asked for; `fails` is how many of the first fail."""

    def __init__(self, fails: int = 0) -> None:
        self.loads: list[str] = []
        self.fails = fails
        self.slow = threading.Event()  # without it a load of "slow" waits

    def __call__(self, key: str) -> str:
        self.loads.append(key)
        if key == "slow":
            self.slow.wait(PATIENCE)
        if len(self.loads) <= self.fails:
            raise LookupError(key)
        return f"{key}{len(self.loads)}"


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """Give the cache a clock that stands at `now`."""
    clock = SimpleNamespace(now=1000.0)
    clock.monotonic = lambda: clock.now
    monkeypatch.setattr("bot.cache.time", clock)
    return clock


def test_all_who_ask_during_a_load_share_it() -> None:
    """However many ask at the same time, the value is loaded once; who stops waiting does not stop the load.

    Meanwhile it holds up no other key.
    """
    source = Source()
    cache = Cache(source, 10 * PATIENCE)
    with ThreadPoolExecutor(32) as pool:
        asked = [pool.submit(cache.get, "slow") for _ in range(32)]
        with pytest.raises(TimeoutError):
            cache.get("slow", timeout=0)
        assert [cache.get("a", PATIENCE), cache.get("a", PATIENCE)] == ["a2", "a2"]
        assert cache.known("slow") is None
        source.slow.set()
        assert len({future.result(PATIENCE) for future in asked}) == 1
    assert sorted(source.loads) == ["a", "slow"]


def test_a_failure_is_not_kept() -> None:
    """Anyone who asks gets the load's own error, and the next to ask loads again; what is known is never loaded."""
    source = Source(fails=2)
    cache = Cache(source, PATIENCE)
    for _ in range(2):
        with pytest.raises(LookupError):
            cache.get("a")
        assert cache.known("a") is None
    assert (cache.get("a"), len(source.loads)) == ("a3", 3)


def test_a_value_is_kept_for_its_seconds(clock: SimpleNamespace) -> None:
    """A value is served until its time is up, and loaded again from then on."""
    for passed, value in ((59.9, "a1"), (60, "a2"), (1000, "a2")):
        cache = Cache(Source(), 60)
        assert cache.get("a") == "a1"
        clock.now += passed
        assert cache.known("a") == ("a1" if value == "a1" else None)
        assert cache.get("a") == value


def test_the_oldest_gives_way(clock: SimpleNamespace) -> None:
    """More than `most` keys are never kept; the one that was loaded longest ago goes first."""
    cache = Cache(Source(), 60, most=2)
    for key, passed in (("a", 30), ("b", 30), ("a", 0), ("c", 0)):  # the second a is loaded again
        cache.get(key)
        clock.now += passed
    assert [cache.known(key) for key in "abc"] == ["a3", None, "c4"]


def test_what_is_forgotten_is_loaded_once_more() -> None:
    """After forget the next get loads; who forgets a value that is not kept any more forgets nothing."""
    cache = Cache(Source(), PATIENCE)
    cache.forget("a")
    before = cache.get("a")
    for _ in range(3):
        cache.forget("a", before)
        assert cache.get("a") == "a2"
    cache.forget("a")
    assert cache.known("a") is None
