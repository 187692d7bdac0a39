"""Jobs that another process left: each goes on from where it stands, and nothing is sent again."""

import contextlib
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import Engine, select, update

from bot.journal.tables import jobs, processes
from bot.model.outcome import Created, Outcome
from bot.slack.delivery import Delivery
from bot.slack.texts import load
from bot.worker import create_groups as steps
from bot.worker import run_job, worker
from bot.worker.create_groups import GroupCreator
from tests.support.journal import CREATED, shift
from tests.support.provider import Api
from tests.support.slack import answered, answers
from tests.support.texts import part
from tests.support.tree import Watched
from tests.support.until import until
from tests.support.worker import CALL, FOUND, REJECTED, Logged, Outage, Past, Start, answer
from tests.support.workspace import Workspace

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.mark.parametrize(
    ("stands", "rooted", "key"),
    [
        ("waiting", False, "created.heading"),
        ("waiting", True, "created.heading"),
        ("sending", True, "unknown.crashed.explanation"),
        ("timeout", True, "unknown.timeout.explanation"),
        (CREATED, True, "created.heading"),
        (REJECTED, False, "rejected.463.explanation"),
        (FOUND, True, "unknown.heading"),
        ("answered", True, "created.heading"),
    ],
    ids=str,
)
def test_a_job_goes_on_from_where_it_stands(
    past: Past, go_on: Start, workspace: Workspace, api: Api, stands: str | Outcome, rooted: bool, key: str
) -> None:
    """Only what was not sent is sent; what is known of the rest is told, in the thread that exists if there is one."""
    job = past.accept()
    if rooted:
        past.root(job)
    if stands != "waiting":
        past.send(job, stands if isinstance(stands, Outcome) else CREATED if stands == "answered" else None)
    if stands == "timeout":
        job.steps[0].reason = "timeout"
        past.journal.settle(job, job.steps[0])
    if stands == "answered":
        past.answer(job)  # only the root is still to show the result
    go_on()
    assert workspace.wait_for(lambda: any(m.thread_ts for m in workspace.messages))
    assert not rooted or workspace.finished()
    (root,) = workspace.roots()
    assert part("en", key) in answer(workspace, root)
    assert api.made() == (stands == "waiting")
    assert stands in ("waiting", "sending", "timeout") or not api.calls


LOOKED_UP = {
    "VIP": ("en", ["VIP"], 0, 1),
    "Gold": ("tr", ["gold"], 0, 1),
    "Altın": ("tr", ["ALTIN", "Altın"], 1, 1),
    "Silver": ("en", ["Silver"], 1, 0),
    "Bronze": ("en", ["Bronze2"], 0, 0),
}
"""By its name: the language of a job, the groups that there are, how many others made, how many it may have made."""


def test_what_was_sent_is_looked_up(past: Past, go_on: Start, workspace: Workspace, api: Api) -> None:
    """Of the main groups with its name, those are told that nobody has made."""
    sent = {}
    for name, (language, there, known, _) in LOOKED_UP.items():
        api.add(name, parent="5")
        ids = [api.add(each).id for each in there]
        for identifier in ids[:known]:
            past.send(past.accept(f"another {name}"), Created(identifier))
        job = past.accept(name, language)
        sent[name] = past.root(job), ids[known:]
        past.send(job)
    go_on()
    assert workspace.finished(len(LOOKED_UP))
    for name, (root, ids) in sent.items():
        language, _, _, found = LOOKED_UP[name]
        finding = load(language)[f"unknown.{('found_none', 'found')[found]}.finding"]
        assert finding.format(found=", ".join(f"`{identifier}`" for identifier in ids)) in answer(workspace, root), name
    assert not api.made()


def rooted(engine: Engine) -> bool:
    """Tell whether the job's root is written down."""
    with engine.connect() as connection:
        return bool(connection.scalar(select(jobs.c.root_ts)))


def test_a_process_that_stops_shows_life_to_the_end(
    start: Start, past: Past, engine: Engine, workspace: Workspace, api: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So nobody takes over what it finishes still; what others leave meanwhile, it does not take up."""
    monkeypatch.setattr(worker, "EVERY", 0.05)
    go = api.gates["add-group"] = threading.Event()
    first = start()

    def shown() -> float | None:
        mine = select(processes.c.lease_until).where(processes.c.id == first.parts.journal.process)
        with engine.connect() as connection:
            return connection.scalar(mine)

    workspace.command(first.url, "VIP")
    assert api.called.wait(30)
    with ThreadPoolExecutor(1) as pool:
        stopped = pool.submit(first.stop, 60)
        until(first.parts.worker.stopping.is_set)
        left = past.accept("Other")
        past.die()
        for _ in range(2):
            before = shown()
            until(lambda: shown() != before)  # noqa: B023  # it is called here
        assert not first.parts.journal.holds(left)
        go.set()
        stopped.result()
    assert shown() is None
    assert api.made() == 1


@pytest.mark.parametrize("told", [False, True])
def test_a_fact_beats_a_doubt(
    start: Start, database_url: str, engine: Engine, workspace: Workspace, api: Watched, logged: Logged, told: bool
) -> None:
    """A process was held up for so long that another took its job over; then its answer comes, with the ID."""
    go = api.gates["add-group"] = threading.Event()
    first = start(DATABASE_URL=database_url, ADDGROUP_LANGUAGE="en")
    workspace.command(first.url, "VIP")
    assert api.called.wait(30)
    until(lambda: rooted(engine))
    with engine.begin() as connection:
        connection.execute(update(jobs).values(process=None))
    start(DATABASE_URL=database_url, ADDGROUP_LANGUAGE="en", ILETIMERKEZI_TIMEOUT="0.5" if told else str(CALL))
    assert logged.wait_for("adopted")
    if told:
        assert workspace.finished()
        (root,) = workspace.roots()
        assert part("en", "unknown.heading") in answer(workspace, root)
    go.set()
    assert logged.wait_for("corrected")
    (root,) = workspace.roots()
    assert workspace.wait_for(lambda: "97101" in root.text and any("97101" in m.text for m in workspace.thread(root)))
    assert api.made() == 1


def test_a_lost_answer_is_looked_up_after_a_pause(
    past: Past, go_on: Start, workspace: Workspace, api: Api, logged: Logged, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The request may still be on its way, so the list is not asked for at once; also after a crash."""
    soon = steps.LOOK_UP_AFTER
    monkeypatch.setattr(steps, "LOOK_UP_AFTER", 1e6)
    api.mood = lambda: "close"
    past.send(past.accept("Gold"))
    past.accept("VIP")
    bot = go_on()
    assert logged.wait_for("postponed", 2)
    assert api.calls[-1][0] == "add-group"
    bot.stop(30)
    monkeypatch.setattr(steps, "LOOK_UP_AFTER", soon)
    go_on()
    assert workspace.finished(2)
    assert (api.calls[-1][0], api.made()) == ("get-groups", 1)
    for told in answers(workspace, 2):
        assert load("en")["unknown.not_looked_up.finding"] in told.text, "nothing is claimed"


def test_an_answer_is_told_once_although_the_journal_was_away(
    start: Start, outage: Outage, workspace: Workspace, logged: Logged
) -> None:
    """It is away when the answer is posted: what could not be written down is written later, and not told again."""
    away, calls = [outage()], workspace.calls
    with contextlib.ExitStack() as stack:
        workspace.mood = lambda: stack.enter_context(away.pop()) if away and calls[-1][1].get("thread_ts") else None
        workspace.command(start().url, "VIP")
        assert logged.wait_for("journal_failed")
    assert logged.wait_for("done")
    (root,) = workspace.roots()
    assert len(workspace.thread(root)) == 1


# What cannot or should not be finished.


@pytest.mark.parametrize(
    ("seconds", "stands", "key"),
    [
        (run_job.TOO_OLD - 60, "waiting", "created.heading"),
        (run_job.TOO_OLD + 60, "waiting", "not_sent.too_old.explanation"),
        (run_job.TOO_OLD + 60, "rooted", "not_sent.too_old.explanation"),
        (86400, "sending", "unknown.found.finding"),
    ],
)
def test_an_old_job_is_not_sent(
    past: Past, go_on: Start, engine: Engine, workspace: Workspace, api: Api, seconds: float, stands: str, key: str
) -> None:
    """What a restored backup or a long outage left is told as not sent, and its button sends it.

    An outage that ends in time loses nothing, and what was sent is looked up at any age.
    """
    job = past.accept()
    if stands == "rooted":
        past.root(job)
    if stands == "sending":
        past.send(job)
        api.add("VIP")
    shift(engine, -seconds)
    running = go_on()
    told = answers(workspace, 1)[0]
    assert part("en", key) in told.text
    assert api.made() == (key == "created.heading")
    if "too_old" in key:
        workspace.press(running.url, told, "again")
        assert part("en", "created.heading") in answers(workspace, 2)[1].text
        assert len(workspace.roots()) == api.made() == 1


def broken(*_args: Any, **_more: Any) -> None:
    """Fail as nobody foresaw."""
    raise ZeroDivisionError("a fault of the tests")


def test_a_fault_that_always_comes_is_answered(
    past: Past, go_on: Start, workspace: Workspace, api: Api, logged: Logged, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After some attempts: that it could not be finished, or is not known, with the reference; nothing is sent."""
    waiting, sent = past.accept("VIP", "tr"), past.accept("Gold")
    past.send(sent)
    settle = GroupCreator.settle
    monkeypatch.setattr(GroupCreator, "settle", lambda *a: settle(*a) if a[1].settled else broken())
    go_on()
    texts = [message.text for message in answers(workspace, 2)]
    for job, key in ((waiting, "not_sent.failed.explanation"), (sent, "unknown.not_looked_up.finding")):
        (told,) = [text for text in texts if job.id in text]
        assert load(job.language)[key] in told
    assert not api.made()
    assert logged.wait_for("job_failed", 2 * run_job.FAULTS)


def test_an_answer_that_can_never_be_given_ends_the_job(
    past: Past, go_on: Start, workspace: Workspace, api: Api, logged: Logged, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even the words fail: the job is closed, with an error in the log, and the next one is carried."""
    bad = past.accept("bad")
    post = Delivery.post_answer
    monkeypatch.setattr(Delivery, "post_answer", lambda d, job, t: broken() if job.id == bad.id else post(d, job, t))
    running = go_on(ADDGROUP_LANGUAGE="en")
    assert logged.wait_for("given_up")
    workspace.command(running.url, "good")
    assert answered(workspace, "good")
    assert api.made() == 2
