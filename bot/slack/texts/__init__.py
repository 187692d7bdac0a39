"""Every sentence that a person reads in Slack, in English and Turkish, and the loader of these texts."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any

LANGUAGES = ("en", "tr")


@cache
def load(language: str) -> dict[str, str]:
    """Return the texts of a language ("en" or "tr"), flattened: `[root] asked` is the key "root.asked"."""
    source = files(__name__).joinpath(f"{language}.toml").read_text(encoding="utf-8")
    return dict(_flat("", tomllib.loads(source)))


def say(language: str, key: str, **values: object) -> str:
    """Return the sentence `key` with its places filled; values go in as they are, escaped by who gives them."""
    return load(language)[key].format_map(values)


def say_plain(language: str, key: str, **values: object) -> str:
    """Return the sentence `key` for text in which Slack formats nothing: without its marks of code, values as given."""
    return load(language)[key].replace("`", "").format_map(values)


def has(key: str) -> bool:
    """Tell whether there is a sentence for `key`."""
    return key in load("en")


def of_locale(locale: str) -> str:
    """Return the language for a Slack locale such as tr-TR: Turkish for Turkish, English for every other."""
    return "tr" if locale.lower().startswith("tr") else "en"


def _flat(prefix: str, table: dict[str, Any]) -> list[tuple[str, str]]:
    flat: list[tuple[str, str]] = []
    for name, value in table.items():
        key = f"{prefix}.{name}" if prefix else name
        flat.extend(_flat(key, value) if isinstance(value, dict) else [(key, str(value).strip())])
    return flat
