"""Jobs, steps and outcomes as the journal's rows, and back."""

import json
import logging
import time
from collections.abc import Sequence
from dataclasses import fields
from typing import Any

from sqlalchemy import Row

from bot.journal.tables import jobs
from bot.log import REPEATED, event
from bot.model.job import Job, Step, Thread
from bot.model.names import Parent, ParentId, ParentName, fold
from bot.model.outcome import SENDING, WAITING, FollowUp, Outcome, outcome_from

Values = dict[str, Any]
"""A row by column; an empty text is NULL where a column may be."""

Key = tuple[str, str]
"""What identifies a group before it has an id: its name as names are compared, and its parent."""

_SAME = [name for name in Job.__dataclass_fields__ if name in jobs.c and name != "answered_at"]
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
    same = {name: getattr(job, name) for name in _SAME if name != "accepted_at"}
    return {name: None if value == "" and jobs.c[name].nullable else value for name, value in same.items()} | {
        # Others may still press a button that led to nothing new.
        "trigger": f"refused:{job.id}" if job.refused and job.followup else job.trigger,
        "typed": job.typed.replace("\x00", "").encode("utf-8", "replace").decode(),  # what databases refuse is left out
        "process": process,
        **of_root(job),
    }


def of_root(job: Job) -> Values:
    """Return where a job's root message is, and whether it shows the result, as columns of `jobs`."""
    channel, ts = (job.thread.channel, job.thread.ts) if job.thread else (None, None)
    return {"root_channel": channel, "root_ts": ts, "root_final": int(job.root_final)}


def of_step(job: Job, step: Step) -> Values:
    """Return a new job's step as a row of `steps`; instead of the times it has `settled_ago`, 0.0 or None."""
    name_key, parent_key = key(job, step)
    unsettled = {"state": step.stage, "group_id": step.confirmed_id or None, "outcome": None}
    return {
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

    `age` and `answered_ago` stand beside the columns of `jobs`. Raises KeyError, TypeError or ValueError for what this
    version could not have written.
    """
    facts: Values = {name: "" if getattr(row, name) is None else getattr(row, name) for name in _SAME} | {
        "followup": FollowUp(row.followup) if row.followup else None,
        "root_final": bool(row.root_final),
    }
    return Job(
        steps=list(map(_step_of, its_steps)),
        thread=Thread(row.root_channel, row.root_ts) if row.root_ts else None,
        answered_at=None if row.answered_ago is None else time.monotonic() - max(0.0, row.answered_ago),
        age=max(0.0, row.age),
        **facts,
    )


def _step_of(row: Row[Any]) -> Step:
    """Return a step; one whose outcome cannot be read may have been sent, which its person is told in the end."""
    try:
        outcome, stage = outcome_of(row), row.state
    except (KeyError, TypeError, ValueError):
        event("outcome_unreadable", level=logging.ERROR, every=REPEATED, job=row.job, step=row.position)
        outcome, stage = None, SENDING
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
        stage=WAITING if outcome else stage,  # one that this version does not know may have been sent
        reason=row.reason or "",
        confirmed_id="" if outcome else row.group_id or "",
        outcome=outcome,
    )
