"""What the bot counts, as Prometheus reads it."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable, Iterator, Sequence

from prometheus_client import CollectorRegistry, Counter, Histogram, disable_created_metrics

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


class Metrics:
    """What this process counts. Safe to use from many threads."""

    def __init__(self) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]  # when each began would double the page
        self._registry = CollectorRegistry()
        self._groups = self._counter("groups", "Groups asked for, by how they ended.", "outcome")
        self._api = self._histogram("api_call_seconds", "How long calls to the group API took.", _API_BUCKETS, "method")
        self._acknowledgements = self._histogram(
            "acknowledgement_seconds", "How long Slack waited for an acknowledgement.", _ACKNOWLEDGEMENT_BUCKETS
        )
        self._refusals = self._counter(
            "slack_refusals", "Calls that Slack refused or did not answer.", "method", "reason"
        )
        self._lost = self._counter("socket_mode_lost_seconds", "Time without a Socket Mode connection.")
        self._journal_errors = self._counter("journal_errors", "Transactions of the journal that failed.")

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(f"addgroup_{name}", text, labels, registry=self._registry)

    def _histogram(self, name: str, text: str, buckets: Sequence[float], *labels: str) -> Histogram:
        return Histogram(f"addgroup_{name}", text, labels, buckets=buckets, registry=self._registry)

    def start(self, outcomes: Iterable[str]) -> CollectorRegistry:
        """Return what has the counts.

        What has known labels, as the `outcomes` are, begins at zero: Prometheus misses the first step of a new counter.
        """
        for outcome in outcomes:
            self._groups.labels(outcome)
        for method in METHODS:
            self._api.labels(method)
        return self._registry

    def settled(self, outcome: str) -> None:
        """Count a group by its outcome's state."""
        self._groups.labels(outcome).inc()

    @contextlib.contextmanager
    def api_call(self, method: str) -> Iterator[None]:
        """Time one call to the group API, however it ends."""
        with self._api.labels(method).time():
            yield

    def acknowledged(self, seconds: float) -> None:
        """Count an acknowledgement to Slack that took so long."""
        self._acknowledgements.observe(seconds)

    def slack_refused(self, method: str, reason: str) -> None:
        """Count a call to Slack that failed, with one word for why."""
        known = reason in REASONS or re.fullmatch("http_[1-5][0-9][0-9]", reason)
        self._refusals.labels(method, reason if known else OTHER).inc()

    def socket_mode_lost(self, seconds: float) -> None:
        """Add to the time without a Socket Mode connection."""
        self._lost.inc(seconds)

    def journal_failed(self) -> None:
        """Count a transaction of the journal that failed."""
        self._journal_errors.inc()


metrics = Metrics()
"""What this process counts."""
