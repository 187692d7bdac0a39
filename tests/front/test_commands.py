"""What people do in Slack and what they see: through signed HTTP, between the stand-ins."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from bot.sandbox.api import Api
from bot.sandbox.bot import Bot
from bot.slack.texts import load, say
from tests.support.outcomes import CODES
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
    reply = workspace.command(start().url, "VIP Customers parent=5")
    assert (reply.status, reply.text) == (200, "")
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
@pytest.mark.parametrize("code", CODES)
def test_each_refusal_is_explained(start: Start, workspace: Workspace, api: Api, code: int, language: str) -> None:
    """Title, explanation and next step of the code in the person's language, the code, and the API's own words."""
    api.faults.append(code)
    workspace.command(start(ADDGROUP_LANGUAGE=language).url, "VIP")
    root, answer = answered(workspace)
    key = "other" if code == 499 else code
    assert say(language, f"rejected.{key}.title", parent_id="“”") in root.text
    for piece in ("explanation", "next"):
        assert part(language, f"rejected.{key}.{piece}") in answer.text
    assert f"{code})\n> " in answer.text
    assert answer.outcome == "rejected"


@pytest.mark.parametrize("language", ["en", "tr"])
def test_a_refused_connection_reads_as_not_created(start: Start, workspace: Workspace, language: str) -> None:
    """Nothing was sent, so the answer says that nothing was created and to try again."""
    bot = start(ADDGROUP_LANGUAGE=language, ILETIMERKEZI_API_URL="http://127.0.0.1:1/v1")
    workspace.command(bot.url, "VIP")
    root, answer = answered(workspace)
    assert answer.outcome == "not_sent"
    assert load(language)["not_sent.title"] in root.text
    assert part(language, "not_sent.next") in answer.text


@pytest.mark.parametrize("language", ["en", "tr"])
@pytest.mark.parametrize("fault", ["late", "lost", "half", "html", "shape", "text", "oversized"])
def test_a_lost_answer_reads_as_unknown(
    start: Start, workspace: Workspace, api: Api, fault: str, language: str
) -> None:
    """The answer neither claims nor denies, and says to look before sending again."""
    api.faults.append(fault)
    workspace.command(start(ADDGROUP_LANGUAGE=language).url, "VIP")
    root, answer = answered(workspace)
    assert answer.outcome == "unknown"
    assert part(language, "unknown.heading") in answer.text
    assert part(language, "unknown.root") in root.text
    assert api.made() == 1


@pytest.mark.parametrize("error", ["not_in_channel", "channel_not_found", "is_archived", "restricted_action"])
def test_where_the_bot_may_not_post_the_answer_comes_privately(
    start: Start, workspace: Workspace, api: Api, error: str
) -> None:
    """A failure to post never reads as a failure to create, and says how to cure it where that is possible."""
    workspace.closed["C1"] = error
    workspace.command(start().url, "VIP")
    assert workspace.wait_for(lambda: bool(workspace.private()))
    (message,) = workspace.private()
    assert message.text.startswith("✓ `VIP` *created* · ID `97101`\n")
    assert ("/invite @addgroup" in message.text) == (error in ("not_in_channel", "channel_not_found"))
    assert not workspace.roots()
    assert api.made() == 1


def test_help_comes_in_the_language_of_the_person_even_at_first(start: Start, workspace: Workspace) -> None:
    """Before Slack has said the language, the ack is bare and the help follows; afterwards it is in the ack."""
    workspace.locales["U2"] = "tr-TR"
    url = start().url
    assert workspace.command(url, "yardım", user="U2").text == ""
    assert workspace.wait_for(lambda: bool(workspace.private("U2")))
    assert workspace.private("U2")[0].text.startswith(load("tr")["help.text"].splitlines()[0])
    assert workspace.command(url, "?", user="U2").text == workspace.private("U2")[0].text


@pytest.mark.parametrize("fault", ["missing_scope", 500, "drop"])
def test_an_unknown_language_is_english_and_does_not_delay(
    start: Start, workspace: Workspace, fault: int | str
) -> None:
    """Slack does not say who the person is: the help comes anyway, in English."""
    workspace.faults["users.info"].append(fault)
    assert workspace.command(start().url, "help").text == ""
    assert workspace.wait_for(lambda: bool(workspace.private()))
    assert workspace.private()[0].text.startswith(load("en")["help.text"].splitlines()[0])


def test_the_language_is_asked_once_an_hour(start: Start, workspace: Workspace) -> None:
    """Two commands of one person cost one users.info."""
    url = start().url
    for done in (1, 2):
        workspace.command(url, f"Group {done}")
        assert workspace.finished(done)
    assert [method for method, _ in workspace.calls].count("users.info") == 1


def test_the_ack_waits_for_no_other_command(start: Start, workspace: Workspace, api: Api) -> None:
    """With every worker busy in a silent API, help and further commands are acknowledged anyway."""
    api.faults.extend(["silence"] * 3)
    bot = start(ADDGROUP_API_CALLS="1", ADDGROUP_LANGUAGE="en")
    for name in ("A", "B", "C"):
        assert workspace.command(bot.url, name).status == 200
    assert workspace.command(bot.url, "help").text.startswith(load("en")["help.text"].splitlines()[0])
    assert not any(m.outcome == "unknown" for m in workspace.messages), "the ack waited for the API"


def test_wrong_credentials_never_show(start: Start, workspace: Workspace, api: Api) -> None:
    """The answer to a 401 explains the causes and holds neither key nor hash."""
    bot = start()
    api.key = api.hash = "another"
    workspace.command(bot.url, "VIP")
    _, answer = answered(workspace)
    assert "Allow API access" in answer.text
    assert "-of-tests" not in "".join(m.text for m in workspace.messages)
