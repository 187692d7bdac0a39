"""The form: how it opens, what it takes, and what it says at its fields."""

import json
from typing import Any

import pytest

from bot.slack.texts import load, say, say_plain
from tests.support.provider import Api
from tests.support.slack import Start, actions, answers, code_of, field, notes, opened, seen
from tests.support.texts import part
from tests.support.workspace import Workspace


@pytest.mark.parametrize("language", ["en", "tr"])
def test_the_form_makes_a_group_in_the_channel(url: str, workspace: Workspace, api: Api, language: str) -> None:
    """`/addgroup` alone opens the form in the person's language; what it holds goes the way of a typed command."""
    assert workspace.command(url, "", channel="C7").text == ""
    form = opened(workspace)
    assert form.view["title"]["text"] == load(language)["form.title"]
    (customers,) = workspace.suggest(url, "cust")
    assert customers["text"]["text"] == "Customers (5)"
    assert workspace.submit(url, form, name=" VIP   Customers ", parent=customers).body == {}
    (answer,) = answers(workspace, 1, "C7")
    assert part(language, "created.heading") in answer.text.splitlines()[0]
    assert (api.groups["97101"].name, api.groups["97101"].parent) == ("VIP Customers", "5")


CANNOT_OPEN: dict[int | str, str] = {
    "drop": "not_opened",
    "silence": "not_opened",
    500: "not_opened",
    "invalid_arguments": "refused",
    "expired_trigger_id": "expired",
    "trigger_expired": "expired",
}
"""What views.open meets, and what is told then."""


def test_a_form_that_cannot_be_opened_is_told(
    url: str, workspace: Workspace, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The person reads why and that nothing was created, and gets the text back with a button for it."""
    for number, (fault, key) in enumerate(CANNOT_OPEN.items(), 1):
        for text in ("", f"VIP {number} under Customers"):
            workspace.faults["views.open"].extend([fault] * 3)
            with monkeypatch.context() as quickly:
                quickly.setattr("bot.front.form.OPENED", 0.5 if fault == "silence" else 30.0)
                reply = workspace.command(url, text)
            assert reply.text.startswith(say("en", f"form.{key}")), (fault, text)
            workspace.faults["views.open"].clear()
        assert f"/addgroup {text}" in reply.text, fault
        workspace.press(url, seen(reply), "edit_text")
        workspace.submit(url, opened(workspace))
        answers(workspace, number)
    assert api.made() == len(CANNOT_OPEN)


def test_a_command_that_is_delivered_twice_opens_one_form(url: str, workspace: Workspace) -> None:
    """Slack says that the form has been opened for it already, which nobody has to be told."""
    for word in ("exchanged_trigger_id", "trigger_exchanged"):
        workspace.faults["views.open"].append(word)
        assert workspace.command(url, "VIP under Customers").text == "", word
    assert workspace.private() == []


NOT_SURE = (
    ("VIP under Customers", "VIP", "id:5", "phrase"),
    ("Gold paernt=5", "Gold", "id:5", "phrase"),
    ("VIP parent=Nobody please", "VIP", "name:", "phrase"),
    ("VIP, Gold, Silver", "VIP\nGold\nSilver", "", "listed"),
    ("Acme\n├── VIP\n└── Regular", "Acme\n  VIP\n  Regular", "", "lines"),
    ("delete VIP", "delete VIP", "", "name"),
    ('"open', "open", "", "name"),
    ("parent=5", "", "id:5", "no_name"),
    ("5", "5", "", "number"),
)
"""What is typed, the name and the parent in the form, and what is unclear."""


@pytest.mark.parametrize("language", ["en", "tr"])
def test_what_is_not_sure_opens_the_form(url: str, workspace: Workspace, api: Api, language: str) -> None:
    """By the command's own trigger, filled in with the reading; nothing is made before it is sent, and then at once."""
    for number, (text, name, parent, key) in enumerate(NOT_SURE, 1):
        before, channel = api.made(), f"C{number}"
        assert workspace.command(url, text, channel=channel).text == "", text
        form = opened(workspace)
        assert field(form, "name").get("initial_value", "") == name, text
        assert field(form, "parent").get("initial_option", {}).get("value", "") == parent, text
        assert load(language)[f"usage.{key}"].partition("{")[0] in notes(form)[0], text
        assert ("Customers" in notes(form)[0]) == ("Customers" in text)
        assert api.made() == before, text
        assert workspace.submit(url, form, **({"name": "Silver"} if key == "no_name" else {})).body == {}, text
        answers(workspace, 1, channel)
        assert api.made() - before == (0 if "Nobody" in text else len(name.splitlines() or [""])), text


def test_a_changed_field_is_asked_about_once(url: str, workspace: Workspace, api: Api) -> None:
    """What is not sure comes back filled in as it was read, and sent again it is taken.

    Where that would not fit once more, it is said at the field until it is cleared up. Before that nothing is created.
    """
    workspace.command(url, "VIP under Customers")
    form, lines = opened(workspace), "\n".join(f'"{"😀" * 100}{number}"' for number in range(16))
    unclear = say_plain("en", "usage.phrase", part="“5”")
    for _ in range(2):
        said = workspace.submit(url, form, name=f"Gold paernt=5\n{lines}").body["errors"]
        assert said == {"name": f"Line 1: {unclear}"}
    assert workspace.submit(url, form, name="Gold paernt=5").body["response_action"] == "update"
    assert (field(form, "name")["initial_value"], notes(form)) == ("Gold", [unclear])
    assert not api.made()
    assert workspace.submit(url, form, name="please please me").body == {}
    answers(workspace, 1)
    assert api.made() == 1


def test_a_field_that_looks_the_same_is_not_asked_about(url: str, workspace: Workspace, api: Api) -> None:
    """Line ends and blanks around it are no change, and another parent is none of the name's."""
    parent = {"text": {"type": "plain_text", "text": "Customers (5)"}, "value": "id:5"}
    for number, around in enumerate((" {} ", "{}\r\n", "\n{}"), 1):
        workspace.command(url, f"please help me {number}")
        sent = around.format(f"help me {number}")
        assert workspace.submit(url, opened(workspace), name=sent, parent=parent).body == {}, around
        answers(workspace, number)
        assert api.groups[f"9710{number}"].parent == "5"


def test_groups_that_the_parent_may_be_are_suggested_first(url: str, workspace: Workspace, api: Api) -> None:
    """Those of the name, or where there is none similar ones; from *Edit and try again* the wrong parent is gone."""
    api.add("Twin", "5", "7")
    api.add("Twin", "", "8")
    for number, typed in enumerate(("A under Twin", "B parent=Twin", "C parent=Twwin"), 1):
        workspace.command(url, typed)
        if "=" in typed:
            workspace.press(url, answers(workspace, 2 * number - 2)[-1], "edit")
        form = opened(workspace)
        *twins, customers = workspace.suggest(url, "")[:3]
        assert ({option["value"] for option in twins}, customers["value"]) == ({"id:7", "id:8"}, "id:5"), typed
        assert [option["value"] for option in workspace.suggest(url, "cust")] == ["id:5", "id:7"], typed
        assert field(form, "name")["initial_value"] == typed[0]
        shown = field(form, "parent").get("initial_option", {}).get("value"), notes(form)
        if "=" in typed:
            assert shown == (None, [say_plain("en", "form.pick_parent")]), typed
            assert json.loads(form.view["private_metadata"])["parent"] == typed.partition("=")[2]
        else:
            assert shown[0] == "name:"
        workspace.submit(url, form, parent=twins[0])
        answers(workspace, 2 * number - 1)
        assert api.groups[f"9710{number}"].parent == twins[0]["value"][3:], typed


@pytest.mark.parametrize("method", ["users.info", "usergroups.users.list"])
def test_a_person_who_cannot_be_looked_up_gets_the_text_back(
    start: Start, workspace: Workspace, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    """Within the time that Slack gives, with the button that opens the form; that is no refusal for good."""
    monkeypatch.setattr("bot.front.form.LOOKED_UP", 0.5)
    workspace.usergroups["S1"] = ["U1"]
    workspace.faults[method].append("silence")
    url = start(ADDGROUP_MEMBERS="S1").url
    message = seen(workspace.command(url, "VIP under Customers"))
    assert load("en")["denied.unknown.title"] in message.text
    assert code_of(message) == "/addgroup VIP under Customers"
    assert actions(message) == ["edit_text"]


def test_a_form_that_an_answer_opened_is_closed_in_silence(url: str, workspace: Workspace, api: Api) -> None:
    """Its text is still under the button; an empty form has none."""
    api.faults.append(422)
    workspace.command(url, "VIP")
    workspace.press(url, answers(workspace, 1)[0], "edit")
    workspace.close(url, opened(workspace))
    workspace.command(url, "")
    workspace.close(url, workspace.forms[-1])
    assert workspace.private() == []


LONG_LINE = "R&D <A `b` " * 25

MISTAKES: tuple[tuple[dict[str, Any], str, str], ...] = (
    ({"name": "\u200b "}, "name", "Grup adı eksik"),
    ({}, "name", "Grup adı eksik"),
    ({"name": LONG_LINE}, "name", "Ad 274 karakter"),
    ({"name": f"\n{LONG_LINE}\n \n"}, "name", "Ad 274 karakter"),
    ({"name": f"A\n{LONG_LINE}"}, "name", "2. satır: Ad 274 karakter"),
    ({"name": "A & B\n<C>\na & b"}, "name", "3. satır: “a & b” aynı yerde"),
    ({"name": "A `b`\n<C>\nA `B`"}, "name", "3. satır: “A `B`” aynı yerde"),
    *(({"name": "A", "parent": {"value": v}}, "parent", "Üst grubun ID'sini") for v in ("none:", "id:-1", "nonsense")),
)
"""What a form is sent with, the field with the mistake, and how what is said there begins."""


@pytest.mark.parametrize("language", ["tr"])
def test_a_mistake_in_the_form_stands_at_its_field(url: str, workspace: Workspace, api: Api) -> None:
    """In plain text, with the line where there are several; the form stays open with what was typed."""
    workspace.command(url, "")
    for fields, block, begins in MISTAKES:
        reply = workspace.submit(url, opened(workspace), **fields).body
        assert (reply["response_action"], list(reply["errors"])) == ("errors", [block]), fields
        said = reply["errors"][block]
        assert said.startswith(begins), (fields, said)
        assert LONG_LINE[:39] in said or LONG_LINE not in str(fields)
    assert not api.made()


def test_a_tree_comes_back_whole(url: str, workspace: Workspace, api: Api) -> None:
    """*Edit* fills in every line, with its indentation and its parent; sent again, what exists is not made again."""
    api.mood = lambda: 422 if "parent=red" in str(api.calls[-1]) else None
    typed = 'Top parent=5\n  Ankara & co\n  "parent=red"\nOther'
    workspace.command(url, typed)
    (answer,) = answers(workspace, 1)
    assert "edit" in actions(answer)
    workspace.press(url, answer, "edit")
    form = opened(workspace)
    assert field(form, "name")["initial_value"] == typed
    assert "initial_option" not in field(form, "parent")
    assert notes(form) == []
    api.mood = lambda: None
    workspace.submit(url, form)
    answers(workspace, 2)
    names = sorted(group.name for group in api.groups.values())
    assert names == ["Ankara & co", "Customers", "Other", "Top", "parent=red"]
