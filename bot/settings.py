"""The settings: the environment and, behind it, `.env`, read once; all problems are told at once, no secret in any."""

import contextlib
import difflib
import hashlib
import hmac
import io
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from dotenv.parser import parse_stream

SHORTEST_SECRET = 6
"""How long a secret must be to be hidden where it shows up, in characters: shorter ones stand in ordinary words."""

PROXIES = ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy")
"""The usual variables of a proxy, which the HTTP libraries read."""

RESTRICTIONS = ("ADDGROUP_CHANNELS", "ADDGROUP_MEMBERS")
"""Variables that limit who may use the bot, and where."""

_PREFIXES = ("SLACK_", "ILETIMERKEZI_", "ADDGROUP_")
_LIMITS = re.compile("ACCESS|ADMIN|ALLOW|BLOCK|CHAN|DENY|ENABLED|LIST|MEMBER|ONLY|PEOPLE|PERM|PERSON|RESTRICT|USER")
_HOST = r"([\w.-]+|\[[\da-fA-F:.]+\])(:\d{1,5})?"


class SettingsError(Exception):
    """The settings do not allow what was asked; `problems` holds a sentence for each fault, none of them a secret."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


def _like(text: str, pattern: str, sentence: str) -> str:
    if text and not re.fullmatch(pattern, text):
        raise ValueError(sentence)
    return text


def _number(text: str, kind: type[int | float], least: float, most: float) -> float:
    pattern = r"\d{1,9}" if kind is int else r"\d{1,9}(\.\d{1,9})?"
    if not re.fullmatch(pattern, text, re.ASCII) or not least <= kind(text) <= most:
        raise ValueError(f"must be a {'whole ' if kind is int else ''}number from {least:g} to {most:g}.")
    return kind(text)


def _choice(text: str, *words: str) -> str:
    found = {word.lower(): word for word in words}.get(text.lower())
    if not found:
        raise ValueError(f"must be one of: {', '.join(words)}.")
    return found


def _ids(text: str, kinds: str) -> tuple[str, ...]:
    found = tuple(part for part in re.split(r"[,;\s'\"‘’“”]+", text) if part)
    if text and not found:
        raise ValueError("is set but holds no id. Remove it, or give ids.")
    if wrong := [ascii(part) for part in found if not re.fullmatch(rf"[{kinds}][A-Z0-9]+", part)]:
        example = f"such as {kinds[0]}0123ABCD, which Slack shows under the details of each"
        raise ValueError(f"must be ids, comma-separated, {example}; not {', '.join(wrong)}.")
    return found


_WORD = ("[!-~]*", "contains a space or another character that no such value has.")
_ROTATED = "One that begins with xoxe ends after hours: token rotation must be off in the Slack app."
_BOT_TOKEN = ("xoxb-[!-~]+", f"must begin with xoxb-, without a space. {_ROTATED}")
_APP_TOKEN = ("xapp-[!-~]+", "must begin with xapp-, without a space.")
_SIGNING = ("[!-~]{8,}", "must be the 32 hexadecimal digits that Slack shows.")
_APP = ("SLACK_APP_TOKEN", "SLACK_APP_TOKEN_FILE")
_SECRET = ("ILETIMERKEZI_API_SECRET", "ILETIMERKEZI_API_SECRET_FILE")
_API = (
    rf"(?i)(https://{_HOST}|http://(localhost|127\.0\.0\.1|\[::1\])(:\d{{1,5}})?)(/[^\s@?#]*)?",
    "must be an address that begins with https://, such as https://api.example.com/v1.",
)
_SQLITE = r"sqlite(\+pysqlite)?:///(?!.*:memory:)[^?]+"
_POSTGRES = r"postgres(ql)?(\+psycopg)?://([^@/:]*(:[^@]*)?@)?(\[[^@/\]]*\]|[^@/:?]*)(:\d+)?([/?][^@]*)?"
_ENCODE = "In the user and the password, write @ as %40, / as %2F, : as %3A, # as %23, ? as %3F, % as %25."
_DATABASE = (
    f"{_SQLITE}|{_POSTGRES}",
    f"must be an address such as sqlite:///addgroup.db or postgres://user:password@host/name. {_ENCODE}",
)
_LINK = (r"https?://[^\s<>|]+", "must be an address that people can open, such as https://example.com/docs.")
_ONE_ID = "must be one id such as {0}0123ABCD, which Slack shows under the details of each."
_IN_SLACK = "You find it in your Slack app's settings:"
_BOT_PLACE = f"{_IN_SLACK} OAuth & Permissions > Bot User OAuth Token."
_SIGNING_PLACE = f"For Socket Mode, set SLACK_APP_TOKEN instead. {_IN_SLACK} Basic Information > Signing Secret."
_KEY_PLACE = "The panel has it: Settings > Security > API Access."
_HASH_PLACE = "The panel has it beside the key; if it shows a secret key instead, set ILETIMERKEZI_API_SECRET."


def _from(name: str, read: Callable[..., object], *how: object, default: str = "", **more: object) -> Any:
    """Say how a field is read: by `read(text, *how)` from a variable, whose name the words of a ValueError follow.

    `of` is slack or api where the variable is needed for that, `where` says where to find a secret, and with one
    of the variables in `unless` it is not read.
    """
    told = {"name": name, "read": read, "how": how, "default": default, "of": "", "unless": (), "where": "", **more}
    return field(repr="where" not in more, metadata=told)


@dataclass(frozen=True)
class Settings:
    """What the bot was told; the page of settings says what each variable means. Secrets stay out of the `repr`.

    `api_timeout` is in seconds, `metrics_port` 0 when there are no metrics, `contact`, `docs_url` and `audit_channel`
    "" for none.
    """

    slack_bot_token: str = _from("SLACK_BOT_TOKEN", _like, *_BOT_TOKEN, of="slack", where=_BOT_PLACE)
    slack_signing_secret: str = _from(
        "SLACK_SIGNING_SECRET", _like, *_SIGNING, of="slack", unless=_APP, where=_SIGNING_PLACE
    )
    slack_app_token: str = _from("SLACK_APP_TOKEN", _like, *_APP_TOKEN, where="")
    slack_api_url: str = _from("SLACK_API_URL", _like, *_API, default="https://slack.com/api/")
    api_key: str = _from("ILETIMERKEZI_API_KEY", _like, *_WORD, of="api", where=_KEY_PLACE)
    api_hash: str = _from("ILETIMERKEZI_API_HASH", _like, *_WORD, of="api", unless=_SECRET, where=_HASH_PLACE)
    api_secret: str = _from("ILETIMERKEZI_API_SECRET", _like, *_WORD, where=_KEY_PLACE)
    api_url: str = _from("ILETIMERKEZI_API_URL", _like, *_API, default="https://api.iletimerkezi.com/v1")
    api_timeout: float = _from("ILETIMERKEZI_TIMEOUT", _number, float, 0.1, 120, default="10")
    api_calls: int = _from("ADDGROUP_API_CALLS", _number, int, 1, 100, default="16")
    database_url: str = _from("DATABASE_URL", _like, *_DATABASE, default="sqlite:///addgroup.db", where="")
    language: str = _from("ADDGROUP_LANGUAGE", _choice, "auto", "en", "tr", default="auto")
    contact: str = _from("ADDGROUP_CONTACT", _like, "[UWSCG][A-Z0-9]+", _ONE_ID.format("U"))
    docs_url: str = _from("ADDGROUP_DOCS_URL", _like, *_LINK)
    channels: tuple[str, ...] = _from("ADDGROUP_CHANNELS", _ids, "CGD")
    members: tuple[str, ...] = _from("ADDGROUP_MEMBERS", _ids, "UWS")
    audit_channel: str = _from("ADDGROUP_AUDIT_CHANNEL", _like, "[CG][A-Z0-9]+", _ONE_ID.format("C"))
    host: str = _from("HOST", str, default="0.0.0.0")  # noqa: S104  # Slack must reach it
    port: int = _from("PORT", _number, int, 1, 65535, default="3000")
    metrics_port: int = _from("METRICS_PORT", _number, int, 0, 65535, default="0")
    log_level: str = _from("LOG_LEVEL", _choice, "DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL", default="INFO")
    log_format: str = _from("LOG_FORMAT", _choice, "text", "json", default="text")

    @property
    def socket_mode(self) -> bool:
        """Whether Slack is served over Socket Mode."""
        return bool(self.slack_app_token)


VARIABLES = tuple(each.metadata["name"] for each in fields(Settings))
"""Every variable of the bot."""

SECRETS = tuple(each.metadata["name"] for each in fields(Settings) if not each.repr)
"""Variables that hold a secret. Each may come from a file instead, whose path is in the same name with _FILE."""


def read(environ: Mapping[str, str], *, slack: bool = True, api: bool = True) -> Settings:
    """Read Settings from variables; `slack` and `api` say whether the credentials of each are needed.

    Raises SettingsError with every problem found.
    """
    values: dict[str, Any] = {}
    problems = [
        f"{name} is not a variable of this bot. Do you mean {meant}?"
        for name, meant in unknown(environ).items()
        if meant.startswith(RESTRICTIONS)  # to ignore it would let everybody in
    ]
    for each in fields(Settings):
        told = each.metadata
        spared = any(_clean(environ.get(name, "")) for name in told["unless"])
        try:
            text = "" if spared else _text(environ, told["name"])
            if not (text or spared) and {"slack": slack, "api": api}.get(told["of"]):
                raise ValueError("is missing.")
            values[each.name] = told["read"](text or told["default"], *told["how"])
        except ValueError as error:
            problems.append(f"{told['name']} {error} {told['where']}".strip())
    if problems:
        raise SettingsError(problems)
    values["docs_url"] = values["docs_url"].rstrip("/")
    values["api_hash"] = values["api_hash"] or hash_of(values["api_key"], values["api_secret"])
    return Settings(**values)


def _text(environ: Mapping[str, str], name: str) -> str:
    """Return a variable's value, or what stands in the file that a secret's NAME_FILE names; "" when not set."""
    value = _clean(environ.get(name, ""))
    file = _clean(environ.get(f"{name}_FILE", "")) if name in SECRETS and not value else ""
    if file:
        try:
            value = _clean(Path(file).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:  # the path is not shown: it may be the secret itself
            raise ValueError(f"cannot be read from the file that {name}_FILE names: {_why(error)}.") from None
    # Kubernetes tells all pods of a service called metrics, by a variable METRICS_PORT with an address.
    return "" if name.endswith("PORT") and value.startswith("tcp://") else value


def _clean(value: str) -> str:
    """Return a value without the white space and the one pair of quotes around it that copying leaves there.

    Container runtimes keep the quotes of their env files as part of the value.
    """
    value = value.strip().strip("\ufeff\u200b").strip()  # a byte order mark, and a space of no width, as web pages have
    quoted = len(value) > 1 and value[0] + value[-1] in ("''", '""', "‘’", "“”")
    return value[1:-1].strip() if quoted else value


def _why(error: Exception) -> str:
    """Return why a file could not be read."""
    return getattr(error, "strerror", None) or "it is not a text in UTF-8"


def unknown(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the names that look like the bot's but are none, each with the variable that is perhaps meant, else "".

    `read` refuses those that were perhaps meant to limit who may use the bot.
    """
    found = {}
    for name in sorted(environ.keys() - {*VARIABLES, *(f"{secret}_FILE" for secret in SECRETS)}):
        upper = name.upper()
        close = difflib.get_close_matches(upper, VARIABLES, 1, 0.84)
        limits = upper.startswith("ADDGROUP_") and _LIMITS.search(upper)
        meant = close[0] if close else " or ".join(RESTRICTIONS) if limits else ""
        if environ[name].strip() and (upper.startswith(_PREFIXES) or meant in RESTRICTIONS):
            found[name] = meant
    return found


def environment() -> dict[str, str]:
    """Return the process's environment, and behind it the variables of `.env` in the working directory.

    Raises SettingsError when `.env` is there but cannot be read: what it says must not be ignored.
    """
    try:
        lines = list(parse_stream(io.StringIO(Path(".env").read_text(encoding="utf-8-sig"))))
    except FileNotFoundError:
        return dict(os.environ)
    except (OSError, ValueError) as error:
        remedy = "Save it in UTF-8 and let the user that runs the bot read it, or remove it."
        raise SettingsError([f".env cannot be read: {_why(error)}. {remedy}"]) from error
    wrong = [str(each.original.line) for each in lines if each.error or (each.value is None and each.key in VARIABLES)]
    if wrong:
        told = f".env has lines that are not NAME=value: {', '.join(wrong)}. Correct them, or begin them with #."
        raise SettingsError([told])
    return {each.key: each.value for each in lines if each.key and each.value is not None} | os.environ


def secrets_in(environ: Mapping[str, str]) -> tuple[str, ...]:
    """Return the tokens and keys in the variables, also where the settings are wrong otherwise.

    Passwords of databases are not among them: they may be ordinary words, and `passwords` finds them.
    """
    found = dict.fromkeys(SECRETS, "")
    for name in found.keys() - {"DATABASE_URL"}:
        with contextlib.suppress(ValueError):
            found[name] = _text(environ, name)
    found["hash"] = hash_of(found["ILETIMERKEZI_API_KEY"], found["ILETIMERKEZI_API_SECRET"])
    return tuple(secret for secret in found.values() if len(secret) >= SHORTEST_SECRET)


def passwords(url: str) -> tuple[str, ...]:
    """Return the passwords in a database's address, as they are written there and as they are meant."""
    written = re.findall(r"(?s)://[^/]*?:(.*)@", url) + re.findall(r"[?&]password=([^&]*)", url)
    return tuple({*written, *map(unquote, written)} - {""})


def hash_of(key: str, secret: str) -> str:
    """Return the hash that the provider describes, hex(HMAC-SHA256(key=secret, message=key)); "" without a secret."""
    return hmac.new(secret.encode(), key.encode(), hashlib.sha256).hexdigest() if secret else ""
