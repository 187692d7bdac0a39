"""`/addgroup list`: groups with their IDs, a page at a time, to the sender alone."""

import re

import pytest

from bot.slack.texts import load, say
from tests.support.provider import Api
from tests.support.slack import actions, answers, opened, told
from tests.support.workspace import Message, Workspace


def ids(message: Message) -> list[str]:
    """Return the ids in a page, in their order."""
    return re.findall(r"ID `(\d+)`", message.text)


@pytest.mark.parametrize(("language", "typed"), [("en", "list"), ("tr", "liste")])
def test_the_list_shows_the_tree(url: str, workspace: Workspace, api: Api, language: str, typed: str) -> None:
    """Paths with IDs; the acknowledgement is bare, nothing is posted, and nobody else sees it."""
    api.add("VIP", "5", "6")
    api.add("Agencies", identifier="7")
    reply = workspace.command(url, typed)
    assert (reply.status, reply.text) == (200, "")
    page = told(workspace, load(language)["list.heading"])
    assert "`Customers › VIP`" in page.text
    assert ids(page) == ["7", "5", "6"]
    assert workspace.roots() == []
    assert not api.made()


def test_a_search_is_without_marks(url: str, workspace: Workspace, api: Api) -> None:
    """`musteri` finds Müşteriler too; an ID finds its group."""
    api.add("Müşteriler", identifier="6")
    api.add("Musteri dışı", identifier="7")
    api.add("Ödül", identifier="8")
    for typed, found in (("MÜŞTERİ", ["7", "6"]), ("musteri", ["7", "6"]), ("odul", ["8"]), ("8", ["8"])):
        workspace.command(url, f"list {typed}")
        heading = say("en", "list.found", text=f"`{typed}`")
        assert ids(told(workspace, heading)) == found
    workspace.command(url, "list <nothing>")
    assert told(workspace, say("en", "list.none_found", text="`&lt;nothing&gt;`"))


@pytest.mark.parametrize("language", ["en", "tr"])
def test_what_is_not_found_can_be_created(url: str, workspace: Workspace, api: Api, language: str) -> None:
    """A group may be called `List A`: what was typed is given back, and its form creates that, once."""
    workspace.command(url, "List A & B")
    message = told(workspace, say(language, "list.none_found", text="`A &amp; B`"))
    for _ in range(2):
        workspace.press(url, message, "edit_text")
        workspace.submit(url, opened(workspace))
    answers(workspace, 1)
    assert [group.name for group in api.groups.values()] == ["Customers", "List A & B"]


def test_thirty_at_a_time(url: str, workspace: Workspace, api: Api) -> None:
    """*Show more* shows the next page below, of the same search, until there are no more."""
    for number in range(70):
        api.add(f"Group {number:02}", "5", str(100 + number))
    workspace.command(url, "list group")
    first = told(workspace, "1–30 of 70")
    assert actions(first) == ["more"]
    workspace.press(url, first, "more")
    second = told(workspace, "31–60 of 70")
    workspace.press(url, second, "more")
    third = told(workspace, "61–70 of 70")
    assert actions(third) == []
    assert [identifier for page in (first, second, third) for identifier in ids(page)] == [
        str(100 + number) for number in range(70)
    ]
    assert api.made("get-groups") == 1
