"""Everybody is told: also where the root is gone, Slack is away for a moment, or the channel takes no messages."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.front import reply as replies
from bot.journal.accepting import Accepted
from bot.journal.database import connect
from bot.journal.journal import Journal
from bot.model.job import Job, Step
from bot.model.outcome import Duplicate
from bot.sandbox.bot import Bot
from bot.sandbox.loopback import Answer
from bot.slack.texts import load
from tests.support.journal import shift
from tests.support.provider import Api
from tests.support.slack import actions, answers, opened, told, under_way
from tests.support.texts import part
from tests.support.until import until
from tests.support.workspace import Message, Workspace

Start = Callable[..., Bot]

TEXTS = {language: load(language) for language in ("en", "tr")}


# The root is gone.


@pytest.mark.parametrize(("typed", "shortcut"), [("VIP parent=5", True), ("A parent=5\n B\n C", False)])
def test_an_answer_without_its_root_says_who_asked_for_what(
    start: Start, workspace: Workspace, api: Api, typed: str, shortcut: bool
) -> None:
    """The root, or the message in whose thread it stands, is deleted while the call runs."""
    with under_way(api) as come:
        url = start(ADDGROUP_LANGUAGE="en").url
        if shortcut:
            workspace.shortcut(url, workspace.say(typed))
            workspace.submit(url, opened(workspace))
        else:
            workspace.command(url, typed)
        assert come.wait(30)
        delete_root(workspace)
    (answer,) = awaited(workspace, lambda m: " · for " in m.text and "97101" in m.text)
    assert all(part in answer.text for part in ("<@U1>", f"`{typed.split(maxsplit=1)[0]}`", "`5`"))


def test_what_follows_an_answer_without_root_stands_under_it(
    start: Start, workspace: Workspace, api: Api, tmp_path: Path
) -> None:
    """The answer keeps its words, and its buttons go as they are used."""
    api.faults.append(503)
    url = start(ADDGROUP_LANGUAGE="en").url
    with under_way(api) as come:
        workspace.command(url, "VIP")
        assert come.wait(30)
        delete_root(workspace)
    (answer,) = awaited(workspace, lambda m: " · for " in m.text and bool(m.buttons))
    book = Journal(f"sqlite:///{tmp_path}/journal.db")
    until(lambda: book.recent(1)[0].rootless)
    book.close()
    workspace.press(url, answer, "again")
    assert workspace.wait_for(lambda: bool(workspace.thread(answer)))
    assert part("en", "created.heading") in workspace.thread(answer)[0].text
    assert workspace.wait_for(lambda: not answer.buttons)
    assert answer.text.startswith("✗ `VIP` *not created*")
    assert " · for <@U1>" in answer.text


# A root that nobody knows of.


@pytest.mark.parametrize("typed", ["VIP", "A\n B"])
def test_a_root_whose_place_was_lost_says_nothing_false(start: Start, workspace: Workspace, typed: str) -> None:
    """As after a crash between its post and its record: it says who asked for what, which stays true."""
    workspace.faults["chat.postMessage"].append("lost")
    workspace.command(start(ADDGROUP_LANGUAGE="en").url, typed)
    answers(workspace, 1)
    lost, root = workspace.roots()
    assert "*requested*" in lost.text
    assert "created" in root.text


# What follows an acknowledgement.


@pytest.mark.parametrize(
    ("key", "languages"),
    [("form.expired", ["en"]), ("denied.guest.title", ["en"]), ("denied.unknown.title", ["en", "tr"])],
)
def test_what_no_form_opens_for_is_told_in_the_acknowledgement(
    start: Start, workspace: Workspace, key: str, languages: list[str]
) -> None:
    """In both languages while the person's is not known: what is said later may be lost. What they typed is in it."""
    workspace.trigger_seconds = 0
    workspace.people["U1"] = {"is_restricted": "guest" in key}
    workspace.faults["users.info"].extend([500] * 9 if "unknown" in key else [])
    workspace.faults["response_url"].extend([503] * 9)
    said = workspace.command(start().url, "VIP parent=").text
    assert [language for language in TEXTS if part(language, key) in said] == languages
    assert ("/addgroup VIP parent=" in said) == ("guest" not in key)


def test_what_fails_for_a_moment_is_told_later(
    start: Start, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The list of groups, whose reader has to be known: tried again a few times, and told once; else directly."""
    monkeypatch.setattr(replies, "PAUSES", (0.05, 0.05, 0.05))
    workspace.faults["response_url"].extend([503, "drop"])
    url = start(ADDGROUP_LANGUAGE="en").url
    workspace.command(url, "list")
    page = told(workspace, TEXTS["en"]["list.heading"])
    assert [m for m in workspace.private() if m.text == page.text] == [page]
    workspace.faults["response_url"].extend([503] * 4)
    workspace.command(url, "list")
    until(lambda: not workspace.faults["response_url"])
    workspace.command(url, "list customers")
    assert told(workspace, "customers")
    assert len(workspace.private()) == 2
    workspace.faults["response_url"].append(404)
    workspace.command(url, "list")
    assert workspace.wait_for(lambda: [m.channel for m in workspace.messages if m.text == page.text][-1:] == ["U1"])


@pytest.mark.parametrize(("language", "guest"), [("en", False), ("tr", True)])
def test_a_duplicate_on_record_is_answered_by_the_worker(
    start: Start, workspace: Workspace, tmp_path: Path, language: str, guest: bool
) -> None:
    """After a restart too: who asked, the button, and the text given back; nothing of it to a guest."""
    texts = TEXTS[language]
    workspace.people["U1"] = {"is_restricted": guest}
    left_behind(tmp_path, workspace, Step(0, "VIP", outcome=Duplicate("U9", 60.0, "sending")))
    url = start(ADDGROUP_LANGUAGE=language).url
    if guest:
        assert "<@U9>" not in told(workspace, texts["denied.guest.title"]).text
        return
    said = told(workspace, part(language, "duplicate.under_way.finding"))
    assert texts["given_back.intro"] in said.text
    assert {"another", "edit_text"} <= set(actions(said))
    assert workspace.roots() == []
    workspace.press(url, said, "another")
    assert part(language, "created.heading") in answers(workspace, 1)[0].text


# A direct message.


def test_a_command_that_waited_for_too_long_is_told_in_any_case(
    start: Start, workspace: Workspace, api: Api, tmp_path: Path
) -> None:
    """Where the bot may not post, and the response_url has expired, by a direct message: the manifest allows it."""
    workspace.closed["C1"] = "not_in_channel"
    left_behind(tmp_path, workspace, Step(0, "VIP"))
    engine = connect(f"sqlite:///{tmp_path}/journal.db")
    shift(engine, -3700)
    engine.dispose()
    workspace.ahead = 1900
    start(ADDGROUP_LANGUAGE="en")
    sentence = TEXTS["en"]["not_sent.too_old.explanation"]
    awaited(workspace, lambda m: sentence in m.text and "U1" in (m.private_to, m.channel))
    assert api.made() == 0


def test_a_root_without_a_thread(start: Start, workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """Slack takes the root, and does not say where it stands: the answer is private."""
    honest = workspace._chat_postMessage

    def nulled(arguments: Any) -> Answer:
        return replace(honest(arguments), body=b'{"ok": true, "channel": "C1", "ts": null}')

    monkeypatch.setattr(workspace, "_chat_postMessage", nulled)
    workspace.command(start(ADDGROUP_LANGUAGE="en").url, "VIP")
    heading = part("en", "created.heading")
    awaited(workspace, lambda m: heading in m.text and m.private_to == "U1")


def roots(workspace: Workspace) -> list[Message]:
    """Return the roots, those in the thread of somebody's message too."""
    return [m for m in tuple(workspace.messages) if not m.author and not m.private_to and " · for " in m.text]


def delete_root(workspace: Workspace) -> None:
    """Wait for the root, and delete it."""
    assert workspace.wait_for(lambda: bool(roots(workspace)))
    workspace.delete(roots(workspace)[0])


def awaited(workspace: Workspace, meant: Callable[[Message], bool]) -> list[Message]:
    """Wait for messages that are meant, and return them."""
    return until(
        lambda: [m for m in tuple(workspace.messages) if meant(m)], failed=lambda: [m.text for m in workspace.messages]
    )


def left_behind(folder: Path, workspace: Workspace, step: Step) -> None:
    """Let a process that is gone have accepted a job."""
    book = Journal(f"sqlite:///{folder}/journal.db")
    book.open()
    job = Job("U1", "C1", "t", "VIP", [step], workspace.response_url("U1", "C1"), "")
    assert isinstance(book.accept(job), Accepted)
    book.close()
