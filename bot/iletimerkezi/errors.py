"""How a call of the group API can fail, and what each failure says about what was done.

ApiError
├── NotSent    nothing reached the server: safe to send again
├── Rejected   the server said no, with a code: nothing was created
└── Unknown    the server may have done it: only a person may send it again
"""

from __future__ import annotations


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
