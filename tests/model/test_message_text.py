"""What a message holds: lists by their structure, else lines; and no payload that makes it raise."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from bot.model.grammar import NewGroup, read_form
from bot.model.message_text import lines_of


def read(message: object) -> str:
    return lines_of(message, lambda each: {"U1": "Ayşe", "S1": "crew", "C1": "ops"}.get(each, ""))[0]


def section(*elements: str | dict[str, Any]) -> dict[str, Any]:
    """Return a rich_text_section of texts and other elements."""
    parts = [{"type": "text", "text": each} if isinstance(each, str) else each for each in elements]
    return {"type": "rich_text_section", "elements": parts}


def bullets(indent: int, *items: str, style: str = "bullet") -> dict[str, Any]:
    """Return a rich_text_list as Slack sends it: one for each run of items of the same depth."""
    elements = [section(item) for item in items]
    return {"type": "rich_text_list", "style": style, "indent": indent, "border": 0, "offset": 0, "elements": elements}


def rich(*elements: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Return a message with one rich_text block."""
    return {"text": "fallback", "blocks": [{"type": "rich_text", "elements": list(elements)}], **more}


def test_a_list_comes_by_its_structure() -> None:
    """The items of lists are groups, each under the nearest shallower item; the sentences around them are none."""
    message = rich(
        section("Please add these:\n"),
        bullets(0, "Customers"),
        bullets(1, "VIP", "Regular", style="ordered"),
        bullets(2, "İstanbul"),
        bullets(0, "Staff"),
        section("Thanks!"),
        bullets(1, "Managers"),
    )
    assert read(message) == "Customers\n  VIP\n  Regular\n    İstanbul\nStaff\n  Managers"
    for indents in ([1, 0, 1], [2, 1, 2], [3, 0, 3]):  # a first item that is deeper than a later one
        text = read(rich(*(bullets(indent, f"G{place}") for place, indent in enumerate(indents))))
        assert read_form(text).groups == (NewGroup("G0"), NewGroup("G1"), NewGroup("G2", above=1)), indents


def test_lines_without_a_list() -> None:
    """Without a list every line counts that has something on it, also in quotes and code, indented as it is."""
    message = rich(
        section("Customers\n\nStaff"),
        {"type": "rich_text_quote", "elements": [{"type": "text", "text": "VIP"}]},
        {"type": "rich_text_preformatted", "elements": [{"type": "text", "text": "A\n  B\n"}]},
    )
    assert read(message) == "Customers\nStaff\nVIP\nA\n  B"


ELEMENTS: list[tuple[dict[str, Any], str]] = [
    ({"type": "text", "text": "VIP", "style": {"bold": True, "code": True}}, "VIP"),
    ({"type": "link", "url": "https://acme.com", "text": "Acme"}, "Acme"),
    ({"type": "link", "url": "https://acme.com"}, "https://acme.com"),
    ({"type": "link", "url": "mailto:a@acme.com"}, "a@acme.com"),
    ({"type": "user", "user_id": "U1"}, "Ayşe"),
    ({"type": "user", "user_id": "U2"}, ""),
    ({"type": "usergroup", "usergroup_id": "S1"}, "crew"),
    ({"type": "channel", "channel_id": "C1"}, "ops"),
    ({"type": "emoji", "name": "technologist", "unicode": "1f469-200d-1f4bb"}, "👩‍💻"),
    ({"type": "emoji", "name": "acme"}, ""),
    ({"type": "emoji", "name": "odd", "unicode": "xyz"}, ""),
    ({"type": "date", "timestamp": 1, "fallback": "1 May"}, "1 May"),
    ({"type": "color", "value": "#FF0000"}, "#FF0000"),
    ({"type": "broadcast", "range": "here"}, ""),
    ({"type": "unheard_of"}, ""),
]
TEXTS = [
    ("Customers\n\n  VIP", "Customers\n  VIP"),
    ("R&amp;D &lt;all&gt; &amp;lt;", "R&D <all> &lt;"),
    ("<@U1> and <#C1> and <@U9>", "Ayşe and ops and"),
    ("<@U1|bob> <!subteam^S1> <!here>", "Ayşe crew"),
    ("<https://acme.com|Acme> <mailto:a@acme.com>", "Acme a@acme.com"),
    (":wave: VIP :+1::skin-tone-3: :acme:", "👋 VIP 👍 :acme:"),
    ("10:30:45 shift", "10:30:45 shift"),
    ("A\n<@U9> B\n<@U2> C", "A\nB\nC"),
]


def test_what_a_message_says_is_plain_text() -> None:
    """Mentions, links, emoji and formatting, in rich text and in Slack's markup; what cannot be told is left out.

    The space behind it does not make a subgroup.
    """
    for element, shown in ELEMENTS:
        assert read(rich(section("Team ", element))) == f"Team {shown}".strip(), element
    for text, shown in TEXTS:
        assert read({"text": text}) == shown
    emoji = {"type": "emoji", "name": "acme"}
    assert read(rich(section("A\n", emoji, " B\n", {"type": "user", "user_id": "U2"}, " C"))) == "A\nB\nC"


def test_bullets_that_were_typed() -> None:
    """Bullets and numbers in plain text are a list too, and the form leaves out the sentences around it."""
    for text, names in (
        ("Hi team, please create these groups:\n• Retail3\n• Online3\nThanks! <@U1>", "Retail3 Online3"),
        ("Hi!\n- A\n  - B\n\nThanks", "A B"),
        ("Please:\n1. A\n2. B\nbye!", "A B"),
        ("Please add this one:\n* A\nThanks!", "A"),
    ):
        found = read_form(read({"text": text}), filled=True).groups
        assert [group.name for group in found] == names.split(), text


def test_other_blocks() -> None:
    """A message of another app has its words in sections, fields and attachments; files are not read, which is told.

    Each row of a table is a line; of several columns the form shows one, and asks.
    """
    field = {"type": "mrkdwn", "text": "*B*"}
    blocks = [{"type": "header", "text": {"type": "plain_text", "text": "A"}}, {"type": "divider"}]
    blocks.append({"type": "section", "fields": [field]})
    forwarded = {"message_blocks": [{"message": {"blocks": rich(bullets(0, "VIP", "Gold"))["blocks"]}}]}
    assert lines_of({"blocks": blocks, "attachments": [{"text": "C"}]}) == ("A\n*B*\nC", True)
    assert lines_of({"text": "", "attachments": [forwarded]}) == ("VIP\nGold", True)
    assert lines_of({"blocks": blocks[:1], "files": [{"name": "x"}]}) == ("A", False)
    assert lines_of({}) == ("", True)
    cells = [[{"type": "raw_text", "text": "VIP"}, {"type": "rich_text", "elements": [section("124")]}]] * 2
    for columns, shown in ((1, "VIP\nVIP"), (2, "VIP\t124\nVIP\t124")):
        table = {"type": "table", "rows": [row[:columns] for row in cells]}
        assert read({"text": "", "attachments": [{"blocks": [table]}]}) == shown


KEYS = ["type", "text", "blocks", "elements", "indent", "unicode", "url", "user_id", "style", "fallback", "value"]
TYPES = ["rich_text", "rich_text_list", "rich_text_section", "text", "link", "user", "emoji", "date", "<@U1>", "1f469"]
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(TYPES),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(KEYS), inner),
    max_leaves=30,
)


@given(st.dictionaries(st.sampled_from(KEYS), anything) | anything)
def test_no_payload_raises(message: Any) -> None:
    """Whatever the payload holds, a text comes of it."""
    assert isinstance(read(message), str)


@given(st.lists(st.integers(0, 8), min_size=1, max_size=90))
def test_any_list_is_an_outline(indents: list[int]) -> None:
    """Lists of any depths and lengths make lines that the form reads, one group an item."""
    text = read(rich(*(bullets(indent, f"G{place}") for place, indent in enumerate(indents))))
    assert len(text.splitlines()) == len(indents)
    assert len(indents) > 50 or [group.name for group in read_form(text).groups] == text.split()
