"""The environment, and behind it `.env`, read once into frozen Settings; every problem is reported at once."""

from __future__ import annotations

import hashlib
import hmac
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from dotenv import dotenv_values
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError


@dataclass(frozen=True)
class Credentials:
    """What authenticates a call of the provider's API; never shown in a `repr`."""

    key: str
    hash: str

    def __repr__(self) -> str:
        return "Credentials(…)"

    @classmethod
    def from_secret(cls, key: str, secret: str) -> Credentials:
        """Compute the hash as the provider describes: hex(HMAC-SHA256(key=secret, message=key))."""
        return cls(key, hmac.new(secret.encode(), key.encode(), hashlib.sha256).hexdigest())


class SettingsError(Exception):
    """The settings do not allow what was asked; `problems` holds a sentence for each fault, none of them a secret."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


@dataclass(frozen=True)
class Settings:
    """What the bot was told; README's table says what each variable means. Secrets stay out of the `repr`."""

    slack_bot_token: str = field(repr=False)
    slack_signing_secret: str = field(repr=False)
    slack_app_token: str = field(repr=False)
    slack_api_url: str
    credentials: Credentials
    api_url: str
    api_timeout: float
    database_url: str = field(repr=False)
    language: str
    channels: tuple[str, ...]
    members: tuple[str, ...]
    audit_channel: str
    workers: int
    host: str
    port: int
    log_level: str

    @property
    def socket_mode(self) -> bool:
        """Whether Slack is served over Socket Mode."""
        return bool(self.slack_app_token)


def environment() -> dict[str, str]:
    """Return the process's environment, and behind it the variables of `.env` in the working directory."""
    try:
        from_file = {name: value for name, value in dotenv_values(Path(".env")).items() if value is not None}
    except UnicodeDecodeError as error:
        raise SettingsError([".env is not a text in UTF-8. Save it again in that encoding."]) from error
    return {**from_file, **os.environ}


def read(environ: Mapping[str, str], *, slack: bool = True, api: bool = True) -> Settings:
    """Read Settings from variables; `slack` and `api` say whether the credentials of each are needed.

    Raises SettingsError with every problem found.
    """
    reader = _Reader(environ)
    reader.refuse_oauth()
    settings = Settings(
        slack_bot_token=reader.secret("SLACK_BOT_TOKEN", "xoxb-", slack, "OAuth & Permissions > Bot User OAuth Token"),
        slack_signing_secret=reader.secret(
            "SLACK_SIGNING_SECRET",
            "",
            slack and not reader.get("SLACK_APP_TOKEN"),
            "Basic Information > Signing Secret; or set SLACK_APP_TOKEN for Socket Mode",
        ),
        slack_app_token=reader.secret("SLACK_APP_TOKEN", "xapp-", False, "Basic Information > App-Level Tokens"),
        slack_api_url=reader.url("SLACK_API_URL", "https://slack.com/api/").rstrip("/") + "/",
        credentials=reader.credentials(api),
        api_url=reader.url("ILETIMERKEZI_API_URL", "https://api.iletimerkezi.com/v1"),
        api_timeout=reader.number("ILETIMERKEZI_TIMEOUT", 10.0, 0.1, 120),
        database_url=reader.database("DATABASE_URL", "sqlite:///addgroup.db"),
        language=reader.choice("ADDGROUP_LANGUAGE", ("auto", "en", "tr")),
        channels=reader.ids("ADDGROUP_CHANNELS", "CGD"),
        members=reader.ids("ADDGROUP_MEMBERS", "UWS"),
        audit_channel="".join(reader.ids("ADDGROUP_AUDIT_CHANNEL", "CG", most=1)),
        workers=int(reader.number("ADDGROUP_WORKERS", 16, 1, 100, whole=True)),
        host=reader.get("HOST") or "0.0.0.0",  # noqa: S104  # the public surface's default; Slack must reach it
        port=int(reader.number("PORT", 3000, 1, 65535, whole=True)),
        log_level=reader.choice("LOG_LEVEL", ("INFO", "DEBUG", "WARNING", "ERROR", "CRITICAL"), str.upper),
    )
    if reader.problems:
        raise SettingsError(reader.problems)
    return settings


class _Reader:
    """Reads one variable at a time and collects what is wrong."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self.problems: list[str] = []

    def get(self, name: str) -> str:
        return self._environ.get(name, "").strip()

    def secret(self, name: str, prefix: str, required: bool, where: str) -> str:
        value = self.get(name)
        if not value and required:
            self.problems.append(f"{name} is missing. You find it in your Slack app's settings: {where}.")
        elif value and not value.startswith(prefix):
            self.problems.append(f"{name} must begin with {prefix}. You find it under {where}.")
        else:
            self._printable(name, value)
        return value

    def _printable(self, name: str, value: str) -> None:
        if not re.fullmatch(r"[\x21-\x7e]*", value):
            self.problems.append(f"{name} contains a space or another character that no such value has.")

    def credentials(self, required: bool) -> Credentials:
        key, ready, secret = (self.get(f"ILETIMERKEZI_API_{part}") for part in ("KEY", "HASH", "SECRET"))
        if ready and secret:
            self.problems.append("Set ILETIMERKEZI_API_HASH or ILETIMERKEZI_API_SECRET, not both.")
        if required and not key:
            self.problems.append("ILETIMERKEZI_API_KEY is missing. The panel has it: Settings > Security > API Access.")
        if required and not ready and not secret:
            self.problems.append(
                "ILETIMERKEZI_API_HASH is missing. The panel has it beside the key; "
                "if yours shows a secret key instead, set ILETIMERKEZI_API_SECRET."
            )
        for part, value in (("KEY", key), ("HASH", ready), ("SECRET", secret)):
            self._printable(f"ILETIMERKEZI_API_{part}", value)
        if self.problems or ready or not secret:
            return Credentials(key, ready)
        return Credentials.from_secret(key, secret)

    def url(self, name: str, default: str) -> str:
        value = self.get(name) or default
        try:
            parts = urlsplit(value)
            valid = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        except ValueError:
            valid = False
        if not valid or re.search(r"\s", value) or "@" in parts.netloc or parts.query or parts.fragment:
            self.problems.append(f"{name} must be an address such as {default}.")
        elif parts.scheme == "http" and parts.hostname not in ("localhost", "127.0.0.1", "::1"):
            self.problems.append(f"{name} must begin with https:// (plain http would show the credentials on the way).")
        return value

    def database(self, name: str, default: str) -> str:
        value = self.get(name) or default
        try:
            address = make_url(value)
            file, kind = address.database, address.get_backend_name()
        except (ArgumentError, ValueError):
            file, kind = "", ""
        if kind == "sqlite" and (not file or ":memory:" in file):
            self.problems.append(f"{name} must name a file: a journal in memory would be lost, and commands with it.")
        elif kind not in ("sqlite", "postgres", "postgresql"):
            self.problems.append(f"{name} must be an address such as {default} or postgres://user:password@host/name.")
        return value

    def number(self, name: str, default: float, least: float, most: float, whole: bool = False) -> float:
        value = self.get(name)
        try:
            number = float(int(value) if whole else float(value)) if value else float(default)
        except (ValueError, OverflowError):
            number = float("nan")
        if not least <= number <= most:
            kind = "a whole number" if whole else "a number"
            self.problems.append(f"{name} must be {kind} from {least:g} to {most:g}.")
            return default
        return number

    def choice(self, name: str, choices: tuple[str, ...], form: Callable[[str], str] = str.lower) -> str:
        value = form(self.get(name)) or choices[0]
        if value not in choices:
            self.problems.append(f"{name} must be one of: {', '.join(choices)}.")
        return value

    def ids(self, name: str, kinds: str, most: int | None = None) -> tuple[str, ...]:
        """Read Slack ids, comma-separated; `kinds` are the letters with which they may begin."""
        found = tuple(part.strip() for part in self.get(name).split(",") if part.strip())
        wrong = [part for part in found if not re.fullmatch(rf"[{kinds}][A-Z0-9]+", part)]
        if wrong or (most is not None and len(found) > most):
            self.problems.append(
                f"{name} must be {'one id' if most == 1 else 'ids, comma-separated,'} such as {kinds[0]}0123ABCD, "
                f"which Slack shows under the details of each; not {', '.join(wrong or found)}."
            )
        return found

    def refuse_oauth(self) -> None:
        """Refuse the pair at whose sight Bolt silently turns OAuth on and drops the bot token."""
        if "SLACK_CLIENT_ID" in self._environ and "SLACK_CLIENT_SECRET" in self._environ:
            self.problems.append(
                "SLACK_CLIENT_ID and SLACK_CLIENT_SECRET are set: they switch the Slack library to OAuth, which drops "
                "the bot token. This bot is installed into one workspace; remove both."
            )
