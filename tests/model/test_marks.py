"""Marks around a name or an option, mentions and links: what is dropped and what stays."""

from __future__ import annotations

import pytest

from bot.model.command import Create, NewGroup, parse
from bot.model.names import ParentId, ParentName

WRAPPED = ["`VIP`", "```VIP```", "*VIP*", "**VIP**", "_VIP_", "__VIP__", "~VIP~", "'VIP'", "‘VIP’", "‚VIP‘", "’VIP’"]
WRAPPED += ["«VIP»", "»VIP«", "‹VIP›", "「VIP」", "*`VIP`*", "_*'VIP'*_", '*"VIP"*', "´VIP´"]


@pytest.mark.parametrize("text", WRAPPED)
def test_marks_around_a_value(text: str) -> None:
    """One pair of marks around a whole name or parent is not part of it, also within another pair."""
    assert parse(text) == Create((NewGroup("VIP"),))
    assert parse(f"{text} parent=5") == Create((NewGroup("VIP", ParentId("5")),))
    assert parse(f"Gold parent={text}") == Create((NewGroup("Gold", ParentName("VIP")),))
    assert parse(f"First\n  {text}") == Create((NewGroup("First"), NewGroup("VIP", above=0)))


@pytest.mark.parametrize(
    "text",
    [
        "'VIP Customers' parent=5",
        "*VIP Customers* parent=`5`",
        "`VIP Customers parent=5`",
        "`VIP Customers` `parent=5`",
        "VIP Customers *parent=5*",
        "VIP Customers (parent=5)",
        "VIP Customers [parent=5]",
        "VIP Customers ( parent=5 )",
        "VIP Customers, parent=5",
        "VIP Customers - parent=5",
        "parent=5, VIP Customers",
        "VIP Customers parent=5,",
        "VIP Customers parent=(5)",
        "VIP Customers parent=#5",
        "VIP Customers parent='5'",
        '"VIP Customers", parent=5',
        "(parent=5) VIP Customers",
        "VIP Customers（parent=5）",
        "VIP Customers {parent=5}",
        "VIP Customers | parent=5",
        "VIP Customers *(parent=5)*",
    ],
)
def test_marks_around_the_option(text: str) -> None:
    """Marks, brackets and separators around the option, and around its value, are no part of the name."""
    assert parse(text.replace("（", " （")) == Create((NewGroup("VIP Customers", ParentId("5")),))


@pytest.mark.parametrize(
    "name",
    [
        "Bob's",
        "5*",
        "a*b",
        "*a* and *b*",
        "'a' and 'b'",
        "Customers'",
        "*VIP",
        "snake_case",
        "(VIP)",
        "[VIP]",
        "~5",
        ":smile: VIP",
        "R&D <all>",
        "<!channel> *x* & `y`",
        "`" * 255,
        "`a` b",
        "rock 'n' roll",
    ],
)
def test_marks_within_a_name(name: str) -> None:
    """Marks that are no pair around the whole name are part of it."""
    assert parse(name) == Create((NewGroup(name),))


@pytest.mark.parametrize("name", ["`VIP`", "*VIP*", "'VIP'", "(parent=5)", "/addgroup VIP", "- VIP", "1. VIP", "<VIP>"])
def test_double_quotes_keep_marks(name: str) -> None:
    """What stands in double quotes is taken as it is."""
    assert parse(f'"{name}"') == parse(f"“{name}”") == Create((NewGroup(name),))


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("<#C123|ops>", "ops"),
        ("<@U123|ayse> team", "ayse team"),
        ("<!subteam^S12|@crew>", "crew"),
        ("<https://acme.com|acme.com>", "acme.com"),
        ("<https://acme.com/a>", "https://acme.com/a"),
        ("<mailto:a@acme.com|a@acme.com>", "a@acme.com"),
        ("<mailto:a@acme.com>", "a@acme.com"),
    ],
)
def test_mentions_and_links(text: str, name: str) -> None:
    """A mention or a link as Slack writes it is what it shows."""
    assert parse(text) == Create((NewGroup(name),))


def test_a_bracket_in_a_name_takes_nothing_of_the_option() -> None:
    """A name may end in a mark, and a parent's name may hold its partner."""
    assert parse('A < parent="<B> C"') == Create((NewGroup("A <", ParentName("<B> C")),))
