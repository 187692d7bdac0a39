"""Names: what is sent, what is left out, and which names are the same."""

from __future__ import annotations

import re
import sys
import unicodedata
from string import ascii_letters

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.model.names import _HIDDEN, MAX_NAME, UsageError, clean, clean_name, fold, inside, quoted, unmarked


def refused(text: str) -> tuple[str, dict[str, str]]:
    """Return the key and the values with which a name is refused."""
    with pytest.raises(UsageError) as caught:
        clean_name(text)
    return caught.value.key, caught.value.values


def test_the_table_of_ignorable_characters() -> None:
    """They are as many as Unicode says, and hold every format character but those that can be seen."""
    ignorable = re.compile(f"[{_HIDDEN}]")
    hidden = {code for code in range(sys.maxunicode + 1) if ignorable.match(chr(code))}
    assert len(hidden) == 4174
    formats = {code for code in range(sys.maxunicode + 1) if unicodedata.category(chr(code)) == "Cf"}
    seen = {0x6DD, 0x70F, 0x8E2, 0x110BD, 0x110CD, *range(0x600, 0x606), *range(0x890, 0x892), *range(0xFFF9, 0xFFFC)}
    assert formats - hidden - set(range(0x13430, 0x13440)) == seen


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
    """Characters that show nothing are no name."""
    assert refused(text) == ("no_name", {})


@pytest.mark.parametrize("name", ["ş" * MAX_NAME, "s\u0327" * MAX_NAME, "\u200b" + "a " * 127 + "a", "👥" * MAX_NAME])
def test_longest_name(name: str) -> None:
    """A name may have 255 characters, counted in the form in which it is sent."""
    assert len(clean_name(name)) == 255


@pytest.mark.parametrize("text", ["ş" * 256, "s\u0327" * 256])
def test_too_long_name(text: str) -> None:
    """A name of 256 characters is refused with its length, and only its beginning is shown."""
    assert refused(text) == ("long_name", {"part": "ş" * 40 + "…", "length": "256", "most": "255"})


@pytest.mark.parametrize(
    "text", ["Mu\u0308s\u0327teri", "Mü\u200bşteri", "Mu\u200b\u0308s\u00ad\u0327teri", "\n Müşteri\ud800"]
)
def test_name_in_the_form_in_which_it_is_sent(text: str) -> None:
    """A name is composed after what cannot be seen is gone, whatever stood between a letter and its mark."""
    assert clean_name(text) == "Müşteri"


@pytest.mark.parametrize("text", ["", " ", "\u200b\n"])
def test_empty_name(text: str) -> None:
    """A name of which nothing is left is refused."""
    assert refused(text) == ("no_name", {})


@pytest.mark.parametrize("name", ["VIP", '6" pipes', '“A” and "B"', '«A» “B” "C"'])
def test_a_name_in_quotes(name: str) -> None:
    """The quotes are some that the name does not hold, and what stands in them is the name."""
    assert inside(quoted(name)) == name
    assert inside(name) is None


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
