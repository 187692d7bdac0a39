"""Jobs as the journal's rows, and back. The only place that knows how a job, a step or an outcome is stored."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from sqlalchemy import Row

from bot.model.followup import FollowUp
from bot.model.job import Job, Step, Thread
from bot.model.names import Parent, ParentId, ParentName, fold
from bot.model.outcome import SENDING, WAITING, Outcome, outcome_from

Values = dict[str, Any]
"""A row by column. A name that ends in `_ago` is a time, in seconds before the database's now; None means never."""

Key = tuple[str, str]
"""What identifies a group before it has an id: its name as names are compared, and its parent."""


def key(job: Job, step: Step) -> Key:
    """Return what two steps for the same group have in common."""
    return fold(step.name), _parent_key(job, step)


def of_job(job: Job, closed: bool = False) -> Values:
    """Return a new job as a row of `jobs`. A `closed` one is answered, and nothing is left to do."""
    ago = 0.0 if closed else None
    return {
        "id": job.id,
        # Others may still press a button that led to nothing new.
        "trigger": f"refused:{job.id}" if closed and job.followup else job.trigger,
        "user": job.user,
        "asker": job.asker,
        "origin": job.origin,
        "followup": job.followup,
        "follows": job.follows or None,
        "channel": job.channel,
        "typed": _storable(job.typed),
        "language": job.language,
        "response_url": None if closed else job.response_url,
        "root_channel": job.thread.channel if job.thread else None,
        "root_ts": job.thread.ts if job.thread else None,
        "answered_ago": ago,
        "closed_ago": ago,
    }


def of_steps(job: Job) -> list[Values]:
    """Return a new job's steps as rows of `steps`."""
    return [
        {
            "job": job.id,
            "position": step.position,
            "name": step.name,
            "name_key": fold(step.name),
            "parent_id": step.parent_id,
            "parent_name": step.parent.name if isinstance(step.parent, ParentName) else None,
            "parent_key": _parent_key(job, step),
            "above": step.above,
            "reason": step.reason or None,
            "sent_ago": step.sent_ago if step.state == SENDING else None,
            "settled_ago": 0.0 if step.outcome else None,
            **(of_outcome(step.outcome) if step.outcome else {"state": step.stage, "group_id": None, "outcome": None}),
        }
        for step in job.steps
    ]


def of_outcome(outcome: Outcome) -> Values:
    """Return an outcome as columns of `steps`. The JSON is ASCII, so it can hold what a text column refuses."""
    return {"state": outcome.state, "group_id": outcome.group_id or None, "outcome": json.dumps(asdict(outcome))}


def outcome_of(row: Row[Any]) -> Outcome | None:
    """Return the outcome in a row of `steps`, None while the step has none."""
    return outcome_from(row.state, json.loads(row.outcome)) if row.outcome else None


def jobs_of(rows: Iterable[Row[Any]], rows_of_steps: Iterable[Row[Any]]) -> list[Job]:
    """Return the jobs of these rows, in their order, with their steps, whose rows come in the order of `position`."""
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
        followup=FollowUp(row.followup) if row.followup else None,
        follows=row.follows or "",
        asker=row.asker,
        origin=row.origin,
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
        parent_id=row.parent_id,
        stage=SENDING if row.state == SENDING else WAITING,
        reason=row.reason or "",
        sent_ago=row.sent_ago or 0.0,
        outcome=outcome_of(row),
    )


def _parent(row: Row[Any]) -> Parent:
    """Return a step's parent as it was given."""
    if row.parent_name is not None:
        return ParentName(row.parent_name)
    return ParentId(row.parent_id) if row.parent_id and row.above is None else None


def _parent_key(job: Job, step: Step) -> str:
    """Return the parent's id, or while nobody knows it, what distinguishes the parent from every other."""
    if step.parent_id is not None:
        return step.parent_id
    if isinstance(step.parent, ParentName):
        return f"name:{fold(step.parent.name)}"
    return f"step:{job.id}:{step.above}"


def _storable(text: str) -> str:
    """Return a text without what databases refuse: NUL and lone surrogates."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode()
