"""Which command somebody meant who typed another: show groups, grupları listele, yardm, lst."""

from __future__ import annotations

from collections.abc import Collection
from itertools import pairwise

from bot.model.names import unmarked

NO_COMMANDS = {"status", "durum", "version", "surum", "settings", "ayarlar", "quit", "exit", "cikis", "stop"}
"""Words that people type at bots, and for which there is no command here."""

# The form, which is the command alone, is "".
_INSTEAD = dict.fromkeys(["groups", "lists", "ls", "show"], "list") | dict.fromkeys(["log", "logs"], "history")
_INSTEAD |= dict.fromkeys(["gruplar", "gruplari", "gruplarim", "listeler", "goster"], "liste")
_INSTEAD |= dict.fromkeys(["man", "manual", "info", "menu", "commands"], "help") | {"komutlar": "yardım"}
_FORM = {"form", "addgroup", "group", "grup", "new group", "yeni grup", "create", "add", "make", "ekle", "olustur"}
_FORM |= {"yarat", "create group", "add group", "grup ekle", "grup olustur", "create a group", "create new group"}
_FORM |= {"add a group", "open form", "formu ac"}
_SPELT = {"yardim": "yardım", "kullanim": "yardım", "gecmis": "geçmiş", "usage": "help", "lang": "language"}

_SHOW = {"show", "display", "view", "get", "see", "print", "open", "give"}
_SHOWN = {"list": "list", "lists": "list", "group": "list", "groups": "list", "history": "history", "help": "help"}
_SHOWN |= {"usage": "help", "commands": "help", "log": "history", "languages": "language", "language": "language"}
_FILLERS = {"me", "us", "all", "my", "our", "the", "a", "an", "of", "last", "please", "existing", "every"}

_SHOW_TURKISH = {"goster", "listele", "getir", "ac", "gor", "ver", "yazdir", "gorelim", "goruntule"}
_STEMS = {"grup": "liste", "grub": "liste", "liste": "liste", "gecmis": "geçmiş", "yardim": "yardım", "komut": "yardım"}
_STEMS |= {"kullanim": "yardım"}
_ENDINGS = {
    "",
    "i",
    "u",
    "in",
    "un",
    "lar",
    "ler",
    "lari",
    "leri",
    "larimi",
    "lerimi",
    "larin",
    "lerin",
    "larini",
    "lerini",
}
_ENDINGS |= {"yi", "imi", "umu", "si", "sini", "ini", "unu", "e", "ye"}
_FILLERS_TURKISH = {"bana", "butun", "tum", "hepsini", "son", "lutfen", "mevcut"}

_ROWS = "qwertyuiop", "asdfghjkl", "zxcvbnm"
_VOWELS = set("aeiou")


def meant(words: list[str], known: Collection[str]) -> str | None:
    """Return the command that words without marks on letters were meant as, "" for the form, or None.

    `known` are the words of the commands that there are.
    """
    text = " ".join(words)
    if text in _INSTEAD:
        return _INSTEAD[text]
    if text in _FORM:
        return ""
    if len(words) == 1:
        word = next((one for one in sorted(known) if misspelt(text, one)), None)
        return _SPELT.get(word, word) if word else None
    return _shown(words)


def _shown(words: list[str]) -> str | None:
    """Read "show groups" and "grupları göster", in which every word asks for a list, the history or the help."""
    if words[0] in _SHOW and set(words[1:]) <= _SHOWN.keys() | _FILLERS:
        return next((_SHOWN[word] for word in words[1:] if word in _SHOWN), None)
    if words[-1] not in _SHOW_TURKISH:
        return None
    stems = [_stem(word) for word in words[:-1] if word not in _FILLERS_TURKISH]
    return stems[0] if stems and all(stems) else None


def _stem(word: str) -> str:
    word = unmarked(word)
    return next((_STEMS[stem] for stem in _STEMS if word.startswith(stem) and word[len(stem) :] in _ENDINGS), "")


def misspelt(word: str, known: str) -> bool:
    """Tell whether a word is a known one with a mistake of the keyboard.

    In words of six letters and more, one letter may be missing, added, wrong or exchanged with the next. In those of
    four and five, which are near to many names (Lise, Mist, Lost, Land), letters may stand in another order, be
    doubled, be a missing vowel or, but for vowels, their neighbour on the keyboard. The first letter is always right.
    """
    if word == known or len(known) < 4 or word[:1] != known[0]:
        return False
    if sorted(word) == sorted(known):
        return True
    if len(word) == len(known):
        wrong = [(one, other) for one, other in zip(word, known, strict=True) if one != other]
        return len(wrong) == 1 and (len(known) > 5 or _beside(*wrong[0]))
    longer, shorter = max(word, known, key=len), min(word, known, key=len)
    places = [place for place in range(len(longer)) if longer[:place] + longer[place + 1 :] == shorter]
    if not places or len(longer) - len(shorter) != 1:
        return False
    doubled = any(one == other for one, other in pairwise(longer[max(places[0] - 1, 0) : places[0] + 2]))
    return len(known) > 5 or (doubled if longer == word else longer[places[0]] in _VOWELS)


def _beside(one: str, other: str) -> bool:
    """Tell whether two letters are neighbours on the keyboard, and not two vowels."""
    where = {
        letter: (row, place + row / 2) for row, letters in enumerate(_ROWS) for place, letter in enumerate(letters)
    }
    if {one, other} <= _VOWELS or one not in where or other not in where:
        return False
    return abs(where[one][0] - where[other][0]) <= 1 and abs(where[one][1] - where[other][1]) <= 1
