"""The cache: one load for all who ask at the same time, nothing too old, no failure, and not too much."""

import threading
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest

from bot.cache import Cache

PATIENCE = 10  # seconds after which a broken cache fails a test instead of hanging it


class Source:
    """What a cache loads from: records each key that was asked for; `fails` is how many loads still fail."""

    def __init__(self, fails: int = 0) -> None:
        self.loads: list[str] = []
        self.fails = fails
        self.open = threading.Event()
        self.open.set()

    def __call__(self, key: str) -> str:
        self.loads.append(key)
        self.open.wait(PATIENCE)
        if self.fails:
            self.fails -= 1
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
    """However many ask at the same time, the value is loaded once; who stops waiting does not stop the load."""
    source = Source()
    source.open.clear()
    cache = Cache(source, PATIENCE)
    with ThreadPoolExecutor(32) as pool:
        asked = [pool.submit(cache.get, "a") for _ in range(32)]
        with pytest.raises(TimeoutError):
            cache.get("a", timeout=0)
        assert cache.known("a") is None
        source.open.set()
        assert {future.result(PATIENCE) for future in asked} == {"a1"}
    assert (cache.known("a"), source.loads) == ("a1", ["a"])


def test_keys_do_not_wait_for_each_other() -> None:
    """A slow load of one key holds up neither another load nor what is kept."""
    held, started = threading.Event(), threading.Event()

    def load(key: str) -> str:
        if key == "slow":
            started.set()
            held.wait(PATIENCE)
        return key

    cache = Cache(load, PATIENCE)
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(cache.get, "slow")
        assert started.wait(PATIENCE)
        assert [cache.get("a", PATIENCE), cache.get("a", PATIENCE)] == ["a", "a"]
        assert not slow.done()
        held.set()
        assert slow.result(PATIENCE) == "slow"


def test_a_failure_is_not_kept() -> None:
    """Anyone who asks gets the load's own error, and the next to ask loads again; what is known is never loaded."""
    source = Source(fails=2)
    cache = Cache(source, PATIENCE)
    for _ in range(2):
        with pytest.raises(LookupError):
            cache.get("a")
        assert cache.known("a") is None
    assert (cache.get("a"), len(source.loads)) == ("a3", 3)


@pytest.mark.parametrize(("passed", "value"), [(59.9, "a1"), (60, "a2"), (1000, "a2")])
def test_a_value_is_kept_for_its_seconds(clock: SimpleNamespace, passed: float, value: str) -> None:
    """A value is served until its time is up, and loaded again from then on."""
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
    clock.now += 1
    cache.get("d")
    assert [cache.known(key) for key in "abcd"] == [None, None, "c4", "d5"]


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
