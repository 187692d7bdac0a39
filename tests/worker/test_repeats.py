"""The same again: one group, one job, one answer; and nothing secret on disk."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from bot.journal import accepting
from bot.sandbox.api import Api
from bot.sandbox.workspace import BOT_TOKEN, Workspace
from bot.slack.texts import load
from tests.support.worker import (
    Start,
    both_languages,
    finished,
)


@both_languages
def test_who_asks_for_the_same_is_told(
    start: Start, database_url: str, workspace: Workspace, api: Api, language: str
) -> None:
    """Privately: who asked, that it is under way or when it was made and the id; no second group, nothing posted."""
    texts, go = load(language), threading.Event()
    api.mood = lambda: None if go.wait(10) else 500
    url = start(DATABASE_URL=database_url, ADDGROUP_LANGUAGE=language, ILETIMERKEZI_TIMEOUT="9").url

    def told(what: str, user: str) -> str:
        reply = workspace.command(url, what, user=user)
        assert reply.status == 200
        assert reply.text or workspace.wait_for(lambda: bool(workspace.private(user)))
        return reply.text or workspace.private(user)[0].text

    workspace.command(url, "VIP müşteri parent=5")
    assert api.called.wait(10)
    early = told("parent=5 “vıp MÜŞTERİ”", "U2")
    go.set()
    assert finished(workspace)
    late = told('"Vip Müşteri"  parent=5', "U3")
    assert texts["duplicate.under_way.explanation"].format(user="<@U1>") in early
    assert texts["duplicate.created.explanation"].format(user="<@U1>", age=1, id="`97101`") in late
    assert api.made() == 1
    assert len(workspace.roots()) == 1


def test_one_trigger_is_one_job(start: Start, database_url: str, workspace: Workspace, api: Api) -> None:
    """Delivered four times at once to two processes: four plain acknowledgements, one root, one group, one answer."""
    urls = [start(DATABASE_URL=database_url, ADDGROUP_LANGUAGE="en").url for _ in range(2)] * 2
    with ThreadPoolExecutor(4) as pool:
        replies = list(pool.map(lambda url: workspace.command(url, "VIP", trigger_id="1.1"), urls))
    assert finished(workspace)
    replies.append(workspace.command(urls[0], "VIP", trigger_id="1.1"))
    assert [(reply.status, reply.text) for reply in replies] == [(200, "")] * 5
    assert api.made() == 1
    assert len(workspace.messages) == 2


@both_languages
def test_past_the_bound_the_sender_is_told(
    start: Start, workspace: Workspace, api: Api, monkeypatch: pytest.MonkeyPatch, language: str
) -> None:
    """Privately, that nothing was created."""
    monkeypatch.setattr(accepting, "MOST_OPEN", 0)
    reply = workspace.command(start(ADDGROUP_LANGUAGE=language).url, "VIP")
    assert (reply.status, reply.text) == (200, load(language)["failure.busy"])
    assert not workspace.messages
    assert not api.calls


def test_no_secret_is_in_the_file(start: Start, workspace: Workspace, tmp_path: Path) -> None:
    """Not a byte of a token, key, hash, signing secret or signature, also not of what was deleted."""
    running = start()
    for name in "ABC":
        workspace.command(running.url, name)
    workspace.closed["C2"] = "not_in_channel"
    workspace.command(running.url, "D", channel="C2")
    assert finished(workspace, 3)
    assert workspace.wait_for(lambda: bool(workspace.private()))
    stored = b"".join(file.read_bytes() for file in tmp_path.glob("journal.db*"))
    assert b"trigger" in stored
    for secret in (BOT_TOKEN, "key-of-tests", "hash-of-tests", "0123456789abcdef0123456789abcdef", "v0="):
        assert secret.encode() not in stored
