"""A job is one accepted command; a step is one group to create."""

import secrets
import time
from dataclasses import dataclass, field

from bot.model.names import Parent, ParentName
from bot.model.outcome import AS_SENT, SENDING, WAITING, Created, Denied, Duplicate, FollowUp, Outcome, Skipped, Unknown

PUBLIC = "public"
"""The kind of a public channel. What is said in any other conversation, known or not, is private."""


def kind_of(channel: str) -> str:
    """Return the kind of a conversation by the name that Slack gives it in a payload, "" where it gives none.

    A private channel is told as "privategroup", never by what it is called.
    """
    private = channel in ("privategroup", "directmessage") or channel.startswith("mpdm-")
    return "private" if private else PUBLIC if channel else ""


class TryLater(Exception):
    """A job cannot go on for now. `why` is a word for the log; `seconds` is how long to wait, None if nobody said."""

    def __init__(self, why: str, seconds: float | None = None) -> None:
        super().__init__(why)
        self.why = why
        self.seconds = seconds


def new_id() -> str:
    """Return an id for a job or a reference: 16 hexadecimal digits."""
    return secrets.token_hex(8)


@dataclass
class Step:
    """One group to create.

    `parent` is the parent as it was given. `above` is the position of the step that creates the parent, if the same
    job does. `parent_id` is the parent's id, "" for a main group, None while it is not known.

    A step without an `outcome` is at the `stage` WAITING until just before its request leaves, then SENDING. `reason`
    says why a request that was sent has no clear answer. `look_from` is when that answer can be looked up, by
    time.monotonic; None while another process may be waiting for it. `confirmed_id` is the group that a person says the
    request made, of a step that is to be settled so. `result` is what came of its request, until that is written down.
    """

    position: int
    name: str
    parent: Parent = None
    above: int | None = None
    parent_id: str | None = None
    stage: str = WAITING
    reason: str = ""
    look_from: float | None = None
    confirmed_id: str = ""
    result: Outcome | None = None
    outcome: Outcome | None = None

    def __post_init__(self) -> None:
        if self.above is None and self.parent_id is None and not isinstance(self.parent, ParentName):
            self.parent_id = self.parent.id if self.parent else ""

    @property
    def state(self) -> str:
        """The state of its outcome, or its stage while it has none."""
        return self.outcome.state if self.outcome else self.stage

    @property
    def waits(self) -> bool:
        """Whether it has no outcome and was surely not sent."""
        return self.state == WAITING


@dataclass(frozen=True)
class Thread:
    """The thread under a root message: the channel as Slack returned it, and the root's ts."""

    channel: str
    ts: str


@dataclass
class Job:
    """One accepted command: who asked (Slack user id), where (channel id), what was typed, what to create.

    `id` is the reference that people see. `trigger` is unique to what the person did, so that the same thing is
    accepted once: Slack's trigger_id, the form's view id, or what a button stands for. `language` is "en", "tr", or ""
    while the person's is not known. `channel_kind` is "" where nobody knows what the channel is: that counts as
    private. `response_url` is "" when it is no longer of use.

    `accepted_at` is in seconds since 1970; `age` is how long ago that was, in seconds, when the job was read. That was
    at `read_at`, by time.monotonic, as `answered_at` is, which is None until it is answered. `attempts` counts how
    often it was put off, `faults` how often carrying it raised an unexpected error. It is `told` when this process has
    given the answer, and the journal does not say so yet.

    A job that a button started has that button as `followup`, and the answered job as `follows`; it shares the
    `thread`, the `asker` and the `origin` (the id of the first job) with that one.

    `reply_to` is the ts of a message in the channel in whose thread everything is told, the root too; "" for none.
    `answer_ts` is the ts of the message with the answer's buttons, "" while there is none in a thread.
    """

    user: str
    channel: str
    trigger: str
    typed: str
    steps: list[Step]
    response_url: str = field(default="", repr=False)
    language: str = ""
    channel_kind: str = ""
    id: str = field(default_factory=new_id)
    followup: FollowUp | None = None
    follows: str = ""
    asker: str = ""
    origin: str = ""
    thread: Thread | None = None
    reply_to: str = ""
    answer_ts: str = ""
    root_final: bool = False
    accepted_at: float = 0.0
    age: float = 0.0
    answered_at: float | None = None
    read_at: float = field(default_factory=time.monotonic, repr=False)
    attempts: int = 0
    faults: int = 0
    told: bool = False

    def __post_init__(self) -> None:
        self.asker = self.asker or self.user
        self.origin = self.origin or self.id

    @property
    def answered(self) -> bool:
        """Whether the final answer was given."""
        return self.answered_at is not None

    @property
    def looked_for(self) -> dict[int, Unknown]:
        """The unclear outcomes, by position, for which the bot will look again by itself."""
        outcomes = {step.position: step.outcome for step in self.steps}
        return {at: each for at, each in outcomes.items() if isinstance(each, Unknown) and each.looked_for}

    @property
    def settled(self) -> bool:
        """Whether every step has its outcome."""
        return all(step.outcome for step in self.steps)

    @property
    def denied(self) -> bool:
        """Whether the person was refused."""
        return any(isinstance(step.outcome, Denied) for step in self.steps)

    @property
    def begun(self) -> bool:
        """Whether any of it was told, sent or settled, apart from what an earlier job sent."""
        told = self.thread is not None and not self.follows
        untouched = {WAITING, Duplicate.state, Skipped.state, *([SENDING] if self.followup in AS_SENT else [])}
        return told or any(step.state not in untouched for step in self.steps)

    @property
    def refused(self) -> bool:
        """Whether it was settled when it was accepted, because another job asks for one of its groups."""
        twin = any(isinstance(step.outcome, Duplicate) for step in self.steps)
        return twin and self.settled and not self.begun

    @property
    def rootless(self) -> bool:
        """Whether the root was deleted, and the answer stands in its place."""
        return self.thread is not None and self.thread.ts == self.answer_ts

    @property
    def state(self) -> str:
        """What became of it: "open", "created", or the first other state among its steps."""
        others = (step.state for step in self.steps if step.state != Created.state)
        return next(others, Created.state) if self.settled else "open"
