"""Parents: suggested in the form, or given by name."""

from copy import copy

import pytest

from bot.slack.texts import load
from tests.support.provider import Api
from tests.support.slack import EVIL_LONG, Start, actions, answers, opened, told
from tests.support.texts import part
from tests.support.workspace import Workspace


def test_suggestions(url: str, workspace: Workspace, api: Api) -> None:
    """Any part of the path finds a group, in Turkish letters too; an id is always possible; as many as fit."""
    api.add("İSTANBUL Işık", "5", "6")
    for number in range(150):
        api.add(f"{EVIL_LONG[:-4]}{number}", "6")
    texts = [option["text"]["text"] for option in workspace.suggest(url, "ıstanbul IŞIK")]
    assert texts[0] == "Customers › İSTANBUL Işık (6)"
    assert 30 < len(texts) <= 100
    assert workspace.suggest(url, "6")[0]["value"] == "id:6"
    assert [option["value"] for option in workspace.suggest(url, " 4711 ")] == ["id:4711"]
    assert workspace.suggest(url, "nothing like it") == []
    assert api.made("get-groups") == 1


@pytest.mark.parametrize("language", ["en", "tr"])
def test_a_parent_by_name(url: str, workspace: Workspace, api: Api, language: str) -> None:
    """The one group of that name is found whatever the case; no match names the nearest; several are listed."""
    api.add("VIP İstanbul", "5", "6")
    api.add("Twin", "5", "7")
    api.add("twin", "6", "8")
    workspace.command(url, 'A parent="vıp istanbul"')
    (made,) = answers(workspace, 1)
    assert "`6`" in made.text
    workspace.command(url, 'B parent="VIP Istambul"')
    missing = answers(workspace, 2)[1]
    assert missing.buttons[0]["text"]["text"] == "Customers › VIP İstanbul (6)"
    assert actions(missing) == ["under_1", "edit"]
    workspace.command(url, "C parent=Twin")
    ambiguous = answers(workspace, 3)[2]
    assert [button["text"]["text"] for button in ambiguous.buttons][:2] == [
        "Customers › Twin (7)",
        "Customers › VIP İstanbul › twin (8)",
    ]
    assert api.made() == 1
    elsewhere = copy(ambiguous)  # as another person's Slack shows it until the edit arrives
    workspace.press(url, ambiguous, "under_2", user="U2")
    chosen = answers(workspace, 4)[3]
    assert api.groups["97102"].parent == "8"
    assert "`Customers › VIP İstanbul › twin` (`8`)" in chosen.text
    assert workspace.wait_for(lambda: not ambiguous.buttons)
    workspace.press(url, elsewhere, "under_1", user="U3")
    assert told(workspace, load(language)["button.used"].format(who="<@U2>"), "U3")
    assert api.made() == 2


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
    workspace.command(here, "Next parent=fresh")
    answers(workspace, 2)
    assert api.groups["97102"].parent == "97101"
    assert api.made("get-groups") <= 4, "one list for each of two fronts and two workers"


@pytest.mark.parametrize("fault", [401, 404, "silence", "html"])
def test_without_the_list_a_parent_is_chosen_by_id(
    start: Start, workspace: Workspace, api: Api, fault: int | str
) -> None:
    """get-groups may be closed to the account, or not answer: the menu and `list` say so, and an ID is taken.

    So does the answer to a name: it sends nothing, and offers to try again unless the account has no list at all.
    """
    api.mood = lambda: fault
    url = start(ADDGROUP_LANGUAGE="en", ILETIMERKEZI_TIMEOUT="1").url
    assert [option["text"]["text"] for option in workspace.suggest(url, "cu")] == [load("en")["form.no_list"]]
    (by_id,) = workspace.suggest(url, "5")
    workspace.command(url, "A parent=Customers")
    (answer,) = answers(workspace, 1)
    workspace.command(url, "list")
    assert told(workspace, part("en", "list.no_list" if fault == 404 else "list.failed"))
    reason, offered = ("no_list", ["edit"]) if fault == 404 else ("unavailable", ["again", "edit"])
    assert part("en", f"no_parent.{reason}.title") in answer.text
    assert sorted(actions(answer)) == offered
    assert not api.made()
    api.mood = lambda: None
    workspace.command(url, "")
    workspace.submit(url, opened(workspace), name="VIP", parent=by_id)
    answers(workspace, 2)
    assert api.groups["97101"].parent == "5"
