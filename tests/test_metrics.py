"""The metrics of a real bot: what it counts, also when the journal is gone."""

import math
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
import requests
from prometheus_client.parser import text_string_to_metric_families

from bot.model.outcome import OUTCOMES
from tests.support.link import link
from tests.support.provider import Api
from tests.support.served import Served, free_port
from tests.support.until import until
from tests.support.workspace import APP_TOKEN, Workspace


class Scraped(Served):
    """A bot with metrics, and its page."""

    def __init__(self, workspace: Workspace, api: Api, directory: Path, **more: str) -> None:
        self.metrics = free_port()
        super().__init__(workspace, api, directory, **{"METRICS_PORT": str(self.metrics), **more})

    def page(self) -> str:
        return requests.get(f"http://127.0.0.1:{self.metrics}/metrics", timeout=30).text

    def value(self, name: str, **labels: str) -> float:
        families = text_string_to_metric_families(self.page())
        (value,) = (s.value for each in families for s in each.samples if (s.name, s.labels) == (name, labels))
        return float(value)

    def wait_for(self, expected: float, name: str, **labels: str) -> None:
        until(lambda: self.value(name, **labels) == expected, failed=lambda: self.page() + self.log.read_text())


Start = Callable[..., Scraped]


@pytest.fixture
def start(workspace: Workspace, api: Api, tmp_path: Path) -> Iterator[Start]:
    """Return a function that starts a bot with metrics; keyword arguments are further variables."""
    yield partial(Scraped, workspace, api, tmp_path)
    for served in tuple(Served.running):
        served.kill()


def test_what_is_counted(start: Start, workspace: Workspace, api: Api) -> None:
    """Each group once, by its outcome, from zero on; acknowledgements and calls; what waits, and what Slack refuses.

    The oldest open job's age grows while Slack refuses the answer. Nothing that people typed or are called shows.
    """
    bot = start()
    assert {bot.value("addgroup_groups_total", outcome=state) for state in OUTCOMES} == {0}
    faults: dict[str, list[int | str]] = {"created": [], "rejected": [401], "unknown": ["close"]}
    for state, fault in faults.items():
        api.faults.extend(fault)
        workspace.command(bot.url, f"Secret-{state}")
        bot.wait_for(1, "addgroup_groups_total", outcome=state)
    bot.wait_for(0, "addgroup_open_jobs")
    assert bot.value("addgroup_oldest_open_job_seconds") == 0
    workspace.faults["chat.postMessage"] += ["internal_error"] * 3 + ["is_archived"]
    workspace.command(bot.url, "Secret-Customers")
    until(lambda: bot.value("addgroup_oldest_open_job_seconds") > 1)
    bot.wait_for(0, "addgroup_open_jobs")
    for reason, count in {"internal_error": 3, "is_archived": 1}.items():
        assert bot.value("addgroup_slack_refusals_total", method="chat.postMessage", reason=reason) == count
    assert bot.value("addgroup_acknowledgement_seconds_count") == 4
    assert bot.value("addgroup_api_call_seconds_count", method="add-group") == 4
    assert requests.post(f"{bot.url}/slack/events", timeout=30).status_code == 401
    assert bot.value("addgroup_api_refusals_total", code="401") == bot.value("addgroup_unsigned_requests_total") == 1
    page = bot.page()
    assert not [word for word in ("Secret", "U1", "C1", "xoxb", "/response/") if word in page]


def test_without_a_journal_the_page_still_answers(start: Start, tmp_path: Path) -> None:
    """It says that the journal cannot be read, counts that, and shows the rest."""
    bot = start(DATABASE_URL=f"sqlite:///{tmp_path}/journal.db")
    assert bot.value("addgroup_journal_up") == 1
    (tmp_path / "journal.db").rename(tmp_path / "away.db")
    bot.wait_for(0, "addgroup_journal_up")
    until(lambda: bot.value("addgroup_journal_errors_total") > 0)
    assert math.isnan(bot.value("addgroup_open_jobs"))
    assert bot.value("addgroup_groups_total", outcome="created") == 0


def test_a_lost_socket_mode_connection_is_shown(start: Start, workspace: Workspace) -> None:
    """While Slack cannot be reached, and no longer."""
    with link(workspace) as slack:
        bot = start(SLACK_APP_TOKEN=APP_TOKEN)
        bot.wait_for(0, "addgroup_socket_mode_lost")
        workspace.faults["apps.connections.open"] += ["internal_error"] * 1000
        slack.drop()
        bot.wait_for(1, "addgroup_socket_mode_lost")
        workspace.faults["apps.connections.open"].clear()
        bot.wait_for(0, "addgroup_socket_mode_lost")
