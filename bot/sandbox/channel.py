"""What one person does in one channel of the stand-in, and what comes of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import requests

from bot.sandbox.workspace import Form, Message, Reply, Workspace

CHANNEL = "C1"
ANSWER_WITHIN = 60.0
_SOON = 1.5  # seconds after which somebody who waits is told so


@dataclass(frozen=True)
class Happened:
    """What came of something that was done: one of the first five, or messages in threads and private ones.

    `http` is a status that no bot should answer with; `mistakes` are a form's, by field; `reply` is for the person
    alone; `silent` is set when nothing came; `threads` are roots with what is new below them; `outcomes` are those of
    the jobs that were answered.
    """

    http: int = 0
    mistakes: dict[str, str] = field(default_factory=dict)
    reply: Message | None = None
    form: Form | None = None
    silent: bool = False
    threads: list[tuple[Message, list[Message]]] = field(default_factory=list)
    private: list[Message] = field(default_factory=list)
    outcomes: frozenset[str] = frozenset()


class Channel:
    """The channel as it is when the console has shown all that it knows of.

    An answer for which somebody stopped waiting is still owed: it comes with the next one.
    """

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._owed = 0
        self._seen = 0
        self._edits: dict[str, int] = {}

    def do(self, act: Callable[[], Reply], on_wait: Callable[[], None]) -> Happened:
        """Do something in Slack and wait for what comes of it; call `on_wait` when that takes a while."""
        if not self._owed:
            self._seen = len(self._workspace.messages)
            self._edits = {message.ts: len(message.earlier) for message in self._public()}
        forms = len(self._workspace.forms)
        self._owed += 1  # KeyboardInterrupt may come from here on
        try:
            told = _told(act())
        except requests.RequestException:
            told = Happened(silent=True)
        if told:
            self._owed -= 1
            return told

        def finished() -> bool:
            return len(self._workspace.forms) > forms or self._answers() >= self._owed

        answered = self._workspace.wait_for(finished, _SOON)
        if not answered:
            on_wait()
            answered = self._workspace.wait_for(finished, ANSWER_WITHIN)
        if len(self._workspace.forms) > forms:
            self._owed -= 1
            return Happened(form=self._workspace.forms[-1])
        self._owed = 0
        return self._new() if answered else Happened(silent=True)

    def _answers(self) -> int:
        """Count the jobs that are answered: in the thread and at the root, or privately."""
        new = self._workspace.messages[self._seen :]
        roots = [m for m in self._public() if not m.is_answer]
        done = {
            m.thread_ts or m.ts
            for m in roots
            if m.outcome not in ("", "open") or len(m.earlier) > self._edits.get(m.ts, 0)
        }
        settled = {m.job for m in new if m.is_answer and m.thread_ts in done}
        return len(settled) + len([message for message in new if message.private_to])

    def _public(self) -> list[Message]:
        found = tuple(self._workspace.messages)
        return [message for message in found if message.channel == CHANNEL and not message.private_to]

    def _new(self) -> Happened:
        new = self._workspace.messages[self._seen :]
        threads = {message.thread_ts for message in new} - {""}
        return Happened(
            threads=[
                (root, [answer for answer in new if answer.thread_ts == root.ts])
                for root in self._public()
                if root.ts in threads
            ],
            private=[message for message in new if message.private_to],
            outcomes=frozenset(message.outcome for message in new) - {"", "open"},
        )


def said(block: dict[str, Any]) -> str:
    """Return the text of a block that takes no input."""
    parts = [block.get("text", {}), *block.get("elements", [])]
    return " ".join(part["text"] for part in parts if isinstance(part.get("text"), str))


def _told(reply: Reply) -> Happened | None:
    """Return what the bot's own HTTP answer says, None where the answer comes later."""
    if reply.status != 200:
        return Happened(http=reply.status)
    if mistakes := reply.body.get("errors"):
        return Happened(mistakes=mistakes)
    if view := reply.body.get("view"):
        return Happened(reply=Message(CHANNEL, "", "\n".join(map(said, view["blocks"]))))
    if reply.text:
        return Happened(reply=Message(CHANNEL, "", reply.text, blocks=reply.body.get("blocks", [])))
    return None
