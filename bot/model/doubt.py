"""What makes a line unsure, and the best guess at what was meant by one that is."""

import re
from functools import lru_cache

from bot.model.names import QUOTED, fold, unmarked

_MOST_GUESSED = 600  # characters of a line: over two names and what stands between them

# What names are made of: letters, digits, emoji, and the marks that stand inside them.
_PLAIN = re.compile(
    r"(?:[^\W_]|[$€₺.(*](?=\w)|[\u2600-\u26ff\U0001f000-\U0001faff])"
    r"(?:[^\W_]|[^\w\s;=?\[\]{}<>\\^~`@|“”„‟«»＂…›→←\ue000-\uf8ff\ufffd]|[ |@_])*"
)
_LIST = r",(?!\d{3}(?!\d))[^,]*,(?!\d{3}(?!\d))|,\s[^,]+\s(?:and|ve|&|or|veya)\s"
_DOUBT = re.compile(
    rf"""
      (?:^|\s)\(?\w{{1,2}}[.)]\s.*\s\(?\w{{1,2}}[.)]\s         # 1. VIP 2. Gold
    | (?:^|\s)--?[a-z] | \w:[\d/] | \b\w{{1,20}}:\w           # --name, -f, 4:12, id:5
    | \w@\w | (?:^|\s)[@\#/][^\W\d] | ://                     # addresses, mentions, channels, commands
    | \d{{3}}\W?\d{{3}}\W?\d{{2}}                             # telephone numbers
    | {_LIST} | ,(?!\d{{3}}|\s) | (?:^|\s)[,•·]\s
    | \s(?:->|<-|::)\s | \\n | &\w+; | (?<!\d)"
    | \b(?:ID|Ref(?:erence)?)\b:?\s*\#?\d | \(\s*(?!(?:19|20)\d\d\))\d+\s*\)$   # VIP (5), but not (2026)
    | \b(?:group|grup|name|ad[ıi]|isim|[üu]st)\s?: | \b(?:[üu]st|ana|alt)\s?gru[pb] | ^(?:new|yeni)(?:\sbir)?\sgro?u[pb]
    | \b(?:under|below|beneath|inside)\s(?!\d) | \b[üu]st\s\d | ^(?:and|ve|or|veya)\s
    | (?:[:,./|&-]|\s(?:and|ve|or|veya|with|ile))$ | ^\W*\d+\W*$
    """,
    re.VERBOSE | re.IGNORECASE,
)
# Words that a surely meant name does not hold, at its beginning or in small letters: they ask, command, or belong to a
# sentence. English ones are compared with their marks (İş is no "is"), Turkish ones without.
_ENGLISH = re.compile(
    "parent|sub|subgroup|belongs|addgroup|called|named|hey|hello|hi|please|pls|thanks?|thx"
    "|i('?m|'d|'ll)?|me|my|you|your|it('s)?|that('s)?|these|those|is|are|was|were|am|do|does|did|don't|can|could|would"
    "|should|what('s)?|which|who|how('s)?|why|when|where|need|want|let's"
)
_TURKISH = re.compile(
    "ebeveyn|alt[iı]n[ad]a?|altinda|icine|bagli|adini|adinda|isimli|diye|lutfen|m[iu]|m[iu]s[iu]n(iz|uz)?|nasil|neden|hangi"
    "|kim|kac|bana|istiyorum|lazim|olsun|yok|tesekkur(ler)?|(ekle|olustur|sil|goster|listele|birlestir|degistir|gonder"
    r"|tasi|kaldir|duzenle|sorgula|ac|yap|kur)(y?in(iz)?|elim|yelim|nsin|ilsin|sin)?|\w+([iu]yor\w*|[ae]c[ae]gi[mz]|m[ae]di)"
)
_VERB = re.compile(
    "create|add|make|delete|remove|rename|move|merge|undo|cancel|show|put|send|tell|give|start|stop|clear|update|check"
    "|export|count|invite|join|find|write|schedule|remind|reset|return|say|abort|revert|reopen|erase|throw"
)
_ALONE = re.compile(
    "help|test|deneme|merhaba|selam|name|isim|adi?|grup|group|undefined|nan|null|none|oops|version|todo|iptal"
)


def doubtful(line: str) -> bool:
    """Tell whether a line without quotes and options may mean anything else than the name of one group."""
    return not _PLAIN.fullmatch(line) or bool(_DOUBT.search(line)) or asks(line)


@lru_cache(maxsize=256)
def asks(line: str) -> bool:
    """Tell whether a line holds a word that asks for something, or is part of a sentence."""
    words = [bare for typed in line.split() if (bare := typed.strip("().,'’!?:;/-–\"“”…"))]
    # IT, US and VAR are abbreviations, Can is somebody's name.
    small = [word for place, word in enumerate(words) if word[:1].islower() or not (place or word.isupper())]
    begins = words and (small[:1] == words[:1] or len(words) == 1)
    return any(_ENGLISH.fullmatch(fold(word)) or _TURKISH.fullmatch(unmarked(word)) for word in small) or bool(
        begins and (_VERB.fullmatch(fold(words[0])) or (len(words) == 1 and _ALONE.fullmatch(unmarked(words[0]))))
    )


_ASKED = (
    r"(?:please|pls|lütfen|hey|hi|can you|could you|i need|we need|create|add|make|put|called|named|new|yeni|thanks|thx"
    r"|for me|ekle\w*|oluştur\w*|aç\w*|kur|yap|lazım|istiyorum|olsun|m[ıiuü]s[ıiuü]n\w*|misin|teşekkür\w*|sub ?group"
    r"|alt grup|groups?|grup|grubu(?:nu)?|ad[ıi](?:nda)?|adl[ıi]|isimli|isim|name)"
)
_AROUND = re.compile(rf"\A(?:{_ASKED}\b(?:[ :=,]+|$)(?:(?:an?|the|bir) )?)+|(?:[ ,]{_ASKED}[.!?]*)+\Z", re.IGNORECASE)
_WORDS_UNDER = (
    r"(?:as )?(?:an? )?sub(?:group)? (?:of|to)|under|below|beneath|inside|into|belongs to"
    r"|(?:with )?parent(?:[ _-]?(?:id|group))?|üst(?:ü| ?gru[bp]u?)?|ana grup|ebeveyn"
)
_UNDER = (
    rf"(?P<name>.+?)[ ,(-]+(?:{_WORDS_UNDER})(?: is)?[ :=>]+(?P<parent>.+)",
    r"(?P<parent>.+?)(?:['’]?n?[ıiuü]n)?(?: grubu(?:nun)?)? (?:alt[ıi]n[ad]a?|içine|alt grup) (?P<name>.+)",
    r"(?P<parent>[^>›»→]+?)(?:'?[ea] bağlı| ?(?:->|[>›»→])) ?(?P<name>[^>›»→]+)",
    # a typo of the option, and any other word with a number: paernt=VIP, id=5
    r"(?P<name>.+?) [-–—/]*p[a-z]{3,8}(?: ?id| ?group)? ?[=:] ?(?P<parent>.+)",
    r"(?P<name>.+?) [-–—/]*[^\W\d]{2,12}(?:[ _-]?(?:id|gru?o?[pu]p?))? ?[=:] ?(?P<parent>\d+)",
)


def guess(line: str) -> tuple[str, str]:
    """Return the name and the parent, "" for none, that a doubtful line most likely means."""
    if len(line) > _MOST_GUESSED:
        return line, ""
    line = re.sub(r"^[\"“„«](?=[^\"”»]*$)", "", line).strip(" ,;'‘–-") or line
    bare = _AROUND.sub("", line) or line
    found = next(filter(None, (re.fullmatch(pattern, bare, re.IGNORECASE) for pattern in _UNDER)), None)
    return (_AROUND.sub("", found["name"]), found["parent"]) if found else (bare, "")


def pieces(line: str) -> list[str]:
    """Return the names in a line that lists several; none where it is one."""
    if re.search(QUOTED, line):
        return []
    number = r"(?:^|\s+)\(?\d{1,2}[.)]\s+"
    parts = re.split(number if len(re.findall(number, line)) > 1 else r"\s*;\s*|\s+[•·]\s+|\\n", line.strip("[]"))
    if len(parts) < 2 and re.search(_LIST, line):
        parts = re.split(r",(?!\d{3}(?!\d))\s*(?:(?:and|ve|&|or|veya)\s)?|\s(?:and|ve|&|or|veya)\s(?!.*,)", line)
    return [name for part in parts if (name := part.strip())] if len(parts) > 1 else []
