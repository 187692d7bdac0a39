"""A front that is not in a hurry, and Slack's end of Socket Mode."""

from collections.abc import Callable, Iterator

import pytest

from bot.front import form
from bot.sandbox.bot import Bot
from tests.support.link import Link, link
from tests.support.workspace import Workspace


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let what Slack or the API answers come in time on a busy machine too."""
    for bound in ("SOON", "LOOKED_UP", "OPENED"):
        monkeypatch.setattr(form, bound, 30.0)


@pytest.fixture
def language() -> str:
    """Return the language of the bot at `url`; a test in both languages sets it."""
    return "en"


@pytest.fixture
def url(start: Callable[..., Bot], language: str) -> str:
    """Return the address of a bot that speaks one language."""
    return start(ADDGROUP_LANGUAGE=language).url


@pytest.fixture
def slack(workspace: Workspace) -> Iterator[Link]:
    with link(workspace) as end:
        yield end
