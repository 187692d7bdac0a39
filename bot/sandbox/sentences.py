"""What the console itself says, in English and Turkish, from console.toml."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any


@cache
def load() -> dict[str, Any]:
    """Return the console's sentences: by key, then by language ("en" or "tr")."""
    return tomllib.loads(files(__package__ or "bot.sandbox").joinpath("console.toml").read_text(encoding="utf-8"))


def say(language: str, key: str, /, **values: object) -> str:
    """Return the sentence `key` with its places filled."""
    return str(load()[key][language]).strip().format_map(values)


def commands(language: str) -> list[tuple[str, str]]:
    """Return what can be typed at the prompt, each with what it does."""
    return [(typed, does) for typed, does in load()["help"][language]]


def fault(language: str, name: str) -> str:
    """Return what a way to fail does, "" for one that has no sentence."""
    sentences: Mapping[str, str] = load()["fault"].get(name, {})
    return sentences.get(language, "")


def language_of_terminal() -> str:
    """Return "tr" when the terminal's locale is Turkish, else "en"."""
    names = (os.environ.get(name) for name in ("LC_ALL", "LC_MESSAGES", "LANG"))
    return "tr" if next(filter(None, names), "").lower().startswith("tr") else "en"
