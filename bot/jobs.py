"""What the parts speak of: a job is one accepted command, a step is one group to create, an outcome how it ended."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field

from bot.command import Parent
from bot.iletimerkezi import Group, NotSent, Rejected


@dataclass(frozen=True)
class Created:
    """The group was made."""

    group: Group


@dataclass(frozen=True)
class Unclear:
    """The request left, and whether the group was made is not known.

    `reason` is that of iletimerkezi.Unknown, or "crashed" when the process died, or "internal". `found` holds the ids
    of groups with this name and parent that the bot has not made otherwise; None when it could not be looked up.
    """

    reason: str
    found: tuple[str, ...] | None


@dataclass(frozen=True)
class Duplicate:
    """Not sent, because another job has asked for the same group: `user` did, `age` seconds ago.

    `state` is that job's step's: waiting, sending, created or unknown; `group_id` is "" until it is created.
    """

    user: str
    age: float
    state: str
    group_id: str


Outcome = Created | Rejected | NotSent | Unclear | Duplicate

WAITING, SENDING = "waiting", "sending"

_STATES: dict[type[Outcome], str] = {
    Created: "created",
    Rejected: "rejected",
    NotSent: "not_sent",
    Unclear: "unknown",
    Duplicate: "skipped",
}


def new_id() -> str:
    """Return an id for a job or for a reference: 16 hexadecimal digits."""
    return secrets.token_hex(8)


@dataclass
class Step:
    """One group to create.

    `unsettled` is `waiting` until the moment before its request leaves, then `sending` (`reason` says why a request
    that was sent has no clear answer); the step is settled when it has an `outcome`. `sent_ago` is how long before now,
    or before the step was read from the journal, the request left, in seconds.
    """

    position: int
    name: str
    parent: Parent = None
    unsettled: str = WAITING
    reason: str = ""
    sent_ago: float = 0.0
    outcome: Outcome | None = None

    @property
    def state(self) -> str:
        """The step's state: waiting, sending, created, rejected, not_sent, unknown or skipped."""
        return _STATES[type(self.outcome)] if self.outcome else self.unsettled


@dataclass(frozen=True)
class Thread:
    """The thread under a root message: the channel as Slack returned it, and the root's ts."""

    channel: str
    ts: str


@dataclass
class Job:
    """One accepted command: who asked (Slack user id), where (channel id), what was typed, what is to be made.

    `language` is "en", "tr", or "" as long as the person's is not known. `trigger` is Slack's trigger_id.
    `response_url` is "" when it is no longer of use. `id` is the reference that people see.
    """

    user: str
    channel: str
    trigger: str
    typed: str
    steps: list[Step]
    response_url: str = field(default="", repr=False)
    language: str = ""
    id: str = field(default_factory=new_id)
    thread: Thread | None = None
    root_final: bool = False
    answered: bool = False
    attempts: int = 0

    @property
    def settled(self) -> bool:
        """Whether every step has its outcome."""
        return all(step.outcome for step in self.steps)
