"""How a step can end. Everything the bot says, stores, logs and offers about an outcome comes from its class here.

A new outcome is one class in this module, and a table of its `state` in each file of slack/texts.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, ClassVar

WAITING, SENDING = "waiting", "sending"
"""The states of a step that has no outcome yet: not sent, and perhaps sent."""

SETTINGS_FAULTS = ("tls", "proxy", "address")
"""Reasons of NotSent that trying again does not cure."""

CURED_IN_TIME = (400, 401, 402, 404, 503)
"""Codes of Rejected after which the same command can succeed, once somebody has fixed the cause."""

CURED_BY_EDITING = (422, 461, 463)
"""Codes of Rejected that the person can cure without help."""

MOST_CHOICES = 5
"""How many groups an answer offers as the parent, each with a button."""


class FollowUp(StrEnum):
    """A way to go on from an answer. The value is the button's action_id in Slack."""

    AGAIN = "again"
    """Send what was refused or never sent; of a tree, all that is missing."""
    CONFIRM = "confirm"
    """Settle steps with an unknown outcome as created: the group that was found is the one."""
    LOOK = "look"
    """Look up once more what became of a lost answer."""
    ANYWAY = "anyway"
    """Send a step whose outcome is unknown."""
    ANOTHER = "another"
    """Create a second group of the same name in the same place."""
    UNDER = "under"
    """Send what has no parent so far under the group that was chosen; the action_id ends in the choice's number."""
    EDIT = "edit"
    """Open the form with what was asked for."""
    SUBGROUP = "subgroup"
    """Open the form with the new group as the parent."""

    @property
    def opens_form(self) -> bool:
        """Whether it opens the form, whose submission is the next job."""
        return self in (FollowUp.EDIT, FollowUp.SUBGROUP)

    @property
    def starts_sent(self) -> bool:
        """Whether its job starts with steps that an earlier job sent."""
        return self in (FollowUp.LOOK, FollowUp.CONFIRM)

    @property
    def forced(self) -> bool:
        """Whether it creates a group although there is, or may be, such a group."""
        return self in (FollowUp.ANYWAY, FollowUp.ANOTHER)


@dataclass(frozen=True)
class Outcome:
    """How a step ended.

    `state` names the kind of outcome in the journal, the history and the log. The fields of a subclass are what the
    journal stores beside it: text, numbers, None, and tuples of these.
    """

    state: ClassVar[str]
    sent_by: ClassVar[FollowUp | None] = FollowUp.AGAIN
    """The button that sends such a step of a tree again; None where the group is there."""

    @property
    def words(self) -> tuple[str, ...]:
        """The tables in slack/texts that may have the words for this outcome, before the one named `state`."""
        return ()

    @property
    def offers(self) -> tuple[FollowUp, ...]:
        """The buttons under the answer to a job with this one step."""
        return ()

    @property
    def traceable(self) -> bool:
        """Whether an answer shows the job's id, because somebody may have to look the case up."""
        return False

    @property
    def group_id(self) -> str:
        """The id of the group that is there now, "" when there is none or nobody knows."""
        return str(getattr(self, "id", ""))

    @property
    def why(self) -> str:
        """Why there is no new group, in words for an operator; "" where that needs no word."""
        return str(getattr(self, "reason", ""))

    @property
    def quoted(self) -> str:
        """The provider's own words about it, "" for none that people can read."""
        return ""

    @property
    def choices(self) -> tuple[tuple[str, str], ...]:
        """Groups that the person may have meant as the parent, each a path of names and an id."""
        return ()


@dataclass(frozen=True)
class Created(Outcome):
    """The group was created with the id `id`.

    It is `unchecked` when the account's list did not come in time, so that nobody saw whether it was there before.
    `stored` is its name there, "" where it is the one that was asked for.
    """

    state = "created"
    sent_by = None
    offers = (FollowUp.SUBGROUP,)
    id: str
    unchecked: bool = False
    stored: str = ""

    @property
    def why(self) -> str:
        return f"stored as {self.stored}" if self.stored else ""

    @property
    def words(self) -> tuple[str, ...]:
        return *(("created.stored",) if self.stored else ()), *(("created.unchecked",) if self.unchecked else ())


@dataclass(frozen=True)
class Exists(Outcome):
    """Not sent, because the account has a group with this name under this parent: `id`, at `path`.

    `path` is the names from the main group down to this one, "" when it is not known. Where the account's list did not
    tell, but the journal, `user` made it at the time `at` (seconds since 1970); else "" and 0.0.
    """

    state = "exists"
    sent_by = FollowUp.ANOTHER
    offers = (FollowUp.SUBGROUP, FollowUp.ANOTHER)
    why = "the group exists"
    id: str
    path: str = ""
    user: str = ""
    at: float = 0.0

    @property
    def words(self) -> tuple[str, ...]:
        return ("exists.recorded",) if self.user else ()


@dataclass(frozen=True)
class Rejected(Outcome):
    """The provider refused, so nothing was created. `message` is its own sentence, mostly in Turkish."""

    state = "rejected"
    code: int
    message: str

    @property
    def words(self) -> tuple[str, ...]:
        return f"rejected.{self.code}", "rejected.other"

    @property
    def offers(self) -> tuple[FollowUp, ...]:
        return (FollowUp.AGAIN,) if self.code in CURED_IN_TIME else (FollowUp.EDIT,)

    @property
    def traceable(self) -> bool:
        return self.code not in CURED_BY_EDITING

    @property
    def why(self) -> str:
        return self.message

    @property
    def quoted(self) -> str:
        return "" if re.search(r"[\[{]\s*\"|<[!/a-zA-Z]", self.message) else self.message


@dataclass(frozen=True)
class NotSent(Outcome):
    """Nothing reached the provider, so nothing was created.

    `reason` is unreachable, connect_timeout, tls, proxy, address, withdrawn or too_late; too_old when it waited for so
    long that nobody expects it any more; failed when a fault of the bot kept it from being sent.
    """

    state = "not_sent"
    offers = (FollowUp.AGAIN,)
    traceable = True
    reason: str

    @property
    def words(self) -> tuple[str, ...]:
        settings = ("not_sent.settings",) if self.reason in SETTINGS_FAULTS else ()
        return f"not_sent.{self.reason}", *settings


@dataclass(frozen=True)
class NoParent(Outcome):
    """Not sent, because the parent was given by a name that does not lead to one group.

    `reason` is missing (`candidates` are groups with similar names), ambiguous (`candidates` are all groups with the
    name), unavailable (the list of groups could not be read) or no_list (the account cannot list its groups). A
    candidate is a group's path of names and its id.
    """

    state = "no_parent"
    reason: str
    candidates: tuple[tuple[str, str], ...] = ()

    @property
    def words(self) -> tuple[str, ...]:
        similar = ("no_parent.similar",) if self.reason == "missing" and self.candidates else ()
        return *similar, f"no_parent.{self.reason}"

    @property
    def offers(self) -> tuple[FollowUp, ...]:
        if self.reason == "unavailable":
            return FollowUp.AGAIN, FollowUp.EDIT
        return (FollowUp.UNDER, FollowUp.EDIT) if self.candidates else (FollowUp.EDIT,)

    @property
    def traceable(self) -> bool:
        return self.reason == "unavailable"

    @property
    def why(self) -> str:
        return f"parent {self.reason}"

    @property
    def choices(self) -> tuple[tuple[str, str], ...]:
        return self.candidates[:MOST_CHOICES]


@dataclass(frozen=True)
class Unknown(Outcome):
    """The request left, and nobody knows whether the group was created.

    `reason` is that of iletimerkezi.Unknown, or "crashed" when the process died. `found` are the ids of groups with
    this name and parent that no other command created; None when they could not be looked up. It is not `listable`
    where the account cannot list its groups, so that looking again is of no use.
    """

    state = "unknown"
    sent_by = FollowUp.ANYWAY
    traceable = True
    reason: str
    found: tuple[str, ...] | None
    listable: bool = True

    @property
    def words(self) -> tuple[str, ...]:
        return f"unknown.{self.reason}", f"unknown.{self._looked_up}"

    @property
    def offers(self) -> tuple[FollowUp, ...]:
        confirm = (FollowUp.CONFIRM,) if self._looked_up == "found" else ()
        look = (FollowUp.LOOK,) if self.listable else ()
        return *confirm, *look, FollowUp.ANYWAY

    @property
    def _looked_up(self) -> str:
        if self.found is None:
            return "not_looked_up" if self.listable else "no_list"
        return ("found_none", "found", "found_many")[min(len(self.found), 2)]


@dataclass(frozen=True)
class Duplicate(Outcome):
    """Not sent, because another job asked for the same group: `user` did, `age` seconds ago.

    `step_state` is the state of that job's step; `id` is "" until its group is created. `channel` and `ts` are of that
    job's root, "" where it has none or is not for everybody to see.
    """

    state = "duplicate"
    sent_by = FollowUp.ANOTHER
    offers = (FollowUp.ANOTHER,)
    user: str
    age: float
    step_state: str
    id: str = ""
    channel: str = ""
    ts: str = ""

    @property
    def words(self) -> tuple[str, ...]:
        known = self.step_state in (Created.state, Unknown.state)
        return (f"duplicate.{self.step_state if known else 'under_way'}",)

    @property
    def why(self) -> str:
        return f"the same group was asked for by {self.user}"


@dataclass(frozen=True)
class Skipped(Outcome):
    """Not sent, because the group above it in the same job was not created or is not known."""

    state = "skipped"
    why = "the group above it was not created"


@dataclass(frozen=True)
class Denied(Outcome):
    """Not sent, because the person may not use the command, or not there.

    `reason` is channel, guest, foreign, bot, deactivated, not_listed, or unknown when it could not be found out.
    """

    state = "denied"
    reason: str

    @property
    def words(self) -> tuple[str, ...]:
        return (f"denied.{self.reason}",)


OUTCOMES: dict[str, type[Outcome]] = {kind.state: kind for kind in Outcome.__subclasses__()}
"""Every outcome by its state."""


def outcome_from(state: str, facts: dict[str, Any]) -> Outcome:
    """Return the outcome of this state with these fields, as read from JSON. Raises KeyError or TypeError."""
    return OUTCOMES[state](**{name: _frozen(value) for name, value in facts.items()})


def _frozen(value: Any) -> Any:
    return tuple(map(_frozen, value)) if isinstance(value, list) else value
