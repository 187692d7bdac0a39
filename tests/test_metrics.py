"""The metrics of a real bot: what it counts, also when the journal is gone."""

import math
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests
from prometheus_client.parser import text_string_to_metric_families

from bot.model.outcome import OUTCOMES
from bot.sandbox.api import Api
from tests.support.link import Link, link
from tests.support.served import Served, free_port
from tests.support.until import until
from tests.support.workspace import APP_TOKEN, Workspace

ROOT = Path(__file__).parents[1]

Values = dict[tuple[str, frozenset[tuple[str, str]]], float]
"""The samples of a page, by name and labels."""


class Scraped:
    """A bot with metrics, and its page."""

    def __init__(self, workspace: Workspace, api: Api, directory: Path, **more: str) -> None:
        self.workspace = workspace
        self.port = free_port()
        self.served = Served(workspace, api, directory, **{"METRICS_PORT": str(self.port), **more})

    def page(self) -> str:
        return requests.get(f"http://127.0.0.1:{self.port}/metrics", timeout=30).text

    def values(self) -> Values:
        families = text_string_to_metric_families(self.page())
        return {(s.name, frozenset(s.labels.items())): s.value for family in families for s in family.samples}

    def value(self, name: str, **labels: str) -> float | None:
        return self.values().get((name, frozenset(labels.items())))

    def wait_for(self, true: Callable[[], bool]) -> None:
        until(true, failed=lambda: self.page() + self.served.log.read_text())

    def command(self, text: str) -> None:
        assert self.workspace.command(self.served.url, text).status == 200


Start = Callable[..., Scraped]


@pytest.fixture
def start(workspace: Workspace, api: Api, tmp_path: Path) -> Iterator[Start]:
    """Return a function that starts a bot with metrics; keyword arguments are further variables."""
    started: list[Scraped] = []

    def _start(**more: str) -> Scraped:
        started.append(Scraped(workspace, api, tmp_path, **more))
        return started[-1]

    yield _start
    for scraped in started:
        scraped.served.kill()


@pytest.fixture
def slack(workspace: Workspace) -> Iterator[Link]:
    with link(workspace) as opened:
        yield opened


def test_each_group_is_counted_once(start: Start, api: Api) -> None:
    """By its outcome, from zero on; so are acknowledgements and calls."""
    bot = start()
    assert {bot.value("addgroup_groups_total", outcome=state) for state in OUTCOMES} == {0}
    bot.command("A")
    bot.wait_for(lambda: bot.value("addgroup_groups_total", outcome="created") == 1)
    api.mood = lambda: 463
    bot.command("Refused")
    bot.wait_for(lambda: bot.value("addgroup_groups_total", outcome="rejected") == 1)
    api.mood = lambda: None
    api.faults.append("close")
    bot.command("Lost")
    bot.wait_for(lambda: bot.value("addgroup_groups_total", outcome="unknown") == 1)
    bot.wait_for(lambda: bot.value("addgroup_open_jobs") == 0)
    assert bot.value("addgroup_acknowledgement_seconds_count") == 3
    assert bot.value("addgroup_api_call_seconds_count", method="add-group") == 3
    assert bot.served.stop() == 0


def test_what_waits_and_what_slack_refuses(start: Start, workspace: Workspace) -> None:
    """The oldest open job's age grows while Slack refuses the answer; nothing that people typed or are called shows."""
    bot = start()
    assert bot.value("addgroup_oldest_open_job_seconds") == 0
    workspace.faults["chat.postMessage"] += ["internal_error"] * 3 + ["is_archived"]
    began = time.monotonic()
    bot.command("Secret-Customers")
    bot.wait_for(lambda: (bot.value("addgroup_oldest_open_job_seconds") or 0) > 1)
    assert (bot.value("addgroup_oldest_open_job_seconds") or 0) <= time.monotonic() - began
    bot.wait_for(lambda: bot.value("addgroup_open_jobs") == 0)
    assert bot.value("addgroup_oldest_open_job_seconds") == 0
    refused = {"internal_error": 3, "is_archived": 1}
    post = "chat.postMessage"
    assert {
        reason: bot.value("addgroup_slack_refusals_total", method=post, reason=reason) for reason in refused
    } == refused
    page = bot.page()
    assert not [word for word in ("Secret", "U1", "C1", "xoxb", "/response/") if word in page]


def test_without_a_journal_the_page_still_answers(start: Start, tmp_path: Path) -> None:
    """It says that the journal cannot be read, counts that, and shows the rest."""
    bot = start(DATABASE_URL=f"sqlite:///{tmp_path}/journal.db")
    assert bot.value("addgroup_journal_up") == 1
    (tmp_path / "journal.db").rename(tmp_path / "away.db")
    bot.wait_for(lambda: bot.value("addgroup_journal_up") == 0)
    bot.wait_for(lambda: (bot.value("addgroup_journal_errors_total") or 0) > 0)
    assert math.isnan(bot.value("addgroup_open_jobs") or 0)
    assert bot.value("addgroup_groups_total", outcome="created") == 0


def test_a_lost_socket_mode_connection_is_shown(start: Start, workspace: Workspace, slack: Link) -> None:
    """While Slack cannot be reached, and no longer."""
    bot = start(SLACK_APP_TOKEN=APP_TOKEN)
    bot.wait_for(lambda: bot.value("addgroup_socket_mode_lost") == 0)
    workspace.faults["apps.connections.open"] += ["internal_error"] * 1000
    slack.drop()
    bot.wait_for(lambda: bot.value("addgroup_socket_mode_lost") == 1)
    workspace.faults["apps.connections.open"].clear()
    bot.wait_for(lambda: bot.value("addgroup_socket_mode_lost") == 0)
