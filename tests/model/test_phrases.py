"""A parent in words, as a path, or of several words: refused with the line that was meant, and never part of a name."""

from __future__ import annotations

import pytest

from bot.model.command import Create, NewGroup, parse
from bot.model.names import ParentId
from tests.support.grammar import refusal


@pytest.mark.parametrize(
    ("text", "suggestion"),
    [
        ("VIP under Customers", "VIP parent=Customers"),
        ("VIP under Big Customers", 'VIP parent="Big Customers"'),
        ('VIP under "Big Customers"', 'VIP parent="Big Customers"'),
        ("VIP (under the Customers group)", "VIP parent=Customers"),
        ("Silver parent Customers", "Silver parent=Customers"),
        ("Tin, parent Customers", "Tin parent=Customers"),
        ("VIP with parent Customers", "VIP parent=Customers"),
        ("VIP parent group Customers", "VIP parent=Customers"),
        ("VIP, a subgroup of Customers", "VIP parent=Customers"),
        ("Altın üst grup Customers", "Altın parent=Customers"),
        ("VIP üst grup: Müşteriler", "VIP parent=Müşteriler"),
        ("VIP ana grubu Müşteriler", "VIP parent=Müşteriler"),
        ("VIP üst: Müşteriler", "VIP parent=Müşteriler"),
        ("üst grup: Müşteriler VIP", "VIP parent=Müşteriler"),
        ("Müşteriler altında VIP", "VIP parent=Müşteriler"),
        ("Müşterilerin altına VIP", "VIP parent=Müşteriler"),
        ("Acme'nin altına VIP", "VIP parent=Acme"),
        ("VIP Müşteriler altına Altın", 'Altın parent="VIP Müşteriler"'),
        ("VIP Müşteriler grubunun altına Altın", 'Altın parent="VIP Müşteriler"'),
        ("Müşteriler grubuna VIP", "VIP parent=Müşteriler"),
        ("Altın VIP altına", "Altın parent=VIP"),
        # An id.
        ("VIP under 5", "VIP parent=5"),
        ("VIP parent 5", "VIP parent=5"),
        ("VIP PARENT 97", "VIP parent=97"),
        ("VIP üst grup: 7", "VIP parent=7"),
        ("VIP — ID 97101", "VIP parent=97101"),
        # A path, as the bot shows it.
        ("Acme › VIP", "VIP parent=Acme"),
        ("Acme›VIP", "VIP parent=Acme"),
        ("Customers > VIP", "VIP parent=Customers"),
        ("Customers>VIP", "VIP parent=Customers"),
        ("Customers -> VIP", "VIP parent=Customers"),
        ("Customers → VIP", "VIP parent=Customers"),
        ("Acme › Big Customers › VIP Gold", 'VIP Gold parent="Big Customers"'),
        ("Acme › VIP — ID 97101", "VIP parent=Acme"),
        ("• Acme under Customers — ID 97101", "Acme parent=Customers"),
    ],
)
def test_a_parent_in_words(text: str, suggestion: str) -> None:
    """It is refused, with the option that says the same, and with the quotes that keep every word."""
    key, values = refusal(text)
    assert (key, values["suggestion"], values["quoted"]) == ("parent_words", suggestion, f'"{text.lstrip("• ")}"')
    assert isinstance(parse(suggestion), Create)
    assert parse(values["quoted"]) == Create((NewGroup(text.lstrip("• ")),))


@pytest.mark.parametrize(
    ("text", "suggestion"),
    [
        ("Altın parent=VIP Müşteriler", 'Altın parent="VIP Müşteriler"'),
        ("Bronze parent=Customers Retail", 'Bronze parent="Customers Retail"'),
        ('"Altın" parent=Staff Field', '"Altın" parent="Staff Field"'),
        ("Gold parent=Acme › VIP", "Gold parent=VIP"),
    ],
)
def test_a_parent_of_several_words(text: str, suggestion: str) -> None:
    """Words behind a parent's name may belong to it: they are not made part of the group's."""
    key, values = refusal(text)
    assert (key, values["suggestion"]) == ("parent_quotes", suggestion)
    assert isinstance(parse(suggestion), Create)


def test_a_parent_of_several_words_before_the_name() -> None:
    """Where the parent comes first, both ways to read it are shown; one word behind it is the name."""
    key, values = refusal("parent=Customers VIP Gold")
    assert (key, values["suggestion"]) == ("parent_end", '"VIP Gold" parent=Customers')
    assert values["quoted"] == 'parent="Customers VIP" Gold'
    assert isinstance(parse(values["quoted"]), Create)
    assert parse("parent=Customers VIP") == parse("VIP parent=Customers")
    assert parse('parent=Customers "VIP Gold"') == parse(values["suggestion"])


def test_a_path_and_a_parent() -> None:
    """A path names a parent too."""
    assert refusal("Acme › VIP parent=5") == ("second_parent", {"part": "Acme ›"})


@pytest.mark.parametrize(
    "text", ["Altın,parent=5", "Altın;parent=5", "Altın|parent=5", "Altın(parent=5)", '"Altın",parent=5']
)
def test_an_option_without_a_space_before_it(text: str) -> None:
    """A comma or a bracket sets the option off as a space does."""
    assert parse(text) == Create((NewGroup("Altın", ParentId("5")),))
    assert refusal("Altın-parent=5")[1]["suggestion"] == "Altın parent=5"
    assert refusal("Altın,parent:5")[1]["suggestion"] == "Altın, parent=5"


@pytest.mark.parametrize(
    "name",
    [
        "Kids under 12",
        "Kids under five",
        "Football under 12s",
        "Orders under 100 TL",
        "Below 100",
        "Sales below 100",
        "Customers under contract",
        "Under Armour",
        "Under Armour Berlin",
        "Down Under",
        "Parent teachers",
        "Parents Berlin",
        "Üst Yönetim",
        "VIP Üst Yönetim",
        "Ana Müşteriler",
        "Ana Grup",
        "Okul ebeveyn grubu",
        "30 yaş altında olanlar",
        "18 yaş altı",
        "Deniz Altında",
        "Altın Müşteriler",
        "Altı Nokta",
        "VIP & Gold",
        "Müşteriler 2025",
        "A/B Test",
        "Customers/VIP",
        "Customers / VIP",
        "Age > 18",
        "Harcama > 1000 TL",
        "R&D <all>",
        "A-B",
        "Berlin – Paris",
        "Room ID 5",
    ],
)
def test_names_with_such_words(name: str) -> None:
    """Ages, prices, brands and adjectives are names without quotes."""
    assert parse(name) == Create((NewGroup(name),))
