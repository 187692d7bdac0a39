"""The index over the groups: by name, by place, by path, by part of a path; whatever the list looks like."""

from hypothesis import given
from hypothesis import strategies as st

from bot.iletimerkezi.groups import Choice, Index
from bot.model.names import Group

ACCOUNT = Index(
    [
        Group("1", "Müşteriler"),
        Group("2", "VIP", "1"),
        Group("3", "Ankara", "2"),
        Group("4", "Personel"),
        Group("5", "VIP", "4"),
        Group("6", "ANKARA", "5"),
        Group("7", "İSTANBUL Işık", "1"),
        Group("9", "A > B"),
        Group("8", "vip", "1"),
    ]
)


def test_what_is_in_a_place() -> None:
    """The same name is one by the rules of comparison, and only under the same parent; marks count."""
    for name, parent_id, ids in (
        *(("Müşteriler", "", "1"), ("MÜŞTERİLER", "", "1"), ("müşteriler", "4", ""), ("Musteriler", "", "")),
        *(("Vıp", "1", "28"), ("VIP", "4", "5"), ("VIP", "", ""), ("VIP", "99", "")),
    ):
        assert (name, ACCOUNT.placed(name, parent_id)) == (name, tuple(ids))


LED: dict[str, list[str]] = {
    "": ["", "B", "› VIP", "VIP ›", "Personel › Ankara"],
    "3": ["müşteriler>vıp>ankara"],
    "4": ["personel"],
    "5": ["Personel › VIP"],
    "9": ["A > B"],
    "28": ["Müşteriler › VIP"],
    "36": ["VIP › Ankara"],
    "258": ["VIP"],
}
"""The ids of groups, and the names or paths that lead to them."""


def test_a_name_or_a_path_leads_to_groups() -> None:
    """A group's own name comes first; else the text is a path, which may begin anywhere; a complete one is no other."""
    for ids, names in LED.items():
        assert {name: "".join(group.id for group in ACCOUNT.named(name)) for name in names} == dict.fromkeys(names, ids)
    nested = Index([Group("A", "A"), Group("B", "B", "A"), Group("C", "C"), Group("D", "A", "C"), Group("E", "B", "D")])
    assert [[group.id for group in nested.named(path)] for path in ("A › B", "C › A › B")] == [["B"], ["E"]]


SEARCHED: dict[str, list[str]] = {
    "": ["4711", "nothing like it"],
    "1": ["1"],
    "3": ["ankara müş", "musteri ankara"],
    "7": ["ıstanbul IŞIK", "isik"],
    "9": ["9", "A >"],
    "238": ["müsteri VİP"],
    "917238456": [""],
}
"""The ids of groups, and what is typed to find them."""


def test_a_search_finds_each_word_in_the_path() -> None:
    """Marks do not count, nor does case; an id may be begun. Subgroups follow their group, siblings by name."""
    for ids, texts in SEARCHED.items():
        for most in (None, 1):
            found = {text: "".join(choice.id for choice in ACCOUNT.search(text, most)) for text in texts}
            assert found == dict.fromkeys(texts, ids[:most])
    assert ACCOUNT.search("ankara", 1) == [Choice("Müşteriler › VIP › Ankara", "3")]
    assert Index([Group("12", "A"), Group("2", "B")]).search("1") == [Choice("A", "12")]


NEAR: dict[str, list[str]] = {
    "Custmers": ["Customers"],
    "whole sale": ["Wholesale"],
    "gold": ["Gold members"],
    "musteriler": ["Müşteriler"],
    "VIP Istambul": ["VIP İstanbul"],
    "Bayiler": [],
    "Customers VİP": ["Customers › VIP", "Customers"],
    "Grup 12": ["Grup 112", "Grup 120"],
}


def test_the_nearest_names() -> None:
    """Each word is in the path, or most letters are the same; among thousands, not more than asked for."""
    names = ["Customers", "Wholesale", "Staff", "Gold members", "Müşteriler", "VIP İstanbul"]
    groups = [Group(f"9{number}", each) for number, each in enumerate(names)]
    many = (Group(f"8{number}", f"Grup {number}") for number in range(100, 1000))
    index = Index([*many, *groups, Group("99", "VIP", "90")])
    found = {name: [choice.path for choice in index.nearest(name, 2)] for name in NEAR}
    assert found == NEAR


def test_more_groups_join() -> None:
    """What is new joins the groups, and what is known stays as it is; the first index does not change."""
    index = Index([Group("1", "A"), Group("2", "B", "1")])
    assert index.with_more([Group("1", "old name")]) is index
    more = index.with_more([Group("3", "B", "1"), Group("4", "C", "3"), Group("2", "old name")])
    assert more.placed("b", "1") == ("2", "3")
    assert [choice.path for choice in more.search("")] == ["A", "A › B", "A › B", "A › B › C"]
    assert index.placed("b", "1") == ("2",)


def test_a_long_chain_has_short_paths() -> None:
    """A path shows the nearest 20 names, so that a list that is one long chain costs no more than another."""
    chain = Index(Group(str(number), f"G{number}", str(number - 1) if number > 1 else "") for number in range(1, 1001))
    assert len(chain.search("")) == 1000
    assert chain.path("1000") == " › ".join(f"G{number}" for number in range(981, 1001))
    assert chain.path("20").startswith("G1 › G2 ›")


@given(
    st.lists(st.tuples(st.integers(1, 6), st.text("aAıİşs ›>", max_size=3), st.integers(0, 8)), max_size=12),
    st.text("aAıİşs ›>1", max_size=5),
)
def test_any_list_is_taken_as_far_as_it_goes(listed: list[tuple[int, str, int]], text: str) -> None:
    """Circles, a group that is its own parent, lost parents and empty names neither hang nor hide a group."""
    groups = {str(number): Group(str(number), name, str(above or "")) for number, name, above in listed}
    index = Index(groups.values())
    assert sorted(choice.id for choice in index.search("")) == sorted(groups)
    assert {choice.id for choice in (*index.search(text), *index.nearest(text, 5))} <= set(groups)
    assert {group.id for group in index.named(text)} <= set(groups)
    for group in groups.values():
        assert group.id in (index.placed(group.name, group.parent) or ())
        assert index.choice(group).path.endswith(group.name)
