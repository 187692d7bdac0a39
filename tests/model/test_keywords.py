"""Words that are commands: in which dress they are understood, what is refused, and what is a name."""

from __future__ import annotations

import pytest

from bot.model.command import Command, Create, Help, History, ListGroups, NewGroup, OpenForm, SetLanguage, parse
from tests.support.grammar import refusal

DRESSED_HELP = ["--help", "-h", "—help", "/help", "/h", "/?", "help?", "Help.", "help!", "`help`", "*help*", "- help"]
DRESSED_HELP += ["/addgroup help", "yardım!", "yardım?", "/yardım", "??", "help list", "usage", "kullanım"]


@pytest.mark.parametrize(
    "text",
    [
        "help",
        "HELP",
        "Help",
        " help\n",
        *DRESSED_HELP,
        "\u200bhelp",
        "yardım",
        "Yardım",
        "YARDIM",
        "yardim",
        "YARDİM",
        "Yardim",
        "?",
    ],
)
def test_help(text: str) -> None:
    """Help is asked for in English and Turkish, in any case, with or without Turkish letters."""
    assert parse(text) == Help()


DRESSED_HISTORY = ["geçmiş", "Geçmiş!", "gecmis", "GEÇMİŞ", "--history", "/history", "history?", "history 20"]
DRESSED_HISTORY += ["geçmiş 5", "son 10", "last 10", "/addgroup history"]


@pytest.mark.parametrize("text", ["history", "History", "HISTORY", "HİSTORY", "\u00a0history ", *DRESSED_HISTORY])
def test_history(text: str) -> None:
    """The history is asked for in English and Turkish, in any case; it has one length, whatever number is given."""
    assert parse(text) == History()


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("list", ListGroups("")),
        ("--list", ListGroups("")),
        ("LİSTE", ListGroups("")),
        ("list musteri", ListGroups("musteri")),
        ("/addgroup liste  VIP Müşteriler", ListGroups("VIP Müşteriler")),
        ('list "VIP"', ListGroups("VIP")),
        ("Liste 2026", ListGroups("2026")),
        ("language tr", SetLanguage("tr")),
        ("Language: English", SetLanguage("en")),
        ("dil türkçe", SetLanguage("tr")),
        ("DİL İngilizce", SetLanguage("en")),
        ("dil=en", SetLanguage("en")),
        ("dil otomatik", SetLanguage("")),
        ("language auto", SetLanguage("")),
    ],
)
def test_list_and_language(text: str, command: Command) -> None:
    """`list` takes any text behind it, `language` a language."""
    assert parse(text) == command


@pytest.mark.parametrize(
    ("text", "key", "suggestion"),
    [
        ("history 2024", "word", '"history 2024"'),
        ("help me", "word", '"help me"'),
        ("--help VIP", "word", '"--help VIP"'),
        ("Liste A parent=5", "word", '"Liste A" parent=5'),
        ("iptal", "word", '"iptal"'),
        ("Info", "word", '"Info"'),
        ("sil VIP", "word", '"sil VIP"'),
        ("VIP sil", "word", '"VIP sil"'),
        ("hlep", "word", '"hlep"'),
        ("ekle", "word", '"ekle"'),
        ("VIP /addgroup Gold", "word", '"VIP /addgroup Gold"'),
        ("language", "language", '"language"'),
        ("dil fr", "language", '"dil fr"'),
        ("Dil Kursu", "language", '"Dil Kursu"'),
        ("language tr please", "language", '"language tr please"'),
        ("create VIP", "verb", "VIP"),
        ("create a new group called VIP", "verb", "VIP"),
        ("add VIP parent=5", "verb", "VIP parent=5"),
        ("VIP grubu oluştur", "verb", "VIP"),
        ("create help", "verb", '"help"'),
    ],
)
def test_what_may_be_a_command_or_a_name(text: str, key: str, suggestion: str) -> None:
    """What may be either is refused with the form that is surely a name; that form makes the group."""
    found, values = refusal(text)
    assert (found, values["suggestion"]) == (key, suggestion)
    for form in {values["suggestion"], values.get("quoted", suggestion)}:
        assert isinstance(parse(form), Create)


@pytest.mark.parametrize(
    "name",
    [
        "Help desk",
        "Yardım Masası",
        "Yardımcılar",
        "History of Art",
        "Geçmiş müşteriler",
        "VIP listesi",
        "Listeleme",
        "Dil Kursu Mezunları",
        "Language School Berlin",
        "Türkçe",
        "English",
        "Add-on customers",
        "Son alıcılar",
        "New customers",
        "Yeni müşteriler",
        "Infopark",
        "Kids under five",
        "1. Bölge",
        "2024/25",
        "Test",
        "-5 °C",
        "A/B",
    ],
)
def test_names_that_begin_like_commands(name: str) -> None:
    """A name in which a keyword is one word among others is a name."""
    assert parse(name) == Create((NewGroup(name),))


@pytest.mark.parametrize(
    "text",
    [
        "/addgroup VIP",
        "／ADDGROUP VIP",
        "/AddGroup\xa0VIP",
        "/addgroup /addgroup VIP",
        "`/addgroup VIP`",
        "> /addgroup VIP",
        "`/addgroup` VIP",
        "*/addgroup VIP*",
        "@addgroup VIP",
        "/addgroup: VIP",
        "/ addgroup VIP",
        "/addgroup\nVIP",
        "/addgroup - VIP",
        "/addgroup *VIP*",
        "\u200b/addgroup VIP",
    ],
)
def test_the_command_in_its_own_text(text: str) -> None:
    """The command's name is dropped where somebody pasted the whole line."""
    assert parse(text) == Create((NewGroup("VIP"),))


def test_a_command_by_another_name() -> None:
    """A workspace may call the command as it likes."""
    assert parse("/grup-ekle VIP", {"/addgroup", "/grup-ekle"}) == Create((NewGroup("VIP"),))
    assert parse("/addgroup\n/addgroup A\n  /addgroup B") == Create((NewGroup("A"), NewGroup("B", above=0)))
    assert parse("/addgroup") == OpenForm()
