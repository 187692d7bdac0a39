"""The message shortcut: the form comes with the message's lines, and the answer goes into the message's thread."""

import threading
from typing import Any

import pytest

from bot.slack.texts import say_plain
from tests.support.provider import Api
from tests.support.slack import Start, field, notes, opened, told
from tests.support.tree import outcome
from tests.support.workspace import Form, Message, Workspace


def use(workspace: Workspace, url: str, message: Message, **more: Any) -> Form:
    """Choose the shortcut on a message, and return the form that opens."""
    reply = workspace.shortcut(url, message, **more)
    assert (reply.status, reply.text) == (200, "")
    return opened(workspace)


def in_thread(workspace: Workspace, ts: str) -> list[Message]:
    """Return what the bot has said in a thread."""
    return [m for m in tuple(workspace.messages) if m.thread_ts == ts and not m.author]


@pytest.mark.parametrize("language", ["en", "tr"])
def test_the_answer_comes_in_the_messages_thread(url: str, workspace: Workspace, api: Api, language: str) -> None:
    """The root names who asked there, is edited to the result, and the answer with the IDs follows it."""
    go = api.gates["add-group"] = threading.Event()
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


def test_in_a_thread_the_answer_stays_there(url: str, workspace: Workspace, api: Api) -> None:
    """Also that to a button under it; several requests in one thread are told apart."""
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


def test_people_and_channels_are_called_by_the_names_at_hand(start: Start, workspace: Workspace, api: Api) -> None:
    """Those in the message, those that the bot knows; nobody is asked, and no ID stands in a name's place."""
    workspace.people["U9"] = {"profile": {"display_name": "Ayşe"}}
    url = start().url
    workspace.command(url, "help", user="U9")
    assert told(workspace, "", "U9"), "so that the bot knows the name"
    form = use(workspace, url, Message("C1", "1.1", "Team <@U9>\nFor <#C77|ops>\nVIP <@U8>", author="U3"))
    assert field(form, "name")["initial_value"] == "Team Ayşe\nFor ops\nVIP"
    assert notes(form) == []
    assert not [told for method, told in workspace.calls if method == "users.info" and told["user"] == "U8"]


@pytest.mark.parametrize("language", ["en", "tr"])
def test_what_the_form_says_of_a_message(url: str, workspace: Workspace, api: Api, language: str) -> None:
    """Why it is empty, and a mistake with its line, before the form is sent."""
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
