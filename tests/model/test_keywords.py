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
        ("history VIP", "word", '"history VIP"'),
        ("geçmiş Altın", "word", '"geçmiş Altın"'),
        ("help parent", "word", '"help parent"'),
        ("yardım grup", "word", '"yardım grup"'),
        ("iptal", "only_creates", '"iptal"'),
        ("undo", "only_creates", '"undo"'),
        ("sil VIP", "only_creates", '"sil VIP"'),
        ("VIP sil", "only_creates", '"VIP sil"'),
        ("delete VIP", "only_creates", '"delete VIP"'),
        ("please rename VIP to Gold", "only_creates", '"please rename VIP to Gold"'),
        ("move VIP to Customers", "only_creates", '"move VIP to Customers"'),
        ("status", "no_command", '"status"'),
        ("VIP /addgroup Gold", "word", '"VIP /addgroup Gold"'),
        ("language", "language", '"language"'),
        ("dil fr", "language", '"dil fr"'),
        ("dil almanca", "language", '"dil almanca"'),
        ("dil türkce de", "language", '"dil türkce de"'),
        ("language tr please", "language", '"language tr please"'),
        ("create VIP", "verb", "VIP"),
        ("create a new group called VIP", "verb", "VIP"),
        ("add VIP parent=5", "verb", "VIP parent=5"),
        ("VIP grubu oluştur", "verb", "VIP"),
        ("create help", "verb", '"help"'),
        ("add VIP under Customers", "verb", "VIP parent=Customers"),
        ("create a group called VIP under Customers", "verb", "VIP parent=Customers"),
        ("add VIP to Customers", "verb", "VIP parent=Customers"),
        ("add VIP to the Big Customers group", "verb", 'VIP parent="Big Customers"'),
        ("Müşteriler altına VIP ekle", "verb", "VIP parent=Müşteriler"),
        ("lütfen Müşteriler grubuna VIP ekler misin?", "verb", "VIP parent=Müşteriler"),
        ("grup ekle Altın", "verb", "Altın"),
        ("new group VIP", "verb", "VIP"),
        ("yeni grup: Altın parent=5", "verb", "Altın parent=5"),
        ("Altın adında bir grup", "verb", "Altın"),
        ("please create VIP", "verb", "VIP"),
        ("name: VIP", "unknown_option", "VIP"),
        ("ad: VIP", "unknown_option", "VIP"),
        ("grup adı=VIP", "unknown_option", "VIP"),
        ("Name: VIP Customers, parent: 5", "unknown_option", "VIP Customers, parent=5"),
        ("parent: 5, name: VIP", "unknown_option", "parent=5 VIP"),
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
        "Dil Kursu",
        "Dil Kursu Mezunları",
        "History and Culture",
        "Geçmiş Dönem Müşterileri",
        "Group therapy",
        "Grup Yorum",
        "VIP Grubu",
        "Show Business",
        "Open Days",
        "Adana: Merkez",
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
    ("text", "command"),
    [
        *[
            (text, "/addgroup list")
            for text in ("lst", "lsit", "lisst", "lidt", "groups", "show list", "Show all my groups")
        ],
        *[(text, "/addgroup liste") for text in ("listr", "gruplar", "grupları listele", "bütün grupları göster")],
        *[(text, "/addgroup help") for text in ("helo", "hlep", "hlp", "helpp", "Info", "show help")],
        *[(text, "/addgroup yardım") for text in ("yardm", "yrdım", "yardımm", "yadrım", "YARDIN", "yardımı göster")],
        *[(text, "/addgroup history") for text in ("histry", "hisotry", "historry", "log", "show history")],
        *[(text, "/addgroup geçmiş") for text in ("gecmi", "geçmşi", "geçmişi göster")],
        *[(text, "/addgroup") for text in ("create", "ekle", "new group", "grup ekle", "form")],
    ],
)
def test_another_command_was_meant(text: str, command: str) -> None:
    """Words that ask for what a command shows, and mistakes of the keyboard in one, name that command."""
    key, values = refusal(text)
    assert (key, values["command"]) == ("meant", command)
    assert parse(values["suggestion"]) == Create((NewGroup(text),))


@pytest.mark.parametrize(
    "name", ["Lise", "Mist", "Lost", "Lisa", "Listen", "Heap", "Held", "Heel", "Land", "Long", "Sage", "Kist", "Dal"]
)
def test_words_near_a_short_command(name: str) -> None:
    """Short commands are near to many names, and only slips that make no word count."""
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
