"""The command `history`: prints the journal as text, JSON or CSV, or deletes old jobs.

No foreign word that is printed moves a terminal's cursor or is a formula.
"""

import csv
import io
import itertools
import json
import re
import sys
from argparse import Namespace
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import TextIO

from sqlalchemy.exc import SQLAlchemyError

from bot import settings
from bot.journal.history import OF_JOB, OF_STEP, Entry, NoJournal, entries, forget, opened

KEPT = timedelta(hours=1)
"""Younger jobs are not deleted: they keep the bot from making a group twice."""


class WrongUsage(Exception):
    """The options make no sense; the message says why."""


def run(options: Namespace) -> int:
    """Print the journal, or delete old jobs from it, as the options say.

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
    if isinstance(sys.stdout, io.TextIOWrapper):  # a terminal without Turkish letters is no reason to fail
        sys.stdout.reconfigure(encoding="utf-8" if options.csv or options.json else None, errors="backslashreplace")
    since, before = (None if text is None else moment(text) for text in (options.since, options.forget_before))
    if before and before > datetime.now(UTC) - KEPT:
        raise WrongUsage("--forget-before must be over an hour ago: the latest jobs keep groups from being made twice.")
    ours = {name: value for name, value in settings.environment().items() if name.startswith("DATABASE_URL")}
    with opened(settings.read(ours, slack=False, api=False).database_url, read_only=before is None) as engine:
        if before:
            sys.stdout.write(f"Removed {forget(engine, before)} closed jobs from before {iso(before)}.\n")
            return
        found = entries(engine, since, options.user, options.limit + 1 if options.limit else None)
        write = write_json if options.json else write_csv if options.csv else write_text
        write(itertools.islice(found, options.limit or None), sys.stdout)
        if next(found, None):
            sys.stderr.write("There are older ones: --limit N shows more of them, --limit 0 shows all.\n")


def _refuse_nonsense(options: Namespace) -> None:
    if options.limit < 0:
        raise WrongUsage("--limit must be a whole number: how many jobs at most, or 0 for all.")
    if options.user is not None and not re.fullmatch("[UW][A-Z0-9]+", options.user):
        raise WrongUsage(
            f"--user takes a Slack user ID such as U0123ABCD, not {plain(options.user)!r}. "
            "Slack shows it in the person's profile, under ⋮ > Copy member ID."
        )
    if options.forget_before is not None and (options.since or options.user or options.json or options.csv):
        raise WrongUsage("Use --forget-before alone: it deletes everybody's jobs from before that date.")


def moment(text: str) -> datetime:
    """Return the time that "2026-11-23", "2026-11-23T10:00+03:00" (without a zone in UTC), "7d" or "24h" ago means.

    Raises WrongUsage.
    """
    if ago := re.fullmatch("([0-9]{1,5})([dh])", text):
        return datetime.now(UTC) - timedelta(hours=int(ago[1]) * (24 if ago[2] == "d" else 1))
    try:
        given = datetime.fromisoformat(text)
    except ValueError as error:
        raise WrongUsage(f"{text!r} is not a date. Write one such as 2026-11-23, or how long ago: 7d, 24h.") from error
    return given if given.tzinfo else given.replace(tzinfo=UTC)


# The forms.


def write_text(found: Iterable[Entry], out: TextIO) -> None:
    """Write a head, then a line for each job and one for each of its steps."""
    out.write(f"{'accepted (UTC)':<24} {'who':<11} {'where':<11} {'job':<16} typed\n")
    for entry in found:
        who, where = plain(entry["user"]), plain(entry["channel"])
        out.write(f"{iso(entry['accepted_at'])} {who:<11} {where:<11} {entry['job']:<16} {plain(entry['typed'])}\n")
        out.writelines(f"  {_line(step)}\n" for step in entry["steps"])


def _line(step: Entry) -> str:
    """Describe a step in one line."""
    parent, found = step["parent"] or step["parent_name"], ", ".join(step["found"])
    facts = [
        step["name"],
        f"under {parent}" if parent else "",
        f"ID {step['group_id']}" if step["group_id"] else "",
        f"code {step['code']}" if step["code"] is not None else "",
        step["reason"],
        f"found {found}" if found else "",
        iso(step["settled_at"] or step["sent_at"]),
    ]
    return plain(f"{step['state']:<9} {'  '.join(fact for fact in facts if fact)}")


def write_json(found: Iterable[Entry], out: TextIO) -> None:
    """Write an object for each job, each on a line of its own."""
    for entry in found:
        text = json.dumps(entry, ensure_ascii=False, default=iso)
        # What a terminal would act on is escaped, letters are not.
        out.write("".join(char if char.isprintable() else json.dumps(char)[1:-1] for char in text) + "\n")


def write_csv(found: Iterable[Entry], out: TextIO) -> None:
    """Write a head, then a row for each step, with its job's facts before its own.

    The byte order mark tells a spreadsheet that this is UTF-8.
    """
    out.write("\ufeff")
    writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerow([*OF_JOB, *OF_STEP])
    for entry in found:
        of_job = [_cell(entry[name]) for name in OF_JOB]
        writer.writerows([*of_job, *[_cell(step[name]) for name in OF_STEP]] for step in entry["steps"])


_FORMULA = re.compile(r"^(?=[\t\r\n]|[\s\"]*[=+\-@＝＋－＠])|(?<=;)(?=[\s\"]*[=+\-@＝＋－＠])")


def _cell(value: object) -> str:
    """Return a cell in which no spreadsheet sees a formula, also one that takes semicolons for the separators.

    Source: https://owasp.org/www-community/attacks/CSV_Injection
    """
    if isinstance(value, tuple):
        value = " ".join(value)
    text = iso(value) if isinstance(value, datetime) else "" if value is None else str(value)
    return plain(_FORMULA.sub("'", text))


def iso(time: datetime | None) -> str:
    """Return a time in UTC as 2026-11-23T20:26:38.344Z; "" where there is none."""
    return time.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z") if time else ""


def plain(text: str) -> str:
    """Return text on one line, with what would move a terminal's cursor made visible."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)
