"""Jobs as the journal's rows, and back. The only place that knows how a job, a step or an outcome is stored."""

import json
import time
from collections.abc import Sequence
from dataclasses import fields
from typing import Any

from sqlalchemy import Row, Table

from bot.journal.tables import jobs, steps
from bot.model.job import Job, Step, Thread
from bot.model.names import Parent, ParentId, ParentName, fold
from bot.model.outcome import SENDING, WAITING, FollowUp, Outcome, outcome_from

Values = dict[str, Any]
"""A row by column; an empty text is NULL where a column may be."""

Key = tuple[str, str]
"""What identifies a group before it has an id: its name as names are compared, and its parent."""

_SAME = [column for column in jobs.columns if column.name in Job.__dataclass_fields__ and column.name != "answered_at"]
"""The columns of `jobs` that hold what the field of a Job with their name does."""


def key(job: Job, step: Step) -> Key:
    """Return what two steps for the same group have in common: the name, and the parent's id.

    While nobody knows that id, it is what distinguishes the parent from every other.
    """
    if step.parent_id is not None:
        return fold(step.name), step.parent_id
    if isinstance(step.parent, ParentName):
        return fold(step.name), f"name:{fold(step.parent.name)}"
    return fold(step.name), f"step:{job.id}:{step.above}"


def of_job(job: Job, process: str) -> Values:
    """Return a new job that `process` holds as a row of `jobs`, without the times."""
    same = {column.name: getattr(job, column.name) for column in _SAME if column.name != "accepted_at"}
    return {name: None if value == "" and jobs.c[name].nullable else value for name, value in same.items()} | {
        # Others may still press a button that led to nothing new.
        "trigger": f"refused:{job.id}" if job.refused and job.followup else job.trigger,
        "typed": job.typed.replace("\x00", "").encode("utf-8", "replace").decode(),  # what databases refuse is left out
        "process": process,
        "root_channel": job.thread.channel if job.thread else None,
        "root_ts": job.thread.ts if job.thread else None,
        "root_final": int(job.root_final),
    }


def of_steps(job: Job) -> list[Values]:
    """Return a new job's steps as rows of `steps`; instead of the times they have `settled_ago`, 0.0 or None."""
    rows = []
    for step in job.steps:
        name_key, parent_key = key(job, step)
        unsettled = {"state": step.stage, "group_id": step.confirmed_id or None, "outcome": None}
        rows.append(
            {
                "job": job.id,
                "position": step.position,
                "name": step.name,
                "name_key": name_key,
                "parent_id": step.parent_id,
                "parent_name": step.parent.name if isinstance(step.parent, ParentName) else None,
                "parent_key": parent_key,
                "above": step.above,
                "reason": step.reason or None,
                "settled_ago": 0.0 if step.outcome else None,
                **(of_outcome(step.outcome) if step.outcome else unsettled),
            }
        )
    return rows


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


def job_of(row: Row[Any], its_steps: Sequence[Row[Any]]) -> Job:
    """Return the job of a row and of those of its steps, which come in the order of `position`.

    `age` and `answered_ago` stand beside the columns of `jobs`. Raises KeyError, TypeError or ValueError for rows that
    are damaged, or that this version could not have written.
    """
    _check(row, jobs)
    facts: Values = {column.name: getattr(row, column.name) for column in _SAME}
    facts = {name: "" if value is None else value for name, value in facts.items()} | {
        "followup": FollowUp(row.followup) if row.followup else None,
        "root_final": bool(row.root_final),
    }
    return Job(
        steps=[_step(step, place) for place, step in enumerate(its_steps)],
        thread=Thread(row.root_channel, row.root_ts) if row.root_ts else None,
        answered_at=None if row.answered_ago is None else time.monotonic() - max(0.0, row.answered_ago),
        age=max(0.0, row.age),
        **facts,
    )


def _step(row: Row[Any], place: int) -> Step:
    _check(row, steps)
    if row.position != place or (row.above is not None and row.above not in range(place)):
        raise ValueError("steps out of order")
    outcome = outcome_of(row)
    if not outcome and row.state not in (WAITING, SENDING):
        raise ValueError(f"a step in the state {row.state!r} without an outcome")
    parent: Parent = None
    if row.parent_name is not None:
        parent = ParentName(row.parent_name)
    elif row.parent_id and row.above is None:
        parent = ParentId(row.parent_id)
    return Step(
        position=row.position,
        name=row.name,
        parent=parent,
        above=row.above,
        parent_id=row.parent_id,
        stage=SENDING if row.state == SENDING else WAITING,
        reason=row.reason or "",
        confirmed_id=(row.group_id or "") if not outcome else "",
        outcome=outcome,
    )


def _check(row: Row[Any], table: Table) -> None:
    """Raise ValueError when a column of the table holds a value of another kind, as SQLite lets it, or no text."""
    for column in table.columns:
        value, kind = getattr(row, column.name), column.type.python_type
        if value is None and column.nullable:
            continue
        if not isinstance(value, (int, float) if kind is float else kind):
            raise ValueError(f"{column.name} holds something else")
        if isinstance(value, str):
            value.encode()  # what is damaged holds lone surrogates: see database.py


def unreadable(row: Row[Any]) -> Job:
    """Return what can be read of a damaged job: who is to be told, and how, in ASCII. It has no steps."""
    told = [value if str(value).isascii() else "" for value in (row.user, row.channel, row.response_url or "")]
    user, channel, response_url = map(str, told)
    return Job(user, channel, row.id, "", [], response_url, id=row.id, answered_at=row.answered_ago)
