"""The alert rules and the page that explains them, against what the bot counts."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml

from bot.model.outcome import OUTCOMES
from tests.support.pages import PAGES, ROOT, tables
from tests.support.provider import Api
from tests.support.served import Served, free_port
from tests.support.workspace import Workspace

RULES: list[dict[str, Any]] = [
    rule for group in yaml.safe_load((ROOT / "docs/alerts.yml").read_text())["groups"] for rule in group["rules"]
]
LISTED = {
    name: set(re.findall(r"`(\w+)`", labels))
    for table in tables(PAGES["docs/operate.md"])
    for first, labels, *_ in table
    for name in re.findall(r"`(addgroup_\w+)`", first)
}
"""The metrics that the page lists, with their labels."""


def test_the_page_lists_what_the_bot_counts(workspace: Workspace, api: Api, tmp_path: Path) -> None:
    """Every name with its labels, and no other; the rules use those names, and an outcome that there is."""
    port = free_port()
    served = Served(workspace, api, tmp_path, METRICS_PORT=str(port))
    try:
        workspace.faults["chat.postMessage"].append("internal_error")
        assert workspace.command(served.url, "A").status == 200
        assert workspace.wait_for(lambda: any(m.outcome == "created" for m in workspace.messages))
        page = requests.get(f"http://127.0.0.1:{port}/metrics", timeout=30).text
    finally:
        served.stop()
    found = {name: set[str]() for name in re.findall(r"^# TYPE (\w+)", page, re.MULTILINE)}
    for name, labels in re.findall(r"^(\w+)(?:\{(.*)\})? ", page, re.MULTILINE):
        family = name if name in found else re.sub("_(bucket|count|sum)$", "", name)
        found[family] |= set(re.findall(r"(\w+)=", labels)) - {"le"}
    assert found == LISTED
    for rule in RULES:
        assert set(re.findall(r"addgroup_\w+?(?=_count\b|\b)", rule["expr"])) <= set(found)
        assert set(re.findall(r'outcome="(\w+)"', rule["expr"])) <= set(OUTCOMES)


def test_each_alert_says_what_to_do() -> None:
    """The alert itself says what is wrong and what to do, and names pages that there are."""
    for rule in RULES:
        assert rule["annotations"].keys() == {"summary", "action"}, rule["alert"]
        for page in re.findall(r"docs/\S+\.md", rule["annotations"]["action"]):
            assert page in PAGES


@pytest.mark.skipif(not shutil.which("promtool"), reason="needs promtool, of the package prometheus")
def test_the_rules_fire_when_they_should() -> None:
    """Prometheus itself reads the rules, and fires each in the courses of values of alerts_test.yml."""
    for command in (["check", "rules", "docs/alerts.yml"], ["test", "rules", "tests/docs/alerts_test.yml"]):
        ended = subprocess.run(["promtool", *command], cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603, S607
        assert ended.returncode == 0, ended.stdout + ended.stderr
