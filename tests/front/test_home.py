"""The Home tab, through signed HTTP: what it shows, and a group that was asked for on it."""

import pytest

from bot.slack.texts import load
from tests.support.provider import Api
from tests.support.slack import Start, opened
from tests.support.workspace import Workspace


def texts(workspace: Workspace, user: str = "U1") -> str:
    """Wait for somebody's Home tab, and return what is on it."""
    assert workspace.wait_for(lambda: user in workspace.homes)
    blocks = workspace.homes[user]["blocks"]
    shown = [
        element["text"]["text"]
        for block in blocks
        for element in (block, *block.get("elements", ()))
        if "text" in element
    ]
    return "\n".join(shown)


@pytest.mark.parametrize(("language", "locale"), [("en", "en-US"), ("tr", "tr-TR")])
def test_a_group_that_is_asked_for_on_home_is_answered_as_a_direct_message(
    start: Start, workspace: Workspace, api: Api, language: str, locale: str
) -> None:
    """The tab says what the bot does, in the reader's language; its button opens the form."""
    workspace.locales["U1"] = locale
    url = start(ADDGROUP_CONTACT="U0HELP").url
    assert workspace.home(url).status == 200
    shown = texts(workspace)
    assert all(load(language)[f"home.{key}"] in shown for key in ("about", "begin", "new"))
    assert "<@U0HELP>" in shown
    assert workspace.press_home(url).status == 200
    workspace.submit(url, opened(workspace), name="VIP")
    assert workspace.wait_for(lambda: len(workspace.messages) == 2)
    root, answer = workspace.messages
    assert (root.channel, answer.channel, answer.thread_ts, answer.outcome) == ("U1", "U1", root.ts, "created")
    assert api.made() == 1
    assert [method for method, _ in workspace.calls].count("views.publish") == 1


def test_home_names_the_channels_where_there_are_some(start: Start, workspace: Workspace) -> None:
    """Instead of the button, which would be refused; who presses an old one is told so."""
    url = start(ADDGROUP_CHANNELS="C1,C2", ADDGROUP_LANGUAGE="en").url
    workspace.home(url)
    assert "<#C1>, <#C2>" in texts(workspace)
    assert not any(load("en")[f"home.{key}"] in texts(workspace) for key in ("begin", "new"))
    workspace.press_home(url)
    assert workspace.wait_for(lambda: bool(workspace.messages))
    assert load("en")["denied.channel.title"] in workspace.messages[0].text
    assert workspace.messages[0].channel == "U1"
