"""One way to wait for what nothing announces: a log line, a file, another process."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def until(look: Callable[[], T], seconds: float = 30, failed: Callable[[], object] = str) -> T:
    """Call `look` again and again until it returns something true, and return that.

    After so many seconds it raises AssertionError, with what `failed` returns.
    """
    end = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < end, failed()
        time.sleep(0.01)
    return found
