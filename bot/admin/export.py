"""Entries as text, JSON and CSV, in which no foreign word moves a terminal's cursor or is a formula."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterable
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TextIO

from bot.journal.history import OF_JOB, Entry, EntryStep


def write_text(found: Iterable[Entry], out: TextIO) -> None:
    """Write a head, then a line for each job and one for each of its steps."""
    out.write(f"{'accepted (UTC)':<24} {'who':<11} {'where':<11} {'job':<16} typed\n")
    for entry in found:
        head = f"{iso(entry.accepted_at)} {plain(entry.user):<11} {plain(entry.channel):<11} {entry.job:<16}"
        out.write(f"{head} {plain(entry.typed)}\n")
        out.writelines(f"  {_line(step)}\n" for step in entry.steps)


def _line(step: EntryStep) -> str:
    """Describe a step in one line."""
    code = f"code {step.code}" if step.code is not None else ""
    identifier = f"ID {step.group_id}" if step.group_id else ""
    found = f"found {', '.join(step.found)}" if step.found else ""
    under = f"under {step.parent or step.parent_name}" if step.parent or step.parent_name else ""
    facts = [step.name, under, identifier, code, step.reason, found, iso(step.settled_at or step.sent_at)]
    return plain(f"{step.state:<9} {'  '.join(fact for fact in facts if fact)}")


def write_json(found: Iterable[Entry], out: TextIO) -> None:
    """Write an object for each job, each on a line of its own."""
    for entry in found:
        text = json.dumps(asdict(entry), ensure_ascii=False, default=iso)
        # What a terminal would act on is escaped, letters are not.
        out.write("".join(char if char.isprintable() else json.dumps(char)[1:-1] for char in text) + "\n")


OF_STEP = tuple(EntryStep.__dataclass_fields__)


def write_csv(found: Iterable[Entry], out: TextIO) -> None:
    """Write a head, then a row for each step, with its job's facts before its own.

    The byte order mark tells a spreadsheet that this is UTF-8.
    """
    out.write("\ufeff")
    writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerow([*OF_JOB, *OF_STEP])
    for entry in found:
        of_job = [_cell(getattr(entry, name)) for name in OF_JOB]
        writer.writerows([*of_job, *[_cell(getattr(step, name)) for name in OF_STEP]] for step in entry.steps)


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
