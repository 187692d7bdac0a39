"""What an answer means, by its HTTP status and body."""

import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.iletimerkezi.answers import (
    ApiError,
    Rejected,
    Unknown,
    check_balance,
    decode_added,
    decode_groups,
)
from bot.model.names import Group
from tests.support.provider import content, outcome


def test_a_new_group_has_its_id_as_text() -> None:
    """Codes and ids come as text and as numbers; an id leaves as text, with the stored name."""
    for code, identifier in ((200, 97101), ("200", "97101"), (200, " 97101 ")):
        for name, told in (("A &amp; B", "A &amp; B"), ("A\x00", "A"), (None, ""), (7, "")):
            answer = content(code, group={"id": identifier, "name": name})
            assert decode_added(200, answer) == Group("97101", told)


A: dict[str, object] = {"id": "1", "name": "A"}
B: dict[str, object] = {"id": 2, "name": "B"}
NONE: tuple[object, ...] = (None, "", [], {}, {"group": ""}, {"group": []}, {"count": "0", "group": []})
NO_CHILD: tuple[object, ...] = (None, "", [], {}, {"child": None}, {"group": []})
ONE: tuple[object, ...] = (
    *([A], A, {"group": [A]}, {"group": A}, {"group": {"3": A}}, {"count": "1", "group": [A]}, [A, A]),
    *([{**A, "children": children}] for children in NO_CHILD),
    [{"id": 1, "name": "A", "count": 1, "parent": 0}],
)
CHILD: tuple[object, ...] = ([B], B, {"1": B}, {"child": [B]}, {"child": B}, {"group": [B]}, {"group": B})
NESTED: list[dict[str, object]] = []
for _number in range(100, 0, -1):
    NESTED = [{"id": _number, "name": str(_number), "children": NESTED}]


@pytest.mark.parametrize(
    ("groups", "expected"),
    [
        *((groups, []) for groups in NONE),
        *((groups, [("1", "A", "")]) for groups in ONE),
        *(([{**A, "children": children}], [("1", "A", ""), ("2", "B", "1")]) for children in CHILD),
        ([{"id": 1}], [("1", "", "")]),
        ({"group": [A, B]}, [("1", "A", ""), ("2", "B", "")]),
        ({"0": A, "2": {"id": "2", "name": 7}}, [("1", "A", ""), ("2", "7", "")]),
        ([{**B, "parent": "1"}, A], [("2", "B", "1"), ("1", "A", "")]),
        (
            [{**A, "children": {"group": B}}, {"id": "3", "name": "C"}],
            [("1", "A", ""), ("3", "C", ""), ("2", "B", "1")],
        ),
        ([{"id": 1, "name": "A\x00B\ud83d"}], [("1", "AB", "")]),
        ([{"id": 1, "name": "&lt;A&#039;s &amp; B&quot;&copy;&amp;amp;"}], [("1", "<A's & B\"&copy;&amp;", "")]),
        (NESTED, [(str(i), str(i), str(i - 1) if i > 1 else "") for i in range(1, 101)]),
    ],
)
def test_groups_come_in_many_shapes(groups: object, expected: list[tuple[str, str, str]]) -> None:
    """A list, an object that holds one, PHP's object with numbers, or a single group; of any depth."""
    assert decode_groups(200, content(groups=groups)) == tuple(Group(*group) for group in expected)


NO_GROUP: tuple[object, ...] = (None, [], "5", {}, [{"id": 5}])
NO_ID: tuple[object, ...] = (None, "", " ", True, 1.5, [], {}, 0, "0", "00", -5, "-5", "5a", "٥", "5\x00", "\ud800")
NO_ID += ("1" * 65,)
WRONG_CHILD: tuple[object, ...] = ("A", 5, [None], {"items": []}, [{"name": "B"}], [{"id": 0}])
NO_GROUPS: tuple[object, ...] = (
    *("A", 5, 0, False, ["A"], [None], [[]], [{}], {"group": "A"}, {"groups": {"group": {"group": []}}}),
    *([{"name": "A"}], [{"id": 1}, None], {"0": "A"}, {"0": {"id": 1}, "x": {"id": 2}}, {"items": [{"id": 1}]}),
    *({"group": [{"id": 1}], "page": 1}, {"group": [], "child": []}, {"count": "0"}),
    *([{"id": 1, "children": children}] for children in WRONG_CHILD),
    *([{"id": wrong}] for wrong in NO_ID),
    [{"id": 1, "name": {"tr": "A"}}],
    [{"id": 1}, {"id": 1, "name": "B"}],
    [{"id": 1, "children": [{"id": 2}]}, {"id": 2}],
)
NO_CODE: tuple[object, ...] = (None, "", "OK", [], {}, True, 200.5, "2_00", "٢٠٠", float("nan"), float("inf"))


@pytest.mark.parametrize(
    ("decode", "fields"),
    [
        (decode_added, {}),
        *((decode_added, {"group": group}) for group in NO_GROUP),
        *((decode_added, {"group": {"id": wrong}}) for wrong in NO_ID),
        (decode_groups, {}),
        *((decode_groups, {"groups": groups}) for groups in NO_GROUPS),
        (check_balance, {}),
        (check_balance, {"balance": [10]}),
    ],
)
def test_a_success_of_another_shape_is_unknown(decode: Callable[[int, bytes], object], fields: dict[str, Any]) -> None:
    """An answer that says 200 and does not hold what is documented leaves open what was done."""
    assert outcome(decode, 200, content(**fields)) == Unknown("undocumented")


REFUSALS: tuple[tuple[int, Any], ...] = ((200, 401), (502, 463), (503, "503"), (499, "499"))
DETAILS: tuple[tuple[object, str], ...] = (
    ({"name": ["çok uzun", "boş"], "parent": "yok"}, "name: çok uzun, boş; parent: yok"),
    ({"group": {"name": ["boş"], "parent": {"id": "yok"}}}, "group: name: boş; parent: id: yok"),
    ([{"field": "name", "error": "boş"}], "field: name; error: boş"),
    ({"0": "boş", "1": 5}, "boş; 5"),
    ("çok  uzun\n", "çok uzun"),
    ({"name": [None, True, "boş", []]}, "name: boş"),
    ({"na\x00me": "b\ud800oş"}, "name: boş"),
)


@pytest.mark.parametrize(
    ("status", "body", "meaning"),
    [
        *((status, content(code), Rejected(int(code), "Mesaj")) for status, code in REFUSALS),
        *((422, content(422, errors=errors), Rejected(422, f"Mesaj; {text}")) for errors, text in DETAILS),
        (422, content(422, message=["A", {"name": "B"}]), Rejected(422, "A, name: B")),
        (422, content(422, message="x" * 501), Rejected(422, "x" * 499 + "…")),
        (422, content(422, message="x" * 500), Rejected(422, "x" * 500)),
        (400, content(2**31 - 1), Rejected(2**31 - 1, "Mesaj")),
        *((400, content(code), Unknown("undocumented")) for code in (2**31, -(10**30), "9" * 30, 10**30)),
        (400, b'{"response": {"status": {"code": 400}}}', Rejected(400, "")),
        *((status, content(200, group={"id": 5}), Unknown("contradiction")) for status in (500, 302)),
        *((status, content(code), Unknown("server_error")) for status, code in ((500, 500), (200, "599"))),
        *((200, content(code), Unknown("undocumented")) for code in (-1, 0, 100, 201, 302, 399)),
        *((200, content(code), Unknown("unreadable")) for code in NO_CODE),
        *((404, body, Unknown("unreadable")) for body in (b"", b"OK", b"<html>", b"\xff", b"[]", b"null", b"{}")),
        *(
            (200, b'{"response": {%s}}' % inner, Unknown("unreadable"))
            for inner in (b"", b'"status": 2', b'"status": {}')
        ),
        (200, content()[:-1], Unknown("unreadable")),
        *((status, body, Unknown("server_error")) for status, body in ((502, b"<html>"), (599, b""))),
    ],
)
def test_the_number_in_the_body_decides(status: int, body: bytes, meaning: ApiError) -> None:
    """A code refuses whatever the HTTP status says; only success needs both, and a failing server leaves it open."""
    for decode in (decode_added, decode_groups, check_balance):
        assert outcome(decode, status, body) == meaning


NAMES = st.sampled_from(["id", "name", "parent", "children", "group", "0", "1"]) | st.text()
VALUES = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
JSON = st.recursive(VALUES, lambda inner: st.lists(inner) | st.dictionaries(NAMES, inner), max_leaves=5)
CODES = st.sampled_from([200, "200", 422]) | JSON
ANSWERS = st.builds(content, CODES, JSON, group=JSON, groups=JSON, balance=JSON, errors=JSON)


@given(status=st.integers(100, 599), body=st.binary() | ANSWERS | JSON.map(lambda value: json.dumps(value).encode()))
@example(200, b"[" * 100_000)
@example(200, b'{"response":' * 100_000)
@example(200, b'{"response": {"status": {"code": 200}, "groups": ' + b"[" * 400 + b"]" * 400 + b"}}")
@example(200, b'{"response": {"status": {"code": ' + b"9" * 5000 + b"}}}")
@example(200, b'{"response": {"status": {"code": 1e999}}}')
def test_any_answer_is_a_result_or_an_api_error(status: int, body: bytes) -> None:
    """No bytes, and no JSON of whatever shape and depth, raise anything but an ApiError."""
    documented: dict[Any, type] = {decode_added: Group, decode_groups: tuple, check_balance: type(None)}
    for decode, kind in documented.items():
        with suppress(ApiError):
            assert isinstance(decode(status, body), kind)
