"""What the bot is compared with, each served by waitress with as many threads: Bolt apps that do only the least."""

from __future__ import annotations

import logging
import sqlite3
import sys
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path

import requests
import waitress
from slack_bolt import Ack, App
from slack_bolt.adapter.wsgi import SlackRequestHandler
from slack_bolt.authorization import AuthorizeResult
from slack_sdk import WebClient

from bot.front.server import THREADS

SECRET = "0123456789abcdef0123456789abcdef"


def bolt(process_before_response: bool, api: str = "", journal: Path | None = None) -> App:
    """Return a Bolt app that acknowledges /addgroup.

    With `api` it then makes the group: the textbook's way. With `journal` it inserts a row first, as cheaply as Python
    can if the row shall survive a power cut.
    """
    inserted = _insert_into(journal) if journal else None
    app = App(
        client=WebClient("xoxb-benchmark"),
        authorize=lambda: AuthorizeResult(enterprise_id=None, team_id="T1", bot_token="xoxb-benchmark"),
        signing_secret=SECRET,
        process_before_response=process_before_response,
        token_verification_enabled=False,
    )

    @app.command("/addgroup")
    def addgroup(ack: Ack, command: dict[str, str]) -> None:
        if inserted:
            inserted(command["trigger_id"], command["text"])
        ack()
        if api:
            requests.post(f"{api}/v1/add-group/json", json=add_group(command["text"]), timeout=30)

    return app


def _insert_into(journal: Path) -> Callable[[str, str], None]:
    connection = sqlite3.connect(journal, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute('CREATE TABLE jobs ("trigger" TEXT PRIMARY KEY, typed TEXT)')
    alone = threading.Lock()

    def inserted(trigger: str, typed: str) -> None:
        with alone:
            connection.execute("INSERT INTO jobs VALUES (?, ?)", (trigger, typed))

    return inserted


def add_group(name: str) -> dict[str, object]:
    """Return the body of a call."""
    return {"request": {"authentication": {"key": "k", "hash": "h"}, "group": {"name": name, "parent": ""}}}


def main(kind: str, port: str, api: str = "") -> None:
    """Serve one of the apps on a port of loopback."""
    if kind == "durable":
        app = bolt(True, journal=Path(tempfile.mkdtemp()) / "journal.db")
    else:
        app = bolt(kind == "before", api)
    logging.getLogger("waitress").setLevel(logging.ERROR)  # as the bot has it
    waitress.serve(SlackRequestHandler(app), host="127.0.0.1", port=int(port), threads=THREADS)


if __name__ == "__main__":
    main(*sys.argv[1:])
