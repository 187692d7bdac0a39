"""Names of variables that are almost right: pointed out, and refused where they may be meant as a restriction."""

from __future__ import annotations

import pytest

from bot.settings import SECRETS, VARIABLES, SettingsError, UnknownVariable, read, unknown


@pytest.mark.parametrize(
    "name",
    [
        "ADDGROUP_MEMBER",
        "ADDGROUP_MEMBRES",
        "ADDGROUP_MEMBERS_FILE",
        "ADDGROUP_MEMBERS_IDS",
        "ADDGROUP_CHANEL",
        "ADDGROUP_CHANNEL",
        "ADDGROUP_CHANNEL_IDS",
        "ADDGROUP_ALLOWED_CHANNELS",
        "ADDGROUP_ALLOWED_USERS",
        "ADDGROUP_USERS",
        "ADDGROUP_ADMINS",
        "ADDGROUP_WHITELIST",
        "addgroup_members",
        "Addgroup_Channels",
        "ADD_GROUP_MEMBERS",
        "ADDGRUP_MEMBERS",
        "ADDGROUPS_CHANNELS",
    ],
)
def test_what_may_be_meant_as_a_restriction(name: str) -> None:
    """To ignore it would let everybody in, so it is refused by its name, without its value."""
    with pytest.raises(SettingsError) as raised:
        read({name: "hidden"}, slack=False, api=False)
    (problem,) = raised.value.problems
    assert problem.startswith(f"{name} is not a variable of this bot.")
    assert "ADDGROUP_MEMBERS" in problem or "ADDGROUP_CHANNELS" in problem
    assert "hidden" not in problem


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("SLACK_TOKEN", "SLACK_BOT_TOKEN"),
        ("SLACK_BOT_TOKN", "SLACK_BOT_TOKEN"),
        ("SLACK_SIGNING_SECRETS", "SLACK_SIGNING_SECRET"),
        ("ILETIMERKEZI_KEY", "ILETIMERKEZI_API_KEY"),
        ("ILETIMERKEZI_TIME_OUT", "ILETIMERKEZI_TIMEOUT"),
        ("ADDGROUP_LANG", "ADDGROUP_LANGUAGE"),
        ("ADDGROUP_AUDIT_CHANNELS", "ADDGROUP_AUDIT_CHANNEL"),
        ("ADDGROUP_LANGUAGE_FILE", "ADDGROUP_LANGUAGE"),
        ("ADDGROUP_WORKERS", ""),
        ("SLACK_WEBHOOK", ""),
    ],
)
def test_what_is_pointed_out(name: str, nearest: str) -> None:
    """Any other name that looks like the bot's is pointed out, with the one that is perhaps meant."""
    assert unknown({name: "1"}) == [UnknownVariable(name, nearest)]
    assert read({name: "1"}, slack=False, api=False) == read({}, slack=False, api=False)


@pytest.mark.parametrize(
    "name",
    [
        *VARIABLES,
        *(f"{secret}_FILE" for secret in SECRETS),
        "SLACK_CLIENT_ID",
        "PATH",
        "MEMBERS",
        "ADDGROUP_SERVICE_HOST",
        "ADDGROUP_SERVICE_PORT_HTTP",
        "ADDGROUP_PORT",
        "ADDGROUP_PORT_3000_TCP_ADDR",
    ],
)
def test_what_is_let_be(name: str) -> None:
    """Names that are known, that are somebody else's, or that Kubernetes sets for a service called addgroup."""
    assert unknown({name: "1"}) == []


def test_what_is_empty_is_not_set() -> None:
    """An empty variable restricts nothing, so a wrong name does no harm."""
    assert unknown({"ADDGROUP_MEMBER": " "}) == []
