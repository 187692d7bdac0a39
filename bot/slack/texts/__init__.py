"""Every sentence that a person reads in Slack, in English and Turkish, and the loader of these texts."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

LANGUAGES = ("en", "tr")


class Voice(NamedTuple):
    """A language ("en" or "tr"), and the Slack id of who helps: a person, a user group or a channel, "" for nobody."""

    language: str
    contact: str = ""


Language = str | Voice
"""In which language a sentence is said, and which contact it names."""

_CONTACTS = {"U": ("person", "<@{}>"), "W": ("person", "<@{}>"), "S": ("usergroup", "<!subteam^{}>")}
_CHANNEL = "channel", "<#{}>"


@cache
def load(language: str) -> dict[str, str]:
    """Return the texts of a language ("en" or "tr"), flattened: `[root] asked` is the key "root.asked"."""
    source = files(__name__).joinpath(f"{language}.toml").read_text(encoding="utf-8")
    return dict(_flat("", tomllib.loads(source)))


def say(language: Language, key: str, **values: object) -> str:
    """Return the sentence `key` with its places filled; values go in as they are, escaped by who gives them.

    The place `contact` is filled in any sentence.
    """
    voice = _voice(language)
    return load(voice.language)[key].format_map({"contact": _contact(voice), **values})


def say_plain(language: Language, key: str, **values: object) -> str:
    """Return the sentence `key` for text in which Slack formats nothing: without its marks of code, values as given."""
    spoken = _voice(language).language
    nobody = load(spoken)["contact.nobody"]  # a mention would show as an id
    return load(spoken)[key].replace("`", "").format_map({"contact": nobody, **values})


def has(key: str) -> bool:
    """Tell whether there is a sentence for `key`."""
    return key in load("en")


def of_locale(locale: str) -> str:
    """Return the language for a Slack locale such as tr-TR: Turkish for Turkish, English for every other."""
    return "tr" if locale.lower().startswith("tr") else "en"


def _voice(language: Language) -> Voice:
    return language if isinstance(language, Voice) else Voice(language)


@cache
def _contact(voice: Voice) -> str:
    """Return who to ask for help, as Slack shows it.

    Source: https://docs.slack.dev/messaging/formatting-message-text#advanced
    """
    if not voice.contact:
        return load(voice.language)["contact.nobody"]
    kind, mark = _CONTACTS.get(voice.contact[0], _CHANNEL)
    return load(voice.language)[f"contact.{kind}"].format(who=mark.format(voice.contact))


def _flat(prefix: str, table: dict[str, Any]) -> list[tuple[str, str]]:
    flat: list[tuple[str, str]] = []
    for name, value in table.items():
        key = f"{prefix}.{name}" if prefix else name
        flat.extend(_flat(key, value) if isinstance(value, dict) else [(key, str(value).strip())])
    return flat
