"""The journal read as the audit: who asked for what, where and when, and what came of it."""

from __future__ import annotations

import contextlib
import csv
import io
import itertools
import json
import re
import sys
import time
from argparse import Namespace
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TextIO

from sqlalchemy import ColumnElement, Connection, Engine, Row, and_, delete, inspect, or_, select
from sqlalchemy.exc import SQLAlchemyError

from bot import database, journal, settings
from bot.database import jobs, sqlite_file, steps
from bot.iletimerkezi import NotSent, Rejected
from bot.jobs import Denied, Duplicate, NoParent, Outcome, Skipped, Unclear

PAGE = 200
"""How many jobs are read, and are in memory, at once."""

FORGOTTEN_AT_ONCE = 200
"""How many jobs are removed in one transaction."""

PAUSE = 0.02
"""How long to wait between two such transactions, in seconds, so that a running bot can write in between."""

KEPT = timedelta(hours=1)
"""How young a job may not be removed: the latest ones keep the bot from making a group twice."""


class NoJournal(Exception):
    """There is no journal to read; the message says what is there instead."""


class WrongUsage(Exception):
    """The options make no sense; the message says why."""


@dataclass(frozen=True)
class EntryStep:
    """One group that was asked for, and how it ended; `state` is that of jobs.Step, or denied. Times are in UTC.

    `parent` is the parent's id, "" for a main group, None as long as it is not known; `parent_name` is how it was
    given, if by name. `code` is that of a refusal, `reason` the API's message or why there is no group; `group_id` is
    "" where there is none. `found` are the ids that the look-up of a lost answer found.
    """

    step: int
    name: str
    parent: str | None
    parent_name: str
    state: str
    code: int | None
    reason: str
    group_id: str
    found: tuple[str, ...]
    sent_at: datetime | None
    settled_at: datetime | None


@dataclass(frozen=True)
class Entry:
    """One accepted command: the job's id, when (in UTC), who (`user`) did what (`typed`), and where (`channel`).

    `answered_at` is None while it is open, `closed_at` as long as anything is left to do. `asker` and `origin` are the
    person and the job from whose answer this one goes on, else this one's own.
    """

    job: str
    accepted_at: datetime
    answered_at: datetime | None
    closed_at: datetime | None
    user: str
    asker: str
    channel: str
    typed: str
    origin: str
    forced: bool
    steps: tuple[EntryStep, ...]


def run(options: Namespace) -> int:
    """Print the journal, or remove old jobs from it, as the options say.

    `since` and `forget_before` are texts for `moment`, or None; `user` is a Slack user id, or None; `limit` is how many
    jobs at most, 0 for all; `json` and `csv` choose the form. Returns the exit status: 0 done, 1 failed, 2 wrong usage.
    Raises SettingsError when DATABASE_URL is wrong.
    """
    try:
        _run(options)
    except WrongUsage as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except (NoJournal, ImportError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except SQLAlchemyError as error:
        sys.stderr.write(f"The journal does not answer: {getattr(error, 'orig', None) or type(error).__name__}\n")
        return 1
    return 0


def _run(options: Namespace) -> None:
    _refuse_nonsense(options)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a terminal without Turkish letters is no reason to fail
    since, before = (None if text is None else moment(text) for text in (options.since, options.forget_before))
    if before and before > datetime.now(UTC) - KEPT:
        raise WrongUsage("--forget-before must be over an hour ago: the latest jobs keep groups from being made twice.")
    ours = {name: value for name, value in settings.environment().items() if name == "DATABASE_URL"}
    with opened(settings.read(ours, slack=False, api=False).database_url) as engine:
        if before:
            sys.stdout.write(f"Removed {forget(engine, before)} closed jobs from before {_iso(before)}.\n")
            return
        found = entries(engine, since, options.user, options.limit + 1 if options.limit else None)
        write = _write_json if options.json else _write_csv if options.csv else _write_text
        write(itertools.islice(found, options.limit or None), sys.stdout)
        if next(found, None):
            sys.stderr.write("There are older ones: --limit N shows more of them, --limit 0 all.\n")


def _refuse_nonsense(options: Namespace) -> None:
    if options.limit < 0:
        raise WrongUsage("--limit must be a whole number: how many jobs at most, or 0 for all.")
    if options.json and options.csv:
        raise WrongUsage("--json and --csv exclude each other.")
    if options.forget_before is not None and (options.since or options.user or options.json or options.csv):
        raise WrongUsage("--forget-before stands alone: it removes everybody's jobs from before that date.")


def moment(text: str) -> datetime:
    """Return the time that "2026-11-23", "2026-11-23T10:00+03:00" (without a zone in UTC), "7d" or "24h" ago means.

    Raises WrongUsage.
    """
    if ago := re.fullmatch("([0-9]{1,5})([dh])", text):
        return datetime.now(UTC) - timedelta(hours=int(ago[1]) * (24 if ago[2] == "d" else 1))
    try:
        given = datetime.fromisoformat(text)
    except ValueError as error:
        raise WrongUsage(f"{text!r} is no date: write one such as 2026-11-23, or 7d or 24h for so long ago.") from error
    return given if given.tzinfo else given.replace(tzinfo=UTC)


# Reading and removing.


@contextlib.contextmanager
def opened(url: str) -> Iterator[Engine]:
    """Open a journal that is there, and make none. Raises NoJournal, or SQLAlchemyError."""
    file = sqlite_file(url)
    if file and not file.is_file():
        raise NoJournal(f"There is no journal: {file} is not there. DATABASE_URL says where it is; serve makes it.")
    engine = database.connect(url)
    try:
        with _reading(engine) as connection:
            if not inspect(connection).has_table(jobs.name):
                raise NoJournal("There is no journal in the database that DATABASE_URL names yet; serve makes it.")
        yield engine
    finally:
        engine.dispose()


def entries(
    engine: Engine, since: datetime | None = None, user: str | None = None, limit: int | None = None
) -> Iterator[Entry]:
    """Yield at most `limit` jobs, newest first, with never more than PAGE in memory. Raises SQLAlchemyError.

    A page is a transaction of its own: a journal of any length neither runs into the database's time limit nor keeps
    the running bot from anything.
    """
    wanted = [jobs.c.accepted_at >= since.timestamp()] if since else []
    wanted += [jobs.c.user == user] if user else []
    left = sys.maxsize if limit is None else limit
    after: list[ColumnElement[bool]] = []
    while left > 0:
        with _reading(engine) as connection:
            page = _page(connection, [*wanted, *after], min(PAGE, left))
        if not page:
            return
        yield from (entry for _, entry in page)
        left -= len(page)
        last, _ = page[-1]
        earlier = or_(jobs.c.accepted_at < last.accepted_at, jobs.c.id < last.id)
        after = [jobs.c.accepted_at <= last.accepted_at, earlier]


def forget(engine: Engine, before: datetime) -> int:
    """Remove the closed jobs accepted before that time, oldest first, and return how many. Raises SQLAlchemyError.

    A job from whose answer another went on is older than that one, so it goes first: its buttons are dead before the
    journal forgets which of them were pressed.
    """
    closed = and_(jobs.c.closed_at.is_not(None), jobs.c.accepted_at < before.timestamp())
    oldest = select(jobs.c.id).where(closed).order_by(jobs.c.accepted_at).limit(FORGOTTEN_AT_ONCE)
    removed = 0
    while True:
        with engine.begin() as connection:
            count = connection.execute(delete(jobs).where(jobs.c.id.in_(oldest))).rowcount
        if not count:
            return removed
        removed += count
        time.sleep(PAUSE)


def _reading(engine: Engine) -> Connection:
    return engine.connect().execution_options(reading=True)


def _page(connection: Connection, wanted: list[ColumnElement[bool]], size: int) -> list[tuple[Row[Any], Entry]]:
    newest = jobs.c.accepted_at.desc(), jobs.c.id.desc()
    columns = [jobs.c[name] for name in ("id", *_JOB_TIMES, "user", "asker", "channel", "typed", "origin", "forced")]
    found = connection.execute(select(*columns).where(*wanted).order_by(*newest).limit(size)).all()
    of_jobs: dict[str, list[EntryStep]] = {row.id: [] for row in found}
    theirs = select(steps).where(steps.c.job.in_(of_jobs)).order_by(steps.c.job, steps.c.position)
    for row in connection.execute(theirs):
        of_jobs[row.job].append(_step(row))
    return [(row, _entry(row, tuple(of_jobs[row.id]))) for row in found]


_JOB_TIMES = ("accepted_at", "answered_at", "closed_at")


def _entry(row: Row[Any], its_steps: tuple[EntryStep, ...]) -> Entry:
    return Entry(
        job=row.id,
        accepted_at=datetime.fromtimestamp(row.accepted_at, UTC),
        answered_at=_time(row.answered_at),
        closed_at=_time(row.closed_at),
        user=row.user,
        asker=row.asker,
        channel=row.channel,
        typed=row.typed,
        origin=row.origin,
        forced=bool(row.forced),
        steps=its_steps,
    )


def _step(row: Row[Any]) -> EntryStep:
    outcome = journal.outcome_of(row)
    return EntryStep(
        step=row.position,
        name=row.name,
        parent=None if ":" in row.parent else row.parent,
        parent_name=row.parent_name or "",
        state="denied" if isinstance(outcome, Denied) else row.state,
        code=row.code,
        reason=_reason(outcome) if outcome else row.detail or "",
        group_id=row.group_id or "",
        found=(outcome.found or ()) if isinstance(outcome, Unclear) else (),
        sent_at=_time(row.sent_at),
        settled_at=_time(row.settled_at),
    )


def _reason(outcome: Outcome | None) -> str:
    """Return in words why there is no group."""
    match outcome:
        case Rejected(message=message):
            return message
        case NotSent(reason=reason) | Unclear(reason=reason) | Denied(reason=reason):
            return reason
        case NoParent(reason=reason):
            return f"parent {reason}"
        case Duplicate(user=user):
            return f"the same group was asked for by {user}"
        case Skipped():
            return "the group above it was not made"
    return ""


def _time(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


# Writing.


def _write_text(found: Iterable[Entry], out: TextIO) -> None:
    out.write(f"{'accepted (UTC)':<24} {'who':<11} {'where':<11} {'job':<16} typed\n")
    for entry in found:
        head = f"{_iso(entry.accepted_at)} {_plain(entry.user):<11} {_plain(entry.channel):<11} {entry.job:<16}"
        out.write(f"{head} {_plain(entry.typed)}\n")
        out.writelines(f"  {_line(step)}\n" for step in entry.steps)


def _line(step: EntryStep) -> str:
    """Describe a step in one line."""
    code = f"code {step.code}" if step.code is not None else ""
    identifier = f"ID {step.group_id}" if step.group_id else ""
    found = f"found {', '.join(step.found)}" if step.found else ""
    under = f"under {step.parent or step.parent_name}" if step.parent or step.parent_name else ""
    facts = [step.name, under, identifier, code, step.reason, found, _iso(step.settled_at or step.sent_at)]
    return _plain(f"{step.state:<9} {'  '.join(fact for fact in facts if fact)}")


def _write_json(found: Iterable[Entry], out: TextIO) -> None:
    for entry in found:
        text = json.dumps(asdict(entry), ensure_ascii=False, default=_iso)
        # What a terminal would act on is escaped, letters are not.
        out.write("".join(char if char.isprintable() else json.dumps(char)[1:-1] for char in text) + "\n")


_OF_JOB = ("job", *_JOB_TIMES, "user", "asker", "channel", "typed", "origin", "forced")
_OF_STEP = tuple(EntryStep.__dataclass_fields__)


def _write_csv(found: Iterable[Entry], out: TextIO) -> None:
    writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerow([*_OF_JOB, *_OF_STEP])
    for entry in found:
        of_job = [_cell(getattr(entry, name)) for name in _OF_JOB]
        writer.writerows([*of_job, *[_cell(getattr(step, name)) for name in _OF_STEP]] for step in entry.steps)


_FORMULA = re.compile(r"^(?=[\t\r\n]|[\s\"]*[=+\-@＝＋－＠])|(?<=;)(?=[\s\"]*[=+\-@＝＋－＠])")


def _cell(value: object) -> str:
    """Return a cell in which no spreadsheet sees a formula, also one that takes semicolons for the separators.

    Source: https://owasp.org/www-community/attacks/CSV_Injection
    """
    if isinstance(value, tuple):
        value = " ".join(value)
    text = _iso(value) if isinstance(value, datetime) else "" if value is None else str(value)
    return _plain(_FORMULA.sub("'", text))


def _iso(time: datetime | None) -> str:
    return time.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z") if time else ""


def _plain(text: str) -> str:
    """Return text on one line, with what would move a terminal's cursor made visible."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)
