"""What people see in Slack's stand-in, awaited: answers, private words, forms and buttons."""

import contextlib
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from bot.sandbox.bot import Bot
from tests.support.provider import Api
from tests.support.workspace import Form, Message, Reply, Workspace, is_answer

Start = Callable[..., Bot]
"""What starts a bot; keyword arguments are variables of its environment."""

EVIL_LONG = ("Çok uzun bir grup adı & <ğüşıöç> 🎉 " * 7 + "x" * 255)[:255]
"""A name as long as names may be, of which much has to be escaped."""


def answers(workspace: Workspace, number: int, channel: str = "C1") -> list[Message]:
    """Wait until a number of final answers stand in the channel's threads, and return them."""

    def found() -> list[Message]:
        return [m for m in tuple(workspace.messages) if m.channel == channel and m.thread_ts]

    assert workspace.wait_for(lambda: len(found()) >= number), [m.text for m in workspace.messages]
    return found()


def answered(workspace: Workspace, name: str, seconds: float = 30) -> bool:
    """Wait until an answer stands in the thread under a root that names a group; tell whether one does."""

    def found() -> bool:
        asked = {(m.channel, m.ts) for m in workspace.messages if f"`{name}`" in m.text}
        return any((m.channel, m.thread_ts) in asked for m in workspace.messages if is_answer(m))

    return workspace.wait_for(found, seconds)


def told(workspace: Workspace, part: str, user: str = "U1") -> Message:
    """Wait until somebody was told something privately, and return it."""
    assert workspace.wait_for(lambda: any(part in m.text for m in workspace.private(user))), workspace.private(user)
    return next(m for m in workspace.private(user) if part in m.text)


def opened(workspace: Workspace) -> Form:
    assert workspace.wait_for(lambda: bool(workspace.forms))
    return workspace.forms[-1]


def actions(message: Message) -> list[str]:
    return [button["action_id"] for button in message.buttons]


def field(form: Form, block: str) -> dict[str, Any]:
    """Return a field of a form by its action_id: its element."""
    elements = [b["element"] for b in form.view["blocks"] if "element" in b]
    found: dict[str, Any] = next(element for element in elements if element["action_id"] == block)
    return found


def notes(form: Form) -> list[str]:
    """Return what a form says above its fields."""
    return [block["text"]["text"] for block in form.view["blocks"] if block["type"] == "section"]


def seen(reply: Reply, channel: str = "C1") -> Message:
    """Return what a command's acknowledgement shows as a message, whose buttons can be pressed."""
    return Message(channel, "1.1", reply.text, blocks=reply.body.get("blocks", []))


def reference(caplog: pytest.LogCaptureFixture) -> str:
    """Return the reference under which a request that failed is in the log."""
    failed = next(record for record in caplog.records if record.getMessage() == "request_failed")
    return str(failed.__dict__["fields"]["reference"])


def code_of(message: Message) -> str:
    """Return what stands in a message to be copied."""
    parts = [element for block in message.blocks if block["type"] == "rich_text" for element in block["elements"]]
    code = [part for part in parts if part["type"] == "rich_text_preformatted"]
    return "\n".join(span["text"] for part in code for span in part["elements"])


@contextlib.contextmanager
def under_way(api: Api) -> Iterator[threading.Event]:
    """Let no group be created until the end of the block; the event is set when the first request has come."""
    go = api.gates["add-group"] = threading.Event()
    api.called.clear()
    try:
        yield api.called
    finally:
        go.set()
