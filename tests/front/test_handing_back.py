"""What was typed and not accepted is given back: to copy, and in the form."""

import random

import pytest

from bot.front import reply
from bot.journal import JournalError
from bot.journal.journal import Journal
from bot.slack.texts import say, say_plain
from tests.support.provider import Api
from tests.support.slack import actions, answers, code_of, field, notes, opened, seen, told, under_way
from tests.support.workspace import Message, Workspace

TREE = "\n".join(["Top & <co>", "  VIP;", *(f"\tGroup ```{number}``` ığüşöç" for number in range(38))])


@pytest.mark.parametrize("language", ["en", "tr"])
@pytest.mark.parametrize("text", ["VIP paernt=5", TREE], ids=["one line", "40 lines"])
def test_a_form_that_is_closed_gives_the_text_back(
    url: str, workspace: Workspace, api: Api, text: str, language: str
) -> None:
    """As it was read, and a button opens the form with it again; both forms together make one job."""
    workspace.command(url, text)
    first = opened(workspace)
    workspace.close(url, first)
    message = told(workspace, say(language, "form.closed"))
    assert say(language, "given_back.intro") in message.text
    assert len(code_of(message).splitlines()) == len(text.splitlines())
    assert text.split(maxsplit=1)[0] in message.text, "for screen readers"
    assert actions(message) == ["edit_text"]
    workspace.press(url, message, "edit_text")
    assert workspace.wait_for(lambda: len(workspace.forms) == 2)
    for form in workspace.forms:
        workspace.submit(url, form)
    again = told(workspace, say(language, "form.used"))
    assert code_of(again) == code_of(message)
    answers(workspace, 1)
    assert api.made() == len(text.splitlines())


@pytest.mark.parametrize("language", ["en", "tr"])
def test_what_is_not_accepted_is_given_back(
    url: str, workspace: Workspace, api: Api, monkeypatch: pytest.MonkeyPatch, language: str
) -> None:
    """Who is told to send it again has it to send, when the bot is busy and when the journal fails.

    In the acknowledgement where it fits; a form stays open with it.
    """
    workspace.command(url, "")
    form, long = opened(workspace), "\n".join(f"{number} {'ş' * 200}" for number in range(10))

    def fail(_journal: Journal, _job: object) -> None:
        raise JournalError("the disk is full")

    failures = {"busy": ("bot.journal.accepting.MOST_OPEN", 0), "journal": ("bot.journal.journal.Journal.accept", fail)}
    for key, (place, broken) in failures.items():
        with monkeypatch.context() as patch:
            patch.setattr(place, broken)
            assert workspace.command(url, long).text == "", "an acknowledgement has no room for it"
            acked = seen(workspace.command(url, "A\n  B"))
            for message, text in ((told(workspace, say(language, f"failure.{key}")), long), (acked, "A\n  B")):
                assert message.text.startswith(say(language, f"failure.{key}"))
                assert (code_of(message), actions(message)) == (f"/addgroup {text}", ["edit_text"]), key
            refused = workspace.submit(url, form, name="A\n  B").body
            assert refused == {"response_action": "errors", "errors": {"name": say_plain(language, f"failure.{key}")}}
    assert workspace.submit(url, form).body == {}
    answers(workspace, 1)
    workspace.press(url, acked, "edit_text")
    workspace.submit(url, opened(workspace), name="C")
    answers(workspace, 2)
    assert api.made() == 3


@pytest.mark.parametrize("language", ["en", "tr"])
def test_what_can_be_no_group_stands_in_the_form(url: str, workspace: Workspace, language: str) -> None:
    """With the reason above it, also where it is one line only; what is an option stands in the other field too."""
    long = "x" * 300
    for text, held, key in (
        (long, long, "long_name"),
        (f'"{long}"', f'"{long}"', "long_name"),
        (f"{long} parent=5", f"{long} parent=5", "long_name"),
        ('""', "", "no_name"),
        ("parent=5", "", "no_name"),
    ):
        workspace.command(url, text)
        assert workspace.wait_for(lambda: bool(workspace.forms)), text
        form = workspace.forms.pop()
        said = say_plain(language, f"usage.{key}", length=text.count("x"), most=255, part=f"“{'x' * 40}…”")
        assert (field(form, "name").get("initial_value", ""), notes(form)) == (held, [said]), text
        assert workspace.submit(url, form).body["response_action"] == "errors", text


LETTERS = random.Random(1)  # texts that cannot be packed
LONG = ["".join(LETTERS.choices("abcdefghijklmnopqrstuvwxyzğüşıöç", k=200)) for _ in range(60)]


@pytest.mark.parametrize("private", [True, False], ids=["response_url", "direct message"])
def test_a_text_of_8000_characters_comes_back_whole(
    url: str, workspace: Workspace, api: Api, monkeypatch: pytest.MonkeyPatch, private: bool
) -> None:
    """In parts of whole lines, what is wrong above the first; one that Slack does not take at once is tried again.

    So also a duplicate that is told by the worker, through the response_url or as a direct message.
    """
    monkeypatch.setattr(reply, "PAUSES", (0.05,))
    lines = ["Top", *(f"  {line}" for line in LONG[:39])]
    with under_way(api) as come:
        if private:
            lines.append("  A paernt=5")
            workspace.faults["response_url"].extend(["", 500])
        else:
            workspace.command(url, "Top")
            assert come.wait(30)
            workspace.faults["response_url"].extend([404] * 4)
        workspace.command(url, "\n".join(lines))

        def parts() -> list[Message]:
            return workspace.private() if private else [m for m in workspace.messages if m.channel == "U1"]

        assert workspace.wait_for(lambda: len(parts()) == 4)
    first, *_, last = parts()
    assert "\n".join(map(code_of, parts())) == "/addgroup " + "\n".join(lines)
    assert [say("en", "given_back.intro") in message.text for message in parts()] == [True, False, False, False]
    assert "`A paernt=5`" in first.text if private else "u1 has just asked for it" in first.text
    assert actions(last) == ([] if private else ["another"])


def test_of_a_longer_text_so_much_is_given_back(url: str, workspace: Workspace) -> None:
    """And it is said that this is not all; a response_url takes five messages."""
    workspace.command(url, "\n".join(["A paernt=5", *LONG]))
    assert told(workspace, say("en", "given_back.cut"))
    assert len(workspace.private()) == 4


@pytest.mark.parametrize("language", ["en", "tr"])
def test_what_does_not_fit_in_the_form_is_given_back(url: str, workspace: Workspace, language: str) -> None:
    """The form of a message would cut it; no button opens that form."""
    lines = "\n".join(f"{number} " + "ş" * 200 for number in range(20))  # which a button could hold
    workspace.shortcut(url, workspace.say(lines))
    message = told(workspace, say(language, "form.too_long"))
    assert workspace.wait_for(lambda: len(workspace.private()) == 2)
    assert "\n".join(map(code_of, workspace.private())) == f"/addgroup {lines}"
    assert (actions(message), actions(workspace.private()[-1]), workspace.forms) == ([], [], [])
