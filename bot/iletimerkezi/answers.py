"""What each answer of the group API means: pure functions of the HTTP status and the body.

What cannot be read for certain is Unknown. What is read is bounded and can be stored: ids are numbers, texts have no
characters that a database or JSON refuses. How a call can fail, and what each failure says about what was done:

ApiError
├── NotSent    nothing reached the server: safe to send again
├── Rejected   the server said no, with a code: nothing was created
└── Unknown    the server may have done it: only a person may send it again
"""

import html
import json
import re
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from bot.model.names import Group

MAX_MESSAGE = 500
"""Longest message that is passed on, in characters."""

_MAX_NAME = 1000
_MAX_ID = 64
_MAX_CODE = 2**31 - 1  # what a database's integer holds
_WRAPPERS = {"group", "groups", "child", "children"}
_UNSTORABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")

Hide = Callable[[str], str]
"""Takes credentials out of a text."""


class ApiError(Exception):
    """A call that did not end in its documented result. Errors of one kind with the same contents are equal."""


@dataclass(repr=False, unsafe_hash=True)
class NotSent(ApiError):
    """Nothing reached the server, so nothing was done: safe to send again.

    `reason` is one of unreachable, connect_timeout, tls, proxy, address, withdrawn, too_late. Withdrawn: the caller had
    lost the right to send by the time the connection stood. Too late: the time was over by then.
    """

    reason: str


@dataclass(repr=False, unsafe_hash=True)
class Rejected(ApiError):
    """The server refused, so nothing was done.

    `code` is the number in the answer's body, at most 2147483647, and `message` the server's own sentence, in Turkish
    as a rule, of at most 500 characters.
    """

    code: int
    message: str


@dataclass(repr=False, unsafe_hash=True)
class Unknown(ApiError):
    """The server may have done what was asked. Do not send it again; look the result up.

    `reason` is one of timeout, closed, truncated, too_large, unreadable, undocumented, server_error, contradiction.
    """

    reason: str


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

    The provider publishes two shapes, [{…}] and {"group": [{…}]}; a count may stand beside the list. PHP also writes a
    list as {"0": {…}, "2": {…}}, and a list of one may be the object itself.
    """
    response = _success(status, body, hide)
    if "groups" not in response:
        raise Unknown("undocumented")
    groups: dict[str, Group] = {}
    for group in _walk(_level(response["groups"])):
        if groups.setdefault(group.id, group) != group:
            raise Unknown("undocumented")  # one group in two places
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
    text = hide("; ".join(part for part in parts if part))
    raise Rejected(code, text if len(text) <= MAX_MESSAGE else text[: MAX_MESSAGE - 1] + "…")


def _code(value: object) -> int:
    """Return a code, which comes as a number and as text. Raises ValueError."""
    if isinstance(value, bool) or not re.fullmatch(r"\s*-?[0-9]{1,4000}\s*", str(value), re.ASCII):
        raise ValueError("not a code")
    return int(str(value))


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


def _level(value: object, wrapped: int = 2) -> list[dict[str, Any]]:
    """Return one level of groups as a list. Raises Unknown when it is not certain what belongs to it."""
    if value is None or value in ("", [], {}):
        return []
    if isinstance(value, dict):
        if "id" in value:
            return [value]
        if all(re.fullmatch("[0-9]+", key, re.ASCII) for key in value):
            value = list(value.values())
        elif wrapped and len(inner := value.keys() - {"count", "total"}) == 1 and inner <= _WRAPPERS:
            return _level(value[inner.pop()], wrapped - 1)
    if isinstance(value, list) and all(isinstance(entry, dict) and "id" in entry for entry in value):
        return value
    raise Unknown("undocumented")


def _walk(top: list[dict[str, Any]]) -> Iterator[Group]:
    """Yield groups of any depth; an entry is {"id", "name", "children": …}."""
    pending = deque([(top, "")])
    while pending:
        level, above = pending.popleft()
        for entry in level:
            told = entry.get("parent", entry.get("parent_id"))  # which a flat list may tell
            parent = above if told in (None, "", 0, "0") else _identifier(told)
            group = Group(_identifier(entry["id"]), _name(entry.get("name")), parent)
            yield group
            if children := _level(entry.get("children")):
                pending.append((children, group.id))


def _name(value: object) -> str:
    """Return a name without the escapes of HTML in which a web application may keep `&`, `<`, `>` and quotes.

    Source: https://www.php.net/manual/en/function.htmlspecialchars.php
    """
    if isinstance(value, bool) or not isinstance(value, str | int | float | None):
        raise Unknown("undocumented")
    escapes = re.compile("&(?:amp|lt|gt|quot|apos|#0?39|#x27);")
    name = escapes.sub(lambda found: html.unescape(found[0]), "" if value is None else str(value))
    return _UNSTORABLE.sub("", name)[:_MAX_NAME]
