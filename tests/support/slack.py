"""What people see in Slack's stand-in, awaited: answers, private words, forms and buttons."""

from __future__ import annotations

from bot.sandbox.workspace import Form, Message, Workspace


def answers(workspace: Workspace, number: int, channel: str = "C1") -> list[Message]:
    """Wait until a number of final answers stand in the channel's threads, and return them."""

    def found() -> list[Message]:
        return [m for m in tuple(workspace.messages) if m.channel == channel and m.thread_ts]

    assert workspace.wait_for(lambda: len(found()) >= number), [m.text for m in workspace.messages]
    return found()


def told(workspace: Workspace, part: str, user: str = "U1") -> Message:
    """Wait until somebody was told something privately, and return it."""
    assert workspace.wait_for(lambda: any(part in m.text for m in workspace.private(user))), workspace.private(user)
    return next(m for m in workspace.private(user) if part in m.text)


def opened(workspace: Workspace) -> Form:
    assert workspace.wait_for(lambda: bool(workspace.forms))
    return workspace.forms[-1]


def actions(message: Message) -> list[str]:
    return [button["action_id"] for button in message.buttons]
