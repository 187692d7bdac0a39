"""The app's manifest for Slack: the file as it is for Socket Mode, or changed for HTTP."""

import sys
from pathlib import Path
from urllib.parse import urlsplit

from bot.front.http import EVENTS

FILE = Path(__file__).parents[2] / "manifest.yml"

TURKISH = {
    "description: Create contact groups at iletiMerkezi with /addgroup": "/addgroup ile iletiMerkezi'nde grup açar",
    "description: Create contact groups at iletiMerkezi": "iletiMerkezi'nde grup oluşturur",
    'usage_hint: "name parent=group | list | help"': '"ad üst=grup | liste | yardım"',
    "name: Create groups": "Mesajdan grup oluştur",
    "description: Create contact groups from the lines of this message": "Bu mesajın satırlarından grup oluşturur",
}
"""What people read of the app in Slack, by the line of the file."""


def run(url: str, language: str) -> int:
    """Print the manifest; return the exit status, 2 when Slack would not call the address."""
    try:
        sys.stdout.write(manifest(url, language))
    except ValueError as error:
        sys.stderr.write(f"--url: {error}.\n")
        return 2
    return 0


def manifest(url: str = "", language: str = "en") -> str:
    """Return the manifest as YAML: for Socket Mode, or for HTTP at the bot's public address `url`.

    With the `language` "tr" the app's own names are Turkish. Raises ValueError when the address is not one that Slack
    would call.
    """
    text = FILE.read_text(encoding="utf-8")
    for line, turkish in TURKISH.items() if language == "tr" else ():
        text = text.replace(f"{line}\n", f"{line.partition(':')[0]}: {turkish}\n")
    if not url:
        return text
    parts = urlsplit(url)
    if parts.scheme != "https" or not parts.hostname or parts.query or parts.fragment or parts.path not in ("", "/"):
        raise ValueError("give the public address alone, such as https://addgroup.example.com")
    address = f"https://{parts.netloc}{EVENTS}"
    for line, more in (
        ("    - command: /addgroup\n", f"      url: {address}\n"),
        ("    is_enabled: true\n", f"    request_url: {address}\n    message_menu_options_url: {address}\n"),
        ("  event_subscriptions:\n", f"    request_url: {address}\n"),
    ):
        text = text.replace(line, line + more)
    text = text.replace("socket_mode_enabled: true", "socket_mode_enabled: false")
    return text.replace("It is for Socket Mode, which needs no public address.", "It is for HTTP.")
