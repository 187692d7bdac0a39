"""Jobs as the journal's rows, and back. The only place that knows how a job, a step or an outcome is stored."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import fields
from typing import Any

from sqlalchemy import Row

from bot.model.job import Job, Step, Thread
from bot.model.names import Parent, ParentId, ParentName, fold
from bot.model.outcome import SENDING, WAITING, FollowUp, Outcome, outcome_from

Values = dict[str, Any]
"""A row by column. A name that ends in `_ago` is a time, in seconds before the database's now; None means never."""

Key = tuple[str, str]
"""What identifies a group before it has an id: its name as names are compared, and its parent."""


def key(job: Job, step: Step) -> Key:
    """Return what two steps for the same group have in common."""
    return fold(step.name), _parent_key(job, step)


def of_job(job: Job, process: str) -> Values:
    """Return a new job that `process` holds as a row of `jobs`."""
    return {
        "id": job.id,
        # Others may still press a button that led to nothing new.
        "trigger": f"refused:{job.id}" if job.refused and job.followup else job.trigger,
        "user": job.user,
        "asker": job.asker,
        "origin": job.origin,
        "followup": job.followup,
        "follows": job.follows or None,
        "channel": job.channel,
        "typed": _storable(job.typed),
        "language": job.language,
        "response_url": job.response_url,
        "process": process,
        "root_channel": job.thread.channel if job.thread else None,
        "root_ts": job.thread.ts if job.thread else None,
        "reply_to": job.reply_to or None,
        "channel_kind": job.channel_kind or None,
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
            "sent_ago": 3600.0 if step.state == SENDING else None,  # it is another job's request, sent long ago
            "settled_ago": 0.0 if step.outcome else None,
            **(of_outcome(step.outcome) if step.outcome else _of_unsettled(step)),
        }
        for step in job.steps
    ]


def _of_unsettled(step: Step) -> Values:
    return {"state": step.stage, "group_id": step.confirmed_id or None, "outcome": None}


def of_outcome(outcome: Outcome) -> Values:
    """Return an outcome as columns of `steps`. The JSON is ASCII, so it can hold what a text column refuses."""
    facts = {each.name: getattr(outcome, each.name) for each in fields(outcome)}
    # Without what is as by default, so that older versions read what has no news for them.
    told = {each.name: facts[each.name] for each in fields(outcome) if facts[each.name] != each.default}
    return {"state": outcome.state, "group_id": outcome.group_id or None, "outcome": json.dumps(told)}


def outcome_of(row: Row[Any]) -> Outcome | None:
    """Return the outcome in a row of `steps`, None while the step has none. Raises KeyError, TypeError, ValueError."""
    if not row.outcome:
        return None
    facts = json.loads(row.outcome)
    if not isinstance(facts, dict):
        raise ValueError("an outcome that is no object")
    return outcome_from(row.state, facts)


def job_of(row: Row[Any], rows_of_steps: Sequence[Row[Any]]) -> Job:
    """Return the job of a row and of those of its steps, which come in the order of `position`.

    Raises KeyError, TypeError or ValueError for rows that this version could not have written; UnicodeError, which is a
    ValueError, for those that are damaged.
    """
    _check(row, str, "user", "channel", "trigger", "typed", "language", "asker", "origin")
    _check(row, (int, float), "accepted_at", "age")
    _check(row, int, "attempts", "faults")
    _check(row, (int, float, type(None)), "answered_ago")
    _check(
        row,
        (str, type(None)),
        "response_url",
        "root_channel",
        "root_ts",
        "reply_to",
        "answer_ts",
        "follows",
        "channel_kind",
    )
    if not rows_of_steps:
        raise ValueError("no steps")
    return Job(
        user=row.user,
        channel=row.channel,
        trigger=row.trigger,
        typed=row.typed,
        steps=[_step(step, place) for place, step in enumerate(rows_of_steps)],
        response_url=row.response_url or "",
        language=row.language,
        id=row.id,
        followup=FollowUp(row.followup) if row.followup else None,
        follows=row.follows or "",
        asker=row.asker,
        origin=row.origin,
        thread=Thread(row.root_channel, row.root_ts) if row.root_ts else None,
        reply_to=row.reply_to or "",
        answer_ts=row.answer_ts or "",
        channel_kind=row.channel_kind or "",
        root_final=bool(row.root_final),
        accepted_at=row.accepted_at,
        age=max(0.0, row.age),
        answered_at=None if row.answered_ago is None else time.monotonic() - max(0.0, row.answered_ago),
        attempts=row.attempts,
        faults=row.faults,
    )


def _step(row: Row[Any], place: int) -> Step:
    _check(row, str, "name", "state")
    _check(row, (str, type(None)), "parent_id", "parent_name", "reason", "outcome")
    if row.position != place or (row.above is not None and row.above not in range(place)):
        raise ValueError("steps out of order")
    outcome = outcome_of(row)
    if not outcome and row.state not in (WAITING, SENDING):
        raise ValueError(f"a step in the state {row.state!r} without an outcome")
    return Step(
        position=row.position,
        name=row.name,
        parent=_parent(row),
        above=row.above,
        parent_id=row.parent_id,
        stage=SENDING if row.state == SENDING else WAITING,
        reason=row.reason or "",
        confirmed_id=(row.group_id or "") if not outcome else "",
        outcome=outcome,
    )


def _check(row: Row[Any], kind: type | tuple[type, ...], *columns: str) -> None:
    """Raise ValueError when a column holds a value of another kind, as SQLite lets it; UnicodeError when no text."""
    for column in columns:
        value = getattr(row, column)
        if not isinstance(value, kind):
            raise ValueError(f"{column} holds something else")
        if isinstance(value, str):
            value.encode()  # what is damaged holds lone surrogates: see database._text


def readable(value: object) -> str:
    """Return a text of a row that may be damaged, "" where it is none."""
    try:
        return value if isinstance(value, str) and value.encode() else ""
    except UnicodeError:
        return ""


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
