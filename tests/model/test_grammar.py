"""The grammar in three tables: what is surely right, what is asked about with which reading, what makes none."""

import time

from hypothesis import given
from hypothesis import strategies as st

from bot.model.grammar import Keyword, NewGroup, Reading, as_text, option, parse, read_form
from bot.model.names import MAX_NAME, Parent, ParentId, ParentName, clean, is_seen

FIVE, CUSTOMERS = ParentId("5"), ParentName("Customers")


def shown(reading: Reading) -> str:
    """Return groups as a line of their own: names, indented under what they hang under, and parents."""
    depths: list[int] = []
    for group in reading.groups:
        depths.append(0 if group.above is None else depths[group.above] + 1)
    pairs = zip(depths, reading.groups, strict=True)
    return " / ".join(f"{'>' * depth}{group.name} {option(group.parent)}".strip() for depth, group in pairs)


def read(text: str) -> Reading:
    reading = parse(text)
    assert isinstance(reading, Reading), reading
    return reading


RIGHT = [
    ("VIP Customers", "VIP Customers"),
    ("Müşteri İlişkileri (2026) – A/B & C's + 50%", "Müşteri İlişkileri (2026) – A/B & C's + 50%"),
    ("  VIP \u00a0 Gold\u200b ", "VIP Gold"),
    ("VIP Customers parent=5", "VIP Customers parent=5"),
    ("parent=5 VIP Customers", "VIP Customers parent=5"),
    ("VIP parent = 05", "VIP parent=5"),
    ("VIP üst=5", "VIP parent=5"),
    ("VIP UST=Müşteriler", 'VIP parent="Müşteriler"'),
    ("VIP PARENT=５", "VIP parent=5"),
    ("VIP, parent=5", "VIP parent=5"),
    ("VIP (parent=5)", "VIP parent=5"),
    ("Gold parent=“VIP Customers”", 'Gold parent="VIP Customers"'),
    ('Gold parent="2026"', 'Gold parent="2026"'),
    ('"help"', "help"),
    ('"VIP parent=5" parent=6', "VIP parent=5 parent=6"),
    ("“color=red” parent=5", "color=red parent=5"),
    ('“6" pipes”', '6" pipes'),
    ('6" pipes', '6" pipes'),
    ("'VIP'", "VIP"),
    ("*VIP parent=5*", "VIP parent=5"),
    ("`/addgroup VIP`", "VIP"),
    ("/addgroup VIP parent=5", "VIP parent=5"),
    ("```\nVIP\nGold\n```", "VIP / Gold"),
    ("Liste yavaş parent=5", "Liste yavaş parent=5"),
    ("Help Desk", "Help Desk"),
    ("(1) VIP", "(1) VIP"),
    ("2. Bölge", "2. Bölge"),
    ("Under 12s", "Under 12s"),
    ("IT Team", "IT Team"),
    ("İş Sağlığı ve Güvenliği", "İş Sağlığı ve Güvenliği"),
    ("$100,000+ Revenue", "$100,000+ Revenue"),
    (":cherry_blossom: Bahar :flag-tr:", "🌸 Bahar 🇹🇷"),
    ("👨\u200d👩\u200d👧 Aile", "👨\u200d👩\u200d👧 Aile"),
    ("Acme\n  VIP\n\n    İstanbul\n  Regular\u200b", "Acme / >VIP / >>İstanbul / >Regular"),
    ("- VIP\n- Gold\n\t- Silver", "VIP / Gold / >Silver"),
    ("VIP parent=5\nGold parent=5", "VIP parent=5 / Gold parent=5"),
    ('VIP\n  "A | B"', "VIP / >A | B"),
]


def test_what_is_surely_right() -> None:
    """It is made at once, as it stands here."""
    for text, groups in RIGHT:
        reading = read(text)
        assert (shown(reading), reading.unclear) == (groups, None), text


ASKED = [
    # a parent in words, a typo of the option, and what stands around it
    ("VIP under Customers", 'VIP parent="Customers"', "phrase"),
    ("VIP as a subgroup of Customers", 'VIP parent="Customers"', "phrase"),
    ("Müşteriler altına VIP ekler misin", 'VIP parent="Müşteriler"', "phrase"),
    ("VIP üst grup: Müşteriler", 'VIP parent="Müşteriler"', "phrase"),
    ("Customers › VIP", 'VIP parent="Customers"', "phrase"),
    ("VIP paernt=5", "VIP parent=5", "phrase"),
    ("Gold parent=VIP Customers", 'Gold parent="VIP Customers"', "phrase"),
    ("parent=Customers VIP", 'VIP parent="Customers"', "phrase"),
    ("VIP parent=Customers, please", 'VIP parent="Customers"', "phrase"),
    ("Gold parent=Müşteriler (5)", "Gold parent=5", "phrase"),
    ("Gold parent=5.0", "Gold parent=5", "phrase"),
    ("Gold parent=ID 5", "Gold parent=5", "phrase"),
    ('Gold parent="A › B, ID 6"', "Gold parent=6", "phrase"),
    ("Sub parent=5 (Müşteriler)", "Sub parent=5", "left_out"),
    ("X parent=97 101", "X parent=97", "left_out"),
    ("VIP parent=5 please", "VIP parent=5", "left_out"),
    ("Two parent=5 and 6", "Two parent=5", "left_out"),
    ("VIP parent=5 parent=6", "VIP parent=5", "second_parent"),
    ("Acme\n  VIP parent=5", "Acme / >VIP", "second_parent"),
    ("VIP parent=", "VIP", "bad_parent"),
    ("VIP parent=0", "VIP", "bad_parent"),
    # sentences, other commands, placeholders
    ("create VIP", "VIP", "name"),
    ("VIP grubu açar mısınız?", "VIP", "name"),
    ("VIP sil", "VIP sil", "name"),
    ("how does this work?", "how does this work?", "name"),
    ("New group parent=5", "New group parent=5", "name"),
    ("20", "20", "number"),
    ("help me", "help me", "command"),
    *((text, text, "command") for text in ("hlep", "language", "dil", "langauge tr", "lsit vip")),
    ("VIP\nlist", "VIP / list", "command"),
    # quotes and characters
    ('"VIP', "VIP", "name"),
    ('VIP "Gold"', 'VIP "Gold"', "name"),
    ("VIP \ufffd", "VIP \ufffd", "name"),
    ("VIP \uf0b7 Gold", "VIP \uf0b7 Gold", "name"),
    *((text, text, "name") for text in ("VIP :party-parrot:", "+90 532 123 45 67", "Üst: 5")),
    # lists in a line
    ("VIP, Gold, Silver", "VIP / Gold / Silver", "listed"),
    ("VIP; Gold parent=5", "VIP / Gold parent=5", "listed"),
    ("VIP, Gold ve Silver", "VIP / Gold / Silver", "listed"),
    ("1. VIP 2. Gold", "VIP / Gold", "listed"),
    ('"VIP" "Gold"', '"VIP" "Gold"', "name"),
    # lists and trees of several lines
    ("Acme\n├── VIP\n│   └── İstanbul\n└── Regular", "Acme / >VIP / >>İstanbul / >Regular", "lines"),
    ("Acme\n|-- VIP\n|   `-- İstanbul\n`-- Regular", "Acme / >VIP / >>İstanbul / >Regular", "lines"),
    ("\uf0b7 VIP\n\uf0b7 Gold", "VIP / Gold", "lines"),
    (":black_small_square: VIP\n:black_small_square:Gold", "VIP / Gold", "lines"),
    ("Acme\n- VIP\n- Regular", "Acme / >VIP / >Regular", "lines"),
    ("1. VIP\n1.1 Gold\n2. Silver", "VIP / >Gold / Silver", "lines"),
    ("a) VIP\nb) Gold", "VIP / Gold", "lines"),
    ("1. Bölge\n2. Bölge", "1. Bölge / 2. Bölge", "lines"),
    ("A\n    B\n  C", "A / >B / >C", "lines"),
    ("-Ankara\n-İzmir", "Ankara / İzmir", "name"),
    ("Hi team,\n\nplease create:\n- VIP\n- Gold\n\nThanks", "VIP / Gold", "left_out"),
    ("Groups:\nVIP\nGold", "VIP / Gold", "left_out"),
    ("Name\tSize\nVIP\t124\nGold\t87", "VIP / Gold", "columns"),
    ("| Name | Size |\n|---|---|\n| VIP | 124 |\n| Gold | 87 |", "VIP / Gold", "columns"),
    *((text, None, "") for text in ("VIP @ayse", "05320000000", "ayse@example.com", "#REF!", "[NAME]", "VIP;")),
    *((text, None, "") for text in ('{"name": "VIP"}', "<b>VIP</b>", "At 4:12 PM", "VIP üst 5", "VIP --dry-run")),
]


def test_what_is_asked_about() -> None:
    """It opens the form, filled in with one reading, which the form reads as the same groups."""
    for text, groups, key in ASKED:
        reading = read(text)
        assert reading.unclear, text
        assert groups is None or (shown(reading), reading.unclear.key) == (groups, key), text
        assert read_form(reading.text, reading.parent).groups == reading.groups, text


REFUSED: list[tuple[str, str, Parent]] = [
    ("parent=5", "no_name", FIVE),
    ("VIP\nparent=5", "no_name", FIVE),
    ('""', "no_name", None),
    ("\u3164 parent=5", "no_name", FIVE),
    ("x" * 256, "long_name", None),
    ("x" * 2001, "long_name", None),
    ("A\nGold\na", "twice", None),
    ("\n".join(f"Group {number}" for number in range(51)), "too_many_lines", None),
]


def test_what_makes_no_group() -> None:
    """The form has it as an error at its field."""
    for text, key, parent in REFUSED:
        for reading in (read(text), read_form(text)):
            assert reading.unclear, text
            assert (reading.groups, reading.unclear.key, reading.parent) == ((), key, parent), text


KEYWORDS = {
    Keyword("help"): ("help", "/help", "--help", "Yardım", "yardim", "?", "HELP.", "/addgroup help"),
    Keyword("history"): ("history", "geçmiş"),
    Keyword("list"): ("list", "liste", "list all", "list *", "liste hepsi"),
    Keyword("list", "vip gold"): ("list vip gold", 'liste "vip gold"'),
    Keyword("language", "tr"): ("language tr", "dil türkçe"),
    Keyword("language", ""): ("language auto",),
}


def test_keywords() -> None:
    """A keyword is one when it is the whole line; in the form no word is one."""
    for keyword, texts in KEYWORDS.items():
        for text in texts:
            assert parse(text) == keyword, text
            assert read_form(text).groups or text in ("?", "/addgroup help")


def test_nothing_typed() -> None:
    """It is neither a group nor a mistake: the form opens."""
    for text in ("", " \n\t", "/addgroup", "\u200b"):
        assert read(text) == Reading(), repr(text)


def test_the_forms_fields() -> None:
    """The parent of the form is that of the first level; another one in the text is asked about."""
    assert read_form("A\n  B", FIVE).groups == (NewGroup("A", FIVE), NewGroup("B", None, 0))
    reading = read_form("A parent=6", FIVE)
    assert (shown(reading), reading.unclear and reading.unclear.key) == ("A parent=6", "second_parent")
    assert shown(read_form("VIP, Gold, Silver")) == "VIP, Gold, Silver"
    assert shown(read_form("VIP, Gold, Silver", filled=True)) == "VIP / Gold / Silver"


def test_the_line_is_named_where_there_are_several() -> None:
    """Blank lines count, as they do in an editor."""
    assert [unclear.line for text in ("A\n\nB\na", "A, B, C") if (unclear := read(text).unclear)] == [4, None]


PIECES = st.one_of(
    st.sampled_from(list(" \"“”«»'’,;:|.-–•>#*_~`()[]{}=&/\\@123abIıİşZ🎉\uf0b7\ufffd\u200d\ufe0f\t")),
    st.characters(exclude_categories=["Cs"]),
    st.sampled_from(["parent=5", " üst=", "help", "list ", "/addgroup ", " under ", "please ", "1. ", "a) ", "VIP"]),
)
NAMES = st.lists(PIECES, min_size=1, max_size=12).map("".join)
TEXTS = st.lists(st.one_of(PIECES, st.sampled_from(["\n", "\n  ", "\r\n", "\n- "])), max_size=30).map("".join)


@st.composite
def _groups(draw: st.DrawFn) -> tuple[NewGroup, ...]:
    """Return groups as a command may have them."""
    groups: list[NewGroup] = []
    over: list[int] = []  # the groups that the next one may hang under
    for place, typed in enumerate(draw(st.lists(NAMES, min_size=1, max_size=5))):
        name = clean(typed) if is_seen(clean(typed)) else f"Group {place}"
        del over[draw(st.integers(0, len(over))) :]
        parents = st.sampled_from([None, FIVE, ParentName("VIP › “A” & parent=6"), ParentName('6" pipes, ID')])
        groups.append(NewGroup(f"{name} {place}", None if over else draw(parents), over[-1] if over else None))
        over.append(place)
    return tuple(groups)


@given(_groups())
def test_every_canonical_text_comes_back(groups: tuple[NewGroup, ...]) -> None:
    """Groups as a text are surely read as these groups, and the form is filled with what it reads as them."""
    reading = read(as_text(groups))
    assert (reading.groups, reading.unclear) == (groups, None)
    assert read_form(reading.text, reading.parent).groups == groups
    assert read_form(as_text(groups, sure=False)).groups == groups


@given(TEXTS, st.sampled_from([None, FIVE, CUSTOMERS]))
def test_whatever_is_typed_has_a_reading(text: str, parent: Parent) -> None:
    """No text raises, and what fills the form gives the same groups there."""
    for reading in (parse(text), read_form(text, parent), read_form(text, filled=True)):
        if isinstance(reading, Reading) and reading.groups:
            assert read_form(reading.text, reading.parent).groups == reading.groups
            assert all(0 < len(group.name) <= MAX_NAME for group in reading.groups)


UNITS = ["(", '"', "x, ", "*", "“a", "1. ", "|", "<a>", "please ", "parent=", 'a parent="b ', "a under ", "'a", "a-"]
UNITS += [",", "and ", ", a and", "x=", "\t", "— ", "a\\n", "_", "a: ", "--a ", "5 ", "üst grup ", "\u0301", "👨\u200d"]
UNITS += [":a", "/addgroup ", "/addgroup", "a > ", "a ", "~", "`", "ID 5 ", "«", "; ", "a) ", "[", "@", "\ufdfa"]


def test_hostile_lines() -> None:
    """A line of 2,000 characters takes no more than some times what its half takes: nothing grows by its square."""

    def spent(unit: str, length: int) -> float:
        text = (unit * length)[:length]
        began = time.process_time()
        for _ in range(2):
            parse(text)
            _ = read_form(text).text
        return time.process_time() - began

    for unit in UNITS:
        assert spent(unit, 2000) < 20 * max(spent(unit, 500), 0.02), unit
