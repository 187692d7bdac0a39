"""Words that are commands and not names: help, history, list, language; and the command's own name in its text."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable
from dataclasses import dataclass

from bot.model import verbs
from bot.model.guesses import NO_COMMANDS, meant
from bot.model.marks import QUOTES, unwrapped
from bot.model.names import DASHES, UsageError, clean, fold, unmarked


@dataclass(frozen=True)
class Help:
    """Asked how the command is used."""


@dataclass(frozen=True)
class History:
    """Asked for the last jobs."""


@dataclass(frozen=True)
class ListGroups:
    """Asked for the groups of the account whose path has `text`; "" for all."""

    text: str = ""


@dataclass(frozen=True)
class SetLanguage:
    """Wants answers in a language, "en" or "tr"; "" goes back to the automatic choice."""

    language: str


Keyword = Help | History | ListGroups | SetLanguage

_HELP = {"help", "yardim", "usage", "kullanim"}
_HISTORY = {"history", "gecmis"}
_LIST = {"list", "liste", "listele"}
_LANGUAGE = {"language", "lang", "dil"}
_LANGUAGES = {"tr": "tr", "turkce": "tr", "turkish": "tr", "en": "en", "english": "en", "ingilizce": "en"}
_LANGUAGES |= {"auto": "", "automatic": "", "otomatik": ""}
_OTHER_LANGUAGES = {
    "german",
    "french",
    "deutsch",
    "francais",
    "espanol",
    "arabic",
    "kurdish",
    "kurdi",
    "chinese",
    "dutch",
}
_TOPICS = {
    "parent",
    "parents",
    "group",
    "groups",
    "list",
    "history",
    "form",
    "create",
    "add",
    "delete",
    "rename",
    "tree",
}
_TOPICS |= {
    "command",
    "commands",
    "addgroup",
    "on",
    "with",
    "about",
    "grup",
    "gruplar",
    "liste",
    "gecmis",
    "ust",
    "komut",
}
_TOPICS |= {"komutlar", "dil", "language", "ekle", "sil", "olustur", "hakkinda"}
_PLEADING = {"me", "us", "please", "pls", "et", "lutfen"}
COMMAND = "/addgroup"
COMMANDS = (COMMAND,)


def find_keyword(line: str, as_name: Callable[[str], str]) -> Keyword | None:
    """Return the command that a line is, or None when it names a group.

    `help`, `--help`, `/help`, `Help.` and `help?` are the same. `list` stands before any text; in `help`, `history` and
    `language` only a known word follows, so that "Help desk" and "Geçmiş müşteriler" are names. `as_name` puts a
    name in quotes. Raises UsageError for what may be either.
    """
    bare = _bare(line)
    if not bare:
        return Help() if "?" in line or "？" in line else None
    first, *rest = re.split(r"[\s:=＝]+", bare)
    rest = [word for word in rest if word]
    may_be_either = UsageError("word", part=line, suggestion=as_name(line))
    if first in _HELP or (bare in ("h", "?") and _dressed(line)):
        if set(rest) <= _HELP | _HISTORY | _LIST | _LANGUAGE:
            return Help()
        if set(rest) <= _PLEADING:
            raise may_be_either
    if first in _HISTORY | {"son", "last"} and len(rest) == 1 and rest[0].isdecimal():
        if len(rest[0]) > 2:
            raise may_be_either
        return History()
    if bare in _HISTORY:
        return History()
    if first in _LIST:
        return _listing(line, may_be_either)
    if first in _LANGUAGE:
        return _language(line, rest, as_name)
    if first in _HELP | _HISTORY and (_dressed(line) or _continues(first, rest)):
        raise may_be_either
    _refuse_guesses(line, [first, *rest], as_name)
    return None


def _refuse_guesses(line: str, words: list[str], as_name: Callable[[str], str]) -> None:
    """Refuse what is more likely a command than a name, though no command is called so."""
    command, text = meant(words, _HELP | _HISTORY | _LIST | _LANGUAGE), " ".join(words)
    if command is not None:
        raise UsageError("meant", command=f"{COMMAND} {command}".strip(), suggestion=as_name(line))
    if text in verbs.UNDO:
        raise UsageError("only_creates", suggestion=as_name(line))
    if text in NO_COMMANDS:
        raise UsageError("no_command", part=line, suggestion=as_name(line))


def _continues(first: str, rest: list[str]) -> bool:
    """Tell whether words ask for help or history of something, which there is not: help parent, history VIP.

    "Help desk", "History of Art" and "Geçmiş müşteriler" are names.
    """
    if not rest:
        return False
    if first in _HELP:
        return rest[0] in _TOPICS
    if first == "history":
        return rest[0] not in ("of", "and", "&")
    return re.search(r"l[ae]r[iı]?$", rest[-1]) is None


def means_something(line: str) -> bool:
    """Tell whether a line alone is a command, or may be one."""
    try:
        return find_keyword(line, str) is not None
    except UsageError:
        return True


def _bare(line: str) -> str:
    """Return a line as keywords are compared, without the marks that people put around one."""
    return unmarked(line).strip(f" {DASHES}/／\\.!¡?？…:;,")


def _dressed(line: str) -> bool:
    return fold(line)[:1] in {*DASHES, "/", "／", "\\"}


def _listing(line: str, may_be_either: UsageError) -> ListGroups:
    _, _, text = line.strip(f" {DASHES}/／").replace(":", " ", 1).partition(" ")
    if re.search(r"\bparent ?[=＝﹦]", text, re.IGNORECASE):
        raise may_be_either
    text = unwrapped(text.strip())
    quoted = len(text) > 1 and text[0] in QUOTES and text[-1] in QUOTES
    return ListGroups(clean(text[1:-1] if quoted else text))


def _language(line: str, rest: list[str], as_name: Callable[[str], str]) -> SetLanguage | None:
    """Read the language behind the word. Words none of which may be a language are a name: Dil Kursu."""
    if len(rest) == 1 and rest[0] in _LANGUAGES:
        return SetLanguage(_LANGUAGES[rest[0]])
    if not rest or any(word in _LANGUAGES for word in rest) or (len(rest) == 1 and _may_be_language(rest[0])):
        raise UsageError("language", part=line, suggestion=as_name(line))
    return None


def _may_be_language(word: str) -> bool:
    """Tell whether a word may be a language: fr, fra, tr-TR, almanca, Swedish, or one of ours with a mistake."""
    known = difflib.get_close_matches(word, [one for one in _LANGUAGES if len(one) > 3], cutoff=0.75)
    code = re.fullmatch(r"[a-z]{2,3}([-_][a-z]{2})?", word)
    return bool(code or known) or word.endswith(("ca", "ce", "ish", "ian")) or word in _OTHER_LANGUAGES


def refuse_commands(line: str, as_name: Callable[[str], str]) -> None:
    """Refuse a line that holds a command where a name is wanted: /foo VIP, create VIP, VIP ekle, VIP /addgroup Gold."""
    first, _, rest = line.partition(" ")
    if re.match(r"[/／][^\W\d_]", first):
        raise UsageError("unknown_option", part=first, suggestion=_without_command(first, rest) or as_name(line))
    if fold(first) == "addgroup" and rest:
        raise UsageError("unknown_option", part=first, suggestion=rest)
    if re.search(rf"^[^{QUOTES}]* [/／]addgroup(?= |$)", line, re.IGNORECASE):
        raise UsageError("word", part=line, suggestion=as_name(line))
    if name := verbs.name_to_create(line):
        raise UsageError("verb", part=line, suggestion=name, quoted=as_name(line))
    if verbs.changes(line):
        raise UsageError("only_creates", suggestion=as_name(line))
    label, name = verbs.label(line)
    if name:
        raise UsageError("unknown_option", part=label, suggestion=name)


def _without_command(first: str, rest: str) -> str:
    """Return what was meant by a word that is nearly the command's name; "" when it is not."""
    word = fold(first).lstrip("/／")
    if word.startswith("addgroup"):
        return f"{first[len('/addgroup') :].lstrip(':-_')} {rest}".strip()
    return rest if difflib.get_close_matches(word, ["addgroup"], cutoff=0.75) else ""
