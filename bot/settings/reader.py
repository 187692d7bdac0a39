"""Reads one variable at a time and collects what is wrong with them, a sentence for each."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import urlsplit

from bot.settings import database_url
from bot.settings.environment import QUOTES, clean
from bot.settings.names import PROXIES, unknown

_PANEL = "Settings > Security > API Access"
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


class Reader:
    """Reads variables from `environ`; `problems` holds a sentence for each fault so far, none of them a secret."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self.problems: list[str] = []

    def get(self, name: str) -> str:
        """Return a variable without the white space and the quotes around it; "" when it is not set."""
        return clean(self._environ.get(name, ""))

    def is_set(self, name: str) -> bool:
        """Tell whether a secret is given, in its variable or in a file, well or badly."""
        return bool(self.get(name) or self.get(f"{name}_FILE"))

    def secret(self, name: str) -> str | None:
        """Return a secret from its variable or from the file in NAME_FILE; "" when not set, None after a problem."""
        value, file = self.get(name), self.get(f"{name}_FILE")
        if value and file:
            self.problems.append(f"Set {name} or {name}_FILE, not both.")
            return None
        if file:
            try:
                value = clean(Path(file).read_text(encoding="utf-8"))
            except (OSError, ValueError) as error:  # the path is not shown: it may be the secret itself
                reason = getattr(error, "strerror", None) or "it is not a text in UTF-8"
                self.problems.append(f"{name}_FILE must name a file that the bot may read: {reason}.")
                return None
        if not re.fullmatch(r"[\x21-\x7e]*", value) and name != "DATABASE_URL":
            self.problems.append(f"{name} contains a space or another character that no such value has.")
            return None
        return value

    def slack_secret(self, name: str, shape: str, described: str, where: str, *, required: bool) -> str:
        """Read a secret of Slack's; `shape` is a pattern that it has, `described` the same in words."""
        value = self.secret(name)
        if value == "" and required:
            self.problems.append(f"{name} is missing. You find it in your Slack app's settings: {where}.")
        elif value and not re.fullmatch(shape, value):
            self.problems.append(f"{name} must {described}. You find it in your Slack app's settings: {where}.")
        return value or ""

    def api_credentials(self, *, required: bool) -> tuple[str, str]:
        """Return the key and the hash of the group API; the hash is computed when the secret is given instead."""
        key, ready, secret = (self.secret(f"ILETIMERKEZI_API_{part}") for part in ("KEY", "HASH", "SECRET"))
        if ready and secret:
            self.problems.append("Set ILETIMERKEZI_API_HASH or ILETIMERKEZI_API_SECRET, not both.")
        if required and key == "":
            self.problems.append(f"ILETIMERKEZI_API_KEY is missing. The panel has it: {_PANEL}.")
        if required and ready == secret == "":
            self.problems.append(
                "ILETIMERKEZI_API_HASH is missing. The panel has it beside the key; "
                "if yours shows a secret key instead, set ILETIMERKEZI_API_SECRET."
            )
        return key or "", ready or hash_of(key or "", secret or "")

    def url(self, name: str, default: str) -> str:
        """Read the address of an API: https, or http on this machine."""
        value = self.get(name) or default
        try:
            parts = urlsplit(value)
            valid = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        except ValueError:
            valid = False
        if not valid or re.search(r"\s", value) or "@" in parts.netloc or parts.query or parts.fragment:
            self.problems.append(f"{name} must be an address such as {default}.")
        elif parts.scheme == "http" and parts.hostname not in _LOOPBACK:
            self.problems.append(f"{name} must begin with https:// (plain http would show the credentials on the way).")
        return value

    def link(self, name: str) -> str:
        """Read an address that people open in their browser, "" for none."""
        value = self.get(name)
        if value and not re.fullmatch(r"https?://[^\s<>|]+", value):
            self.problems.append(f"{name} must be an address that people can open, such as https://example.com/docs.")
        return value.rstrip("/")

    def database(self, default: str) -> str:
        """Read DATABASE_URL."""
        value = self.secret("DATABASE_URL")
        if value and (fault := database_url.fault(value)):
            self.problems.append(fault)
        return value or default

    def number(self, name: str, default: float, least: float, most: float, *, whole: bool = False) -> float:
        """Read a number within a range."""
        value = self.get(name)
        try:
            number = float(int(value) if whole else float(value)) if value else float(default)
        except (ValueError, OverflowError):
            number = float("nan")
        if not least <= number <= most or "_" in value or not value.isascii():
            kind = "a whole number" if whole else "a number"
            self.problems.append(f"{name} must be {kind} from {least:g} to {most:g}.")
            return default
        return number

    def choice(self, name: str, choices: tuple[str, ...], form: Callable[[str], str] = str.lower) -> str:
        """Read one of a few words, the first of which is the default; `form` brings a value into their case."""
        value = form(self.get(name)) or choices[0]
        if value not in choices:
            self.problems.append(f"{name} must be one of: {', '.join(choices)}.")
        return value

    def ids(self, name: str, kinds: str, most: int | None = None) -> tuple[str, ...]:
        """Read Slack ids, comma-separated; `kinds` are the letters with which they may begin.

        A variable that is set but holds no id is refused: an empty restriction would let everybody in.
        """
        found = tuple(part for each in re.split(r"[,;\s]", self.get(name)) if (part := each.strip(QUOTES)))
        wrong = [part for part in found if not re.fullmatch(rf"[{kinds}][A-Z0-9]+", part)]
        example = f"such as {kinds[0]}0123ABCD, which Slack shows under the details of each"
        if self._environ.get(name, "").strip() and not found:
            self.problems.append(f"{name} is set but holds no id. Remove it, or give ids {example}.")
        elif wrong or (most is not None and len(found) > most):
            ids = "one id" if most == 1 else "ids, comma-separated,"
            self.problems.append(f"{name} must be {ids} {example}; not {', '.join(map(_printable, wrong or found))}.")
        return found

    def host(self, name: str, default: str) -> str:
        """Read the address to listen at, without the brackets that IPv6 may have; a port is not part of it."""
        value = self.get(name) or default
        address = value[1:-1] if value.startswith("[") and value.endswith("]") else value
        try:
            ipaddress.ip_address(address)
        except ValueError:
            if not re.fullmatch(r"(?=.*[A-Za-z])[A-Za-z0-9._-]+", address):
                self.problems.append(f"{name} must be an address alone, such as 127.0.0.1 or ::1. The port is in PORT.")
        return address

    def proxies(self) -> None:
        """Refuse a proxy that the HTTP libraries would understand in different ways; its value may hold a password."""
        for name in PROXIES:
            try:
                parts = urlsplit(self.get(name))
                valid = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
            except ValueError:
                valid = False
            if self.get(name) and not valid:
                self.problems.append(
                    f"{name} must be an address such as http://proxy.example.com:8080, with http:// in front. "
                    "Percent-encode special characters in its user and password."
                )

    def refuse_oauth(self) -> None:
        """Refuse the pair that silently turns OAuth on in Bolt, which then drops the bot token."""
        if "SLACK_CLIENT_ID" in self._environ and "SLACK_CLIENT_SECRET" in self._environ:
            self.problems.append(
                "SLACK_CLIENT_ID and SLACK_CLIENT_SECRET are set: they switch the Slack library to OAuth, which drops "
                "the bot token. This bot is installed into one workspace; remove both."
            )

    def refuse_misspelt_restrictions(self) -> None:
        """Refuse names that were perhaps meant to limit who may use the bot: ignoring one would let everybody in."""
        known = "The variables that limit who may use the bot are ADDGROUP_MEMBERS and ADDGROUP_CHANNELS."
        self.problems += [
            str(each) if each.nearest else f"{each} {known}" for each in unknown(self._environ) if each.restricts
        ]


def hash_of(key: str, secret: str) -> str:
    """Return the hash that the provider describes, hex(HMAC-SHA256(key=secret, message=key)); "" without a secret."""
    return hmac.new(secret.encode(), key.encode(), hashlib.sha256).hexdigest() if secret else ""


def _printable(text: str) -> str:
    return text if text.isprintable() else ascii(text)
