"""The walk of a job: taken up wherever a dead process left it, and through failures of Slack, the API, the journal."""

from __future__ import annotations

import contextlib
import logging
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
import requests
from sqlalchemy import Engine, make_url, update

from bot import logs
from bot.journal import connections, journal
from bot.journal.database import jobs, processes
from bot.journal.journal import Accepted, Journal, JournalError
from bot.model.command import Create, parse
from bot.model.job import Job, Step, new_id
from bot.model.outcome import Created, Outcome, Rejected, Unknown
from bot.sandbox.api import Api
from bot.sandbox.workspace import BOT_TOKEN, Message, Workspace
from bot.slack import users as people
from bot.slack.client import SlackClient, slack_client
from bot.slack.delivery import Delivery
from bot.slack.texts import load
from bot.worker import create_groups as steps
from bot.worker import pool as worker
from tests.conftest import Running

Start = Callable[..., Running]
Outage = Callable[[], AbstractContextManager[None]]

both_languages = pytest.mark.parametrize("language", ["en", "tr"])

CREATED = Created("97101")
FOUND = Unknown("timeout", ("97101",))
REJECTED = Rejected(463, "Böyle bir grup bulunamadı.")


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """Change the test's database past the journal."""
    engine = connections.connect(database_url)
    yield engine
    engine.dispose()


@contextlib.contextmanager
def locked(file: Path) -> Iterator[None]:
    """Let another program write into an SQLite file for the length of a `with`."""
    with contextlib.closing(sqlite3.connect(file, isolation_level=None, check_same_thread=False)) as writer:
        writer.execute("BEGIN EXCLUSIVE")
        yield


@pytest.fixture
def outage(database_url: str, request: pytest.FixtureRequest) -> Outage:
    """Let the database be away for the length of a `with`: the file is locked, or the server lets nobody in."""
    address = make_url(database_url)
    if address.get_backend_name() == "sqlite":
        return lambda: locked(Path(address.database or ""))
    name, psql = address.database, request.getfixturevalue("postgres").psql

    @contextlib.contextmanager
    def _outage() -> Iterator[None]:
        psql(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false;")
        psql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname LIKE 'test_%';")
        try:
            yield
        finally:
            psql(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true;")

    return _outage


class Past:
    """A process that is dead by now: brings jobs as far as the tests want them."""

    def __init__(self, url: str, workspace: Workspace) -> None:
        self.journal = Journal(url)
        self.journal.open()
        self.journal.heartbeat()
        self._workspace = workspace
        self._slack = Delivery(SlackClient(BOT_TOKEN, f"{workspace.url}/api/"))

    def accept(self, what: str = "VIP", language: str = "en", channel: str = "C1") -> Job:
        """Accept a job and claim it."""
        identifier = new_id()
        command = parse(what)
        assert isinstance(command, Create)
        (group,) = command.groups
        job = Job(
            user="U1",
            channel=channel,
            trigger=identifier,
            typed=what,
            language=language,
            response_url=f"{self._workspace.url}/response/U1/{channel}/1",
            steps=[Step(0, group.name, group.parent)],
            id=identifier,
        )
        assert isinstance(self.journal.accept(job), Accepted)
        return next(found for found in self.journal.claim(99) if found.id == identifier)

    def root(self, job: Job) -> Message:
        """Post the root."""
        self.journal.set_root(job, self._slack.post_root(job), final=False)
        return self._workspace.roots(job.channel)[-1]

    def send(self, job: Job, outcome: Outcome | None = None) -> None:
        """Write down that the request left, and what came of it."""
        assert self.journal.mark_sending(job, job.steps[0])
        if outcome:
            job.steps[0].outcome = outcome
            self.journal.settle(job, job.steps[0])

    def answer(self, job: Job) -> None:
        """Post the final answer."""
        assert job.thread
        self._slack.post_answer(job, job.thread)
        self.journal.mark_answered(job)

    def die(self) -> None:
        """Leave everything as it is, for the next process."""
        self.journal.deregister()
        self.journal.close()


@pytest.fixture
def past(database_url: str, workspace: Workspace) -> Iterator[Past]:
    past = Past(database_url, workspace)
    yield past
    past.die()


@pytest.fixture
def go_on(past: Past, start: Start, database_url: str) -> Start:
    """Let the process of the past die, and start a bot in its place."""

    def _go_on(**environ: str) -> Running:
        past.die()
        return start(DATABASE_URL=database_url, **environ)

    return _go_on


class Logged(logging.Handler):
    """Counts the events of the log, by name."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self._seen: Counter[str] = Counter()
        self._changed = threading.Condition()

    def emit(self, record: logging.LogRecord) -> None:
        with self._changed:
            self._seen[record.getMessage()] += 1
            self._changed.notify_all()

    def wait_for(self, event: str, times: int = 1) -> bool:
        """Wait until an event has happened so many times; tell whether it has."""
        with self._changed:
            return self._changed.wait_for(lambda: self._seen[event] >= times, 10)


@pytest.fixture
def logged(monkeypatch: pytest.MonkeyPatch) -> Iterator[Logged]:
    handler = Logged()
    monkeypatch.setattr(logs.log, "level", logging.INFO)
    logs.log.addHandler(handler)
    yield handler
    logs.log.removeHandler(handler)


def finished(workspace: Workspace, number: int = 1) -> bool:
    """Wait until so many roots show their results."""
    return workspace.finished(number)


def answer(workspace: Workspace, root: Message) -> str:
    """Return the one answer in the thread under a root."""
    (message,) = workspace.thread(root)
    return message.text


# Taken up where it was left.


@pytest.mark.parametrize("rooted", [False, True])
def test_what_was_not_sent_is_carried_out(past: Past, go_on: Start, workspace: Workspace, rooted: bool) -> None:
    """A job found in waiting is made and answered, in the thread that exists if there is one."""
    job = past.accept()
    if rooted:
        past.root(job)
    go_on()
    assert finished(workspace)
    (root,) = workspace.roots()
    assert load("en")["created.heading"] in answer(workspace, root)


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
    assert (texts["unknown.found.finding"].format(found=ids) if found else texts["unknown.found_none.finding"]) in told
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
    past.journal.mark_unanswered(job, job.steps[0])
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
    assert load("en")[key] in answer(workspace, root)
    assert "in progress" not in root.text
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


def test_a_living_process_takes_over_when_a_lease_ends(
    past: Past, start: Start, database_url: str, engine: Engine, workspace: Workspace
) -> None:
    """Not before: the other may be at it."""
    past.accept("theirs")
    start(DATABASE_URL=database_url)
    past.journal.accept(Job("U1", "C2", "2.2", "ours", [Step(0, "ours")], language="en"))
    assert finished(workspace)
    assert not workspace.roots("C1")
    with engine.begin() as connection:
        connection.execute(update(processes).where(processes.c.id == past.journal.process).values(lease_until=0))
    assert finished(workspace, 2)
    assert "`theirs`" in workspace.roots("C1")[0].text


def test_who_has_lost_a_job_says_nothing(
    start: Start, database_url: str, engine: Engine, workspace: Workspace, api: Api, logged: Logged
) -> None:
    """A process that was held up for longer than its lease: the next one tells what became of the request."""
    api.faults.append("late")
    first = start(DATABASE_URL=database_url, ADDGROUP_LANGUAGE="en")
    workspace.command(first.url, "VIP")
    assert api.called.wait(10)
    with engine.begin() as connection:
        connection.execute(update(processes).values(lease_until=0))
    start(DATABASE_URL=database_url, ADDGROUP_LANGUAGE="en")
    assert finished(workspace)
    assert logged.wait_for("lease_lost")
    (root,) = workspace.roots()
    assert load("en")["unknown.found.finding"].format(found="`97101`") in answer(workspace, root)
    assert api.made() == 1


def test_what_a_stopped_process_has_not_begun_the_next_one_does(
    start: Start, database_url: str, workspace: Workspace, api: Api
) -> None:
    """Stopped during the first of five calls: that one is answered, the others are made by the next, each once."""
    go = threading.Event()
    api.mood = lambda: None if go.wait(10) else 500
    first = start(DATABASE_URL=database_url, ADDGROUP_LANGUAGE="en", ADDGROUP_API_CALLS="1", ILETIMERKEZI_TIMEOUT="9")
    for name in "ABCDE":
        assert workspace.command(first.url, name).status == 200
    assert api.called.wait(10)
    with ThreadPoolExecutor(1) as pool:
        stopped = pool.submit(first.worker.stop, 9)
        assert first.worker.stopping.wait(10)
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
    began: list[float] = []

    def mood() -> str:
        began.append(time.monotonic())
        return "close"

    api.mood = mood
    job = past.accept()
    if crashed:
        began.append(time.monotonic())
        past.send(job)
    go_on()
    assert finished(workspace)
    assert api.made("get-groups") == 1
    assert began[1] - began[0] > 0.5


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
    assert finished(workspace)
    (root,) = workspace.roots()
    first, *others = [message.text for message in workspace.thread(root)]
    assert load("en")["unknown.found_none.finding"] in first
    assert others
    assert set(others) == {first}


# Slack fails.


@pytest.mark.parametrize("fault", ["ratelimited:1", 500, "drop", "silence", "internal_error"])
def test_a_failure_of_slack_delays_the_answer(
    start: Start, workspace: Workspace, api: Api, monkeypatch: pytest.MonkeyPatch, fault: int | str
) -> None:
    """Neither root nor answer can be posted at first: the group is made once, and told when Slack is back."""
    monkeypatch.setattr("bot.worker.worker.slack_client", lambda settings: slack_client(settings, 1))
    monkeypatch.setattr(worker, "LONGEST_WAIT", 0.1)
    workspace.faults["chat.postMessage"].extend([fault, fault])
    workspace.command(start().url, "VIP")
    assert workspace.wait_for(lambda: any(m.thread_ts for m in workspace.messages))
    (root,) = workspace.roots()
    assert load("en")["created.heading"] in answer(workspace, root)
    assert api.made() == 1


def test_a_channel_that_slack_silences_holds_nobody_up(
    start: Start, workspace: Workspace, api: Api, logged: Logged
) -> None:
    """More jobs than can be carried at once wait for one channel: their groups are made, and others are answered."""
    workspace.faults["chat.postMessage"].append("ratelimited:30")
    url = start(ADDGROUP_API_CALLS="1", ADDGROUP_LANGUAGE="en").url
    for name in "ABCD":
        workspace.command(url, name)
    assert logged.wait_for("postponed", 4)
    workspace.command(url, "E", channel="C2")
    assert finished(workspace)
    assert [m.channel for m in workspace.messages if m.thread_ts] == ["C2"]
    assert api.made() == len(api.groups) - 1 == 5


def test_a_channel_that_closes_meanwhile_gets_a_private_answer(start: Start, workspace: Workspace, api: Api) -> None:
    """The group that was made is told as made, to the one who asked."""
    api.mood = lambda: workspace.closed.setdefault("C1", "is_archived") and None
    workspace.command(start().url, "VIP")
    assert workspace.wait_for(lambda: bool(workspace.private()))
    (message,) = workspace.private()
    assert load("en")["created.heading"] in message.text
    assert "`97101`" in message.text
    assert api.made() == 1


def test_without_channel_and_response_url_it_is_a_direct_message(start: Start, workspace: Workspace) -> None:
    """The last way to tell."""
    workspace.closed["C1"] = "not_in_channel"
    workspace.faults["response_url"].append(404)
    workspace.command(start().url, "VIP")
    assert workspace.wait_for(lambda: bool(workspace.roots("U1")))
    (message,) = workspace.messages
    assert load("en")["created.heading"] in message.text


def test_an_answer_that_nobody_can_be_given_ends_the_job(start: Start, workspace: Workspace, logged: Logged) -> None:
    """It is in the log, and not tried for ever."""
    workspace.closed.update(C1="not_in_channel", U1="user_disabled")
    workspace.faults["response_url"].append(404)
    workspace.command(start().url, "VIP")
    assert logged.wait_for("answer_undeliverable")
    assert logged.wait_for("done")


def test_a_job_may_fail_as_often_as_it_must(
    past: Past, go_on: Start, engine: Engine, workspace: Workspace, logged: Logged
) -> None:
    """After a night of failures too it is tried again."""
    past.accept()
    with engine.begin() as connection:
        connection.execute(update(jobs).values(attempts=1024))
    workspace.faults["chat.postMessage"].extend(["internal_error"] * 2)
    go_on()
    assert logged.wait_for("postponed")


# The journal fails.


@both_languages
def test_what_cannot_be_written_down_is_not_done(
    start: Start, database_url: str, outage: Outage, workspace: Workspace, api: Api, language: str
) -> None:
    """The sender is told privately that nothing was created, the API is not called, and afterwards all is well."""
    url = start(DATABASE_URL=database_url, ADDGROUP_LANGUAGE=language).url
    with outage():
        reply = workspace.command(url, "VIP")
        assert (reply.status, reply.text) == (200, load(language)["failure.journal"])
    workspace.command(url, "VIP")
    assert finished(workspace)
    assert len(workspace.roots()) == 1
    assert api.made() == 1


def test_what_was_written_down_although_the_journal_failed_is_taken_back(
    start: Start, workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The connection broke after the job was written and before that was said: what people are told holds."""
    accept, withdraw, withdrawn = Journal.accept, Journal.withdraw, threading.Event()

    def withdrawing(book: Journal, job: Job) -> None:
        withdraw(book, job)
        withdrawn.set()

    def broken(book: Journal, job: Job) -> None:
        accept(book, job)
        raise JournalError("no answer")

    monkeypatch.setattr(worker, "POLL", 60)
    running = start(ADDGROUP_LANGUAGE="en")
    monkeypatch.setattr(Journal, "accept", broken)
    monkeypatch.setattr(Journal, "withdraw", withdrawing)
    assert workspace.command(running.url, "VIP").text == load("en")["failure.journal"]
    assert withdrawn.wait(10)
    with contextlib.closing(sqlite3.connect(tmp_path / "journal.db")) as file:
        assert file.execute("SELECT count(*) FROM jobs").fetchone() == (0,)


def test_a_locked_file_does_not_delay_the_acknowledgement(start: Start, workspace: Workspace, tmp_path: Path) -> None:
    """Ten people at once hear within Slack's three seconds that nothing was created."""
    url = start(ADDGROUP_LANGUAGE="en").url

    def ask(number: int) -> tuple[str, bool]:
        began = time.monotonic()
        try:
            text = workspace.command(url, f"G{number}").text
        except requests.RequestException as error:
            text = repr(error)
        return text, time.monotonic() - began < 3

    with locked(tmp_path / "journal.db"), ThreadPoolExecutor(10) as pool:
        assert set(pool.map(ask, range(10))) == {(load("en")["failure.journal"], True)}


def test_a_group_made_while_the_journal_is_away_is_told_as_made(
    start: Start, database_url: str, outage: Outage, workspace: Workspace, api: Api, logged: Logged
) -> None:
    """What the API answered is written down as soon as the database is back."""
    with contextlib.ExitStack() as stack:
        api.mood = lambda: stack.enter_context(outage())
        workspace.command(start(DATABASE_URL=database_url).url, "VIP")
        assert logged.wait_for("not_written")
    assert finished(workspace)
    (root,) = workspace.roots()
    assert load("en")["created.heading"] in answer(workspace, root)
    assert api.made() == 1


# The same again.


@both_languages
def test_who_asks_for_the_same_is_told(
    start: Start, database_url: str, workspace: Workspace, api: Api, language: str
) -> None:
    """Privately: who asked, that it is under way or when it was made and the id; no second group, nothing posted."""
    texts, go = load(language), threading.Event()
    api.mood = lambda: None if go.wait(10) else 500
    url = start(DATABASE_URL=database_url, ADDGROUP_LANGUAGE=language, ILETIMERKEZI_TIMEOUT="9").url

    def told(what: str, user: str) -> str:
        reply = workspace.command(url, what, user=user)
        assert reply.status == 200
        assert reply.text or workspace.wait_for(lambda: bool(workspace.private(user)))
        return reply.text or workspace.private(user)[0].text

    workspace.command(url, "VIP müşteri parent=5")
    assert api.called.wait(10)
    early = told("parent=5 “vıp MÜŞTERİ”", "U2")
    go.set()
    assert finished(workspace)
    late = told('"Vip Müşteri"  parent=5', "U3")
    assert texts["duplicate.under_way.explanation"].format(user="<@U1>") in early
    assert texts["duplicate.created.explanation"].format(user="<@U1>", age=1, id="`97101`") in late
    assert api.made() == 1
    assert len(workspace.roots()) == 1


def test_one_trigger_is_one_job(start: Start, database_url: str, workspace: Workspace, api: Api) -> None:
    """Delivered four times at once to two processes: four plain acknowledgements, one root, one group, one answer."""
    urls = [start(DATABASE_URL=database_url, ADDGROUP_LANGUAGE="en").url for _ in range(2)] * 2
    with ThreadPoolExecutor(4) as pool:
        replies = list(pool.map(lambda url: workspace.command(url, "VIP", trigger_id="1.1"), urls))
    assert finished(workspace)
    replies.append(workspace.command(urls[0], "VIP", trigger_id="1.1"))
    assert [(reply.status, reply.text) for reply in replies] == [(200, "")] * 5
    assert api.made() == 1
    assert len(workspace.messages) == 2


@both_languages
def test_past_the_bound_the_sender_is_told(
    start: Start, workspace: Workspace, api: Api, monkeypatch: pytest.MonkeyPatch, language: str
) -> None:
    """Privately, that nothing was created."""
    monkeypatch.setattr(journal, "MOST_OPEN", 0)
    reply = workspace.command(start(ADDGROUP_LANGUAGE=language).url, "VIP")
    assert (reply.status, reply.text) == (200, load(language)["failure.busy"])
    assert not workspace.messages
    assert not api.calls


# Secrets.


def test_no_secret_is_in_the_file(start: Start, workspace: Workspace, tmp_path: Path) -> None:
    """Not a byte of a token, key, hash, signing secret or signature, also not of what was deleted."""
    running = start()
    for name in "ABC":
        workspace.command(running.url, name)
    workspace.closed["C2"] = "not_in_channel"
    workspace.command(running.url, "D", channel="C2")
    assert finished(workspace, 3)
    assert workspace.wait_for(lambda: bool(workspace.private()))
    stored = b"".join(file.read_bytes() for file in tmp_path.glob("journal.db*"))
    assert b"trigger" in stored
    for secret in (BOT_TOKEN, "key-of-tests", "hash-of-tests", "0123456789abcdef0123456789abcdef", "v0="):
        assert secret.encode() not in stored
