"""The buttons under answers, and what every payload may hold, through signed HTTP."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from copy import copy

import pytest

from bot.slack.texts import load
from tests.support.provider import Api
from tests.support.slack import EVIL_LONG, actions, answered, answers, code_of, field, opened, told, under_way
from tests.support.texts import part
from tests.support.workspace import Message, Workspace


def test_edit_and_try_again(url: str, workspace: Workspace, api: Api) -> None:
    """The form comes filled in with what was refused; its answer stands in the same thread and updates the root."""
    api.faults.append(461)
    workspace.command(url, "VIP parent=99")
    (refused,) = answers(workspace, 1)
    assert actions(refused) == ["edit"]
    elsewhere = copy(refused)  # as another person's Slack shows it until the edit arrives
    workspace.press(url, refused, "edit", user="U2")
    form = opened(workspace)
    assert form.view["blocks"][0]["element"]["initial_value"] == "VIP"
    assert form.view["blocks"][1]["element"]["initial_option"]["value"] == "id:99"
    workspace.submit(url, form, user="U2", parent={"value": "id:5"})
    made = answers(workspace, 2)[1]
    assert made.thread_ts == refused.thread_ts
    assert made.text == "✓ `VIP` *created* under `Customers` (`5`) · ID `97101` · <@U2> edited it"
    assert workspace.wait_for(lambda: "asked by <@U1>, changed by <@U2>" in workspace.roots()[0].text)
    assert workspace.wait_for(lambda: not refused.buttons)
    workspace.press(url, elsewhere, "edit", user="U3")
    workspace.submit(url, opened(workspace), user="U3", name="Another")
    assert told(workspace, "<@U2> has already pressed", "U3")
    assert len(api.groups) == 2


def test_try_again_when_nothing_was_sent(url: str, workspace: Workspace, api: Api) -> None:
    """Two people press at once: one group, and the slower is told who was first."""
    api.faults.append(503)
    workspace.command(url, "VIP")
    (refused,) = answers(workspace, 1)
    gate, elsewhere = threading.Barrier(2), copy(refused)

    def press(user: str) -> None:
        gate.wait()
        assert workspace.press(url, elsewhere, "again", user=user).status == 200

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(press, ["U2", "U3"]))
    assert "tried again" in answers(workspace, 2)[1].text
    assert workspace.wait_for(lambda: bool(workspace.private("U2") + workspace.private("U3")))
    assert (api.made(), len(api.groups)) == (2, 2)


def test_look_again_and_create_anyway(url: str, workspace: Workspace, api: Api) -> None:
    """Looking again tells what is there now; creating anyway asks first, works once, and says so."""
    api.faults.append("close")
    workspace.command(url, "VIP")
    (unclear,) = answers(workspace, 1)
    assert load("en")["unknown.found_none.finding"] in unclear.text
    late, elsewhere = api.add("vip"), copy(unclear)
    workspace.press(url, unclear, "look", user="U2")
    looked = answers(workspace, 2)[1]
    assert workspace.wait_for(lambda: not unclear.buttons)
    assert f"ID `{late.id}`" in looked.text
    assert looked.text.splitlines()[0].endswith(" · <@U2> asked to check again")
    confirm = next(button["confirm"] for button in looked.buttons if button["action_id"] == "anyway")
    assert confirm["text"]["text"] == load("en")["confirm.anyway"]
    for message in (looked, elsewhere):
        workspace.press(url, message, "anyway", user="U2")
    answers(workspace, 3)
    assert workspace.wait_for(lambda: not looked.buttons)
    assert told(workspace, "already pressed", "U2")
    assert [group.name for group in api.groups.values()] == ["Customers", "vip", "VIP"]


def test_add_a_subgroup(url: str, workspace: Workspace, api: Api) -> None:
    """The form comes with the new group as the parent, by name and ID, as often as somebody wants."""
    workspace.command(url, "VIP")
    (made,) = answers(workspace, 1)
    for number, name in enumerate(("One", "Two"), 2):
        workspace.press(url, made, "subgroup")
        shown = field(opened(workspace), "parent")["initial_option"]
        assert (shown["text"]["text"], shown["value"]) == ("VIP (97101)", "id:97101")
        workspace.submit(url, opened(workspace), name=name)
        answers(workspace, number)
    assert [group.parent for group in api.groups.values()] == ["", "", "97101", "97101"]


@pytest.mark.parametrize("language", ["en", "tr"])
def test_create_another_of_a_duplicate(url: str, workspace: Workspace, api: Api, language: str) -> None:
    """Who asks for a group that is under way gets the text back; a button makes another on purpose, once."""
    with under_way(api) as come:
        workspace.command(url, "İstanbul")
        assert come.wait(30)
        workspace.command(url, '"ıstanbul"', user="U2")
        refused = told(workspace, part(language, "duplicate.under_way.finding"), "U2")
        assert (code_of(refused), actions(refused)) == ('/addgroup "ıstanbul"', ["another", "edit_text"])
        for _ in range(2):
            workspace.press(url, refused, "another", user="U2")
    answers(workspace, 2)
    assert told(workspace, load(language)["button.used"].format(who="<@U2>"), "U2")
    assert sorted(group.name for group in api.groups.values()) == ["Customers", "İstanbul", "ıstanbul"]


def test_a_duplicate_leads_to_the_thread_of_the_first(url: str, workspace: Workspace, api: Api) -> None:
    """From anywhere where that is public; else only who asked there is led there."""
    for number, (name, channel, seen) in enumerate((("One", "C7", ["U1", "U2"]), ("Two", "G7", ["U1"])), 1):
        with under_way(api) as come:
            workspace.command(url, name, channel=channel)
            assert come.wait(30)
            assert workspace.wait_for(lambda channel=channel: len(workspace.roots(channel)) == 1)  # type: ignore[misc]
            link = f"https://sandbox.slack.com/archives/{channel}/p{workspace.roots(channel)[0].ts.replace('.', '')}"
            for user in ("U1", "U2"):
                workspace.command(url, name, user=user)
                said = told(workspace, f"`{name}` *is already being created*", user).text
                assert (f" (<{link}|" in said) is (user in seen), (name, user, said)
        answers(workspace, 1, channel)
        assert api.made() == number


OLD = {
    "again": ("{", *(json.dumps({"v": v, "job": job}) for v, job in ((99, "x"), (1, "lost"), (1, ["x"])))),
    "edit": ("[]",),
    "rename": (json.dumps({"v": 1, "job": "x"}),),
    "edit_text": ("", "{}", "ş", "AAAA", "eJyLBQAArQBX"),
    "language": ("", "de", "{}"),
    "more": ("", "{", "[]", '{"text": "x"}', '{"text": "x", "offset": "y"}'),
}
"""Buttons of another version, of a lost job, of nonsense, by action_id."""


def test_an_old_button_gets_a_sentence(url: str, workspace: Workspace) -> None:
    """The person reads that it is too old, and nothing fails."""
    for number, (action, value) in enumerate((action, value) for action, values in OLD.items() for value in values):
        button = {"type": "button", "action_id": action, "value": value}
        message = Message("C1", "1.1", "old", blocks=[{"type": "actions", "elements": [button]}])
        assert workspace.press(url, message, action).status == 200, (action, value)
        assert nth(workspace, number, "U1") == load("en")["button.stale"], (action, value)


def nth(workspace: Workspace, place: int, user: str) -> str:
    """Wait for what somebody was told privately in this place."""
    assert workspace.wait_for(lambda: len(workspace.private(user)) > place)
    return workspace.private(user)[place].text


CHANNELS = {"Public": "ops", "Private": "privategroup", "Direct": "directmessage", "Several": "mpdm-a--b-1", "None": ""}
"""What Slack calls the channels of a command."""


def test_private_stays_private(url: str, workspace: Workspace, api: Api) -> None:
    """What was asked for where not everybody reads is in the history of that person alone, however it was asked for."""
    for number, (name, channel) in enumerate(CHANNELS.items()):
        workspace.command(url, f"Typed {name}", channel_name=channel)
        answers(workspace, 4 * number + 1)
        workspace.command(url, "", channel_name=channel)
        workspace.submit(url, opened(workspace), name=f"Form {name}")
        answers(workspace, 4 * number + 2)
        api.faults.append(503)
        workspace.command(url, f"Again {name}", channel_name=channel)
        said = answers(workspace, 4 * number + 3)[-1]
        workspace.press(url, said, "again")  # in the name of the one who asked
        answers(workspace, 4 * number + 4)
        for reader, sees in (("U1", True), ("U2", channel == "ops")):
            workspace.command(url, "history", user=reader)
            shown = nth(workspace, number, reader)
            assert [f"`{way} {name}`" in shown for way in ("Typed", "Form", "Again")] == [sees] * 3, (name, reader)
    for channel in ("G9", "C9"):
        workspace.command(url, f"Top {channel}", channel=channel)
        workspace.press(url, answers(workspace, 1, channel)[0], "subgroup")
        workspace.submit(url, opened(workspace), name=f"Gold {channel}")
        answers(workspace, 2, channel)
        workspace.shortcut(url, workspace.say(f"Desk {channel}", channel=channel))
        workspace.submit(url, opened(workspace))
        answers(workspace, 4, channel)  # in the message's thread stands the root too
    api.faults.append("close")
    workspace.command(url, "Lost", channel="G9")
    assert answered(workspace, "Lost")
    workspace.command(url, "history", user="U3")
    shown = told(workspace, load("en")["history.heading"], "U3").text
    assert not [word for word in ("G9", "`Lost`") if word in shown]
    assert all(f"`{name} C9`" in shown for name in ("Top", "Gold", "Desk"))


@pytest.mark.parametrize("language", ["en", "tr"])
@pytest.mark.parametrize("name", [EVIL_LONG, "`" * 254 + "x", "<!channel>" * 25, "&" * 255])
def test_every_payload_keeps_slacks_limits(url: str, workspace: Workspace, api: Api, name: str, language: str) -> None:
    """Names of 255 characters through every message, form and button; the stand-in refuses what Slack would."""
    api.add(name, "5", "6")
    api.faults.extend([422, "close"])
    tail = name[-200:]
    typed = (f'"{name}"', f'"{name}" parent=6', f'"{tail}" parent="{tail}"', f'"{tail}" parent="{tail}x"')
    for number, text in enumerate(typed, 1):
        workspace.command(url, text)
        answers(workspace, number)
    for answer in answers(workspace, 4):
        for action in actions(answer):
            workspace.press(url, answer, action)
    workspace.suggest(url, "")
    for text in ("help", "history", f'"{name}" parent=6', f"{name} parent=6"):
        workspace.command(url, text)
    for form in tuple(workspace.forms):
        workspace.close(url, form)
