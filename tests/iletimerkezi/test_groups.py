"""The account's groups: one shared list, kept for a minute, on which nothing waits longer than it says."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest

from bot.iletimerkezi import groups as module
from bot.iletimerkezi.client import ApiError
from bot.iletimerkezi.groups import Groups
from bot.model.names import Group
from bot.model.outcome import NoParent
from tests.support.peer import AMPLE
from tests.support.provider import Api, client
from tests.support.until import until

UNREADABLE: tuple[int | str, ...] = (401, 404, 503, "close", "html", "half")


@pytest.fixture
def lately() -> list[Group]:
    """Return what the bot has made just now."""
    return []


@pytest.fixture
def groups(api: Api, lately: list[Group]) -> Groups:
    return Groups(client(api), lambda _seconds: lately)


def placed(groups: Groups, name: str, parent_id: str) -> tuple[str, ...] | None:
    """Return what a group that is to be made sees of the list, None without one."""
    listed = groups.listed()
    return listed.index.placed(name, parent_id) if listed else None


def test_what_exists_is_known_from_one_list(api: Api, groups: Groups) -> None:
    """However many ask, also at once, there is one call; a group is another one under another parent."""
    api.add("VIP", "5", "6")
    api.add("vıp", "5", "7")
    with ThreadPoolExecutor(16) as pool:
        found = list(pool.map(lambda _: placed(groups, "ViP", "5"), range(64)))
    assert found == [("6", "7")] * 64
    assert placed(groups, "VIP", "") == ()
    assert placed(groups, "CUSTOMERS", "") == ("5",)
    assert api.made("get-groups") == 1


def test_a_list_that_is_late_is_waited_for_once(api: Api, groups: Groups, monkeypatch: pytest.MonkeyPatch) -> None:
    """Then for a while by nobody; it is one call all the while, and serves those who come when it is there."""
    gate = api.gates["get-groups"] = threading.Event()
    monkeypatch.setattr(module, "WITHIN", 0.05)
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda _: groups.listed(), range(4))) == [None] * 4
    monkeypatch.setattr(module, "WITHIN", AMPLE)
    assert groups.listed() is None
    with pytest.raises(TimeoutError):
        groups.search("cus", 5, 0.01)
    assert groups.known() == []
    gate.set()
    until(groups.known)
    assert groups.search("cus", 5, AMPLE) == [("Customers", "5")]
    assert placed(groups, "Customers", "") == ("5",)
    assert api.made("get-groups") == 1


@pytest.mark.parametrize("fault", UNREADABLE)
def test_a_list_that_did_not_come_is_left_alone_for_a_while(
    api: Api, groups: Groups, monkeypatch: pytest.MonkeyPatch, fault: int | str
) -> None:
    """It is not asked for by each group; a 404 says that there is none, and then only a person asks again."""
    clock = SimpleNamespace(now=time.monotonic())
    clock.monotonic = lambda: clock.now
    monkeypatch.setattr(module, "time", clock)
    api.mood = lambda: fault
    for _ in range(5):
        assert groups.listed() is None
        groups.prefetch()
    assert api.made("get-groups") == 1
    assert groups.closed == (fault == 404)
    assert groups.named("Customers") == NoParent("no_list" if fault == 404 else "unavailable")
    with pytest.raises(ApiError):
        groups.search("", 5, AMPLE)
    api.mood = lambda: None
    clock.now += module.PAUSE
    if fault == 404:
        assert (groups.listed(), groups.closed) == (None, True)
        assert groups.named("Customers") == Group("5", "Customers")
    assert placed(groups, "Customers", "") == ("5",)
    assert not groups.closed


def test_a_newer_list_is_one_for_all_who_ask(api: Api, groups: Groups) -> None:
    """Where the kept one is not new enough; without another, the kept one is better than none."""
    first = groups.listed()
    since = time.monotonic()
    api.add("VIP", "5", "6")
    assert first
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: groups.listed(since), range(8)))
    assert all(each and each.asked_at > since and each.index.holds("6", "vip") for each in found)
    assert api.made("get-groups") == 2
    api.list_faults.append(401)
    assert groups.listed(time.monotonic()) == found[0]


def test_what_the_bot_made_joins_the_list(api: Api, groups: Groups, lately: list[Group]) -> None:
    """In every look-up of a name, without another call."""
    assert groups.search("vip", 5, AMPLE) == []
    lately.append(Group("9", "VIP", "5"))
    assert groups.named("VIP") == Group("9", "VIP", "5")
    assert groups.search("vip", 5, AMPLE) == [("Customers › VIP", "9")]
    lately.append(Group("10", "Ankara", "9"))
    assert groups.named("VIP › Ankara") == Group("10", "Ankara", "9")
    assert api.made("get-groups") == 1


def test_a_parent_that_is_newer_than_the_list(api: Api, groups: Groups) -> None:
    """A name that is missing is looked for in a new list."""
    groups.listed()
    api.add("New", "", "8")
    assert groups.named("New") == Group("8", "New")
    assert api.made("get-groups") == 2
    assert groups.named("Custommers") == NoParent("missing", (("Customers", "5"),))
    assert api.made("get-groups") == 3


def test_names_that_several_groups_have(api: Api, groups: Groups) -> None:
    """Up to five of them are told, with their paths; a path tells them apart."""
    for number in range(10, 20):
        api.add(f"Şube {number}", "", str(number))
        api.add("VIP", str(number), f"{number}0")
    found = tuple((f"Şube {number} › VIP", f"{number}0") for number in range(10, 15))
    assert groups.named("vip") == NoParent("ambiguous", found)
    assert groups.named("şube 13 › vip") == Group("130", "VIP", "13")


def test_a_lost_answer_is_looked_up_in_a_list_of_its_own(api: Api, groups: Groups) -> None:
    """The kept list is older than the lost request; without a list nothing is known.

    One of the published shapes shows no subgroups: a main group of that name may be the one that is looked for.
    """
    assert placed(groups, "VIP", "5") == ()
    api.add("VIP", "", "6")
    assert (groups.find("vip", "5"), groups.find("Ankara", "5"), groups.find("VIP", "")) == (None, (), ("6",))
    api.add("Ankara", "5", "7")
    assert (groups.find("vip", "5"), groups.find("Ankara", "5")) == ((), ("7",))
    for fault in UNREADABLE:
        api.list_faults.append(fault)
        assert (fault, groups.find("Ankara", "5")) == (fault, None)
