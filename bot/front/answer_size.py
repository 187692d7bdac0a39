"""How long an answer to a request of Slack's may be, in bytes; the same over HTTP and in Socket Mode."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

MAX_ANSWER = 20_000
"""Longest answer. Slack closes a Socket Mode connection (1009) over which a frame of more than 20,480 bytes comes."""

_MAX_OPTIONS = 18_000  # with room for what goes around them

Option = dict[str, Any]


def fits(answer: dict[str, Any]) -> bool:
    """Tell whether an answer is short enough, with room for what goes around it; as Bolt writes it, in ASCII."""
    return _size(answer) <= MAX_ANSWER - 200


def fitting(options: Sequence[Option], most: int, last: Sequence[Option] = ()) -> list[Option]:
    """Return up to `most` options that fit into one answer, from the first on, and in any case `last`."""
    room = _MAX_OPTIONS - sum(map(_size, last))
    chosen = []
    for option in options[: most - len(last)]:
        room -= _size(option)
        if room < 0:
            break
        chosen.append(option)
    return [*chosen, *last]


def _size(content: dict[str, Any]) -> int:
    return len(json.dumps(content)) + len(", ")
