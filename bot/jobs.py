"""What the parts speak of: a job is one accepted command, a step is one group to create, an outcome how it ended."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field

from bot.command import Parent
from bot.iletimerkezi import Group, NotSent, Rejected, Unknown


@dataclass(frozen=True)
class Created:
    """The group was made."""

    group: Group


Outcome = Created | Rejected | NotSent | Unknown


@dataclass
class Step:
    """One group to create; `outcome` is None until it is settled."""

    name: str
    parent: Parent = None
    outcome: Outcome | None = None


@dataclass
class Job:
    """One accepted command: who asked (Slack user id), where (channel id), and what is to be made.

    `language` is "en", "tr", or "" as long as the person's is not known. `id` is the reference that people see.
    """

    user: str
    channel: str
    response_url: str = field(repr=False)
    steps: list[Step]
    language: str = ""
    id: str = field(default_factory=lambda: secrets.token_hex(8))
