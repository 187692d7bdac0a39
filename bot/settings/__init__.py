"""The environment, and behind it `.env`, read once into frozen Settings; every problem is reported at once."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote

from bot.settings.environment import SettingsError, environment
from bot.settings.names import PROXIES, SECRETS, SHORTEST_SECRET, VARIABLES, UnknownVariable, unknown
from bot.settings.reader import Reader, hash_of

__all__ = [
    "PROXIES",
    "SECRETS",
    "SHORTEST_SECRET",
    "VARIABLES",
    "Settings",
    "SettingsError",
    "UnknownVariable",
    "environment",
    "hash_of",
    "read",
    "secrets_in",
    "unknown",
]


@dataclass(frozen=True)
class Settings:
    """What the bot was told; the page of settings says what each variable means. Secrets stay out of the `repr`.

    `api_timeout` is in seconds, `metrics_port` 0 when there are no metrics, `contact`, `docs_url` and `audit_channel`
    "" for none.
    """

    slack_bot_token: str = field(repr=False)
    slack_signing_secret: str = field(repr=False)
    slack_app_token: str = field(repr=False)
    slack_api_url: str
    api_key: str = field(repr=False)
    api_hash: str = field(repr=False)
    api_url: str
    api_timeout: float
    api_calls: int
    database_url: str = field(repr=False)
    language: str
    contact: str
    docs_url: str
    channels: tuple[str, ...]
    members: tuple[str, ...]
    audit_channel: str
    host: str
    port: int
    metrics_port: int
    log_level: str
    log_format: str

    @property
    def odd_signing_secret(self) -> bool:
        """Whether the signing secret is needed and does not look like Slack's, which are 32 hexadecimal digits."""
        return not self.socket_mode and re.fullmatch("[0-9a-f]{32}", self.slack_signing_secret) is None

    @property
    def socket_mode(self) -> bool:
        """Whether Slack is served over Socket Mode."""
        return bool(self.slack_app_token)


def read(environ: Mapping[str, str], *, slack: bool = True, api: bool = True) -> Settings:
    """Read Settings from variables; `slack` and `api` say whether the credentials of each are needed.

    Raises SettingsError with every problem found.
    """
    reader = Reader(environ)
    reader.refuse_oauth()
    reader.refuse_misspelt_restrictions()
    reader.proxies()
    key, computed = reader.api_credentials(required=api)
    settings = Settings(
        slack_bot_token=reader.slack_secret(
            "SLACK_BOT_TOKEN",
            "xoxb-.+",
            "begin with xoxb-",
            "OAuth & Permissions > Bot User OAuth Token",
            required=slack,
        ),
        slack_signing_secret=_signing_secret(reader, required=slack),
        slack_app_token=reader.slack_secret(
            "SLACK_APP_TOKEN", "xapp-.+", "begin with xapp-", "Basic Information > App-Level Tokens", required=False
        ),
        slack_api_url=reader.url("SLACK_API_URL", "https://slack.com/api/").rstrip("/") + "/",
        api_key=key,
        api_hash=computed,
        api_url=reader.url("ILETIMERKEZI_API_URL", "https://api.iletimerkezi.com/v1"),
        api_timeout=reader.number("ILETIMERKEZI_TIMEOUT", 10.0, 0.1, 120),
        api_calls=int(reader.number("ADDGROUP_API_CALLS", 16, 1, 100, whole=True)),
        database_url=reader.database("sqlite:///addgroup.db"),
        language=reader.choice("ADDGROUP_LANGUAGE", ("auto", "en", "tr")),
        contact="".join(reader.ids("ADDGROUP_CONTACT", "UWSCG", most=1)),
        docs_url=reader.link("ADDGROUP_DOCS_URL"),
        channels=reader.ids("ADDGROUP_CHANNELS", "CGD"),
        members=reader.ids("ADDGROUP_MEMBERS", "UWS"),
        audit_channel="".join(reader.ids("ADDGROUP_AUDIT_CHANNEL", "CG", most=1)),
        host=reader.host("HOST", "0.0.0.0"),  # noqa: S104  # the public surface's default; Slack must reach it
        port=int(reader.number("PORT", 3000, 1, 65535, whole=True)),
        metrics_port=int(reader.number("METRICS_PORT", 0, 0, 65535, whole=True)),
        log_level=reader.choice("LOG_LEVEL", ("INFO", "DEBUG", "WARNING", "ERROR", "CRITICAL"), str.upper),
        log_format=reader.choice("LOG_FORMAT", ("text", "json")),
    )
    if settings.port == settings.metrics_port:
        reader.problems.append("METRICS_PORT must be another port than PORT.")
    if reader.problems:
        raise SettingsError(reader.problems)
    return settings


def _signing_secret(reader: Reader, *, required: bool) -> str:
    """Read the signing secret, which Socket Mode does not use, whatever it is."""
    name, where = "SLACK_SIGNING_SECRET", "Basic Information > App Credentials > Signing Secret"
    if reader.is_set("SLACK_APP_TOKEN"):
        return reader.secret(name) or ""
    where = f"{where}; or set SLACK_APP_TOKEN for Socket Mode"
    return reader.slack_secret(
        name, "[!-~]{8,}", "be the 32 hexadecimal digits that Slack shows", where, required=required
    )


def secrets_in(environ: Mapping[str, str]) -> tuple[str, ...]:
    """Return the tokens, keys and proxies' passwords in the variables, also where the settings are wrong otherwise.

    Passwords of databases are not among them: they may be ordinary words, and `database_url.passwords` finds them.
    """
    reader = Reader(environ)
    found = {reader.secret(name) or reader.get(name) for name in SECRETS if name != "DATABASE_URL"}
    found.add(hash_of(reader.secret("ILETIMERKEZI_API_KEY") or "", reader.secret("ILETIMERKEZI_API_SECRET") or ""))
    for name in PROXIES:
        userinfo = reader.get(name).rpartition("@")[0].rpartition("//")[2]
        password = userinfo.partition(":")[2] or userinfo
        found.update({password, unquote(password)})
    return tuple(sorted((secret for secret in found if len(secret) >= SHORTEST_SECRET), key=len, reverse=True))
