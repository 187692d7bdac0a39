"""The console's prompt: entries of a pipe or an argument, and what people see of their answers."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from bot.sandbox.api import FAULTS, MESSAGES, Api
from bot.sandbox.keyboard import is_setting, leaves, uses_shortcut
from bot.sandbox.prompt import Prompt, _status
from bot.sandbox.screen import sentences
from bot.sandbox.workspace import Workspace

Person = Callable[..., Prompt]
Shown = pytest.CaptureFixture[str]


@pytest.mark.parametrize(
    ("text", "status", "shown"),
    [
        ("Customers parent=5", 0, "ID 97101"),
        ("/addgroup Customers parent=5", 0, "Customers created under Customers (5)"),
        ("Customers", 0, "is already there · ID 5"),
        ("Customers parent=99", 1, "463"),
        ("help", 0, "Create contact groups"),
        (":api 401", 0, "the credentials are refused"),
        ("quit", 0, ""),
        ("7", 2, "There is no button"),
    ],
)
def test_one_entry_and_its_exit_status(person: Person, capsys: Shown, text: str, status: int, shown: str) -> None:
    """0 when the group is there now or none was asked for, 1 when it was not made, 2 when the usage is wrong.

    What is the console's own is so as an argument too, and makes no group.
    """
    assert person().enter(text) == status
    assert shown in capsys.readouterr().out


def test_lines_of_a_pipe_are_commands_with_what_is_indented_below(person: Person, api: Api, capsys: Shown) -> None:
    """An indented line, or one with a bullet, belongs to the command above it; every other one is a command."""
    piped = "Top\n  Below\n\tBeside\nOther\n  - Bullet\n\nY2025\n  Ocak\n5\n:foo\n  \nA\r\nLast\nquit\n  Below\n"
    assert person(piped).loop() == 0
    shown = capsys.readouterr().out
    assert "There is no button with this number" in shown
    assert ":api 401" in shown, "what can be typed"
    asked = re.findall(r"✓ (.*) created · (?:ID \d+ · )?for @you", shown)
    assert asked == ["Top and 2 subgroups", "Other and 1 subgroup", "Y2025 and 1 subgroup", "A", "Last"]
    assert re.findall("^> (.*)", shown, re.MULTILINE) == [
        *("/addgroup Top", "/addgroup Other", "/addgroup Y2025", "5", ":foo", "/addgroup A", "/addgroup Last")
    ]
    assert len(api.groups) == 10


def test_the_language_and_a_fault_are_chosen_and_the_last_status_counts(person: Person, capsys: Shown) -> None:
    """A failure that was chosen meets the next call."""
    assert person("A\n:tr\n:api 461\nB\n:nonsense\n").loop() == 1
    shown = capsys.readouterr().out
    assert "ID 97101" in shown
    assert "Yanıtlar artık Türkçe." in shown
    assert "grup adı boş" in shown


def test_the_form_and_the_buttons_can_be_used(person: Person, capsys: Shown) -> None:
    """A field's lines are one answer, a mistake is shown and asked again, and a number presses a button."""
    tree, no_name, form = "Top\n  Below\nnone\ncust\n1\n", "\n\n", "/addgroup\n"
    assert person(f"{form}{no_name}{tree}:api 461\nRefused\n1\nFixed\n\nhistory\nquit\n").loop() == 0
    shown = capsys.readouterr().out
    assert "Group name: The group's name is missing." in shown
    assert "No group matches.\n" in shown
    assert "and 1 subgroup created" in shown
    assert "[1] Edit and try again\n" in shown, "the short label"
    assert "@you (en) edited it" in shown
    assert "Fixed — created, ID 97103" in shown


def test_a_form_that_is_left_is_closed(person: Person, api: Api, capsys: Shown) -> None:
    """At the end of input nothing is sent."""
    person("/addgroup\n").loop()
    assert "The form was closed." in capsys.readouterr().out
    assert not api.made()


def test_a_form_that_must_not_ask_shows_what_it_is_filled_with(
    person: Person, workspace: Workspace, api: Api, capsys: Shown
) -> None:
    """Nothing is sent, and the status is that of a wrong usage."""
    prompt = person()
    prompt.enter(":api 461")
    prompt.enter("Refused parent=5")
    prompt.enter("1")
    capsys.readouterr()
    form = workspace.forms[-1]
    assert _status(prompt._fill(form, asks=False)) == 2
    shown = capsys.readouterr().out
    assert "Group name: Refused" in shown
    assert re.search("^  Parent group: .*5", shown, re.MULTILINE)
    assert "The form was closed." in shown
    assert list(api.groups) == ["5"]


def test_a_button_that_asks_first_does_nothing_on_no(person: Person, capsys: Shown) -> None:
    """*Create anyway* says what it risks; `n` leaves everything as it is, `y` creates."""
    assert person(":api close\nA\n2\nn\n2\ny\n").loop() == 0
    shown = capsys.readouterr().out
    assert "there will be two groups with this name" in shown
    assert shown.count("pressed Create anyway") == 1


def test_the_shortcut_takes_a_message(person: Person, capsys: Shown) -> None:
    """What is pasted after `shortcut` fills the form, and the answer comes in the message's thread."""
    assert person("shortcut\n- Gold\n  - Ankara\n\n\n:tr\nkısayol\n- Silver\n\n\n").loop() == 0
    shown = capsys.readouterr().out
    assert re.search(r"Gold\n +Ankara\n", shown)
    assert "in the thread of the message" in shown
    assert "Ankara under Gold — ID 97102" in shown
    assert "ID 97103" in shown


def test_a_long_answer_is_shown_to_its_end(person: Person, workspace: Workspace, capsys: Shown) -> None:
    """A tree of fifty long names is answered in several messages."""
    names = [f"{number} {'ş' * 200}" for number in range(50)]
    assert person().enter("\n".join(names)) == 0
    shown = capsys.readouterr().out
    assert all(f"{name} — ID" in shown for name in names)
    assert sum(message.is_answer for message in workspace.messages) > 1


def test_a_bot_that_has_gone_is_told(person: Person, workspace: Workspace, capsys: Shown) -> None:
    """No answer at all, and an answer that is an error of HTTP."""
    prompt = person()
    workspace.signing_secret = "another"
    prompt.enter("A")
    assert "The bot answered HTTP 401." in capsys.readouterr().out
    prompt._bot = "http://127.0.0.1:9"
    prompt.enter("A")
    assert "The bot did not answer." in capsys.readouterr().out


@pytest.mark.parametrize("word", ["quit", "exit", "Q", "ÇIKIŞ", "çık", " :quit ", "Quit", "cikis"])
def test_words_that_leave(word: str) -> None:
    """In both languages and in any case."""
    assert leaves(word)
    assert not leaves(f'"{word}"'), "a group may be called so"


def test_an_emoji_is_no_setting() -> None:
    """A name may begin with an emoji's code; a setting with a mistake is one."""
    assert [is_setting(entry) for entry in (":tr", ":", ":aip 461", ":tada: Party", ":) Guests", ":tr\nA")] == [
        *(True, True, True, False, False, False)
    ]


def test_every_way_to_fail_is_explained_and_every_sentence_is_there_twice() -> None:
    """The API's codes and faults have their sentence, and both languages the same sentences and commands."""
    ways = {*map(str, MESSAGES), *FAULTS} - {"200"}
    assert {f"api_{way}" for way in ways} <= set(sentences())
    assert all(set(entry) == {"en", "tr"} for entry in sentences().values())
    english, turkish = ([typed for typed, _ in sentences()["help"][language]] for language in ("en", "tr"))
    assert [typed for typed in english if typed[0] in ":/1"] == [typed for typed in turkish if typed[0] in ":/1"]
    assert len(english) == len(turkish)
    assert all(uses_shortcut(listed[3]) and leaves(listed[-1]) for listed in (english, turkish))
