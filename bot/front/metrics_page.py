"""The page /metrics: what the bot has counted, and what the journal says at this moment."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotInTime
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Metric, make_wsgi_app
from prometheus_client.core import GaugeMetricFamily

from bot.journal.errors import JournalError
from bot.journal.reading import Backlog

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

METRICS = "/metrics"

PATIENCE = 2.0
"""How long the page waits for the journal, in seconds. Prometheus waits 10 for the whole page."""


def metrics_app(registry: CollectorRegistry, backlog: Callable[[], Backlog]) -> WSGIApplication:
    """Return the WSGI application for a registry and the journal's `backlog`, which may raise JournalError.

    Source: https://prometheus.io/docs/instrumenting/exposition_formats/
    """
    registry.register(_OfJournal(backlog))
    page = make_wsgi_app(registry)

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if environ.get("PATH_INFO") == METRICS:
            return list(page(environ, start_response))
        start_response("404 Not Found", [("Content-Type", "text/plain; charset=utf-8")])
        return [b"Not Found"]

    return app


class _OfJournal:
    """Reads the journal for each scrape, one at a time: a database that hangs keeps no thread but one."""

    def __init__(self, backlog: Callable[[], Backlog]) -> None:
        self._backlog = backlog
        self._reader = ThreadPoolExecutor(1, thread_name_prefix="metrics")
        self._pending: Future[Backlog] | None = None

    def collect(self) -> Iterator[Metric]:
        """Yield the gauges; without an answer of the journal only that there is none."""
        found = self._read()
        yield GaugeMetricFamily("addgroup_journal_up", "Whether the journal can be read.", int(found is not None))
        if found:
            yield GaugeMetricFamily("addgroup_open_jobs", "Jobs that are not answered yet.", found.open_jobs)
            yield GaugeMetricFamily(
                "addgroup_oldest_open_job_seconds", "Age of the oldest job that is not answered yet.", found.oldest
            )

    def describe(self) -> Iterator[Metric]:
        """Yield nothing: the journal is not asked while the page is built."""
        yield from ()

    def _read(self) -> Backlog | None:
        if self._pending is None or self._pending.done():
            self._pending = self._reader.submit(self._backlog)
        try:
            return self._pending.result(PATIENCE)
        except (JournalError, NotInTime):
            return None
