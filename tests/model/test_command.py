"""The grammar: what is understood, what is refused and how, and that no text whatever does anything else."""

from __future__ import annotations

from string import ascii_letters, digits

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from bot.model.command import Create, NewGroup, OpenForm, parse
from bot.model.names import Parent, ParentId, ParentName, UsageError, clean_name
from tests.support.grammar import groups, read, refusal

QUOTES = '"“”„‟'
PAIRS = ['""', "“”", "””", "„“", "„”", "‟”"]


@pytest.mark.parametrize("text", ["", " ", "\n\n", "\t", "\u00a0", "\u200b\ufeff", " \u202e\n\u2028"])
def test_nothing_opens_the_form(text: str) -> None:
    """Nothing, and nothing that can be seen, asks for the form."""
    assert parse(text) == OpenForm()


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
        ('12" pipes', '12" pipes', None),
        ("R&D <all> *bold* `code` @here", "R&D <all> *bold* `code` @here", None),
        # White space is one space; what cannot be seen goes.
        ("  VIP\u00a0 \u2003 Customers\u3000 ", "VIP Customers", None),
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
        ("VIP paernt=5", "paernt=5", "VIP parent=5"),
        ("VIP parents=97", "parents=97", "VIP parent=97"),
        ("paernt=Customers VIP", "paernt=Customers", "parent=Customers VIP"),
        ("VIP ÜST=7", "ÜST=7", "VIP parent=7"),
        ("VIP ana=7", "ana=7", "VIP parent=7"),
        ("VIP ebeveyn=7", "ebeveyn=7", "VIP parent=7"),
        ("VIP üst grup=7", "üst grup=7", "VIP parent=7"),
        ("VIP parent id=7", "parent id=7", "VIP parent=7"),
        ("VIP id=7", "id=7", "VIP parent=7"),
        ("VIP --parent=5", "--parent=5", "VIP parent=5"),
        ("VIP -parent=5", "-parent=5", "VIP parent=5"),
        ("VIP —parent=5", "—parent=5", "VIP parent=5"),
        ("VIP --üst=7", "--üst=7", "VIP parent=7"),
        ("VIP color=red", "color=red", 'VIP "color=red"'),
        ('VIP color="dark red"', 'color="dark red"', 'VIP "color="dark red""'),
        ("VIP color=“red”", "color=“red”", 'VIP "color=“red”"'),
        ("a=b", "a=b", '"a=b"'),
        ("Q = A + B", "Q = A", '"Q = A" + B'),
        ('VIP"parent=5', 'VIP"parent=5', '"VIP"parent=5"'),
        ("VIP parent=a=b", "parent=a=b", 'VIP parent="a=b"'),
        ("VIP paernt=5 color=red", "paernt=5", 'VIP parent=5 "color=red"'),
        ("name=VIP parent=5", "name=VIP", '"VIP" parent=5'),
        # Other signs, and words, in place of the equals sign.
        ("VIP parent==5", "parent==5", "VIP parent=5"),
        ("VIP parent=>5", "parent=>5", "VIP parent=5"),
        ("VIP parent:=5", "parent:=5", "VIP parent=5"),
        ("VIP parent->5", "parent->5", "VIP parent=5"),
        ("VIP parent:5", "parent:5", "VIP parent=5"),
        ("VIP Parent:97", "Parent:97", "VIP parent=97"),
        ("VIP Parent: 5", "Parent: 5", "VIP parent=5"),
        ("parent：5 VIP", "parent：5", "parent=5 VIP"),
        ("parent: 7 VIP", "parent: 7", "parent=7 VIP"),
        ("VIP parent:Big", "parent:Big", "VIP parent=Big"),
        ('VIP paernt="Big Customers"', 'paernt="Big Customers"', 'VIP parent="Big Customers"'),
        ('VIP parent:"Big Customers"', 'parent:"Big Customers"', 'VIP parent="Big Customers"'),
        ("VIP --parent 5", "--parent 5", "VIP parent=5"),
        ("--parent 7 VIP", "--parent 7", "parent=7 VIP"),
        ("VIP -parent 97", "-parent 97", "VIP parent=97"),
        ("VIP with parent=5", "with parent=5", "VIP parent=5"),
        # An id in a dress that may be a name.
        ("VIP parent=ID5", "parent=ID5", "VIP parent=5"),
        ("VIP parent=id:5", "parent=id:5", "VIP parent=5"),
        ("VIP parent=id=5", "parent=id=5", "VIP parent=5"),
        ("VIP parent=ID 5", "parent=ID 5", "VIP parent=5"),
        ("VIP parent=5'", "parent=5'", "VIP parent=5"),
        # An option in single quotes.
        ("'VIP parent=5'", "'VIP parent=5'", "VIP parent=5"),
        ("VIP 'parent=5'", "'parent=5'", "VIP parent=5"),
        ("VIP «parent=5»", "«parent=5»", "VIP parent=5"),
        # The command in its own text.
        ("/addgroupVIP", "/addgroupVIP", "VIP"),
        ("/addgruop VIP parent=5", "/addgruop", "VIP parent=5"),
        ("addgroup VIP", "addgroup", "VIP"),
        ("/grup-ekle VIP parent=5", "/grup-ekle", '"/grup-ekle VIP" parent=5'),
    ],
)
def test_suggestion_can_be_typed_as_it_is(text: str, part: str, suggestion: str) -> None:
    """What looks like an option is refused, with a line that makes the group that was meant."""
    assert refusal(text) == ("unknown_option", {"part": part, "suggestion": suggestion})
    assert isinstance(parse(suggestion), Create)


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
        ("VIP paernt=", "empty_parent", {"part": "paernt="}),
        ("VIP --parent", "empty_parent", {"part": "--parent"}),
        ("paernt=5", "no_name", {}),
        ("VIP parent='Big Customers", "unclosed_quote", {"part": "'Big Customers"}),
        ("VIP parent=`5", "unclosed_quote", {"part": "`5"}),
        ("<@U123>", "mention", {"part": "<@U123>"}),
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


TOKENS = [*"\"“”„‟'’=＝﹦: -?\n\t\u00a0\u200b\u202e\u0301\u0338", "parent", "PARENT", "parent=", "paernt=", "--parent"]
TOKENS += [
    " under ",
    " üst grup ",
    " altına ",
    "add ",
    " ekle",
    "name:",
    " › ",
    ">",
    "; ",
    ",",
    "|",
    '", "',
    "new group ",
]
TOKENS += ["parent:", "5", "0", "-5", "９", "help", "yardım", "history", "VIP", "İ", "ı", "a" * 130, "\r\n", "\ud800"]
anything = st.text(st.characters(exclude_categories=[])) | st.lists(st.sampled_from(TOKENS), max_size=20).map("".join)


@given(anything)
@example("\ud800")
@example("parent=\u0338")
def test_any_text_is_understood_or_refused(text: str) -> None:
    """Any text is a command whose names can be sent, or a usage error; nothing else is ever raised."""
    result = read(text)
    if isinstance(result, UsageError):
        assert all(result.values.values())
        for form in ("suggestion", "quoted"):
            assert form not in result.values or isinstance(parse(result.values[form]), Create)
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
def test_what_is_quoted_comes_back(text: str, pair: str, option: str) -> None:
    """A quoted name is taken as it is, whatever it holds, as a name and as a parent."""
    name = sent_form(text)
    assume(not any(f"{quote} " in f"{name} " for quote in QUOTES))
    quoted = pair[0] + name + pair[1]
    (group,) = groups(quoted + option)
    assert group.name == name
    assert groups(f"VIP parent={quoted}") == (NewGroup("VIP", ParentName(name)),)


plain = st.text(ascii_letters + digits + "çğıöşüÇĞİÖŞÜ.&()", min_size=1, max_size=12).map(lambda word: f"x{word}'s")


@given(st.lists(plain, min_size=1, max_size=8), st.integers(min_value=0), st.integers(min_value=1, max_value=10**19))
def test_plain_words_come_back(words: list[str], position: int, parent: int) -> None:
    """Unquoted words are the name, and the option's place among them does not matter."""
    name = " ".join(words)
    assert groups(name) == (NewGroup(name),)
    at = position % (len(words) + 1)
    assert groups(" ".join([*words[:at], f"parent={parent}", *words[at:]])) == (NewGroup(name, ParentId(str(parent))),)
