"""Names: what is sent, what is left out, and which names are the same."""

from __future__ import annotations

import sys
import unicodedata
from string import ascii_letters

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.model.characters import IGNORABLE, ignorable
from bot.model.command import Create, NewGroup, parse
from bot.model.names import (
    MAX_NAME,
    Parent,
    ParentId,
    ParentName,
    UsageError,
    clean,
    clean_name,
    fold,
    parent_from,
    unmarked,
)
from tests.support.grammar import refusal


def test_the_table_of_ignorable_characters() -> None:
    """The ranges are in order, as many as Unicode says, and hold every format character but those that can be seen."""
    assert list(IGNORABLE) == sorted(IGNORABLE)
    assert sum(last - first + 1 for first, last in IGNORABLE) == 4174
    formats = {code for code in range(sys.maxunicode + 1) if unicodedata.category(chr(code)) == "Cf"}
    seen = {0x6DD, 0x70F, 0x8E2, 0x110BD, 0x110CD, *range(0x600, 0x606), *range(0x890, 0x892), *range(0xFFF9, 0xFFFC)}
    assert {code for code in formats if not ignorable(code)} - set(range(0x13430, 0x13440)) == seen


@pytest.mark.parametrize(
    "name",
    [
        "می\u200cخواهم",
        "ه\u200d.ش",
        "क्\u200dष",
        "അവന്\u200d",
        "ᠨ\u180eᠠ",
        "👨\u200d👩\u200d👧",
        "👩🏽\u200d🚀",
        "🏳\ufe0f\u200d🌈",
        "🙂\u200d↔\ufe0f",
        "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
        "1\ufe0f\u20e3",
        "❤\ufe0f",
        "葛\U000e0100",
        "\u06dd",
        "\u0600 1",
        "\U000110bd",
    ],
)
def test_what_belongs_to_a_word_or_an_emoji(name: str) -> None:
    """Joiners, selectors and tags stay where they do something, and format characters that can be seen stay."""
    assert clean_name(name) == name
    assert parse(name) == parse(f'"{name}"') == Create((NewGroup(name),))


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("V\u200dI\u200cP", "VIP"),
        ("\u200cVIP\u200d", "VIP"),
        ("می\u200c", "می"),
        ("می\u200c\u200cخواهم", "می\u200cخواهم"),
        ("👨\u200d VIP", "👨 VIP"),
        ("VIP\ufe0f 5\ufe0f", "VIP 5"),
        ("VIP\U000e0067\U000e007f", "VIP"),
        ("\u202eV\u2066I\u2060P\u00ad\ufeff\u061c", "VIP"),
        ("VIP\u3164Gold\u2800", "VIP Gold"),
    ],
)
def test_what_does_nothing_goes(text: str, name: str) -> None:
    """What can be seen neither itself nor by what it does to others is not sent."""
    assert clean_name(text) == name


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ＶＩＰ", "vip"),
        ("ﬁrma", "FIRMA"),
        ("می\u200cخواهم", "میخواهم"),
        ("❤️", "❤"),
        ("Bob’s", "Bob's"),
        ("A – B", "A - B"),
        ("“A”", '"A"'),
        ("Ⅳ", "iv"),
        ("AㅤB", "A B"),
    ],
)
def test_names_that_look_the_same(one: str, other: str) -> None:
    """The shape of a letter and the kind of an apostrophe or a dash do not tell names apart."""
    assert fold(one) == fold(other)


def test_letters_without_marks() -> None:
    """Somebody without Turkish letters finds a name too."""
    assert unmarked("Müşteriler IĞDIR") == "musteriler igdir"


@pytest.mark.parametrize(
    "text", ["\u3164", "\u2800", "\u115f", "\u1160", "\uffa0", "\ufe0f", "\u180b", "\u17b4", "\u0301"]
)
def test_a_name_of_which_nothing_can_be_seen(text: str) -> None:
    """Characters that show nothing are no name; quoted they are none either."""
    assert refusal(text) == refusal(f'"{text}"') == ("no_name", {})


@pytest.mark.parametrize("name", ["ş" * MAX_NAME, "s\u0327" * MAX_NAME, "\u200b" + "a " * 127 + "a", "👥" * MAX_NAME])
def test_longest_name(name: str) -> None:
    """A name may have 255 characters, counted in the form in which it is sent."""
    group = NewGroup(clean_name(name))
    assert len(group.name) == 255
    assert parse(name) == Create((group,))


@pytest.mark.parametrize("text", ["ş" * 256, "s\u0327" * 256 + " parent=5", "VIP parent=" + "ş" * 256])
def test_too_long_name(text: str) -> None:
    """A name of 256 characters is refused with its length, and only its beginning is shown."""
    assert refusal(text) == ("long_name", {"part": "ş" * 40 + "…", "length": "256", "most": "255"})


@pytest.mark.parametrize(
    ("text", "parent"),
    [
        ("5", ParentId("5")),
        ("０５", ParentId("5")),
        ("Customers", ParentName("Customers")),
        ("A\u00a0 B", ParentName("A B")),
    ],
)
def test_parent_without_quotes(text: str, parent: Parent) -> None:
    """A parent that stands alone is an id when it is a number, else a name in the form in which it is sent."""
    assert parent_from(text) == parent


@pytest.mark.parametrize("text", [" 5", "5\u200b", "５\u00a0"])
def test_parent_is_cleaned_first(text: str) -> None:
    """White space and what cannot be seen do not make a name of an id."""
    assert parent_from(text) == ParentId("5")


@pytest.mark.parametrize(
    ("value", "parent"),
    [
        ("5²", ParentName("5²")),
        ("①", ParentName("①")),
        ("123456789012345678901", ParentId("123456789012345678901")),
    ],
)
def test_only_digits_are_an_id(value: str, parent: Parent) -> None:
    """Digits of any number are an id; a superscript or a circled digit is none of them."""
    assert parse(f"VIP parent={value}") == Create((NewGroup("VIP", parent),))


@pytest.mark.parametrize("value", ["−5", "–5"])
def test_typographic_minus(value: str) -> None:
    """A negative id is refused also where the keyboard made a dash of its sign."""
    assert refusal(f"VIP parent={value}") == ("bad_parent_id", {"part": value})


@pytest.mark.parametrize(
    "text", ["Mu\u0308s\u0327teri", "Mü\u200bşteri", "Mu\u200b\u0308s\u00ad\u0327teri", "\n Müşteri\ud800"]
)
def test_name_in_the_form_in_which_it_is_sent(text: str) -> None:
    """A name is composed after what cannot be seen is gone, whatever stood between a letter and its mark."""
    assert clean_name(text) == "Müşteri"


@pytest.mark.parametrize("text", ["", " ", "\u200b\n"])
def test_empty_name(text: str) -> None:
    """A name of which nothing is left is refused."""
    with pytest.raises(UsageError) as caught:
        clean_name(text)
    assert (caught.value.key, caught.value.values) == ("no_name", {})


JOINED = "\u200c\u200d\ufe0f\u180b\U0001f468\u06cc\u094d\u0915 1"
LETTERS = ascii_letters + "çğıöşüÇĞİÖŞÜéßµΣς 5-"
VARIANTS = {letter: ["I", "ı", "İ", "i", "i\u0307", "I\u0307"] for letter in "Iıİi"}


@given(st.data(), st.text(LETTERS))
def test_fold_knows_no_case(data: st.DataObject, name: str) -> None:
    """Names are the same in any case, letter by letter, and I, ı, İ and i are one letter, composed or not."""
    variants = [VARIANTS.get(letter, [letter, letter.upper(), letter.lower()]) for letter in name]
    other = "".join(data.draw(st.sampled_from(variant)) for variant in variants)
    assert fold(other) == fold(name)
    assert fold(name.upper()) == fold(name.lower()) == fold(name)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Customers", "Customer"),
        ("Müşteri", "Musteri"),
        ("VIP 1", "VIP 2"),
        ("ı", "l"),
        ("A B", "AB"),
        ("m²", "m2"),
        ("①", "1"),
        ("🏴\U000e0067\U000e0062\U000e0065\U000e007f", "🏴"),
    ],
)
def test_fold_keeps_different_names_apart(one: str, other: str) -> None:
    """Case is all that does not count."""
    assert fold(one) != fold(other)


@given(
    st.text()
    | st.text("\u200c\u200d\ufe0f\u180b\U0001f468\u06cc\u094d\u0915 1")
    | st.text("iIıİ\u0307\u0323\u0308\u200bSß ")
)
@example("i\u0307\u0307")
@example("I\u200b\u0307")
def test_fold_of_a_fold(text: str) -> None:
    """Folding twice is folding once, and a name and its sent form fold alike."""
    assert fold(fold(text)) == fold(text) == fold(clean(text))
    assert clean(clean(text)) == clean(text)
    assert fold(unicodedata.normalize("NFD", text)) == fold(text)
