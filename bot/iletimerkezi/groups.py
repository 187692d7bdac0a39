"""The account's groups: an index over them, one list that all share, and what exists already."""

from __future__ import annotations

import difflib
import logging
import re
import time
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import NamedTuple

from bot.cache import Cache
from bot.iletimerkezi.client import ApiError, Client, Rejected
from bot.log import event
from bot.model.names import BETWEEN, Group, fold
from bot.model.outcome import MOST_CHOICES, NoParent

KEPT = 60.0
"""How long the list of groups is used before it is loaded again, in seconds."""

WITHIN = 4.0
"""How long a group that is to be made waits for the list, in seconds."""

PAUSE = 5.0
"""How long groups are made without asking for a list after one that did not come, or not in time, in seconds."""

OVERLAP = 60.0
"""How much older than the list what the bot made may be and not be in it yet, in seconds."""

_DEEPEST = 20  # names in a path, those nearest to the group


class Choice(NamedTuple):
    """A group as people choose it: the path of names that leads to it, and its id."""

    path: str
    id: str


class Index:
    """Finds groups by name, by place and by part of their path; each name is folded once. It never changes.

    A list that makes no tree, with circles or with parents that are not in it, is taken as far as it goes.
    """

    def __init__(self, groups: Iterable[Group], folded: Mapping[str, str] | None = None) -> None:
        self._groups = {group.id: group for group in groups}
        self._folded = {key: (folded or {}).get(key) or fold(group.name) for key, group in self._groups.items()}
        self._named: dict[str, list[Group]] = {}
        for group in self._groups.values():
            self._named.setdefault(self._folded[group.id], []).append(group)

    def with_more(self, groups: Iterable[Group]) -> Index:
        """Return an index that also has those of these groups whose ids it does not have yet."""
        more = [group for group in groups if group.id not in self._groups]
        return Index([*self._groups.values(), *more], self._folded) if more else self

    def placed(self, name: str, parent_id: str) -> tuple[str, ...] | None:
        """Return the ids of the groups with this name under this parent ("" for main groups); None if it cannot tell.

        A list without any subgroup may be a flat one, in which the group stands among the main groups.
        """
        named = self._named.get(fold(name), ())
        here = tuple(group.id for group in named if group.parent == parent_id)
        elsewhere = named and not here and parent_id
        return None if elsewhere and not any(group.parent for group in self._groups.values()) else here

    def holds(self, identifier: str, name: str) -> bool:
        """Tell whether the group with this id is there under this name, wherever it is."""
        return self._folded.get(identifier) == fold(name)

    def named(self, name: str) -> list[Group]:
        """Return the groups with this name; where there is none, those to which it leads as a path ("VIP › Ankara")."""
        if found := self._named.get(fold(name)):
            return found
        wanted = [fold(part) for part in name.replace(">", "›").split("›")]
        ends = self._named.get(wanted[-1], ()) if len(wanted) > 1 else ()
        paths = [(group, [self._folded[part.id] for part in self._path(group)]) for group in ends]
        whole = [group for group, path in paths if path == wanted]
        return whole or [group for group, path in paths if path[-len(wanted) :] == wanted]

    def nearest(self, name: str, most: int) -> list[Choice]:
        """Return up to `most` groups that may be meant: each word is in their path, or their name is much alike.

        Marks do not count: `musteri` is near `Müşteriler`.
        """
        plain = {_unmarked(folded): folded for folded in self._named}
        names = difflib.get_close_matches(_unmarked(fold(name)), plain)
        alike = [self.choice(group) for each in names for group in self._named[plain[each]]]
        return list(dict.fromkeys([*self.search(name, most), *alike]))[:most]

    def path(self, identifier: str) -> str:
        """Return the path of the group with this id, "" if there is none."""
        return self.choice(self._groups[identifier]).path if identifier in self._groups else ""

    def choice(self, group: Group) -> Choice:
        """Return a group with its path."""
        return Choice(BETWEEN.join(part.name for part in self._path(group)), group.id)

    def search(self, text: str, most: int | None = None) -> list[Choice]:
        """Return up to `most` groups in the tree's order: their path has each word, or their id begins with the text.

        Marks do not count: `musteri` finds `Müşteriler`.
        """
        words, digits = _unmarked(fold(text)).split(), text.strip()
        found = (each for each, path in self._tree if each.id.startswith(digits) or all(word in path for word in words))
        return list(islice(found, most))

    @cached_property
    def _tree(self) -> list[tuple[Choice, str]]:
        """Every group with its path to search in: below its parent, siblings by name."""
        paths = [[(self._folded[part.id], part.id) for part in self._path(group)] for group in self._groups.values()]
        return [
            (self.choice(self._groups[path[-1][1]]), _unmarked(BETWEEN.join(folded for folded, _ in path)))
            for path in sorted(paths)
        ]

    def _path(self, group: Group) -> list[Group]:
        """Return the groups that lead to this one, the main group first; a circle ends where it closes."""
        path = {group.id: group}
        while len(path) < _DEEPEST and group.parent in self._groups and group.parent not in path:
            group = self._groups[group.parent]
            path[group.id] = group
        return list(reversed(path.values()))


def _unmarked(text: str) -> str:
    return re.sub("[\u0300-\u036f]", "", unicodedata.normalize("NFD", text))


@dataclass
class Listed:
    """The account's groups, by a list that was asked for at a time of the monotonic clock.

    `merged` also has what the bot has made since, as far as that was looked up.
    """

    index: Index
    asked_at: float
    merged: Index


class Groups:
    """Asks get-groups, on which creating a group by id never depends: an account may have add-group without it.

    One list is shared by all who ask, and loaded once however many wait for it. `lately` returns the groups that the
    bot has made in so many seconds, which the list may not hold yet. `closed` is whether the account has no get-groups
    (404), as far as is known: then it is asked again only for what a person looks up. Safe to use from many threads.
    """

    def __init__(self, api: Client, lately: Callable[[float], Iterable[Group]]) -> None:
        self._api = api
        self._lately = lately
        self._lists: Cache[None, Listed] = Cache(lambda _: self._load(), KEPT)
        self.closed = False
        self._again_at = 0.0

    def find(self, name: str, parent_id: str) -> tuple[str, ...] | None:
        """Return the ids of the groups with this name under this parent, from a list of their own.

        None when that list cannot be read, or does not tell what lies where.
        """
        try:
            return Index(self._fetch()).placed(name, parent_id)
        except ApiError:
            return None

    def listed(self, since: float = float("-inf")) -> Listed | None:
        """Return the shared list, waiting for it for WITHIN seconds; None when it does not come.

        With `since`, a time of the monotonic clock, one that was asked for after that, if it can be had.
        """
        if self.closed or time.monotonic() < self._again_at:
            return None
        listed, until = None, time.monotonic() + WITHIN
        try:
            listed = self._lists.get(None, until - time.monotonic())
            if listed.asked_at <= since:
                self._lists.forget(None, listed)
                listed = self._lists.get(None, max(0.0, until - time.monotonic()))
        except TimeoutError:
            self._again_at = time.monotonic() + PAUSE
        except ApiError:
            pass
        return listed

    def path(self, identifier: str) -> str:
        """Return the names that lead to a group, as "A › B"; "" when the shared list does not have it at hand."""
        listed = self._lists.known(None)
        return listed.merged.path(identifier) if listed else ""

    def prefetch(self) -> None:
        """Begin to load the shared list, unless it is there or was refused a moment ago; never waits."""
        if not self.closed and time.monotonic() >= self._again_at:
            self._lists.prefetch(None)

    def named(self, name: str) -> Group | NoParent:
        """Return the one group with this name, or at the end of such a path ("VIP › Ankara"), or why there is none."""
        try:
            listed = self._merge()
            found = listed.merged.named(name)
            if not found:
                self._lists.forget(None, listed)
                listed = self._merge()
                found = listed.merged.named(name)
        except ApiError:
            return NoParent("no_list" if self.closed else "unavailable")
        if len(found) == 1:
            return found[0]
        candidates = list(map(listed.merged.choice, found)) or listed.merged.nearest(name, MOST_CHOICES)
        return NoParent("ambiguous" if found else "missing", tuple(candidates[:MOST_CHOICES]))

    def search(self, text: str, most: int | None, seconds: float) -> list[Choice]:
        """Return up to `most` groups in the tree's order: their path has each word, or their id begins with the text.

        Raises ApiError, or TimeoutError when the list does not come within `seconds`.
        """
        return self._merge(seconds).merged.search(text, most)

    def called(self, name: str, seconds: float) -> list[Choice]:
        """Return the groups with this name, or at the end of such a path. Raises ApiError or TimeoutError."""
        index = self._merge(seconds).merged
        return list(map(index.choice, index.named(name)))

    def meant(self, name: str, seconds: float) -> list[Choice]:
        """Return the groups `called` so, or where there is none those with the most similar names."""
        return self.called(name, seconds) or self._merge(seconds).merged.nearest(name, MOST_CHOICES)

    def known(self) -> list[Choice]:
        """Return the groups if the list is at hand; never waits."""
        listed = self._lists.known(None)
        return listed.index.search("") if listed else []

    def _merge(self, seconds: float | None = None) -> Listed:
        """Return the shared list, with what the bot has made since. Raises ApiError or TimeoutError."""
        listed = self._lists.get(None, seconds)
        made = self._lately(time.monotonic() - listed.asked_at + OVERLAP)
        listed.merged = listed.merged.with_more(made)
        return listed

    def _load(self) -> Listed:
        asked_at = time.monotonic()
        try:
            index = Index(self._fetch())
        except ApiError:
            self._again_at = time.monotonic() + PAUSE
            raise
        self._again_at = 0.0
        return Listed(index, asked_at, index)

    def _fetch(self) -> tuple[Group, ...]:
        try:
            groups = self._api.get_groups()
        except ApiError as error:
            event("groups_not_read", level=logging.WARNING, reason=repr(error))
            self.closed = isinstance(error, Rejected) and error.code == 404
            raise
        self.closed = False
        return groups
