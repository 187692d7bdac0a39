"""The self-check of the ports: whether serve can listen there, or does already; and of the room for the metrics."""

from __future__ import annotations

import http.client
import socket
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import closing

from bot.admin.finding import OK, SKIPPED, WRONG, Finding, chosen_from, skipped
from bot.front.http import HEALTH
from bot.front.metrics_page import METRICS

_SIGN = {HEALTH: "ok", METRICS: "addgroup_"}
"""What the answers of a bot hold that runs well."""


def check(environ: Mapping[str, str]) -> Iterator[Finding]:
    """Try to take each port, without listening there."""
    chosen = chosen_from(environ, ("HOST", "PORT", "METRICS_PORT"))
    if chosen is None:
        yield from skipped("its settings are wrong", "PORT", "METRICS_PORT")
        return
    yield _port("PORT", chosen.host, chosen.port, HEALTH)
    if not chosen.metrics_port:
        yield Finding(SKIPPED, "METRICS_PORT", "is not set, so there are no metrics")
        return
    yield _port("METRICS_PORT", chosen.host, chosen.metrics_port, METRICS)
    yield _folder()


def _port(name: str, host: str, port: int, page: str) -> Finding:
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[
            0
        ]
        with socket.socket(family, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        said = _said(host, port, page)
        if said.startswith("failing: "):
            remedy = "docs/operate.md says under “The bot is silent” what to do about each part."
            return Finding(WRONG, name, f"the bot that runs there says: {said}", remedy)
        if _SIGN[page] in said:
            return Finding(OK, name, f"{port} is in use by a bot that runs; a second one needs another")
        remedy = f"Set {name} to another port, or HOST to an address of this machine, or stop what is using the port."
        return Finding(WRONG, name, f"cannot listen at {host}:{port}: {error.strerror}", remedy)
    return Finding(OK, name, f"{port} is free")


def _said(host: str, port: int, page: str) -> str:
    """Return how what listens at the port answers, "" if it does not."""
    at = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104  # to call it, not to listen there
    try:
        with closing(http.client.HTTPConnection(at, port, timeout=3)) as connection:
            connection.request("GET", page)
            return connection.getresponse().read(64 * 1024).decode(errors="replace")
    except (OSError, http.client.HTTPException):
        return ""


def _folder() -> Finding:
    try:
        with tempfile.TemporaryDirectory(prefix="addgroup-metrics-"):
            return Finding(OK, "metrics", "there is a folder for temporary files")
    except OSError as error:
        remedy = "Let the bot's user write in /tmp, or set TMPDIR to a folder where it may."
        return Finding(WRONG, "metrics", f"no temporary folder can be made: {error.strerror or error}", remedy)
