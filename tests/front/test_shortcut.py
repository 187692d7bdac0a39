"""The message shortcut: the form comes with the message's lines, and the answer goes into the message's thread."""

import threading
from collections.abc import Callable
from typing import Any

import pytest

from bot.sandbox.api import Api
from bot.sandbox.bot import Bot
from bot.slack.texts import say_plain
from tests.support.slack import field, notes, opened, told
from tests.support.tree import outcome
from tests.support.workspace import Form, Message, Workspace

Start = Callable[..., Bot]
PEOPLE = {"display_name": "Ayşe"}


def text(words: str, **style: bool) -> dict[str, Any]:
    return {"type": "text", "text": words, **({"style": style} if style else {})}


def listed(indent: int, *items: list[dict[str, Any]]) -> dict[str, Any]:
    lines = [{"type": "rich_text_section", "elements": item} for item in items]
    return {"type": "rich_text_list", "style": "ordered", "indent": indent, "elements": lines}


def rich(*parts: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"type": "rich_text", "elements": list(parts)}]


def use(workspace: Workspace, url: str, message: Message, **more: Any) -> Form:
    """Choose the shortcut on a message, and return the form that opens."""
    reply = workspace.shortcut(url, message, **more)
    assert (reply.status, reply.text) == (200, "")
    return opened(workspace)


def in_thread(workspace: Workspace, ts: str) -> list[Message]:
    """Return what the bot has said in a thread."""
    return [m for m in tuple(workspace.messages) if m.thread_ts == ts and not m.author]


@pytest.mark.parametrize("language", ["en", "tr"])
def test_the_answer_comes_in_the_messages_thread(start: Start, workspace: Workspace, api: Api, language: str) -> None:
    """The root names who asked there, is edited to the result, and the answer with the IDs follows it."""
    go = api.gates["add-group"] = threading.Event()
    url = start(ADDGROUP_LANGUAGE=language).url
    message = workspace.say("• Customers\n• Gold\n    ◦ Ankara", user="U3")
    form = use(workspace, url, message)
    assert field(form, "name")["initial_value"] == "Customers\nGold\n  Ankara"
    assert workspace.submit(url, form).body == {}
    assert workspace.wait_for(lambda: bool(in_thread(workspace, message.ts)))
    go.set()
    assert workspace.finished()
    root, answer = in_thread(workspace, message.ts)
    assert root.earlier[0].startswith("… `Customers`")
    assert outcome(language, 2, 3, there=1) in root.text
    assert "`97101`" in answer.text
    assert workspace.roots() == []
    assert {group.name: group.parent for group in api.groups.values()} == {
        "Customers": "",
        "Gold": "",
        "Ankara": "97101",
    }


def test_in_a_thread_the_answer_stays_there(start: Start, workspace: Workspace, api: Api) -> None:
    """Also that to a button under it; several requests in one thread are told apart."""
    url = start(ADDGROUP_LANGUAGE="en").url
    reply = workspace.say("Silver", thread_ts="1700000000.000100")
    api.faults.append(503)
    workspace.submit(url, use(workspace, url, reply))
    assert workspace.finished()
    _, refused = in_thread(workspace, "1700000000.000100")
    workspace.press(url, refused, "again", user="U2")
    assert workspace.wait_for(lambda: len(in_thread(workspace, "1700000000.000100")) == 3)
    assert workspace.wait_for(lambda: "*created*" in in_thread(workspace, "1700000000.000100")[0].text)
    workspace.submit(url, use(workspace, url, workspace.say("Bronze", thread_ts="1700000000.000100")))
    assert workspace.finished(2)
    assert workspace.roots() == []
    assert [group.name for group in api.groups.values()] == ["Customers", "Silver", "Bronze"]


def test_lists_come_by_their_structure(start: Start, workspace: Workspace, api: Api) -> None:
    """Indent makes subgroups; mentions, links, emoji and formatting become plain names; the sentence is left out."""
    workspace.people["U9"] = {"profile": PEOPLE}
    sentence = {"type": "rich_text_section", "elements": [text("Please create these, thanks!")]}
    person = {"type": "user", "user_id": "U9"}
    link = {"type": "link", "url": "https://example.com", "text": "Dealers"}
    channel = {"type": "channel", "channel_id": "C77"}
    emoji = {"type": "emoji", "name": "tada", "unicode": "1f389"}
    blocks = rich(
        sentence,
        listed(0, [text("VIP", bold=True)], [text("Team "), person]),
        listed(1, [link, text(" "), emoji], [text("For "), channel]),
    )
    message = Message("C1", "1.1", "Please … <@U9> … <#C77|ops>", blocks=blocks, author="U3")
    url = start().url
    workspace.command(url, "help", user="U9")
    assert told(workspace, "", "U9"), "so that the bot knows the name"
    form = use(workspace, url, message)
    assert field(form, "name")["initial_value"] == "VIP\nTeam Ayşe\n  Dealers 🎉\n  For ops"
    assert notes(form) == []


def test_nobody_is_asked_who_is_mentioned(start: Start, workspace: Workspace) -> None:
    """The form opens without the name, and without an ID in its place."""
    form = use(workspace, start().url, Message("C1", "1.1", "Team <@U9>\nVIP", author="U3"))
    assert field(form, "name")["initial_value"] == "Team\nVIP"
    assert not [told for method, told in workspace.calls if method == "users.info" and told["user"] == "U9"]


@pytest.mark.parametrize("language", ["en", "tr"])
def test_what_the_form_says_of_a_message(start: Start, workspace: Workspace, api: Api, language: str) -> None:
    """Why it is empty, and a mistake with its line, before the form is sent."""
    url = start(ADDGROUP_LANGUAGE=language).url
    workspace.people["U9"] = {"name": ""}
    for words in ("", "<@U9>", " \n\u200b"):  # a picture, a mention of somebody unknown, an emoji alone
        form = use(workspace, url, Message("C1", "1.1", words, author="U3"))
        assert notes(form) == [say_plain(language, "form.nothing_in_message")]
        assert "initial_value" not in field(form, "name")
    many = [f"Group {number}" for number in range(60)]
    form = use(workspace, url, workspace.say("\n".join(many)))
    assert notes(form) == [say_plain(language, "usage.too_many_lines", most=50)]
    assert field(form, "name")["initial_value"].splitlines() == many, "all of them are there to choose from"
    assert list(workspace.submit(url, form).body["errors"]) == ["name"]
    (note,) = notes(use(workspace, url, workspace.say("VIP\nGold\nvip")))
    assert note.startswith({"en": "Line 3:", "tr": "3. satır:"}[language])
    assert not api.made()


def test_who_may_not_use_the_command_gets_no_form(start: Start, workspace: Workspace) -> None:
    """The same rules as for the command, told privately."""
    workspace.people["U4"] = {"is_restricted": True}
    url = start(ADDGROUP_LANGUAGE="en").url
    assert workspace.shortcut(url, workspace.say("VIP"), user="U4").status == 200
    assert told(workspace, "/addgroup", "U4")
    assert workspace.forms == []
