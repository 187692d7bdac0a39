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
    NotSent,
    Rejected,
    Unknown,
    check_balance,
    decode_added,
    decode_groups,
)
from bot.model.names import Group
from tests.support.provider import content, outcome


@pytest.mark.parametrize("code", [200, "200"])
@pytest.mark.parametrize("identifier", [97101, "97101", " 97101 "])
def test_a_new_group_has_its_id_as_text(code: object, identifier: object) -> None:
    """Codes and ids come as text and as numbers; an id leaves as text, with the stored name."""
    for name, told in (("A &amp; B", "A &amp; B"), ("A\x00", "A"), (None, ""), (7, "")):
        answer = content(code, group={"id": identifier, "name": name})
        assert decode_added(200, answer) == Group("97101", told)


B: dict[str, object] = {"id": 2, "name": "B"}
CHILD: tuple[object, ...] = ([B], B, {"1": B}, {"child": [B]}, {"child": B}, {"group": [B]}, {"group": B})
NO_CHILD: tuple[object, ...] = (None, "", [], {}, {"child": None}, {"group": []})
NESTED: list[dict[str, object]] = []
for _number in range(100, 0, -1):
    NESTED = [{"id": _number, "name": str(_number), "children": NESTED}]


@pytest.mark.parametrize(
    ("groups", "expected"),
    [
        ([], []),
        (None, []),
        ({}, []),
        ({"group": []}, []),
        ([{"id": "1", "name": "A", "count": "0"}], [("1", "A", "")]),
        ([{"id": 1, "name": "A", "count": 1, "children": []}], [("1", "A", "")]),
        ([{"id": 1}], [("1", "", "")]),
        ({"group": [{"id": "1", "name": "A"}, {"id": "2", "name": "B"}]}, [("1", "A", ""), ("2", "B", "")]),
        ("", []),
        ({"group": ""}, []),
        ({"group": {"id": "1", "name": "A"}}, [("1", "A", "")]),
        ({"id": "1", "name": "A"}, [("1", "A", "")]),
        ({"0": {"id": "1", "name": "A"}, "2": {"id": "2", "name": 7}}, [("1", "A", ""), ("2", "7", "")]),
        ({"group": {"3": {"id": "1", "name": "A"}}}, [("1", "A", "")]),
        ({"count": "1", "group": [{"id": "1", "name": "A"}]}, [("1", "A", "")]),
        ({"count": "0", "group": []}, []),
        *(([{"id": "1", "name": "A", "children": children}], [("1", "A", ""), ("2", "B", "1")]) for children in CHILD),
        *(([{"id": "1", "name": "A", "children": children}], [("1", "A", "")]) for children in NO_CHILD),
        (
            [{"id": 2, "name": "B", "parent": "1"}, {"id": 1, "name": "A", "parent": 0}],
            [("2", "B", "1"), ("1", "A", "")],
        ),
        ([{"id": 1, "name": "A\x00B\ud83d"}], [("1", "AB", "")]),
        ([{"id": 1, "name": "&lt;A&#039;s &amp; B&quot;&copy;&amp;amp;"}], [("1", "<A's & B\"&copy;&amp;", "")]),
        ([{"id": 1, "name": "A"}, {"id": 1, "name": "A"}], [("1", "A", "")]),
        (
            [{"id": "1", "name": "A", "children": {"group": {"id": 2, "name": "B"}}}, {"id": "3", "name": "C"}],
            [("1", "A", ""), ("3", "C", ""), ("2", "B", "1")],
        ),
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


@pytest.mark.parametrize(
    ("status", "body", "meaning"),
    [
        (200, content(401), Rejected(401, "Mesaj")),
        (502, content(463), Rejected(463, "Mesaj")),
        (503, content("503"), Rejected(503, "Mesaj")),
        (499, content("499"), Rejected(499, "Mesaj")),
        (
            422,
            content(422, errors={"name": "çok uzun", "parent": "yok"}),
            Rejected(422, "Mesaj; name: çok uzun; parent: yok"),
        ),
        (422, content(422, errors=["name"]), Rejected(422, "Mesaj; name")),
        *(
            (422, content(422, errors=errors), Rejected(422, f"Mesaj; {text}"))
            for errors, text in (
                ({"name": ["çok uzun", "boş"], "parent": "yok"}, "name: çok uzun, boş; parent: yok"),
                ({"group": {"name": ["boş"], "parent": {"id": "yok"}}}, "group: name: boş; parent: id: yok"),
                ([{"field": "name", "error": "boş"}], "field: name; error: boş"),
                ({"0": "boş", "1": 5}, "boş; 5"),
                ("çok  uzun\n", "çok uzun"),
                ({"name": [None, True, "boş", []]}, "name: boş"),
                ({"na\x00me": "b\ud800oş"}, "name: boş"),
            )
        ),
        (422, content(422, message=["A", {"name": "B"}]), Rejected(422, "A, name: B")),
        (422, content(422, message="x" * 501), Rejected(422, "x" * 499 + "…")),
        (422, content(422, message="x" * 500), Rejected(422, "x" * 500)),
        (400, content(2**31 - 1), Rejected(2**31 - 1, "Mesaj")),
        *((400, content(code), Unknown("undocumented")) for code in (2**31, -(10**30), "9" * 30, 10**30)),
        (400, b'{"response": {"status": {"code": 400}}}', Rejected(400, "")),
        (500, content(200, group={"id": 5}), Unknown("contradiction")),
        (302, content(200, group={"id": 5}), Unknown("contradiction")),
        (500, content(500), Unknown("server_error")),
        (200, content("599"), Unknown("server_error")),
        *((200, content(code), Unknown("undocumented")) for code in (-1, 0, 100, 201, 302, 399)),
        *((200, content(code), Unknown("unreadable")) for code in NO_CODE),
        *((404, body, Unknown("unreadable")) for body in (b"", b"OK", b"<html>", b"\xff", b"[]", b"null", b"{}")),
        (200, b'{"response": {}}', Unknown("unreadable")),
        (200, b'{"response": {"status": 200}}', Unknown("unreadable")),
        (200, b'{"response": {"status": {}}}', Unknown("unreadable")),
        (200, content()[:-1], Unknown("unreadable")),
        (502, b"<html>", Unknown("server_error")),
        (599, b"", Unknown("server_error")),
    ],
)
def test_the_number_in_the_body_decides(status: int, body: bytes, meaning: ApiError) -> None:
    """A code refuses whatever the HTTP status says; only success needs both, and a failing server leaves it open."""
    for decode in (decode_added, decode_groups, check_balance):
        assert outcome(decode, status, body) == meaning


VALUES = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
JSON = st.recursive(VALUES, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=4)
GROUPS = st.recursive(
    JSON,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.fixed_dictionaries({}, optional={"id": VALUES, "name": JSON, "children": inner, "group": inner})
    ),
    max_leaves=4,
)
STATUSES = JSON | st.fixed_dictionaries({"code": st.sampled_from([200, "200", 422]) | JSON, "message": JSON})
FIELDS = {"group": GROUPS, "groups": GROUPS, "balance": st.fixed_dictionaries({"amount": JSON}) | JSON, "errors": JSON}
ANSWERS = st.fixed_dictionaries({"response": st.fixed_dictionaries({"status": STATUSES}, optional=FIELDS)})


@given(status=st.integers(100, 599), body=st.binary() | (JSON | ANSWERS).map(lambda value: json.dumps(value).encode()))
@example(200, b"[" * 100_000)
@example(200, b'{"response":' * 100_000)
@example(200, b'{"response": {"status": {"code": 200}, "groups": ' + b"[" * 400 + b"]" * 400 + b"}}")
@example(200, b'{"response": {"status": {"code": ' + b"9" * 5000 + b"}}}")
@example(200, b'{"response": {"status": {"code": 1e999}}}')
def test_any_answer_is_a_result_or_an_api_error(status: int, body: bytes) -> None:
    """No bytes, and no JSON of whatever shape and depth, raise anything but an ApiError."""
    results: tuple[tuple[Callable[[int, bytes], object], type], ...] = (
        (decode_added, Group),
        (decode_groups, tuple),
        (check_balance, type(None)),
    )
    for decode, documented in results:
        with suppress(ApiError):
            assert isinstance(decode(status, body), documented)


def test_errors_are_told_apart() -> None:
    """Errors are equal when both kind and contents are."""
    assert len({NotSent("tls"), Unknown("tls"), Unknown("closed"), Unknown("closed"), Rejected(401, "")}) == 4
