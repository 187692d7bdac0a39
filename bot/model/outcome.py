"""How a step can end. Everything the bot says, stores, logs and offers about an outcome comes from its class here.

A new outcome is one class with its description, and a table of its `state` in each file of slack/texts.
"""

import re
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, ClassVar

WAITING, SENDING = "waiting", "sending"
"""The states of a step that has no outcome yet: not sent, and perhaps sent."""

CURED_IN_TIME = (400, 401, 402, 404, 503)
"""Codes of Rejected after which the same command can succeed, once somebody has fixed the cause."""

CURED_BY_EDITING = (422, 461, 463)
"""Codes of Rejected that the person can cure without help."""

LOOKS = (60.0, 300.0)
"""How long after its answer the bot looks again for a group that is neither confirmed nor found, in seconds."""

MOST_LOOKS = len(LOOKS)

MOST_CHOICES = 5
"""How many groups an answer offers as the parent, each with a button."""


class FollowUp(StrEnum):
    """A way to go on from an answer: a button. The value is its action_id in Slack.

    AGAIN sends what was refused or never sent; of a tree, all that is missing. CONFIRM settles steps with an unknown
    outcome as created: the group that was found is the one. LOOK looks up once more what became of a lost answer, and
    ANYWAY sends such a step. ANOTHER creates a second group of the same name in the same place. UNDER sends what has no
    parent so far under the group that was chosen; its action_id ends in the choice's number. EDIT opens the form with
    what was asked for, SUBGROUP with the new group as the parent.
    """

    AGAIN = "again"
    CONFIRM = "confirm"
    LOOK = "look"
    ANYWAY = "anyway"
    ANOTHER = "another"
    UNDER = "under"
    EDIT = "edit"
    SUBGROUP = "subgroup"


OPEN_FORM = (FollowUp.EDIT, FollowUp.SUBGROUP)
"""Buttons that open the form, whose submission is the next job."""

FORCED = (FollowUp.ANYWAY, FollowUp.ANOTHER)
"""Buttons that create a group although there is, or may be, such a group."""

AS_SENT = (FollowUp.LOOK, FollowUp.CONFIRM)
"""Buttons whose job starts with steps as an earlier job sent them."""


@dataclass(frozen=True)
class Description:
    """What is said of an outcome, and what people can do about it.

    `words` are the tables in slack/texts that may have the words for it, before the one named by its state. `offers`
    are the buttons under the answer to a job with this one step. An answer shows the job's id where the outcome is
    `traceable`, because somebody may have to look the case up. `why` there is no new group is for an operator, `quoted`
    are the provider's own words; both "" for none. `choices` are groups that the person may have meant as the parent,
    each a path of names and an id.
    """

    words: tuple[str, ...] = ()
    offers: tuple[FollowUp, ...] = ()
    traceable: bool = False
    why: str = ""
    quoted: str = ""
    choices: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Outcome:
    """How a step ended.

    `state` names the kind of outcome in the journal, the history and the log. The fields of a subclass are what the
    journal stores beside it: text, numbers, None, and tuples of these. In a tree the button `sent_by` sends such a step
    again; None where the group is there. It is `conclusive` where it says what became of the group, and not only why
    nobody tried.
    """

    state: ClassVar[str]
    sent_by: ClassVar[FollowUp | None] = FollowUp.AGAIN
    conclusive: ClassVar[bool] = True

    @property
    def group_id(self) -> str:
        """The id of the group that is there now, "" when there is none or nobody knows."""
        return str(getattr(self, "id", ""))

    @property
    def told(self) -> Description:
        """What is said of it: where a class says nothing else, that of its `reason`."""
        reason = str(getattr(self, "reason", ""))
        return Description((f"{self.state}.{reason}",), why=reason)


@dataclass(frozen=True)
class Created(Outcome):
    """The group was created with the id `id`.

    It is `unchecked` when the account's list did not come in time, so that nobody saw whether it was there before.
    `stored` is its name there, "" where it is the one that was asked for.
    """

    state = "created"
    sent_by = None
    id: str
    unchecked: bool = False
    stored: str = ""

    @property
    def told(self) -> Description:
        words = ("created.stored",) * bool(self.stored) + ("created.unchecked",) * self.unchecked
        return Description(words, (FollowUp.SUBGROUP,), why=f"stored as {self.stored}" if self.stored else "")


@dataclass(frozen=True)
class Exists(Outcome):
    """Not sent, because the account has a group with this name under this parent: `id`, at `path`.

    `path` is the names from the main group down to this one, "" when it is not known. Where the account's list did not
    tell, but the journal, `user` made it at the time `at` (seconds since 1970); else "" and 0.0.
    """

    state = "exists"
    sent_by = FollowUp.ANOTHER
    id: str
    path: str = ""
    user: str = ""
    at: float = 0.0

    @property
    def told(self) -> Description:
        words = ("exists.recorded",) if self.user else ()
        return Description(words, (FollowUp.SUBGROUP, FollowUp.ANOTHER), why="the group exists")


@dataclass(frozen=True)
class Rejected(Outcome):
    """The provider refused, so nothing was created. `message` is its own sentence, mostly in Turkish."""

    state = "rejected"
    code: int
    message: str

    @property
    def told(self) -> Description:
        words = f"rejected.{self.code}", "rejected.other"
        way = FollowUp.AGAIN if self.code in CURED_IN_TIME else FollowUp.EDIT
        raw = re.search(r"[\[{]\s*\"|<[!/a-zA-Z]", self.message)  # JSON or HTML is nothing to read
        return Description(words, (way,), self.code not in CURED_BY_EDITING, self.message, "" if raw else self.message)


@dataclass(frozen=True)
class NotSent(Outcome):
    """Nothing reached the provider, so nothing was created.

    `reason` is unreachable, connect_timeout, tls, proxy, address, withdrawn or too_late; too_old when it waited for so
    long that nobody expects it any more; failed when a fault of the bot kept it from being sent.
    """

    state = "not_sent"
    reason: str

    @property
    def told(self) -> Description:
        return replace(super().told, offers=(FollowUp.AGAIN,), traceable=True)


@dataclass(frozen=True)
class NoParent(Outcome):
    """Not sent, because the parent was given by a name that does not lead to one group.

    `reason` is missing (`candidates` are groups with similar names), ambiguous (`candidates` are all groups with the
    name), unavailable (the list of groups could not be read) or no_list (the account cannot list its groups). A
    candidate is a group's path of names and its id.
    """

    state = "no_parent"
    conclusive = False
    reason: str
    candidates: tuple[tuple[str, str], ...] = ()

    @property
    def told(self) -> Description:
        kind = "similar" if self.reason == "missing" and self.candidates else self.reason
        again = self.reason == "unavailable"
        ways = {FollowUp.AGAIN: again, FollowUp.UNDER: bool(self.candidates), FollowUp.EDIT: True}
        words, why = (f"no_parent.{kind}", f"no_parent.{self.reason}"), f"parent {self.reason}"
        return Description(words, _offered(ways), again, why, choices=self.candidates[:MOST_CHOICES])


@dataclass(frozen=True)
class Unknown(Outcome):
    """The request left, and nobody knows whether the group was created.

    `reason` is that of `answers.Unknown` in iletimerkezi, or "crashed" when the process died. `found` are the ids of
    groups with this name and parent that no other command created; None when they could not be looked up. It is not
    `listable` where the account cannot list its groups, so that looking again is of no use. `looks` is how often the
    bot has looked again by itself.
    """

    state = "unknown"
    sent_by = FollowUp.ANYWAY
    reason: str
    found: tuple[str, ...] | None
    listable: bool = True
    looks: int = 0

    @property
    def looked_for(self) -> bool:
        """Whether the bot will look again by itself."""
        return not self.found and self.listable and self.looks < MOST_LOOKS

    @property
    def told(self) -> Description:
        kinds = {None: "not_looked_up" if self.listable else "no_list", 0: "found_none", 1: "found"}
        looked_up = kinds.get(None if self.found is None else len(self.found), "found_many")
        words = f"unknown.{self.reason}", *("unknown.looked_for",) * self.looked_for, f"unknown.{looked_up}"
        ways = {FollowUp.CONFIRM: looked_up == "found", FollowUp.LOOK: self.listable, FollowUp.ANYWAY: True}
        return Description(words, _offered(ways), True, self.reason)


@dataclass(frozen=True)
class Duplicate(Outcome):
    """Not sent, because another job asked for the same group: `user` did, `age` seconds ago.

    `step_state` is the state of that job's step; `id` is "" until its group is created. `channel` and `ts` are of that
    job's root, "" where it has none or is not for everybody to see.
    """

    state = "duplicate"
    sent_by = FollowUp.ANOTHER
    conclusive = False
    user: str
    age: float
    step_state: str
    id: str = ""
    channel: str = ""
    ts: str = ""

    @property
    def told(self) -> Description:
        kind = self.step_state if self.step_state in (Created.state, Unknown.state) else "under_way"
        why = f"the same group was asked for by {self.user}"
        return Description((f"duplicate.{kind}",), (FollowUp.ANOTHER,), why=why)


@dataclass(frozen=True)
class Skipped(Outcome):
    """Not sent, because the group above it in the same job was not created or is not known."""

    state = "skipped"
    conclusive = False
    reason: ClassVar[str] = "the group above it was not created"


@dataclass(frozen=True)
class Denied(Outcome):
    """Not sent, because the person may not use the command, or not there.

    `reason` is what `People.refusal` says.
    """

    state = "denied"
    conclusive = False
    reason: str


OUTCOMES: dict[str, type[Outcome]] = {kind.state: kind for kind in Outcome.__subclasses__()}
"""Every outcome by its state."""


def outcome_from(state: str, facts: dict[str, Any]) -> Outcome:
    """Return the outcome of this state with these fields, as read from JSON. Raises KeyError or TypeError."""
    return OUTCOMES[state](**{name: _frozen(value) for name, value in facts.items()})


def _offered(ways: dict[FollowUp, bool]) -> tuple[FollowUp, ...]:
    return tuple(way for way, offered in ways.items() if offered)


def _frozen(value: Any) -> Any:
    return tuple(map(_frozen, value)) if isinstance(value, list) else value
