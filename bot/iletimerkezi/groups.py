"""The account's groups: from names to ids, suggestions, what exists already, and looking a lost answer up."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Iterable
from typing import NamedTuple

from bot.cache import Cache
from bot.iletimerkezi.client import ApiError, Client
from bot.iletimerkezi.index import Choice, Index
from bot.log import event
from bot.model.group import Group
from bot.model.names import fold
from bot.model.outcome import NoParent

KEPT = 60.0
"""How long the list of groups is used before it is loaded again, in seconds."""

LATELY_KEPT = 1.0
"""How old what the bot has made may be in a look for a group that exists, in seconds.

Merging it takes longer the more there is, and a step that is about to be sent looks into the journal anyway.
"""

OVERLAP = 10.0
"""How far the looks at what the bot has made overlap, in seconds: longer than any transaction of the journal."""

_EVER = 86_400.0  # seconds; the journal itself looks back for some minutes
_MOST = 5  # groups named in an answer


class _Merged(NamedTuple):
    """A list, and the same with what the bot had made since, at a time of the monotonic clock."""

    listed: Index | None
    groups: Index
    at: float


class Groups:
    """Asks get-groups, on which creating a group by id never depends: an account may have add-group without it.

    One list is shared by all who ask, and loaded once however many wait for it. `lately` returns the groups that the
    bot has made in so many seconds, which the list may not hold yet. Safe to use from many threads.
    """

    def __init__(self, api: Client, lately: Callable[[float], Iterable[Group]]) -> None:
        self._api = api
        self._lately = lately
        self._lists: Cache[int, Index] = Cache(lambda _: self._load(), KEPT, most=1)
        self._generation = 0  # the key of the list that is in use
        self._lock = threading.Lock()
        self._merged = _Merged(None, Index(()), 0.0)
        self._merging = threading.Lock()
        self._unavailable_until = 0.0

    def find(self, name: str, parent_id: str) -> tuple[str, ...] | None:
        """Return the ids of the groups with this name under this parent, from a list of their own.

        None when that list cannot be read, or does not tell what lies where.
        """
        try:
            groups = self._fetch()
        except ApiError:
            return None
        wanted = fold(name)
        here = tuple(group.id for group in groups if group.parent == parent_id and fold(group.name) == wanted)
        if not here and parent_id and not any(group.parent for group in groups):
            # A list without any subgroup may be a flat one, in which the group stands among the main groups.
            return None if any(fold(group.name) == wanted for group in groups) else ()
        return here

    def existing(self, name: str, parent_id: str, seconds: float) -> tuple[str, ...] | None:
        """Return the ids of the groups with this name under this parent ("" for main groups), from the shared list.

        None when the list does not come within `seconds`, or was not available within the last minute.
        """
        if time.monotonic() < self._unavailable_until:
            return None
        try:
            return self._index(seconds, LATELY_KEPT).placed(name, parent_id)
        except (ApiError, TimeoutError):
            return None

    def path(self, identifier: str) -> str:
        """Return the names that lead to a group, as "A › B"; "" when the shared list does not have it at hand."""
        return self._merged.groups.path(identifier)

    def prefetch(self) -> None:
        """Begin to load the shared list, if it is not there and was available within the last minute; never waits."""
        if time.monotonic() >= self._unavailable_until:
            with contextlib.suppress(ApiError, TimeoutError):
                self._lists.get(self._generation, 0)

    def named(self, name: str) -> Group | NoParent:
        """Return the one group with this name, or at the end of such a path ("VIP › Ankara"), or why there is none."""
        try:
            generation = self._generation
            index = self._index()
            found = index.named(name)
            if not found:
                index = self._newer(generation)
                found = index.named(name)
        except ApiError:
            return NoParent("unavailable")
        if len(found) == 1:
            return found[0]
        candidates = found[:_MOST] or index.nearest(name, _MOST)
        return NoParent("ambiguous" if found else "missing", tuple(map(index.choice, candidates)))

    def search(self, text: str, most: int | None, seconds: float) -> list[Choice]:
        """Return up to `most` groups in the tree's order: their path has each word, or their id begins with the text.

        Raises ApiError, or TimeoutError when the list does not come within `seconds`.
        """
        return self._index(seconds).search(text, most)

    def known(self) -> list[Choice]:
        """Return the groups if the list is at hand; never waits."""
        index = self._lists.known(self._generation)
        return index.search("") if index else []

    def _index(self, seconds: float | None = None, age: float = 0.0) -> Index:
        """Return the shared list with what the bot has made since, or had until `age` seconds ago.

        Raises ApiError or TimeoutError.
        """
        listed = self._lists.get(self._generation, seconds)
        with self._merging:  # who waits here finds it done
            last, now = self._merged, time.monotonic()
            if last.listed is not listed:
                last = _Merged(listed, listed.with_more(self._lately(_EVER)), now)
            elif now - last.at >= age:
                last = _Merged(listed, last.groups.with_more(self._lately(now - last.at + OVERLAP)), now)
            self._merged = last
        return last.groups

    def _newer(self, generation: int) -> Index:
        """Return a list that was asked for after that of `generation` came: many who ask for one share it."""
        with self._lock:
            if self._generation == generation:
                self._generation += 1
        return self._index()

    def _load(self) -> Index:
        try:
            index = Index(self._fetch())
        except ApiError:
            self._unavailable_until = time.monotonic() + KEPT
            raise
        self._unavailable_until = 0.0
        return index

    def _fetch(self) -> tuple[Group, ...]:
        try:
            return self._api.get_groups()
        except ApiError as error:
            event("groups_not_read", level=logging.WARNING, reason=repr(error))
            raise
