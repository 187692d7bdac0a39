"""Slack's messages as a person would see them, in a terminal."""

from __future__ import annotations

import re
import sys
from datetime import UTC, datetime

PEOPLE = {"en": "U1", "tr": "U2"}
"""Who types, by language: the bot remembers a person's language for an hour, so another person types Turkish."""

LOCALES = {"U1": "en-US", "U2": "tr-TR"}


def box(text: str, lead: str) -> str:
    """Lay Slack text out behind `lead` and indented by its width."""
    margin = "\n" + " " * len(lead)
    return lead + margin.join(plain(text).splitlines())


def plain(text: str) -> str:
    """Show Slack's markup as a person would see it: mentions by name, bold without stars, what was escaped as typed."""
    names = {user: f"@you ({language})" for language, user in PEOPLE.items()}
    text = re.sub(r"<@(\w+)>", lambda match: names.get(match[1], f"@{match[1]}"), text)
    text = re.sub(r"<!date\^(\d+)[^|>]*\|[^>]*>", lambda match: _local_time(int(match[1])), text)
    text = re.sub(r"<(https?://[^|>]+)\|([^>]+)>", r"\2: \1", text)
    text = re.sub(r"^\*(.+?)\*", _bold, text, flags=re.MULTILINE)
    text = re.sub(r"^> ", "│ ", text, flags=re.MULTILINE)
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _local_time(seconds: int) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC).astimezone():%Y-%m-%d %H:%M}"


def _bold(match: re.Match[str]) -> str:
    return f"\x1b[1m{match[1]}\x1b[0m" if sys.stdout.isatty() else match[1]
