"""Where the variables come from: the process's environment, and behind it the file `.env`."""

from __future__ import annotations

import io
import os
from pathlib import Path

from dotenv import dotenv_values
from dotenv.parser import parse_stream

from bot.settings.names import VARIABLES

QUOTES = "'\"‘’“”"
"""What values are quoted with, by people and by programs."""

_PAIRS = ("''", '""', "‘’", "“”")
_INVISIBLE = "\ufeff\u200b"  # the byte order mark, and a space of no width that web pages contain


class SettingsError(Exception):
    """The settings do not allow what was asked; `problems` holds a sentence for each fault, none of them a secret."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


def environment() -> dict[str, str]:
    """Return the process's environment, and behind it the variables of `.env` in the working directory.

    Raises SettingsError when `.env` is there but cannot be read: what it says must not be ignored.
    """
    return {**_from_file(Path(".env")), **os.environ}


def clean(value: str) -> str:
    """Return a value without the white space and the one pair of quotes around it that copying leaves there.

    Container runtimes keep the quotes of their env files as part of the value.
    """
    value = value.strip().strip(_INVISIBLE).strip()
    quoted = len(value) > 1 and value[0] + value[-1] in _PAIRS
    return value[1:-1].strip() if quoted else value


def _from_file(file: Path) -> dict[str, str]:
    try:
        text = file.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        return {}
    except OSError as error:
        remedy = "Let the user that runs the bot read it, or remove it."
        raise SettingsError([f"{file} cannot be read: {error.strerror or error}. {remedy}"]) from error
    except UnicodeDecodeError as error:
        raise SettingsError([_ENCODING.format(file)]) from error
    if "\0" in text:
        raise SettingsError([_ENCODING.format(file)])
    found = list(parse_stream(io.StringIO(text)))
    wrong = [each.original.line for each in found if each.error or (each.value is None and each.key in VARIABLES)]
    if wrong:
        lines = ", ".join(str(line) for line in wrong)
        raise SettingsError([f"{file} has lines that are not NAME=value: {lines}. Correct them, or begin them with #."])
    return {name: value for name, value in dotenv_values(stream=io.StringIO(text)).items() if value is not None}


_ENCODING = "{} is not a text in UTF-8. Save it again in that encoding."
