"""Trees of groups: an API whose calls are watched, and what people see of a tree."""

import json
import socket
import threading
from collections import Counter
from collections.abc import Mapping

from bot.sandbox.loopback import Answer, Request
from bot.slack.texts import say
from tests.support.provider import Api
from tests.support.workspace import Message, Workspace


class Watched(Api):
    """The group API that counts what it works on at once, and while it is held works on what it is let only."""

    def __init__(self) -> None:
        super().__init__()
        self.arrived: list[str] = []  # the names of groups, in the order in which their requests came
        self.at_once = self.most_at_once = 0
        self.held = False
        self._let: Counter[str] = Counter()
        self._changed = threading.Condition()

    def let(self, *names: str) -> None:
        """Work on these although it is held."""
        with self._changed:
            self._let.update(names)
            self._changed.notify_all()

    def let_all(self) -> None:
        with self._changed:
            self.held = False
            self._changed.notify_all()

    def wait_for(self, number: int) -> set[str]:
        """Wait until so many requests for groups have come, and return the names of all that have."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.arrived) >= number, 60), self.arrived
            return set(self.arrived)

    def respond(self, request: Request, connection: socket.socket) -> Answer | None:
        name = json.loads(request.body)["request"].get("group", {}).get("name", "")
        with self._changed:
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
            if name:
                self.arrived.append(name)
                self._changed.notify_all()
                assert self._changed.wait_for(lambda: not self.held or self._let[name], 120)
                self._let[name] -= 1
        try:
            return super().respond(request, connection)
        finally:
            with self._changed:
                self.at_once -= 1

    def fail(self, faults: Mapping[str, int | str]) -> None:
        """Let each request for a group of one of the names fail in its way, and no other request."""

        def mood() -> int | str | None:
            method, body = self.calls[-1]
            return faults.get(body["request"]["group"]["name"]) if method == "add-group" else None

        self.mood = mood

    def parents(self) -> dict[str, str]:
        """Return the name of each group's parent, by the group's name."""
        found = tuple(self.groups.values())
        return {group.name: self.groups[group.parent].name if group.parent else "" for group in found}

    def sent(self) -> Counter[str]:
        """Return how often a request for each name came."""
        return Counter(body["request"]["group"]["name"] for method, body in self.calls if method == "add-group")

    def id_of(self, name: str) -> str:
        (identifier,) = [group.id for group in self.groups.values() if group.name == name]
        return identifier


def outcome(language: str, made: int, count: int, there: int = 0, unclear: int = 0) -> str:
    """Return what the root of a tree says of how much of it exists: the part in bold."""
    some = say(language, "tree.there", there=there) if there else ""
    some += say(language, "tree.unclear", unclear=unclear) if unclear else ""
    key = "some" if made + there + unclear else "none"
    if made + there == count:
        key = "both" if made and there else "created" if made else "exist"
    told = say(language, f"tree.{key}", what="", made=made, there=there, count=count, under="", more=some)
    return f"*{told.split('*')[1]}*"


def done(workspace: Workspace, made: int, count: int, language: str = "en", **more: int) -> Message:
    """Wait until a root says how much of a tree was made and its thread has all answers, and return it.

    `more` is how many were `there` before and how many are `unclear`.
    """
    told = outcome(language, made, count, **more)

    def found() -> list[Message]:
        return [root for root in workspace.roots() if told in root.text and len(lines(workspace.thread(root))) > count]

    assert workspace.wait_for(lambda: bool(found())), [message.text for message in workspace.messages]
    return found()[-1]


def lines(messages: list[Message]) -> list[str]:
    return [line for message in messages for line in message.text.splitlines()]
