"""Metrics of both processes, counted into files that outlive a process; until they are started, nothing is counted.

Each process has files of its own in one folder, as prometheus_client's multiprocess mode wants it. They are named after
the process's part and not after its number: when the worker is killed, the next one goes on counting where it was, so
no counter falls and no file is left over.
Source: https://prometheus.github.io/client_python/multiprocess/
"""

from __future__ import annotations

import contextlib
import fcntl
import itertools
import os
import re
import tempfile
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from prometheus_client import Counter, Histogram

FOLDER = "PROMETHEUS_MULTIPROC_DIR"
"""The variable in which the front tells the worker where the files are; prometheus_client reads it too."""

PARTS = ("front", "worker")
"""The processes that count; of each, one runs at a time."""

METHODS = ("add-group", "get-groups", "get-balance")
"""Methods of the group API."""

OTHER = "other"
"""The reason of a refusal that is none of REASONS: Slack may invent words, and each value is a series for ever."""

_WORDS = """
account_inactive cant_update_message channel_not_found ekm_access_denied enterprise_is_restricted
exchanged_trigger_id expired_trigger_id fatal_error internal_error invalid_arguments invalid_auth
invalid_blocks invalid_trigger_id is_archived link_disabled message_not_found missing_scope
msg_blocks_too_long msg_too_long no_permission no_such_subteam not_allowed_token_type not_authed
not_in_channel org_login_required rate_limited ratelimited request_timeout restricted_action
restricted_action_read_only_channel service_unavailable team_access_not_granted team_added_to_org
token_expired token_revoked trigger_exchanged trigger_expired user_not_found user_not_visible bad_address
closed proxy timeout tls too_large unreachable
"""
REASONS = frozenset(_WORDS.split())
"""Words of Slack's, and of the bot's for what went wrong on the way; `http_` with a status is one as well."""

_API_BUCKETS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 120)
_ACKNOWLEDGEMENT_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 3, 5)  # Slack waits for 3 seconds
_SIZE = 256 * 1024  # bytes of a file: more than all values take


@dataclass(frozen=True)
class _Meters:
    groups: Counter
    api: Histogram
    acknowledgements: Histogram
    refusals: Counter
    lost: Counter
    journal_errors: Counter


class Metrics:
    """What this process counts. Safe to use from many threads."""

    def __init__(self) -> None:
        self._meters: _Meters | None = None

    def start(self, folder: str, part: str) -> None:
        """Count from now on, as one of PARTS, into the files in `folder`. Raises OSError."""
        os.environ[FOLDER] = folder
        from prometheus_client import CollectorRegistry, Counter, Histogram, values

        values.ValueClass = values.MultiProcessValue(lambda: part)  # type: ignore[no-untyped-call]
        mine = CollectorRegistry()
        self._meters = _Meters(
            Counter("addgroup_groups", "Groups asked for, by how they ended.", ["outcome"], registry=mine),
            Histogram(
                "addgroup_api_call_seconds",
                "How long calls to the group API took.",
                ["method"],
                registry=mine,
                buckets=_API_BUCKETS,
            ),
            Histogram(
                "addgroup_acknowledgement_seconds",
                "How long Slack waited for an acknowledgement.",
                registry=mine,
                buckets=_ACKNOWLEDGEMENT_BUCKETS,
            ),
            Counter(
                "addgroup_slack_refusals",
                "Calls that Slack refused or did not answer.",
                ["method", "reason"],
                registry=mine,
            ),
            Counter("addgroup_socket_mode_lost_seconds", "Time without a Socket Mode connection.", registry=mine),
            Counter("addgroup_journal_errors", "Transactions of the journal that failed.", registry=mine),
        )

    def begin_at_zero(self, outcomes: Iterable[str]) -> None:
        """Make the counters whose labels are known beforehand: Prometheus misses the first step of a new one."""
        if self._meters:
            for outcome in outcomes:
                self._meters.groups.labels(outcome)
            for method in METHODS:
                self._meters.api.labels(method)

    def stop(self) -> None:
        """Count no more."""
        self._meters = None

    def settled(self, outcome: str) -> None:
        """Count a group by its outcome's state."""
        if self._meters:
            self._meters.groups.labels(outcome).inc()

    @contextlib.contextmanager
    def api_call(self, method: str) -> Iterator[None]:
        """Time one call to the group API, however it ends."""
        began = time.monotonic()
        try:
            yield
        finally:
            if self._meters:
                self._meters.api.labels(method).observe(time.monotonic() - began)

    def acknowledged(self, seconds: float) -> None:
        """Count an acknowledgement to Slack that took so long."""
        if self._meters:
            self._meters.acknowledgements.observe(seconds)

    def slack_refused(self, method: str, reason: str) -> None:
        """Count a call to Slack that failed, with one word for why."""
        if self._meters:
            known = reason in REASONS or re.fullmatch("http_[1-5][0-9][0-9]", reason)
            self._meters.refusals.labels(method, reason if known else OTHER).inc()

    def socket_mode_lost(self, seconds: float) -> None:
        """Add to the time without a Socket Mode connection."""
        if self._meters:
            self._meters.lost.inc(seconds)

    def journal_failed(self) -> None:
        """Count a transaction of the journal that failed."""
        if self._meters:
            self._meters.journal_errors.inc()


metrics = Metrics()
"""What this process counts."""


@contextlib.contextmanager
def folder(outcomes: Iterable[str]) -> Iterator[str]:
    """Start the metrics of the front in a new folder, and remove it at the end. Raises OSError."""
    with tempfile.TemporaryDirectory(prefix="addgroup-metrics-", ignore_cleanup_errors=True) as path:
        lock = os.open(path, os.O_RDONLY)
        try:
            # systemd-tmpfiles leaves what is locked alone. Source: https://systemd.io/TEMPORARY_DIRECTORIES/
            fcntl.flock(lock, fcntl.LOCK_SH)
            for kind, part in itertools.product(("counter", "histogram"), PARTS):
                # A full disk under a mapped file that has holes would end the process by a signal.
                Path(path, f"{kind}_{part}.db").write_bytes(bytes(_SIZE))
            metrics.start(path, PARTS[0])
            metrics.begin_at_zero(outcomes)
            yield path
        finally:
            metrics.stop()
            os.close(lock)
