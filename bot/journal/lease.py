"""Whether another process lives: its jobs are taken over when it does not.

A living process renews its lease every few seconds. On the same machine it also holds a socket in Linux's abstract
namespace, which the kernel closes with the process, however it dies, so that its jobs need not wait for the lease.
"""

from __future__ import annotations

import socket
import sys
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import Row

UNCHANGED = 6
"""After how many looks at a lease that nobody renewed, each LEASE / 6 after the one before, its process is dead."""

UNCHANGED_AND_OVER = 2
"""The same for a lease that is over by the database's clock: that clock may just have been set forward."""


class Watch:
    """Watches the leases of other processes. It counts looks: a clock that is set changes nothing."""

    def __init__(self) -> None:
        self._seen: dict[str, tuple[float, int]] = {}

    def over(self, leases: Sequence[Row[Any]]) -> list[str]:
        """Take a look at the rows of all leases; return the ids of the processes that do not renew theirs."""
        seen = {row.id: (row.lease_until, self._looks(row)) for row in leases}
        self._seen = seen
        return [row.id for row in leases if seen[row.id][1] > (UNCHANGED_AND_OVER if row.lapsed else UNCHANGED)]

    def _looks(self, row: Row[Any]) -> int:
        until, looks = self._seen.get(row.id, (None, 0))
        return looks + 1 if until == row.lease_until else 1


def machine() -> str:
    """Return what is the same for processes that can see each other's sockets: this boot and network namespace."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot} {Path('/proc/self/ns/net').readlink()}"
    except OSError:
        return uuid.uuid4().hex


def show(process: str) -> socket.socket | None:
    """Show that the process with this id lives, until the returned socket is closed."""
    if sys.platform != "linux":
        return None
    sign = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    sign.bind(_name(process))
    return sign


def alive(process: str) -> bool:
    """Tell whether a process of this machine shows that it lives."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(_name(process))
        except ConnectionRefusedError:
            return False
        except OSError:
            return True
    return True


def _name(process: str) -> str:
    return f"\0addgroup-{process}"
