"""The journal's databases: what DATABASE_URL may say, what does not fit, and what fails while the bot runs."""

import contextlib
import re
import sqlite3
import tempfile
import traceback
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, make_url, text
from sqlalchemy.exc import DBAPIError

from bot.journal import BadValue, JournalError, WrongJournal, database, tables
from bot.journal.database import connect
from bot.journal.journal import Journal
from bot.journal.tables import metadata
from bot.model.job import Job
from tests.support.journal import CHANGES, accepted, ended, held, on_postgresql, on_sqlite, process, run_together, typed
from tests.support.program import run_to_end
from tests.support.served import inherited

# PostgreSQL.


@on_postgresql
def test_what_an_address_may_say(database_url: str, engine: Engine) -> None:
    """`postgres://`, as Heroku writes it, and the driver's own name; with `options`, tables land in their schema."""
    with engine.begin() as connection:
        connection.execute(text("CREATE SCHEMA bot"))
    for scheme in ("postgres", "postgresql", "postgresql+psycopg"):
        other = connect(re.sub("^postgresql", scheme, f"{database_url}&options=-csearch_path%3Dbot"))
        with other.begin() as connection:
            tables.migrate(connection)
        other.dispose()
    with engine.begin() as connection:
        found = connection.scalars(text("SELECT schemaname FROM pg_tables WHERE tablename = 'jobs'")).all()
    assert found == ["bot"]


BEGIN = database._BEGIN  # as it is outside tests


@on_postgresql
def test_the_limits_hold_in_each_transaction(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also in the second one on a connection, and none stays behind for another client of the same session."""
    monkeypatch.setattr(database, "_BEGIN", BEGIN)
    with engine.begin() as connection:
        connection.execute(text(f"ALTER DATABASE {engine.url.database} SET synchronous_commit = off"))
    engine.dispose()
    limits = {
        "statement_timeout": ("5s", "0"),
        "lock_timeout": ("2s", "0"),
        "idle_in_transaction_session_timeout": ("3s", "0"),
        "synchronous_commit": ("on", "off"),
    }
    for _ in range(2):
        with engine.begin() as connection:
            driver: Any = connection.connection.driver_connection
            for name, (within, _) in limits.items():
                assert connection.scalar(text(f"SHOW {name}")) == within, name
            connection.commit()
            for name, (_, outside) in limits.items():
                assert driver.execute(f"SHOW {name}").fetchone() == (outside,), name


@on_postgresql
def test_no_text_of_the_driver_is_told(book: Journal, engine: Engine) -> None:
    """PostgreSQL writes the whole row into the text of some errors, with its response_url."""
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE jobs ADD CHECK (typed <> 'bad')"))
    with pytest.raises(JournalError) as raised:
        book.accept(typed("bad"))
    told = "".join(traceback.format_exception(raised.value))
    assert "CheckViolation: 23514" in told
    assert "hooks.slack.test" not in told


@pytest.mark.parametrize("encoding", ["LATIN5", "SQL_ASCII"])
def test_another_encoding(postgres: Any, opened: Callable[[str], Journal], encoding: str) -> None:
    """The bot speaks UTF-8 in each; a name that such a database cannot hold is refused alone."""
    name = f"test_{uuid.uuid4().hex}"
    postgres.psql(f"CREATE DATABASE {name} ENCODING '{encoding}' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0;")
    book = opened(postgres.get_uri(name))
    accepted(book, typed("Müşteri ığ"))
    if encoding == "LATIN5":
        with pytest.raises(BadValue):
            book.accept(typed("Müşteri 🎉"))
    else:
        accepted(book, typed("Müşteri 🎉"))
    assert [job.typed for job in book.recent(9)][-1] == "Müşteri ığ"


def answer(book: Journal) -> object:
    """Try to accept a command, and return the answer or the error."""
    try:
        return book.accept(typed("B"))
    except JournalError as error:
        return error


@on_postgresql
def test_a_frozen_process_does_not_stop_the_others(
    book: Journal, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that says nothing more while it holds the lock of all loses it; the others accept again."""
    with monkeypatch.context() as outside, engine.connect() as frozen:
        outside.setattr(database, "_BEGIN", BEGIN)
        tables.lock(frozen)
        outside.undo()
        accepted(book, typed("A"))
        with pytest.raises(DBAPIError, match="idle-in-transaction timeout"):
            frozen.execute(text("SELECT 1"))


@on_postgresql
def test_a_server_that_goes_away_and_comes_back(book: Journal, database_url: str, postgres: Any) -> None:
    """It takes no connection: a JournalError; when it is back, or has only closed connections, the journal works."""
    name = make_url(database_url).database
    end = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"  # noqa: S608  # ours
    postgres.psql(end)
    accepted(book, typed("A"))
    postgres.psql(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
    postgres.psql(end)
    for call in (lambda: book.accept(typed("B")), book.keep):
        with pytest.raises(JournalError):
            call()
    postgres.psql(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
    book.keep()
    assert book.works()
    accepted(book, typed("C"))
    assert [job.typed for job in book.recent(9)] == ["C", "A"]


# Every database.

EVERYTHING: dict[str, Callable[[Journal, Job], object]] = {
    **CHANGES,
    "accept": lambda book, job: book.accept(job),
    "choose_language": lambda book, _job: book.choose_language("U1", "tr"),
    "chain": lambda book, job: book.chain(job.id),
    "went_on": lambda book, job: book.went_on(job),
    "created_as": lambda book, _job: book.created_as("VIP", ""),
    "recently_created": lambda book, _job: book.recently_created(),
    "find": lambda book, job: book.find(job.id),
    "recent": lambda book, _job: book.recent(1),
    "backlog": lambda book, _job: book.backlog(),
    "keep": lambda book, _job: book.keep(),
    "holds": lambda book, job: book.holds(job),
    "let_go": lambda book, _job: book.let_go(),
}


@on_sqlite
def test_every_method_says_that_the_journal_failed(book: Journal, engine: Engine) -> None:
    """Without its tables, each raises JournalError and no foreign error; health says so until a write goes through."""
    metadata.drop_all(engine)
    with pytest.raises(JournalError):
        book.choose_language("U1", "tr")
    book.open()
    assert not book.works()
    job = held(book)
    assert book.works()
    metadata.drop_all(engine)
    assert book.known_language("U1") == "", "nobody waits for it"
    for name, call in EVERYTHING.items():
        with pytest.raises(JournalError):
            pytest.fail(f"{name} returned {call(book, job)}")


@pytest.mark.parametrize(
    ("url", "kind", "reason"),
    [
        ("sqlite:///{tmp}/no/such/directory.db", WrongJournal, "/no/such cannot be written. Let the bot's user own"),
        ("sqlite:///{tmp}", JournalError, "CANTOPEN"),
        ("sqlite:///{tmp}/letter.txt", JournalError, "NOTADB"),
        ("postgres://bot:hidden@127.0.0.1:1/journal", JournalError, "refused"),
        ("postgres://bot:hidden@127.0.0.1:{port}/journal", JournalError, "."),
    ],
)
def test_a_journal_that_cannot_be_opened(
    tmp_path: Path, api: Any, opened: Callable[[str], Journal], url: str, kind: type[Exception], reason: str
) -> None:
    """A JournalError that says why, in which, as in its traceback, is no password."""
    (tmp_path / "letter.txt").write_text("Dear database,\n" * 100)
    with pytest.raises(JournalError, match=reason) as raised:
        opened(url.format(tmp=tmp_path, port=api.port))
    assert type(raised.value) is kind
    assert "hidden" not in "".join(traceback.format_exception(raised.value))


OTHER_USER = """
import os, sys
from bot.journal.journal import Journal
if os.getuid() == 0:
    os.setuid(65534)
Journal("sqlite:///" + sys.argv[1]).open()
"""


@pytest.mark.parametrize("closed", ["folder", "hidden", "file", "file-wal"])
def test_a_file_that_may_not_be_written_ends_the_start(closed: str) -> None:
    """Another user's, or read-only, or in such a folder: that is told, and what to do, before anything is accepted."""
    with tempfile.TemporaryDirectory() as directory:
        folder, file = Path(directory), Path(directory) / "file"
        folder.chmod(0o777)
        sqlite3.connect(file).close()
        (folder / "file-wal").touch()
        for path in (folder / "file", folder / "file-wal"):
            path.chmod(0o555 if path.name == closed else 0o777)
        folder.chmod({"folder": 0o555, "hidden": 0o666}.get(closed, 0o777))
        told = run_to_end(str(file), code=OTHER_USER, env=inherited()).stderr
        folder.chmod(0o777)
    named = directory if closed in ("folder", "hidden") else f"{directory}/{closed}"
    assert f"WrongJournal: {named} cannot be written. Let the bot's user own" in told


def test_a_lock_holds_nobody_up_for_ever(tmp_path: Path, opened: Callable[[str], Journal]) -> None:
    """Writing ends in a JournalError while the lock is kept; reading does not wait. Then both work again."""
    book = opened(f"sqlite:///{tmp_path}/journal.db")
    job = held(book)
    locker = sqlite3.connect(tmp_path / "journal.db", isolation_level=None)
    locker.execute("BEGIN EXCLUSIVE")
    others: list[Callable[[], object]] = [lambda: book.mark_answered(job), book.keep]
    calls: list[Callable[[], object]] = [*[lambda: book.accept(typed())] * 8, *others]
    with ThreadPoolExecutor(len(calls)) as pool:
        errors = [ended(call) for call in [pool.submit(call) for call in calls]]
    assert [type(error) for error in errors] == [JournalError] * len(calls)
    assert book.recently_created() == []
    assert not book.works()
    locker.close()
    assert book.keep([job.id]) == []
    assert book.works()
    assert [found.id for found in book.recent(99)] == [job.id]
    accepted(book, typed())


# The SQLite file.


def test_a_file_that_is_not_there_any_more(tmp_path: Path, opened: Callable[[str], Journal]) -> None:
    """A journal whose file was deleted accepts nothing, says so, and makes no new file; put back, it works."""
    file, kept = tmp_path / "journal.db", tmp_path / "kept.db"
    book = opened(f"sqlite:///{file}")
    accepted(book, typed("A"))
    file.rename(kept)
    for attempt in (book.keep, lambda: book.accept(typed("B"))) * 2:
        with pytest.raises(JournalError, match="deleted or replaced"):
            attempt()
        book._database._engine.pool.dispose()  # a new connection would make a new file
    assert not file.exists()
    kept.rename(file)
    accepted(book, typed("C"))


def test_a_full_disk_is_a_journal_error(tmp_path: Path) -> None:
    """Nothing is half written, what is there can be read, and it goes on when there is room again."""
    url = f"sqlite:///{tmp_path}/journal.db"
    script = """
import resource, signal
from bot.journal import JournalError
from tests.support.journal import typed
journal.open(); journal.keep()
job = typed("before"); journal.accept(job)
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, hard))
accepted, failed = 0, []
for call in [lambda n=n: journal.accept(typed(f"G{n}")) for n in range(30)] + [lambda: journal.set_language(job, "tr")]:
    try:
        call(); accepted += 1
    except JournalError:
        failed.append(call)
assert failed and journal._database.failing
assert journal.find(job.id).typed == "before"
resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
for call in failed: call()
assert journal.works()
print(len(journal.recent(99)), accepted + len(failed))
"""
    assert run_together(process(url, script)) == ["31 31\n"]


@pytest.mark.parametrize("overwritten", [True, False])
def test_a_file_that_is_damaged_is_a_journal_error(
    tmp_path: Path, opened: Callable[[str], Journal], overwritten: bool
) -> None:
    """With the reason, from every call, and no foreign error that would end a thread; an empty file is a new one."""
    file = tmp_path / "journal.db"
    book = opened(f"sqlite:///{file}")
    accepted(book, *[typed(f"G{number}") for number in range(50)])
    book.close()
    content = file.read_bytes()
    for rest in tmp_path.glob("journal.db?*"):
        rest.unlink()
    file.write_bytes(content[:2048] + b"\xff" * (len(content) - 2048) if overwritten else b"")
    again = Journal(f"sqlite:///{file}")
    for call in (again.open, again.keep, lambda: again.accept(typed())):
        with pytest.raises(JournalError) if overwritten else contextlib.nullcontext():
            call()
    again.close()
