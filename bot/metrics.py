"""What the bot counts, as Prometheus reads it."""

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics

disable_created_metrics()  # type: ignore[no-untyped-call]  # when each began would double the page

REGISTRY = CollectorRegistry()
"""What this process counts."""

GROUPS = Counter("addgroup_groups", "Groups asked for, by how they ended.", ["outcome"], registry=REGISTRY)
API_CALLS = Histogram(
    "addgroup_api_call_seconds",
    "How long calls to the group API took.",
    ["method"],
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 120),
    registry=REGISTRY,
)
ACKNOWLEDGEMENTS = Histogram(
    "addgroup_acknowledgement_seconds",
    "How long Slack waited for an acknowledgement.",
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 3, 5),  # Slack waits for 3 seconds
    registry=REGISTRY,
)
API_REFUSALS = Counter(
    "addgroup_api_refusals", "Calls that the group API refused, by its code.", ["code"], registry=REGISTRY
)
UNSIGNED = Counter("addgroup_unsigned_requests", "Requests without a valid signature of Slack's.", registry=REGISTRY)
REFUSALS = Counter(
    "addgroup_slack_refusals", "Calls that Slack refused or did not answer.", ["method", "reason"], registry=REGISTRY
)
LOST = Gauge("addgroup_socket_mode_lost", "1 while there is no Socket Mode connection, else 0.", registry=REGISTRY)
JOURNAL_UP = Gauge("addgroup_journal_up", "Whether the journal can be read.", registry=REGISTRY)
OPEN_JOBS = Gauge("addgroup_open_jobs", "Jobs that are not answered yet.", registry=REGISTRY)
OLDEST = Gauge("addgroup_oldest_open_job_seconds", "Age of the oldest job that is not answered yet.", registry=REGISTRY)
JOURNAL_ERRORS = Counter("addgroup_journal_errors", "Transactions of the journal that failed.", registry=REGISTRY)


def begin(outcomes: Iterable[str]) -> None:
    """Let what has known labels, as the `outcomes` are, begin at zero: Prometheus misses a new counter's first step."""
    for outcome in outcomes:
        GROUPS.labels(outcome)
    for method in ("add-group", "get-groups", "get-balance"):
        API_CALLS.labels(method)
    for code in (401, 402):  # an alert waits for these
        API_REFUSALS.labels(code)
