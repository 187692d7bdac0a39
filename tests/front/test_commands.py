"""What people do in Slack and what they see: through signed HTTP, between the stand-ins."""

import threading

from bot.model import grammar
from bot.slack.texts import load
from tests.support.provider import Api
from tests.support.slack import Start, opened, told
from tests.support.workspace import Message, Workspace


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


def test_nothing_that_people_write_acts_in_slack(start: Start, workspace: Workspace, api: Api) -> None:
    """A group named like a mention of everybody harms nobody, and nothing unfurls.

    Slack's own escaping is undone once: `&amp;lt;` was typed as `&lt;`, and `&copy;` stays as it is.
    """
    workspace.command(start().url, '"<!channel> *x* & `y` &amp;lt; &lt; &copy;"')
    for message in answered(workspace):
        assert "&lt;!channel&gt; *x* &amp; `y` &amp;lt; &lt; &amp;copy;" in message.text
    posted = [arguments for method, arguments in workspace.calls if method == "chat.postMessage"]
    assert [(each["unfurl_links"], each["unfurl_media"]) for each in posted] == [(False, False)] * 2
    assert api.groups["97101"].name == "<!channel> *x* & `y` &lt; < &copy;"


def test_where_the_bot_may_not_post_the_answer_comes_privately(url: str, workspace: Workspace, api: Api) -> None:
    """A failure to post never reads as a failure to create, and says what may cure it."""
    errors = ("not_in_channel", "channel_not_found", "is_archived", "restricted_action")
    for number, error in enumerate(errors, 1):
        workspace.closed[f"C{number}"] = error
        workspace.command(url, f"VIP {number}", channel=f"C{number}")
        message = told(workspace, f"✓ `VIP {number}` *created* · ID `9710{number}`\n")
        assert "/invite @addgroup" in message.text, error
    assert not workspace.roots()
    assert api.made() == len(errors)


def test_help_comes_in_the_language_of_the_person_even_at_first(start: Start, workspace: Workspace) -> None:
    """Before Slack has said the language, the ack is bare and the help follows, in English where Slack does not say.

    Afterwards it is in the ack.
    """
    workspace.locales["U0"] = "tr-TR"
    url = start().url
    faults: tuple[tuple[int | str, str], ...] = (("", "tr"), ("missing_scope", "en"), (500, "en"), ("drop", "en"))
    for number, (fault, language) in enumerate(faults):
        workspace.faults["users.info"].append(fault)
        assert workspace.command(url, "yardım", user=f"U{number}").text == "", fault
        assert told(workspace, load(language)["help.text"].splitlines()[0], f"U{number}")
    assert workspace.command(url, "?", user="U0").text == workspace.private("U0")[0].text


def test_each_keyword_asks_for_permission_first(url: str, workspace: Workspace) -> None:
    """A guest is shown how to use the command, and nothing else by any word, alone or with more behind it.

    Neither does the shortcut open the form.
    """
    workspace.people["U4"] = {"is_restricted": True}
    words = [f"{word}{more}" for word in grammar._WORDS for more in ("", " x") if grammar._WORDS[word] != "help"]
    for word in (*words, "the shortcut"):
        heard = len(workspace.private("U4"))
        if word == "the shortcut":
            acked = workspace.shortcut(url, workspace.say("VIP"), user="U4").text
        else:
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
