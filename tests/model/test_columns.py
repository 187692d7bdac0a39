"""Rows of a table, and several names in one line: refused, where the text says for certain that it is one."""

from __future__ import annotations

import pytest

from bot.model.command import Create, NewGroup, parse
from bot.model.names import ParentId
from tests.support.grammar import groups, refused


@pytest.mark.parametrize(
    ("text", "line", "part"),
    [
        ("Name\tParent\nVIP\tCustomers\nGold\tCustomers", 1, "Name ⇥ Parent"),
        ("Customers\n\tVIP\t5", 2, "VIP ⇥ 5"),
        ("1\tVIP\n2\tGold", 1, "1 ⇥ VIP"),
        ("VIP\t\t\u200bCustomers", None, "VIP ⇥ Customers"),
        ("• VIP\tCustomers", None, "• VIP ⇥ Customers"),
        ("VIP;Customers", None, "VIP;Customers"),
        ("| VIP | Customers |", None, "| VIP | Customers |"),
        ("Name | Parent\nVIP | Customers", 1, "Name | Parent"),
        ("Name,Parent\nVIP,Customers", 1, "Name,Parent"),
    ],
)
def test_rows_of_a_table(text: str, line: int | None, part: str) -> None:
    """Columns are refused by the line with the first row, and no group comes of them."""
    error = refused(text)
    assert (error.key, error.line, error.values) == ("columns", line, {"part": part})


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("•\tVIP\n•\tGold", ["VIP", "Gold"]),
        ("1.\tVIP\n2.\tGold", ["VIP", "Gold"]),
        ("a)\tVIP\nb)\tGold", ["VIP", "Gold"]),
        ("\tVIP\t\n\tGold \t\u200b", ["VIP", "Gold"]),
        ('"VIP\tCustomers"', ["VIP Customers"]),
        ("Berlin, Germany\nParis, France", ["Berlin, Germany", "Paris, France"]),
        ("1,5 l\n2,5 l", ["1,5 l", "2,5 l"]),
        ("Acme | Berlin", ["Acme | Berlin"]),
        ("Sales ;)", ["Sales ;)"]),
        ("a &lt; b &copy; d", ["a &lt; b &copy; d"]),
    ],
)
def test_no_columns(text: str, names: list[str]) -> None:
    """Tabs that indent or stand behind a bullet, and punctuation in a name, make no columns."""
    assert [group.name for group in groups(text)] == names


@pytest.mark.parametrize(
    "text", ["VIP\tparent=5", "parent=5\tVIP", "VIP;parent=5", "VIP;\tparent=5", "VIP\t(parent=5)"]
)
def test_the_option_is_no_column(text: str) -> None:
    """White space and separators may stand around the option."""
    assert parse(text) == Create((NewGroup("VIP", ParentId("5")),))


@pytest.mark.parametrize(
    "text",
    [
        '"VIP", "Gold"',
        '"VIP","Gold"',
        '"VIP" "Gold"',
        '"VIP" and "Gold"',
        "“VIP”, “Gold”",
        '"name": "VIP"',
        '"VIP", "Gold" parent=5',
        "'VIP', 'Gold'",
        "`VIP`, `Gold`",
    ],
)
def test_several_names_in_a_line(text: str) -> None:
    """Two names in quotes are not made one."""
    assert refused(text).key == "one_name"
    error = refused(f"A\n  {text}")
    assert (error.key, error.line) == ("one_name", 2)


@pytest.mark.parametrize(
    "name",
    [
        "VIP; Gold; Silver",
        "VIP; Gold",
        "VIP, Gold, Silver",
        "VIP,Gold,Silver",
        "VIP Customers, Gold Customers, Silver",
        "VIP, Gold and Silver",
        "VIP, Gold ve Silver",
        "VIP • Gold",
        "VIP, - Gold",
        "1. VIP 2. Gold 3. Silver",
        "VIP 2) Gold",
    ],
)
@pytest.mark.parametrize("option", ["", " parent=5"])
def test_a_list_in_a_line(name: str, option: str) -> None:
    """It is not made one group without a question; in quotes it is the name, in a tree too."""
    error = refused(name + option)
    assert (error.key, error.values["suggestion"]) == ("listed", f'"{name}"{option}')
    assert [group.name for group in groups(error.values["suggestion"])] == [name]
    error = refused(f"Top\n  {name}")
    assert (error.key, error.line) == ("listed", 2)
    assert [group.name for group in groups(f"Top\n  {error.values['suggestion']}")] == ["Top", name]


@pytest.mark.parametrize(
    "name",
    [
        "Berlin, Germany",
        "VIP,Gold",
        "1,5 l, 2 l",
        "10,000,000 TL",
        "Acme, Inc.",
        "A, B,",
        "Bed and Breakfast",
        "1. Lig",
    ],
)
def test_a_comma_in_a_name(name: str) -> None:
    """What may well be one name is one."""
    assert groups(name) == (NewGroup(name),)


def test_a_numbered_list_in_a_line() -> None:
    """The first number is a bullet, which is no part of the name; the second tells."""
    assert refused("1) VIP 2) Gold").values["suggestion"] == '"VIP 2) Gold"'
