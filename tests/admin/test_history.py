"""The command `history`: what it reads from a real journal of either kind, what it deletes and refuses."""

import contextlib
import json
import sqlite3
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from sqlalchemy import Connection, Engine, func, select, text, update
from sqlalchemy.event import listen

from bot.admin.history import moment
from bot.journal import history
from bot.journal.history import entries, forget
from bot.journal.journal import Journal
from bot.journal.tables import steps
from bot.model.job import Step
from bot.model.names import ParentName
from bot.model.outcome import Created, Duplicate, NoParent, NotSent, Outcome, Rejected, Skipped, Unknown
from tests.support.history import NOON, Print, asked, dated, done, fill, left
from tests.support.program import run_to_end
from tests.support.served import inherited
from tests.support.worker import Start
from tests.support.workspace import Workspace

ROOT = Path(__file__).parents[2]


def test_from_slack_to_the_audit(start: Start, workspace: Workspace, database_url: str, printed: Print) -> None:
    """Who typed what and where, the group's id and parent, and each time, in the order in which they passed."""
    before = datetime.now(UTC) - timedelta(seconds=1)
    running = start(DATABASE_URL=database_url)
    workspace.command(running.url, "VIP Customers parent=5", user="U7", channel="C9")
    assert workspace.finished()
    running.stop(30)
    _, out, _ = printed(json=True)
    entry = json.loads(out)
    told = {"user": "U7", "asker": "U7", "channel": "C9", "typed": "VIP Customers parent=5", "followup": ""}
    assert told.items() <= entry.items()
    assert entry["job"] == entry["origin"] == next(message.job for message in workspace.messages)
    (step,) = entry["steps"]
    assert {"name": "VIP Customers", "parent": "5", "state": "created", "group_id": "97101"}.items() <= step.items()
    times = [entry["accepted_at"], step["sent_at"], step["settled_at"], entry["answered_at"], entry["closed_at"]]
    assert times == sorted(times)
    assert all(time.endswith("Z") for time in times)
    assert before < datetime.fromisoformat(times[0]) < datetime.now(UTC)


OUTCOMES: list[tuple[Outcome, dict[str, Any]]] = [
    (Created("97101"), {"state": "created", "group_id": "97101", "code": None, "reason": ""}),
    (Rejected(463, "Böyle bir grup yok."), {"state": "rejected", "code": 463, "reason": "Böyle bir grup yok."}),
    (NotSent("unreachable"), {"state": "not_sent", "reason": "unreachable"}),
    (NoParent("missing", (("A", "1"),)), {"state": "no_parent", "reason": "parent missing"}),
    (Unknown("timeout", ("7", "8")), {"state": "unknown", "reason": "timeout", "found": ["7", "8"]}),
    (Unknown("crashed", None), {"state": "unknown", "reason": "crashed", "found": []}),
    (Skipped(), {"state": "skipped", "reason": "the group above it was not created"}),
    (Duplicate("U2", 5.0, "created", "9"), {"state": "duplicate", "reason": "the same group was asked for by U2"}),
]


def test_every_outcome(book: Journal, printed: Print) -> None:
    """Each is told as the journal keeps it, in every form."""
    done(book, *(outcome for outcome, _ in OUTCOMES))
    of_steps = json.loads(printed(json=True)[1])["steps"]
    lines = printed()[1].splitlines()[2:]
    for (_, told), step, line in zip(OUTCOMES, of_steps, lines, strict=True):
        assert told.items() <= step.items()
        shown = (*(step[name] for name in ("state", "group_id", "reason")), str(step["code"] or ""))
        assert all(word in line for word in (*shown, ", ".join(step["found"]))), told


def test_what_is_not_settled(book: Journal, printed: Print) -> None:
    """Who was not let in, as denied and why; an open job with its parent's name; a request without an answer."""
    refused = asked(book, Step(0, "VIP"), user="U9")
    book.deny(refused, "not_listed")
    asked(book, Step(0, "VIP", ParentName("Customers")), user="U8")
    sent = asked(book, Step(0, "VIP"), user="U7")
    assert book.mark_sending(sent, sent.steps[0])
    sent.steps[0].reason = "timeout"
    book.settle(sent, sent.steps[0])
    found = {entry["user"]: entry for entry in map(json.loads, printed(json=True)[1].splitlines())}
    told = {user: [entry["steps"][0][name] for name in ("state", "reason")] for user, entry in found.items()}
    assert told == {"U9": ["denied", "not_listed"], "U8": ["waiting", ""], "U7": ["sending", "timeout"]}
    (step,) = found["U8"]["steps"]
    assert (step["parent"], step["parent_name"], step["sent_at"]) == (None, "Customers", None)
    assert (found["U8"]["answered_at"], found["U8"]["closed_at"]) == (None, None)
    assert (bool(found["U7"]["steps"][0]["sent_at"]), found["U7"]["steps"][0]["settled_at"]) == (True, None)
    assert "waiting   VIP  under Customers" in printed()[1]
    for options in ({}, {"json": True}):
        assert "hooks.slack" not in printed(**options)[1], "anyone who has a response_url may speak as the bot"


def test_newest_first_and_by_user_and_since(book: Journal, engine: Engine, printed: Print) -> None:
    """The order is that of time; --user and --since leave out the others; that --limit cut something off is said."""
    first, second, third = (done(book, Skipped(), user=user, typed=user) for user in ("U1", "U2", "U1"))
    for job, days in ((first, 0), (second, 2), (third, 1)):
        dated(engine, job, NOON + timedelta(days=days))

    def shown(**options: Any) -> list[str]:
        return [json.loads(line)["job"] for line in printed(json=True, **options)[1].splitlines()]

    assert shown() == [second.id, third.id, first.id]
    assert shown(user="U1") == shown(limit=2, user="U1") == [third.id, first.id]
    assert shown(since="2026-03-02") == [second.id, third.id]
    assert shown(since="2026-03-03T12:00") == [second.id]
    assert shown(user="U3") == shown(since="2026-03-03T15:00:01+03:00") == []
    assert shown(limit=1) == [second.id]
    assert shown(limit=0) == shown(limit=10**30) == [second.id, third.id, first.id]
    assert ["older ones" in printed(limit=limit)[2] for limit in (2, 3, 0)] == [True, False, False]


@pytest.mark.usefixtures("book")
def test_a_long_journal_is_read_page_by_page(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each job once, newest first, also where a page ends within a moment; each page in a transaction of its own."""
    monkeypatch.setattr(history, "PAGE", 7)
    fill(engine, 50)
    pages: list[Connection] = []
    listen(engine, "begin", pages.append)
    found = entries(engine)
    assert (next(found)["job"], len(pages)) == (f"{49:016}", 1)
    assert [entry["job"] for entry in found] == [f"{number:016}" for number in range(48, -1, -1)]
    assert len(pages) == 8


def test_a_damaged_row_hides_no_other(book: Journal, engine: Engine, printed: Print) -> None:
    """It is shown as far as it can be read, in every form."""
    bad, good = done(book, Created("1"), typed="bad"), done(book, Created("2"), typed="good")
    for damage in ("outcome = 'half {'", "state = 'blessed'", "outcome = '[]'"):
        with engine.begin() as connection:
            connection.execute(text(f"UPDATE steps SET {damage} WHERE job = :job"), {"job": bad.id})  # noqa: S608
        for options in ({}, {"json": True}):
            status, out, _ = printed(**options)
            assert (status, all(part in out for part in (bad.id, good.id, "bad", "good"))) == (0, True), damage


def test_forgetting(book: Journal, engine: Engine, printed: Print) -> None:
    """Closed jobs from before the date go with their steps; open ones and later ones stay; the number is told."""
    old = [done(book, Skipped(), Skipped()) for _ in range(3)]
    young, late, waiting = done(book, Skipped()), done(book, Skipped()), asked(book, Step(0, "VIP"))
    half = asked(book, Step(0, "VIP"))  # of which something is left to do
    half.steps[0].outcome = Skipped()
    book.settle(half, half.steps[0])
    book.mark_answered(half)
    for job in (*old, waiting, half):
        dated(engine, job, NOON - timedelta(days=1))
    dated(engine, late, NOON)
    status, out, _ = printed(forget_before="2026-03-01T15:00+03:00")
    assert (status, out) == (0, "Removed 3 closed jobs from before 2026-03-01T12:00:00.000Z.\n")
    assert left(engine) == {young.id, late.id, waiting.id, half.id}
    with engine.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(steps)) == 4
    assert printed(forget_before="2026-03-01T12:00")[1].startswith("Removed 0 ")


@pytest.mark.usefixtures("book")
def test_forgetting_many_goes_in_small_transactions(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Oldest first, and in between the running bot can write."""
    fill(engine, 100)
    monkeypatch.setattr(history, "PAGE", 30)
    removed: list[set[str]] = []
    monkeypatch.setattr(time, "sleep", lambda _: removed.append(left(engine)))
    assert forget(engine, datetime.fromtimestamp(30.0, UTC)) == 90
    assert [len(remaining) for remaining in removed] == [70, 40, 10]
    assert min(removed[0]) == f"{30:016}"


def test_dates(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """A day is UTC's, wherever the machine is; so many days or hours count back from now."""
    request.addfinalizer(time.tzset)  # runs after the variable is back
    with monkeypatch.context() as elsewhere:
        elsewhere.setenv("TZ", "Europe/Istanbul")
        time.tzset()
        assert moment("2026-03-01T12:00") == NOON
    before = datetime.now(UTC)
    assert moment("2026-03-01T15:00+03:00") == moment("2026-03-01") + timedelta(hours=12) == NOON
    for when, ago in (("7d", timedelta(days=7)), ("24h", timedelta(hours=24)), ("0h", timedelta())):
        assert before - ago <= moment(when) <= datetime.now(UTC) - ago


LATEST = ["0h", "2999-01-01"]
"""The latest jobs keep a group from being made twice; a mistyped year must not remove them all."""

WRONG: dict[str, list[Any]] = {
    "user": ["ayse", "@ayse", "u1", "", "C1", "\x1b[2J"],
    "since": ["soon", "", "2026-13-01", "7", "7w", "-7d", "٧d", "99999999d", "\x1b[2J"],
    "forget_before": ["never", *LATEST],
}
NOT_TOGETHER: list[dict[str, Any]] = [{"user": "U1"}, {"since": "7d"}, {"json": True}]


def test_wrong_usage(book: Journal, engine: Engine, printed: Print) -> None:
    """Exit status 2, one clear sentence, and nothing is printed or removed."""
    job = done(book, Skipped())
    dated(engine, job, NOON - timedelta(days=99))
    forget = {"forget_before": "2026-03-01"}
    alone = [{name: value} for name, values in WRONG.items() for value in values]
    for options in (*alone, *({**forget, **more} for more in NOT_TOGETHER)):
        status, out, complained = printed(**options)
        assert (status, out, left(engine)) == (2, "", {job.id}), options
        assert (complained[-1:], complained[:-1].isprintable()) == ("\n", True), options
        assert list(options) != ["since"] or "2026-11-23" in complained, options
        assert list(options) != ["user"] or "Copy member ID" in complained
        assert ("over an hour ago" in complained) == (options.get("forget_before") in LATEST)


def test_no_journal_is_made(database_url: str, printed: Print, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a file, without tables or without a server it says so, and ends with 1, even with a date to forget.

    So it does in a folder that may not be entered. It makes nothing, and shows no password and no traceback.
    """
    monkeypatch.chdir(tmp_path)
    if database_url.startswith("sqlite"):
        Path(database_url.removeprefix("sqlite:///")).touch()
    there = set(tmp_path.iterdir())
    told = {database_url: "no journal in the database", "postgres://bot:hidden@127.0.0.1:1/journal": "refused"}
    for url, words in ({"": f"{tmp_path}/addgroup.db is not there"} | told).items():
        monkeypatch.setenv("DATABASE_URL", url)
        for options in ({}, {"forget_before": "2026-03-01"}):
            status, out, complained = printed(**options)
            assert (status, out, words in complained, "hidden" in complained) == (1, "", True, False)
    assert set(tmp_path.iterdir()) == there
    monkeypatch.setenv("DATABASE_URL", "")
    monkeypatch.setattr(Path, "is_file", Mock(side_effect=PermissionError(13, "Permission denied", "closed/x.db")))
    assert printed() == (1, "", "[Errno 13] Permission denied: 'closed/x.db'\n")


def test_the_command_line(book: Journal, database_url: str, tmp_path: Path) -> None:
    """The options are those that `run` takes.

    Only the database is needed, whose address may stand in a file; what is wrong elsewhere is not read.
    """
    jobs_done = [done(book, Skipped(), user=user) for user in ("U1", "U2", "U2")]
    (tmp_path / "url").write_text(f"{database_url}\n")
    more = {"SLACK_BOT_TOKEN": "not-a-token", "PORT": "none", "DATABASE_URL_FILE": str(tmp_path / "url")}

    def history_of(*options: str) -> subprocess.CompletedProcess[str]:
        return run_to_end("history", *options, env={**inherited(), **more})

    ended = history_of("--json", "--user", "U2", "--since", "1h", "--limit", "1")
    assert (ended.returncode, json.loads(ended.stdout)["job"]) == (0, jobs_done[-1].id)
    assert history_of("--forget-before", "1d").stdout.startswith("Removed 0 ")
    assert history_of("--since", "soon").returncode == 2


def test_a_terminal_of_another_encoding(tmp_path: Path) -> None:
    """What it cannot show is escaped; what programs read is in UTF-8 everywhere; who has seen enough may go."""
    url, typed = f"sqlite:///{tmp_path}/journal.db", f"Müşteriler ığ € {'x' * 70_000}"
    book = Journal(url)
    book.open()
    book.keep()
    for _ in range(2):
        done(book, Skipped(), typed=typed)
    book.close()
    for option, encoding, handling in (("", "iso8859-9", "backslashreplace"), ("--json", "utf-8", "strict")):
        environ = {**inherited(), "DATABASE_URL": url, "PYTHONIOENCODING": "iso8859-9"}
        command = [sys.executable, "-m", "bot", "history", *option.split()]
        with subprocess.Popen(  # noqa: S603  # our own words
            command, cwd=ROOT, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        ) as process:
            assert process.stdout
            assert process.stderr
            while typed.encode(encoding, handling) not in process.stdout.readline():
                assert process.poll() is None
            process.stdout.close()  # as `head` does
            assert process.stderr.read() == b""
            assert process.wait(60) == 0


def test_a_backup_is_only_looked_at(tmp_path: Path) -> None:
    """In a folder where nobody may write, `history` reads it, and leaves it and the folder as they were."""
    book, folder = Journal(f"sqlite:///{tmp_path}/journal.db"), tmp_path / "backups"
    book.open()
    done(book, Skipped(), typed="VIP")
    folder.mkdir()
    with contextlib.closing(sqlite3.connect(tmp_path / "journal.db")) as connection:
        connection.execute("VACUUM INTO ?", [str(folder / "backup.db")])
    book.close()
    before = (folder / "backup.db").read_bytes()
    folder.chmod(0o500)
    looked = run_to_end("history", env={**inherited(), "DATABASE_URL": f"sqlite:///{folder}/backup.db"})
    folder.chmod(0o700)
    assert (looked.returncode, looked.stderr, "VIP" in looked.stdout) == (0, "", True)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == {"backup.db": before}


HOSTILE = "\x1b[2J\x1b[1;1HVIP\r\x9b2K\u202egpj\u2028\x07"


def test_no_name_moves_the_cursor(book: Journal, engine: Engine, printed: Print) -> None:
    """What a terminal would act on is shown, not done, in every form; JSON still says what was typed."""
    done(book, Rejected(499, HOSTILE), typed=HOSTILE)
    with engine.begin() as connection:
        connection.execute(update(steps).values(name=HOSTILE))
    for options in ({}, {"json": True}):
        out = printed(**options)[1]
        assert [char for char in out if not char.isprintable() and char != "\n"] == []
    assert json.loads(out)["typed"] == json.loads(out)["steps"][0]["name"] == HOSTILE


def test_the_table(book: Journal, engine: Engine, printed: Print) -> None:
    """A line a job and a line a step, under a head."""
    job = done(book, Created("97101"), Rejected(463, "Yok"), typed="A\n  B")
    dated(engine, job, NOON)
    with engine.begin() as connection:
        connection.execute(update(steps).values(settled_at=NOON.timestamp() + 1))
    assert printed()[1].splitlines() == [
        "accepted (UTC)           who         where       job              typed",
        rf"2026-03-01T12:00:00.000Z U1          C1          {job.id} A\n  B",
        "  created   Group 0  under 5  ID 97101  2026-03-01T12:00:01.000Z",
        "  rejected  Group 1  under 5  code 463  Yok  2026-03-01T12:00:01.000Z",
    ]
