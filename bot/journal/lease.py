"""Whether another process of this machine lives, so that a dead one's jobs need not wait for the end of its lease.

A living process holds a socket in Linux's abstract namespace, which the kernel closes with the process, however it
dies. Elsewhere no process is called dead before its lease has ended.
"""

from __future__ import annotations

import socket
import sys
import uuid
from pathlib import Path


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
