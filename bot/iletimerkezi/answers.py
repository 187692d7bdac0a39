"""What each answer of the group API means: pure functions of the HTTP status and the body.

What cannot be read for certain is Unknown. What is read is bounded and can be stored: ids are numbers, texts have no
characters that a database or JSON refuses. How a call can fail, and what each failure says about what was done:

ApiError
├── NotSent    nothing reached the server: safe to send again
├── Rejected   the server said no, with a code: nothing was created
└── Unknown    the server may have done it: only a person may send it again
"""

from __future__ import annotations

import html
import json
import re
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

from bot.model.names import Group

MAX_MESSAGE = 500
"""Longest message that is passed on, in characters."""

_MAX_NAME = 1000
_MAX_ID = 64
_MAX_CODE = 2**31 - 1  # what a database's integer holds
_UNSTORABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")

Hide = Callable[[str], str]
"""Takes credentials out of a text."""


class ApiError(Exception):
    """A call that did not end in its documented result."""

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self.args == getattr(other, "args", None)

    def __hash__(self) -> int:
        return hash((type(self), self.args))


class NotSent(ApiError):
    """Nothing reached the server, so nothing was done: safe to send again.

    `reason` is one of unreachable, connect_timeout, tls, proxy, address, withdrawn, too_late. Withdrawn: the caller had
    lost the right to send by the time the connection stood. Too late: the time was over by then.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Rejected(ApiError):
    """The server refused, so nothing was done.

    `code` is the number in the answer's body, at most 2147483647, and `message` the server's own sentence, in Turkish
    as a rule, of at most 500 characters.
    """

    def __init__(self, code: int, message: str) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message


class Unknown(ApiError):
    """The server may have done what was asked. Do not send it again; look the result up.

    `reason` is one of timeout, closed, truncated, too_large, unreadable, undocumented, server_error, contradiction.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def decode_added(status: int, body: bytes, hide: Hide = str) -> Group:
    """Return the new group from add-group's answer, with the name that was stored, "" when it is not told.

    Raises Rejected or Unknown.
    """
    group = _success(status, body, hide).get("group")
    told = group if isinstance(group, dict) else {}
    name = told.get("name")
    return Group(_identifier(told.get("id")), _sentence(name)[:_MAX_NAME] if isinstance(name, str) else "")


def decode_groups(status: int, body: bytes, hide: Hide = str) -> tuple[Group, ...]:
    """Return the groups of get-groups' answer, level by level. Raises Rejected or Unknown.

    The provider publishes two shapes, [{…}] and {"group": [{…}]}. PHP also writes a list as {"0": {…}, "2": {…}}, and a
    list of one may be the object itself.
    """
    response = _success(status, body, hide)
    if "groups" not in response:
        raise Unknown("undocumented")
    level = response["groups"]
    top = _level(level)
    groups: dict[str, Group] = {}
    for group in _walk(top):
        if groups.setdefault(group.id, group) != group:
            raise Unknown("undocumented")  # one group in two places
    for holder in (response, level):
        _check_count(holder, len(top), len(groups))
    return tuple(groups.values())


def check_balance(status: int, body: bytes, hide: Hide = str) -> None:
    """Look at get-balance's answer, whose amounts nobody needs. Raises Rejected or Unknown."""
    if not isinstance(_success(status, body, hide).get("balance"), dict):
        raise Unknown("undocumented")


def _success(status: int, body: bytes, hide: Hide) -> dict[str, Any]:
    """Return the `response` object of an answer that says 200, or raise what else it says.

    The number in the body decides. Only a claim of success needs the HTTP status beside it, which mirrors that
    number; and a failure of the server itself (5xx but for the documented 503) leaves open what was done.
    Source of the codes: https://www.iletimerkezi.com/en/docs/api
    """
    try:
        response = json.loads(body)["response"]
        said = response["status"]
        code, message = _code(said["code"]), said.get("message")
    except (ValueError, RecursionError, LookupError, TypeError, AttributeError) as error:
        raise Unknown("server_error" if status >= 500 else "unreadable") from error
    if code == 200:
        if not 200 <= status < 300:
            raise Unknown("contradiction")
        return dict(response)
    if 500 <= code < 600 and code != 503:
        raise Unknown("server_error")
    if not 400 <= code <= _MAX_CODE:
        raise Unknown("undocumented")
    parts = (_sentence(part) for part in (message, response.get("errors")))
    raise Rejected(code, _shortened(hide("; ".join(part for part in parts if part))))


def _code(value: object) -> int:
    """Return a code, which comes as a number and as text. Raises ValueError."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and re.fullmatch(r"\s*-?[0-9]{1,4000}\s*", value, re.ASCII):
        return int(value)
    raise ValueError("not a code")


def _identifier(value: object) -> str:
    """Return an id as text; ids come as numbers and as text. Raises Unknown when it is none."""
    text = str(value).strip() if isinstance(value, int | str) and not isinstance(value, bool) else ""
    if len(text) > _MAX_ID or not re.fullmatch("0*[1-9][0-9]*", text, re.ASCII):
        raise Unknown("undocumented")
    return text


def _sentence(value: object, depth: int = 3) -> str:
    """Return what an answer says as a readable text, also that of lists and of objects by field."""
    if isinstance(value, str):
        return " ".join(_UNSTORABLE.sub("", value).split())
    if isinstance(value, int | float) and not isinstance(value, bool):
        return json.dumps(value)
    if depth and isinstance(value, list):
        return ", ".join(text for text in (_sentence(item, depth - 1) for item in value) if text)
    if depth and isinstance(value, dict):
        texts = ((_sentence(field), _sentence(item, depth - 1)) for field, item in value.items())
        return "; ".join(text if re.fullmatch("[0-9]*", field) else f"{field}: {text}" for field, text in texts if text)
    return ""


def _shortened(text: str) -> str:
    return text if len(text) <= MAX_MESSAGE else text[: MAX_MESSAGE - 1] + "…"


def _level(value: object, wrapped: int = 2) -> list[dict[str, Any]]:
    """Return one level of groups as a list. Raises Unknown when it is not certain what belongs to it."""
    if value is None or value in ("", [], {}):
        return []
    if isinstance(value, dict):
        if "id" in value:
            return [value]
        if all(re.fullmatch("[0-9]+", key, re.ASCII) for key in value):
            value = list(value.values())
        else:
            inner = [key for key in value if key not in ("count", "total")]
            if len(inner) == 1 and inner[0] in ("group", "groups", "child", "children") and wrapped:
                return _level(value[inner[0]], wrapped - 1)
    if isinstance(value, list) and all(isinstance(entry, dict) and "id" in entry for entry in value):
        return value
    raise Unknown("undocumented")


def _walk(top: list[dict[str, Any]]) -> Iterator[Group]:
    """Yield groups of any depth; an entry is {"id", "name", "children": …}."""
    pending = deque([(top, "")])
    while pending:
        level, above = pending.popleft()
        for entry in level:
            group = Group(_identifier(entry["id"]), _name(entry.get("name")), _parent(entry, above))
            yield group
            if children := _level(entry.get("children")):
                pending.append((children, group.id))


def _name(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise Unknown("undocumented")
    return _UNSTORABLE.sub("", _unescaped(str(value)))[:_MAX_NAME]


def _unescaped(name: str) -> str:
    """Return a name without the escapes of HTML in which a web application may keep `&`, `<`, `>` and quotes.

    Source: https://www.php.net/manual/en/function.htmlspecialchars.php
    """
    return re.sub("&(?:amp|lt|gt|quot|apos|#0?39|#x27);", lambda found: html.unescape(found[0]), name)


def _parent(entry: dict[str, Any], above: str) -> str:
    """Return the id of the group above an entry, which a flat list may tell in the entry itself."""
    told = entry.get("parent", entry.get("parent_id"))
    if told in (None, "", 0, "0"):
        return above
    parent = _identifier(told)
    if above not in ("", parent):
        raise Unknown("undocumented")
    return parent


def _check_count(holder: object, *actual: int) -> None:
    """Raise Unknown when an object tells how many groups there are and it is another number."""
    if not isinstance(holder, dict) or "id" in holder:  # a group's count is that of its contacts
        return
    for key in ("count", "total"):
        try:
            wrong = key in holder and _code(holder[key]) not in actual
        except ValueError:
            wrong = True
        if wrong:
            raise Unknown("undocumented")
