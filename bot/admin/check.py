"""The self-check: looks at every part, and prints each finding as soon as it is known."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TextIO

from bot import settings
from bot.admin import check_api as api
from bot.admin import check_database as database
from bot.admin import check_ports as ports
from bot.admin import check_slack as slack
from bot.admin.finding import OK, WARNING, WRONG, Finding, hidden
from bot.settings import SettingsError


def run(environ: Mapping[str, str], out: TextIO) -> int:
    """Check every part, write a line on each to `out` as soon as it is known, and on the next line how to fix it.

    `environ` are the variables to check. Nothing is created or changed anywhere, and nothing secret is written.
    Returns 0 when nothing is WRONG, else 1.
    """
    wrong = 0
    secrets = settings.secrets_in(environ)
    for finding in _findings(environ):
        wrong += finding.state == WRONG
        out.write(f"{finding.state:8} {finding.part}: {hidden(finding.text, secrets)}\n")
        if finding.remedy:
            out.write(f"{'':8} -> {hidden(finding.remedy, secrets)}\n")
        out.flush()
    out.write(f"\n{wrong} WRONG: the bot will not work as it should.\n" if wrong else "\nNothing is wrong.\n")
    return int(wrong > 0)


def _findings(environ: Mapping[str, str]) -> Iterator[Finding]:
    of_slack = (slack.token, slack.socket_mode, slack.signing_secret)
    for part in (_settings, *of_slack, api.check, database.check, ports.check):
        yield from part(environ)


def _settings(environ: Mapping[str, str]) -> Iterator[Finding]:
    try:
        settings.read(environ)
    except SettingsError as error:
        for problem in error.problems:
            text, _, remedy = problem.partition(". ")
            yield Finding(WRONG, "settings", text, remedy or "Correct it in the environment or in the file .env here.")
    else:
        yield Finding(OK, "settings", "all that serve needs is set")
    for each in settings.unknown(environ):
        if not each.restricts:  # those are problems already
            text, _, meant = str(each).partition(". ")
            remedy = f"{meant} Correct the name." if meant else "The bot does not read it: remove it."
            yield Finding(WARNING, "settings", text.rstrip("."), remedy)
