"""What one person is told: in the acknowledgement, or after it."""

from typing import Any, cast

import pytest
from slack_bolt import Ack

from bot.front.http import MAX_ANSWER, fits
from bot.front.reply import Intake, Origin, Reply
from bot.journal.journal import Journal
from bot.slack.blocks import plain
from bot.slack.client import SlackClient
from bot.slack.people import People
from tests.support.workspace import Workspace


@pytest.mark.parametrize(("text", "acknowledged"), [("kısa", True), ("ş" * 3_000, True), ("ş" * 4_000, False)])
def test_words_that_do_not_fit_are_said_after_the_acknowledgement(
    workspace: Workspace, text: str, acknowledged: bool
) -> None:
    """The acknowledgement of a command is bare then, and the person gets every word of them."""
    acks: list[dict[str, Any]] = []
    ack = cast(Ack, lambda **fields: acks.append(fields))
    intake = Intake(Journal("sqlite://"), People(SlackClient("", workspace.url), "tr"))
    reply = Reply(intake, ack, "U1", Origin("C1", f"{workspace.url}/response/U1/C1/1"), in_words=True)
    reply.tell(lambda _language: plain(text))
    intake.close()
    (answer,) = acks
    assert fits(plain(text)) == acknowledged
    assert ("text" in answer) == acknowledged
    assert len(str(answer).encode("ascii", "backslashreplace")) <= MAX_ANSWER
    assert [m.text for m in workspace.private()] == ([] if acknowledged else [text])
