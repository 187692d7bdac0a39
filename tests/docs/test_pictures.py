"""The pages' pictures against the bot: each is what it sends now, whole, and the text beside it says what it shows."""

import re
from html import unescape
from typing import Any

import pytest

from tests.docs.drawing import Picture
from tests.docs.pictures import FOLDER, drawn
from tests.support.pages import PAGES

EVERYTHING = "\n\n".join(PAGES.values())
KEPT = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.glob("*")}

each = pytest.mark.parametrize("name", sorted(KEPT))


def said(picture: str) -> list[str]:
    """Return the lines of a picture's description."""
    (description,) = re.findall("<desc>(.*)</desc>", picture, re.DOTALL)
    return unescape(description).splitlines()


def section(text: str, **more: Any) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}, **more}


def test_the_pictures_are_what_the_bot_sends_now() -> None:
    """Drawing them again gives the same files, byte for byte."""
    now = drawn()
    stale = [name for name in sorted(KEPT.keys() | now.keys()) if KEPT.get(name) != now.get(name)]
    assert not stale, "the bot now sends something else: run `make pictures`, and read the words beside them"


def test_the_pages_show_each_picture() -> None:
    """No picture is missing, and none is left over."""
    assert sorted(re.findall(r"\]\((?:\.\./)?pictures/(.*?)\)", EVERYTHING)) == sorted(KEPT)


@each
def test_the_words_beside_a_picture_say_what_it_shows(name: str) -> None:
    """The text for people who do not see it has each message's first sentence, each quotation and each button."""
    (words,) = re.findall(rf"!\[([^\]]*)\]\((?:\.\./)?pictures/{name}\)", EVERYTHING)
    lines = said(KEPT[name])
    first = [line for before, line in zip(["addgroup:", *lines], lines, strict=False) if before == "addgroup:"]
    rest = [line.strip("[]").removeprefix("> ") for line in lines if line.startswith(("[", "> "))]
    assert [part for part in first + rest if part not in " ".join(words.split())] == []


@each
def test_nothing_runs_out_of_a_picture(name: str) -> None:
    """Every text ends before its card does."""
    (width,) = re.findall(r'<svg [^>]* width="(\d+)"', KEPT[name])
    ends = [float(x) + float(length) for x, length in re.findall(r'<text x="(.*?)" .*?textLength="(.*?)"', KEPT[name])]
    assert ends
    assert max(ends) <= int(width) - 20


@pytest.mark.parametrize(
    "block",
    [
        {"type": "divider"},
        {"type": "input", "label": {"type": "plain_text", "text": "Name"}},
        section("left", fields=[]),
        section("<!here> left"),
        section("<mailto:left@example.com|left>"),
        section("_left_ out"),
        section("left :tada:"),
        {"type": "actions", "elements": [{"type": "overflow", "text": {"type": "plain_text", "text": "left"}}]},
    ],
    ids=str,
)
def test_what_is_not_known_is_not_left_out(block: dict[str, Any]) -> None:
    """A message with something new fails until the pictures can show it."""
    with pytest.raises(ValueError, match="is not drawn"):
        Picture(720, {}).message(20, "", [block])
