"""What the parts speak of: a job is one accepted command, a step is one group to create, an outcome how it ended."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from bot.iletimerkezi.client import NotSent, Rejected
from bot.model.command import NewGroup
from bot.model.group import Group
from bot.model.names import Parent, ParentId


@dataclass(frozen=True)
class Created:
    """The group was made."""

    group: Group


@dataclass(frozen=True)
class Unclear:
    """The request left, and whether the group was made is not known.

    `reason` is that of iletimerkezi.Unknown, or "crashed" when the process died. `found` holds the ids of groups with
    this name and parent that the bot has not made otherwise; None when it could not be looked up.
    """

    reason: str
    found: tuple[str, ...] | None


@dataclass(frozen=True)
class NoParent:
    """Not sent, because the parent was given by a name that does not lead to one group.

    `reason` is missing (`candidates` are the nearest names), ambiguous (all that have the name) or unavailable (the
    list of groups could not be read). A candidate is a group's path of names and its id.
    """

    reason: str
    candidates: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Duplicate:
    """Not sent, because another job has asked for the same group: `user` did, `age` seconds ago.

    `state` is that job's step's: waiting, sending, created or unknown; `group_id` is "" until it is created.
    """

    user: str
    age: float
    state: str
    group_id: str


@dataclass(frozen=True)
class Skipped:
    """Not sent, because the group above it in the same job was not made."""


@dataclass(frozen=True)
class Denied:
    """Not sent, because the one who asked may not use the command, or not there.

    `reason` is channel, guest, foreign, bot, deactivated, not_listed, or unknown when it could not be found out.
    """

    reason: str


Outcome = Created | Rejected | NotSent | Unclear | NoParent | Duplicate | Skipped | Denied

WAITING, SENDING = "waiting", "sending"

_STATES: dict[type[Outcome], str] = {
    Created: "created",
    Rejected: "rejected",
    NotSent: "not_sent",
    NoParent: "not_sent",
    Unclear: "unknown",
    Duplicate: "skipped",
    Skipped: "skipped",
    Denied: "skipped",
}


class TryLater(Exception):
    """A job cannot go on for now. `why` is a word for the log; `seconds` is how long to wait, None if nobody said."""

    def __init__(self, why: str, seconds: float | None = None) -> None:
        super().__init__(why)
        self.why = why
        self.seconds = seconds


def new_id() -> str:
    """Return an id for a job or for a reference: 16 hexadecimal digits."""
    return secrets.token_hex(8)


@dataclass
class Step:
    """One group to create.

    `parent` is what was typed; `above` is the position of the step under whose group this one hangs, if it is one of
    the same job. `parent_id` is the parent's id, "" for a main group, and None as long as it is not known.

    `unsettled` is `waiting` until the moment before its request leaves, then `sending` (`reason` says why a request
    that was sent has no clear answer); the step is settled when it has an `outcome`. `sent_ago` is how long before now,
    or before the step was read from the journal, the request left, in seconds.
    """

    position: int
    name: str
    parent: Parent = None
    above: int | None = None
    parent_id: str | None = None
    unsettled: str = WAITING
    reason: str = ""
    sent_ago: float = 0.0
    outcome: Outcome | None = None

    def __post_init__(self) -> None:
        if self.parent_id is None and self.above is None:
            if self.parent is None:
                self.parent_id = ""
            elif isinstance(self.parent, ParentId):
                self.parent_id = self.parent.id

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

    `trigger` is unique to what the person did: Slack's trigger_id, or what a button stands for. `language` is "en",
    "tr", or "" as long as the person's is not known. `response_url` is "" when it is no longer of use. `id` is the
    reference that people see. A job that goes on from another's answer has that one's `thread` and `asker`, and the
    first one's id as its `origin`. `forced` wants the group although there is such a one. `accepted_at` is in seconds
    since 1970.
    """

    user: str
    channel: str
    trigger: str
    typed: str
    steps: list[Step]
    response_url: str = field(default="", repr=False)
    language: str = ""
    id: str = field(default_factory=new_id)
    asker: str = ""
    origin: str = ""
    forced: bool = False
    thread: Thread | None = None
    root_final: bool = False
    accepted_at: float = 0.0
    answered: bool = False
    attempts: int = 0

    def __post_init__(self) -> None:
        self.asker = self.asker or self.user
        self.origin = self.origin or self.id

    @property
    def settled(self) -> bool:
        """Whether every step has its outcome."""
        return all(step.outcome for step in self.steps)

    @property
    def denied(self) -> bool:
        """Whether it was refused to the person."""
        return any(isinstance(step.outcome, Denied) for step in self.steps)

    @property
    def begun(self) -> bool:
        """Whether something of it was told, sent or settled; a job that goes on from another's begins with that."""
        told = self.thread is not None and self.origin == self.id
        return told or (any(step.state != WAITING for step in self.steps) and not self.trigger.startswith("look:"))

    @property
    def state(self) -> str:
        """What became of it: open, created, or the first other state among its steps."""
        if not self.settled:
            return "open"
        return next((step.state for step in self.steps if step.state != "created"), "created")

    @property
    def typed_now(self) -> bool:
        """Whether it comes from a command, which Slack may deliver twice, and not from a button or a form."""
        return ":" not in self.trigger

    def followed_by(self, job: Job) -> Job:
        """Let `job` go on from this one's answer: in its thread, under the name of who asked first."""
        return replace(job, thread=self.thread, asker=self.asker, origin=self.origin)


def steps_of(groups: Iterable[NewGroup]) -> list[Step]:
    """Return the steps of a command's groups."""
    return [Step(place, group.name, group.parent, group.above) for place, group in enumerate(groups)]


def rest(job: Job, action: str) -> list[Step]:
    """Return anew the steps of a settled job that a button sends, under the groups that exist.

    `anyway` sends those with an unclear outcome and what hangs under them, `again` the others that are missing, so that
    none is sent by both. A group of which there is another is left alone by `again`, and made by `another`.
    """
    there: dict[int, str] = {}
    by: dict[int, str] = {}  # the button that sends a step
    for step in job.steps:
        by[step.position] = _SENT_BY.get(type(step.outcome), "again")
        if step.above is not None and step.above not in there:
            by[step.position] = by[step.above]
        match step.outcome:
            case Created(group):
                there[step.position] = group.id
            case Duplicate(group_id=identifier) if identifier and action != "another":
                there[step.position] = identifier
    missing = [s for s in job.steps if s.position not in there and action in ("another", by[s.position])]
    places = {step.position: place for place, step in enumerate(missing)}
    return [
        Step(
            position=places[step.position],
            name=step.name,
            parent=ParentId(there[step.above]) if step.above in there else step.parent,
            above=places.get(step.above) if step.above is not None else None,
        )
        for step in missing
    ]


_SENT_BY: dict[type[object], str] = {Unclear: "anyway", Duplicate: "another"}


def to_look_up(job: Job) -> list[Step]:
    """Return anew the steps whose requests have no clear answer, as they stood before it was looked up."""
    unclear = [(step, step.outcome) for step in job.steps if isinstance(step.outcome, Unclear)]
    return [
        Step(
            place,
            step.name,
            step.parent,
            parent_id=step.parent_id,
            unsettled=SENDING,
            reason=outcome.reason,
            sent_ago=3600.0,
        )
        for place, (step, outcome) in enumerate(unclear)
    ]
