"""A client of Slack's stand-in."""

import pytest

from bot.slack.client import SlackClient
from tests.support.peer import AMPLE
from tests.support.workspace import BOT_TOKEN, Workspace


@pytest.fixture
def slack(workspace: Workspace) -> SlackClient:
    return SlackClient(BOT_TOKEN, f"{workspace.url}/api/", AMPLE)
