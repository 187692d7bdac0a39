"""Trees of groups, through signed HTTP between the stand-ins: what is sent under what, and what people read of it."""

import itertools
import re
from collections import Counter
from functools import partial

import pytest

from bot.slack import pace
from bot.slack.texts import load, say
from bot.slack.wording import as_typed, cut, path
from bot.worker import create_groups as steps
from tests.support.slack import actions, answers, told
from tests.support.texts import part
from tests.support.tree import Watched, done, lines, outcome
from tests.support.worker import Start
from tests.support.workspace import Workspace

TREE = """\
Müşteriler parent=5
  VIP
    İstanbul
  Regular
Staff"""


@pytest.mark.parametrize("language", ["en", "tr"])
def test_a_tree_is_made_under_the_ids_received(start: Start, workspace: Workspace, api: Watched, language: str) -> None:
    """Each group is sent once, under the id that its parent got; the thread draws the tree with every id."""
    url = start(ADDGROUP_LANGUAGE=language).url
    assert workspace.command(url, f"\n{TREE}\n\n").text == ""
    root = done(workspace, 5, 5, language)
    above = {"Müşteriler": "Customers", "VIP": "Müşteriler", "İstanbul": "VIP", "Regular": "Müşteriler", "Staff": ""}
    assert api.parents() == {"Customers": "", **above}
    assert api.made() == 5
    assert root.text.startswith("✓ `Müşteriler`, `Staff`")
    assert "<@U1>" in root.text
    rows = [root.text.rpartition(" · ")[0]]
    for name, parent in above.items():
        shown = f"`{parent}`".replace("Customers`", "Customers` (`5`)")
        place = f" {say(language, 'root.under', parent=shown)}" if parent else ""
        rows.append(f"• ✓ `{name}`{place} — {say(language, 'created.line', id=f'`{api.id_of(name)}`')}")
    (answer,) = workspace.thread(root)
    assert answer.text.splitlines() == rows
    assert (answer.outcome, actions(answer)) == ("created", [])


def test_parents_by_name_within_a_tree(start: Start, workspace: Workspace, api: Watched) -> None:
    """A parent's name is looked up for each line that has one; one that leads nowhere takes only its own along."""
    api.add("Abroad", "5", "6")
    url = start(ADDGROUP_LANGUAGE="en").url
    workspace.command(url, "A parent=abroad\n  B\nC parent=Nowhere\n  D\nE parent=Customers")
    (answer,) = workspace.thread(done(workspace, 3, 5))
    assert api.parents() == {"Customers": "", "Abroad": "Customers", "A": "Abroad", "B": "A", "E": "Customers"}
    title = say("en", "no_parent.missing.title", parent="`Nowhere`")
    skipped = say("en", "skipped.line", above=load("en")["outcome.above"])
    assert f"• ✗ `C` under `Nowhere` — not created: {title}" in answer.text
    assert f"• ✓ `A` under `Customers › Abroad` (`6`) — ID `{api.id_of('A')}`" in answer.text
    assert f"• – `D` under `C` — {skipped}" in answer.text


# What hangs under a group that was not made.

WITH_A_FAULT = "Root parent=5\n  Broken\n    Child\n      Grandchild\n    Other child\n  Fine\n    Below\nAnother"


@pytest.mark.parametrize(
    ("fault", "key"),
    [(463, "rejected.463"), (499, "rejected.other"), ("close", "unknown.looked_for"), ("lost", "unknown.found")],
)
def test_what_hangs_under_a_missing_group_is_skipped(
    start: Start, workspace: Workspace, api: Watched, fault: int | str, key: str
) -> None:
    """Refused or unknown: its subgroups are not sent and say why, and everything else is made."""
    api.fail({"Broken": fault})
    workspace.command(start(ADDGROUP_LANGUAGE="tr").url, WITH_A_FAULT)
    unclear = isinstance(fault, str)
    (answer,) = workspace.thread(done(workspace, 4, 8, "tr", unclear=int(unclear)))
    assert not api.sent().keys() & {"Child", "Grandchild", "Other child"}
    parents = api.parents()
    assert parents.pop("Broken", None) == ("Root" if fault == "lost" else None)
    assert parents == {"Customers": "", "Root": "Customers", "Fine": "Root", "Below": "Fine", "Another": ""}
    shown = dict(re.findall(r"• . `([A-Z][a-z ]+)`.* — (.*)", answer.text))
    skipped = say("tr", "skipped.line", above=load("tr")[f"{'unknown' if unclear else 'outcome'}.above"])
    assert [shown[name] for name in ("Child", "Grandchild", "Other child")] == [skipped] * 3
    assert part("tr", "unknown.line" if unclear else f"{key}.title") in shown["Broken"]
    assert part("tr", f"{key}.next") in answer.text
    assert (load("tr")["button.rest"] in answer.text) is ("again" in actions(answer))
    reference = say("tr", "answer.reference", reference=answer.job) in answer.text
    assert reference is (fault != 463), "what a person can correct needs no reference"


# Duplicates.


def test_a_tree_goes_on_below_what_exists(start: Start, workspace: Workspace, api: Watched) -> None:
    """A group that exists, from the panel or from another command, is told with its ID; what is missing is created.

    Also where it shows only when its parent's name is known; and *Create the rest* sends nothing that is there.
    """
    api.fail({"Under": 503})
    url = start(ADDGROUP_LANGUAGE="en").url
    panel = api.add("Panel")
    workspace.command(url, "Staff\n  İstanbul")
    workspace.command(url, "VIP parent=5")
    answers(workspace, 2)
    typed = "New\n  İstanbul\nSTAFF\n  Below\npanel\n  Under\nVIP parent=Customers\n  Deep\n    Deeper"
    workspace.command(url, typed, user="U2")
    (answer,) = workspace.thread(done(workspace, 5, 9, there=3))
    under = "`VIP` under `Customers` (`5`)"
    for shown, group in (("`STAFF`", api.id_of("Staff")), ("`panel`", panel.id), (under, api.id_of("VIP"))):
        assert f"• = {shown} — {say('en', 'exists.line', id=f'`{group}`')}" in answer.text
    sent = {"Staff": 1, "VIP": 1, "İstanbul": 2, "New": 1, "Below": 1, "Under": 1, "Deep": 1, "Deeper": 1}
    assert api.sent() == sent
    api.fail({})
    workspace.press(url, answer, "again")
    answers(workspace, 4)
    assert api.sent() == sent | {"Under": 2}
    parents = api.parents()
    assert [parents[name] for name in ("Below", "Under", "Deep", "Deeper")] == ["Staff", "Panel", "VIP", "Deep"]


def test_a_tree_that_is_under_way_is_not_made_again(start: Start, workspace: Workspace, api: Watched) -> None:
    """Anyone who pastes the list again while it is under way is told so; a second delivery of one paste is silent."""
    api.held = True
    url = start(ADDGROUP_LANGUAGE="en").url
    for _ in range(2):
        assert workspace.command(url, TREE, trigger_id="1.1").text == ""
    api.wait_for(1)
    workspace.command(url, TREE, user="U2")
    assert told(workspace, part("en", "duplicate.under_way.finding"), "U2")
    assert not workspace.private()
    api.let_all()
    done(workspace, 5, 5)
    assert api.made() == 5


# The root.


def test_the_root_counts(start: Start, workspace: Workspace, api: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    """The root names the first groups and grows from none to all of them."""
    monkeypatch.setattr(steps, "PROGRESS", 0.0)
    api.held = True
    counted = ["… `A`, `D`, `E` and 4 more *requested* · for u1"]
    counted += [f"… `A`, `D`, `E` and 4 more: *{made} of 7 created so far* · for u1" for made in range(1, 7)]

    def shown(text: str) -> bool:
        return [root.text for root in workspace.roots()] == [text]

    workspace.command(start(ADDGROUP_LANGUAGE="en", ADDGROUP_API_CALLS="1").url, "A\n  B\n    C\nD\nE\nF\nG")
    for made, text in enumerate(counted):
        api.wait_for(made + 1)
        assert workspace.wait_for(partial(shown, text))
        api.let(api.arrived[made])
    root = done(workspace, 7, 7)
    assert root.earlier == counted
    assert root.text == "✓ `A`, `D`, `E` and 4 more *created* · for <@U1>"


def test_progress_is_paced(start: Start, workspace: Workspace, api: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    """However fast the groups are made, Slack is told of them no oftener than once in PROGRESS, and of the end once."""
    monkeypatch.setattr(steps, "PROGRESS", 1e6)
    workspace.command(start(ADDGROUP_LANGUAGE="en", ADDGROUP_API_CALLS="2").url, "\n".join(f"G{n}" for n in range(25)))
    done(workspace, 25, 25)
    assert [method for method, _ in workspace.calls].count("chat.update") == 1


@pytest.mark.parametrize("fault", ["drop", "ratelimited:0.1", "cant_update_message"])
def test_progress_that_cannot_be_shown_holds_nothing_up(
    start: Start, workspace: Workspace, api: Watched, monkeypatch: pytest.MonkeyPatch, fault: int | str
) -> None:
    """The groups are made although Slack takes no progress, and the end is shown."""
    monkeypatch.setattr(steps, "PROGRESS", 0.0)
    monkeypatch.setattr(pace, "INTERVAL", 0.1)
    workspace.faults["chat.update"].extend([fault] * 2)
    workspace.command(start(ADDGROUP_LANGUAGE="en", ADDGROUP_API_CALLS="1").url, "A\n  B\n    C\nD")
    done(workspace, 4, 4)
    assert api.made() == 4


def test_a_root_that_was_delayed_shows_the_result(start: Start, workspace: Workspace, api: Watched) -> None:
    """The groups do not wait for a root; one that comes after them shows what became of them, with the tree below."""
    workspace.faults["chat.postMessage"].append("drop")
    workspace.command(start(ADDGROUP_LANGUAGE="en").url, TREE)
    root = done(workspace, 5, 5)
    assert root.earlier == []
    assert workspace.wait_for(lambda: len(workspace.thread(root)) == 1)
    assert [message.ts for message in workspace.roots()] == [root.ts]


# Slack's limits.


@pytest.mark.parametrize(("unit", "language"), [("&", "en"), ("x`", "tr")])
def test_fifty_of_the_longest_names(start: Start, workspace: Workspace, api: Watched, unit: str, language: str) -> None:
    """Every message is one that Slack takes, and together they tell every line with its id or its reason."""
    parent = (unit * 255)[:255]
    api.add(parent, "", "6")
    names = [f"{number:02}{parent}"[:255] for number in range(50)]
    api.fail({names[13]: 503, names[27]: "close", names[41]: 422})
    typed = [
        f'{" " * (n % 10)}"{name}"' + (f' parent="{parent}"' if n % 10 == 0 else "") for n, name in enumerate(names)
    ]
    workspace.command(start(ADDGROUP_LANGUAGE=language).url, "\n".join(typed))
    made = len(set(names) - {name for tens in (13, 27, 41) for name in names[tens : tens - tens % 10 + 10]})
    root = done(workspace, made, 50, language, unclear=1)
    assert workspace.wait_for(lambda: bool(actions(workspace.thread(root)[-1])))
    thread = workspace.thread(root)
    found = lines(thread)
    assert outcome(language, made, 50, unclear=1) in found[0]
    rows = [row for row in found if row.startswith("• ")]
    assert len(rows) == 50
    for number, (row, name) in enumerate(zip(rows, names, strict=True)):
        above = names[number - 1] if number % 10 else parent
        shown = as_typed(above if above == parent else cut(above, 80))
        shown = path(parent) + " (`6`)" if above == parent else shown
        place = f"{as_typed(name)} {say(language, 'root.under', parent=shown)}"
        ids = [group.id for group in api.groups.values() if group.name == name]
        result = say(language, "created.line", id=f"`{ids[0]}`") if ids else ""
        assert row[4:].startswith(f"{place} — {result}")
    assert actions(thread[-1]) == ["again", "look", "anyway", "edit"]
    assert not any(actions(message) for message in thread[:-1])


@pytest.mark.parametrize("closed", [False, True])
def test_a_long_answer_gets_through_a_limit(start: Start, workspace: Workspace, api: Watched, closed: bool) -> None:
    """What was said is not said again when Slack wants a pause in between, so that the answer comes to its end."""
    names = [f"{number:02}{'&' * 253}" for number in range(12)]
    if closed:
        workspace.closed["C1"] = "not_in_channel"
    calls = itertools.count(1)
    method = "response_url" if closed else "chat.postMessage"
    workspace.mood = lambda: "ratelimited:0" if workspace.calls[-1][0] == method and next(calls) % 4 == 0 else None
    workspace.command(start(ADDGROUP_LANGUAGE="en").url, "\n".join(f'"{name}"' for name in names))

    def told_ids() -> list[str]:
        return [found for message in tuple(workspace.messages) for found in re.findall(r"ID `(\d+)`", message.text)]

    assert workspace.wait_for(lambda: len({*told_ids()}) == 12 or len(told_ids()) > 36)
    assert Counter(told_ids()) == Counter(api.id_of(name) for name in names)
