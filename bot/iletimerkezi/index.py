"""An index over the account's groups: each name is folded once, when the list comes."""

from __future__ import annotations

import difflib
import heapq
import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import cached_property
from itertools import islice
from typing import NamedTuple

from bot.model.names import BETWEEN, Group, fold

_DEEPEST = 20  # names in a path; "…" stands for those above
_NEAR = 50  # names that are compared letter by letter with one that is missing
_ALIKE = 0.6  # how much of two names must be the same, as a part of 1
_MOST_NAMES = 3  # that are suggested for one that is missing


class Choice(NamedTuple):
    """A group as people choose it: the path of names that leads to it, and its id."""

    path: str
    id: str


class Index:
    """Finds groups by name, by place and by part of their path. It never changes.

    A list that makes no tree, with circles or with parents that are not in it, is taken as far as it goes.
    """

    def __init__(self, groups: Iterable[Group]) -> None:
        self._groups = {group.id: group for group in groups}
        self._folded = {group.id: fold(group.name) for group in self._groups.values()}
        self._named: dict[str, list[Group]] = {}
        for group in self._groups.values():
            self._named.setdefault(self._folded[group.id], []).append(group)

    def __len__(self) -> int:
        return len(self._groups)

    def with_more(self, groups: Iterable[Group]) -> Index:
        """Return an index that also has those of these groups whose ids it does not have yet."""
        more = [group for group in groups if group.id not in self._groups]
        if not more:
            return self
        index = Index(more)
        index._groups = self._groups | index._groups
        index._folded = self._folded | index._folded
        both = {folded: [*self._named.get(folded, ()), *found] for folded, found in index._named.items()}
        index._named = self._named | both
        return index

    def placed(self, name: str, parent_id: str) -> tuple[str, ...] | None:
        """Return the ids of the groups with this name under this parent ("" for main groups); None if it cannot tell.

        A list without any subgroup may be a flat one, in which the group stands among the main groups.
        """
        named = self._named.get(fold(name), ())
        here = tuple(group.id for group in named if group.parent == parent_id)
        return None if named and not here and parent_id and not self._has_subgroups else here

    def holds(self, identifier: str, name: str) -> bool:
        """Tell whether the group with this id is there under this name, wherever it is."""
        return self._folded.get(identifier) == fold(name)

    @cached_property
    def _has_subgroups(self) -> bool:
        return any(group.parent for group in self._groups.values())

    def named(self, name: str) -> list[Group]:
        """Return the groups with this name; where there is none, those to which it leads as a path ("VIP › Ankara")."""
        if found := self._named.get(fold(name)):
            return found
        *above, last = [fold(part) for part in name.replace(">", "›").split("›")]
        paths = [(group, self._path(group)) for group in self._named.get(last, ()) if above]
        folded = [(group, [self._folded[part.id] for part in path]) for group, path in paths]
        return [group for group, path in folded if path == [*above, last]] or [
            group for group, path in folded if path[-len(above) - 1 :] == [*above, last]
        ]

    def nearest(self, name: str, most: int) -> list[Group]:
        """Return up to `most` groups whose names are much alike or have a word in common, the nearest first.

        Marks do not count: `musteri` is near `Müşteriler`.
        """
        wanted = _unmarked(fold(name))
        pairs, plain = _pairs(wanted), {folded: _unmarked(folded) for folded in self._named}
        near = heapq.nlargest(_NEAR, plain, key=lambda folded: len(pairs & _pairs(plain[folded])) / (len(folded) + 1))
        alike = {folded: difflib.SequenceMatcher(None, plain[folded], wanted).ratio() for folded in near}
        words = set(wanted.split())
        close = [folded for folded in near if alike[folded] >= _ALIKE or words.intersection(plain[folded].split())]
        close = heapq.nlargest(_MOST_NAMES, close, key=alike.__getitem__)
        return [group for folded in close for group in self._named[folded]][:most]

    def path(self, identifier: str) -> str:
        """Return the path of the group with this id, "" if there is none."""
        return self.choice(self._groups[identifier]).path if identifier in self._groups else ""

    def choice(self, group: Group) -> Choice:
        """Return a group with its path."""
        path = self._path(group)
        names = [part.name for part in path]
        higher = len(path) == _DEEPEST and path[0].parent in self._groups
        return Choice(BETWEEN.join(["…", *names] if higher else names), group.id)

    def search(self, text: str, most: int | None = None) -> list[Choice]:
        """Return up to `most` groups in the tree's order: their path has each word, or their id begins with the text.

        Marks do not count where the letters as they are find nothing: `musteri` finds `Müşteriler`.
        """
        words, digits = fold(text).split(), text.strip()
        exact = (choice for choice, path in self._tree if choice.id.startswith(digits) or _has(path, words))
        if found := list(islice(exact, most)):
            return found
        words = [_unmarked(word) for word in words]
        return list(islice((choice for choice, path in self._unmarked_tree if _has(path, words)), most))

    @cached_property
    def _tree(self) -> list[tuple[Choice, str]]:
        """Every group, each with its folded path: below its parent, siblings by name."""
        return [
            (self.choice(group), BETWEEN.join(self._folded[part.id] for part in self._path(group)))
            for group in self._in_order()
        ]

    @cached_property
    def _unmarked_tree(self) -> list[tuple[Choice, str]]:
        return [(choice, _unmarked(path)) for choice, path in self._tree]

    def _in_order(self) -> Iterator[Group]:
        below: dict[str, list[Group]] = {}
        by_name = sorted(self._groups.values(), key=lambda group: self._folded[group.id])
        for group in by_name[::-1]:  # so that the first is taken first from the end
            above = group.parent if group.parent in self._groups else ""
            below.setdefault(above, []).append(group)
        left = dict(self._groups)
        pending = below.get("", [])
        while left:
            while pending:
                group = pending.pop()
                if left.pop(group.id, None):
                    yield group
                    pending.extend(below.get(group.id, ()))
            pending = list(left.values())[:1]  # the groups of a circle hang under none of the others

    def _path(self, group: Group) -> list[Group]:
        """Return the groups that lead to this one, the main group first; a circle ends where it closes."""
        path = {group.id: group}
        while len(path) < _DEEPEST and group.parent in self._groups and group.parent not in path:
            group = self._groups[group.parent]
            path[group.id] = group
        return list(reversed(path.values()))


def _has(path: str, words: list[str]) -> bool:
    return all(word in path for word in words)


def _pairs(text: str) -> set[str]:
    return {text[start : start + 2] for start in range(len(text) - 1)} or {text}


def _unmarked(text: str) -> str:
    if text.isascii():
        return text
    return re.sub("[\u0300-\u036f]", "", unicodedata.normalize("NFD", text))
