"""The grammar: what is understood, what is refused and how, and that no text whatever does anything else."""

from __future__ import annotations

import unicodedata
from string import ascii_letters, digits

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from bot.model.command import Command, Create, Help, History, NewGroup, OpenForm, parse
from bot.model.names import MAX_NAME, Parent, ParentId, ParentName, UsageError, clean_name, fold, parent_from

patient = settings(deadline=None)
QUOTES = '"“”„‟'
PAIRS = ['""', "“”", "””", "„“", "„”", "‟”"]


def refusal(text: str) -> tuple[str, dict[str, str]]:
    """Return the key and the values with which a text is refused."""
    with pytest.raises(UsageError) as caught:
        parse(text)
    return caught.value.key, caught.value.values


def read(text: str) -> Command | UsageError:
    """Return what a text is understood as, or how it is refused."""
    try:
        return parse(text)
    except UsageError as error:
        return error


@pytest.mark.parametrize("text", ["", " ", "\n\n", "\t", "\u00a0", "\u200b\ufeff", " \u202e\n\u2028"])
def test_nothing_opens_the_form(text: str) -> None:
    """Nothing, and nothing that can be seen, asks for the form."""
    assert parse(text) == OpenForm()


@pytest.mark.parametrize(
    "text",
    ["help", "HELP", "Help", " help\n", "\u200bhelp", "yardım", "Yardım", "YARDIM", "yardim", "YARDİM", "Yardim", "?"],
)
def test_help(text: str) -> None:
    """Help is asked for in English and Turkish, in any case, with or without Turkish letters."""
    assert parse(text) == Help()


@pytest.mark.parametrize("text", ["history", "History", "HISTORY", "HİSTORY", "\u00a0history "])
def test_history(text: str) -> None:
    """The history is asked for in any case."""
    assert parse(text) == History()


@pytest.mark.parametrize(
    ("text", "name", "parent"),
    [
        ("Customers", "Customers", None),
        ("VIP Customers parent=5", "VIP Customers", ParentId("5")),
        ('"help" parent=“VIP Customers”', "help", ParentName("VIP Customers")),
        # The option stands anywhere, and in any form.
        ("parent=5 VIP Customers", "VIP Customers", ParentId("5")),
        ("VIP parent=5 Customers", "VIP Customers", ParentId("5")),
        ("parent = 5 VIP", "VIP", ParentId("5")),
        ("VIP parent = 5", "VIP", ParentId("5")),
        ("VIP parent= 5", "VIP", ParentId("5")),
        ("VIP parent =5", "VIP", ParentId("5")),
        ("VIP PARENT=5", "VIP", ParentId("5")),
        ("VIP Parent = “A”", "VIP", ParentName("A")),
        ("VIP parent=５", "VIP", ParentId("5")),
        ("VIP parent＝5", "VIP", ParentId("5")),
        ("VIP ｐａｒｅｎｔ＝５", "VIP", ParentId("5")),
        ("VIP　ＰＡＲＥＮＴ　＝　９７１０１", "VIP", ParentId("97101")),
        ("VIP parent﹦5", "VIP", ParentId("5")),
        # A parent is an id or a name; what is quoted is a name.
        ("VIP parent=97101", "VIP", ParentId("97101")),
        ("VIP parent=007", "VIP", ParentId("7")),
        ("VIP parent=Customers", "VIP", ParentName("Customers")),
        ("VIP parent=A1", "VIP", ParentName("A1")),
        ("VIP parent=Bob's", "VIP", ParentName("Bob's")),
        ('VIP parent="5"', "VIP", ParentName("5")),
        ("VIP parent=“-5”", "VIP", ParentName("-5")),
        ('VIP parent="A=B"', "VIP", ParentName("A=B")),
        ('parent="VIP Customers" New ones', "New ones", ParentName("VIP Customers")),
        # Quotes keep words as they are.
        ('"help"', "help", None),
        ("“YARDIM”", "YARDIM", None),
        ('"?"', "?", None),
        ('"history"', "history", None),
        ('"parent=5"', "parent=5", None),
        ("“color=red” parent=5", "color=red", ParentId("5")),
        ('"parent:5"', "parent:5", None),
        ('"parent" 5', "parent 5", None),
        ('parent "5"', "parent 5", None),
        ('VIP "and" others', "VIP and others", None),
        ('"the “inner” circle"', "the “inner” circle", None),
        ('“12" pipes”', '12" pipes', None),
        ('"Bob"s"', 'Bob"s', None),
        ('“VIP"', "VIP", None),
        ('“VIP" parent = “Customers"', "VIP", ParentName("Customers")),
        ('"VIP” parent=5', "VIP", ParentId("5")),
        # A keyword within a name is a word as any other.
        ("help desk", "help desk", None),
        ("What now ?", "What now ?", None),
        ("parent teachers", "parent teachers", None),
        ("parents 5", "parents 5", None),
        ("parent 5 years", "parent 5 years", None),
        ("--parents night", "--parents night", None),
        # Apostrophes and other marks are ordinary.
        ("Bob's team", "Bob's team", None),
        ("Ali’nin ‘grubu’", "Ali’nin ‘grubu’", None),
        ("'VIP Customers' parent=5", "'VIP Customers'", ParentId("5")),
        ('12" pipes', '12" pipes', None),
        ("R&D <all> *bold* `code` @here", "R&D <all> *bold* `code` @here", None),
        # White space is one space; what cannot be seen goes.
        ("  VIP\u00a0 \t Customers\u3000 ", "VIP Customers", None),
        ("\n VIP Customers \r\n\n", "VIP Customers", None),
        ("VIP\u00a0parent\u00a0=\u00a05", "VIP", ParentId("5")),
        ("VIP pa\u200brent=\u200e5\u200f", "VIP", ParentId("5")),
        ("\u202eV\u200bI\u2060P\ufeff\u00ad\x00\x1b", "VIP", None),
        ('"  VIP \u00a0 Customers "', "VIP Customers", None),
        ("Mu\u0308s\u0327teriler", "Müşteriler", None),
        ("VIP\ud800 \udfff", "VIP", None),
    ],
)
def test_one_group(text: str, name: str, parent: Parent) -> None:
    """A line makes one group, under the parent that it names."""
    assert parse(text) == Create((NewGroup(name, parent),))


@pytest.mark.parametrize(
    ("text", "part", "suggestion"),
    [
        ("VIP paernt=5", "paernt=5", "parent=5"),
        ("VIP parents=97", "parents=97", "parent=97"),
        ("paernt=Customers VIP", "paernt=Customers", "parent=Customers"),
        ("VIP ÜST=7", "ÜST=7", "parent=7"),
        ("VIP ana=7", "ana=7", "parent=7"),
        ("VIP --parent=5", "--parent=5", "parent=5"),
        ("VIP —parent=5", "—parent=5", "parent=5"),
        ("VIP --üst=7", "--üst=7", "parent=7"),
        ("VIP paernt=", "paernt=", "parent=5"),
        ("VIP color=red", "color=red", '"color=red"'),
        ('VIP color="dark red"', 'color="dark red"', '"color="dark red""'),
        ("a=b", "a=b", '"a=b"'),
        ("VIP parent=a=b", "a=b", '"a=b"'),
        # What was surely meant as the option.
        ("VIP parent:5", "parent:5", "parent=5"),
        ("VIP Parent:97", "Parent:97", "parent=97"),
        ("parent：5 VIP", "parent：5", "parent=5"),
        ("VIP --parent 5", "--parent 5", "parent=5"),
        ("VIP -parent 97", "-parent 97", "parent=97"),
        ("VIP --parent", "--parent", "parent=5"),
        ("VIP parent 5", "parent 5", "parent=5"),
        ("VIP PARENT 97", "PARENT 97", "parent=97"),
    ],
)
def test_unknown_option(text: str, part: str, suggestion: str) -> None:
    """What looks like an option is refused, with what was probably meant, and is never a part of a name."""
    assert refusal(text) == ("unknown_option", {"part": part, "suggestion": suggestion})
    assert isinstance(parse(text.replace(part, suggestion)), Create)


@pytest.mark.parametrize(
    ("text", "part", "suggestion"),
    [
        ('VIP paernt="Big Customers"', 'paernt="Big Customers"', 'parent="Big Customers"'),
        ('VIP parent:"Big Customers"', 'parent:"Big Customers"', 'parent="Big Customers"'),
        ("VIP parent:Big", "parent:Big", "parent=Big"),
        ("parent: 7 VIP", "parent: 7", "parent=7"),
        ("--parent 7 VIP", "--parent 7", "parent=7"),
        ("VIP —parent 7", "—parent 7", "parent=7"),
        ("Q = A + B", "Q = A", '"Q = A"'),
        ("VIP color=“red”", "color=“red”", '"color=“red”"'),
        ('VIP"parent=5', 'VIP"parent=5', '"VIP"parent=5"'),
    ],
)
def test_suggestion_can_be_taken_as_it_is(text: str, part: str, suggestion: str) -> None:
    """The suggestion keeps the quotes and the id that were typed: in place of the part it makes a right command."""
    assert refusal(text) == ("unknown_option", {"part": part, "suggestion": suggestion})
    assert isinstance(parse(text.replace(part, suggestion)), Create)


@pytest.mark.parametrize("text", ['“VIP" parent=“Customers”', '"VIP” parent="Customers"'])
def test_mixed_quotes(text: str) -> None:
    """A quote closed by one of another kind does not swallow the option behind it."""
    assert parse(text) == Create((NewGroup("VIP", ParentName("Customers")),))


@pytest.mark.parametrize(
    ("text", "key", "values"),
    [
        ("VIP parent=5 parent=6", "second_parent", {"part": "parent=6"}),
        ('parent=5 VIP parent="Customers"', "second_parent", {"part": 'parent="Customers"'}),
        ("VIP parent=5 parent=5", "second_parent", {"part": "parent=5"}),
        ("VIP parent=", "empty_parent", {"part": "parent="}),
        ("VIP Parent=", "empty_parent", {"part": "Parent="}),
        ('parent="" VIP', "empty_parent", {"part": 'parent=""'}),
        ('VIP parent=" \u200b"', "empty_parent", {"part": 'parent=" "'}),
        ("VIP parent=0", "bad_parent_id", {"part": "0"}),
        ("VIP parent=00", "bad_parent_id", {"part": "00"}),
        ("VIP parent=-5", "bad_parent_id", {"part": "-5"}),
        ("VIP parent=+5", "bad_parent_id", {"part": "+5"}),
        ("VIP parent=－５", "bad_parent_id", {"part": "－５"}),
        ("VIP parent='Big Customers'", "single_quotes", {"part": "parent='Big"}),
        ("VIP parent=‘Customers’", "single_quotes", {"part": "parent=‘Customers’"}),
        ("VIP parent=’Customers’", "single_quotes", {"part": "parent=’Customers’"}),
        ('"VIP Customers', "unclosed_quote", {"part": '"VIP Customers'}),
        ("New “VIP Customers", "unclosed_quote", {"part": "“VIP Customers"}),
        ('VIP parent="Customers', "unclosed_quote", {"part": '"Customers'}),
        ('VIP "', "unclosed_quote", {"part": '"'}),
        ('"VIP"Customers', "unclosed_quote", {"part": '"VIP"Customers'}),
        ("parent=5", "no_name", {}),
        ("parent= Customers", "no_name", {}),
        ('""', "no_name", {}),
        ('“\u200b” "" parent=5', "no_name", {}),
    ],
)
def test_refusals(text: str, key: str, values: dict[str, str]) -> None:
    """A mistake is refused by its name, and the part at fault is shown."""
    assert refusal(text) == (key, values)


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("Customers\nVIP", (NewGroup("Customers"), NewGroup("VIP"))),
        (
            "Customers\r\n\r\n\u00a0 VIP\nNew",
            (NewGroup("Customers"), NewGroup("VIP", above=0), NewGroup("New")),
        ),
        ("help\u2028me", (NewGroup("help"), NewGroup("me"))),
    ],
)
def test_several_lines(text: str, made: tuple[NewGroup, ...]) -> None:
    """Each line makes a group; how they hang together is tested in test_outline.py."""
    assert parse(text) == Create(made)


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
    [("5²", ParentName("5²")), ("①", ParentName("①")), ("123456789012345678901", ParentId("123456789012345678901"))],
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


TOKENS = [*"\"“”„‟'’=＝﹦: -?\n\t\u00a0\u200b\u202e\u0301\u0338", "parent", "PARENT", "parent=", "paernt=", "--parent"]
TOKENS += ["parent:", "5", "0", "-5", "９", "help", "yardım", "history", "VIP", "İ", "ı", "a" * 130, "\r\n", "\ud800"]
anything = st.text(st.characters(exclude_categories=[])) | st.lists(st.sampled_from(TOKENS), max_size=20).map("".join)


@given(anything)
@example("\ud800")
@example("parent=\u0338")
@patient
def test_any_text_is_understood_or_refused(text: str) -> None:
    """Any text is a command whose names can be sent, or a usage error; nothing else is ever raised."""
    result = read(text)
    if isinstance(result, UsageError):
        assert all(result.values.values())
    elif isinstance(result, Create):
        for group in result.groups:
            names = [group.name, *([group.parent.name] if isinstance(group.parent, ParentName) else [])]
            assert [clean_name(name) for name in names] == names
            assert not isinstance(group.parent, ParentId) or int(group.parent.id) > 0


HOSTILE = [
    '"',
    "“",
    "=",
    "= ",
    "a=b ",
    "parent=",
    "parent:",
    '"a" ',
    "\u200b",
    "\u0301",
    "a",
    "a ",
    "\n",
    "a\n",
    '“a" ',
    '"a” ',
    "\u0301\u0323",
]


@pytest.mark.parametrize("unit", HOSTILE)
def test_long_hostile_text(unit: str) -> None:
    """Fifty thousand characters are read in passing, and no group comes of them."""
    assert isinstance(read((unit * 50_000)[:50_000]), UsageError | OpenForm)


def test_overlong_line_is_not_read() -> None:
    """A line longer than any command is refused before the work on it, which grows with its square, begins."""
    assert refusal("\u200b" * 2000 + "VIP\nNew") == ("long_name", {"part": "…", "length": "2003", "most": "255"})


def sent_form(text: str) -> str:
    """Return a text as the name that would be sent, or let the example go."""
    try:
        return clean_name(text)
    except UsageError:
        assume(condition=False)
        raise


@given(st.text(max_size=80), st.sampled_from(PAIRS), st.sampled_from(["", " parent=5", ' parent="Customers"']))
@example("help", '""', "")
@example("parent=5", "“”", "")
@patient
def test_what_is_quoted_comes_back(text: str, pair: str, option: str) -> None:
    """A quoted name is taken as it is, whatever it holds, as a name and as a parent."""
    name = sent_form(text)
    assume(not any(f"{quote} " in f"{name} " for quote in QUOTES))
    quoted = pair[0] + name + pair[1]
    (group,) = groups(quoted + option)
    assert group.name == name
    assert groups(f"VIP parent={quoted}") == (NewGroup("VIP", ParentName(name)),)


plain = st.text(ascii_letters + digits + "çğıöşüÇĞİÖŞÜ'’.,&+/()", min_size=1, max_size=12)


@given(st.lists(plain, min_size=1, max_size=8), st.integers(min_value=0), st.integers(min_value=1, max_value=10**19))
@patient
def test_plain_words_come_back(words: list[str], position: int, parent: int) -> None:
    """Unquoted words are the name, and the option's place among them does not matter."""
    name = " ".join(words)
    assume(fold(name) not in ("help", "yardim", "history") and "parent" not in map(fold, words))
    assert groups(name) == (NewGroup(name),)
    at = position % (len(words) + 1)
    assert groups(" ".join([*words[:at], f"parent={parent}", *words[at:]])) == (NewGroup(name, ParentId(str(parent))),)


def groups(text: str) -> tuple[NewGroup, ...]:
    """Return the groups of a text that must be a command to create."""
    command = parse(text)
    assert isinstance(command, Create)
    return command.groups


LETTERS = ascii_letters + "çğıöşüÇĞİÖŞÜéßµΣς 5-"
VARIANTS = {letter: ["I", "ı", "İ", "i", "i\u0307", "I\u0307"] for letter in "Iıİi"}


@given(st.data(), st.text(LETTERS))
@patient
def test_fold_knows_no_case(data: st.DataObject, name: str) -> None:
    """Names are the same in any case, letter by letter, and I, ı, İ and i are one letter, composed or not."""
    variants = [VARIANTS.get(letter, [letter, letter.upper(), letter.lower()]) for letter in name]
    other = "".join(data.draw(st.sampled_from(variant)) for variant in variants)
    assert fold(other) == fold(name)
    assert fold(name.upper()) == fold(name.lower()) == fold(name)


@pytest.mark.parametrize(
    ("one", "other"), [("Customers", "Customer"), ("Müşteri", "Musteri"), ("VIP 1", "VIP 2"), ("ı", "l"), ("A B", "AB")]
)
def test_fold_keeps_different_names_apart(one: str, other: str) -> None:
    """Case is all that does not count."""
    assert fold(one) != fold(other)


@given(st.text() | st.text("iIıİ\u0307\u0323\u0308\u200bSß "))
@example("i\u0307\u0307")
@example("I\u200b\u0307")
@patient
def test_fold_of_a_fold(text: str) -> None:
    """Folding twice is folding once, and a name and its sent form fold alike."""
    assert fold(fold(text)) == fold(text)
    assert fold(unicodedata.normalize("NFD", text)) == fold(text)
