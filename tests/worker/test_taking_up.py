"""Jobs that another process left: each goes on from where it stands, and nothing is sent again."""

from __future__ import annotations

import contextlib
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Engine, select, update

from bot.journal.tables import jobs
from bot.model.outcome import Created, Outcome
from bot.sandbox.api import Api
from bot.slack import people
from bot.slack.texts import load
from bot.worker import create_groups as steps
from tests.support.texts import part
from tests.support.tree import Watched
from tests.support.until import until
from tests.support.worker import (
    CREATED,
    FOUND,
    REJECTED,
    Logged,
    Outage,
    Past,
    Start,
    answer,
    finished,
)
from tests.support.workspace import Workspace


@pytest.mark.parametrize("rooted", [False, True])
def test_what_was_not_sent_is_carried_out(past: Past, go_on: Start, workspace: Workspace, rooted: bool) -> None:
    """A job found in waiting is made and answered, in the thread that exists if there is one."""
    job = past.accept()
    if rooted:
        past.root(job)
    go_on()
    assert finished(workspace)
    (root,) = workspace.roots()
    assert part("en", "created.heading") in answer(workspace, root)


@pytest.mark.parametrize(
    ("there", "known", "found", "language"),
    [
        (["VIP"], [], ["97101"], "en"),
        (["vıp"], [], ["97101"], "tr"),
        (["VIP", "VIP"], [], ["97101", "97102"], "en"),
        (["VIP", "VIP"], ["97101"], ["97102"], "tr"),
        (["VIP"], ["97101"], [], "en"),
        ([], [], [], "tr"),
        (["VIP2"], [], [], "en"),
    ],
)
def test_what_was_sent_is_looked_up(
    past: Past,
    go_on: Start,
    workspace: Workspace,
    api: Api,
    there: list[str],
    known: list[str],
    found: list[str],
    language: str,
) -> None:
    """A job found in sending is never sent again; of the groups with its name, those are told that nobody has made."""
    api.add("VIP", parent="5", identifier="6")
    for name in there:
        api.add(name)
    for identifier in known:
        past.send(past.accept("another"), Created(identifier))
    job = past.accept("VIP", language)
    root = past.root(job)
    past.send(job)
    go_on()
    assert finished(workspace)
    ids = ", ".join(f"`{identifier}`" for identifier in found)
    texts, told = load(language), answer(workspace, root)
    assert texts["unknown.crashed.explanation"] in told
    kind = ("found_none", "found", "found_many")[len(found)]
    assert texts[f"unknown.{kind}.finding"].format(found=ids) in told
    assert not api.made()


@pytest.mark.parametrize(("fault", "language"), [(401, "en"), ("close", "tr")])
def test_what_cannot_be_looked_up_is_told_so(
    past: Past, go_on: Start, workspace: Workspace, api: Api, fault: int | str, language: str
) -> None:
    """Without the list of groups nothing is claimed, and nothing is sent again either."""
    api.add("VIP")
    api.list_faults.append(fault)
    job = past.accept("VIP", language)
    root = past.root(job)
    past.send(job)
    go_on()
    assert finished(workspace)
    assert load(language)["unknown.not_looked_up.finding"] in answer(workspace, root)
    assert not api.made()


def test_why_there_was_no_answer_survives(past: Past, go_on: Start, workspace: Workspace, api: Api) -> None:
    """The process died between a lost answer and its look-up: the reason told is the first one."""
    job = past.accept()
    root = past.root(job)
    past.send(job)
    job.steps[0].reason = "timeout"
    past.journal.settle(job, job.steps[0])
    go_on()
    assert finished(workspace)
    assert load("en")["unknown.timeout.explanation"] in answer(workspace, root)
    assert not api.made()


@pytest.mark.parametrize("rooted", [False, True])
@pytest.mark.parametrize(
    ("outcome", "key"),
    [(CREATED, "created.heading"), (REJECTED, "rejected.463.explanation"), (FOUND, "unknown.heading")],
)
def test_what_was_settled_is_answered(
    past: Past, go_on: Start, workspace: Workspace, api: Api, rooted: bool, outcome: Outcome, key: str
) -> None:
    """In the thread that exists, or under a new root that shows the result from the start; the API is not asked."""
    job = past.accept()
    if rooted:
        past.root(job)
    past.send(job, outcome)
    go_on()
    assert workspace.wait_for(lambda: any(m.thread_ts for m in workspace.messages))
    assert not rooted or finished(workspace)
    (root,) = workspace.roots()
    assert part("en", key) in answer(workspace, root)
    assert "is being created" not in root.text
    assert bool(root.earlier) == rooted
    assert not api.calls


def test_what_was_answered_is_not_answered_again(past: Past, go_on: Start, workspace: Workspace, api: Api) -> None:
    """Only the root is still to show the result."""
    job = past.accept()
    root = past.root(job)
    past.send(job, CREATED)
    past.answer(job)
    go_on()
    assert finished(workspace)
    assert "97101" in root.text
    assert len(workspace.messages) == 2
    assert not api.calls


def test_a_living_process_takes_over_from_a_dead_one(
    past: Past, start: Start, database_url: str, engine: Engine, workspace: Workspace
) -> None:
    """Not before: the other may be at it."""
    past.accept("theirs")
    url = start(DATABASE_URL=database_url).url
    workspace.command(url, "ours", channel="C2")
    assert until(lambda: past.journal.keep() or finished(workspace)) is True
    assert not workspace.roots("C1")
    with engine.begin() as connection:
        connection.execute(update(jobs).where(jobs.c.process == past.journal.process).values(process=None))
    assert finished(workspace, 2)
    assert "`theirs`" in workspace.roots("C1")[0].text


def rooted(engine: Engine) -> bool:
    """Tell whether the job's root is written down."""
    with engine.connect() as connection:
        return bool(connection.scalar(select(jobs.c.root_ts)))


@pytest.mark.parametrize("told", [False, True], ids=["before it is told", "after it was told"])
def test_a_fact_beats_a_doubt(
    start: Start, database_url: str, engine: Engine, workspace: Workspace, api: Watched, logged: Logged, told: bool
) -> None:
    """A process was held up for so long that another took its job over; then its answer comes, with the ID."""
    go = api.gates["add-group"] = threading.Event()
    first = start(DATABASE_URL=database_url, ADDGROUP_LANGUAGE="en", ILETIMERKEZI_TIMEOUT="9")
    workspace.command(first.url, "VIP")
    assert api.called.wait(10)
    until(lambda: rooted(engine))
    with engine.begin() as connection:
        connection.execute(update(jobs).values(process=None))
    start(DATABASE_URL=database_url, ADDGROUP_LANGUAGE="en", ILETIMERKEZI_TIMEOUT="0.5" if told else "9")
    assert logged.wait_for("adopted")
    if told:
        assert finished(workspace)
        (root,) = workspace.roots()
        assert part("en", "unknown.heading") in answer(workspace, root)
    go.set()
    assert logged.wait_for("corrected")
    (root,) = workspace.roots()
    assert workspace.wait_for(lambda: "97101" in root.text and any("97101" in m.text for m in workspace.thread(root)))
    assert api.made() == 1


def test_what_a_stopped_process_has_not_begun_the_next_one_does(
    start: Start, database_url: str, workspace: Workspace, api: Api
) -> None:
    """Stopped during the first of five calls: that one is answered, the others are made by the next, each once."""
    go = api.gates["add-group"] = threading.Event()
    first = start(DATABASE_URL=database_url, ADDGROUP_LANGUAGE="en", ADDGROUP_API_CALLS="1", ILETIMERKEZI_TIMEOUT="9")
    for name in "ABCDE":
        assert workspace.command(first.url, name).status == 200
    assert api.called.wait(10)
    with ThreadPoolExecutor(1) as pool:
        stopped = pool.submit(first.stop, 9)
        until(lambda: not first.parts.worker.running)
        go.set()
        stopped.result()
    assert api.made() == 1
    start(DATABASE_URL=database_url)
    assert finished(workspace, 5)
    assert api.made() == len(api.groups) - 1 == 5
    assert len(workspace.messages) == 10


@pytest.mark.parametrize("crashed", [False, True])
def test_a_lost_answer_is_looked_up_after_a_pause(
    past: Past, go_on: Start, workspace: Workspace, api: Api, monkeypatch: pytest.MonkeyPatch, crashed: bool
) -> None:
    """The request may still be on its way, so the list is not asked for at once; also after a restart."""
    monkeypatch.setattr(steps, "LOOK_UP_AFTER", 0.6)
    began: dict[str, float] = {}  # the last call of each method

    def mood() -> str:
        began[api.calls[-1][0]] = time.monotonic()
        return "close"

    api.mood = mood
    job = past.accept()
    if crashed:
        began["add-group"] = time.monotonic()
        past.send(job)
    go_on()
    assert finished(workspace)
    assert began["get-groups"] - began["add-group"] > 0.5


def test_an_answer_told_twice_is_the_same(
    start: Start,
    database_url: str,
    outage: Outage,
    workspace: Workspace,
    api: Api,
    logged: Logged,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The journal is away when the answer is posted, so it is posted again: what changed meanwhile changes no word."""
    monkeypatch.setattr(people, "KEPT", 0.0)
    api.faults.append("close")

    def mood() -> None:
        if workspace.calls[-1][1].get("thread_ts") and not away:
            away.append(stack.enter_context(outage()))

    away: list[None] = []
    with contextlib.ExitStack() as stack:
        workspace.mood = mood
        workspace.command(start(DATABASE_URL=database_url).url, "VIP")
        assert logged.wait_for("journal_failed")
        workspace.locales["U1"] = "tr-TR"
        api.add("VIP")
    assert workspace.wait_for(lambda: len([m for m in workspace.messages if m.thread_ts]) == 2)
    (root,) = workspace.roots()
    first, *others = [message.text for message in workspace.thread(root)]
    assert load("en")["unknown.found_none.finding"] in first
    assert others
    assert set(others) == {first}
