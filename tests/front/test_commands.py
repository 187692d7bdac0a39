"""What people do in Slack and what they see: through signed HTTP, between the stand-ins."""

import threading
from collections.abc import Callable

import pytest

from bot.model import grammar
from bot.sandbox.api import Api
from bot.sandbox.bot import Bot
from bot.slack.texts import load, say
from tests.support.outcomes import CODES
from tests.support.slack import opened, told
from tests.support.texts import part
from tests.support.workspace import Message, Workspace

Start = Callable[..., Bot]
EVIL = '"<!channel> *x* & `y`"'


def answered(workspace: Workspace) -> tuple[Message, Message]:
    """Wait for the first job's end, and return its root and its answer."""
    assert workspace.finished()
    (root,) = workspace.roots()
    (answer,) = workspace.thread(root)
    return root, answer


def test_a_group_is_made_and_answered_in_a_thread(start: Start, workspace: Workspace, api: Api) -> None:
    """The root names who asked for what; the thread has the new id; the root is edited to the result."""
    listed = api.gates["get-groups"] = threading.Event()
    reply = workspace.command(start().url, "VIP Customers parent=5")
    assert (reply.status, reply.text) == (200, "")
    assert workspace.wait_for(lambda: bool(workspace.roots()))
    listed.set()
    root, answer = answered(workspace)
    assert root.earlier == ["… `VIP Customers` *requested* under `5` · for u1"]
    assert root.text == "✓ `VIP Customers` *created* under `Customers` (`5`) · ID `97101` · for <@U1>"
    assert answer.text == "✓ `VIP Customers` *created* under `Customers` (`5`) · ID `97101`"
    assert api.groups["97101"].parent == "5"


def test_nothing_that_people_write_acts_in_slack(start: Start, workspace: Workspace) -> None:
    """A group named like a mention of everybody harms nobody, and nothing unfurls."""
    workspace.command(start().url, EVIL)
    root, answer = answered(workspace)
    assert "&lt;!channel&gt; *x* &amp; `y`" in root.text
    for message in (root, answer):
        assert "<!channel>" not in message.text
    posted = [arguments for method, arguments in workspace.calls if method == "chat.postMessage"]
    assert [(each["unfurl_links"], each["unfurl_media"]) for each in posted] == [(False, False)] * 2


def test_slacks_own_escaping_is_undone_once(start: Start, workspace: Workspace, api: Api) -> None:
    """`&amp;lt;` was typed as `&lt;`, and `&copy;` stays as it is."""
    workspace.command(start().url, '"a &amp;lt; b &lt; c &copy; d"')
    answered(workspace)
    assert api.groups["97101"].name == "a &lt; b < c &copy; d"


@pytest.mark.parametrize("language", ["en", "tr"])
def test_each_refusal_is_explained(start: Start, workspace: Workspace, api: Api, language: str) -> None:
    """Title, explanation and next step of the code in the person's language, the code, and the API's own words."""
    url = start(ADDGROUP_LANGUAGE=language).url
    for done, code in enumerate(CODES, 1):
        api.faults.append(code)
        workspace.command(url, f"VIP {code}")
        assert workspace.finished(done), code
        root, answer = workspace.roots()[-1], workspace.thread(workspace.roots()[-1])[0]
        key = "other" if code == 499 else code
        assert say(language, f"rejected.{key}.title", parent_id="“”") in root.text, code
        for piece in ("explanation", "next"):
            assert part(language, f"rejected.{key}.{piece}") in answer.text, code
        assert f"{code})\n> " in answer.text, code
        assert answer.outcome == "rejected", code


@pytest.mark.parametrize("language", ["en", "tr"])
def test_a_lost_answer_reads_as_unknown(start: Start, workspace: Workspace, api: Api, language: str) -> None:
    """The answer neither claims nor denies, and says to look before sending again."""
    faults = ("late", "lost", "half", "html", "shape", "text", "oversized")
    url = start(ADDGROUP_LANGUAGE=language, ILETIMERKEZI_TIMEOUT="2").url
    for number, fault in enumerate(faults, 1):
        api.faults.append(fault)
        workspace.command(url, f"VIP {number}")
        assert workspace.wait_for(lambda number=number: api.made() == number), fault  # type: ignore[misc]
    assert workspace.finished(len(faults))
    for root in workspace.roots():
        (answer,) = workspace.thread(root)
        assert answer.outcome == "unknown"
        assert part(language, "unknown.heading") in answer.text
        assert part(language, "unknown.root") in root.text


def test_where_the_bot_may_not_post_the_answer_comes_privately(start: Start, workspace: Workspace, api: Api) -> None:
    """A failure to post never reads as a failure to create, and says what may cure it."""
    url = start(ADDGROUP_LANGUAGE="en").url
    errors = ("not_in_channel", "channel_not_found", "is_archived", "restricted_action")
    for number, error in enumerate(errors, 1):
        workspace.closed[f"C{number}"] = error
        workspace.command(url, f"VIP {number}", channel=f"C{number}")
        message = told(workspace, f"✓ `VIP {number}` *created* · ID `9710{number}`\n")
        assert "/invite @addgroup" in message.text, error
    assert not workspace.roots()
    assert api.made() == len(errors)


def test_help_comes_in_the_language_of_the_person_even_at_first(start: Start, workspace: Workspace) -> None:
    """Before Slack has said the language, the ack is bare and the help follows; afterwards it is in the ack."""
    workspace.locales["U2"] = "tr-TR"
    url = start().url
    assert workspace.command(url, "yardım", user="U2").text == ""
    assert workspace.wait_for(lambda: bool(workspace.private("U2")))
    assert workspace.private("U2")[0].text.startswith(load("tr")["help.text"].splitlines()[0])
    assert workspace.command(url, "?", user="U2").text == workspace.private("U2")[0].text


def test_an_unknown_language_is_english_and_does_not_delay(start: Start, workspace: Workspace) -> None:
    """Slack does not say who the person is: the help comes anyway, in English."""
    url = start().url
    faults: tuple[int | str, ...] = ("missing_scope", 500, "drop")
    for number, fault in enumerate(faults):
        workspace.faults["users.info"].append(fault)
        assert workspace.command(url, "help", user=f"U{number}").text == "", fault
        assert told(workspace, load("en")["help.text"].splitlines()[0], f"U{number}")


def test_each_keyword_asks_for_permission_first(start: Start, workspace: Workspace) -> None:
    """A guest is shown how to use the command, and nothing else by any word, alone or with more behind it."""
    workspace.people["U4"] = {"is_restricted": True}
    url = start(ADDGROUP_LANGUAGE="en").url
    words = [f"{word}{more}" for word in grammar._WORDS for more in ("", " x") if grammar._WORDS[word] != "help"]
    for word in words:
        heard = len(workspace.private("U4"))
        acked = workspace.command(url, word, user="U4").text
        assert acked or workspace.wait_for(lambda: len(workspace.private("U4")) > heard), word  # noqa: B023
        assert load("en")["denied.guest.title"] in (acked or workspace.private("U4")[-1].text), word
    assert not workspace.forms


def test_the_ack_waits_for_no_other_command(start: Start, workspace: Workspace, api: Api) -> None:
    """With every worker busy in a silent API, the form opens, and help and further commands are acknowledged."""
    go = api.gates["add-group"] = threading.Event()
    bot = start(ADDGROUP_API_CALLS="1", ADDGROUP_LANGUAGE="en")
    for name in ("A", "B", "C"):
        assert workspace.command(bot.url, name).status == 200
    workspace.command(bot.url, "")
    assert opened(workspace)
    assert workspace.command(bot.url, "help").text.startswith(load("en")["help.text"].splitlines()[0])
    assert not any(m.outcome == "unknown" for m in workspace.messages), "the ack waited for the API"
    go.set()


def test_wrong_credentials_never_show(start: Start, workspace: Workspace, api: Api) -> None:
    """The answer to a 401 explains the causes and holds neither key nor hash."""
    bot = start()
    api.key = api.hash = "another"
    workspace.command(bot.url, "VIP")
    _, answer = answered(workspace)
    assert "Allow API access" in answer.text
    assert "-of-tests" not in "".join(m.text for m in workspace.messages)
