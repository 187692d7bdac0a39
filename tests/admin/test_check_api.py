"""The self-check of the provider's side: broken for real, and what it says then."""

from __future__ import annotations

import socket

import pytest

from bot.sandbox.api import Api
from bot.sandbox.loopback import Answer, Request
from tests.support.check import Checked


def test_a_wrong_hash(environ: dict[str, str]) -> None:
    """All three reasons behind a 401; what would end in the same is not tried."""
    checked = Checked({**environ, "ILETIMERKEZI_API_HASH": "wrong"})
    assert (checked.status, checked.wrong) == (1, ["iletiMerkezi credentials"])
    line = checked.lines["iletiMerkezi credentials"]
    assert "401" in line.text
    assert all(reason in line.remedy for reason in ("Allow API access", "hash", "fixed IP"))
    assert checked.states("get-groups", "add-group") == ["skipped", "skipped"]


@pytest.mark.parametrize(
    ("fault", "told", "remedy"),
    [
        (404, "404", "ILETIMERKEZI_API_URL"),
        (402, "402", "balance"),
        (503, "503", "later"),
        (499, "499", "support"),
        ("html", "server_error", "later"),
        ("text", "unreadable", "ILETIMERKEZI_API_URL"),
        ("silence", "timeout", "ILETIMERKEZI_TIMEOUT"),
    ],
)
def test_an_api_that_answers_otherwise(
    environ: dict[str, str], api: Api, fault: int | str, told: str, remedy: str
) -> None:
    """Each way to fail has its own remedy."""
    api.faults.append(fault)
    checked = Checked(environ)
    assert checked.wrong == ["iletiMerkezi credentials"]
    line = checked.lines["iletiMerkezi credentials"]
    assert told in line.text
    assert remedy in line.remedy


def test_an_api_that_cannot_be_reached(environ: dict[str, str], refusing: str) -> None:
    """It is the address or the network, not the credentials."""
    checked = Checked({**environ, "ILETIMERKEZI_API_URL": refusing})
    assert checked.wrong == ["iletiMerkezi credentials"]
    line = checked.lines["iletiMerkezi credentials"]
    assert "unreachable" in line.text
    assert "firewall" in line.remedy


@pytest.mark.parametrize("fault", [401, 404, "text"])
def test_get_groups_missing(environ: dict[str, str], api: Api, fault: int | str) -> None:
    """A warning that says what is lost: groups can still be made."""
    api.mood = lambda: fault if api.calls[-1][0] == "get-groups" else None
    checked = Checked(environ)
    assert (checked.status, checked.states("get-groups", "add-group")) == (0, ["warning", "ok"])
    line = checked.lines["get-groups"]
    assert all(lost in line.text for lost in ("by name", "suggested", "looked up"))
    assert "representative" in line.remedy


@pytest.mark.parametrize(
    ("fault", "remedy"), [(404, "representative"), (401, "representative"), (402, "balance"), ("text", "answers")]
)
def test_add_group_missing(environ: dict[str, str], api: Api, fault: int | str, remedy: str) -> None:
    """The one method that the bot is for does not answer this account."""
    api.mood = lambda: fault if api.calls[-1][0] == "add-group" else None
    checked = Checked(environ)
    assert (checked.status, checked.wrong) == (1, ["add-group"])
    assert remedy in checked.lines["add-group"].remedy


def test_add_group_that_makes_a_group_all_the_same(environ: dict[str, str], api: Api) -> None:
    """Against all documentation; then the check says which group to remove."""

    class Careless(Api):
        def respond(self, request: Request, connection: socket.socket) -> Answer | None:
            if "add-group" not in request.path:
                return super().respond(request, connection)
            return Answer(200, b'{"response": {"status": {"code": 200}, "group": {"id": 97199}}}')

    with Careless(api.key, api.hash) as careless:
        checked = Checked({**environ, "ILETIMERKEZI_API_URL": f"{careless.url}/v1"})
    assert checked.wrong == ["add-group"]
    assert "97199" in checked.lines["add-group"].remedy
