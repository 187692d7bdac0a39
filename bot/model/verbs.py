"""Requests where only a name is wanted: create VIP, grup ekle VIP, delete VIP, and a label before it: name: VIP."""

from __future__ import annotations

import re

from bot.model.names import unmarked

_CREATE = {"create", "add", "make", "ekle", "olustur", "yarat"}
_CREATE_LAST = {"ekle", "olustur", "yarat", "ekleyin", "olusturun", "ekler", "olusturur"}
_CHANGE = {"delete", "remove", "rename", "edit", "update", "sil", "kaldir", "duzenle"}
_CHANGE_LAST = {"sil", "kaldir", "duzenle", "guncelle", "adlandir", "tasi"}
UNDO = {"undo", "cancel", "iptal", "vazgec", "geri al", *_CHANGE, "revert"}
"""Words that would take back or change what was made."""

_POLITE = re.compile(r"^(?:(?:please|pls|lütfen|can you|could you|i want to|i'd like to)\s+)+", re.IGNORECASE)
_POLITE_END = re.compile(r"[\s,]+(?:please|pls|lütfen|m[iı]s[iı]n(?:[iı]z)?)[?.!]*$", re.IGNORECASE)
_A_GROUP = r"(?:(?:a|an|the|bir)\s+)?(?:(?:new|yeni)\s+)?(?:bir\s+)?(?:(?:main|sub|alt|ana)[ -]?)?(?:group|grup)"
_CALLED = r"(?:\s+(?:called|named|with\s+(?:the\s+)?name))?"
_OBJECT = re.compile(rf"^{_A_GROUP}{_CALLED}(?:\s*:)?\s+", re.IGNORECASE)
_NEW = re.compile(
    rf"^(?:{_A_GROUP}\s+(?:called|named|add|create|ekle|olu[sş]tur|yarat)"
    r"|(?:a\s+|an\s+)?(?:new|yeni)\s+(?:bir\s+)?(?:(?:sub|alt)[ -]?)?(?:group|grup))(?:\s*:)?\s+",
    re.IGNORECASE,
)
_GROUP_SUFFIX = re.compile(r"\s+(?:(?:ad[ıi]nda|adl[ıi]|isimli) )?(?:bir )?(?:grubu|grubunu|grup)$", re.IGNORECASE)
_CALLED_SO = re.compile(r"\s+(?:ad[ıi]nda|adl[ıi]|isimli)\s+(?:(?:yeni|bir)\s+)*(?:grup|grubu)$", re.IGNORECASE)
_INTO = re.compile(r"(?P<name>.+?)\s+(?:to|into|in|inside)\s+(?:the\s+)?(?P<parent>.+?)(?:\s+group)?", re.IGNORECASE)
_LABEL = re.compile(
    r"(?P<before>parent\s*[:=]\s*[^\s,;]+[\s,;]+)?"
    r"(?P<label>(?:(?:new|yeni)\s+)?(?:(?:group|grup)(?:\s*(?:name|ad[ıi]))?|name|ad[ıi]?|isim|ismi|title|ba[sş]l[ıi]k)"
    r"\s*[:：]|(?:group|grup)\s+(?:name|ad[ıi])\s*[=＝])\s*(?P<name>.+)",
    re.IGNORECASE,
)


def name_to_create(line: str) -> str:
    """Return the name, and what else it says of the group, in a line that asks to create one; "" in others."""
    asked = _POLITE_END.sub("", _POLITE.sub("", line))
    first, _, rest = asked.partition(" ")
    before, _, last = asked.rpartition(" ")
    if unmarked(first) in _CREATE and rest:
        name = _OBJECT.sub("", rest)
        found = _INTO.fullmatch(name)
        return f"{found['name']} parent {found['parent']}" if found and "=" not in name else name
    if new := _NEW.match(asked):
        return asked[new.end() :]
    if unmarked(last) in _CREATE_LAST and before:
        return _GROUP_SUFFIX.sub("", before)
    return _CALLED_SO.sub("", line) if _CALLED_SO.search(line) else ""


def changes(line: str) -> bool:
    """Tell whether a line asks to delete or rename a group."""
    asked = _POLITE_END.sub("", _POLITE.sub("", line))
    first, _, rest = asked.partition(" ")
    before, _, last = asked.rpartition(" ")
    moved = re.match(r"move\s.+\s(?:to|under|into)\s", asked, re.IGNORECASE)
    return bool((rest and unmarked(first) in _CHANGE) or (before and unmarked(last) in _CHANGE_LAST) or moved)


def label(line: str) -> tuple[str, str]:
    """Return the label before a name, as in `name: VIP`, with its colon, and what follows; else two empty texts."""
    found = _LABEL.fullmatch(line)
    return (found["label"], (found["before"] or "") + found["name"]) if found else ("", "")
