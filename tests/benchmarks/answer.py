"""From Enter to the answer, between stand-ins that take as long as networks do."""

import statistics
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from bot.sandbox.loopback import Request
from tests.support.provider import Api
from tests.support.workspace import Message, Workspace

SLACK_CONNECT, SLACK_CALL = 0.12, 0.12
"""Seconds for a new TLS connection to Slack, and for a call: a round trip takes 60 ms."""

API_CONNECT, API_CALL = 0.06, 0.25
"""Seconds for a new TLS connection to the provider, and for a call: a round trip takes 20 ms."""

LEAST = API_CONNECT + API_CALL + SLACK_CALL
"""The least time to an answer in seconds: the root and the group side by side, then the answer."""

LEAST_AFTER_SILENCE = API_CONNECT + API_CALL + LEAST
"""The same where the account's list of groups must be read first; who asked is looked up beside that."""

Times = tuple[float, float, float]
"""Seconds from Enter to the root, to the answer, and to the root's final form."""


def slow_down(workspace: Workspace, api: Api) -> None:
    """Let the stand-ins take as long as networks do."""
    workspace.handler = _slower(workspace.handler, SLACK_CONNECT, SLACK_CALL)
    api.handler = _slower(api.handler, API_CONNECT, API_CALL)


def _slower(handler: type[Request], connect: float, call: float) -> type[Request]:
    class Slower(handler):  # type: ignore[misc, valid-type]
        def setup(self) -> None:
            time.sleep(connect)
            super().setup()

        def do_POST(self) -> None:  # noqa: N802  # as http.server calls it
            time.sleep(call)
            super().do_POST()

    return Slower


def timed(workspace: Workspace, url: str, text: str, user: str = "U1") -> Times:
    """Send a command, and return when people saw what."""
    mark = text.split("\n", maxsplit=1)[0]
    begun = time.perf_counter()

    def roots() -> list[Message]:
        return [root for root in workspace.roots() if mark in root.text]

    def seen(condition: Callable[[], bool]) -> float:
        if not workspace.wait_for(condition, 60):
            raise TimeoutError(mark)
        return time.perf_counter() - begun

    conditions: list[Callable[[], bool]] = [
        lambda: bool(roots()),
        lambda: any(workspace.thread(root) for root in roots()),
        lambda: any("created" in root.text for root in roots()),
    ]
    with ThreadPoolExecutor(4) as pool:
        waiting = [pool.submit(seen, condition) for condition in conditions]
        workspace.command(url, text, user=user)
        root, answer, final = (future.result() for future in waiting)
    return root, answer, final


def report(label: str, times: list[Times], least: float, aim: float) -> str:
    """Return a line with the medians in ms and their ratios to the least possible time."""
    root, answer, final = (statistics.median(column) for column in zip(*times, strict=True))
    figures = f"root {1000 * root:4.0f} ms  answer {1000 * answer:4.0f} ms  final root {1000 * final:4.0f} ms"
    return f"  {label:16} {figures}  least {1000 * least:4.0f} ms: answer {answer / least:.2f} (aim {aim})"
