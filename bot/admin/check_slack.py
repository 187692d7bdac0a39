"""The self-check of Slack's side: the tokens and what they may do, the signing secret, the clock."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from email.utils import parsedate_to_datetime

from bot.admin.finding import OK, SKIPPED, WARNING, WRONG, Finding, chosen_from, shown, skipped
from bot.model.job import TryLater
from bot.settings import Settings
from bot.slack.client import Answer, SlackClient, SlackRefused, slack_client

SCOPES = {
    "commands": "offering /addgroup",
    "chat:write": "posting who asked for what, and the answer",
    "chat:write.public": "posting in public channels to which nobody invited the bot",
    "users:read": "knowing who somebody is and which language they read",
    "usergroups:read": "knowing who is in the user groups of ADDGROUP_MEMBERS",
}
"""What each of the manifest's scopes is needed for."""

SKEW = 300.0
"""How far apart Slack's clock and the machine's may be, in seconds: an older request counts as replayed.
Source: https://docs.slack.dev/authentication/verifying-requests-from-slack"""

_SLACK = ("SLACK_BOT_TOKEN", "SLACK_API_URL")
_SOCKET = ("SLACK_APP_TOKEN", "SLACK_API_URL")

_IN_SLACK = "At https://api.slack.com/apps, in the settings of your app, "
_BAD_TOKEN = {"invalid_auth", "not_authed", "account_inactive", "token_revoked", "token_expired", "missing_scope"}
_BAD_TOKEN |= {"not_allowed_token_type", "no_permission", "access_denied", "forbidden_team"}
_NO_SLACK = "Let this machine call SLACK_API_URL over HTTPS (firewall, HTTPS_PROXY), or see https://slack-status.com."


def token(environ: Mapping[str, str]) -> Iterator[Finding]:
    """Try the bot's token; then its scopes, the user groups of ADDGROUP_MEMBERS, and the clock against Slack's."""
    chosen = chosen_from(environ, _SLACK)
    if chosen is None or not chosen.slack_bot_token:
        yield from skipped("its settings are missing or wrong", "Slack token", "scopes", "clock")
        return
    answer, fault = _asked(slack_client(chosen), "auth.test")
    if answer is None:
        remedy = "copy OAuth & Permissions > Bot User OAuth Token again; if there is none, install the app."
        yield _refused("Slack token", fault, remedy)
        yield from skipped("Slack did not let the bot in", "scopes", "clock")
        return
    who = shown(f"workspace {answer.get('team')}, bot {answer.get('user')}", chosen.slack_bot_token)
    yield Finding(OK, "Slack token", who)
    members = chosen_from(environ, (*_SLACK, "ADDGROUP_MEMBERS"))
    usergroups = [member for member in members.members if member.startswith("S")] if members else []
    yield from _scopes(answer.headers.get("X-OAuth-Scopes", ""), usergroups)
    yield from (_usergroup(chosen, usergroup) for usergroup in usergroups)
    yield clock(answer.headers.get("Date", ""))


def _scopes(header: str, usergroups: list[str]) -> Iterator[Finding]:
    """Compare what was granted with SCOPES; what the settings make no use of may be missing."""
    granted = {scope.strip() for scope in header.split(",")}
    if not header:
        yield Finding(WARNING, "scopes", "Slack's answer does not name them", "Let no proxy drop X-OAuth-Scopes.")
        return
    add = "add {} under OAuth & Permissions > Scopes > Bot Token Scopes, then install the app again (Install App)."
    for scope, use in SCOPES.items():
        if scope in granted:
            yield Finding(OK, f"scope {scope}", "granted")
        else:
            state = WARNING if scope == "usergroups:read" and not usergroups else WRONG
            yield Finding(state, f"scope {scope}", f"missing; it is for {use}", _IN_SLACK + add.format(scope))


def _usergroup(chosen: Settings, usergroup: str) -> Finding:
    """Read a user group's members, as is done before somebody is let in."""
    part = f"user group {usergroup}"
    answer, fault = _asked(slack_client(chosen), "usergroups.users.list", usergroup=usergroup)
    if answer is None:
        remedy = "Let ADDGROUP_MEMBERS name user groups that exist; they need a paid plan of Slack and usergroups:read."
        return Finding(WRONG, part, f"cannot be read, so it lets nobody in: {fault}", remedy)
    return Finding(OK, part, f"members: {len(answer.get('users') or ())}")


def clock(date: str) -> Finding:
    """Compare the machine's clock with the Date of an answer that has just come from Slack."""
    try:
        ahead = time.time() - parsedate_to_datetime(date).timestamp()
    except ValueError:
        return Finding(SKIPPED, "clock", "Slack did not tell the time")
    text = f"{abs(ahead):.0f} s {'ahead of' if ahead > 0 else 'behind'} Slack's"
    if abs(ahead) <= SKEW:
        return Finding(OK, "clock", text)
    return Finding(
        WRONG,
        "clock",
        f"{text}; over {SKEW:.0f} s, requests are taken for replays",
        "Set it by NTP: timedatectl set-ntp true",
    )


def socket_mode(environ: Mapping[str, str]) -> Iterator[Finding]:
    """Ask for the address of a connection, without opening one."""
    part = "Socket Mode token"
    chosen = chosen_from(environ, _SOCKET)
    if chosen is None:
        yield from skipped("its settings are wrong", part)
    elif not chosen.socket_mode:
        yield from skipped("SLACK_APP_TOKEN is not set, so this is HTTP mode", part)
    else:
        app = SlackClient(chosen.slack_app_token, chosen.slack_api_url)
        _, fault = _asked(app, "apps.connections.open")
        remedy = (
            "make a token under Basic Information > App-Level Tokens with the scope connections:write, set it as "
            "SLACK_APP_TOKEN, and see that Socket Mode is switched on."
        )
        yield _refused(part, fault, remedy) if fault else Finding(OK, part, "a connection may be opened")


def signing_secret(environ: Mapping[str, str]) -> Iterator[Finding]:
    """Tell whether there is a signing secret; the settings have judged its shape, which is all that can be seen."""
    part = "signing secret"
    chosen = chosen_from(environ, ("SLACK_SIGNING_SECRET", "SLACK_APP_TOKEN"))
    if chosen and chosen.socket_mode:
        yield from skipped("Socket Mode needs none", part)
    elif chosen is None or not chosen.slack_signing_secret:
        yield from skipped("it is missing or wrong in the settings", part)
    elif chosen.odd_signing_secret:
        remedy = _IN_SLACK + "copy Basic Information > App Credentials > Signing Secret again."
        yield Finding(WARNING, part, "is not 32 hexadecimal digits, as Slack's are", remedy)
    else:
        yield Finding(OK, part, "has the right shape; only a request from Slack can prove it")


def _refused(part: str, fault: str, remedy: str) -> Finding:
    if fault in _BAD_TOKEN:
        return Finding(WRONG, part, f"Slack says {fault}", _IN_SLACK + remedy)
    return Finding(WRONG, part, f"no usable answer: {fault}", _NO_SLACK)


def _asked(slack: SlackClient, method: str, **arguments: str) -> tuple[Answer | None, str]:
    """Call a method of Slack's Web API; return its answer, or None and what went wrong."""
    try:
        return slack.call(method, **arguments), ""
    except SlackRefused as error:
        fault = error.error
    except TryLater as error:
        fault = error.why
    finally:
        slack.close()
    return None, "what answers at SLACK_API_URL is not Slack" if fault == "http_200" else fault
