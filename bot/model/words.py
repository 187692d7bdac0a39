"""One line in words: what is quoted, what is an option, and what stands behind it."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from bot.model.marks import BRACKETS, FORMATS, PARTNERS, QUOTES, closing_mark, unwrapped
from bot.model.names import DASHES, UsageError

EQUALS = re.compile("[=＝﹦]")


@dataclass(frozen=True)
class Word:
    """A run without spaces, one in quotes, or an option with its value.

    `text` is what it means: without quotes, without the marks around a value, without the option. `value` is that as
    it was typed. `option` is what stands before the equals sign, and `sign` that sign; both are "" for other words.
    """

    text: str
    typed: str
    quoted: bool = False
    option: str = ""
    sign: str = ""
    value: str = ""

    @property
    def is_option(self) -> bool:
        """Whether something stands before or as an equals sign."""
        return bool(self.option or self.sign)

    @property
    def is_parent(self) -> bool:
        """Whether it is `parent=`, in any case and width."""
        return keyword(self.option) == "parent" and EQUALS.fullmatch(self.sign) is not None


def keyword(text: str) -> str:
    """Return a word as words of the grammar are compared."""
    return unicodedata.normalize("NFKC", text).casefold()


def typed(words: list[Word]) -> str:
    """Return words as they were typed."""
    return " ".join(word.typed for word in words)


def replaced(words: list[Word], place: int, count: int, instead: str) -> str:
    """Return the line with something else in place of `count` words."""
    return " ".join(filter(None, [typed(words[:place]), instead, typed(words[place + count :])]))


# "=" may have spaces around it. What was surely meant as the option is read as one, to be refused with what was
# meant: `parent==5`, `parent:5`, `parent->5`, `--parent 5`.
_OPTION = re.compile(
    rf"(?P<key>[^\s{QUOTES}=＝﹦]*?)\s*(?P<sign>[:：]?[=＝﹦](?:\s?[=＝﹦>＞])*)\s*"
    rf"|(?P<key2>(?:[^\s{QUOTES}]*[,;|(\[{{])?[{DASHES}]*parent)\s*(?P<sign2>[:：]|[-–—]*[>＞→])\s*|(?P<key3>[{DASHES}]+parent)(?=\s|$)\s*",
    re.IGNORECASE,
)
_JOINED = re.compile(r".*[,;|](?=parent$)|.*?[^(\[{<（](?=[(\[{<（]+parent$)", re.IGNORECASE)
_MARKS = re.escape("".join(PARTNERS))
_ENCLOSED = re.compile(rf"(?:[{_MARKS}(\[{{<（]{{1,4}}|[(\[{{（] )parent\s*[:：]?[=＝﹦]", re.IGNORECASE)


def words_of(line: str) -> list[Word]:
    """Return the words of a line with single spaces. Raises UsageError."""
    words: list[Word] = []
    at = 0
    while at < len(line):
        if line[at] == " ":
            at += 1
        elif enclosed := _enclosed(line, at):
            words += words_of(enclosed)
            at = _end_of_enclosed(line, at) + 1
        else:
            word, at = _word(line, at)
            words.append(word)
    return words


def _word(line: str, begin: int) -> tuple[Word, int]:
    option = _OPTION.match(line, begin)
    start = option.end() if option else begin
    text, quoted, end = _value(line, start, with_marks=option is not None)
    if not option:
        return Word(text, line[begin:end], quoted), end
    key = option["key"] or option["key2"] or option["key3"] or ""
    if joined := _JOINED.match(key):  # VIP,parent=5
        return Word(joined[0], joined[0]), begin + joined.end()
    sign = option["sign"] or option["sign2"] or " "
    return Word(text, line[begin:end], quoted, key, sign, line[start:end]), end


def _enclosed(line: str, at: int) -> str:
    """Return the option, without what stands around it, that begins in marks or brackets: `(parent=5)`; else ""."""
    end = _end_of_enclosed(line, at)
    if end < 0:
        return ""
    inner = line[at + 1 : end].strip()
    if line[at] in BRACKETS or line[at] in FORMATS:
        return inner
    raise UsageError("unknown_option", part=line[at : end + 1], suggestion=f"{line[:at]}{inner}{line[end + 1 :]}")


def _end_of_enclosed(line: str, at: int) -> int:
    """Return where the last mark around an option is; -1 when there is none around it."""
    if line[at] in QUOTES or not _ENCLOSED.match(line, at):
        return -1
    if line[at] in PARTNERS:
        return closing_mark(line, at)
    found = re.compile(re.escape(BRACKETS[line[at]]) + "(?=[ ,;.]|$)").search(line, at)
    return found.start() if found else -1


def _value(line: str, start: int, *, with_marks: bool) -> tuple[str, bool, int]:
    """Return the value that begins at `start`, whether it was in double quotes, and where it ends."""
    if start < len(line) and line[start] in QUOTES:
        end = _closing_quote(line, start)
        return line[start + 1 : end], True, end + 1
    if with_marks and start < len(line) and line[start] in PARTNERS:
        end = closing_mark(line, start)
        if end > 0:
            inner = unwrapped(line[start : end + 1])
            quoted = len(inner) > 2 and inner[0] in QUOTES and inner[-1] in QUOTES
            return (inner[1:-1] if quoted else inner), quoted, end + 1
        if line[start] not in "*_~":
            raise UsageError("unclosed_quote", part=line[start:])
    end = line.find(" ", start)
    end = len(line) if end < 0 else end
    return line[start:end], False, end


def _closing_quote(line: str, start: int) -> int:
    """Find the quote that ends the word: one before a space or the end, of the opening one's kind if there is one."""
    closing = [match.start() for match in _CLOSING.finditer(line, start + 1)]
    if not closing:
        raise UsageError("unclosed_quote", part=line[start:])
    kind = '"' if line[start] == '"' else QUOTES.replace('"', "")
    end = next((end for end in closing if line[end] in kind), closing[0])
    # Where that kind opens again before it closes, the quote was closed by one of another kind: “A" parent=“B”.
    return closing[0] if re.search(rf"[ =＝﹦][{kind}][^ ]", line[closing[0] : end]) else end


_CLOSING = re.compile(rf"[{QUOTES}](?= |$|[,;] ?parent ?[=＝﹦])", re.IGNORECASE)
