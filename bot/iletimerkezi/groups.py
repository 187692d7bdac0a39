"""The account's groups: from names to ids, type-ahead, and looking a lost answer up."""

from __future__ import annotations

import difflib
import logging
from collections.abc import Callable, Iterable
from concurrent.futures import TimeoutError as FutureTimeoutError

from bot.cache import Cache
from bot.iletimerkezi.client import ApiError, Client
from bot.logs import event
from bot.model.group import Group
from bot.model.names import fold
from bot.model.outcome import NoParent

KEPT = 60.0
"""How long the list of groups is used before it is asked for anew, in seconds."""

_MOST = 5  # groups named in an answer

Choice = tuple[str, str]
"""A group as people choose it: the path of names that leads to it, and its id."""


class Groups:
    """Asks get-groups, on which creating a group by id never depends: an account may have add-group without it.

    `lately` tells the groups that the bot has made just now, which the list that is kept may not hold yet.
    """

    def __init__(self, api: Client, lately: Callable[[], Iterable[Group]]) -> None:
        self._api = api
        self._lately = lately
        self._lists: Cache[str, tuple[Group, ...]] = Cache(lambda _: self._api.get_groups(), KEPT)

    def find(self, name: str, parent: str) -> tuple[str, ...] | None:
        """Return the ids of the groups with this name under this parent's id, asked now; None when it cannot be."""
        try:
            groups = self._api.get_groups()
        except ApiError as error:
            event("groups_not_read", level=logging.WARNING, reason=repr(error))
            return None
        return tuple(group.id for group in groups if group.parent == parent and fold(group.name) == fold(name))

    def named(self, name: str) -> Group | NoParent:
        """Return the one group with this name, or why there is not one."""
        try:
            groups = self._all()
            if not _with_name(groups, name):
                self._lists.forget("")  # perhaps it is newer than the list
                groups = self._all()
        except ApiError as error:
            event("groups_not_read", level=logging.WARNING, reason=repr(error))
            return NoParent("unavailable")
        found = _with_name(groups, name)
        if len(found) == 1:
            return found[0]
        if found:
            return NoParent("ambiguous", tuple(choices(groups, found[:_MOST])))
        return NoParent("missing", tuple(choices(groups, _nearest(groups, name))))

    def search(self, query: str, most: int, seconds: float) -> list[Choice]:
        """Return up to `most` groups whose path contains each word of `query`, or whose id begins with it.

        Raises ApiError or TimeoutError when the list cannot be had within `seconds`.
        """
        groups = self._all(seconds)
        words = fold(query).split()
        matching = (
            choice
            for choice in choices(groups, groups)
            if choice[1].startswith(query.strip()) or all(word in fold(choice[0]) for word in words)
        )
        return sorted(matching, key=lambda choice: fold(choice[0]))[:most]

    def known(self) -> list[Choice]:
        """Return the groups if the list is at hand; never asks."""
        groups = self._lists.known("")
        return choices(groups, groups) if groups else []

    def _all(self, seconds: float | None = None) -> tuple[Group, ...]:
        try:
            listed = self._lists.get("", seconds)
        except FutureTimeoutError as error:
            raise TimeoutError from error
        ids = {group.id for group in listed}
        return (*listed, *(group for group in self._lately() if group.id not in ids))


def choices(groups: Iterable[Group], chosen: Iterable[Group]) -> list[Choice]:
    """Return path and id of the chosen ones among all groups."""
    by_id = {group.id: group for group in groups}
    return [(_path(by_id, group), group.id) for group in chosen]


def _path(by_id: dict[str, Group], group: Group) -> str:
    names = [group.name]
    seen = {group.id}
    while (above := by_id.get(group.parent)) and above.id not in seen:
        names.append(above.name)
        seen.add(above.id)
        group = above
    return " › ".join(reversed(names))


def _with_name(groups: Iterable[Group], name: str) -> list[Group]:
    return [group for group in groups if fold(group.name) == fold(name)]


def _nearest(groups: tuple[Group, ...], name: str) -> list[Group]:
    """Return some groups whose names are nearest, the nearest first."""
    close = difflib.get_close_matches(fold(name), {fold(group.name) for group in groups}, n=3, cutoff=0.3)
    return [group for found in close for group in groups if fold(group.name) == found][:_MOST]
