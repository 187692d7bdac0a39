"""The pages for people who use the command, in both languages: examples, buttons, and each other."""

import re
import tomllib
from typing import Any

import pytest

from bot.model.grammar import Keyword, NewGroup, Reading, option, parse
from bot.model.names import ParentId, ParentName
from bot.slack.wording import mistake
from tests.support.pages import PAGES, ROOT, USER_PAGES, headings, section, tables

SHOWN = {
    "en": ("the main group `{}`", "the group `{}` under the ID `{}`", "the group `{}` under the group called `{}`"),
    "tr": ("`{}` adlı ana grup", "ID'si `{1}` olan grubun altında `{0}`", "`{1}` adlı grubun altında `{0}`"),
}
"""What a command that creates a group is called: a main group, one under an ID, one under a name."""

OTHERS = {
    "form": {"en": "the form", "tr": "form"},
    "help": {"en": "the help", "tr": "yardım"},
    "history": {"en": "the last ten commands", "tr": "son on komut"},
    "list": {"en": "groups with their IDs", "tr": "gruplar ve ID'leri"},
    "language": {"en": "answers in Turkish from now on", "tr": "bundan sonra İngilizce yanıtlar"},
}
"""What a command that creates nothing is called on each page, by the keyword that the grammar makes of it."""

ASKED = {"en": "the form asks: ", "tr": "form sorar: "}
EXAMPLES = [(language, *row) for language, page in USER_PAGES.items() for row in tables(PAGES[page])[0]]
each_language = pytest.mark.parametrize("language", USER_PAGES)


@pytest.mark.parametrize(("language", "typed", "promised"), EXAMPLES)
def test_each_example_does_what_it_says(language: str, typed: str, promised: str) -> None:
    """The grammar makes of each example what the page says; the form that asks names the parts that the page names."""
    command = parse(typed.strip("`").removeprefix("/addgroup"))
    if isinstance(command, Reading) and command.unclear:
        filled = f"{mistake(language, command.unclear)} {command.text} {option(command.parent)}"
        assert promised.startswith(ASKED[language])
        assert [part for part in re.findall("`(.*?)`", promised) if part not in filled] == []
    else:
        assert promised == meaning(language, command)


def meaning(language: str, command: Any) -> str:
    """Return what a page says of a command."""
    match command:
        case Reading((NewGroup(name, None),)):
            return SHOWN[language][0].format(name)
        case Reading((NewGroup(name, ParentId(parent)),)):
            return SHOWN[language][1].format(name, parent)
        case Reading((NewGroup(name, ParentName(parent)),)):
            return SHOWN[language][2].format(name, parent)
        case Keyword(word):
            return OTHERS[word][language]
        case _:
            return OTHERS["form"][language]


@each_language
def test_each_button_is_explained(language: str) -> None:
    """The table of buttons has every button under its name, and no other."""
    texts = tomllib.loads((ROOT / f"bot/slack/texts/{language}.toml").read_text(encoding="utf-8"))["button"]
    (table,) = [rows for rows in tables(PAGES[USER_PAGES[language]]) if rows[0][0].startswith("*")]
    named = [row[0].strip("*") for row in table if row[0].startswith("*")]  # the others are groups
    assert sorted(named) == sorted({label for label in texts.values() if "." not in label})


def test_both_pages_have_the_same_sections() -> None:
    """The Turkish page has the English one's headings, and in each section as many rows, points and examples."""
    shapes = [shape(PAGES[page]) for page in USER_PAGES.values()]
    assert shapes[0] == shapes[1]


def shape(text: str) -> list[tuple[int, ...]]:
    """Return for each section how many rows of tables, points and blocks of code it has."""
    parts = [section(text, number) for number in range(1, len([1 for level, _ in headings(text) if level == 2]) + 1)]
    marks = (r"^\|", r"^- ", r"^```\w+$")
    return [tuple(len(re.findall(mark, part, re.MULTILINE)) for mark in marks) for part in parts]
