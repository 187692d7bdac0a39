"""How long answers to Slack's requests may be."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any, cast

import pytest
from slack_bolt import Ack

from bot.front.answer_size import MAX_ANSWER, fits, fitting
from bot.front.reply import CommandReply, Errands
from bot.sandbox.workspace import Workspace
from bot.slack.client import SlackClient
from bot.slack.messages import plain
from bot.slack.people import People


def option(text: str, value: str = "id:1") -> dict[str, Any]:
    return {"text": {"type": "plain_text", "text": text, "emoji": False}, "value": value}


@pytest.mark.parametrize(
    "text", ["", "a" * 75, "ş" * 75, "🎉" * 37, '"' * 75, "\\" * 75], ids=["", "a", "ş", "🎉", "quote", "slash"]
)
@pytest.mark.parametrize("last", [[], [option("ş" * 75, "id:99")]])
def test_options_fit_however_they_are_written(text: str, last: list[dict[str, Any]]) -> None:
    """As many as there may be, from the first on; the last one stays whatever is left out."""
    options = [option(text, f"id:{number}") for number in range(150)]
    chosen = fitting(options, 100, last)
    assert len(json.dumps({"options": chosen})) <= MAX_ANSWER
    assert chosen[len(chosen) - len(last) :] == last
    kept = chosen[: len(chosen) - len(last)]
    assert kept == options[: len(kept)]
    assert 20 < len(chosen) <= 100
    more = [*options[: len(kept) + 1], *last]
    assert len(chosen) == 100 or len(json.dumps({"options": more})) > MAX_ANSWER - 2500


@pytest.mark.parametrize(("text", "acknowledged"), [("kısa", True), ("ş" * 3_000, True), ("ş" * 4_000, False)])
def test_words_that_do_not_fit_are_said_after_the_acknowledgement(
    workspace: Workspace, text: str, acknowledged: bool
) -> None:
    """The acknowledgement of a command is bare then, and the person gets every word of them."""
    acks: list[dict[str, Any]] = []
    ack = cast(Ack, lambda **fields: acks.append(fields))
    turkish = People(SlackClient("", workspace.url), "tr")
    with ThreadPoolExecutor(1) as errands:
        reply = CommandReply(ack, turkish, Errands(errands), "U1", f"{workspace.url}/response/U1/C1/1")
        reply.tell(lambda _language: plain(text))
    (answer,) = acks
    assert fits(plain(text)) == acknowledged
    assert ("text" in answer) == acknowledged
    assert [m.text for m in workspace.private()] == ([] if acknowledged else [text])
