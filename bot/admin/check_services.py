"""The self-check of what the bot calls: Slack, its tokens and its clock; iletiMerkezi, its credentials and methods."""

from __future__ import annotations

import time
import tomllib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from functools import cache
from importlib.resources import files

from bot.iletimerkezi.client import ApiError, Client, NotSent, Rejected
from bot.model.job import TryLater
from bot.settings import Settings
from bot.slack.client import BAD_TOKEN, Answer, SlackClient, SlackRefused, slack_client

OK, WRONG, WARNING, SKIPPED = "ok", "WRONG", "warning", "skipped"


@dataclass(frozen=True)
class Finding:
    """What was found of one part: its state (ok, WRONG, warning or skipped), in words, and how to fix it."""

    state: str
    part: str
    text: str
    remedy: str = ""


def shown(text: str, *secrets: str) -> str:
    """Return foreign text on one line, printable, without secrets, and not too long."""
    text = hidden(text, secrets)
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())[:300]


def hidden(text: str, secrets: Iterable[str]) -> str:
    """Return text without secrets; what is shorter than four characters stands in many texts by chance."""
    for secret in secrets:
        text = text.replace(secret, "…") if len(secret) > 3 else text
    return text


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

NO_PARENT = "-1"
"""The id of no group, so that a group asked for under it cannot be made."""


@cache
def remedies(part: str) -> dict[str, str]:
    """Return how to fix what is found in a part: "slack", "way", "api" or "database"."""
    text = files(__package__).joinpath("remedies.toml").read_text(encoding="utf-8")
    found: dict[str, str] = tomllib.loads(text)[part]
    return found


def _slack(chosen: Settings) -> Iterator[Finding]:
    """Try the bot's token; then its scopes, and the clock against Slack's."""
    if not chosen.slack_bot_token:
        yield Finding(SKIPPED, "Slack token", "there is none")
        return
    answer, fault = _asked(slack_client(chosen), "auth.test")
    if answer is None:
        yield _refused("Slack token", fault, remedies("slack")["bot_token"])
        return
    who = shown(f"workspace {answer.get('team')}, bot {answer.get('user')}", chosen.slack_bot_token)
    yield Finding(OK, "Slack token", who)
    yield from _scopes(answer.headers.get("X-OAuth-Scopes", ""))
    yield Finding(SKIPPED, "Messages tab", "Slack does not tell; an app made before 0.3.0 needs the new manifest")
    yield clock(answer.headers.get("Date", ""))


def _scopes(header: str) -> Iterator[Finding]:
    """Compare what was granted with SCOPES; that of user groups may be missing where none is named."""
    granted = {scope.strip() for scope in header.split(",")}
    if not header:
        yield Finding(WARNING, "scopes", "Slack's answer does not name them", remedies("slack")["no_scopes"])
        return
    for scope, use in SCOPES.items():
        if scope in granted:
            yield Finding(OK, f"scope {scope}", "granted")
        else:
            state = WARNING if scope == "usergroups:read" else WRONG
            remedy = remedies("slack")["scope"].format(scope=scope)
            yield Finding(state, f"scope {scope}", f"missing; it is for {use}", remedy)


def clock(date: str) -> Finding:
    """Compare the machine's clock with the Date of an answer that has just come from Slack."""
    try:
        ahead = time.time() - parsedate_to_datetime(date).timestamp()
    except ValueError:
        return Finding(SKIPPED, "clock", "Slack did not tell the time")
    text = f"{abs(ahead):.0f} s {'ahead of' if ahead > 0 else 'behind'} Slack's"
    if abs(ahead) <= SKEW:
        return Finding(OK, "clock", text)
    text = f"{text}; over {SKEW:.0f} s, the bot takes Slack's requests for replays and answers 401"
    return Finding(WRONG, "clock", text, remedies("slack")["clock"])


def _user_groups(chosen: Settings) -> Iterator[Finding]:
    """Read the members of each user group, as is done before somebody is let in."""
    for usergroup in [member for member in chosen.members if member.startswith("S") and chosen.slack_bot_token]:
        part = f"user group {usergroup}"
        answer, fault = _asked(slack_client(chosen), "usergroups.users.list", usergroup=usergroup)
        if answer is None:
            text = f"cannot be read, so it lets nobody in: {fault}"
            yield Finding(WRONG, part, text, remedies("slack")["user_group"])
        else:
            yield Finding(OK, part, f"members: {len(answer.get('users') or ())}")


def _socket_mode(chosen: Settings) -> Iterator[Finding]:
    """Ask for the address of a connection, without opening one."""
    part = "Socket Mode token"
    if not chosen.socket_mode:
        yield Finding(SKIPPED, part, "SLACK_APP_TOKEN is not set, so this is HTTP mode")
        return
    _, fault = _asked(SlackClient(chosen.slack_app_token, chosen.slack_api_url), "apps.connections.open")
    remedy = remedies("slack")["app_token"]
    yield _refused(part, fault, remedy) if fault else Finding(OK, part, "a connection may be opened")


def _signing_secret(chosen: Settings) -> Iterator[Finding]:
    """Tell whether there is a signing secret; the settings have judged its shape, which is all that can be seen."""
    part = "signing secret"
    if chosen.socket_mode or not chosen.slack_signing_secret:
        yield Finding(SKIPPED, part, "Socket Mode needs none" if chosen.socket_mode else "there is none")
    elif chosen.odd_signing_secret:
        remedy = remedies("slack")["secret"]
        yield Finding(WARNING, part, "is not 32 hexadecimal digits, as Slack's are", remedy)
    else:
        yield Finding(OK, part, "has the right shape; only a request from Slack can prove it")


def _refused(part: str, fault: str, remedy: str) -> Finding:
    if fault in BAD_TOKEN:
        return Finding(WRONG, part, f"Slack says {fault}", remedy)
    return Finding(WRONG, part, f"no usable answer: {fault}", _way_remedy(fault) or remedies("slack")["unreachable"])


def _way_remedy(reason: str) -> str:
    return remedies("way").get(reason) or remedies("way").get(reason.partition("_")[0], "")


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


def _api(chosen: Settings) -> Iterator[Finding]:
    """Try the credentials, then get-groups, and add-group in a way that makes no group."""
    client = Client(chosen.api_url, chosen.api_key, chosen.api_hash, chosen.api_timeout)
    part = "iletiMerkezi credentials"
    try:
        client.check_credentials()
        yield Finding(OK, part, "accepted")
        part = "get-groups"
        yield Finding(OK, part, f"answers; groups in the account: {len(client.get_groups())}")
    except ApiError as error:
        if part != "get-groups":
            yield Finding(WRONG, part, _said(error, chosen), _api_remedy(error))
            return
        lost = "parents cannot be given by name or suggested, and lost answers cannot be looked up"
        text = f"{_said(error, chosen)}; groups can still be made, but {lost}"
        yield Finding(WARNING, part, text, remedies("api")["no_method"].format(method=part))
    yield _add_group(client, chosen)


def _add_group(client: Client, chosen: Settings) -> Finding:
    """Ask for a group that is refused on two documented grounds, 461 and 463, so that none can be created."""
    part = "add-group"
    try:
        group = client.add_group("", NO_PARENT)
    except ApiError as error:
        code = error.code if isinstance(error, Rejected) else 0
        if code in (422, 461, 463):
            return Finding(OK, part, f"answers; refused a group without a name ({code}), as it should")
        remedy = remedies("api")["no_method"].format(method=part) if code in (401, 404) else _api_remedy(error)
        return Finding(WRONG, part, _said(error, chosen), remedy)
    remedy = remedies("api")["made"].format(id=group.id)
    return Finding(WRONG, part, "made a group without a name, which its documentation excludes", remedy)


def _said(error: ApiError, chosen: Settings) -> str:
    if isinstance(error, Rejected):
        return shown(f"refused with code {error.code}: {error.message}", chosen.api_key, chosen.api_hash)
    return f"{'cannot be reached' if isinstance(error, NotSent) else 'gave no usable answer'}: {error}"


def _api_remedy(error: ApiError) -> str:
    key = str(error.code if isinstance(error, Rejected) else error)
    refused = getattr(error.__cause__, "proxy_status", 0)
    if isinstance(error, NotSent) and (remedy := _way_remedy(f"{key}_{refused}" if refused else key)):
        return remedy
    return remedies("api").get(key) or remedies("api")["not_sent" if isinstance(error, NotSent) else "other"]


_OF_SLACK = ("SLACK_BOT_TOKEN", "SLACK_API_URL")
_OF_API = tuple(f"ILETIMERKEZI_{name}" for name in ("API_KEY", "API_HASH", "API_SECRET", "API_URL", "TIMEOUT"))

PARTS: tuple[tuple[Callable[[Settings], Iterator[Finding]], tuple[str, ...], str], ...] = (
    (_slack, _OF_SLACK, "Slack token"),
    (_user_groups, (*_OF_SLACK, "ADDGROUP_MEMBERS"), "user groups"),
    (_socket_mode, ("SLACK_APP_TOKEN", "SLACK_API_URL"), "Socket Mode token"),
    (_signing_secret, ("SLACK_SIGNING_SECRET", "SLACK_APP_TOKEN"), "signing secret"),
    (_api, _OF_API, "iletiMerkezi credentials"),
)
"""The parts: how each is looked at, the variables that it needs, and its name."""
