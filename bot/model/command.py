"""The grammar of /addgroup: what somebody typed becomes a command, or a usage error that names the fault."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection
from dataclasses import dataclass

from bot.model.characters import BLANKS, ignorable
from bot.model.group_line import NewGroup, as_name
from bot.model.keywords import COMMAND, COMMANDS, Help, History, Keyword, ListGroups, SetLanguage, find_keyword
from bot.model.lines import MAX_GROUPS, Line, read_lines
from bot.model.names import UsageError
from bot.model.outline import as_outline, form_groups, form_line, outline, outline_of, several

__all__ = [
    "COMMAND",
    "MAX_GROUPS",
    "Command",
    "Create",
    "Help",
    "History",
    "ListGroups",
    "NewGroup",
    "OpenForm",
    "SetLanguage",
    "as_outline",
    "form_groups",
    "form_line",
    "outline",
    "parse",
]


@dataclass(frozen=True)
class OpenForm:
    """Typed nothing: wants the form."""


@dataclass(frozen=True)
class Create:
    """Groups to create, in the order in which they were typed."""

    groups: tuple[NewGroup, ...]


Command = Help | History | ListGroups | SetLanguage | OpenForm | Create


def parse(text: str, commands: Collection[str] = COMMANDS) -> Command:
    """Read the text behind `/addgroup`, as Slack sent it but for `&amp;` and its like, which are decoded before.

    `commands` are the names by which the command may be called in Slack; one that stands in the text again is dropped.
    Raises UsageError, and nothing else, whatever the text is.
    """
    lines = read_lines(text, commands)
    if len(lines) == 1 and (keyword := _keyword(text, lines[0])):
        return keyword
    if lines:
        return Create(outline_of(lines, text))
    if any((ignorable(ord(char)) and unicodedata.category(char) != "Cf") or char in BLANKS for char in text):
        raise UsageError("no_name")  # something was typed, and none of it can be seen
    return OpenForm()


def _keyword(text: str, line: Line) -> Keyword | None:
    try:
        return find_keyword(line.content, as_name)
    except UsageError as error:
        error.line = line.number if several(text) else None
        raise
