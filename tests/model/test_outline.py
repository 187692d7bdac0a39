"""The grammar of several lines: what hangs under what, what is refused, and that each refusal names its line."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from bot.model.command import MAX_GROUPS, Create, NewGroup, OpenForm, as_outline, form_groups, outline, parse
from bot.model.names import Parent, ParentId, ParentName, UsageError, clean_name, fold
from tests.support.grammar import groups, read, refused

FOREST = (
    NewGroup("Customers"),
    NewGroup("VIP", above=0),
    NewGroup("İstanbul", above=1),
    NewGroup("Ankara", above=1),
    NewGroup("Regular", above=0),
    NewGroup("Staff"),
    NewGroup("VIP", above=5),
)


@pytest.mark.parametrize(
    "text",
    [
        "Customers\n VIP\n  İstanbul\n  Ankara\n Regular\nStaff\n VIP",
        "Customers\n  VIP\n    İstanbul\n    Ankara\n  Regular\nStaff\n  VIP",
        "Customers\n        VIP\n                İstanbul\n                Ankara\n        Regular\nStaff\n        VIP",
        "Customers\n\tVIP\n\t\tİstanbul\n\t\tAnkara\n\tRegular\nStaff\n\tVIP",
        "Customers\n\u00a0\u00a0VIP\n\u00a0 \u00a0İstanbul\n \u00a0 Ankara\n  Regular\nStaff\n\u3000VIP",
        # Any width goes that is the same for those that stand beside each other.
        "Customers\n     VIP\n      İstanbul\n      Ankara\n     Regular\nStaff\n  VIP",
        "Customers\n    VIP\n\t  İstanbul\n      Ankara\n\tRegular\nStaff\n\tVIP",
        # The list may be indented as a whole, and begin on the command's own line or below it.
        "  Customers\n    VIP\n      İstanbul\n      Ankara\n    Regular\n  Staff\n    VIP",
        "\nCustomers\n VIP\n  İstanbul\n  Ankara\n Regular\nStaff\n VIP\n",
        # Bullets of any kind, indented or repeated.
        "- Customers\n  - VIP\n    - İstanbul\n    - Ankara\n  - Regular\n- Staff\n  - VIP",
        "• Customers\n  ◦ VIP\n    ▪ İstanbul\n    ▪ Ankara\n  ◦ Regular\n• Staff\n  ◦ VIP",
        "•\tCustomers\n\t•\tVIP\n\t\t•\tİstanbul\n\t\t•\tAnkara\n\t•\tRegular\n•\tStaff\n\t•\tVIP",
        "*\u00a0Customers\n**\u00a0VIP\n***\u00a0İstanbul\n***\u00a0Ankara\n**\u00a0Regular\n*\u00a0Staff\n**\u00a0VIP",
        "- Customers\n-- VIP\n--- İstanbul\n--- Ankara\n-- Regular\n- Staff\n-- VIP",
        "• Customers\n•• VIP\n••• İstanbul\n•*- Ankara\n•◦ Regular\n• Staff\n‣‣ VIP",
        "Customers\n  - VIP\n    İstanbul\n    * Ankara\n  Regular\n- Staff\n  VIP",
        # Blank lines, other ends of lines, white space behind a name.
        "\n\nCustomers\n\n  VIP\n \n    İstanbul\n\t\n    Ankara\n\u200b\n  Regular\n- \nStaff\n  VIP\n\n",
        "Customers\r\n  VIP\r\n    İstanbul\r\n    Ankara\r\n  Regular\r\nStaff\r\n  VIP\r\n",
        "Customers\u2028 VIP\u2028  İstanbul\x0b  Ankara\x85 Regular\u2029Staff\r VIP",
        "Customers  \n  VIP\t\n    İstanbul\u00a0\n    Ankara \n  Regular\u200b\nStaff\u3000\n  VIP",
        'Customers\n  "VIP"\n    \u201cİstanbul\u201d\n    An\u200bkara\n  Regular\nSta\u00adff\n  VIP',
        # What cannot be seen does not count as something that stands before a name.
        pytest.param(
            "\ufeffCustomers\n\u200b  VIP\n\u200e    İstanbul\n    Ankara\n\u200b  - Regular\n\u2060- Staff\n  VIP",
        ),
    ],
)
def test_one_forest(text: str) -> None:
    """A line that is indented further is a group under the nearest shallower one above it, however it is indented."""
    assert groups(text) == FOREST


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("- VIP", "VIP"),
        ("-VIP", "-VIP"),
        ("- -VIP", "-VIP"),
        ('- "- VIP"', "- VIP"),
        ("- 5 % off", "5 % off"),
        ("- 1. VIP", "1. VIP"),
        ("- help", "help"),
        ("history", "history"),
        ("* VIP", "VIP"),
        ("+ VIP", "VIP"),
        ("– VIP", "VIP"),
        ("> VIP", "VIP"),
        (">VIP", "VIP"),
        ("•VIP", "VIP"),
        ("→ VIP", "VIP"),
        ("✓ VIP", "VIP"),
        ("[ ] VIP", "VIP"),
        ("- [x] VIP", "VIP"),
        ("1) VIP", "VIP"),
        ("(1) VIP", "VIP"),
        ("a) VIP", "VIP"),
        ("o\tVIP", "VIP"),
        ("/addgroup VIP", "VIP"),
        ("- `VIP`", "VIP"),
    ],
)
def test_what_a_bullet_is(line: str, name: str) -> None:
    """A bullet is one before white space; in a list a keyword is a name as any other."""
    assert groups(f"- First\n{line}") == (NewGroup("First"), NewGroup(name))


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("1. A\n2. B\n3. C", ["A", "B", "C"]),
        ("1- A\n2- B", ["A", "B"]),
        ("1.A\n2.B", ["A", "B"]),
        ("a. A\nb. B", ["A", "B"]),
        ("i. A\nii. B\niii. C\niv. D", ["A", "B", "C", "D"]),
        ("a) A\nb) B\nc) C\nç) D", ["A", "B", "C", "D"]),
        ("1. A\n1. B", ["A", "B"]),
        ("1. A\n   a. B\n   b. C\n2. D", ["A", " B", " C", "D"]),
        ("1. A\n1.1 B\n1.2 C\n2. D", ["A", " B", " C", "D"]),
        ("1. A\n  1.1. B\n2. D", ["A", " B", "D"]),
        ("1. A\n  2. B\n  3. C", ["A", "B", "C"]),
        ("1. Bölge\n2. Bölge", ["1. Bölge", "2. Bölge"]),
        ("3. Kat\n7. Daire", ["3. Kat", "7. Daire"]),
        ("A\n1. B", ["A", "1. B"]),
        ("5-10 yaş\n11-15 yaş", ["5-10 yaş", "11-15 yaş"]),
        # A list below a line without a bullet.
        ("A\n- B\n- C", ["A", " B", " C"]),
        ("A:\n• B\n• C", ["A", " B", " C"]),
        ("A\n1. B\n2. C", ["A", " B", " C"]),
        ("A\n- B\n  - C\nD\n- E", ["A", " B", "  C", "D", " E"]),
        ("- A\nB\n- C", ["A", "B", "C"]),
        ("- A\n  - B\n  - C", ["A", " B", " C"]),
        ("-   A\n    -   B\n        -   C", ["A", " B", "  C"]),
        ("•\tA\no\tB\n•\tC", ["A", "B", "C"]),
        ("A:\n  B", ["A", " B"]),
        ("A:\nB", ["A:", "B"]),
        ("```\nA\n  B\n```", ["A", " B"]),
        ("```A\n  B```", ["A", " B"]),
        ("A\n-\nB", ["A", "B"]),
    ],
)
def test_numbers_and_headings(text: str, made: list[str]) -> None:
    """Numbers that count are bullets, others are part of the name; a list hangs under the line that heads it."""
    found = groups(text)
    depths: list[int] = []
    for group in found:
        depths.append(0 if group.above is None else depths[group.above] + 1)
    assert [" " * depth + group.name for depth, group in zip(depths, found, strict=True)] == made


def test_the_form_reads_what_is_typed() -> None:
    """The form's parent is that of every line at the left; a line that names another contradicts it."""
    assert form_groups("VIP parent=5", None) == (NewGroup("VIP", ParentId("5")),)
    made = form_groups("/addgroup A\n  B\nhelp", ParentId("5"))
    assert made == (NewGroup("A", ParentId("5")), NewGroup("B", above=0), NewGroup("help", ParentId("5")))
    assert form_groups("VIP parent=5", ParentId("5")) == (NewGroup("VIP", ParentId("5")),)
    for text, parent in [("VIP parent=5", ParentId("6")), ("VIP parent=A", ParentId("6")), ("", None)]:
        with pytest.raises(UsageError) as caught:
            form_groups(text, parent)
        assert caught.value.key == ("second_parent" if text else "no_name")
        assert caught.value.line is None
    with pytest.raises(UsageError) as caught:
        form_groups("Alt\n\nAlt2 parent=20", ParentId("5"))
    assert (caught.value.key, caught.value.line, caught.value.values) == ("second_parent", 3, {"part": "parent=20"})


@pytest.mark.parametrize("text", ["VIP\n- ", "\n- \n- VIP\n", "- \n\u200b\n  * \n  VIP"])
def test_one_group_among_lines_without_a_name(text: str) -> None:
    """A lonely bullet is a blank line."""
    assert groups(text) == (NewGroup("VIP"),)


@pytest.mark.parametrize("text", ["- \n- ", "\n* \n  • \n", "- \n" * 50_000])
def test_lines_without_any_name(text: str) -> None:
    """A list without a name asks for the form, as nothing does."""
    assert parse(text) == OpenForm()


@pytest.mark.parametrize(
    ("line", "parent"),
    [
        ("New parent=5", ParentId("5")),
        ("parent=０５ New", ParentId("5")),
        ("- New parent=Customers", ParentName("Customers")),
        ('New parent="VIP Customers"', ParentName("VIP Customers")),
        ('parent=\u201cVIP Customers\u201d "New"', ParentName("VIP Customers")),
    ],
)
def test_parents_on_the_first_level(line: str, parent: Parent) -> None:
    """A line of the first level may name its parent, by id or by name; each may name another."""
    expected = (NewGroup("New", parent), NewGroup("Sub", above=0), NewGroup("Last", ParentId("7")))
    assert groups(f"{line}\n  Sub\nLast parent=7") == expected


LONG = "ş" * 255


@pytest.mark.parametrize(
    ("text", "key", "line", "part"),
    [
        ("A\n  B parent=5", "parent_below", 2, "B parent=5"),
        ('A parent=5\n\n  B\n    - parent="C" D', "parent_below", 4, 'parent="C" D'),
        ("A\n    B\n  C", "uneven_indent", 3, "C"),
        ("A\n    B\n      C\n     D", "uneven_indent", 4, "D"),
        ("  A\nB", "uneven_indent", 2, "B"),
        ("A\n\tB\n  - C", "uneven_indent", 3, "C"),
        ("--- A\n-- B", "uneven_indent", 2, "B"),
        ("A\n  B\n\n  b", "twice", 4, "b"),
        ("ISPARTA\nB\nısparta", "twice", 3, "ısparta"),
        ("A\n  İSTANBUL\n    C\n  istanbul", "twice", 4, "istanbul"),
        ("A\n  B\nA", "twice", 3, "A"),
        ("A parent=5\nB\nA parent=05", "twice", 3, "A"),
        ("A parent=IŞIK\nA parent=ışık", "twice", 2, "A"),
        ("A\nMu\u0308s\u0327teri\nB\nMüş\u200bteri", "twice", 4, "Müşteri"),
        (f"A\n  {LONG}ş", "long_name", 2, "ş" * 40 + "…"),
        ("A\nB parent=" + LONG + "ş", "long_name", 2, "ş" * 40 + "…"),
        pytest.param("A\n\nB" + " " * 2000, "long_name", 3, "B…"),
        pytest.param("A\n" + "\t" * 100_000 + "B", "long_name", 2, "…"),
        ("A\nB paernt=5", "unknown_option", 2, "paernt=5"),
        ("A\nB parent=5 parent=6", "second_parent", 2, "parent=6"),
        ("A\n  B parent=", "empty_parent", 2, "parent="),
        ("A\nB parent=0", "bad_parent_id", 2, "0"),
        ("A\nB parent='C D", "unclosed_quote", 2, "'C D"),
        ("A\n1. Bölge A\n2. Bölge B", "unknown_option", 2, "1. Bölge A"),
        ("A\ncreate B", "verb", 2, "create B"),
        ("/addgroup\nhelp me", "word", 2, "help me"),
        ('A\r\n\r\n- "B', "unclosed_quote", 3, '"B'),
        ("\n\nA\n\nparent=5\n", "no_name", 5, None),
        ('A\n  ""', "no_name", 2, None),
        ("A\n- \n  B\n C", "uneven_indent", 4, "C"),
    ],
)
def test_refusals_name_their_line(text: str, key: str, line: int, part: str | None) -> None:
    """A mistake in one line refuses the whole list, says which line it is, counting blank ones, and shows the part."""
    error = refused(text)
    assert (error.key, error.line, error.values.get("part")) == (key, line, part)


def test_the_first_mistake_is_told() -> None:
    """Lines are read from the first on."""
    assert refused('A\nA\n  B parent=5\n"').line == 2


@pytest.mark.parametrize(
    "text",
    [
        "A\n  A\n    A",
        "A\n  B\nC\n  B",
        "A parent=5\nA parent=6\nA\nA parent=Five",
        "A\n  B\n    C\n  D\n    C",
        "A\nAB\nA B\nA\u0301",
    ],
)
def test_the_same_name_at_different_places(text: str) -> None:
    """A name may come again where it is another group."""
    assert len(groups(text)) == len(text.splitlines())


@pytest.mark.parametrize("separator", ["\n", "\n\n - \n"])
def test_fifty_groups_and_one_more(separator: str) -> None:
    """Fifty groups are the most, whatever blank lines are between them; the fifty-first is named."""
    lines = [f"{' ' * (number % 3)}{'- ' * (number % 2)}G{number}" for number in range(MAX_GROUPS + 1)]
    assert len(groups(separator.join(lines[:-1]))) == 50
    error = refused(separator.join(lines))
    step = separator.count("\n")
    assert (error.key, error.line, error.values) == ("too_many_lines", 50 * step + 1, {"most": "50"})


def test_the_deepest_tree() -> None:
    """Fifty levels of names of 255 characters are one command."""
    lines = [f"{' ' * depth}{depth:02}{LONG[2:]}" for depth in range(MAX_GROUPS)]
    assert [group.above for group in groups("\n".join(lines))] == [None, *range(MAX_GROUPS - 1)]


TOKENS = ["\n", "\n", "\r\n", "\u2028", "\x0b", " ", "  ", "\t", "\u00a0", "\u200b", "- ", "-- ", "* ", "•", "◦ "]
TOKENS += ["A", "a", "İ", "ı", "B C", "parent=5", "parent=", "parent=A", '"', "“", "=", "help", "x" * 130, "\ud800"]
anything = st.text(st.characters(exclude_categories=[])) | st.lists(st.sampled_from(TOKENS), max_size=40).map("".join)


@given(anything)
@example("- \n- ")
@example("A\n" + "x" * 2001)
def test_any_text_is_a_tree_or_refused(text: str) -> None:
    """Any text is a command whose groups hang under earlier ones, each once at its place, or refused with a line."""
    result = read(text)
    lines = text.splitlines()
    if isinstance(result, UsageError) and sum(any(map(str.isalnum, line)) for line in lines) > 1:
        assert result.line is not None
        assert lines[result.line - 1].strip()
    if isinstance(result, Create):
        assert 0 < len(result.groups) <= min(MAX_GROUPS, len(lines))
        for place, group in enumerate(result.groups):
            assert group.above is None or (group.above < place and group.parent is None)
            assert clean_name(group.name) == group.name
        places = {(group.above, repr(group.parent), fold(group.name)) for group in result.groups}
        assert len(places) == len(result.groups)


@st.composite
def forests(draw: st.DrawFn) -> tuple[NewGroup, ...]:
    """Draw the groups of a command: names that need quotes and such that do not, parents on the first level."""
    words = st.text("abcçğıiİIöşüÇŞ019'’.,&<>*-•_/()", min_size=1, max_size=8)
    names = st.lists(words, min_size=1, max_size=3).map(" ".join)
    parents = st.none() | st.integers(1, 10**12).map(str).map(ParentId) | names.map(ParentName)
    found: list[NewGroup] = []
    seen: set[tuple[int | None, str]] = set()
    for _ in range(draw(st.integers(2, 12))):
        above = draw(st.sampled_from([None, *_open(found)]))
        name = draw(names)
        if (above, fold(name)) not in seen:
            seen.add((above, fold(name)))
            found.append(NewGroup(name, draw(parents) if above is None else None, above))
    assume(len(found) > 1)
    return tuple(found)


def _open(found: list[NewGroup]) -> list[int]:
    """Return the groups under which the next line may hang: the last one and those above it."""
    chain = [len(found) - 1] if found else []
    while chain and (above := found[chain[-1]].above) is not None:
        chain.append(above)
    return chain


def _typed(group: NewGroup) -> str:
    match group.parent:
        case ParentId(id=identifier):
            return f'"{group.name}" parent={identifier}'
        case ParentName(name=name):
            return f'parent="{name}" "{group.name}"'
        case None:
            return f'"{group.name}"'


SPACES = st.sampled_from([" ", "\u00a0", "\u3000"])
BULLETS = st.sampled_from(["", "- ", "* ", "•\u00a0", "◦ ", "-\t"])
BLANK = st.sampled_from(["", "", "", "\n", " \n\t\n", "- \n"])


@given(st.data(), forests())
def test_an_indented_forest_comes_back(data: st.DataObject, forest: tuple[NewGroup, ...]) -> None:
    """A forest comes back from its lines, whatever the width under each group and whatever bullets and blank lines."""
    widths: dict[int | None, int] = {None: data.draw(st.integers(0, 3))}
    bullets = {True: data.draw(BULLETS), False: data.draw(BULLETS)}  # at the left, where all or none have one
    bullets = bullets if bullets[True] else {True: "", False: ""}
    text = ""
    for place, group in enumerate(forest):
        indent = "".join(data.draw(SPACES) for _ in range(widths[group.above]))
        text += f"{data.draw(BLANK)}{indent}{bullets[group.above is None]}{_typed(group)}\n"
        widths[place] = widths[group.above] + data.draw(st.integers(1, 6))
    assert groups(text) == forest


@given(st.sampled_from([*"\t-*•◦"]), forests())
def test_a_forest_comes_back_from_tabs_and_repeated_bullets(mark: str, forest: tuple[NewGroup, ...]) -> None:
    """A tab or a bullet more is a level deeper."""
    depths: list[int] = []
    for group in forest:
        depths.append(0 if group.above is None else depths[group.above] + 1)
    head = [f"{mark * depth}" if mark == "\t" else f"{mark * (depth + 1)} " for depth in depths]
    assert groups("\n".join(head[place] + _typed(group) for place, group in enumerate(forest))) == forest


HOSTILE = [
    "- ",
    "-",
    "\t",
    " ",
    "\u200b",
    '"a" ',
    "“a ”",
    "a=b ",
    "parent=",
    "\u0301\u0323",
    "*•◦",
    "= ",
    "👥",
    "\ud800",
]


@pytest.mark.parametrize(("unit", "width"), list(itertools.product(HOSTILE, [40, 250, 900, 1900])))
def test_long_hostile_lists(unit: str, width: int) -> None:
    """Fifty long lines are read in passing, whatever they are made of."""
    lines = [f"{number} {(unit * width)[:width]}" for number in range(200)]
    for text in ("\n".join(lines), "\n".join(" " * (number % 40) + line for number, line in enumerate(lines))):
        result = read(text)
        assert isinstance(result, UsageError)
        assert result.line is not None


def test_a_list_of_hundred_thousand_lines() -> None:
    """Blank lines without end are read in passing."""
    assert groups("\n" * 100_000 + "A\n" + "\u200b\n" * 10_000 + " B") == (NewGroup("A"), NewGroup("B", above=0))


@pytest.mark.parametrize(
    "text",
    [
        "VIP",
        "VIP parent=5",
        'A parent="B ""C"""',
        "Top\n  Below\n    Deeper\n  Beside\nOther parent=6",
        '"Team:"\n  "- Bullet"\n  "1. One"\n  "2. Two"',
        '"color=red"\n  "VIP parent=5"',
        "Bob's & co\n  “5\"”",
    ],
)
def test_groups_as_a_text_are_the_same_groups(text: str) -> None:
    """What an answer's groups are filled into the form as is read as these groups again."""
    groups = outline(text)
    assert outline(as_outline(groups)) == groups
