"""The form and the buttons: what people go on with from an answer, through signed HTTP."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from bot.sandbox.api import Api
from bot.sandbox.workspace import Message, Workspace
from bot.slack.texts import load
from tests.conftest import Running
from tests.support.slack import actions, answers, opened, told

Start = Callable[..., Running]
LONG = "Çok uzun bir grup adı & <ğüşıöç> 🎉 " * 7
EVIL_LONG = (LONG + "x" * 255)[:255]


@pytest.mark.parametrize("language", ["en", "tr"])
def test_the_form_makes_a_group_in_the_channel(start: Start, workspace: Workspace, api: Api, language: str) -> None:
    """`/addgroup` alone opens the form in the person's language; what it holds goes the way of a typed command."""
    url = start(ADDGROUP_LANGUAGE=language).url
    assert workspace.command(url, "", channel="C7").text == ""
    form = opened(workspace)
    assert form.view["title"]["text"] == load(language)["form.title"]
    (customers,) = workspace.suggest(url, "cust")
    assert customers["text"]["text"] == "Customers (5)"
    assert workspace.submit(url, form, name=" VIP   Customers ", parent=customers).body == {}
    (answer,) = answers(workspace, 1, "C7")
    assert answer.text.splitlines()[0] == load(language)["created.heading"]
    assert (api.groups["97101"].name, api.groups["97101"].parent) == ("VIP Customers", "5")


def test_the_form_opens_while_every_worker_is_busy(start: Start, workspace: Workspace, api: Api) -> None:
    """The form waits for nobody's API call."""
    api.faults.append("silence")
    url = start(ADDGROUP_API_CALLS="1", ILETIMERKEZI_TIMEOUT="3").url
    workspace.command(url, "A")
    assert api.called.wait(5)
    workspace.command(url, "")
    assert opened(workspace)
    assert not any(m.thread_ts for m in workspace.messages), "the form waited for the API"


@pytest.mark.parametrize("fault", ["drop", "silence", "expired_trigger_id", 500])
def test_a_form_that_cannot_be_opened_is_told(start: Start, workspace: Workspace, fault: int | str) -> None:
    """The person reads that nothing was created and how to type the command instead."""
    workspace.faults["views.open"].append(fault)
    reply = workspace.command(start(ADDGROUP_LANGUAGE="en").url, "")
    assert reply.text == load("en")["form.not_opened"]


@pytest.mark.parametrize(
    ("fields", "block"),
    [
        ({"name": "\u200b "}, "name"),
        ({}, "name"),
        ({"name": "x" * 256}, "name"),
        ({"name": "A", "parent": {"value": "none:"}}, "parent"),
        ({"name": "A paernt=5"}, "name"),
        ({"name": "A parent=6", "parent": {"value": "id:5"}}, "name"),
        ({"name": "A\n  B parent=5"}, "name"),
        ({"name": "A", "parent": {"value": "id:-1"}}, "parent"),
        ({"name": "A", "parent": {"value": "nonsense"}}, "parent"),
    ],
)
def test_a_mistake_in_the_form_stands_at_its_field(
    start: Start, workspace: Workspace, api: Api, fields: dict[str, Any], block: str
) -> None:
    """The form stays open with what was typed; nothing is made."""
    url = start().url
    workspace.command(url, "")
    reply = workspace.submit(url, opened(workspace), **fields)
    assert reply.body["response_action"] == "errors"
    assert list(reply.body["errors"]) == [block]
    assert not api.made()


@pytest.mark.parametrize(("typed", "made"), [("VIP parent=5", ("VIP", "5")), ("`/addgroup VIP`", ("VIP", ""))])
def test_the_form_reads_lines_as_they_are_typed(
    start: Start, workspace: Workspace, api: Api, typed: str, made: tuple[str, str]
) -> None:
    """An option in the name field is one, and what is pasted around a name is not part of it."""
    url = start().url
    workspace.command(url, "")
    workspace.submit(url, opened(workspace), name=typed)
    answers(workspace, 1)
    assert [(group.name, group.parent) for group in api.groups.values() if group.name == made[0]] == [made]


def test_a_name_that_needs_quotes_comes_back_in_them(start: Start, workspace: Workspace, api: Api) -> None:
    """The form filled in from an answer makes the same group when it is sent as it is."""
    api.faults.append(422)
    url = start().url
    workspace.command(url, '"color=red"')
    workspace.press(url, answers(workspace, 1)[0], "edit")
    form = opened(workspace)
    assert form.view["blocks"][0]["element"]["initial_value"] == '"color=red"'
    workspace.submit(url, form)
    answers(workspace, 2)
    assert "color=red" in [group.name for group in api.groups.values()]


LONG_LINE = "R&D <A> `b` " * 25


@pytest.mark.parametrize(
    ("name", "mistakes"),
    [
        (LONG_LINE, ("The name is 299 characters long", "Ad 299 karakter")),
        (f"\n{LONG_LINE}\n \n", ("The name is 299 characters long", "Ad 299 karakter")),
        (f"A\n{LONG_LINE}", ("Line 2: The name is 299 characters long", "2. satır: Ad 299 karakter")),
        ("A & B\n<C>\na & b", ("Line 3: a & b is listed twice", "3. satır: a & b aynı yerde")),
        ("A `b`\n<C>\na `B`", ("Line 3: a `B` is listed twice", "3. satır: a `B` aynı yerde")),
        ("A\n    B\n  <C>", ("Line 3: <C> is not in line with", "3. satır: <C> üstündeki satırlardan")),
    ],
    ids=["one line", "blank lines around it", "the second line", "ampersand", "backticks", "angle brackets"],
)
@pytest.mark.parametrize(("place", "language"), [(0, "en"), (1, "tr")])
def test_a_mistake_in_the_form_is_plain_text(
    start: Start, workspace: Workspace, name: str, mistakes: tuple[str, str], place: int, language: str
) -> None:
    """Slack shows it as it stands, so nothing is escaped or marked; a line is numbered only where there are several."""
    url = start(ADDGROUP_LANGUAGE=language).url
    workspace.command(url, "")
    shown = workspace.submit(url, opened(workspace), name=name).body["errors"]["name"]
    assert shown.startswith(mistakes[place])
    assert LONG_LINE[:39] in shown or LONG_LINE not in name


def test_a_form_submitted_twice_makes_one_group(start: Start, workspace: Workspace, api: Api) -> None:
    """Two clicks on its button, or Slack's second delivery, are one job."""
    url = start(ADDGROUP_LANGUAGE="en").url
    workspace.command(url, "")
    form = opened(workspace)
    for _ in range(2):
        assert workspace.submit(url, form, name="VIP").status == 200
    answers(workspace, 1)
    assert api.made() == 1


def test_suggestions(start: Start, workspace: Workspace, api: Api) -> None:
    """Any part of the path finds a group, in Turkish letters too; an id is always possible; as many as fit."""
    api.add("İSTANBUL Işık", "5", "6")
    for number in range(150):
        api.add(f"{EVIL_LONG[:-4]}{number}", "6")
    url = start().url
    texts = [option["text"]["text"] for option in workspace.suggest(url, "ıstanbul IŞIK")]
    assert texts[0] == "Customers › İSTANBUL Işık (6)"
    assert 30 < len(texts) <= 100
    assert workspace.suggest(url, "6")[0]["value"] == "id:6"
    assert [option["value"] for option in workspace.suggest(url, " 4711 ")] == ["id:4711"]
    assert workspace.suggest(url, "nothing like it") == []
    assert api.made("get-groups") == 1


@pytest.mark.parametrize("fault", [401, 404, "silence", "html"])
def test_without_the_list_a_parent_is_chosen_by_id(
    start: Start, workspace: Workspace, api: Api, fault: int | str
) -> None:
    """get-groups may be closed to the account: the menu says so, and takes an id."""
    api.mood = lambda: fault
    url = start(ADDGROUP_LANGUAGE="en").url
    assert [option["text"]["text"] for option in workspace.suggest(url, "cu")] == [load("en")["form.no_list"]]
    (by_id,) = workspace.suggest(url, "5")
    api.mood = lambda: None
    workspace.command(url, "")
    workspace.submit(url, opened(workspace), name="VIP", parent=by_id)
    answers(workspace, 1)
    assert api.groups["97101"].parent == "5"


@pytest.mark.parametrize("language", ["en", "tr"])
def test_a_parent_by_name(start: Start, workspace: Workspace, api: Api, language: str) -> None:
    """The one group of that name is found whatever the case; no match names the nearest; several are listed."""
    api.add("VIP İstanbul", "5", "6")
    api.add("Twin", "5", "7")
    api.add("twin", "6", "8")
    url = start(ADDGROUP_LANGUAGE=language).url
    workspace.command(url, 'A parent="vıp istanbul"')
    (made,) = answers(workspace, 1)
    assert "`6`" in made.text
    workspace.command(url, 'B parent="VIP Istambul"')
    missing = answers(workspace, 2)[1]
    assert "`Customers › VIP İstanbul`, ID `6`" in missing.text
    assert load(language)["no_parent.missing.choices"] in missing.text
    assert actions(missing) == ["edit"]
    workspace.command(url, "C parent=Twin")
    ambiguous = answers(workspace, 3)[2]
    assert "`Customers › Twin`, ID `7`" in ambiguous.text
    assert "`Customers › VIP İstanbul › twin`, ID `8`" in ambiguous.text
    assert api.made() == 1


def test_a_group_that_the_bot_made_is_found_by_name_at_once(start: Start, workspace: Workspace, api: Api) -> None:
    """The list is kept for a minute, but knows what the bot has made."""
    url = start().url
    workspace.suggest(url, "")
    workspace.command(url, "Fresh")
    answers(workspace, 1)
    workspace.command(url, "Below parent=fresh")
    answers(workspace, 2)
    assert api.groups["97102"].parent == "97101"


def test_a_group_that_another_process_made_is_found_at_once(start: Start, workspace: Workspace, api: Api) -> None:
    """By the form and by name, although each front, and the worker, has its own list and keeps it."""
    here, there = start().url, start().url
    for url in (here, there):
        assert not workspace.suggest(url, "fresh")
    workspace.command(there, "Fresh parent=5")
    answers(workspace, 1)
    for url in (here, there):
        (option,) = workspace.suggest(url, "fresh")
        assert (option["value"], option["text"]["text"]) == ("id:97101", "Customers › Fresh (97101)")
    workspace.command(here, "Below parent=fresh")
    answers(workspace, 2)
    assert api.groups["97102"].parent == "97101"
    assert api.made("get-groups") == 3


@pytest.mark.parametrize("fault", [401, 404, "close"])
def test_a_name_without_the_list_says_that_an_id_works(
    start: Start, workspace: Workspace, api: Api, fault: int | str
) -> None:
    """Nothing is sent; the answer tells the way out, and offers to try again."""
    api.list_faults.extend([fault, fault])
    workspace.command(start(ADDGROUP_LANGUAGE="en").url, "A parent=Customers")
    (answer,) = answers(workspace, 1)
    assert load("en")["no_parent.unavailable.next"] in answer.text
    assert actions(answer) == ["edit", "again"]
    assert not api.made()


@pytest.mark.parametrize("code", [461, 463, 422])
def test_edit_and_try_again(start: Start, workspace: Workspace, api: Api, code: int) -> None:
    """The form comes filled in with what was refused; its answer stands in the same thread and mends the root."""
    api.faults.append(code)
    url = start(ADDGROUP_LANGUAGE="en").url
    workspace.command(url, "VIP parent=99")
    (refused,) = answers(workspace, 1)
    assert actions(refused) == ["edit"]
    workspace.press(url, refused, "edit", user="U2")
    form = opened(workspace)
    assert form.view["blocks"][0]["element"]["initial_value"] == "VIP"
    assert form.view["blocks"][1]["element"]["initial_option"]["value"] == "id:99"
    workspace.submit(url, form, user="U2", parent={"value": "id:5"})
    made = answers(workspace, 2)[1]
    assert made.thread_ts == refused.thread_ts
    assert re.match(r"<@U2> edited the command \(<!date.*>\):\n\*Group created\*\n", made.text)
    assert workspace.wait_for(lambda: "created, ID `97101`" in workspace.roots()[0].text)
    assert "<@U1>" in workspace.roots()[0].text
    workspace.press(url, refused, "edit", user="U3")
    workspace.submit(url, opened(workspace), user="U3", name="Another")
    assert told(workspace, "<@U2> has already pressed", "U3")
    assert len(api.groups) == 2


def test_try_again_when_nothing_was_sent(start: Start, workspace: Workspace, api: Api) -> None:
    """Two people press at once: one group, and the slower is told who was first."""
    url = start(ADDGROUP_LANGUAGE="en").url
    api.faults.append(503)
    workspace.command(url, "VIP")
    (refused,) = answers(workspace, 1)
    assert actions(refused) == ["again"]
    gate = threading.Barrier(2)

    def press(user: str) -> None:
        gate.wait()
        assert workspace.press(url, refused, "again", user=user).status == 200

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(press, ["U2", "U3"]))
    made = answers(workspace, 2)[1]
    assert "tried again" in made.text
    assert workspace.wait_for(lambda: bool(workspace.private("U2") + workspace.private("U3")))
    assert api.made() == 2
    assert len(api.groups) == 2


def test_look_again_and_create_anyway(start: Start, workspace: Workspace, api: Api) -> None:
    """Looking again tells what is there now; creating anyway asks first, works once, and says so."""
    api.faults.append("close")
    url = start(ADDGROUP_LANGUAGE="en").url
    workspace.command(url, "VIP")
    (unclear,) = answers(workspace, 1)
    assert actions(unclear) == ["look", "anyway"]
    assert load("en")["unknown.found_none.finding"] in unclear.text
    late = api.add("vip")
    workspace.press(url, unclear, "look", user="U2")
    looked = answers(workspace, 2)[1]
    assert f"ID `{late.id}`" in looked.text
    assert looked.text.startswith("<@U2> asked me to check again (<!date")
    confirm = next(button["confirm"] for button in looked.buttons if button["action_id"] == "anyway")
    assert confirm["text"]["text"] == load("en")["confirm.anyway"]
    for message in (looked, unclear):
        workspace.press(url, message, "anyway", user="U2")
    answers(workspace, 3)
    assert told(workspace, "already pressed", "U2")
    assert [group.name for group in api.groups.values()] == ["Customers", "vip", "VIP"]


def test_look_again_where_the_list_was_closed(start: Start, workspace: Workspace, api: Api) -> None:
    """What could not be looked up can be looked up again, or sent by somebody who sees that it is not there."""
    api.faults.append("close")
    api.list_faults.extend([404, 404])
    workspace.command(start().url, "VIP")
    (unclear,) = answers(workspace, 1)
    assert actions(unclear) == ["look", "anyway"]


def test_add_a_subgroup(start: Start, workspace: Workspace, api: Api) -> None:
    """The form comes with the new group as the parent, as often as somebody wants."""
    url = start().url
    workspace.command(url, "VIP")
    (made,) = answers(workspace, 1)
    for number, name in enumerate(("One", "Two"), 2):
        workspace.press(url, made, "subgroup")
        workspace.submit(url, opened(workspace), name=name)
        answers(workspace, number)
    assert [group.parent for group in api.groups.values()] == ["", "", "97101", "97101"]


@pytest.mark.parametrize("language", ["en", "tr"])
def test_create_another_of_a_duplicate(start: Start, workspace: Workspace, api: Api, language: str) -> None:
    """A second command for the same group is answered with its id; a button makes another on purpose, once."""
    url = start(ADDGROUP_LANGUAGE=language).url
    workspace.command(url, "İstanbul")
    answers(workspace, 1)
    workspace.command(url, '"ıstanbul"', user="U2")
    there = answers(workspace, 2)[1]
    assert load(language)["exists.heading"] in there.text
    assert "`97101`" in there.text
    for _ in range(2):
        workspace.press(url, there, "another", user="U2")
    answers(workspace, 3)
    assert told(workspace, load(language)["button.used"].format(who="<@U2>"), "U2")
    assert [group.name for group in api.groups.values()] == ["Customers", "İstanbul", "ıstanbul"]


@pytest.mark.parametrize(
    ("action", "value"),
    [
        ("again", "{"),
        ("again", json.dumps({"v": 99, "job": "x"})),
        ("again", json.dumps({"v": 1, "job": "lost"})),
        ("again", json.dumps({"v": 1, "job": ["x"]})),
        ("edit", "[]"),
        ("rename", json.dumps({"v": 1, "job": "x"})),
    ],
)
def test_an_old_button_gets_a_sentence(start: Start, workspace: Workspace, action: str, value: str) -> None:
    """Of another version, of a lost job, of nonsense: the person reads that it is too old."""
    button = {"type": "button", "action_id": action, "value": value}
    message = Message("C1", "1.1", "old", blocks=[{"type": "actions", "elements": [button]}])
    assert workspace.press(start(ADDGROUP_LANGUAGE="en").url, message, action).status == 200
    assert told(workspace, load("en")["button.stale"])


def test_history(start: Start, workspace: Workspace, api: Api) -> None:
    """The last ten jobs with when, who, what and result, to the sender alone; the time links to the thread."""
    url = start(ADDGROUP_LANGUAGE="en").url
    workspace.command(url, "history")
    told(workspace, load("en")["history.none"])
    for number in range(12):
        workspace.command(url, f"Group {number}")
        answers(workspace, number + 1)
    workspace.command(url, "history", user="U2")
    lines = told(workspace, load("en")["history.heading"], "U2").text.splitlines()[1:]
    assert len(lines) == 10
    assert re.match(r"• <!date\^\d+\^{date_num} {time}\^https://sandbox.slack.com/archives/C1/p\d+\|.* UTC>", lines[0])
    assert lines[0].endswith(" · <@U1> · `Group 11` · created, ID `97112`")


@pytest.mark.parametrize("language", ["en", "tr"])
@pytest.mark.parametrize("name", [EVIL_LONG, "`" * 255, "<!channel>" * 25, "&" * 255])
def test_every_payload_keeps_slacks_limits(
    start: Start, workspace: Workspace, api: Api, name: str, language: str
) -> None:
    """Names of 255 characters through every message, form and button; the stand-in refuses what Slack would."""
    url = start(ADDGROUP_LANGUAGE=language).url
    api.add(name, "5", "6")
    api.faults.extend([422, "close"])
    for number, typed in enumerate(("{0}", "{0} parent=6", '{0} parent="{0}"', '{0} parent="{0}x"'), 1):
        workspace.command(url, typed.replace("{0}", name) if number < 3 else typed.format(f"{name[:200]}"))
        answers(workspace, number)
    for answer in answers(workspace, 4):
        for action in actions(answer):
            workspace.press(url, answer, action)
    workspace.command(url, "help")
    workspace.command(url, "history")
    workspace.suggest(url, "")
    workspace.command(url, f"{name} parent=6")
