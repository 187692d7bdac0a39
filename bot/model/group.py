"""A group of the account, as the provider knows it."""

from __future__ import annotations

from dataclasses import dataclass

BETWEEN = " › "
"""Stands between the names of a path."""


@dataclass(frozen=True, slots=True)
class Group:
    """One contact group. Ids are text; `parent` is the parent's id, "" for a main group."""

    id: str
    name: str
    parent: str = ""
