"""What the bot is compared with: the textbook's Bolt app, which acknowledges and then calls, served by waitress too."""

import logging
import sys

import requests
import waitress
from slack_bolt import Ack, App
from slack_bolt.adapter.wsgi import SlackRequestHandler
from slack_bolt.authorization import AuthorizeResult
from slack_sdk import WebClient

from bot.front.server import THREADS

SECRET = "0123456789abcdef0123456789abcdef"


def add_group(name: str) -> dict[str, object]:
    """Return the body of a call."""
    return {"request": {"authentication": {"key": "k", "hash": "h"}, "group": {"name": name, "parent": ""}}}


def main(port: str, api: str) -> None:
    """Serve it on a port of loopback."""
    app = App(
        client=WebClient("xoxb-benchmark"),
        authorize=lambda: AuthorizeResult(enterprise_id=None, team_id="T1", bot_token="xoxb-benchmark"),
        signing_secret=SECRET,
        token_verification_enabled=False,
    )

    @app.command("/addgroup")
    def addgroup(ack: Ack, command: dict[str, str]) -> None:
        ack()
        requests.post(f"{api}/v1/add-group/json", json=add_group(command["text"]), timeout=30)

    logging.getLogger("waitress").setLevel(logging.ERROR)  # as the bot has it
    waitress.serve(SlackRequestHandler(app), host="127.0.0.1", port=int(port), threads=THREADS)


if __name__ == "__main__":
    main(*sys.argv[1:])
