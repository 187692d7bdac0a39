"""The account's groups: from names to ids, suggestions, what exists already, and looking a lost answer up."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import NamedTuple

from bot.cache import Cache
from bot.iletimerkezi.client import ApiError, Client, Rejected
from bot.iletimerkezi.index import Choice, Index
from bot.log import event
from bot.model.names import Group
from bot.model.outcome import NoParent

KEPT = 60.0
"""How long the list of groups is used before it is loaded again, in seconds."""

WITHIN, LATE_WITHIN = 4.0, 1.0
"""How long a group that is to be made waits for the list, in seconds: as a rule, and after a list that did not come."""

CLOSED_FOR = 3600.0
"""How long it is remembered that the account has no get-groups (404), in seconds."""

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 30.0
"""How long after a list that did not come another is asked for in the background, in seconds."""

OVERLAP = 10.0
"""How far the looks at what the bot has made overlap, in seconds: longer than any transaction of the journal."""

_NO_METHOD, _PASSING = 404, 503  # codes of Rejected
_EVER = 86_400.0  # seconds; the journal itself looks back for some minutes
_MOST = 5  # groups named in an answer


@dataclass(frozen=True)
class Listed:
    """The account's groups, by a list that was asked for at a time of the monotonic clock."""

    index: Index
    asked_at: float


class _Merged(NamedTuple):
    """A list, and the same with what the bot had made since, at a time of the monotonic clock."""

    listed: Listed | None
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
        self._lists: Cache[int, Listed] = Cache(lambda _: self._load(), KEPT, most=1)
        self._generation = 0  # the key of the list that is in use
        self._lock = threading.Lock()
        self._merged = _Merged(None, Index(()), 0.0)
        self._merging = threading.Lock()
        self._closed_until = 0.0
        self._late = False  # the last list that was asked for did not come, or not in time
        self._pause = FIRST_PAUSE
        self._again_at = 0.0
        self._wanted = False  # somebody has asked since the last list that did not come

    @property
    def closed(self) -> bool:
        """Whether the account has no get-groups, as far as is known."""
        return time.monotonic() < self._closed_until

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
        if self.closed:
            return None
        self._wanted = True
        until = time.monotonic() + (LATE_WITHIN if self._late else WITHIN)
        listed = self._in_time(self._generation, until)
        if listed and listed.asked_at <= since:
            return self._in_time(self._after(listed), until) or listed
        return listed

    def path(self, identifier: str) -> str:
        """Return the names that lead to a group, as "A › B"; "" when the shared list does not have it at hand."""
        listed = self._lists.known(self._generation)
        return self._merged.groups.path(identifier) or (listed.index.path(identifier) if listed else "")

    def prefetch(self) -> None:
        """Begin to load the shared list, unless it is there or was refused a moment ago; never waits."""
        self._wanted = True
        if not self.closed and time.monotonic() >= self._again_at:
            self._lists.prefetch(self._generation)

    def named(self, name: str) -> Group | NoParent:
        """Return the one group with this name, or at the end of such a path ("VIP › Ankara"), or why there is none."""
        try:
            index = self._index()
            found = index.named(name)
            if not found and self._merged.listed:
                self._after(self._merged.listed)
                index = self._index()
                found = index.named(name)
        except ApiError:
            return NoParent("no_list" if self.closed else "unavailable")
        if len(found) == 1:
            return found[0]
        candidates = found[:_MOST] or index.nearest(name, _MOST)
        return NoParent("ambiguous" if found else "missing", tuple(map(index.choice, candidates)))

    def search(self, text: str, most: int | None, seconds: float) -> list[Choice]:
        """Return up to `most` groups in the tree's order: their path has each word, or their id begins with the text.

        Raises ApiError, or TimeoutError when the list does not come within `seconds`.
        """
        return self._index(seconds).search(text, most)

    def called(self, name: str, seconds: float) -> list[Choice]:
        """Return the groups with this name, or at the end of such a path. Raises ApiError or TimeoutError."""
        index = self._index(seconds)
        return list(map(index.choice, index.named(name)))

    def known(self) -> list[Choice]:
        """Return the groups if the list is at hand; never waits."""
        listed = self._lists.known(self._generation)
        return listed.index.search("") if listed else []

    def _in_time(self, generation: int, until: float) -> Listed | None:
        """Return a list if it comes in time. One that was refused a moment ago is asked for in the background only."""
        if time.monotonic() < self._again_at:
            return None
        try:
            return self._lists.get(generation, max(0.0, until - time.monotonic()))
        except TimeoutError:
            self._late = True
        except ApiError:
            pass
        return None

    def _index(self, seconds: float | None = None) -> Index:
        """Return the shared list with what the bot has made since. Raises ApiError or TimeoutError."""
        listed = self._lists.get(self._generation, seconds)
        with self._merging:  # who waits here finds it done
            last, now = self._merged, time.monotonic()
            if last.listed is not listed:
                last = _Merged(listed, listed.index.with_more(self._lately(_EVER)), now)
            else:
                last = _Merged(listed, last.groups.with_more(self._lately(now - last.at + OVERLAP)), now)
            self._merged = last
        return last.groups

    def _after(self, listed: Listed) -> int:
        """Return the generation of a list that is asked for after this one: many who ask for one share it."""
        with self._lock:
            if self._lists.known(self._generation) is listed:
                self._generation += 1
            return self._generation

    def _load(self) -> Listed:
        """Load the list, at once a second time after a fault that passes; else again later, in the background."""
        try:
            try:
                listed = self._asked()
            except ApiError as error:
                if isinstance(error, Rejected) and error.code != _PASSING:
                    raise
                if time.monotonic() - self._asked_at > WITHIN / 2:
                    raise
                listed = self._asked()
        except ApiError:
            self._failed()
            raise
        self._late, self._pause, self._again_at, self._closed_until = False, FIRST_PAUSE, 0.0, 0.0
        return listed

    def _asked(self) -> Listed:
        self._asked_at = asked_at = time.monotonic()
        return Listed(Index(self._fetch()), asked_at)

    def _failed(self) -> None:
        if self.closed:
            return
        self._late, self._again_at = True, time.monotonic() + self._pause
        if self._wanted:  # while nobody asks, nobody is asked
            self._wanted = False
            again = threading.Timer(self._pause, self._lists.prefetch, [self._generation])
            again.daemon = True
            again.start()
        self._pause = min(2 * self._pause, LONGEST_PAUSE)

    def _fetch(self) -> tuple[Group, ...]:
        try:
            return self._api.get_groups()
        except ApiError as error:
            event("groups_not_read", level=logging.WARNING, reason=repr(error))
            if isinstance(error, Rejected) and error.code == _NO_METHOD:
                self._closed_until = time.monotonic() + CLOSED_FOR
            raise
