"""The app's manifest for Slack: the file as it is for Socket Mode, or changed for HTTP."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from bot.front.http import EVENTS

FILE = Path(__file__).parents[2] / "manifest.yml"


def manifest(url: str = "") -> str:
    """Return the manifest as YAML: for Socket Mode, or for HTTP at the bot's public address `url`.

    Raises ValueError when the address is not one that Slack would call.
    """
    text = FILE.read_text(encoding="utf-8")
    if not url:
        return text
    parts = urlsplit(url)
    if parts.scheme != "https" or not parts.hostname or parts.query or parts.fragment or parts.path not in ("", "/"):
        raise ValueError("give the public address alone, such as https://addgroup.example.com")
    address = f"https://{parts.netloc}{EVENTS}"
    interactivity = f"    request_url: {address}\n    message_menu_options_url: {address}\n"
    for line, replacement in (
        ("    - command: /addgroup\n", f"    - command: /addgroup\n      url: {address}\n"),
        ("    is_enabled: true\n", f"    is_enabled: true\n{interactivity}"),
        ("  socket_mode_enabled: true\n", "  socket_mode_enabled: false\n"),
        ("It is for Socket Mode, which needs no public address.\n", "It is for HTTP.\n"),
    ):
        if text.count(line) != 1:
            raise ValueError(f"{FILE.name} has been changed: it has no line {line.strip()!r}")
        text = text.replace(line, replacement)
    return text
