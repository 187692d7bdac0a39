"""What the checks of single parts share: a finding, the settings of a part, foreign text made harmless."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from bot import settings
from bot.settings import Settings, SettingsError

OK, WRONG, WARNING, SKIPPED = "ok", "WRONG", "warning", "skipped"


@dataclass(frozen=True)
class Finding:
    """What was found of one part: its state (ok, WRONG, warning or skipped), in words, and how to fix it."""

    state: str
    part: str
    text: str
    remedy: str = ""


def chosen_from(environ: Mapping[str, str], names: tuple[str, ...], *, api: bool = False) -> Settings | None:
    """Return settings from these variables alone, whatever is wrong with others; None when one of these is wrong.

    A secret may come from a file, and a proxy that is wrong is wrong for all.
    """
    wanted = {*names, *(f"{name}_FILE" for name in names), *settings.PROXIES}
    try:
        return settings.read({name: environ[name] for name in wanted & environ.keys()}, slack=False, api=api)
    except SettingsError:
        return None


def skipped(why: str, *parts: str) -> Iterator[Finding]:
    """Return the finding that these parts were not looked at, and why."""
    return (Finding(SKIPPED, part, why) for part in parts)


def shown(text: str, *secrets: str) -> str:
    """Return foreign text on one line, printable, without secrets, and not too long."""
    text = hidden(text, secrets)
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())[:300]


def hidden(text: str, secrets: Iterable[str]) -> str:
    """Return text without secrets; what is shorter than four characters stands in many texts by chance."""
    for secret in secrets:
        text = text.replace(secret, "…") if len(secret) > 3 else text
    return text
