"""The app's manifest for Slack: the file as it is for Socket Mode, or changed for HTTP."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import urlsplit

from bot.front.http import EVENTS

FILE = Path(__file__).parents[2] / "manifest.yml"


TURKISH = {
    "description: Create contact groups at iletiMerkezi with /addgroup": "/addgroup ile iletiMerkezi'nde grup açar",
    "description: Create contact groups at iletiMerkezi": "iletiMerkezi'nde grup oluşturur",
    'usage_hint: "name parent=group | list | help"': '"ad parent=grup | liste | yardım"',
    "name: Create groups": "Mesajdan grup oluştur",
    "description: Create contact groups from the lines of this message": "Bu mesajın satırlarından grup oluşturur",
}
"""What people read of the app in Slack, by the line of the file."""


def manifest(url: str = "", language: str = "en") -> str:
    """Return the manifest as YAML: for Socket Mode, or for HTTP at the bot's public address `url`.

    With the `language` "tr" the app's own names are Turkish. Raises ValueError when the address is not one that Slack
    would call.
    """
    text = FILE.read_text(encoding="utf-8")
    for line, turkish in TURKISH.items() if language == "tr" else ():
        text = re.sub(rf"{re.escape(line)}$", f"{line.partition(':')[0]}: {turkish}", text, flags=re.MULTILINE)
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
        ("  event_subscriptions:\n", f"  event_subscriptions:\n    request_url: {address}\n"),
        ("  socket_mode_enabled: true\n", "  socket_mode_enabled: false\n"),
        ("It is for Socket Mode, which needs no public address.\n", "It is for HTTP.\n"),
    ):
        if text.count(line) != 1:
            raise ValueError(f"{FILE.name} has been changed: it has no line {line.strip()!r}")
        text = text.replace(line, replacement)
    return text
