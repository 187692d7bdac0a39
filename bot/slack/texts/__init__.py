"""Every sentence that a person reads in Slack, in English and Turkish, and the loader of these texts."""

import tomllib
from collections import ChainMap
from collections.abc import Callable, Iterable
from functools import cache
from importlib.resources import files
from typing import NamedTuple

LANGUAGES = ("en", "tr")


class Voice(NamedTuple):
    """How the bot speaks to somebody: in a `language` ("en" or "tr"), with what it can name without waiting.

    `contact` is the Slack id of who helps: a person, a user group or a channel, "" for nobody. `path` returns the names
    that lead to a group, by its id, and `name` a person's name, by theirs: "" where it is not at hand. `channels` are
    those in which the command may be used, none for all. `workspace` returns Slack's address of the workspace, "" where
    it is not known.
    """

    language: str
    contact: str = ""
    path: Callable[[str], str] = lambda _identifier: ""
    name: Callable[[str], str] = lambda _identifier: ""
    channels: tuple[str, ...] = ()
    workspace: Callable[[], str] = str


Language = str | Voice
"""In which language a sentence is said, and what it may name."""

_CONTACTS = {"": ("nobody", ""), "S": ("usergroup", "<!subteam^{}>")}
_CONTACTS |= dict.fromkeys("UW", ("person", "<@{}>"))


@cache
def load(language: str) -> dict[str, str]:
    """Return the texts of a language ("en" or "tr") by key: `[root] under` is the key "root.under"."""
    return {f"{table}.{part}": text for table, parts in _tables(language).items() for part, text in parts.items()}


@cache
def _tables(language: str) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    named = list(tomllib.loads(files(__name__).joinpath(f"{language}.toml").read_text(encoding="utf-8")).items())
    for name, table in named:  # which grows by what stands in each
        found[name] = {part: text.strip() for part, text in table.items() if isinstance(text, str)}
        named += [(f"{name}.{part}", inner) for part, inner in table.items() if isinstance(inner, dict)]
    return found


def voice_of(language: Language) -> Voice:
    """Return the voice for a language, which names nothing."""
    return language if isinstance(language, Voice) else Voice(language)


def say(language: Language, key: str, **values: object) -> str:
    """Return the sentence `key` with its places filled; values go in as they are, escaped by who gives them.

    The place `contact` is filled in any sentence.
    """
    voice = voice_of(language)
    return load(voice.language)[key].format_map({"contact": _contact(voice.language, voice.contact), **values})


def say_parts(language: Language, tables: Iterable[str], **values: object) -> dict[str, str]:
    """Return all sentences of these tables by the last part of their keys; the first table that has one decides."""
    voice = voice_of(language)
    texts = ChainMap(*(_tables(voice.language).get(table, {}) for table in tables))
    facts = {"contact": _contact(voice.language, voice.contact), **values}
    for part in ("mark", "above", "title", "heading"):  # which the others may have in them
        if part in texts:
            facts[part] = texts[part].format_map(facts)
    return {part: text.format_map(facts) for part, text in texts.items()}


def say_plain(language: Language, key: str, **values: object) -> str:
    """Return the sentence `key` for text in which Slack formats nothing: without its marks of code, values as given."""
    spoken = voice_of(language).language
    nobody = load(spoken)["contact.nobody"]  # a mention would show as an id
    return load(spoken)[key].replace("`", "").format_map({"contact": nobody, **values})


@cache
def _contact(language: str, contact: str) -> str:
    """Return who to ask for help, as Slack shows it: a person, a user group, or the people in a channel.

    Source: https://docs.slack.dev/messaging/formatting-message-text#advanced
    """
    kind, mark = _CONTACTS.get(contact[:1], ("channel", "<#{}>"))
    return load(language)[f"contact.{kind}"].format(who=mark.format(contact))
