"""Jobs that cannot or should not be finished: old ones, and those with a fault that always comes."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Engine, update

from bot.journal.tables import jobs
from bot.sandbox.api import Api
from bot.slack.delivery import Delivery
from bot.slack.texts import load
from bot.worker import run_job, worker
from bot.worker.create_groups import GroupCreator
from tests.support.slack import answered
from tests.support.texts import part
from tests.support.worker import Logged, Past, Start, answer, both_languages, finished
from tests.support.workspace import Workspace

QUICKLY = 0.01


@pytest.fixture
def quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nothing wait long before it is tried again."""
    monkeypatch.setattr(worker, "LONGEST_WAIT", QUICKLY)


def grow_old(engine: Engine, seconds: float) -> None:
    """Let every job have been accepted so long ago."""
    with engine.begin() as connection:
        connection.execute(update(jobs).values(accepted_at=jobs.c.accepted_at - seconds))


# Old jobs.


@both_languages
@pytest.mark.parametrize("rooted", [False, True])
def test_an_old_job_is_not_sent(
    past: Past, go_on: Start, engine: Engine, workspace: Workspace, api: Api, language: str, rooted: bool
) -> None:
    """What a restored backup or a long outage left is told as not sent, and its button sends it."""
    job = past.accept("VIP", language)
    if rooted:
        past.root(job)
    grow_old(engine, run_job.TOO_OLD + 60)
    running = go_on(ADDGROUP_LANGUAGE=language)
    assert workspace.wait_for(lambda: any(m.thread_ts for m in workspace.messages))
    (root,) = workspace.roots()
    (told,) = workspace.thread(root)
    assert load(language)["not_sent.too_old.explanation"] in told.text
    assert not api.made()
    workspace.press(running.url, told, "again")
    assert workspace.wait_for(lambda: len(workspace.thread(root)) == 2)
    assert part(language, "created.heading") in workspace.thread(root)[1].text
    assert api.made() == 1


def test_a_job_of_an_hour_ago_is_sent(past: Past, go_on: Start, engine: Engine, workspace: Workspace) -> None:
    """An outage that ends in time delays a command and loses none."""
    past.accept()
    grow_old(engine, run_job.TOO_OLD - 60)
    go_on()
    assert finished(workspace)
    assert part("en", "created.heading") in answer(workspace, workspace.roots()[0])


def test_an_old_job_that_was_sent_is_looked_up(
    past: Past, go_on: Start, engine: Engine, workspace: Workspace, api: Api
) -> None:
    """Its age changes nothing about what may have been made."""
    job = past.accept()
    past.send(job)
    grow_old(engine, 86400)
    api.add("VIP")
    go_on()
    assert workspace.wait_for(lambda: any(m.thread_ts for m in workspace.messages))
    assert load("en")["unknown.found.finding"].format(found="`97101`") in answer(workspace, workspace.roots()[0])
    assert not api.made()


# Faults.


def broken(*_args: Any, **_more: Any) -> None:
    """Fail as nobody foresaw."""
    raise ZeroDivisionError("a fault of the tests")


@both_languages
@pytest.mark.usefixtures("quickly")
def test_a_fault_that_always_comes_is_answered(
    past: Past,
    go_on: Start,
    workspace: Workspace,
    api: Api,
    logged: Logged,
    monkeypatch: pytest.MonkeyPatch,
    language: str,
) -> None:
    """After some attempts: that it could not be finished, with the reference; nothing was sent."""
    job = past.accept("VIP", language)
    settle = GroupCreator.settle
    monkeypatch.setattr(GroupCreator, "settle", lambda *a: settle(*a) if a[1].settled else broken())
    go_on(ADDGROUP_LANGUAGE=language)
    assert finished(workspace)
    told = answer(workspace, workspace.roots()[0])
    assert load(language)["not_sent.failed.explanation"] in told
    assert job.id in told
    assert not api.made()
    assert logged.wait_for("job_failed", run_job.FAULTS)


@pytest.mark.usefixtures("quickly")
def test_a_fault_after_sending_leaves_it_unknown(
    past: Past, go_on: Start, workspace: Workspace, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether the group was made is not known, is told so, and nothing is sent again."""
    past.send(past.accept())
    settle = GroupCreator.settle
    monkeypatch.setattr(GroupCreator, "settle", lambda *a: settle(*a) if a[1].settled else broken())
    go_on()
    assert workspace.wait_for(lambda: any(m.thread_ts for m in workspace.messages))
    assert load("en")["unknown.not_looked_up.finding"] in answer(workspace, workspace.roots()[0])
    assert not api.made()


@pytest.mark.usefixtures("quickly")
def test_an_answer_that_can_never_be_given_ends_the_job(
    past: Past, go_on: Start, workspace: Workspace, api: Api, logged: Logged, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even the words fail: the job is closed, with an error in the log, and the next one is carried."""
    bad = past.accept("bad")
    post_answer = Delivery.post_answer
    monkeypatch.setattr(
        Delivery, "post_answer", lambda d, job, t: broken() if job.id == bad.id else post_answer(d, job, t)
    )
    running = go_on(ADDGROUP_LANGUAGE="en")
    assert logged.wait_for("given_up")
    workspace.command(running.url, "good")
    assert answered(workspace, "good")
    assert api.made() == 2
