"""The names of the variables, and what to make of names that are almost one of them."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass

SHORTEST_SECRET = 6
"""How long a secret must be to be hidden where it shows up, in characters: shorter ones stand in ordinary words."""

SECRETS = (
    "SLACK_BOT_TOKEN",
    "SLACK_SIGNING_SECRET",
    "SLACK_APP_TOKEN",
    "ILETIMERKEZI_API_KEY",
    "ILETIMERKEZI_API_HASH",
    "ILETIMERKEZI_API_SECRET",
    "DATABASE_URL",
)
"""Variables that hold a secret. Each may come from a file instead, whose path is in the same name with _FILE."""

RESTRICTIONS = ("ADDGROUP_CHANNELS", "ADDGROUP_MEMBERS")
"""Variables that limit who may use the bot, and where."""

VARIABLES = (
    *SECRETS,
    *RESTRICTIONS,
    "SLACK_API_URL",
    "ILETIMERKEZI_API_URL",
    "ILETIMERKEZI_TIMEOUT",
    "ADDGROUP_LANGUAGE",
    "ADDGROUP_CONTACT",
    "ADDGROUP_DOCS_URL",
    "ADDGROUP_AUDIT_CHANNEL",
    "ADDGROUP_API_CALLS",
    "METRICS_PORT",
    "HOST",
    "PORT",
    "LOG_LEVEL",
    "LOG_FORMAT",
)
"""Every variable of the bot."""

PROXIES = ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy")
"""The usual variables of a proxy, which the HTTP libraries read."""

_OURS = re.compile("(SLACK|ILETIMERKEZI|ADDGROUP)_", re.IGNORECASE)
_OF_BOLT = {"SLACK_CLIENT_ID", "SLACK_CLIENT_SECRET"}  # Reader.refuse_oauth judges them
# Kubernetes describes each service to every container: https://kubernetes.io/docs/concepts/services-networking/service
_OF_KUBERNETES = re.compile(r"\w+_(SERVICE_(HOST|PORT\w*)|PORT(_\d+_(TCP|UDP)(_(PROTO|PORT|ADDR))?)?)")
_LIMITS = re.compile(
    "ACCESS|ADMIN|ALLOW|BLOCK|CHAN|DENY|ENABLED_FOR|MEMBER|ONLY|PEOPLE|PERMI|PERSON|RESTRICT|USER|LIST"
)


@dataclass(frozen=True)
class UnknownVariable:
    """A variable that looks like one of the bot's; `nearest` is the one that is perhaps meant, else ""."""

    name: str
    nearest: str

    @property
    def restricts(self) -> bool:
        """Whether it was perhaps meant to limit who may use the bot: to ignore it would let everybody in."""
        limits = self.name.upper().startswith("ADDGROUP_") and bool(_LIMITS.search(self.name.upper()))
        return self.nearest in RESTRICTIONS or (limits and not self.nearest)

    def __str__(self) -> str:
        meant = f" Do you mean {self.nearest}?" if self.nearest else ""
        return f"{self.name} is not a variable of this bot.{meant}"


def unknown(environ: Mapping[str, str]) -> list[UnknownVariable]:
    """Return the variables that the bot would have to read, by their name, but does not know."""
    known = {*VARIABLES, *(f"{name}_FILE" for name in SECRETS), *_OF_BOLT}
    found = [UnknownVariable(name, _nearest(name)) for name in sorted(environ.keys() - known) if environ[name].strip()]
    return [each for each in found if _looks_like_ours(each)]


def _looks_like_ours(found: UnknownVariable) -> bool:
    if _OF_KUBERNETES.fullmatch(found.name):
        return False
    return bool(_OURS.match(found.name)) or found.nearest in RESTRICTIONS


def _nearest(name: str) -> str:
    """Return the variable that is almost this one: within one prefix what follows it counts, else the whole name."""
    upper = name.upper()
    prefix = found[0] if (found := _OURS.match(upper)) else ""
    rests = {known.removeprefix(prefix): known for known in VARIABLES if known.startswith(prefix)}
    sure = 0.6 if prefix and not _LIMITS.search(upper) else 0.85  # what may limit must not pass for something else
    close = difflib.get_close_matches(upper.removeprefix(prefix), rests, 1, sure)
    return rests[close[0]] if close else ""
