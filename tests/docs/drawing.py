"""Slack's messages and forms as SVG, much as Slack shows them. Pure; lengths are in pixels.

Only what the bot sends is known here. Anything else raises ValueError, so that no picture leaves something out.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from html import escape, unescape
from math import fsum
from typing import Any

Part = Mapping[str, Any]

_KNOWN = re.compile(
    "type|title|submit|close|blocks|text|elements?|style|label|hint|optional|multiline|focus_on_load|placeholder"
    "|(notify_on_close|action_id|block_id|callback_id|private_metadata|value|confirm|verbatim|emoji"
    "|min_query_length|accessibility_label|expand)"
)
"""The fields of Block Kit's that the bot uses; those in brackets people do not see, or only after a click."""

_MARKUP = re.compile(
    r"`(?P<code>[^`]+)`|\*(?P<bold>[^*]+)\*|<@(?P<mention>\w+)>|<https:[^>|]*\|(?P<link>[^>]*)>"
    r"|(?P<unknown><[^>]*>|(?<!\w)[_~][^_~]+[_~](?!\w)|:[a-z][a-z0-9_+-]*:)"
)

_CLASSES = {
    0.222: "ijl'‘’",
    0.278: " !,./:;Iİ[]ftı·",
    0.333: '()-r"“”›•*',
    0.5: "cçksşvxyzJ",
    0.584: "+<=>~",
    0.611: "FTZ",
    0.667: "ABEKPSŞVXY&",
    0.722: "CÇDHNRUÜw└",
    0.778: "GĞOÖQ",
    0.833: "mM",
    0.944: "W",
    1: "—…@\u2003",
}
_WIDTHS = {character: width for width, characters in _CLASSES.items() for character in characters}
"""How wide Helvetica's characters are, as parts of the font's size: 0.556, where nothing is said."""
_FATTER = "bcçdfgğhıijklmnoöpqrsştuüvwxy:'"  # in bold


@dataclass(frozen=True)
class Look:
    """How a piece of text looks; `back` and `edge` are the colours of the box around it, where it has one."""

    size: int = 15
    fill: str = "#1d1c1d"
    bold: bool = False
    mono: bool = False
    back: str = ""
    edge: str = "none"

    def width(self, text: str) -> float:
        """Return about how wide a text is, its box included."""
        fatter = 0.055 * self.bold
        ems = [0.6 if self.mono else _WIDTHS.get(each, 0.556) + fatter * (each in _FATTER) for each in text]
        return fsum(ems) * self.size + 8 * bool(self.back)  # sum() adds floats in another way since Python 3.12


TEXT, BOLD = Look(), Look(bold=True)
GREY, SMALL = Look(fill="#616061"), Look(13, "#616061")
BADGE = Look(10, "#616061", bold=True, back="#e8e8e8")
MARKED = {
    "bold": BOLD,
    "code": Look(12, "#c01343", mono=True, back="#f6f6f6", edge="#dddddd"),
    "mention": Look(fill="#1264a3", back="#e8f5fa"),
    "link": Look(fill="#1264a3"),
}
BUTTONS = {"default": ("#ffffff", "#1d1c1d"), "primary": ("#007a5a", "#ffffff"), "danger": ("#e01e5a", "#ffffff")}
"""The colours of each style of button, and of the text on it."""


class Picture:
    """A card that grows downwards as things are drawn on it; `names` are those of people, by their ids."""

    def __init__(self, width: int, names: Mapping[str, str]) -> None:
        self._width = width
        self._names = names
        self._y = 20.0
        self._shapes: list[str] = []
        self._said: list[str] = []

    def svg(self, title: str) -> str:
        """Return the picture, with its title, and as its description all that is to be read in it."""
        said = escape("\n".join(self._said), quote=False)
        told = f"<title>{escape(title)}</title>\n<desc>{said}</desc>"
        self._box(0.5, 0.5, self._width - 1, self._y - 1, "#ffffff", "#d0d7de", 8)
        card = self._shapes.pop()
        head = (
            f'<svg xmlns="http://www.w3.org/2000/svg" role="img" viewBox="0 0 {self._width} {self._y:g}" '
            f'width="{self._width}" height="{self._y:g}" '
            """font-family="'Helvetica Neue', Helvetica, Arial, 'Liberation Sans', system-ui, sans-serif">"""
        )
        return "\n".join([head, told, card, *self._shapes, "</svg>\n"])

    def message(self, x: float, text: str, blocks: Sequence[Part]) -> None:
        """Draw a message of the bot's: its blocks, or its text where it has none."""
        self._box(x, self._y, 36, 36, "#1d4ed8", rx=6)
        self._path(x + 18, self._y + 10, "v16m-8-8h16", "#ffffff", 4)
        x += 46
        self._write(x + self._write(x, "addgroup", BOLD) + 8, "APP", BADGE)
        self._said.append("addgroup:")
        self._y += 22
        for block in blocks or [{"type": "section", "text": {"type": "mrkdwn", "text": text}}]:
            if _kind(block, "section", "actions") == "section":
                self._markdown(x, _text(block["text"]))
            else:
                self._buttons(x, block["elements"])
        self._y += 16

    def replies(self, x: float, counted: str) -> None:
        """Draw the line between a message and its thread."""
        left = x + self._write(x, counted, SMALL) + 12
        self._box(left, self._y + 11, self._width - 20 - left, 1, "#dddddd")
        self._said.append(counted)
        self._y += 34

    def form(self, x: float, view: Part) -> None:
        """Draw a modal, from its title to its buttons."""
        _kind(view, "modal")
        self._write(x, _text(view["title"]), replace(BOLD, size=20))
        self._path(self._width - x - 12, self._y + 6, "l12 12m0-12l-12 12", "#616061")
        self._said.append(_text(view["title"]))
        self._y += 42
        for block in view["blocks"]:
            if _kind(block, "context", "input") == "context":
                for element in block["elements"]:
                    self._note(x, element)
            else:
                self._input(x, block)
        self._box(0, self._y, self._width, 1, "#dddddd")
        self._y += 10
        close, submit = ({"type": "button", "text": view[name]} for name in ("close", "submit"))
        wide = fsum(BOLD.width(_text(view[name])) + 36 for name in ("close", "submit")) - 8
        self._buttons(self._width - x - wide, [close, {**submit, "style": "primary"}])
        self._y += 18

    def _note(self, x: float, part: Part) -> None:
        self._wrapped(x, [(_text(part), SMALL)])
        self._said.append(_text(part))
        self._y += 16

    def _input(self, x: float, block: Part) -> None:
        label, element, optional = _text(block["label"]), block["element"], " (optional)" * block.get("optional", False)
        self._write(x + self._write(x, label, BOLD), optional, GREY)
        self._said.append(label + optional)
        self._y += 28
        wide, high = self._width - 2 * x, 96 if element.get("multiline") else 40
        self._box(x, self._y, wide, high, "#ffffff", "#1264a3" if element.get("focus_on_load") else "#868686", 4)
        if _kind(element, "plain_text_input", "external_select") == "external_select":
            self._write(x + 12, _text(element["placeholder"]), GREY, 9)
            self._path(x + wide - 24, self._y + 17, "l5 5l5-5", "#1d1c1d")
            self._said.append(_text(element["placeholder"]))
        self._y += high + 4
        self._note(x, block["hint"])

    def _buttons(self, x: float, buttons: Sequence[Part]) -> None:
        self._y += 6
        for button in buttons:
            _kind(button, "button")
            label, (back, fill) = _text(button["text"]), BUTTONS[button.get("style", "default")]
            wide = BOLD.width(label) + 28
            self._box(x, self._y, wide, 34, back, "#bbbbbb" if back == "#ffffff" else "none", 5)
            self._write(x + 14, label, replace(BOLD, fill=fill), 6)
            self._said.append(f"[{label}]")
            x += wide + 8
        self._y += 34

    def _markdown(self, x: float, text: str) -> None:
        for line in text.splitlines():
            quoted, top = line.startswith("> "), self._y
            pieces = list(self._pieces(line.removeprefix("> ")))
            self._wrapped(x + 16 * quoted, pieces)
            if quoted:
                self._box(x, top, 4, self._y - top, "#dddddd", rx=2)
            self._said.append("> " * quoted + "".join(piece for piece, _ in pieces))

    def _pieces(self, line: str) -> Iterator[tuple[str, Look]]:
        """Take a line of mrkdwn apart.

        Source: https://docs.slack.dev/messaging/formatting-message-text
        """
        end = 0
        for found in _MARKUP.finditer(line):
            yield unescape(line[end : found.start()]), TEXT
            kind = found.lastgroup or ""
            if kind not in MARKED:
                raise ValueError(f"{found[0]} is not drawn")
            if kind == "bold":
                for place, part in enumerate(found[kind].split("`")):
                    yield unescape(part), MARKED["code" if place % 2 else kind]
            else:
                yield f"@{self._names[found[kind]]}" if kind == "mention" else unescape(found[kind]), MARKED[kind]
            end = found.end()
        yield unescape(line[end:]), TEXT

    def _wrapped(self, left: float, pieces: Sequence[tuple[str, Look]]) -> None:
        """Write pieces of text one after another, broken between words where the line is full."""
        x, high = left, pieces[0][1].size + 7
        for text, look in pieces:
            run = ""
            for word in [text] if look.back else re.findall(r"\s+|\S+\s*", text):
                if x + look.width(run + word.rstrip()) > self._width - 24:
                    self._write(x, run, look)
                    x, run = left, ""
                    self._y += high
                run += word
            x += self._write(x, run, look)
        self._y += high

    def _write(self, x: float, text: str, look: Look, down: int = 0) -> float:
        """Write a text and return its width. It gets this width whatever font there is, so nothing overlaps."""
        middle, words = self._y + 11 + down, text.strip()
        left, wide = x + look.width(text) - look.width(text.lstrip()), look.width(words)
        if words and look.back:
            self._box(left + 1, middle - look.size / 2 - 3, wide - 2, look.size + 6, look.back, look.edge, 3)
            left, wide = left + 4, wide - 8
        if words:
            weight = ' font-weight="bold"' * look.bold
            family = """ font-family="Menlo, Consolas, 'Liberation Mono', monospace\"""" * look.mono
            self._shapes.append(
                f'<text x="{left:.1f}" y="{middle + look.size * 0.35:.1f}" textLength="{wide:.1f}" '
                f'lengthAdjust="spacingAndGlyphs" font-size="{look.size}" fill="{look.fill}"{weight}{family}>'
                f"{escape(words, quote=False)}</text>"
            )
        return look.width(text)

    def _box(self, x: float, y: float, wide: float, high: float, fill: str, edge: str = "none", rx: int = 0) -> None:
        place = f'x="{x:.1f}" y="{y:.1f}" width="{wide:.1f}" height="{high:.1f}" rx="{rx}"'
        self._shapes.append(f'<rect {place} fill="{fill}" stroke="{edge}"/>')

    def _path(self, x: float, y: float, steps: str, stroke: str, wide: int = 2) -> None:
        style = f'fill="none" stroke="{stroke}" stroke-width="{wide}" stroke-linecap="round"'
        self._shapes.append(f'<path d="M{x:.1f} {y:.1f}{steps}" {style}/>')


def _kind(part: Part, *kinds: str) -> str:
    """Return which of these a part is. Raises ValueError where it is none, or something of it would be left out."""
    if part["type"] not in kinds or not all(map(_KNOWN.fullmatch, part)):
        raise ValueError(f"{part} is not drawn")
    return str(part["type"])


def _text(part: Part) -> str:
    _kind(part, "plain_text", "mrkdwn")
    return str(part["text"])
