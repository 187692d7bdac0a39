"""Who may: every button, pressed by every kind of person who may not, settles nothing and shows nothing."""

from collections.abc import Callable
from typing import Any

from bot.sandbox.bot import Bot
from bot.slack.texts import load
from tests.support.provider import Api
from tests.support.slack import actions, answers, told
from tests.support.workspace import Message, Workspace

Start = Callable[..., Bot]

TEXTS = load("en")

KINDS: dict[str, tuple[dict[str, Any] | None, str]] = {
    "guest": ({"is_restricted": True}, "denied.guest.title"),
    "foreign": ({"team_id": "T2"}, "denied.foreign.title"),
    "bot": ({"is_bot": True}, "denied.bot.title"),
    "deactivated": ({"deleted": True}, "denied.deactivated.title"),
    "not listed": ({}, "denied.not_listed.title"),
    "no teams": ({"team_id": None, "enterprise_user": {"teams": None}}, "denied.foreign.title"),
    "not shown": (None, "denied.unknown_person.title"),
}
"""What users.info says of somebody, None for nothing at all, and what they are told."""

BUTTONS: dict[str, tuple[str, tuple[int | str, ...]]] = {
    "again": ("VIP", (503,)),
    "edit": ("VIP", (422,)),
    "confirm": ("VIP", ("lost",)),
    "look": ("VIP", ("lost",)),
    "anyway": ("VIP", ("close",)),
    "another": ("Customers", ()),
    "subgroup": ("VIP", ()),
    "rest": ("A\n B\n C", (None, 503)),  # type: ignore[dict-item]  # the first of them is created
    "confirm in a tree": ("A\n B", (None, "lost")),  # type: ignore[dict-item]
    "edit_text": ("VIP parent=", ()),
    "under_1": ("VIP parent=Custmers", ()),
    "more": ("list", ()),
}
"""What is typed to get each button, and what becomes of its requests."""


def test_a_button_is_an_act_like_any_other(start: Start, workspace: Workspace, api: Api) -> None:
    """Permission first: nothing is sent, settled, opened or shown, and the button is left for those who may."""
    people = {f"U9{number}": kind for number, kind in enumerate(KINDS)}
    for user, kind in people.items():
        workspace.people[user] = KINDS[kind][0] or {}
    workspace.unknown |= {user for user, kind in people.items() if KINDS[kind][0] is None}
    workspace.usergroups["S1"] = ["U1", *(user for user, kind in people.items() if kind != "not listed")]
    url = start(ADDGROUP_LANGUAGE="en", ADDGROUP_MEMBERS="S1", ADDGROUP_AUDIT_CHANNEL="C9").url
    for number in range(40):
        api.add(f"Group {number}")
    for row, (typed, faults) in BUTTONS.items():
        message = shown(workspace, api, url, typed, faults)
        action = {"rest": "again", "confirm in a tree": "confirm"}.get(row, row)
        assert action in actions(message), row
        before, made = in_the_channel(workspace), api.made()
        for user, kind in people.items():
            heard = len(workspace.private(user))
            workspace.press(url, message, action, user=user)
            assert workspace.wait_for(lambda: len(workspace.private(user)) > heard), (row, kind)  # noqa: B023
            assert TEXTS[KINDS[kind][1]] in workspace.private(user)[-1].text, (row, kind)
            assert in_the_channel(workspace) == before, (row, kind)
            assert (api.made(), workspace.forms) == (made, []), (row, kind)
        assert action in actions(message), row
    audited = [m.text for m in workspace.messages if m.channel == "C9" and "<@U9" in m.text]
    assert all("was refused" in line for line in audited), audited
    workspace.press(url, message, "more")
    assert told(workspace, "31–")


def in_the_channel(workspace: Workspace) -> list[str]:
    """Return what everybody sees."""
    return [m.text for m in workspace.messages if m.channel == "C1" and not m.private_to]


def test_a_confirmed_tree_goes_on_after_the_permission(start: Start, workspace: Workspace, api: Api) -> None:
    """Refused first, then confirmed by one who may: the root counts what is there, no more and no less."""
    workspace.people["U9"] = {"is_restricted": True}
    url = start(ADDGROUP_LANGUAGE="en").url
    answer = shown(workspace, api, url, "A\n B", (None, "lost"))  # type: ignore[arg-type]
    assert "1 of 2 created, 1 not confirmed" in settled(workspace)
    workspace.press(url, answer, "confirm", user="U9")
    told(workspace, TEXTS["denied.guest.title"], "U9")
    assert "1 of 2 created, 1 not confirmed" in settled(workspace)
    workspace.press(url, answer, "confirm", user="U2")
    assert "*created*" in answers(workspace, 2)[1].text
    both = "and 1 subgroup *created*"
    assert workspace.wait_for(lambda: both in settled(workspace)), settled(workspace)
    assert api.made() == 2


def shown(workspace: Workspace, api: Api, url: str, typed: str, faults: tuple[int | str, ...]) -> Message:
    """Send a command of U1, and return the message with its buttons: the answer, or what is told privately."""
    api.groups = {group.id: group for group in api.groups.values() if group.name.startswith(("Customers", "Group"))}
    api.faults.extend(faults)
    heard, said = len(workspace.private("U1")), len(answers(workspace, 0))
    reply = workspace.command(url, typed.replace("VIP", f"VIP {said}").replace("A", f"A{said}"))
    if reply.text:
        return Message("C1", "1.1", reply.text, blocks=reply.body["blocks"])
    if workspace.forms:  # of what is not sure, which is given back when the form is closed
        workspace.close(url, workspace.forms.pop())

    def found() -> Message | None:
        if len(workspace.private("U1")) > heard:
            return workspace.private("U1")[-1]
        done = [m for m in tuple(workspace.messages) if m.channel == "C1" and m.thread_ts and not m.private_to]
        return done[-1] if len(done) > said else None

    assert workspace.wait_for(lambda: found() is not None), typed
    assert workspace.finished(len(workspace.roots()))
    message = found()
    assert message is not None
    return message


def settled(workspace: Workspace) -> str:
    return workspace.roots()[0].text
