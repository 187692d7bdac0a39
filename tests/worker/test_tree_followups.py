"""What people go on with from the answer to a tree, and how a tree shares the worker."""

import re
import threading
from copy import copy

import pytest

from bot.slack.texts import load, say
from tests.support.slack import actions, answers, told
from tests.support.tree import Watched, done, outcome
from tests.support.worker import Start
from tests.support.workspace import Message, Workspace

# Going on.

PARTLY = "A parent=5\n  B\n    C\n  D\nE\n  F"


def partly(start: Start, workspace: Workspace, api: Watched) -> tuple[str, Message]:
    """Have a tree made of which B is refused and E unknown, and return the bot's address and the answer."""
    api.fail({"B": 503, "E": "close"})
    url = start(ADDGROUP_LANGUAGE="en").url
    workspace.command(url, PARTLY)
    (answer,) = workspace.thread(done(workspace, 2, 6, unclear=1))
    api.fail({})
    return url, answer


def test_try_the_rest(start: Start, workspace: Workspace, api: Watched) -> None:
    """Only what is missing is sent, under the parents that exist, once; what is unknown and its subgroups are not."""
    url, answer = partly(start, workspace, api)
    labels = [button["text"]["text"] for button in answer.buttons]
    assert labels == [load("en")[f"button.{key}"] for key in ("rest", "look", "anyway")]
    elsewhere = copy(answer)
    for user in ("U2", "U3"):
        workspace.press(url, elsewhere, "again", user=user)
    assert told(workspace, load("en")["button.used"].format(who="<@U2>"), "U3")
    rest = answers(workspace, 2)[1]
    assert rest.thread_ts == answer.thread_ts
    heading = rest.text.splitlines()[0]
    assert heading.endswith(load("en")["via.again"].format(who="<@U2>"))
    assert outcome("en", 2, 2) in heading
    assert api.sent() == {"A": 1, "B": 2, "C": 1, "D": 1, "E": 1}
    assert api.parents() == {"Customers": "", "A": "Customers", "B": "A", "C": "B", "D": "A"}
    assert actions(rest) == []


@pytest.mark.parametrize("first", ["again", "anyway"])
def test_the_rest_and_anyway_share_the_tree(start: Start, workspace: Workspace, api: Watched, first: str) -> None:
    """What was refused is tried by one button, what is unknown by the other, each with its subgroups; none by both.

    The root goes on counting what was asked for at first.
    """
    url, answer = partly(start, workspace, api)
    workspace.press(url, answer, first)
    answers(workspace, 2)
    assert api.sent() == {"A": 1, "B": 1, "D": 1, "E": 1} | ({"B": 2, "C": 1} if first == "again" else {"E": 2, "F": 1})
    workspace.press(url, answer, "again" if first == "anyway" else "anyway")
    answers(workspace, 3)
    assert api.sent() == {"A": 1, "B": 2, "C": 1, "D": 1, "E": 2, "F": 1}
    assert api.parents()["F"] == "E"
    (root,) = workspace.roots()
    assert workspace.wait_for(lambda: root.text == "✓ `A`, `E` and 4 more *created* · for <@U1>")


def test_look_again_at_a_tree(start: Start, workspace: Workspace, api: Watched) -> None:
    """Every unknown group is looked up again under its parent's id, and nothing is sent.

    Anyway makes them and all that is missing under them, once for each try.
    """
    api.fail({"B": "close", "C": "close"})
    url = start(ADDGROUP_LANGUAGE="tr").url
    workspace.command(url, "A\n  B\n    D\n      E\n  C")
    answer = answers(workspace, 1)[0]
    assert answer.text.count(f" — {load('tr')['unknown.line']}") == 2
    late = api.add("b", api.id_of("A"))
    api.add("C")  # a main group is another one
    elsewhere = copy(answer)  # as another person's Slack shows it until the edit arrives
    workspace.press(url, answer, "look", user="U2")
    looked = answers(workspace, 2)[1]
    lines_of = dict(re.findall(r"• . `([BC])`.* — (.*)", looked.text))
    found = say("tr", "unknown.found.line", found=f"`{late.id}`")
    assert lines_of == {"B": found, "C": load("tr")["unknown.line"]}
    assert actions(looked) == ["confirm", "look", "anyway"]
    assert api.made() == 3
    api.fail({"D": "close"})
    for message in (looked, elsewhere):
        workspace.press(url, message, "anyway", user="U2")
    made = answers(workspace, 3)[2]
    assert workspace.wait_for(lambda: not (looked.buttons or answer.buttons))
    assert told(workspace, load("tr")["button.used"].format(who="<@U2>"), "U2")
    assert outcome("tr", 2, 4, unclear=1) in made.text
    assert api.sent() == {"A": 1, "B": 2, "C": 2, "D": 1}
    groups = [body["request"]["group"] for method, body in api.calls if method == "add-group"]
    assert {group["parent"] for group in groups if group["name"] in "BC"} == {api.id_of("A")}
    api.fail({})
    workspace.press(url, made, "anyway")
    answers(workspace, 4)
    assert api.sent() == {"A": 1, "B": 2, "C": 2, "D": 2, "E": 1}
    assert (api.parents()["D"], api.parents()["E"]) == ("B", "D")


# Side by side.


def test_siblings_go_side_by_side_and_parents_go_first(start: Start, workspace: Workspace, api: Watched) -> None:
    """What hangs under one group is under way together, as far as the workers go, and never before that is made."""
    api.held = True
    url = start(ADDGROUP_LANGUAGE="en", ADDGROUP_API_CALLS="4").url
    workspace.command(url, "A\n  A1\n    A11\n  A2\n  A3\n  A4\n  A5\nB\n  B1")
    assert api.wait_for(2) == {"A", "B"}
    api.let("Other")
    workspace.command(url, "Other", user="U2")  # while two turns are free
    answers(workspace, 1)
    assert set(api.arrived) == {"A", "B", "Other"}
    api.let("B")
    assert api.wait_for(4) == {"A", "B", "Other", "B1"}
    api.let("B1", "A")
    assert api.wait_for(8) == {"A", "B", "Other", "B1", "A1", "A2", "A3", "A4"}
    assert api.at_once == 4
    api.let("A4")
    assert api.wait_for(9) - {"A", "B", "Other", "B1"} == {"A1", "A2", "A3", "A4", "A5"}
    api.let("A1")
    assert "A11" in api.wait_for(10)
    api.let_all()
    done(workspace, 9, 9)
    assert api.most_at_once == 4


def test_large_trees_do_not_hold_up_a_single_command(start: Start, workspace: Workspace, api: Watched) -> None:
    """Somebody's single group is sent among the next ones, while most of another's three trees still waits.

    All of it, names to find and lost answers to look up too, shares the workers that there are.
    """
    api.held = True
    api.fail({f"{tree}{number}": "close" for tree in "ABC" for number in range(5, 15, 3)})
    url = start(ADDGROUP_LANGUAGE="en", ADDGROUP_API_CALLS="2").url
    for tree in "ABC":
        workspace.command(url, "\n".join(f"{tree}{number}" for number in range(15)))
    api.wait_for(2)
    workspace.command(url, "Single parent=customers", user="U2")
    assert workspace.wait_for(lambda: any("`Single`" in root.text for root in workspace.roots()))
    for number in range(10):
        api.let(api.arrived[number])
        if "Single" in api.wait_for(number + 3):
            break
    assert "Single" in api.arrived
    api.let("Single")
    (single,) = [root for root in workspace.roots() if "`Single`" in root.text]
    assert workspace.wait_for(lambda: bool(workspace.thread(single)))
    assert len(api.arrived) < 20
    api.delay = 0.01
    api.let_all()
    answers(workspace, 4)
    assert (api.made(), max(api.sent().values()), api.most_at_once) == (46, 1, 2)


# Restarts.


def test_a_stopped_bot_leaves_the_rest_to_the_next(start: Start, workspace: Workspace, api: Watched) -> None:
    """The next process goes on where the last one stopped: nothing is sent twice, one answer tells of all."""
    api.held = True
    running = start(ADDGROUP_LANGUAGE="en", ADDGROUP_API_CALLS="2")
    workspace.command(running.url, "A\n  B\n    C\nD\n  E\nF\nG\nH")
    api.let(min(api.wait_for(2)))
    api.wait_for(3)
    stopping = threading.Thread(target=running.stop, args=(60,))
    stopping.start()
    assert running.parts.worker.stopping.wait(30)
    api.let_all()
    stopping.join()
    before = api.sent()
    assert 3 <= len(before) < 8
    start(ADDGROUP_LANGUAGE="en")
    root = done(workspace, 8, 8)
    assert api.sent() == dict.fromkeys("ABCDEFGH", 1)
    assert [api.parents()[name] for name in "BCE"] == ["A", "B", "D"]
    assert len(workspace.thread(root)) == 1
    assert len(workspace.roots()) == 1
