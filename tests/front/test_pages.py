"""What one person asks to see: the help, the history with what nobody has settled, and the list of groups."""

import json
import re
from dataclasses import replace
from typing import Any

import pytest

from bot.front import pages
from bot.iletimerkezi.groups import Choice
from bot.model.outcome import Created, Denied, FollowUp, Unknown
from bot.slack.blocks import Message
from bot.slack.texts import LANGUAGES, Voice, load, say
from tests.support.limits import message_problems
from tests.support.outcomes import single

each_language = pytest.mark.parametrize("language", LANGUAGES)


def button(message: Message) -> dict[str, Any]:
    """Return the one button of a message."""
    (found,) = [element for block in message["blocks"] if block["type"] == "actions" for element in block["elements"]]
    return dict(found)


@each_language
def test_the_help_is_short_and_switches_the_language(language: str) -> None:
    """At most 125 words: examples from the account, the contact, the reader's page, a button in the other language."""
    groups = [Choice("A › B", "7"), Choice("Müşteriler", "97101")]
    message = pages.help_page(Voice(language, "C0123ABCD"), groups, "https://git.example/docs")
    bare = pages.help_page(language, [])["text"]
    assert "parent=1" not in bare, "no ID is shown that does not exist"
    assert len(bare.split()) <= 125
    option, page = {"en": ("parent", "using.md"), "tr": ("üst", "kullanim.md")}[language]
    for part in (f"{option}=97101", f'{option}="Müşteriler"', "<#C0123ABCD>", f"<https://git.example/docs/{page}|"):
        assert part in message["text"]
    assert page not in bare
    other = {"en": ("Türkçe", "tr"), "tr": ("English", "en")}[language]
    switch = button(message)
    assert (switch["action_id"], switch["text"]["text"], switch["value"]) == ("language", *other)


@each_language
def test_what_nobody_has_settled_comes_first_in_the_history(language: str) -> None:
    """Unclear requests have a list of their own, above the last ones."""
    unclear, made = single(Unknown("timeout", ()), language, id="1"), single(Created("7"), language, id="2")
    texts = load(language)
    lines = pages.history_page(language, [made, unclear])["text"].splitlines()
    assert [lines[0], lines[2]] == [texts["history.unsettled"], texts["history.heading"]]
    assert lines[1].endswith(texts["unknown.line"])
    assert pages.history_page(language, [made])["text"].splitlines()[0] == texts["history.heading"]
    assert pages.history_page(language, [])["text"] == texts["history.none"]


@each_language
def test_the_history_shows_what_was_asked_for_once(language: str) -> None:
    """A command that was looked up or tried again has one line, with the last result; what is above is not below."""
    first = single(Unknown("timeout", ()), language, id="1")
    look = single(Unknown("timeout", ()), language, id="2", followup=FollowUp.LOOK, follows="1", origin="1")
    made = single(Created("7"), language, id="3", followup=FollowUp.ANYWAY, follows="1", origin="1")
    other = single(Created("8"), language, id="4")
    page = pages.history_page(language, [other, look, first])["text"].splitlines()
    assert [line.rpartition(" — ")[2] for line in page[1::2]] == [
        load(language)["unknown.line"],
        say(language, "created.history", id="`8`"),
    ]
    refused = replace(look, id="5", steps=[replace(look.steps[0], outcome=Denied("guest"))])
    page = pages.history_page(language, [refused, first])["text"].splitlines()
    assert page[1].endswith(load(language)["unknown.line"]), "who was refused settled nothing"
    (_, line) = pages.history_page(language, [made, look, first])["text"].splitlines()
    assert line.endswith(say(language, "created.history", id="`7`"))


@each_language
def test_the_list_comes_in_pages(language: str) -> None:
    """Thirty groups, or as many as one message takes; the button says where the next page begins."""
    for name, first in (("G", 30), ("&" * 255, 9)):
        choices = [Choice(f"{name}{number}", str(number)) for number in range(70)]
        offset, seen = 0, []
        while True:
            page = pages.list_page(language, choices, "g", offset)
            assert message_problems(page) == []
            seen += re.findall(r" ID `(\d+)`", page["text"])
            if "blocks" not in page:
                break
            more = json.loads(button(page)["value"])
            assert (button(page)["action_id"], more["text"]) == ("more", "g")
            assert offset or more["offset"] == first
            offset = more["offset"]
        assert seen == [choice.id for choice in choices]
    assert "“a`b”" in pages.list_page(language, [], "a`b")["text"]
    assert pages.list_page(language, [])["text"] == load(language)["list.none"]
