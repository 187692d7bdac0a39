"""The command `history`: prints the journal as text or JSON, or deletes old jobs.

No foreign word that is printed moves a terminal's cursor.
"""

import io
import itertools
import json
import re
import sys
from argparse import Namespace
from datetime import UTC, datetime, timedelta

from sqlalchemy.exc import SQLAlchemyError

from bot import settings
from bot.journal.history import Entry, NoJournal, entries, forget, opened

KEPT = timedelta(hours=1)
"""Younger jobs are not deleted: they keep the bot from making a group twice."""


class WrongUsage(Exception):
    """The options make no sense; the message says why."""


def run(options: Namespace) -> int:
    """Print the journal, or delete old jobs from it, as the options say.

    `since` and `forget_before` are texts for `moment`, or None; `user` is a Slack user id, or None; `limit` is how many
    jobs at most, 0 for all; `json` chooses the form. Returns the exit status: 0 done, 1 failed, 2 wrong usage. Raises
    SettingsError when DATABASE_URL is wrong.
    """
    status = 1
    try:
        _run(options)
        return 0
    except (WrongUsage, NoJournal, ImportError, PermissionError) as error:
        status, said = 2 if isinstance(error, WrongUsage) else 1, str(error)
    except SQLAlchemyError as error:
        said = f"The journal does not answer: {getattr(error, 'orig', None) or type(error).__name__}"
    sys.stderr.write(f"{said}\n")
    return status


def _run(options: Namespace) -> None:
    since, before = (None if text is None else moment(text) for text in (options.since, options.forget_before))
    if options.user is not None and not re.fullmatch("[UW][A-Z0-9]+", options.user):
        raise WrongUsage(
            f"--user takes a Slack user ID such as U0123ABCD, not {plain(options.user)!r}. "
            "Slack shows it in the person's profile, under ⋮ > Copy member ID."
        )
    if before and (since or options.user or options.json):
        raise WrongUsage("Use --forget-before alone: it deletes everybody's jobs from before that date.")
    if before and before > datetime.now(UTC) - KEPT:
        raise WrongUsage("--forget-before must be over an hour ago: the latest jobs keep groups from being made twice.")
    if options.json and isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8")  # as programs want it, whatever the terminal has
    ours = {name: value for name, value in settings.environment().items() if name.startswith("DATABASE_URL")}
    with opened(settings.read(ours, slack=False, api=False).database_url, read_only=before is None) as engine:
        if before:
            sys.stdout.write(f"Removed {forget(engine, before)} closed jobs from before {iso(before)}.\n")
            return
        found = entries(engine, since, options.user)
        if not options.json:
            sys.stdout.write(f"{'accepted (UTC)':<24} {'who':<11} {'where':<11} {'job':<16} typed\n")
        for entry in itertools.islice(found, min(max(options.limit, 0), sys.maxsize) or None):
            sys.stdout.write(f"{in_json(entry) if options.json else in_lines(entry)}\n")
        if next(found, None):
            sys.stderr.write("There are older ones: --limit N shows more of them, --limit 0 shows all.\n")


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


def in_lines(entry: Entry) -> str:
    """Return a line for a job, and one for each of its steps."""
    head = f"{iso(entry['accepted_at'])} {plain(entry['user']):<11} {plain(entry['channel']):<11} {entry['job']:<16}"
    return "\n  ".join([f"{head} {plain(entry['typed'])}", *map(_line, entry["steps"])])


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
    return plain(f"{step['state']:<9} {'  '.join(filter(None, facts))}")


def in_json(entry: Entry) -> str:
    """Return an object for a job on one line, in which what a terminal would act on is escaped, and letters are not."""
    text = json.dumps(entry, ensure_ascii=False, default=iso)
    return "".join(char if char.isprintable() else json.dumps(char)[1:-1] for char in text)


def iso(time: datetime | None) -> str:
    """Return a time in UTC as 2026-11-23T20:26:38.344Z; "" where there is none."""
    return time.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z") if time else ""


def plain(text: str) -> str:
    """Return text on one line, with what would move a terminal's cursor made visible."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)
