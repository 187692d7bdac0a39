"""What the bot counts, as Prometheus reads it."""

import contextlib
from collections.abc import Iterable, Iterator, Sequence

from prometheus_client import CollectorRegistry, Counter, Histogram, disable_created_metrics

METHODS = ("add-group", "get-groups", "get-balance")
"""Methods of the group API."""

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
        self._refusals.labels(method, reason).inc()

    def socket_mode_lost(self, seconds: float) -> None:
        """Add to the time without a Socket Mode connection."""
        self._lost.inc(seconds)

    def journal_failed(self) -> None:
        """Count a transaction of the journal that failed."""
        self._journal_errors.inc()


metrics = Metrics()
"""What this process counts."""
