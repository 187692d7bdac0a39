"""The same again: one group, one job, one answer; and nothing secret on disk."""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from bot.sandbox.api import Api
from tests.support.texts import part
from tests.support.worker import (
    Start,
    answer,
    both_languages,
)
from tests.support.workspace import BOT_TOKEN, Workspace


@both_languages
def test_who_asks_for_the_same_is_told(
    start: Start, database_url: str, workspace: Workspace, api: Api, language: str
) -> None:
    """While it is under way, privately, who asked; once it is made, in the channel, that it exists. No second group."""
    go = threading.Event()
    api.gates["add-group"] = go
    url = start(DATABASE_URL=database_url, ADDGROUP_LANGUAGE=language).url

    workspace.command(url, "VIP müşteri parent=5")
    assert api.called.wait(10)
    reply = workspace.command(url, "parent=5 “vıp MÜŞTERİ”", user="U2")
    assert reply.text or workspace.wait_for(lambda: bool(workspace.private("U2")))
    early = reply.text or workspace.private("U2")[0].text
    assert part(language, "duplicate.under_way.finding") in early
    go.set()
    assert workspace.finished()
    workspace.command(url, '"Vip Müşteri"  parent=5', user="U3")
    assert workspace.finished(2)
    assert part(language, "exists.heading") in answer(workspace, workspace.roots()[1])
    assert api.made() == 1


def test_one_trigger_is_one_job(start: Start, database_url: str, workspace: Workspace, api: Api) -> None:
    """Delivered four times at once to two processes: four plain acknowledgements, one root, one group, one answer."""
    urls = [start(DATABASE_URL=database_url, ADDGROUP_LANGUAGE="en").url for _ in range(2)] * 2
    with ThreadPoolExecutor(4) as pool:
        replies = list(pool.map(lambda url: workspace.command(url, "VIP", trigger_id="1.1"), urls))
    assert workspace.finished()
    replies.append(workspace.command(urls[0], "VIP", trigger_id="1.1"))
    assert [(reply.status, reply.text) for reply in replies] == [(200, "")] * 5
    assert api.made() == 1
    assert len(workspace.messages) == 2


def test_no_secret_is_in_the_file(start: Start, workspace: Workspace, tmp_path: Path) -> None:
    """Not a byte of a token, key, hash, signing secret or signature, also not of what was deleted."""
    running = start()
    for name in "ABC":
        workspace.command(running.url, name)
    workspace.closed["C2"] = "not_in_channel"
    workspace.command(running.url, "D", channel="C2")
    assert workspace.finished(3)
    assert workspace.wait_for(lambda: bool(workspace.private()))
    stored = b"".join(file.read_bytes() for file in tmp_path.glob("journal.db*"))
    assert b"trigger" in stored
    for secret in (BOT_TOKEN, "key-of-tests", "hash-of-tests", "0123456789abcdef0123456789abcdef", "v0="):
        assert secret.encode() not in stored
