"""What one person asks to see: the help, the history with what nobody has settled, and the list of groups."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

import pytest

from bot.front import pages
from bot.iletimerkezi.groups import Choice
from bot.model.outcome import Created, Denied, FollowUp, Unknown
from bot.slack.messages import Message
from bot.slack.texts import LANGUAGES, Voice, load, say
from tests.support.limits import message_problems
from tests.support.outcomes import single

each_language = pytest.mark.parametrize("language", LANGUAGES)

TREE = [
    Choice("Customers", "5"),
    Choice("Customers › VIP", "6"),
    Choice("Customers › VIP › İstanbul", "7"),
    Choice("Customers › Regular", "8"),
    Choice("Staff", "9"),
]


def button(message: Message) -> dict[str, Any]:
    """Return the one button of a message."""
    (found,) = [element for block in message["blocks"] if block["type"] == "actions" for element in block["elements"]]
    return dict(found)


def shown(message: Message) -> list[tuple[int, str]]:
    """Return the items of a message's list, each with its indent."""
    text = message["blocks"][0]["text"]["text"].replace("`", "")
    return [(len(indent), item) for indent, item in re.findall("(?m)^(\u2003*)[•◦] (.*)", text)]


@each_language
def test_the_help_is_short_and_switches_the_language(language: str) -> None:
    """At most 125 words, with examples from the account, the contact, and a button in the other language's words."""
    message = pages.help_page(Voice(language, "C0123ABCD"), [Choice("A › B", "7"), Choice("Müşteriler", "97101")])
    assert "parent=1" not in pages.help_page(language, [])["text"], "no ID is shown that does not exist"
    assert len(message["text"].split()) <= 125
    option = {"en": "parent", "tr": "üst"}[language]
    for part in (f"{option}=97101", f'{option}="Müşteriler"', "<#C0123ABCD>"):
        assert part in message["text"]
    other = {"en": ("Türkçe", "tr"), "tr": ("English", "en")}[language]
    switch = button(message)
    assert (switch["action_id"], switch["text"]["text"], switch["value"]) == ("language", *other)


@each_language
def test_what_nobody_has_settled_comes_first_in_the_history(language: str) -> None:
    """Unclear requests have a list of their own, above the last ones."""
    unclear, made = single(Unknown("timeout", ()), language, id="1"), single(Created("7"), language, id="2")
    texts = load(language)
    lines = pages.history_page(language, [made, unclear], "team")["text"].splitlines()
    assert [lines[0], lines[2]] == [texts["history.unsettled"], texts["history.heading"]]
    assert lines[1].endswith(texts["unknown.line"])
    assert pages.history_page(language, [made], "team")["text"].splitlines()[0] == texts["history.heading"]
    assert pages.history_page(language, [], "team")["text"] == texts["history.none"]


@each_language
def test_the_history_shows_what_was_asked_for_once(language: str) -> None:
    """A command that was looked up or tried again has one line, with the last result; what is above is not below."""
    first = single(Unknown("timeout", ()), language, id="1")
    look = single(Unknown("timeout", ()), language, id="2", followup=FollowUp.LOOK, follows="1", origin="1")
    made = single(Created("7"), language, id="3", followup=FollowUp.ANYWAY, follows="1", origin="1")
    other = single(Created("8"), language, id="4")
    page = pages.history_page(language, [other, look, first], "team")["text"].splitlines()
    assert [line.rpartition(" — ")[2] for line in page[1::2]] == [
        load(language)["unknown.line"],
        say(language, "created.history", id="`8`"),
    ]
    refused = replace(look, id="5", steps=[replace(look.steps[0], outcome=Denied("guest"))])
    page = pages.history_page(language, [refused, first], "team")["text"].splitlines()
    assert page[1].endswith(load(language)["unknown.line"]), "who was refused settled nothing"
    (_, line) = pages.history_page(language, [made, look, first], "team")["text"].splitlines()
    assert line.endswith(say(language, "created.history", id="`7`"))


def test_the_list_shows_the_tree() -> None:
    """A group stands below the one above it, by its name; a screen reader hears its path."""
    message = pages.list_page("en", TREE)
    assert shown(message) == [
        (0, "Customers — ID 5"),
        (1, "VIP — ID 6"),
        (2, "İstanbul — ID 7"),
        (1, "Regular — ID 8"),
        (0, "Staff — ID 9"),
    ]
    assert "• `Customers › VIP › İstanbul` — ID `7`" in message["text"]
    assert message["text"].endswith("1–5 of 5")
    assert all(block["type"] != "actions" for block in message["blocks"])


def test_a_group_whose_parent_is_not_shown_has_its_path() -> None:
    """In a search, or at the top of a page, nothing above a group tells where it is."""
    assert shown(pages.list_page("en", TREE[1:3], "vip")) == [(0, "Customers › VIP — ID 6"), (1, "İstanbul — ID 7")]
    assert shown(pages.list_page("en", TREE, "", 2))[0] == (0, "Customers › VIP › İstanbul — ID 7")


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
            if page["blocks"][-1]["type"] != "actions":
                break
            more = json.loads(button(page)["value"])
            assert (button(page)["action_id"], more["text"]) == ("more", "g")
            assert offset or more["offset"] == first
            offset = more["offset"]
        assert seen == [choice.id for choice in choices]


@each_language
def test_a_list_of_nothing_says_so(language: str) -> None:
    """Where nothing is found, the text that was searched for is shown; an empty account is told apart."""
    assert "“`nope`”" in pages.list_page(language, [], "nope")["text"]
    assert "“a`b”" in pages.list_page(language, [], "a`b")["text"]
    assert pages.list_page(language, [])["text"] == load(language)["list.none"]


@pytest.mark.parametrize(("language", "page"), [("en", "using.md"), ("tr", "kullanim.md")])
def test_the_help_links_the_page_in_its_language(language: str, page: str) -> None:
    """Where the docs have an address, the help leads to the page for the reader; without one there is no link."""
    linked = pages.help_page(language, [], "https://git.example/docs")["text"]
    assert f"<https://git.example/docs/{page}|" in linked
    assert page not in pages.help_page(language, [])["text"]
