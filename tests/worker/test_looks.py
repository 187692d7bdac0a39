"""What is neither confirmed nor found: the bot looks again twice, by itself, and tells once what came of it."""

from dataclasses import replace

import pytest
from sqlalchemy import Engine

from bot.model.job import Job
from bot.model.outcome import Unknown
from bot.worker import run_job
from tests.support.journal import shift
from tests.support.provider import Api
from tests.support.slack import actions, answers
from tests.support.texts import part
from tests.support.until import until
from tests.support.worker import Logged, Past, Start
from tests.support.workspace import Workspace

NEVER = 1e6


def appears_at(api: Api, look: int) -> list[int]:
    """Let the lost group be in the list from this look on, 0 being the answer's own; return what counts the looks."""
    seen = [-1]

    def mood() -> None:
        if api.calls[-1][0] == "get-groups" and api.made():
            seen[0] += 1
            if seen[0] == look:
                api.groups["97200"] = replace(api.groups["5"], id="97200", name="VIP")

    api.mood = mood
    return seen


def answered(past: Past, looks: int = 0) -> Job:
    """Bring a job to an unclear answer, after which the bot has looked so many times."""
    job = past.accept()
    past.root(job)
    past.send(job, Unknown("timeout", (), looks=looks))
    past.answer(job)
    return job


@pytest.mark.parametrize("alone", [False, True], ids=["in the thread", "privately"])
@pytest.mark.parametrize("look", [1, 2, 9], ids=["at the first look", "at the last", "never"])
def test_what_looking_again_found_is_told_once(
    start: Start,
    workspace: Workspace,
    api: Api,
    logged: Logged,
    monkeypatch: pytest.MonkeyPatch,
    alone: bool,
    look: int,
) -> None:
    """The first answer mentions nobody; then one message does, has the buttons, and its root shows the same."""
    monkeypatch.setattr(run_job, "LOOKS", (0.1, 0.2))
    language = "tr" if alone else "en"
    if alone:
        workspace.closed["C1"] = "not_in_channel"
    api.faults.append("close")
    seen = appears_at(api, look)
    url = start(ADDGROUP_LANGUAGE=language).url
    workspace.command(url, "VIP")
    assert logged.wait_for("done")
    found, kind = look < 9, "found" if look < 9 else "found_none"
    first, told = workspace.private() if alone else workspace.thread(workspace.roots()[0])
    earlier = first.text if alone else first.earlier[0]
    assert part(language, "unknown.looked_for.next") in earlier
    assert part(language, f"unknown.{kind}.next") in told.text
    assert ("<@U1>" in earlier, "<@U1>" in told.text) == (False, not alone)
    assert actions(told) == ["confirm"] * found + ["look", "anyway"]
    assert seen[0] == min(look, 2), "looked too often"
    assert api.made() == 1
    assert alone or not actions(first)
    workspace.press(url, told, "confirm" if found else "anyway")
    assert logged.wait_for("done", 2)
    shown = workspace.private()[-1] if alone else workspace.roots()[0]
    assert ("`97200`" if found else "`97101`") in shown.text


def test_a_restart_in_between_loses_nothing(
    past: Past, go_on: Start, workspace: Workspace, api: Api, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When it was answered, and that it was looked once, is in the journal: the last look is due, and no other."""
    monkeypatch.setattr(run_job, "LOOKS", (NEVER, 300.0))
    answered(past, looks=1)
    api.add("VIP", identifier="97200")
    shift(engine, -400)
    go_on()
    first, told = answers(workspace, 2)
    assert workspace.wait_for(lambda: not actions(first))
    assert "<@U1>" in told.text
    assert actions(told) == ["confirm", "look", "anyway"]
    assert [method for method, _ in api.calls] == ["get-groups"]


def test_until_a_look_it_is_answered(past: Past, go_on: Start, workspace: Workspace, api: Api, logged: Logged) -> None:
    """It is not among the open ones, nothing is asked for, and a bot that stops does not wait for it."""
    answered(past)
    assert past.journal.backlog().open_jobs == 0
    bot = go_on()
    assert logged.wait_for("postponed")
    assert until(lambda: not bot.parts.worker.busy())
    assert not api.calls


@pytest.mark.parametrize("key", ["created.heading", "unknown.found_none.next"])
def test_a_button_in_between_ends_the_looks(
    past: Past, go_on: Start, workspace: Workspace, logged: Logged, monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    """Its own answer is the last word, in the root too."""
    monkeypatch.setattr(run_job, "LOOKS", (NEVER, NEVER))
    answered(past)
    button = "anyway" if key == "created.heading" else "look"
    bot = go_on(ADDGROUP_LANGUAGE="en")
    (root,) = workspace.roots()
    workspace.press(bot.url, workspace.thread(root)[0], button)
    assert logged.wait_for("done")
    bot.stop(30)
    monkeypatch.setattr(run_job, "LOOKS", (0.0, 0.0))
    go_on()
    assert logged.wait_for("done", 2)
    first, last = workspace.thread(root)
    assert part("en", key) in last.text
    assert part("en", "unknown.looked_for.next") not in first.text
    assert ("`97101`" in root.text) == (button == "anyway")


@pytest.mark.parametrize("crashed", [False, True])
def test_without_the_list_it_is_the_persons_turn_at_once(
    past: Past, go_on: Start, workspace: Workspace, api: Api, logged: Logged, crashed: bool
) -> None:
    """The one answer mentions them."""
    api.mood = lambda: 404 if api.calls[-1][0] == "get-groups" else "close"
    job = past.accept()
    if crashed:
        past.send(job)
    go_on()
    assert logged.wait_for("done")
    (told,) = workspace.thread(workspace.roots()[0])
    assert "<@U1>" in told.text
    assert part("en", "unknown.no_list.next") in told.text
