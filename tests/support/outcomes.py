"""Every outcome that a job can have, and jobs that ended in one."""

import re
from dataclasses import replace
from typing import Any

from bot.model.job import Job, Step
from bot.model.names import ParentName
from bot.model.outcome import Created, Denied, Duplicate, Exists, NoParent, NotSent, Outcome, Rejected, Skipped, Unknown
from bot.slack.texts import Voice, load

CODES = (*sorted({int(key.split(".")[1]) for key in load("en") if re.match(r"rejected\.\d", key)}), 499)
"""The codes that have texts, and one that has none."""

NOT_SENT = ("unreachable", "connect_timeout", "tls", "proxy", "address", "withdrawn", "too_late", "too_old", "failed")
UNKNOWN: tuple[str, ...] = ("timeout", "closed", "truncated", "too_large", "unreadable", "undocumented", "server_error")
UNKNOWN += ("contradiction", "crashed")
DENIED = ("channel", "guest", "foreign", "bot", "deactivated", "not_listed", "unknown", "unknown_person", "no_scope")
NEAR = (("Customers › VIP", "12"), ("VIP", "34"))

OUTCOMES: tuple[Outcome, ...] = (
    Created("97112"),
    Created("97112", unchecked=True),
    Created("97112", stored="V&amp;P"),
    Exists("97112"),
    Exists("97112", "Customers › VIP"),
    Exists("97112", user="U9", at=1e9),
    *(Rejected(code, "Bakiyeniz yetersiz.") for code in CODES),
    *map(NotSent, NOT_SENT),
    NoParent("missing"),
    NoParent("missing", NEAR),
    NoParent("ambiguous", NEAR),
    NoParent("unavailable"),
    NoParent("no_list"),
    Unknown("timeout", None, listable=False),
    *(Unknown("timeout", found, looks=2) for found in (None, ())),
    *(Unknown(reason, found) for reason in UNKNOWN for found in (None, (), ("97112",), ("97112", "97113"))),
    *(Duplicate("U9", 240.0, state, "97112" * (state == "created")) for state in ("created", "unknown", "sending")),
    *map(Denied, DENIED),
)
"""Each with the kinds that have words of their own. Skipped is in the trees only."""


REFERENCE = "5f6de3dcc22102e5"

NAMES = {"U1": "Deniz", "U2": "Ayşe", "U9": "Can"}
PATHS = {"5": "Müşteriler › Customers"}


def speaker(language: str = "en") -> Voice:
    """Return a voice that knows the people, the list of groups, the contact, the channels and the workspace."""
    path, name = (lambda group: PATHS.get(group, "")), (lambda user: NAMES.get(user, ""))
    return Voice(language, "U0HELP", path, name, ("C7", "C8"), lambda: "https://acme.slack.com/")


def single(outcome: Outcome, language: str = "en", **facts: Any) -> Job:
    """Return a job for one group under `Customers` that ended so."""
    return _job([Step(0, "VIP", ParentName("Customers"), parent_id="5", outcome=outcome)], language, facts)


def tree(outcome: Outcome, language: str = "en", **facts: Any) -> Job:
    """Return a job for `VIP` and two groups under it, of which the middle one ended so."""
    middle = Step(1, "İstanbul", None, 0, "97111", outcome=outcome)
    if isinstance(outcome, NoParent):
        middle = Step(1, "İstanbul", ParentName("Customers"), outcome=outcome)
    last = Step(2, "Kadıköy", above=1, outcome=Created("97113") if outcome.group_id else Skipped())
    return _job([Step(0, "VIP", outcome=Created("97111")), middle, last], language, facts)


def _job(steps: list[Step], language: str, facts: dict[str, Any]) -> Job:
    job = Job("U1", "C1", "t", "", steps, language=language, id=REFERENCE, accepted_at=1e9)
    return replace(job, **{"origin": facts.get("id", REFERENCE), **facts})
