"""No group is made twice without a word: the same again, however the list of groups comes, and at any age."""

import re
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.iletimerkezi import groups
from bot.journal.database import connect
from bot.sandbox.bot import Bot
from bot.slack.texts import load
from bot.worker import create_groups
from tests.support.journal import shift
from tests.support.provider import Api
from tests.support.slack import actions, answers, opened
from tests.support.texts import part
from tests.support.workspace import Message, Workspace, is_answer

Start = Callable[..., Bot]

TEXTS = load("en")
UNCHECKED, BY_RECORD = TEXTS["created.unchecked.explanation"], "(u1|<@U1>) created it on <!date"


def never(api: Api) -> None:
    """Let a list never come; how long it is waited for then needs not be long."""
    api.gates["get-groups"] = threading.Event()
    groups.WITHIN = 0.5  # which conftest puts back


MOODS: dict[str, Callable[[Api], None]] = {
    "never": never,
    "failing": lambda api: api.list_faults.extend([503] * 99),
    "closed": lambda api: api.list_faults.extend([404] * 99),
    "in time": lambda _: None,
}
"""How the list of groups comes when the same is sent again."""


@pytest.mark.parametrize(("mood", "form"), [*((mood, False) for mood in MOODS), ("never", True)])
def test_the_same_again(start: Start, workspace: Workspace, api: Api, mood: str, form: bool) -> None:
    """One group, a tree, a tree of which half is there: nothing is doubled, and what was not seen is said."""

    def ask(text: str) -> None:
        workspace.command(url, None if form else text)
        if form:
            workspace.submit(url, opened(workspace), name=text)

    first = start(ADDGROUP_LANGUAGE="en")
    url = first.url
    ask("VIP")
    ask("A\n B\n C")
    said(workspace, 2)
    first.stop(30)
    url = start(ADDGROUP_LANGUAGE="en").url  # which knows no list
    MOODS[mood](api)
    for number, text in enumerate(("vip", "A\n B\n C", "A\n B\n D"), 3):
        ask(text)
        answer = said(workspace, number)[-1]
        assert bool(re.search(BY_RECORD, answer.text)) == (mood != "in time"), answer.text
        if text == "vip":
            assert part("en", "exists.heading") in answer.text
            assert "another" in actions(answer)
    assert sorted(group.name for group in api.groups.values()) == ["A", "B", "C", "Customers", "D", "VIP"]
    assert (TEXTS["created.unchecked.below"] in answer.text) == (mood in ("never", "failing"))


@pytest.mark.parametrize("mood", MOODS)
def test_what_nobody_could_see_is_made_and_said(start: Start, workspace: Workspace, api: Api, mood: str) -> None:
    """What the panel made is not doubled where the list comes; else the answer says so, except after a 404."""
    MOODS[mood](api)
    url = start(ADDGROUP_LANGUAGE="en").url
    for number, name in enumerate(("Customers", "New"), 1):
        workspace.command(url, name)
        answer = answers(workspace, number)[-1]
        assert (UNCHECKED in answer.text) == (mood in ("never", "failing"))
    assert api.made() == (1 if mood == "in time" else 2)
    if mood == "closed":
        assert api.made("get-groups") == 1


def test_what_was_deleted_is_made_again(
    start: Start, workspace: Workspace, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A list that was asked for afterwards tells; one that is too young does not, and then the record speaks."""
    url = start(ADDGROUP_LANGUAGE="en").url
    for number, text in enumerate(("VIP", "A\n B\n C"), 1):
        workspace.command(url, text)
        answers(workspace, number)
    api.groups = {group.id: group for group in api.groups.values() if group.name in ("Customers", "A")}
    workspace.command(url, "VIP")
    assert re.search(BY_RECORD, answers(workspace, 3)[-1].text)
    monkeypatch.setattr(create_groups, "LIST_LAG", 0.0)
    workspace.command(url, "VIP")
    assert part("en", "created.heading") in answers(workspace, 4)[-1].text
    workspace.command(url, "A\n B\n C")
    assert "2 created, 1 already there" in answers(workspace, 5)[-1].text
    workspace.command(url, "VIP")
    assert part("en", "exists.heading") in answers(workspace, 6)[-1].text
    assert (api.made(), api.made("get-groups")) == (7, 5)


@pytest.mark.parametrize("mood", [None, "failing"])
def test_an_edit_knows_what_it_goes_on_from(
    start: Start, workspace: Workspace, api: Api, tmp_path: Path, mood: str | None
) -> None:
    """Eleven minutes later: what was created stays, what is unclear keeps its buttons, the rest is sent."""
    faults: dict[str, int | str] = {"Unclear": "close", "Refused": 422}
    api.mood = lambda: faults.get(name_of(api))
    url = start(ADDGROUP_LANGUAGE="en").url
    workspace.command(url, "Top parent=5\n Made\n Unclear\n  Below\n Refused")
    (answer,) = answers(workspace, 1)
    api.mood = lambda: None
    engine = connect(f"sqlite:///{tmp_path}/journal.db")
    shift(engine, -660)
    engine.dispose()
    if mood:
        MOODS[mood](api)
    workspace.press(url, answer, "edit", user="U2")
    workspace.submit(url, opened(workspace), user="U2", name="Top parent=5\n Made\n Unclear\n  Below\n Changed")
    edited = answers(workspace, 2)[-1]
    assert sorted(sent(api)) == ["Changed", "Made", "Refused", "Top", "Unclear"]
    assert "1 of 5 created, 2 already there, 1 not confirmed" in edited.text
    assert {"look", "anyway"} <= set(actions(edited))
    root = workspace.roots()[0]
    assert workspace.wait_for(lambda: "3 of 5 created, 1 not confirmed" in root.text), root.text
    workspace.press(url, edited, "anyway", user="U2")
    answers(workspace, 3)
    assert workspace.wait_for(lambda: "✓ `Top` and 4 subgroups *created*" in root.text), root.text
    assert sent(api)[5:] == ["Unclear", "Below"]


def test_the_root_counts_what_an_edit_asks_for(start: Start, workspace: Workspace, api: Api) -> None:
    """More lines than before: never more groups than were asked for."""
    api.mood = lambda: 422 if name_of(api) == "B" else None
    url = start(ADDGROUP_LANGUAGE="en").url
    workspace.command(url, "A\nB")
    (answer,) = answers(workspace, 1)
    workspace.press(url, answer, "edit")
    workspace.submit(url, opened(workspace), name="A\nC\nD\nE")
    answers(workspace, 2)
    (root,) = workspace.roots()
    assert workspace.wait_for(lambda: "✓ `A`, `C`, `D` and 1 more *created*" in root.text), root.text


def said(workspace: Workspace, number: int) -> list[Message]:
    """Wait until the bot has given so many answers."""

    def given() -> list[Message]:
        return [m for m in tuple(workspace.messages) if is_answer(m) and not m.author and " · for " not in m.text]

    assert workspace.wait_for(lambda: len(given()) >= number), [m.text for m in workspace.messages]
    return given()


def name_of(api: Api) -> str:
    method, body = api.calls[-1]
    return str(body["request"]["group"]["name"]) if method == "add-group" else ""


def sent(api: Api) -> list[str]:
    return [body["request"]["group"]["name"] for method, body in api.calls if method == "add-group"]
