"""Jobs as the journal's rows, and back."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from sqlalchemy import Row

from bot.iletimerkezi.client import NotSent, Rejected
from bot.model.group import Group
from bot.model.job import SENDING, Created, Denied, Duplicate, Job, NoParent, Outcome, Skipped, Step, Thread, Unclear
from bot.model.names import Parent, ParentId, ParentName, fold

Values = dict[str, Any]
"""A row by column; what ends in `_ago` is a time, in seconds before the database's now, or None where there is none."""

Key = tuple[str, str]
"""What tells a group from every other: its name as names are compared, and its parent."""


def key(job: Job, step: Step) -> Key:
    """Return what two steps for the same group have in common."""
    return fold(step.name), _parent_key(job, step)


def of_job(job: Job, closed: bool = False) -> Values:
    """Return a new job as a row of `jobs`; a `closed` one is answered, and nothing is left to do."""
    ago = 0.0 if closed else None
    return {
        "id": job.id,
        # A button that led to nothing new is left for others.
        "trigger": f"refused:{job.id}" if closed and not job.typed_now else job.trigger,
        "user": job.user,
        "asker": job.asker,
        "origin": job.origin,
        "forced": int(job.forced),
        "channel": job.channel,
        "typed": _storable(job.typed),
        "language": job.language,
        "response_url": None if closed else job.response_url,
        "root_channel": job.thread.channel if job.thread else None,
        "root_ts": job.thread.ts if job.thread else None,
        "answered_ago": ago,
        "closed_ago": ago,
    }


def of_steps(job: Job, closed: bool = False) -> list[Values]:
    """Return a new job's steps as rows of `steps`."""
    return [
        {
            "job": job.id,
            "position": step.position,
            "name": step.name,
            "name_key": fold(step.name),
            "parent": _parent_key(job, step),
            "parent_name": step.parent.name if isinstance(step.parent, ParentName) else None,
            "above": step.above,
            "state": step.state,
            "sent_ago": step.sent_ago if step.state == SENDING else None,
            "settled_ago": 0.0 if closed else None,
            **(of_outcome(step.outcome) if step.outcome else {**_NO_FACTS, "detail": step.reason or None}),
        }
        for step in job.steps
    ]


_NO_FACTS: Values = dict.fromkeys(("group_id", "code", "detail", "found"))


def of_outcome(outcome: Outcome) -> Values:
    """Return the facts of an outcome as columns of `steps`."""
    match outcome:
        case Created(group):
            facts: Values = {"group_id": group.id}
        case Rejected(code=code, message=message):
            facts = {"code": code, "detail": _storable(message)}
        case NotSent(reason=reason):
            facts = {"detail": reason}
        case Unclear(reason, found):
            facts = {"detail": reason, "found": None if found is None else json.dumps(found)}
        case Duplicate() | NoParent() | Denied():
            facts = {"detail": json.dumps(vars(outcome))}
        case Skipped():
            facts = {}
    return {**_NO_FACTS, **facts}


def outcome_of(row: Row[Any]) -> Outcome | None:
    """Return the outcome that of_outcome took apart; None while the step is not settled."""
    match row.state:
        case "created":
            return Created(Group(row.group_id, row.name, row.parent))
        case "rejected":
            return Rejected(row.code, row.detail or "")
        case "not_sent" if row.detail.startswith("{"):
            more = json.loads(row.detail)
            return NoParent(more["reason"], tuple((path, identifier) for path, identifier in more["candidates"]))
        case "not_sent":
            return NotSent(row.detail)
        case "unknown":
            return Unclear(row.detail, None if row.found is None else tuple(json.loads(row.found)))
        case "skipped" if row.detail is None:
            return Skipped()
        case "skipped":
            more = json.loads(row.detail)
            return Denied(**more) if "reason" in more else Duplicate(**more)
        case _:
            return None


def jobs_of(rows: Iterable[Row[Any]], rows_of_steps: Iterable[Row[Any]]) -> list[Job]:
    """Return the jobs of these rows, in their order, with their steps, which come in the order of their positions."""
    found = {row.id: _job(row) for row in rows}
    for row in rows_of_steps:
        found[row.job].steps.append(_step(row))
    return list(found.values())


def _job(row: Row[Any]) -> Job:
    return Job(
        user=row.user,
        channel=row.channel,
        trigger=row.trigger,
        typed=row.typed,
        steps=[],
        response_url=row.response_url or "",
        language=row.language,
        id=row.id,
        asker=row.asker,
        origin=row.origin,
        forced=bool(row.forced),
        thread=Thread(row.root_channel, row.root_ts) if row.root_ts else None,
        root_final=bool(row.root_final),
        accepted_at=row.accepted_at,
        answered=row.answered_at is not None,
        attempts=row.attempts,
    )


def _step(row: Row[Any]) -> Step:
    return Step(
        position=row.position,
        name=row.name,
        parent=_parent(row),
        above=row.above,
        parent_id=None if ":" in row.parent else row.parent,
        unsettled=row.state,
        reason=row.detail or "" if row.state == SENDING else "",
        sent_ago=row.sent_ago or 0.0,
        outcome=outcome_of(row),
    )


def _parent(row: Row[Any]) -> Parent:
    """Return a step's parent as it was given."""
    if row.parent_name is not None:
        return ParentName(row.parent_name)
    return ParentId(row.parent) if row.parent and row.above is None else None


def _parent_key(job: Job, step: Step) -> str:
    """Return the parent's id, or while it is not known, what tells it from every other."""
    if step.parent_id is not None:
        return step.parent_id
    if isinstance(step.parent, ParentName):
        return f"name:{fold(step.parent.name)}"
    return f"step:{job.id}:{step.above}"


def _storable(text: str) -> str:
    """Return a text without what databases refuse: NUL, and halves of characters."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode()
