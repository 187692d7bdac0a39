"""Names: what is sent, what is left out, and which names are the same."""

import unicodedata
from string import ascii_letters

from hypothesis import example, given
from hypothesis import strategies as st

from bot.model.names import MAX_NAME, clean, fold, inside, is_seen, quoted, unmarked

# What belongs to a word or an emoji stays, and so do format characters that can be seen.
KEPT = ["می\u200cخواهم", "ه\u200d.ش", "क्\u200dष", "അവന്\u200d", "ᠨ\u180eᠠ", "👨\u200d👩\u200d👧", "👩🏽\u200d🚀"]
KEPT += ["🏳\ufe0f\u200d🌈", "🙂\u200d↔\ufe0f", "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f"]
KEPT += ["1\ufe0f\u20e3", "❤\ufe0f", "葛\U000e0100", "\u06dd", "\u0600 1", "\U000110bd"]

# What can be seen neither itself nor by what it does to others is not sent; a letter and its mark are composed then.
SENT = [
    *((name, name) for name in KEPT),
    ("V\u200dI\u200cP", "VIP"),
    ("\u200cVIP\u200d", "VIP"),
    ("VIP\ufe0f 5\ufe0f", "VIP 5"),
    ("VIP\U000e0067\U000e007f", "VIP"),
    ("\u202eV\u2066I\u2060P\u00ad\ufeff\u061c", "VIP"),
    ("VIP\u3164Gold\u2800", "VIP Gold"),
    *((typed, "Müşteri") for typed in ("Mu\u0308s\u0327teri", "Mü\u200bşteri", "\n Müşteri\ud800")),
    ("Mu\u200b\u0308s\u00ad\u0327teri", "Müşteri"),
    *((typed, "ş" * MAX_NAME) for typed in ("ş" * MAX_NAME, "s\u0327" * MAX_NAME)),  # counted as it is sent
]


def test_the_form_in_which_a_name_is_sent() -> None:
    """Whatever cannot be seen goes, and nothing else."""
    for text, name in SENT:
        assert clean(text) == name


def test_what_is_no_name() -> None:
    """Of such a text nothing can be seen."""
    for text in (*"\u3164\u2800\u115f\u1160\uffa0\ufe0f\u180b\u17b4\u0301", "", " ", "\u200b\n"):
        assert not is_seen(clean(text)), repr(text)
    assert is_seen("1")


ALIKE = [("ＶＩＰ", "vip"), ("ﬁrma", "FIRMA"), ("می\u200cخواهم", "میخواهم"), ("❤️", "❤"), ("Bob’s", "Bob's")]
ALIKE += [("A – B", "A - B"), ("“A”", '"A"'), ("Ⅳ", "iv"), ("AㅤB", "A B")]
APART = [("Customers", "Customer"), ("Müşteri", "Musteri"), ("VIP 1", "VIP 2"), ("ı", "l"), ("A B", "AB"), ("m²", "m2")]
APART += [("①", "1"), ("🏴\U000e0067\U000e0062\U000e0065\U000e007f", "🏴")]


def test_names_that_look_the_same_are_the_same() -> None:
    """Case, the shape of a letter and the kind of an apostrophe or a dash do not tell names apart; all else does."""
    for one, other in ALIKE:
        assert fold(one) == fold(other)
    for one, other in APART:
        assert fold(one) != fold(other)


def test_letters_without_marks() -> None:
    """Somebody without Turkish letters finds a name too."""
    assert unmarked("Müşteriler IĞDIR") == "musteriler igdir"


def test_a_name_in_quotes() -> None:
    """The quotes are some that the name does not hold, and what stands in them is the name."""
    for name in ("VIP", '6" pipes', '“A” and "B"', '«A» “B” "C"'):
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


@given(st.text() | st.text(JOINED) | st.text("iIıİ\u0307\u0323\u0308\u200bSß "))
@example("i\u0307\u0307")
@example("I\u200b\u0307")
def test_fold_of_a_fold(text: str) -> None:
    """Folding twice is folding once, and a name and its sent form fold alike."""
    assert fold(fold(text)) == fold(text) == fold(clean(text))
    assert clean(clean(text)) == clean(text)
    assert fold(unicodedata.normalize("NFD", text)) == fold(text)
